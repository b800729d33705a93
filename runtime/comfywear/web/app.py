"""The page's addresses. GET and HEAD change nothing; votes, undoings and sign-ins are POST."""

from __future__ import annotations

import asyncio
import html
import string
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from comfywear.errors import ComfyWearError, UsageError
from comfywear.web.access import SESSION_S, Access, Limiter
from comfywear.web.guard import COOKIE, Guard
from comfywear.web.shown import PageDevice
from comfywear.web.words import choose, languages, words

__all__ = ["make_app"]

_STATIC = Path(__file__).parent / "static"
# Votes of one client: a family at one tablet is quicker than this is strict.
VOTES, VOTES_WINDOW_S = 30, 60.0
FAILURES, FAILURES_WINDOW_S = 5, 60.0
LIVE_EVERY_S = 0.5
ALIVE_EVERY_S = 15.0
MOST_LISTENERS = 24
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class _Press(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/vote."""

    level: int
    zone: str | None = None
    source: str = ""
    person: str = ""


class _Undo(msgspec.Struct, forbid_unknown_fields=True):
    vote: str


class _Pages:
    def __init__(
        self, device: PageDevice, access: Access, failures: Limiter, title: str, language: str, stop: threading.Event
    ) -> None:
        self._device = device
        self._access = access
        self._failures = failures
        self._title = title
        self._language = language
        self._stop = stop
        self._votes = Limiter(VOTES, VOTES_WINDOW_S)
        self._listeners = 0

    def routes(self) -> list[Route | Mount]:
        return [
            Route("/", self.page),
            Route("/login", self.login_form),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/words/{code}.json", self.words),
            Route("/api/start", self.start),
            Route("/api/now", self.now),
            Route("/api/events", self.events),
            Route("/api/day", self.day),
            Route("/api/settings", self.settings),
            Route("/api/sketch.jpg", self.sketch),
            Route("/metrics", self.metrics),
            Route("/api/vote", self.vote, methods=["POST"]),
            Route("/api/undo", self.undo, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]

    def page(self, request: Request) -> Response:
        return self._html("page.html", choose(self._language, request.headers.get("accept-language", "")))

    def login_form(self, request: Request, problem: str = "", status: int = 200) -> Response:
        if not self._access.needed:
            return RedirectResponse("/", 303)
        code = choose(self._language, request.headers.get("accept-language", ""))
        text = words(code)["login"]
        shown = {name: text[name] for name in ("heading", "token", "enter", "hint")}
        after = request.query_params.get("next", "")
        return self._html(
            "login.html", code, status, problem=text[problem] if problem else "", next=_safe_next(after), **shown
        )

    async def login(self, request: Request) -> Response:
        client = _client(request)
        if wait_s := self._failures.wait_s(client):
            answer = self.login_form(request, "wait", 429)
            answer.headers["Retry-After"] = f"{wait_s + 1:.0f}"
            return answer
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        if not self._access.token_ok(form.get("token", [""])[0].strip()):
            self._failures.note(client)
            return self.login_form(request, "wrong", 403)
        answer = RedirectResponse(_safe_next(form.get("next", [""])[0]), 303)
        answer.set_cookie(
            COOKIE,
            self._access.new_cookie(),
            max_age=int(SESSION_S),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def logout(self, _: Request) -> Response:
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def words(self, request: Request) -> Response:
        try:
            return _json(words(request.path_params["code"]))
        except KeyError:
            raise HTTPException(404) from None

    def start(self, _: Request) -> Response:
        return _json(
            {
                "title": self._title,
                "zones": self._device.zones(),
                "languages": languages(),
                "signed_in": self._access.needed,
            }
        )

    def now(self, request: Request) -> Response:
        return _json(self._device.now(self._zone(request)))

    def day(self, request: Request) -> Response:
        return _json(self._device.day(self._zone(request)))

    def settings(self, _: Request) -> Response:
        return _json(self._device.settings())

    def sketch(self, _: Request) -> Response:
        picture = self._device.sketch()
        if picture is None:
            raise HTTPException(404)
        return Response(picture, media_type="image/jpeg")

    def metrics(self, _: Request) -> Response:
        return Response(self._device.metrics(), media_type=_PROMETHEUS)

    async def events(self, request: Request) -> Response:
        """The zone's state whenever it changes, as server-sent events."""
        zone = self._zone(request)
        if self._listeners >= MOST_LISTENERS:
            return _refusal(503, "too-many", "too many pages are open")
        return StreamingResponse(self._stream(zone), media_type="text/event-stream")

    async def _stream(self, zone: str) -> AsyncIterator[bytes]:
        self._listeners += 1
        try:
            said, quiet_s = b"", 0.0
            while not self._stop.is_set():
                text = msgspec.json.encode(await run_in_threadpool(self._device.now, zone))
                if text != said:
                    said, quiet_s = text, 0.0
                    yield b"event: now\ndata: " + text + b"\n\n"
                elif quiet_s >= ALIVE_EVERY_S:
                    quiet_s = 0.0
                    yield b": alive\n\n"
                quiet_s += LIVE_EVERY_S
                await asyncio.sleep(LIVE_EVERY_S)
        finally:
            self._listeners -= 1

    async def vote(self, request: Request) -> Response:
        client = _client(request)
        if wait_s := self._votes.wait_s(client):
            return _refusal(429, "too-many", f"wait {wait_s:.0f} s", {"Retry-After": f"{wait_s + 1:.0f}"})
        press = await _body(request, _Press)
        self._votes.note(client)
        default = "http" if request.scope.get("by_token") else "page"
        source = f"{default}-{_name(press.source)}" if press.source else default
        accepted = await run_in_threadpool(self._device.vote, press.zone, press.level, source, press.person or None)
        return _json(accepted)

    async def undo(self, request: Request) -> Response:
        await run_in_threadpool(self._device.undo, (await _body(request, _Undo)).vote)
        return _json({"undone": True})

    def _zone(self, request: Request) -> str:
        """The zone that is asked for; the first where none is."""
        known = [zone.name for zone in self._device.zones()]
        wanted = request.query_params.get("zone", known[0])
        if wanted not in known:
            raise UsageError(f"no zone is named {wanted!r}")
        return wanted

    def _html(self, name: str, code: str, status: int = 200, **values: str) -> Response:
        template = string.Template((_STATIC / name).read_text(encoding="utf-8"))
        values = {"lang": code, "title": self._title, "wanted": self._language, **values}
        text = template.substitute({key: html.escape(value) for key, value in values.items()})
        return Response(text, status, media_type="text/html")


def make_app(
    device: PageDevice,
    access: Access,
    *,
    local: bool,
    title: str,
    language: str,
    stop: threading.Event,
) -> ASGIApp:
    """The page as an ASGI application; streams end once `stop` is set."""
    failures = Limiter(FAILURES, FAILURES_WINDOW_S)
    pages = _Pages(device, access, failures, title, language, stop)
    app = Starlette(
        routes=pages.routes(),
        exception_handlers={ComfyWearError: _explain, HTTPException: _http_error, Exception: _fault},
    )
    return Guard(app, access, failures, local=local)


async def _body(request: Request, kind: type[Any]) -> Any:
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise HTTPException(415, "send application/json")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not understood: {error}") from error


def _name(text: str) -> str:
    if len(text) > 32 or not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise UsageError("a source is named with at most 32 letters, digits, - and _")
    return text


def _safe_next(address: str) -> str:
    """Where to go after signing in: this page alone, with its zone."""
    return address if address.startswith("/?") else "/"


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _refusal(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": code, "text": text}, status, headers=headers)


async def _explain(_: Request, error: Exception) -> Response:
    wrong = isinstance(error, UsageError)
    return _refusal(400 if wrong else 503, "wrong" if wrong else "not-now", str(error))


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _refusal(error.status_code, "http", error.detail)


async def _fault(*_: object) -> Response:
    return _refusal(500, "fault", "something went wrong on the device")
