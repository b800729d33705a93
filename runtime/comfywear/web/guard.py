"""What stands before every request: host, size, origin, sign-in, and the headers of every answer."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfywear.web.access import Access, Limiter

__all__ = ["COOKIE", "MOST_BYTES", "Guard"]

COOKIE = "comfywear"
MOST_BYTES = 4096
_OPEN = ("/login", "/static/", "/words/")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
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
        failures: Counts wrong tokens by client.
        local: The page listens on the loopback address: only its names are taken as Host, so that a foreign name
            that was bound to 127.0.0.1 (DNS rebinding) reaches nothing.
    """

    def __init__(self, app: ASGIApp, access: Access, failures: Limiter, *, local: bool) -> None:
        self._app = app
        self._access = access
        self._failures = failures
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or pass the request on."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)

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
        await self._app(scope, _bounded(receive), send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        # With a token a foreign name reaches nothing either: it has no cookie of this page.
        if self._local and not self._access.needed and not _is_local_name(host):
            return _error(421, "host", "this page answers to localhost alone")
        if scope["method"] not in ("GET", "HEAD"):
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > MOST_BYTES:
                return _error(413, "too-large", f"at most {MOST_BYTES} bytes")
            if not _same_origin(headers, host):
                return _error(403, "origin", "this page's own buttons alone may do that")
        return None if scope["path"].startswith(_OPEN) else self._check_sign_in(scope, headers)

    def _check_sign_in(self, scope: Scope, headers: Headers) -> Response | None:
        scope["by_token"] = False
        if not self._access.needed:
            return None
        client = scope["client"][0] if scope.get("client") else ""
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if wait_s := self._failures.wait_s(client):
                return _error(429, "too-many", f"wait {wait_s:.0f} s", {"Retry-After": f"{wait_s + 1:.0f}"})
            if self._access.token_ok(given.strip()):
                scope["by_token"] = True
                return None
            self._failures.note(client)
            return _error(401, "token", "wrong token")
        signed_in = self._access.cookie_ok(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
        if signed_in:
            # A browser says where a POST comes from; with a cookie alone it must.
            if scope["method"] in ("GET", "HEAD") or "origin" in headers or "sec-fetch-site" in headers:
                return None
            return _error(403, "origin", "a browser says where a request comes from; others send the token")
        if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
            query = scope["query_string"].decode("latin-1")
            return RedirectResponse("/login" + (f"?next={quote('/?' + query, safe='')}" if query else ""), 303)
        return _error(401, "sign-in", "sign in, or send Authorization: Bearer TOKEN")


def _error(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": code, "text": text}, status, headers=headers)


def _is_local_name(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _same_origin(headers: Headers, host: str) -> bool:
    """False for a request that another site's page made; what no browser sent says nothing about that."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or (urlsplit(origin).netloc.lower() == host.lower() and bool(host))


def _bounded(receive: Receive) -> Receive:
    """`receive` that fails once a body has grown too large, whatever its headers said."""
    total = 0

    async def bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MOST_BYTES:
            raise HTTPException(413, f"at most {MOST_BYTES} bytes")
        return message

    return bounded
