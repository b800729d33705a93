"""Asks on a page of this machine: two crops side by side, and the keys y and n."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import comfywear.web
from comfywear.errors import ComfyWearError, UsageError
from comfywear.system.listening import listen
from comfywear.system.rate_limit import Limiter
from comfywear.web.access import Access, Role
from comfywear.web.guard import COOKIE, Guard
from comfywear.web.server import config_of
from comfywear_export.dral.asking import Asker
from comfywear_export.dral.pictures import jpeg

__all__ = ["ask_on_page", "make_app"]

_HOST = "127.0.0.1"
_STATIC = Path(__file__).parent / "static"
_HOUSE = Path(comfywear.web.__file__).parent / "static"  # colours, type and icon are those of the device's page
_FAILURES, _WINDOW_S = 5, 60.0


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/answer."""

    query: int
    item: int
    answer: Literal["same", "different", "skipped"]


class _Pages:
    def __init__(
        self, asker: Asker, folder: Path, access: Access, failures: Limiter, finish: Callable[[], None]
    ) -> None:
        self._asker, self._folder = asker, folder
        self._access, self._failures, self._finish = access, failures, finish
        self._lock = asyncio.Lock()  # answers are taken one after the other
        self._jpeg = lru_cache(maxsize=64)(jpeg)

    def routes(self) -> list[Route | Mount]:
        return [
            Route("/", self.page),
            Route("/login", self.login),
            Route("/api/question", self.question),
            Route("/api/answer", self.answer, methods=["POST"]),
            Route("/api/undo", self.undo, methods=["POST"]),
            Route("/api/finish", self.finish, methods=["POST"]),
            Route("/picture/{row:int}.jpg", self.picture),
            Mount("/static/house", StaticFiles(directory=_HOUSE)),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]

    async def page(self, _: Request) -> Response:
        return Response((_STATIC / "asking.html").read_bytes(), media_type="text/html; charset=utf-8")

    async def login(self, request: Request) -> Response:
        """The address that the terminal shows: its token becomes a cookie of this page alone."""
        client = request.client.host if request.client else ""
        if self._failures.wait_s(client):
            return PlainTextResponse("too many wrong tokens; wait a minute", 429)
        token = request.query_params.get("token", "").encode()
        if self._access.role_of_token(token) is None:
            self._failures.note(client)
            return PlainTextResponse("open the address that `comfywear-export label reid` shows, with its token", 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, self._access.new_cookie(token), httponly=True, samesite="strict")
        return answer

    async def question(self, _: Request) -> Response:
        async with self._lock:
            return await self._shown()

    async def answer(self, request: Request) -> Response:
        try:
            said = msgspec.json.decode(await request.body(), type=_Said)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise HTTPException(400, f"not understood: {error}") from error
        async with self._lock:
            await run_in_threadpool(self._asker.answer, said.query, said.item, said.answer)
            return await self._shown()

    async def undo(self, _: Request) -> Response:
        async with self._lock:
            await run_in_threadpool(self._asker.undo)
            return await self._shown()

    async def finish(self, _: Request) -> Response:
        self._finish()
        return JSONResponse({"finished": True})

    async def picture(self, request: Request) -> Response:
        names = self._asker.session.names
        row = request.path_params["row"]
        if row >= len(names):
            raise HTTPException(404, "there is no such picture")
        return Response(await run_in_threadpool(self._jpeg, self._folder / names[row]), media_type="image/jpeg")

    async def _shown(self) -> Response:
        """The open question, or null at the end, and how far it is."""
        session = self._asker.session
        question = await run_in_threadpool(self._asker.question)
        asked = None
        if question is not None:
            asked = {
                "query": question.query,
                "item": question.item,
                "names": [session.names[question.query], session.names[question.item]],
                "number": question.asked + 1,
                "same": question.same,
            }
        progress = {"query": session.query, "queries": session.queries, "answers": self._asker.said()}
        return JSONResponse({"question": asked, **progress})


def make_app(asker: Asker, folder: Path, token: str, finish: Callable[[], None]) -> Starlette:
    """The page of one session.

    Args:
        asker: Where questions come from and answers go.
        folder: Of the pictures; only those of the session are shown.
        token: Must be known; requests that come from another site's page are refused besides.
        finish: Called when the person says that it is enough.
    """
    access, failures = Access(token, secrets.token_bytes(32)), Limiter(_FAILURES, _WINDOW_S)
    pages = _Pages(asker, folder, access, failures, finish)
    return Starlette(
        routes=pages.routes(),
        middleware=[Middleware(Guard, access=access, failures=failures, needed=_needed, local=True)],
        exception_handlers={ComfyWearError: _explain, HTTPException: _http_error},
    )


def _needed(_method: str, path: str) -> Role | None:
    return None if path == "/login" or path.startswith("/static/") else "admin"


async def _explain(_: Request, error: Exception) -> Response:
    return JSONResponse({"text": str(error)}, 409 if isinstance(error, UsageError) else 503)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"text": error.detail}, error.status_code)


def ask_on_page(asker: Asker, folder: Path, port: int, opened: Callable[[str], None]) -> None:
    """Serve the page on the loopback address until the person ends it there, or Ctrl-C.

    Args:
        asker: As of `make_app`.
        folder: As of `make_app`.
        port: 0 = any that is free.
        opened: Called with the address once it can be opened.

    Raises:
        ComfyWearError: The port cannot be listened on.
    """
    token = secrets.token_urlsafe(24)
    with listen(_HOST, port, "the page", "give another --port") as listener:
        servers: list[uvicorn.Server] = []

        def finish() -> None:
            servers[0].should_exit = True

        servers.append(uvicorn.Server(config_of(make_app(asker, folder, token, finish))))
        opened(f"http://{_HOST}:{listener.getsockname()[1]}/login?token={token}")
        servers[0].run(sockets=[listener])
