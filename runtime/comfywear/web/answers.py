"""JSON that comes and goes; sentences go in English, or in pieces in a language to whoever asks for that."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from comfywear.errors import UsageError
from comfywear.texts import Text, encode, encode_parts, languages

__all__ = ["body_of", "json_answer", "json_text", "mind_texts"]

_language: ContextVar[str] = ContextVar("language", default="")


def mind_texts(scope: Scope) -> None:
    """Note in which language a request wants sentences (`?texts=de`), as the page does for whoever looks at it."""
    wanted = parse_qs(scope["query_string"].decode("latin-1")).get("texts", [""])[0]
    _language.set(wanted if wanted and wanted in languages() else "")


def json_text(value: object) -> bytes:
    """A value as the request that is being answered wants it."""
    language = _language.get()
    return encode_parts(value, language) if language else encode(value)


async def body_of(request: Request, kind: type[Any]) -> Any:
    """The body of a request as a struct.

    Raises:
        UsageError: It is not understood.
        HTTPException: It is not announced as JSON.
    """
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise HTTPException(415, "send application/json")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(Text("not understood: {why}", why=error)) from error


def json_answer(value: object) -> Response:
    """A good answer."""
    return Response(json_text(value), media_type="application/json")
