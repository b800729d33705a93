"""The page over real HTTP: votes, refusals, signing in, headers, live events."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
from page_peers import TOKEN, MadeUp, serving

from comfywear import web
from comfywear.errors import ComfyWearError, UsageError


@pytest.fixture
def device() -> MadeUp:
    return MadeUp()


@pytest.fixture
def local(device: MadeUp) -> Iterator[httpx.Client]:
    """A page for this machine alone."""
    with serving(device) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def opened(device: MadeUp) -> Iterator[httpx.Client]:
    """A page open to the network, with a token."""
    with serving(device, TOKEN, "0.0.0.0") as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_a_press_reaches_the_device_and_can_be_undone(device: MadeUp, local: httpx.Client) -> None:
    answer = local.post("/api/vote", json={"level": 4, "zone": "desk", "source": "3fa9c1", "person": "Ada"})
    assert answer.json() == {"id": "id1", "zone": "desk", "level": 4, "undo_s": 60.0, "learnt": None}
    assert device.votes == [("desk", 4, "page-3fa9c1", "Ada")]
    assert local.post("/api/undo", json={"vote": "id1"}).status_code == 200
    assert device.undone == ["id1"]


@pytest.mark.parametrize(
    "body",
    [
        '{"level": 9}',
        '{"level": "4"}',
        "{}",
        "[4]",
        "",
        "\xff",
        '{"level": 4, "extra": 1}',
        '{"level": 4, "source": "/"}',
    ],
)
def test_what_is_no_vote_is_refused_and_not_stored(device: MadeUp, local: httpx.Client, body: str) -> None:
    answer = local.post("/api/vote", content=body.encode("latin-1"), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["text"]
    assert device.votes == []


def test_a_vote_that_cannot_be_stored_is_not_acknowledged(device: MadeUp, local: httpx.Client) -> None:
    device.full = True
    answer = local.post("/api/vote", json={"level": 4})
    assert answer.status_code == 503
    assert answer.json()["text"] == "the disk is full"


def test_reading_changes_nothing(device: MadeUp, local: httpx.Client) -> None:
    for address in ("/api/vote", "/api/undo", "/logout"):
        assert local.get(address).status_code == 405
        assert local.head(address).status_code == 405
    for address in ("/", "/api/start", "/api/now", "/api/day", "/api/settings", "/words/de.json", "/static/page.js"):
        assert local.get(address).status_code == 200
        assert local.head(address).status_code == 200
    assert device.votes == []


def test_what_is_not_there_is_said_in_one_sentence(local: httpx.Client) -> None:
    assert local.get("/api/now?zone=cellar").status_code == 400
    for address in ("/nothing", "/words/xx.json", "/static/../app.py", "/static/%2e%2e/app.py", "/api/sketch.jpg"):
        assert local.get(address).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_sites_page_cannot_vote(device: MadeUp, local: httpx.Client, headers: dict[str, str]) -> None:
    answer = local.post("/api/vote", content='{"level": 1}', headers={"Content-Type": "application/json", **headers})
    assert answer.status_code in (403, 415, 421)
    assert device.votes == []


def test_a_name_bound_to_this_machine_by_another_reads_nothing(local: httpx.Client) -> None:
    assert local.get("/api/now", headers={"Host": "rebound.example"}).status_code == 421
    assert local.get("/api/now", headers={"Host": f"localhost:{local.base_url.port}"}).status_code == 200


def test_a_body_too_large_is_refused_with_and_without_its_length(device: MadeUp, local: httpx.Client) -> None:
    assert local.post("/api/vote", content=b" " * 5000).status_code == 413

    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    assert local.post("/api/vote", content=parts(), headers={"Content-Type": "application/json"}).status_code == 413
    assert device.votes == []


def test_a_stuck_finger_is_slowed(device: MadeUp, local: httpx.Client) -> None:
    codes = [local.post("/api/vote", json={"level": 1}).status_code for _ in range(35)]
    assert codes == [200] * 30 + [429] * 5
    assert len(device.votes) == 30


def test_every_answer_carries_the_headers_that_keep_others_out(opened: httpx.Client) -> None:
    for address in ("/", "/login", "/api/now", "/static/page.js", "/nothing"):
        headers = opened.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "server" not in headers


def test_the_pages_hold_no_inline_script_or_style_and_nothing_from_elsewhere(local: httpx.Client) -> None:
    text = local.get("/").text
    assert "<style" not in text
    assert "style=" not in text
    assert "//" not in text.replace("<!doctype html>", "")
    assert "</script>" in text
    assert "<script>" not in text


def test_nothing_is_seen_without_the_token(device: MadeUp, opened: httpx.Client) -> None:
    for address in ("/api/now", "/api/day", "/api/settings", "/api/sketch.jpg", "/api/events", "/api/start"):
        assert opened.get(address).status_code == 401
    assert opened.post("/api/vote", json={"level": 3}).status_code == 401
    answer = opened.get("/?zone=desk")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2F%3Fzone%3Ddesk")
    assert device.votes == []


def test_a_button_with_the_token_votes(device: MadeUp, opened: httpx.Client) -> None:
    answer = opened.post("/api/vote", json={"level": 5, "zone": "window", "source": "door"}, headers=BEARER)
    assert answer.status_code == 200
    assert device.votes == [("window", 5, "http-door", None)]
    assert opened.post("/api/vote", json={"level": 5}, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(
    device: MadeUp, opened: httpx.Client
) -> None:
    answer = opened.post("/login", data={"token": TOKEN, "next": "/?zone=window"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?zone=window")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert opened.get("/").status_code == 200
    own = str(opened.base_url).rstrip("/")
    assert opened.post("/api/vote", json={"level": 2}, headers={"Origin": own}).status_code == 200
    assert opened.post("/api/vote", json={"level": 2}).status_code == 403, "a cookie alone does not say from where"
    assert opened.post("/logout", headers={"Origin": own}).status_code == 303
    assert opened.get("/api/now").status_code == 401


@pytest.mark.parametrize("after", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", ""])
def test_signing_in_leads_nowhere_else(opened: httpx.Client, after: str) -> None:
    answer = opened.post("/login", data={"token": TOKEN, "next": after})
    assert answer.headers["location"] == "/"


def test_wrong_passwords_are_slowed_and_then_so_is_the_right_one(opened: httpx.Client) -> None:
    codes = [opened.post("/login", data={"token": f"wrong {number}"}).status_code for number in range(6)]
    assert codes == [403] * 5 + [429]
    assert opened.post("/login", data={"token": TOKEN}).status_code == 429
    assert opened.get("/api/now", headers=BEARER).status_code == 429


def test_a_page_without_a_token_is_not_opened_to_the_network(device: MadeUp) -> None:
    with pytest.raises(UsageError, match="token_file"):
        web.Page(device, web.Access("", b"s" * 32), host="0.0.0.0")


def test_a_port_that_is_taken_is_said_in_one_sentence(device: MadeUp) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        page = web.Page(device, web.Access("", b"s" * 32), port=port)
        with pytest.raises(ComfyWearError, match=rf"port {port} .*web\.port"):
            page.run(threading.Event(), lambda: None)


def test_a_change_arrives_as_an_event(device: MadeUp, local: httpx.Client) -> None:
    with local.stream("GET", "/api/events?zone=window") as answer:
        lines = answer.iter_lines()
        said = [json.loads(line[6:]) for line in (next(lines), next(lines), next(lines)) if line.startswith("data: ")]
        assert said[0]["zone"] == "window"
        assert said[0]["votes"] == 0
        httpx.post(local.base_url.join("/api/vote"), json={"level": 4}, timeout=30)
        for line in lines:
            if line.startswith("data: "):
                assert json.loads(line[6:])["votes"] == 1
                break


def test_a_title_is_text_and_no_markup(device: MadeUp) -> None:
    with serving(device, title="<b>Room</b> $x") as url:
        assert "&lt;b&gt;Room&lt;/b&gt; $x" in httpx.get(f"{url}/", timeout=30).text
