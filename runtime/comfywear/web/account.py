"""Signing in and out, who is signed in, and the list of what was changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request, cookie_parser
from starlette.responses import FileResponse, RedirectResponse, Response

from comfywear.errors import UsageError
from comfywear.texts import Text
from comfywear.web.access import SESSION_S, Access
from comfywear.web.addresses import Address
from comfywear.web.answers import body_of, json_answer
from comfywear.web.bodies import EndSession, MakeBackup, OpenSession
from comfywear.web.guard import COOKIE, client_of
from comfywear.web.sessions import session_id
from comfywear.web.shown import PageDevice

__all__ = ["AccountPages", "audited", "cookie_of", "give_cookie", "note", "origin_of"]

Answering = Callable[[Request], Any]


class AccountPages:
    """The addresses of sessions and of the list of changes.

    Attributes:
        _device: Keeps the list.
        _access: Knows the sessions.
    """

    _device: PageDevice
    _access: Access

    async def logout(self, request: Request) -> Response:
        """Sign out: the session ends, wherever its cookie has been copied to."""
        await run_in_threadpool(self._access.sign_out, cookie_of(request))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def sessions(self, request: Request) -> Response:
        """Who is signed in."""
        mine = session_id(cookie_of(request))
        return json_answer(
            [
                OpenSession(
                    id=name,
                    role=each.role,
                    began_s=each.began_s,
                    seen_s=each.seen_s,
                    until_s=each.until_s,
                    client=each.client,
                    browser=each.browser,
                    here=name == mine,
                )
                for name, each in self._access.signed_in().items()
            ]
        )

    async def end_session(self, request: Request) -> Response:
        """End one of them; its live pages end too."""
        session = (await body_of(request, EndSession)).session
        listed = self._access.signed_in()
        if session not in listed or not await run_in_threadpool(self._access.end, session):
            raise UsageError(Text("there is no such session any more"))
        note(request, f"{listed[session].role}, {listed[session].client}")
        return self.sessions(request)

    async def backup(self, request: Request) -> Response:
        """The device in a file, which is removed here once it was sent."""
        passphrase = (await body_of(request, MakeBackup)).passphrase
        made = await run_in_threadpool(self._device.make_backup, passphrase)
        note(request, "without secrets" if passphrase is None else "with secrets, behind a passphrase")
        gone = BackgroundTask(made.file.unlink, missing_ok=True)
        return FileResponse(made.file, media_type="application/zip", filename=made.name, background=gone)

    def remember(self, what: str, detail: str, origin: str) -> None:
        """Have something stand in the list of what was changed."""
        self._device.note_change(what, detail, origin)

    def audit(self, _: Request) -> Response:
        """What was changed."""
        return json_answer(self._device.changes())


def note(request: Request, detail: str) -> None:
    """What the list of changes says of a request beside its name; never what must not be read, such as a password."""
    request.scope["detail"] = detail


def audited(address: Address, answering: Answering, remember: Callable[[str, str, str], None]) -> Answering:
    """What answers an address, whose good answers stand in the list of what was changed."""
    if not address.audit:
        return answering

    async def answer(request: Request) -> Response:
        waits = inspect.iscoroutinefunction(answering)
        found: Response = await (answering(request) if waits else run_in_threadpool(answering, request))
        if found.status_code < 400:
            detail = str(request.scope.get("detail", ""))
            await run_in_threadpool(remember, address.audit, detail, origin_of(request))
        return found

    return answer


def cookie_of(request: Request) -> str:
    """The page's cookie that came along, or ""."""
    return cookie_parser(request.headers.get("cookie", "")).get(COOKIE, "")


def give_cookie(answer: Response, cookie: str, *, secure: bool) -> None:
    """Have the browser keep a session's cookie; `secure`: it is sent over TLS alone."""
    answer.set_cookie(COOKIE, cookie, max_age=int(SESSION_S), httponly=True, samesite="strict", secure=secure)


def origin_of(request: Request) -> str:
    """From where a request comes: page or program, its role, its address."""
    way = "program" if request.scope.get("by_token") else "page"
    return ", ".join(each for each in (way, request.scope.get("role"), client_of(request.scope)) if each)
