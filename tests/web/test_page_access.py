"""Who may see the page: tokens, sessions, and how often somebody may try."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.system.loopback import is_loopback
from comfywear.system.rate_limit import Limiter
from comfywear.web import Access, Sessions, read_secret, read_token
from comfywear.web.access import SESSION_S, Role, allows
from comfywear.web.guard import client_of

SECRET = b"s" * 32


def test_only_addresses_of_this_machine_are_loopback() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.3.2.1", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.5", "localhost.example", ""))


def test_a_token_is_read_from_its_file_or_its_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("long enough token\n")
    assert read_token(str(tmp_path / "token")) == "long enough token"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_token("credential:token") == "long enough token"
    assert read_token("") == ""


@pytest.mark.parametrize(
    "content", [b"", b"short", b"two lines of\nsomething", b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff"]
)
def test_a_token_that_keeps_nobody_out_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(UsageError, match="token_file"):
        read_token(str(tmp_path / "token"))


@pytest.mark.parametrize("file", ["/no/such/file", "credential:", "credential:../token", "credential:.."])
def test_a_token_that_is_not_there_is_refused(file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(UsageError, match="token_file"):
        read_token(file)


def test_a_session_holds_until_its_end_and_for_its_token_alone(tmp_path: Path) -> None:
    now = [1000.0]
    file = tmp_path / "sessions.json"

    def started(token: str, secret: bytes = SECRET) -> Access:
        return Access(token, secret, clock=lambda: now[0], sessions=Sessions(file))

    access = started("the right token")
    cookie = access.new_cookie(b"the right token")
    assert access.role_of_cookie(cookie) == "admin"
    assert started("the right token").role_of_cookie(cookie), "a restart keeps it"
    assert not started("another token!").role_of_cookie(cookie)
    assert not started("the right token", b"t" * 32).role_of_cookie(cookie)
    until, rest = cookie.split(".", 1)
    assert not access.role_of_cookie(f"{int(until) + 1}.{rest}")
    now[0] += SESSION_S + 1
    assert not access.role_of_cookie(cookie)


@given(st.text())
def test_no_other_text_is_a_cookie_or_the_token(text: str) -> None:
    access = Access("the right token", SECRET)
    assert not access.role_of_cookie(text)
    assert access.role_of_token(text.encode()) == ("admin" if text == "the right token" else None)


def test_without_a_token_no_token_is_right() -> None:
    assert Access("", SECRET).role_of_token(b"") is None


def test_each_token_has_its_role_and_its_sessions_end_with_it() -> None:
    others: list[tuple[str, Role]] = [("a look at it", "read"), ("the family", "vote")]
    kept = Sessions()
    access = Access("the right token", SECRET, others=others, sessions=kept)
    for token, role in [("the right token", "admin"), *others]:
        assert access.role_of_token(token.encode()) == role
        cookie = access.new_cookie(token.encode())
        assert access.role_of_cookie(cookie) == role
        left = Access("", SECRET, others=[each for each in others if each[0] != token], sessions=kept)
        assert left.role_of_cookie(cookie) is None
    assert Access("", SECRET, others=others).needed
    with pytest.raises(ValueError, match="no such token"):
        access.new_cookie(b"another")


def test_one_password_for_two_roles_is_refused() -> None:
    with pytest.raises(UsageError, match="same password"):
        Access("the right token", SECRET, others=[("the right token", "read")])


def test_a_role_allows_what_the_smaller_ones_allow() -> None:
    roles: tuple[Role, ...] = ("read", "vote", "admin")
    allowed = [(role, needed) for role in roles for needed in roles if allows(role, needed)]
    assert allowed == [
        ("read", "read"),
        ("vote", "read"),
        ("vote", "vote"),
        ("admin", "read"),
        ("admin", "vote"),
        ("admin", "admin"),
    ]


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = read_secret(tmp_path / "state" / "page.key")
    assert read_secret(tmp_path / "state" / "page.key") == first
    assert (tmp_path / "state" / "page.key").stat().st_mode & 0o777 == 0o600
    assert read_secret(Path("/proc/no/page.key")) != first


def test_a_client_waits_after_too_many_and_others_do_not() -> None:
    now = [0.0]
    limiter = Limiter(3, 60.0, clock=lambda: now[0])
    for _ in range(3):
        assert limiter.wait_s("a") == 0
        limiter.note("a")
        now[0] += 1
    assert limiter.wait_s("a") == pytest.approx(57)
    assert limiter.wait_s("b") == 0
    now[0] = 60.0
    assert limiter.wait_s("a") == 0


def test_many_clients_take_bounded_room() -> None:
    limiter = Limiter(3, 60.0, clock=lambda: 0.0)
    for number in range(5000):
        limiter.note(str(number))
    assert len(limiter._events) <= 1000


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_a_host_with_many_addresses_is_one_client(address: str, client: str) -> None:
    assert client_of({"client": (address, 1)} if address else {}) == client


def test_many_clients_do_not_make_a_limited_one_free_again() -> None:
    limiter = Limiter(5, 60.0, clock=lambda: 0.0)
    for other in range(990):
        limiter.note(f"other {other}")
    for _ in range(5):
        limiter.note("guessing")
    for other in range(200):
        limiter.note(f"late {other}")
    assert limiter.wait_s("guessing") > 0
