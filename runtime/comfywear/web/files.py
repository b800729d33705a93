"""The page's files: what a browser may keep for ever, and pages that are drawn before any file has come."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import string
from functools import cache
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from comfywear.texts import words

__all__ = ["FILES", "INLINE", "STATIC", "Files", "template"]

STATIC = "/static"
"""Scripts and styles lie below it, open to all: who may not see the page needs them to sign in."""
_FOLDER = Path(__file__).parent / "static"
_VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_FOLDER.iterdir()))).hexdigest()[:12]
FILES = f"{STATIC}/{_VERSION}"
"""Where they are: another address for each version, so that a browser asks for each once."""
INLINE = {
    name: base64.b64encode(hashlib.sha256((_FOLDER / name).read_bytes()).digest()).decode()
    for name in ("early.js", "page.css")
}
"""What may stand within a page, with its SHA-256 as a Content-Security-Policy names it."""
_WITHIN = re.compile(r'<(style|script) data-file="([\w.]+)">')
_EMPTY = re.compile(r'data-(word|label)="([\w.]+)"([^>]*)>(</)?')


class Files(StaticFiles):
    """The files, below `FILES`; below another version, of a page that is open since before an upgrade, as they are."""

    def __init__(self) -> None:
        super().__init__(directory=_FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file of the last part of the path."""
        version, _, name = path.rpartition("/")
        answer = await super().get_response(name, scope)
        kept = version == _VERSION and answer.status_code == 200
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return answer


@cache
def template(name: str, code: str) -> string.Template:
    """A page in a language; it has its words, and what it is drawn with, so that it waits for nothing.

    Args:
        name: Its file.
        code: The language.
    """
    told = words(code)

    def filled(found: re.Match[str]) -> str:
        kind, path, rest, empty = found.groups()
        text = html.escape(_word(told, path)).replace("$", "$$")
        if kind == "label":
            return f'aria-label="{text}" {found[0]}'
        return f'data-word="{path}"{rest}>{text}</' if empty else found[0]

    text = _EMPTY.sub(filled, (_FOLDER / name).read_text(encoding="utf-8"))
    return string.Template(_WITHIN.sub(lambda found: f"<{found[1]}>" + _file(found[2]).replace("$", "$$"), text))


def _file(name: str) -> str:
    if name not in INLINE:
        raise ValueError(f"the policy of the page does not allow {name} within it")
    return (_FOLDER / name).read_text(encoding="utf-8")


def _word(told: Any, path: str) -> str:
    """The text at a path such as "vote.levels.0"."""
    for step in path.split("."):
        told = told[int(step)] if isinstance(told, list) else told[step]
    return str(told)
