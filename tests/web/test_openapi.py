"""The OpenAPI document: current, valid, and true to what the running page answers, refusals and all."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from page_peers import TOKEN, MadeUp, serving
from starlette.routing import Mount, Route

from comfywear import web
from comfywear.errors import StoreError
from comfywear.web import guard, openapi
from comfywear.web.access import Role, allows
from comfywear.web.addresses import ADDRESSES, Address
from comfywear.web.app import Pages
from comfywear.web.files import STATIC
from comfywear.web.sessions import session_id

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads(openapi.text())
OPERATIONS = {
    (method.upper(), path): operation for path, each in DOCUMENT["paths"].items() for method, operation in each.items()
}
BODIES: dict[str, Any] = {
    "/api/vote": {"level": 4, "zone": "desk"},
    "/api/undo": {"vote": "id1"},
    "/api/finds": {"person": 7},
    "/api/finds/undo": {"correction": 1},
    "/api/privacy": {"on": True},
    "/api/calibration/points": {"sensor": 0, "quantity": "air_temp_c", "points": [{"sensor": 20, "reference": 21}]},
    "/api/calibration/self-heating": {"sensor": 0},
    "/api/calibration": {"version": "1", "self_heating": {"sensor": 0}},
    "/api/calibration/response": {"sensor": 0, "since_s": 60},
    "/api/drawing/check": {"shapes": [{"kind": "zone", "name": "desk"}]},
    "/api/drawing": {"shapes": [{"kind": "zone", "name": "desk"}], "version": "1"},
    "/api/backup": {"passphrase": None},
    "/api/restore": {"upload": "u1", "settings": False},
    "/api/sessions/end": {"session": "0123456789abcdef"},
    "/api/settings": {"version": "1", "values": {}},
    "/api/settings/check": {"version": "1", "values": {"camera": {"fps": 0}}},
}
FILES = {"/api/restore/upload": b"PK made up"}
OTHERS: list[tuple[str, Role]] = [("only to look", "read"), ("also to vote", "vote")]
TOKENS: list[tuple[str, Role]] = [*OTHERS, (TOKEN, "admin")]


class Broken(MadeUp):
    """A device of which nothing can be asked."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def __getattribute__(self, name: str) -> Any:
        if hasattr(web.PageDevice, name) and not name.startswith("_"):
            raise self.error
        return super().__getattribute__(name)


def served() -> list[Route | Mount]:
    """What the page's application really answers."""
    pages: Any = Pages.__new__(Pages)
    return list(pages.routes())


def test_the_document_in_docs_is_current() -> None:
    committed = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert committed == openapi.text(), "run: python -m comfywear.web.openapi docs/openapi.json"


def test_the_document_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_route_has_its_address_its_role_and_where_programs_ask_its_place_in_the_document() -> None:
    routes = {
        (method, route.path)
        for route in served()
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routes == {(each.method, each.path) for each in ADDRESSES.values()}, "a route stands in web/addresses.py"
    assert [route.path for route in served() if isinstance(route, Mount)] == [STATIC]
    assert {path for _, path in OPERATIONS} == {path for _, path in routes if path.startswith(("/api", "/metrics"))}
    open_to_all = {each.path for each in ADDRESSES.values() if each.role is None}
    assert open_to_all == {"/login", "/words/{code}.json"}


def ask(url: str, method: str, path: str, **more: Any) -> httpx.Response:
    """One request; of a stream the first event."""
    body = BODIES.get(path) if method == "POST" and "content" not in more else None
    if method == "POST" and path in FILES and "content" not in more:
        more = {
            **more,
            "content": FILES[path],
            "headers": {"Content-Type": "application/zip", **more.get("headers", {})},
        }
    with httpx.Client(base_url=url, timeout=60) as client, client.stream(method, path, json=body, **more) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            lines = answer.iter_lines()
            event = "\n".join([next(lines), next(lines)])
            return httpx.Response(answer.status_code, headers=answer.headers, text=event)
        answer.read()
        return answer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=lambda each: f"{each.method} {each.path}")
def test_each_address_is_answered_to_its_role_and_those_above_alone(address: Address) -> None:
    device = MadeUp()
    device.picture = b"\xff\xd8\xff"
    path = address.path.replace("{code}", "de")
    with serving(device, TOKEN, "0.0.0.0", others=OTHERS) as url:
        if address.role is None:
            assert ask(url, address.method, path).status_code != 401
            return
        assert ask(url, address.method, path).status_code in (401, 303)
        for token, role in reversed(TOKENS):  # the admin's correction is there before it is taken back
            answer = ask(url, address.method, path, headers=bearer(token))
            if allows(role, address.role):
                assert answer.status_code not in (401, 403), f"{role} may"
            else:
                assert (answer.status_code, answer.json()["error"]) == (403, "role"), f"{role} may not"


@contextmanager
def running(**options: Any) -> Iterator[str]:
    device = MadeUp()
    device.picture = b"\xff\xd8\xff"
    device.corrections[1] = "reject"
    with serving(device, **options) as url:
        yield url


def provoked(method: str, path: str, status: int, monkeypatch: pytest.MonkeyPatch) -> httpx.Response:
    """An answer of the running page with a status, to a request that should have it."""
    typed = {"Content-Type": "application/zip" if path in FILES else "application/json"}
    if status == 200:
        with running(token=TOKEN) as url:
            signed_in = httpx.post(f"{url}/login", data={"token": TOKEN}, timeout=60)
            monkeypatch.setitem(BODIES, "/api/sessions/end", {"session": session_id(signed_in.cookies[guard.COOKIE])})
            return ask(url, method, path, headers=bearer(TOKEN))
    if status == 400:
        with running() as url:
            if method == "GET":
                return ask(url, method, path, params={"zone": "cellar", "camera": "cellar"})
            return ask(url, method, path, content=b'{"nonsense": 1}', headers=typed)
    if status in (401, 403):
        with running(token=TOKEN, others=[("only to look", "read")]) as url:
            return ask(url, method, path, headers=bearer("wrong" if status == 401 else "only to look"))
    if status == 404:
        with serving(MadeUp()) as url:
            return ask(url, method, path)
    if status == 408:
        monkeypatch.setattr(guard, "BODY_S", 0.2)
        with running() as url:
            return slow(url, path, typed["Content-Type"])
    if status in (413, 415):
        monkeypatch.setattr("comfywear.web.app.most_bytes", lambda *_: guard.MOST_BYTES)
        content, kind = (b" " * 5000, typed) if status == 413 else (b"{}", {"Content-Type": "text/plain"})
        with running() as url:
            return ask(url, method, path, content=content, headers=kind)
    if status == 421:
        with running() as url:
            return ask(url, method, path, headers={"Host": "evil.example"})
    if status == 429:
        with running(token=TOKEN) as url:
            for _ in range(5):
                ask(url, method, path, headers=bearer("wrong"))
            return ask(url, method, path, headers=bearer(TOKEN))
    assert status in (500, 503), f"no test provokes {status}"
    error = RuntimeError("a fault") if status == 500 else StoreError("the disk is full")
    device = Broken(error)
    monkeypatch.setattr(web.Access, "signed_in", Mock(side_effect=error))
    with serving(device) as url:
        return ask(url, method, path)


def slow(url: str, path: str, kind: str) -> httpx.Response:
    """The answer to a body that does not come to its end."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 30\r\n\r\n"
        peer.sendall(head.encode() + b"{")
        said = b""
        while part := peer.recv(4096):
            said += part
            if said.endswith(b"}"):
                break
    first, _, body = said.decode().partition("\r\n\r\n")
    lines = [line.split(": ", 1) for line in first.split("\r\n")[1:]]
    return httpx.Response(int(first.split(" ")[1]), headers=[(name, value) for name, value in lines], text=body)


def resolved(found: Any) -> Any:
    """The document with the references of a part followed."""
    while isinstance(found, dict) and "$ref" in found:
        here: Any = DOCUMENT
        for step in found["$ref"].removeprefix("#/").split("/"):
            here = here[step]
        found = here
    return found


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [(*key, int(status)) for key, operation in OPERATIONS.items() for status in operation["responses"]],
)
def test_each_answer_is_what_the_document_says(
    method: str, path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = provoked(method, path, status, monkeypatch)
    assert answer.status_code == status
    described = resolved(OPERATIONS[method, path]["responses"][str(status)])
    (media,) = described["content"]
    assert answer.headers["content-type"].split(";")[0] == media
    for header in described.get("headers", {}):
        assert answer.headers[header].isdigit()
    if media == "application/json":
        closed(answer.json(), described["content"][media]["schema"])
    elif media == "text/event-stream":
        closed(json.loads(answer.text.split("data: ")[1]), {"$ref": "#/components/schemas/Now"})


def closed(value: Any, schema: dict[str, Any]) -> None:
    """Refuse also what the schema does not name."""
    text = json.dumps({**schema, "components": DOCUMENT["components"]})
    strict = json.loads(text, object_hook=_closing)
    jsonschema.Draft202012Validator(strict).validate(value)


def _closing(part: dict[str, Any]) -> dict[str, Any]:
    named = isinstance(part.get("properties"), dict) and part.get("type") == "object"
    return {**part, "additionalProperties": False} if named else part
