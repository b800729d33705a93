"""What stands before every request: host, size, origin, sign-in, and the headers of every answer."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfywear.system.rate_limit import Limiter
from comfywear.texts import Text
from comfywear.web.access import Access, Role, allows
from comfywear.web.answers import json_text, mind_texts
from comfywear.web.files import INLINE

__all__ = ["COOKIE", "MOST_BYTES", "Guard", "client_of"]

COOKIE = "comfywear"
MOST_BYTES = 4096
BODY_S = 10.0
"""In which a body must have come; of a file that is uploaded, each piece of it."""
LARGE_BYTES, UPLOAD_S = 10**6, 900.0
"""In which one must have come that may be as large as a file."""
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'self' 'sha256-{INLINE['early.js']}'; "
    f"style-src 'self' 'sha256-{INLINE['page.css']}'; img-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """ASGI middleware; refuses before the page is asked.

    Args:
        app: The page.
        access: Who may see it.
        needed: The least role that a method and a path need; None = open to all.
        failures: Counts wrong tokens by client.
        local: The page listens on the loopback address: only its names are taken as Host, so that a foreign name
            that was bound to 127.0.0.1 (DNS rebinding) reaches nothing.
        most_bytes: How many bytes a body may have that is sent to a method and a path.
        by_token: Whether `Authorization: Bearer` is read; a code that works once is for the form alone.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        failures: Limiter,
        needed: Callable[[str, str], Role | None],
        *,
        local: bool,
        most_bytes: Callable[[str, str], int] = lambda *_: MOST_BYTES,
        by_token: bool = True,
    ) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._needed = needed
        self._access = access
        self._failures = failures
        self._local = local
        self._by_token = by_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or pass the request on."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        mind_texts(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    out[name] = value
                out.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
            return
        most = self._most_bytes(scope["method"], scope["path"])
        body = _bounded(receive, most) if scope["method"] not in ("GET", "HEAD") else receive
        with suppress(ClientDisconnect):  # whoever asked does not wait for the answer
            await self._app(scope, body, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        # With a token a foreign name reaches nothing either: it has no cookie of this page.
        if self._local and not self._access.needed and not _is_local_name(host):
            return _error(421, "host", Text("this page answers to localhost alone"))
        if scope["method"] not in ("GET", "HEAD"):
            length = headers.get("content-length", "0")
            most = self._most_bytes(scope["method"], scope["path"])
            if not (length.isascii() and length.isdigit() and len(length) <= 18) or int(length) > most:
                return _error(413, "too-large", Text("at most {most} bytes", most=most))
            if not _same_origin(headers, host):
                return _error(403, "origin", Text("this page's own buttons alone may do that"))
        needed = self._needed(scope["method"], scope["path"])
        return None if needed is None else self._check_role(scope, headers, needed)

    def _check_role(self, scope: Scope, headers: Headers, needed: Role) -> Response | None:
        """A refusal, or None; `role` and `by_token` of the scope then say who asks."""
        role, refusal = self._signed_in(scope, headers)
        if refusal is not None:
            return refusal
        scope["role"] = role
        if role is None:
            if scope["path"] in ("/", "/settings") and scope["method"] in ("GET", "HEAD"):
                query = scope["query_string"].decode("latin-1")
                if scope["path"] != "/":
                    return RedirectResponse(f"/login?next={quote(scope['path'], safe='')}", 303)
                return RedirectResponse("/login" + (f"?next={quote('/?' + query, safe='')}" if query else ""), 303)
            return _error(401, "sign-in", Text("sign in, or send Authorization: Bearer TOKEN"))
        if not allows(role, needed):
            return _error(
                403,
                "role",
                Text("this password has the role {role}; that needs {needed}", role=repr(role), needed=repr(needed)),
            )
        return None

    def _signed_in(self, scope: Scope, headers: Headers) -> tuple[Role | None, Response | None]:
        scope["by_token"] = False
        if not self._access.needed:
            return "admin", None
        client = client_of(scope)
        kind, _, given = headers.get("authorization", "").partition(" ")
        if self._by_token and kind.lower() == "bearer":
            if wait_s := self._failures.wait_s(client):
                return None, _error(
                    429, "too-many", Text("wait {wait} s", wait=f"{wait_s:.0f}"), {"Retry-After": f"{wait_s + 1:.0f}"}
                )
            role = self._access.role_of_token(given.strip().encode("latin-1"))
            if role is None:
                self._failures.note(client)
                return None, _error(401, "token", Text("wrong token"))
            scope["by_token"] = True
            return role, None
        role = self._access.role_of_cookie(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""), client)
        # A browser says where a POST comes from; with a cookie alone it must.
        said = scope["method"] in ("GET", "HEAD") or "origin" in headers or "sec-fetch-site" in headers
        if role is not None and not said:
            return None, _error(403, "origin", Text("a browser says where a request comes from; others send the token"))
        return role, None


def client_of(scope: Scope) -> str:
    """Who asks, for what is counted by client: an IPv4 address, or the /64 network of an IPv6 one."""
    address = scope["client"][0] if scope.get("client") else ""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped.compressed
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def _error(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(json_text({"error": code, "text": text}), status, media_type="application/json", headers=headers)


def _is_local_name(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _same_origin(headers: Headers, host: str) -> bool:
    """False for a request that another site's page made; what no browser sent says nothing about that."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    try:
        return origin is None or (urlsplit(origin).netloc.lower() == host.lower() and bool(host))
    except ValueError:  # half an IPv6 address
        return False


def _bounded(receive: Receive, most: int) -> Receive:
    """`receive` that fails once a body has grown too large, whatever its headers said, or takes too long to come."""
    total = 0
    until = asyncio.get_running_loop().time() + (UPLOAD_S if most > LARGE_BYTES else BODY_S)

    async def bounded() -> Message:
        nonlocal total
        try:
            left_s = max(until - asyncio.get_running_loop().time(), 0.0)
            message = await asyncio.wait_for(receive(), min(left_s, BODY_S))
        except (TimeoutError, asyncio.TimeoutError):
            raise HTTPException(408, "the rest did not come in time") from None
        total += len(message.get("body", b""))
        if total > most:
            raise HTTPException(413, f"at most {most} bytes")
        return message

    return bounded
