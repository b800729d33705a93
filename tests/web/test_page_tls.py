"""The page over TLS: a file's certificate or one of its own, said by its fingerprint, and never by a crash."""

from __future__ import annotations

import hashlib
import logging
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from page_peers import TOKEN, MadeUp, serving

from comfywear.errors import UsageError
from comfywear.system.clock import WallTime
from comfywear.web import PageTls, handshakes, page_tls
from comfywear.web.connections import MOST_CONNECTIONS
from comfywear.web.tls import CERTIFICATE_FILE, KEY_FILE, LASTS, OWN, local_names
from waiting import until

NOW = datetime(2027, 3, 1, tzinfo=timezone.utc)


def own(folder: Path, now: datetime | None = None) -> PageTls:
    clock = (lambda: WallTime(now.isoformat(), True)) if now else (lambda: WallTime(None, False))
    made = page_tls(OWN, "", folder, clock)
    assert made is not None
    return made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, PageTls, ssl.SSLContext]]:
    """A page with a certificate of its own, and what trusts that certificate alone."""
    tls = page_tls(OWN, "", tmp_path)
    assert tls is not None
    with serving(MadeUp(), TOKEN, tls=tls) as url:
        yield url, tls, ssl.create_default_context(cafile=tmp_path / CERTIFICATE_FILE)


def peer(url: str) -> socket.socket:
    host, port = url.removeprefix("https://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def test_whoever_knows_the_certificate_signs_in_and_the_cookie_stays_on_tls(
    served: tuple[str, PageTls, ssl.SSLContext],
) -> None:
    url, _, trusted = served
    assert url.startswith("https://")
    with httpx.Client(base_url=url, verify=trusted, timeout=60) as client:
        answer = client.post("/login", data={"token": TOKEN})
        assert (answer.status_code, "; Secure" in answer.headers["set-cookie"]) == (303, True)
        assert client.post("/api/vote", json={"level": 4}, headers={"Origin": url}).status_code == 200
        assert client.post("/api/vote", json={"level": 4}, headers={"Origin": "https://evil"}).status_code == 403
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(url, timeout=60)


def test_the_console_says_the_fingerprint_that_a_browser_shows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = own(tmp_path)
    with caplog.at_level(logging.INFO), serving(MadeUp(), tls=tls) as url, peer(url) as raw:
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        with blind.wrap_socket(raw) as shown:
            digest = hashlib.sha256(shown.getpeercert(binary_form=True) or b"").hexdigest().upper()
            assert shown.version() == "TLSv1.3"
    assert tls.fingerprint.replace(":", "") == digest
    assert tls.fingerprint in caplog.text
    assert len(tls.fingerprint) == 95


def test_old_protocols_are_refused(served: tuple[str, PageTls, ssl.SSLContext]) -> None:
    url, _, trusted = served
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        trusted.minimum_version = trusted.maximum_version = ssl.TLSVersion.TLSv1_1
    trusted.set_ciphers("ALL:@SECLEVEL=0")
    with peer(url) as raw, pytest.raises(OSError):  # noqa: PT011 - an alert, or the end of the connection
        trusted.wrap_socket(raw, server_hostname="localhost")


def test_plain_http_and_nonsense_are_let_go_and_others_are_answered(
    served: tuple[str, PageTls, ssl.SSLContext],
) -> None:
    url, _, trusted = served
    for said in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 500):
        with peer(url) as raw:
            raw.sendall(said)
            with suppress(ConnectionError):
                assert b"HTTP/1.1 200" not in raw.recv(4096)
    assert httpx.get(f"{url}/login", verify=trusted, timeout=60).status_code == 200


def test_many_who_do_not_finish_their_handshake_are_bounded_and_let_go(
    served: tuple[str, PageTls, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _, trusted = served
    monkeypatch.setattr(handshakes, "GREET_S", 1.0)
    silent = [peer(url) for _ in range(MOST_CONNECTIONS + 40)]
    ended = 0
    for each in silent[MOST_CONNECTIONS:]:
        each.settimeout(60)
        with suppress(ConnectionError):
            assert each.recv(1) == b""
        ended += 1
    assert ended == 40
    until(lambda: answers(url, trusted))
    for each in silent:
        each.close()


def answers(url: str, trusted: ssl.SSLContext) -> bool:
    try:
        return httpx.get(f"{url}/login", verify=trusted, timeout=60).status_code == 200
    except httpx.TransportError:
        return False


def test_its_own_certificate_stays_until_shortly_before_its_end(tmp_path: Path) -> None:
    first = own(tmp_path, NOW).fingerprint
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert own(tmp_path, NOW + LASTS - timedelta(days=40)).fingerprint == first
    assert own(tmp_path).fingerprint == first, "an unset clock says nothing about its end"
    second = own(tmp_path, NOW + LASTS - timedelta(days=20)).fingerprint
    assert second != first
    assert own(tmp_path, NOW + LASTS).fingerprint == second


@pytest.mark.parametrize("damage", ["certificate", "key", "name"])
def test_its_own_certificate_is_made_anew_where_it_is_of_no_use(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = own(tmp_path, NOW).fingerprint
    if damage == "certificate":
        (tmp_path / CERTIFICATE_FILE).write_text("half of")
    elif damage == "key":
        (tmp_path / KEY_FILE).unlink()
    else:
        monkeypatch.setattr(socket, "gethostname", lambda: "renamed")
        assert local_names()[0] == "renamed.local"
    assert own(tmp_path, NOW).fingerprint != first


def test_a_folder_that_cannot_be_written_is_said() -> None:
    with pytest.raises(UsageError, match="cannot be kept in /proc/no"):
        own(Path("/proc/no"))


def test_a_certificate_of_a_file_serves_with_its_key_in_another_or_the_same(tmp_path: Path) -> None:
    made = own(tmp_path).fingerprint
    certificate, key = tmp_path / CERTIFICATE_FILE, tmp_path / KEY_FILE
    apart = page_tls(str(certificate), str(key), tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    together = page_tls(str(both), "", tmp_path)
    assert apart is not None
    assert together is not None
    assert apart.fingerprint == together.fingerprint == made
    assert page_tls("", "", tmp_path) is None


def test_a_certificate_that_cannot_be_used_is_refused_in_words(tmp_path: Path) -> None:
    own(tmp_path)
    own(tmp_path / "other")
    certificate, key = str(tmp_path / CERTIFICATE_FILE), str(tmp_path / KEY_FILE)
    locked, text = tmp_path / "locked.pem", tmp_path / "text.pem"
    text.write_text("no certificate")
    subprocess.run(
        ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:geheim", "-out", str(locked)], check=True
    )
    for files, said in [
        ((certificate, str(tmp_path / "other" / KEY_FILE)), "the key is not that of the certificate"),
        ((certificate, str(locked)), "locked with a passphrase"),
        ((certificate, ""), "no certificate and key in PEM form"),
        ((str(text), key), "no certificate and key in PEM form"),
        ((str(tmp_path / "none.pem"), key), "No such file"),
        (("credential:page", key), "LoadCredential"),
    ]:
        with pytest.raises(UsageError, match=said):
            page_tls(*files, tmp_path)
