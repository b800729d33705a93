"""The OpenAPI 3.1 document of what programs may ask the page, made from the same addresses and structs that answer.

`python -m comfywear.web.openapi docs/openapi.json` writes it.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from comfywear import __version__
from comfywear.web.addresses import ADDRESSES, JSON, Address
from comfywear.web.bodies import Refusal
from comfywear.web.shown import SCHEMES, SPANS

__all__ = ["document", "text"]

_SCHEMAS = "#/components/schemas/"
_REFUSALS = {
    400: "What was sent is not understood, or cannot be: `text` says why.",
    401: "No password, or a wrong one.",
    403: "The password does not allow it, or the request comes from another site's page.",
    404: "There is nothing now.",
    408: "The rest of the body did not come in time.",
    413: "The body is too large.",
    415: "The body is not announced as application/json (a backup: as application/zip).",
    421: "Without a password the page answers to names of this machine alone.",
    429: "Too many votes, or too many wrong passwords: `Retry-After` says for how many seconds to wait.",
    500: "Something went wrong on the device.",
    503: "It cannot be done now, such as a vote that cannot be stored: it then does not count.",
}
_ZONE = {
    "name": "zone",
    "in": "query",
    "description": "A zone's name; the first of the settings where it is left out.",
    "schema": {"type": "string"},
}
_CAMERA = {
    "name": "camera",
    "in": "query",
    "description": "A camera's name; the first camera where it is left out.",
    "schema": {"type": "string"},
}
_SPAN = {
    "name": "span",
    "in": "query",
    "description": "How far back: 24 hours, 7 days or 30 days.",
    "schema": {"enum": list(SPANS), "default": "day"},
}
_SCHEME = {
    "name": "scheme",
    "in": "query",
    "description": "Drawn for a light page or for a dark one.",
    "schema": {"enum": list(SCHEMES), "default": "light"},
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}}


def document() -> dict[str, Any]:
    """The whole document."""
    described = {name: each for name, each in ADDRESSES.items() if each.for_programs}
    types = [each.gives for each in described.values() if each.gives is not None]
    types += [each.takes for each in described.values() if each.takes is not None]
    _, parts = msgspec.json.schema_components([*types, Refusal], ref_template=_SCHEMAS + "{name}")
    paths: dict[str, dict[str, Any]] = {}
    for name, address in described.items():
        paths.setdefault(address.path, {})[address.method.lower()] = _operation(name, address)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "comfywear",
            "version": __version__,
            "summary": "What a comfort sensor's page tells programs, and takes from them.",
            "description": "docs/page.md explains it. Without a password file everybody on the device's machine may do "
            "everything; with one, each request carries a password, whose role says what it allows: read, vote, admin. "
            "Sentences are English; with `?texts=de` each is an object whose `parts` are pairs of a language's code "
            "and a text.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "http://{host}:{port}",
                "variables": {
                    "host": {"default": "127.0.0.1", "description": "web.host of the settings."},
                    "port": {"default": "8080", "description": "web.port of the settings."},
                },
            }
        ],
        "paths": paths,
        "components": {
            "schemas": parts,
            "responses": {str(status): _refusal(status, words) for status, words in _REFUSALS.items()},
            "securitySchemes": {
                "password": {"type": "http", "scheme": "bearer", "description": "A password of the settings."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "comfywear",
                    "description": "What a browser has once somebody signed in.",
                },
            },
        },
    }


def _operation(name: str, address: Address) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": _answer(address)}
    responses |= {str(status): {"$ref": f"#/components/responses/{status}"} for status in _refused(address)}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": address.what,
        "security": [{}, {"password": [address.role]}, {"session": [address.role]}],
        "responses": responses,
    }
    chosen = (
        (_ZONE, address.of_zone),
        (_CAMERA, address.of_camera),
        (_SPAN, address.of_span),
        (_SCHEME, address.of_scheme),
    )
    if parameters := [parameter for parameter, there in chosen if there]:
        operation["parameters"] = parameters
    if address.takes is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _schema(address.takes)}}}
    if address.uploads:
        operation["requestBody"] = {
            "required": True,
            "description": f"The file, at most {address.most_bytes} bytes.",
            "content": {"application/zip": {"schema": {}}},
        }
    return operation


def _refused(address: Address) -> Iterator[int]:
    """How a request to an address may be refused."""
    takes = address.takes is not None or address.uploads
    if takes or address.of_zone or address.of_camera:
        yield 400
    yield 401
    if takes or address.role != "read":
        yield 403
    if address.may_miss:
        yield 404
    if takes:
        yield from (408, 413, 415)
    yield from (421, 429, 500, 503)


def _answer(address: Address) -> dict[str, Any]:
    if address.gives is not None:
        schema = _schema(address.gives)
    else:
        schema = {"type": "string"} if address.media.startswith("text/") else {}
    shown = inspect.getdoc(address.gives) if isinstance(address.gives, type) else None
    return {"description": (shown or address.what).partition("\n")[0], "content": {address.media: {"schema": schema}}}


def _refusal(status: int, words: str) -> dict[str, Any]:
    headers = {"headers": _RETRY_AFTER} if status == 429 else {}
    return {"description": words, **headers, "content": {JSON: {"schema": _schema(Refusal)}}}


def _schema(kind: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_SCHEMAS + "{name}")
    return schema


def text() -> str:
    """The text of the file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the file that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m comfywear.web.openapi FILE\n")
        return 2
    Path(arguments[0]).write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
