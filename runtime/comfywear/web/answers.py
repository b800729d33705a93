"""JSON that comes and goes."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfywear.errors import UsageError

__all__ = ["body_of", "json_answer"]


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
        raise UsageError(f"not understood: {error}") from error


def json_answer(value: object) -> Response:
    """A good answer."""
    return Response(msgspec.json.encode(value), media_type="application/json")
