"""What a camera's URI means, and how it may be shown: never with a password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from comfywear.errors import UsageError

__all__ = ["CameraUri", "Kind", "parse_camera_uri"]

Kind = Literal["file", "images", "v4l2", "rtsp"]

_SCHEMES = "file:///clip.mp4 (or a photo), images:///folder, v4l2:///dev/video0, rtsp://host/path"
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class CameraUri:
    """Where frames come from.

    Attributes:
        kind: "file", "images", "v4l2" or "rtsp".
        target: What is opened: a path, a glob pattern, or the whole RTSP address. It may hold a password: never log it.
        shown: The URI as it may be logged and published: no user name, password or query.
    """

    kind: Kind
    target: str
    shown: str

    @property
    def live(self) -> bool:
        """Whether time goes on at the source while nobody reads it."""
        return self.kind in ("v4l2", "rtsp")

    def missing(self) -> str | None:
        """Why it cannot be opened at all, as far as a look at the file system can tell; None when it may work."""
        if self.kind == "rtsp" or (self.kind == "images" and _GLOB.search(self.target)):
            return None
        if Path(self.target).exists():
            return None
        what = "device" if self.kind == "v4l2" else "folder" if self.kind == "images" else "file"
        return f"no such {what}: {self.target}"


def parse_camera_uri(uri: str) -> CameraUri:
    """Read `uri`, which may also be a bare path (a file, a folder of pictures, or /dev/video*).

    Raises:
        UsageError: The scheme is not known or the address is incomplete.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return _bare(uri)
    match scheme.lower():
        case "file" | "images" | "v4l2" as kind:
            target = unquote(rest.removeprefix("localhost"))
            if not target or "\0" in target:
                raise UsageError(f"the camera {uri!r} names no path; known forms: {_SCHEMES}")
            return CameraUri(kind=kind, target=target, shown=f"{kind}://{target}")
        case "rtsp" | "rtsps":
            return _rtsp(uri)
        case _:
            raise UsageError(f"cameras of the kind {scheme!r} are not known; known forms: {_SCHEMES}")


def _bare(path: str) -> CameraUri:
    if not path or "\0" in path:
        raise UsageError(f"no camera is named; known forms: {_SCHEMES}, or a path")
    if path.startswith("/dev/"):
        return CameraUri("v4l2", path, f"v4l2://{path}")
    if Path(path).is_dir() or (_GLOB.search(path) and not Path(path).exists()):
        return CameraUri("images", path, f"images://{path}")
    return CameraUri("file", path, f"file://{path}")


def _rtsp(uri: str) -> CameraUri:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise UsageError("the RTSP address cannot be read; write rtsp://user:password@host:554/path")
    where = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{where}{f':{port}' if port else ''}{parts.path}"
    return CameraUri("rtsp", uri, shown)
