"""The page's addresses. GET and HEAD change nothing; votes, undoings and sign-ins are POST."""

from __future__ import annotations

import asyncio
import html
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from comfywear.errors import ComfyWearError, UsageError
from comfywear.system.rate_limit import Limiter
from comfywear.texts import Text, encode, languages, words
from comfywear.web.access import Access
from comfywear.web.account import AccountPages, audited, cookie_of, give_cookie, note
from comfywear.web.addresses import ADDRESSES, most_bytes, role_needed
from comfywear.web.answers import body_of as _body
from comfywear.web.answers import json_answer as _json
from comfywear.web.answers import json_text
from comfywear.web.bodies import Correct, Kept, Press, Refusal, Start, SwitchPrivacy, TakeBack, Undo, Undone
from comfywear.web.calibrations import CompareSensor, FindResponse, FindSelfHeating, KeepCalibration
from comfywear.web.drawings import Drawn, KeepDrawn, KeptDrawing
from comfywear.web.files import FILES, STATIC, Files, template
from comfywear.web.guard import Guard, client_of
from comfywear.web.restore_pages import RestorePages
from comfywear.web.sessions import session_id
from comfywear.web.settings_pages import SettingsPages
from comfywear.web.shown import SCHEMES, SPANS, PageDevice
from comfywear.web.words import choose, page_words
from comfywear.web.zone_code import zone_code

__all__ = ["make_app"]

# Votes of one client: a family at one tablet is quicker than this is strict.
VOTES, VOTES_WINDOW_S = 30, 60.0
FAILURES, FAILURES_WINDOW_S = 5, 60.0
LIVE_EVERY_S = 0.5
ALIVE_EVERY_S = 15.0
MOST_LISTENERS = 24
# Compressed is what holds no secret beside what somebody else may choose (BREACH): not what the device answers.
_SMALLER, _SMALL = Middleware(GZipMiddleware, minimum_size=500), ("page", "words")
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class _Events(StreamingResponse):
    """A stream of events; `left` is called once, however it ends."""

    def __init__(self, stream: AsyncIterator[bytes], left: Callable[[], None]) -> None:
        super().__init__(stream, media_type="text/event-stream")
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._left()


class Pages(AccountPages, RestorePages, SettingsPages):
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
        served = [
            Route(
                each.path,
                audited(each, getattr(self, name), self.remember),
                methods=[each.method],
                name=name,
                middleware=[_SMALLER] if name in _SMALL else None,
            )
            for name, each in ADDRESSES.items()
        ]
        return [*served, Mount(STATIC, Files(), middleware=[_SMALLER])]

    def page(self, request: Request) -> Response:
        """The page, with what it needs to begin: a slow phone asks once instead of three times."""
        code = choose(self._language, request.headers.get("accept-language", ""))
        start = self._start(request)
        wanted = request.query_params.get("zone")
        votes = start.role != "read" and wanted in (None, *(zone.name for zone in start.zones))
        no_vote = "" if votes else " hidden"
        return self._html("page.html", code, start=_text(start), words=_text(page_words(code)), no_vote=no_vote)

    def settings_page(self, request: Request) -> Response:
        return self._html("settings.html", choose(self._language, request.headers.get("accept-language", "")))

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
        client = client_of(request.scope)
        if wait_s := self._failures.wait_s(client):
            answer = self.login_form(request, "wait", 429)
            answer.headers["Retry-After"] = f"{wait_s + 1:.0f}"
            return answer
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        token = form.get("token", [""])[0].strip().encode()
        role = self._access.role_of_token(token)
        if role is None:
            self._failures.note(client)
            return self.login_form(request, "wrong", 403)
        answer = RedirectResponse(_safe_next(form.get("next", [""])[0]), 303)
        browser, before = request.headers.get("user-agent", ""), cookie_of(request)
        cookie = await run_in_threadpool(self._access.new_cookie, token, client, browser, before)
        give_cookie(answer, cookie, secure=request.url.scheme == "https")
        note(request, f"as {role}")
        return answer

    def words(self, request: Request) -> Response:
        try:
            return _json(page_words(request.path_params["code"]))
        except KeyError:
            raise HTTPException(404) from None

    def start(self, request: Request) -> Response:
        return _json(self._start(request))

    def _start(self, request: Request) -> Start:
        role = request.scope["role"]
        return Start(self._title, self._device.zones(), languages(), self._access.needed, role, self._device.cameras())

    def now(self, request: Request) -> Response:
        return _json(self._device.now(self._zone(request)))

    def day(self, request: Request) -> Response:
        wanted = request.query_params.get("span", "day")
        span = next((each for each in SPANS if each == wanted), None)
        if span is None:
            raise UsageError(
                Text("no span is named {wanted}; there are: {spans}", wanted=repr(wanted), spans=", ".join(SPANS))
            )
        return _json(self._device.day(self._zone(request), span))

    def settings(self, _: Request) -> Response:
        return _json(self._device.settings())

    def sketch(self, request: Request) -> Response:
        known = self._device.cameras()
        wanted = request.query_params.get("camera")
        if wanted is not None and wanted not in known:
            raise UsageError(Text("no camera is named {wanted}", wanted=repr(wanted)))
        scheme = request.query_params.get("scheme", "light")
        if scheme not in SCHEMES:
            raise UsageError(
                Text(
                    "no scheme is named {scheme}; there are: {schemes}", scheme=repr(scheme), schemes=", ".join(SCHEMES)
                )
            )
        picture = self._device.sketch(wanted or next(iter(known), ""), dark=scheme == "dark")
        if picture is None:
            raise HTTPException(404)
        return Response(picture, media_type="image/jpeg")

    def qr_code(self, request: Request) -> Response:
        return Response(zone_code(str(request.base_url), self._zone(request)), media_type="image/svg+xml")

    def metrics(self, _: Request) -> Response:
        return Response(self._device.metrics(), media_type=_PROMETHEUS)

    async def events(self, request: Request) -> Response:
        """The zone's state whenever it changes, as server-sent events."""
        zone = self._zone(request)
        if self._listeners >= MOST_LISTENERS:
            return _refusal(503, "too-many", Text("too many pages are open"))
        self._listeners += 1
        session = session_id(cookie_of(request)) if self._access.needed and not request.scope.get("by_token") else None
        return _Events(self._stream(zone, session), self._left)

    def _left(self) -> None:
        self._listeners -= 1

    async def _stream(self, zone: str, session: str | None) -> AsyncIterator[bytes]:
        """Until the page stops, or the session is ended."""
        said, quiet_s = b"", 0.0
        while not self._stop.is_set() and (session is None or self._access.holds(session)):
            text = json_text(await run_in_threadpool(self._device.now, zone))
            if text != said:
                said, quiet_s = text, 0.0
                yield b"event: now\ndata: " + text + b"\n\n"
            elif quiet_s >= ALIVE_EVERY_S:
                quiet_s = 0.0
                yield b": alive\n\n"
            quiet_s += LIVE_EVERY_S
            await asyncio.sleep(LIVE_EVERY_S)

    async def vote(self, request: Request) -> Response:
        client = client_of(request.scope)
        if wait_s := self._votes.wait_s(client):
            return _refusal(
                429, "too-many", Text("wait {wait} s", wait=f"{wait_s:.0f}"), {"Retry-After": f"{wait_s + 1:.0f}"}
            )
        press = await _body(request, Press)
        self._votes.note(client)
        default = "http" if request.scope.get("by_token") else "page"
        source = f"{default}-{_name(press.source)}" if press.source else default
        vote = partial(self._device.vote, vote_id=press.id, age_s=press.age_s)
        return _json(await run_in_threadpool(vote, press.zone, press.level, source, press.person or None))

    async def undo(self, request: Request) -> Response:
        await run_in_threadpool(self._device.undo, (await _body(request, Undo)).vote)
        return _json(Undone(True))

    def finds(self, _: Request) -> Response:
        return _json(self._device.finds())

    async def correct(self, request: Request) -> Response:
        """A correction counts as a press against a flood of them."""
        client = client_of(request.scope)
        if wait_s := self._votes.wait_s(client):
            return _refusal(
                429, "too-many", Text("wait {wait} s", wait=f"{wait_s:.0f}"), {"Retry-After": f"{wait_s + 1:.0f}"}
            )
        said = await _body(request, Correct)
        if (said.person is None) == (said.box is None):
            raise UsageError(Text("say a person's number or a box"))
        self._votes.note(client)
        note(request, "a person is missed" if said.person is None else f"find {said.person} is no person")
        if said.person is not None:
            return _json(Kept(await run_in_threadpool(self._device.reject, said.person)))
        return _json(Kept(await run_in_threadpool(self._device.miss, said.box, said.camera)))

    async def take_back(self, request: Request) -> Response:
        number = (await _body(request, TakeBack)).correction
        await run_in_threadpool(self._device.take_back, number)
        note(request, f"correction {number}")
        return _json(Undone(True))

    async def privacy(self, request: Request) -> Response:
        said = await _body(request, SwitchPrivacy)
        note(request, f"{'on' if said.on else 'off'}, {said.camera or 'all cameras'}")
        return _json(await run_in_threadpool(self._device.switch_privacy, said.on, said.camera))

    def drawing(self, request: Request) -> Response:
        return _json(self._device.drawings().drawing(request.query_params.get("camera")))

    async def check_drawing(self, request: Request) -> Response:
        said = await _body(request, Drawn)
        return _json(await run_in_threadpool(self._device.drawings().check, said.camera, said.shapes))

    async def keep_drawing(self, request: Request) -> Response:
        said = await _body(request, KeepDrawn)
        note(request, said.camera or "the first camera")
        await run_in_threadpool(self._device.drawings().keep, said.camera, said.shapes, said.version)
        return _json(KeptDrawing(True))

    def calibration(self, _: Request) -> Response:
        return _json(self._device.calibrations().now())

    async def compare_sensor(self, request: Request) -> Response:
        said = await _body(request, CompareSensor)
        return _json(await run_in_threadpool(self._device.calibrations().compare, said))

    async def find_self_heating(self, request: Request) -> Response:
        said = await _body(request, FindSelfHeating)
        return _json(await run_in_threadpool(self._device.calibrations().self_heating, said))

    async def keep_calibration(self, request: Request) -> Response:
        said = await _body(request, KeepCalibration)
        kept = await run_in_threadpool(self._device.calibrations().keep, said)
        note(request, kept.kept)
        return _json(kept)

    async def find_response(self, request: Request) -> Response:
        said = await _body(request, FindResponse)
        return _json(await run_in_threadpool(self._device.calibrations().response, said))

    def _zone(self, request: Request) -> str:
        """The zone that is asked for; the first where none is."""
        known = [zone.name for zone in self._device.zones()]
        wanted = request.query_params.get("zone", known[0])
        if wanted not in known:
            raise UsageError(Text("no zone is named {wanted}", wanted=repr(wanted)))
        return wanted

    def _html(self, name: str, code: str, status: int = 200, **values: str) -> Response:
        values = {"lang": code, "title": self._title, "wanted": self._language, "static": FILES, **values}
        text = template(name, code).substitute({key: html.escape(value) for key, value in values.items()})
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
    pages = Pages(device, access, failures, title, language, stop)
    app = Starlette(
        routes=pages.routes(),
        exception_handlers=HANDLERS,
    )
    return Guard(app, access, failures, role_needed, local=local, most_bytes=most_bytes)


def _text(value: object) -> str:
    """JSON for an attribute of the page; a slash is written so that no address seems to stand there."""
    return encode(value).decode().replace("/", "\\/")


def _name(text: str) -> str:
    if len(text) > 32 or not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise UsageError(Text("a source is named with at most 32 letters, digits, - and _"))
    return text


def _safe_next(address: str) -> str:
    """Where to go after signing in: this page alone, with its zone."""
    return address if address.startswith("/?") or address == "/settings" else "/"


def _refusal(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(json_text(Refusal(code, text)), status, media_type="application/json", headers=headers)


async def _explain(_: Request, error: Exception) -> Response:
    wrong = isinstance(error, UsageError)
    return _refusal(400 if wrong else 503, "wrong" if wrong else "not-now", str(error))


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _refusal(error.status_code, "http", error.detail)


async def _fault(*_: object) -> Response:
    return _refusal(500, "fault", Text("something went wrong on the device"))


HANDLERS: Mapping[Any, Any] = {ComfyWearError: _explain, HTTPException: _http_error, Exception: _fault}
"""What is answered instead of an error."""
