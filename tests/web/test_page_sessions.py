"""Who is signed in: seen, ended, never taken over; no other site's page changes anything; what changed is written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from page_peers import TOKEN, MadeUp, serving

from comfywear.web import Access, Sessions
from comfywear.web.addresses import ADDRESSES, Address
from comfywear.web.guard import COOKIE
from comfywear.web.roles import text
from comfywear.web.sessions import MOST_SESSIONS, session_id
from waiting import until

ROOT = Path(__file__).resolve().parents[2]
CHANGING = [each for each in ADDRESSES.values() if each.method != "GET"]
FOUND = {f"/api/calibration/{what}" for what in ("points", "self-heating", "response")}
CHECKS = {"/api/drawing/check", "/api/settings/check"} | FOUND  # which say what is wrong, and change nothing
GUESTS = "a word for guests"
BODIES: dict[str, dict[str, Any]] = {
    "/api/vote": {"json": {"level": 4, "zone": "desk"}},
    "/api/undo": {"json": {"vote": "id1"}},
    "/api/finds": {"json": {"person": 7}},
    "/api/finds/undo": {"json": {"correction": 1}},
    "/api/privacy": {"json": {"on": True}},
    "/api/sessions/end": {"json": {"session": "its own"}},
    "/api/drawing/check": {"json": {"shapes": [{"kind": "zone", "name": "desk"}]}},
    "/api/drawing": {"json": {"shapes": [{"kind": "zone", "name": "desk"}], "version": "1"}},
    "/api/calibration": {"json": {"version": "1", "self_heating": {"sensor": 0}}},
    "/api/calibration/points": {
        "json": {"sensor": 0, "quantity": "air_temp_c", "points": [{"sensor": 20, "reference": 21}]}
    },
    "/api/calibration/self-heating": {"json": {"sensor": 0}},
    "/api/calibration/response": {"json": {"sensor": 0, "since_s": 60}},
    "/api/backup": {"json": {"passphrase": "correct horse battery staple"}},
    "/api/settings/check": {"json": {"version": "1", "values": {"camera": {"fps": 2}}}},
    "/api/settings": {"json": {"version": "1", "values": {"camera": {"fps": 2}}}},
    "/api/restore/upload": {"content": b"PK made up", "headers": {"Content-Type": "application/zip"}},
    "/api/restore": {"json": {"upload": "u1", "passphrase": "correct horse battery staple", "takes_place": True}},
    "/login": {"data": {"token": TOKEN}},
    "/logout": {},
}


@pytest.fixture
def device() -> MadeUp:
    made = MadeUp()
    made.corrections[1] = "reject"
    return made


@pytest.fixture
def page(device: MadeUp) -> Iterator[str]:
    with serving(device, TOKEN, "0.0.0.0", others=[(GUESTS, "vote")]) as url:
        yield url


@contextmanager
def signed_in(page: str, token: str = TOKEN) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=page, timeout=60, headers={"User-Agent": "A tablet"}) as client:
        assert client.post("/login", data={"token": token}).status_code == 303
        yield client


def sent(client: httpx.Client, address: Address, **headers: str) -> httpx.Response:
    """A request that the page's own button would make, to an address that changes something."""
    more = dict(BODIES[address.path])
    if address.path == "/api/sessions/end":
        more = {"json": {"session": session_id(client.cookies[COOKIE])}}
    return client.request(address.method, address.path, **{**more, "headers": {**more.get("headers", {}), **headers}})


def state(device: MadeUp) -> object:
    corrected = device.undone, device.corrections, device.missed
    kept = device.plan.shapes, device.bench.kept, device.desk.state
    return device.votes, corrected, device.private, device.changed, kept


def test_every_address_that_changes_something_is_asked_here() -> None:
    assert {each.path for each in CHANGING} == set(BODIES), "a new address needs a body here, so that it is tried"


FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "OWN", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        pytest.param(address, headers, id=f"{address.path} {headers}")
        for address in CHANGING
        for headers in FOREIGN
        if headers or address.role  # whoever signs in with the password may be a program, which says nothing
    ],
)
def test_another_sites_page_changes_nothing_with_the_cookie(
    device: MadeUp, page: str, address: Address, headers: dict[str, str]
) -> None:
    with signed_in(page) as client:
        cookie, before = client.cookies[COOKIE], repr(state(device))
        own = {name: page if value == "OWN" else value for name, value in headers.items()}
        refused = sent(client, address, **own)
        assert (refused.status_code, refused.json()["error"]) == (403, "origin")
        assert repr(state(device)) == before
        assert client.cookies[COOKIE] == cookie
        assert client.get("/api/start").status_code == 200, "and it is still signed in"


@pytest.mark.parametrize("address", CHANGING, ids=lambda each: each.path)
def test_its_own_page_changes_something_and_the_list_says_what_and_from_where(
    device: MadeUp, page: str, address: Address
) -> None:
    with signed_in(page) as client:
        device.changed.clear()
        answer = sent(client, address, Origin=page)
        assert answer.status_code in (200, 303)
        assert [what for what, _, _ in device.changed] == ([address.audit] if address.audit else [])
        for _, detail, origin in device.changed:
            assert origin.startswith("page, ")
            assert "127.0.0.1" in origin
            assert TOKEN not in detail
            assert "staple" not in detail
            assert client.cookies.get(COOKIE, "no cookie") not in detail


def test_all_that_changes_something_but_a_vote_stands_in_the_list() -> None:
    silent = {each.path for each in CHANGING if not each.audit}
    assert silent - CHECKS == {"/api/vote", "/api/undo"}, "votes stand in the store of votes"
    assert not [each.path for each in ADDRESSES.values() if each.audit and each.method == "GET"]


def test_what_was_refused_does_not_stand_in_the_list(device: MadeUp, page: str) -> None:
    with httpx.Client(base_url=page, timeout=60) as client:
        assert client.post("/login", data={"token": "wrong"}).status_code == 403
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert client.post("/api/finds/undo", json={"correction": 99}, headers=bearer).status_code == 400
        assert client.post("/api/privacy", json={"on": True}).status_code == 401
    assert device.changed == []


@pytest.mark.parametrize("planted", ["planted", "9999999999.abcdefghijkl.0123", ""])
def test_a_cookie_that_was_planted_before_signing_in_is_worth_nothing_after(page: str, planted: str) -> None:
    with httpx.Client(base_url=page, timeout=60, headers={"Cookie": f"{COOKIE}={planted}"}) as victim:
        given = victim.post("/login", data={"token": TOKEN}).cookies[COOKIE]
    assert given != planted
    with httpx.Client(base_url=page, timeout=60, headers={"Cookie": f"{COOKIE}={planted}"}) as attacker:
        assert attacker.get("/api/start").status_code == 401


def test_a_guests_session_that_was_planted_does_not_become_the_admins(page: str) -> None:
    with signed_in(page, GUESTS) as guest:
        own = guest.cookies[COOKIE]
        with httpx.Client(base_url=page, timeout=60, headers={"Cookie": f"{COOKIE}={own}"}) as victim:
            given = victim.post("/login", data={"token": TOKEN}).cookies[COOKIE]
        assert given != own
        assert guest.get("/api/start").status_code == 401, "who signs in anew ends the session that was there"


def test_sessions_are_listed_and_one_that_is_ended_does_nothing_more(device: MadeUp, page: str) -> None:
    with signed_in(page) as admin, signed_in(page, GUESTS) as guest:
        listed = admin.get("/api/sessions").json()
        assert {(each["role"], each["client"], each["browser"], each["here"]) for each in listed} == {
            ("admin", "127.0.0.1", "A tablet", True),
            ("vote", "127.0.0.1", "A tablet", False),
        }
        shown = admin.get("/api/sessions").text
        assert guest.cookies[COOKIE] not in shown
        assert admin.cookies[COOKIE] not in shown
        assert guest.get("/api/sessions").status_code == 403
        other = next(each["id"] for each in listed if not each["here"])
        left = admin.post("/api/sessions/end", json={"session": other}, headers={"Origin": page})
        assert [each["role"] for each in left.json()] == ["admin"]
        assert guest.post("/api/vote", json={"level": 1}, headers={"Origin": page}).status_code == 401
        again = admin.post("/api/sessions/end", json={"session": other}, headers={"Origin": page})
        assert (again.status_code, "no such session" in again.json()["text"]) == (400, True)
    assert device.votes == []
    assert ("session ended", "vote, 127.0.0.1") in [change[:2] for change in device.changed]


def test_a_live_page_ends_with_its_session(page: str) -> None:
    with signed_in(page) as admin, signed_in(page, GUESTS) as guest:
        ended = threading.Event()

        def look() -> None:
            with guest.stream("GET", "/api/events") as answer:
                for _ in answer.iter_lines():
                    seen.set()
            ended.set()

        seen = threading.Event()
        looking = threading.Thread(target=look)
        looking.start()
        assert seen.wait(60)
        other = next(each["id"] for each in admin.get("/api/sessions").json() if not each["here"])
        admin.post("/api/sessions/end", json={"session": other}, headers={"Origin": page})
        until(ended.is_set)
        looking.join(60)


def test_signing_out_ends_the_session_also_for_a_copy_of_its_cookie(page: str) -> None:
    with signed_in(page) as client:
        copy = {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
        assert client.post("/logout", headers={"Origin": page}).status_code == 303
    assert httpx.get(f"{page}/api/start", headers=copy, timeout=60).status_code == 401


def test_sessions_outlive_a_restart_and_their_file_holds_no_cookie(tmp_path: Path) -> None:
    file = tmp_path / "sessions.json"
    first = Access(TOKEN, b"s" * 32, sessions=Sessions(file))
    kept, ended = first.new_cookie(TOKEN.encode(), "192.0.2.1", "A \x1bphone"), first.new_cookie(TOKEN.encode())
    assert first.end(session_id(ended))
    text = file.read_text()
    assert kept not in text
    assert kept.split(".")[1] not in text
    assert file.stat().st_mode & 0o777 == 0o600
    second = Access(TOKEN, b"s" * 32, sessions=Sessions(file))
    assert (second.role_of_cookie(kept), second.role_of_cookie(ended)) == ("admin", None)
    (listed,) = second.signed_in().values()
    assert (listed.client, listed.browser) == ("192.0.2.1", "A phone")


def test_where_nothing_can_be_written_sessions_are_kept_in_memory() -> None:
    access = Access(TOKEN, b"s" * 32, sessions=Sessions(Path("/proc/no/sessions.json")))
    assert access.role_of_cookie(access.new_cookie(TOKEN.encode())) == "admin"


def test_a_damaged_file_of_sessions_signs_everybody_out_and_nothing_more(tmp_path: Path) -> None:
    file = tmp_path / "sessions.json"
    file.write_bytes(b'{"sessions": [1, 2')
    access = Access(TOKEN, b"s" * 32, sessions=Sessions(file))
    assert access.signed_in() == {}
    assert access.role_of_cookie(access.new_cookie(TOKEN.encode())) == "admin"


def test_sessions_are_bounded_and_the_longest_unused_makes_room() -> None:
    now = [1000.0]
    access = Access(TOKEN, b"s" * 32, clock=lambda: now[0])
    first = access.new_cookie(TOKEN.encode())
    second = access.new_cookie(TOKEN.encode())
    for _ in range(MOST_SESSIONS - 1):
        now[0] += 1
        assert access.role_of_cookie(first) == "admin"
        access.new_cookie(TOKEN.encode())
    assert len(access.signed_in()) == MOST_SESSIONS
    assert (access.role_of_cookie(first), access.role_of_cookie(second)) == ("admin", None)


def test_the_table_of_roles_in_docs_is_current() -> None:
    committed = (ROOT / "docs" / "page-roles.md").read_text(encoding="utf-8")
    assert committed == text(), "run: python -m comfywear.web.roles docs/page-roles.md"
