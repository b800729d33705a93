"""The page over real HTTP: votes, refusals, signing in, headers, live events."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from page_peers import TOKEN, MadeUp, serving

from comfywear import web
from comfywear.errors import ComfyWearError, UsageError
from comfywear.web import connections, guard
from comfywear.web.app import MOST_LISTENERS
from comfywear.web.connections import MOST_CONNECTIONS, MOST_OF_A_CLIENT
from comfywear.web.zone_code import zone_code
from waiting import until


@pytest.fixture
def device() -> MadeUp:
    return MadeUp()


@pytest.fixture
def local(device: MadeUp) -> Iterator[httpx.Client]:
    """A page for this machine alone."""
    with serving(device) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def opened(device: MadeUp) -> Iterator[httpx.Client]:
    """A page open to the network, with a token."""
    with serving(device, TOKEN, "0.0.0.0") as url, httpx.Client(base_url=url, timeout=60) as client:
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
        '{"level": 4, "id": "short"}',
        '{"level": 4, "age_s": -1}',
        '{"level": 4, "age_s": 1e9}',
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


def test_the_chart_goes_back_as_far_as_is_asked(local: httpx.Client) -> None:
    days = {span: local.get(f"/api/day?span={span}").json()["until_s"] / 86400 for span in ("day", "week", "month")}
    assert days == {"day": 1, "week": 7, "month": 30}
    assert local.get("/api/day").json()["until_s"] == 86400
    answer = local.get("/api/day?span=year")
    assert (answer.status_code, "day, week, month" in answer.json()["text"]) == (400, True)


def test_each_camera_has_its_sketch_and_one_that_there_is_none_of_is_refused(
    device: MadeUp, local: httpx.Client
) -> None:
    device.several, device.picture = ("south", "north"), b"a sketch"
    assert local.get("/api/start").json()["cameras"] == ["south", "north"]
    said = [local.get(f"/api/sketch.jpg{of}").status_code for of in ("", "?camera=north", "?camera=roof")]
    assert said == [200, 200, 400]
    assert device.shown == ["south", "north"]
    answers = [local.get(f"/api/sketch.jpg?scheme={scheme}") for scheme in ("dark", "light", "sepia")]
    assert [each.status_code for each in answers] == [200, 200, 400]
    assert "light, dark" in answers[2].json()["text"]
    assert device.dark[2:] == [True, False]


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


def test_the_page_holds_no_script_or_style_but_those_that_the_policy_knows_and_nothing_from_elsewhere(
    local: httpx.Client,
) -> None:
    answer = local.get("/")
    policy = answer.headers["Content-Security-Policy"]
    for kind in ("script", "style"):
        (within,) = re.findall(f"<{kind}>(.*?)</{kind}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(within.encode()).digest()).decode()
        assert re.search(f"{kind}-src 'self' 'sha256-{re.escape(digest)}'(;|$)", policy)
    text = re.sub("<(script|style)>.*?</", "", answer.text, flags=re.DOTALL)
    assert "style=" not in text
    assert "//" not in text.replace("<!doctype html>", "")
    assert "</script>" in text


def test_a_browser_asks_once_for_a_file_of_the_page_until_there_is_another_version(local: httpx.Client) -> None:
    address = re.findall(r'src="(/static/\w+/page.js)"', local.get("/").text)[0]
    assert "immutable" in local.get(address).headers["Cache-Control"]
    for older in ("/static/0123456789ab/page.js", "/static/page.js"):  # a page that is open since before an upgrade
        answer = local.get(older)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
        assert local.get(older, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    for nothing in ("/static/", "/static/none.js", f"{address.rpartition('/')[0]}/../../app.py"):
        assert local.get(nothing).status_code in (401, 404)


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
        web.PageServer(device, web.Access("", b"s" * 32), host="0.0.0.0")


def test_a_port_that_is_taken_is_said_in_one_sentence(device: MadeUp) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        page = web.PageServer(device, web.Access("", b"s" * 32), port=port)
        with pytest.raises(ComfyWearError, match=rf"port {port} .*web\.port"):
            page.run(threading.Event(), lambda: None)


def test_a_change_arrives_as_an_event(device: MadeUp, local: httpx.Client) -> None:
    with local.stream("GET", "/api/events?zone=window") as answer:
        lines = answer.iter_lines()
        said = [json.loads(line[6:]) for line in (next(lines), next(lines), next(lines)) if line.startswith("data: ")]
        assert said[0]["zone"] == "window"
        assert said[0]["votes"] == 0
        httpx.post(local.base_url.join("/api/vote"), json={"level": 4}, timeout=60)
        for line in lines:
            if line.startswith("data: "):
                assert json.loads(line[6:])["votes"] == 1
                break


def test_a_title_is_text_and_no_markup(device: MadeUp) -> None:
    with serving(device, title="<b>Room</b> $x") as url:
        assert "&lt;b&gt;Room&lt;/b&gt; $x" in httpx.get(f"{url}/", timeout=60).text


def connected(url: str, count: int) -> list[socket.socket]:
    host, port = url.removeprefix("http://").split(":")
    return [socket.create_connection((host, int(port)), timeout=60) for _ in range(count)]


def closed(sockets: list[socket.socket]) -> int:
    count = 0
    for each in sockets:
        each.settimeout(0.01)
        try:
            count += each.recv(1) == b""
        except TimeoutError:
            pass
        except ConnectionError:
            count += 1
    return count


def test_connections_that_say_nothing_keep_nobody_out(device: MadeUp) -> None:
    with serving(device, TOKEN, "0.0.0.0") as url, httpx.Client(base_url=url, timeout=60, headers=BEARER) as client:
        silent = connected(url, 200)
        for _ in range(5):
            assert client.get("/api/start").status_code == 200
        until(lambda: closed(silent) >= 200 - MOST_CONNECTIONS)
        for each in silent:
            each.close()


def test_a_request_that_does_not_come_to_its_end_is_let_go(device: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.2)
    with serving(device) as url:
        silent, trickling = connected(url, 2)
        trickling.sendall(b"GET / HTTP/1.1\r\nHost: localh")
        until(lambda: closed([silent, trickling]) == 2)


def test_a_body_that_does_not_come_is_refused_in_words(device: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_S", 0.2)
    with serving(device) as url:
        (slow,) = connected(url, 1)
        slow.sendall(
            b"POST /api/vote HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 30\r\n\r\n{"
        )
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
        slow.close()
    assert device.votes == []


@pytest.mark.parametrize("header", ["Origin: http://[", "Origin: http://]x", "Host: ["])
def test_half_an_address_is_refused_and_no_fault(device: MadeUp, header: str) -> None:
    with serving(device) as url:
        (peer,) = connected(url, 1)
        host = "" if header.startswith("Host") else "Host: localhost\r\n"
        peer.sendall(f"POST /api/vote HTTP/1.1\r\n{host}{header}\r\nContent-Length: 0\r\n\r\n".encode())
        assert peer.recv(12) in (b"HTTP/1.1 403", b"HTTP/1.1 421")
        peer.close()


def test_no_more_streams_are_open_than_may_be(device: MadeUp) -> None:
    with serving(device) as url:
        peers = connected(url, 40)
        for each in peers:
            each.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answers = [each.recv(12) for each in peers]
        assert (answers.count(b"HTTP/1.1 200"), answers.count(b"HTTP/1.1 503")) == (MOST_LISTENERS, 16)
        for each in peers:
            each.close()

        def one_more() -> bool:
            (again,) = connected(url, 1)
            with again:
                again.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return again.recv(12) == b"HTTP/1.1 200"

        until(one_more)  # places of those who left are free again


def test_a_token_with_an_umlaut_is_taken_as_a_browser_and_a_program_send_it(device: MadeUp) -> None:
    token = "schöner langer Satz"
    with serving(device, token, "0.0.0.0") as url, httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/api/start", headers={"Authorization": f"Bearer {token}".encode()}).status_code == 200
        assert client.post("/login", data={"token": token}, follow_redirects=False).status_code == 303


def test_behind_a_proxy_that_is_named_each_client_has_its_own_wrong_tokens(device: MadeUp) -> None:
    wrong = {"Authorization": "Bearer wrong", "X-Forwarded-For": "192.0.2.1"}
    with serving(device, TOKEN, "0.0.0.0", proxy="127.0.0.1") as url, httpx.Client(base_url=url, timeout=60) as client:
        for _ in range(5):
            assert client.get("/api/start", headers=wrong).status_code == 401
        assert client.get("/api/start", headers=wrong).status_code == 429
        assert client.get("/api/start", headers={**BEARER, "X-Forwarded-For": "192.0.2.2"}).status_code == 200
    with serving(device, TOKEN, "0.0.0.0") as url, httpx.Client(base_url=url, timeout=60) as client:
        for number in range(5):  # nobody's word is taken where no proxy is named
            client.get("/api/start", headers={**wrong, "X-Forwarded-For": f"192.0.2.{number}"})
        assert client.get("/api/start", headers=wrong).status_code == 429


def own_address() -> str:
    """One of this machine's own addresses that is not the loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("needs a network address besides 127.0.0.1")
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("named", [False, True])
def test_many_visitors_behind_a_proxy_that_is_named_are_not_one_client(device: MadeUp, named: bool) -> None:
    address, more = own_address(), MOST_OF_A_CLIENT + 6
    with serving(device, TOKEN, "0.0.0.0", proxy=f"192.0.2.9, {address}" if named else "") as url:
        visitors = connected(url.replace("127.0.0.1", address), more)
        for each in visitors:
            with suppress(OSError):
                each.sendall(b"GET /login HTTP/1.1\r\nHost: desk\r\n\r\n")
        answered = sum(b"200 OK" in received(each) for each in visitors)
        for each in visitors:
            each.close()
    assert answered == (more if named else MOST_OF_A_CLIENT)


def received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4096)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("until", ["9" * 5000, "²", "", "-1", "1e9"])
def test_a_cookie_that_this_page_never_gave_is_no_cookie(opened: httpx.Client, until: str) -> None:
    cookie = f"{guard.COOKIE}={until}.abc.0123".encode()
    assert opened.get("/api/start", headers={"Cookie": cookie}).status_code == 401
    assert opened.get("/api/start", headers=BEARER).status_code == 200


@pytest.mark.parametrize("length", ["9" * 5000, "²", "-1", "1e3"])
def test_a_length_that_is_none_is_refused(device: MadeUp, length: str) -> None:
    with serving(device) as url:
        (asks,) = connected(url, 1)
        head = f"POST /api/vote HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        asks.sendall(head.encode())
        assert received(asks).split(b" ")[1] in (b"400", b"413")
        asks.close()


def test_a_find_is_rejected_or_missed_and_that_is_taken_back(device: MadeUp, local: httpx.Client) -> None:
    assert local.post("/api/finds", json={"person": 7}).json() == {"correction": 1}
    assert local.post("/api/finds", json={"box": [0.1, 0.2, 0.3, 0.9]}).json() == {"correction": 2}
    assert device.missed == [(0.1, 0.2, 0.3, 0.9)]
    assert [each["kind"] for each in local.get("/api/finds").json()["corrections"]] == ["reject", "miss"]
    assert local.post("/api/finds/undo", json={"correction": 1}).status_code == 200
    assert device.corrections == {2: "miss"}
    for body in ({}, {"person": 7, "box": [0, 0, 1, 1]}, {"person": "x"}, {"box": [0, 1]}, {"person": 8}, {"who": 7}):
        refused = local.post("/api/finds", json=body)
        assert refused.status_code == 400, body
        assert refused.json()["text"]
    assert local.post("/api/finds/undo", json={"correction": 9}).status_code == 400


def test_finds_are_corrected_by_nobody_without_the_token(device: MadeUp, opened: httpx.Client) -> None:
    assert opened.get("/api/finds").status_code == 401
    assert opened.post("/api/finds", json={"person": 7}).status_code == 401
    assert opened.post("/api/finds", json={"person": 7}, headers=BEARER).status_code == 200
    assert device.corrections == {1: "reject"}


def test_an_address_too_long_for_a_code_is_refused_in_words(local: httpx.Client) -> None:
    assert local.get("/api/qr.svg?zone=desk").text.startswith("<svg")
    refused = local.get("/api/qr.svg", headers={"Host": f"{'0' * 400}127.0.0.1"})
    assert refused.status_code in (400, 421)
    with pytest.raises(UsageError, match="too long"):
        zone_code(f"http://{'x' * 400}/", "desk")
