"""The page of a device that has no settings yet: the first run, and nothing else."""

from __future__ import annotations

import secrets
import threading
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from comfywear.system.rate_limit import Limiter
from comfywear.texts import words
from comfywear.web.access import Access, Role
from comfywear.web.addresses import SETTINGS_BYTES
from comfywear.web.answers import body_of, json_answer
from comfywear.web.app import FAILURES, FAILURES_WINDOW_S, HANDLERS, Pages
from comfywear.web.files import STATIC, Files
from comfywear.web.guard import Guard
from comfywear.web.setup_form import AskStreams, SetupDraft, SetupTaker, TrySetup
from comfywear.web.words import choose

__all__ = ["make_setup_app"]

_OPEN = ("/login", f"{STATIC}/", "/words/")


class _SetupPages(Pages):
    """The first run: signs in with a code that works once, and asks an assistant instead of a device."""

    def __init__(self, taker: SetupTaker, access: Access, failures: Limiter, stop: threading.Event) -> None:
        super().__init__(cast(Any, taker), access, failures, "comfywear", "auto", stop)
        self._taker = taker
        self._uses = 0

    def routes(self) -> list[Route | Mount]:
        asked = {
            "/": self.page,
            "/login": self.login_form,
            "/words/{code}.json": self.words,
            "/words/settings/{code}.json": self.settings_words,
            "/api/setup": self.state,
            "/api/setup/cameras": self.cameras,
            "/api/setup/sensors": self.sensors,
            "/api/setup/readings": self.readings,
            "/api/setup/sketch.jpg": self.sketch,
        }
        told = {
            "/login": self.login,
            "/api/setup/draft": self.keep,
            "/api/setup/try": self.attempt,
            "/api/setup/network-cameras": self.network_cameras,
            "/api/setup/streams": self.streams,
            "/api/setup/finish": self.finish,
        }
        return [
            *(Route(path, answer, methods=["GET"]) for path, answer in asked.items()),
            *(Route(path, answer, methods=["POST"]) for path, answer in told.items()),
            Mount(STATIC, Files()),
        ]

    def page(self, request: Request) -> Response:
        return self._html("setup.html", choose("auto", request.headers.get("accept-language", "")))

    def login_form(self, request: Request, problem: str = "", status: int = 200) -> Response:
        if not self._access.needed:
            return RedirectResponse("/", 303)
        code = choose("auto", request.headers.get("accept-language", ""))
        text = words(code)["setup"]["login"]
        shown = {name: text[name] for name in ("heading", "token", "enter", "hint")}
        return self._html("login.html", code, status, problem=text[problem] if problem else "", next="/", **shown)

    async def login(self, request: Request) -> Response:
        if self._uses > 0:
            return self.login_form(request, "used", 403)
        answer = await super().login(request)
        if answer.status_code != 303:
            return answer
        if self._uses > 0:  # by somebody else, while this request was still coming: its cookie is not handed out
            return self.login_form(request, "used", 403)
        self._uses += 1
        return answer

    def state(self, _: Request) -> Response:
        return json_answer(self._taker.state())

    async def keep(self, request: Request) -> Response:
        return json_answer(await run_in_threadpool(self._taker.keep, await body_of(request, SetupDraft)))

    async def attempt(self, request: Request) -> Response:
        return json_answer(await run_in_threadpool(self._taker.attempt, (await body_of(request, TrySetup)).step))

    def cameras(self, _: Request) -> Response:
        return json_answer(self._taker.cameras())

    def network_cameras(self, _: Request) -> Response:
        return json_answer(self._taker.network_cameras())

    async def streams(self, request: Request) -> Response:
        return json_answer(await run_in_threadpool(self._taker.streams, await body_of(request, AskStreams)))

    def sensors(self, _: Request) -> Response:
        return json_answer(self._taker.sensors())

    def readings(self, _: Request) -> Response:
        return json_answer(self._taker.readings())

    def sketch(self, _: Request) -> Response:
        picture = self._taker.sketch()
        if picture is None:
            raise HTTPException(404)
        return Response(picture, media_type="image/jpeg")

    def finish(self, _: Request) -> Response:
        self._taker.finish()
        return json_answer({"done": True})


def make_setup_app(taker: SetupTaker, code: str, *, local: bool, stop: threading.Event) -> ASGIApp:
    """The page of the first run.

    Args:
        taker: Sets up.
        code: Signs in once; "" = whoever reaches the page is let in.
        local: It listens on the loopback address.
        stop: Ends what lasts.
    """
    failures = Limiter(FAILURES, FAILURES_WINDOW_S)
    access = Access(code, secrets.token_bytes(32))
    pages = _SetupPages(taker, access, failures, stop)
    app = Starlette(routes=pages.routes(), exception_handlers=HANDLERS)
    # The code signs in through the form alone, which counts its one use.
    return Guard(app, access, failures, _role_needed, local=local, most_bytes=lambda *_: SETTINGS_BYTES, by_token=False)


def _role_needed(_: str, path: str) -> Role | None:
    return None if path.startswith(_OPEN) else "admin"
