"""What a camera's URI means, which one was probably meant where it means nothing, and how it may be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from comfywear.errors import UsageError
from comfywear.texts import Text
from comfywear_sensors.redaction import has_local_login, is_scheme, redact

__all__ = ["NETWORK", "CameraUri", "Kind", "parse_camera_uri"]

Kind = Literal["file", "images", "v4l2", "picamera", "rtsp", "rtmp", "http"]

NETWORK: dict[str, Kind] = {
    "rtsp": "rtsp", "rtsps": "rtsp", "rtmp": "rtmp", "rtmps": "rtmp", "http": "http", "https": "http"
}  # fmt: skip
"""Schemes of cameras in the network, with the kind of each."""

_SCHEMES = (
    "file:///clip.mp4 (or a photo), images:///folder, v4l2:///dev/video0, picamera://0, rtsp://host/path, "
    "http://host/stream (MJPEG or a picture), rtmp://host/path"
)
_ENCODE = Text("write @ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25 and a space as %20")
_NO_LOGIN = (
    "a camera or file in this machine has no user and password: an address in the network begins with rtsp:// or "
    "http://, and in a name @ is written %40"
)
_GLOB = re.compile(r"[*?\[]")
_PICAMERA_OPTIONS = frozenset({"width", "height"})
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
# What is written without a scheme and is an address: 192.168.1.5, camera.local:81/stream.
_ADDRESS = re.compile(rf"({_IPV4}|[\w.-]+\.(?:local|lan|home)|localhost|[A-Za-z][\w.-]*(?=:\d))(:\d+)?(/.*)?")
_USUAL_SCHEME = {"554": "rtsp", "8554": "rtsp", "1935": "rtmp", "443": "https", "8443": "https"}
# An @ behind the host that something like a host follows: the part of a password that the "/", "?" or "#" cut off.
_STRAY_HOST = re.compile(rf"@(?:{_IPV4}|\[[0-9a-fA-F:]+\]|[A-Za-z][\w.-]*)(?::\d+)?(?:[/?#]|$)")


@dataclass(frozen=True, slots=True)
class CameraUri:
    """Where frames come from.

    Attributes:
        kind: What reads it.
        target: What is opened: a path, a glob pattern, the number of a Raspberry Pi camera with its options, or a whole
            network address. It may hold a password: never log it.
        shown: The URI as it may be logged and published, without any secret.
    """

    kind: Kind
    target: str
    shown: str

    @property
    def live(self) -> bool:
        """Whether time goes on at the source while nobody reads it."""
        return self.kind not in ("file", "images")

    def missing(self) -> str | None:
        """Why it cannot be opened at all, as far as a look at the file system can tell; None when it may work."""
        if self.kind not in ("file", "images", "v4l2") or (self.kind == "images" and _GLOB.search(self.target)):
            return None
        if Path(self.target).exists():
            return None
        if self.kind == "v4l2":
            return Text("no such device: {target}", target=self.target)
        return Text(
            "no such folder: {target}" if self.kind == "images" else "no such file: {target}", target=self.target
        )


def parse_camera_uri(uri: str) -> CameraUri:
    """Read `uri`, which may also be a bare path (a file, a folder of pictures, or /dev/video*).

    Raises:
        UsageError: No camera can be opened by it: the scheme is not known, or the address is incomplete or ambiguous.
            The message names the URI that was probably meant, and never a password.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return _bare(uri)
    scheme = scheme.lower()
    if scheme in NETWORK:
        return _network(scheme, uri)
    if scheme in ("file", "images", "v4l2"):
        return _local(scheme, rest)
    if scheme == "picamera":
        return _picamera(rest)
    if not is_scheme(scheme):
        raise UsageError(Text("what stands before :// is no kind of camera; known forms: {schemes}", schemes=_SCHEMES))
    near = get_close_matches(scheme, [*NETWORK, "file", "images", "v4l2", "picamera"], n=1, cutoff=0.7)
    meant = Text("; did you mean {meant}?", meant=f"{near[0]}://") if near else ""
    raise UsageError(
        Text(
            "cameras of the kind {scheme} are not known{meant}; known forms: {schemes}",
            scheme=repr(scheme),
            meant=meant,
            schemes=_SCHEMES,
        )
    )


def _local(scheme: str, rest: str) -> CameraUri:
    kind: Literal["file", "images", "v4l2"] = "file" if scheme == "file" else "images" if scheme == "images" else "v4l2"
    if "://" in rest:
        meant = "" if "@" in rest else Text("; did you mean {meant}?", meant=redact(rest))
        raise UsageError(Text("two URIs in one{meant}; known forms: {schemes}", meant=meant, schemes=_SCHEMES))
    if has_local_login(rest) and not Path(unquote(rest)).exists():
        raise UsageError(_NO_LOGIN)
    target = unquote(rest.removeprefix("localhost") if rest.startswith("localhost/") else rest)
    if not target or "\0" in target:
        raise UsageError(Text("this camera names no path; known forms: {schemes}", schemes=_SCHEMES))
    if "…" in target:
        raise UsageError(
            Text(
                "{kind}://{target} is a placeholder: put the name in full, as `comfywear cameras list` shows it",
                kind=kind,
                target=target,
            )
        )
    if kind == "v4l2" and not target.startswith("/dev/"):
        number = re.search(r"\d+$", target)
        meant = f"v4l2:///dev/video{number[0] if number else 0}"
        raise UsageError(
            Text("{kind}://{target} is no video device; did you mean {meant}?", kind=kind, target=target, meant=meant)
        )
    if kind != "v4l2" and "/" in target and not target.startswith("/") and not Path(target).exists():
        raise UsageError(
            Text(
                "{kind}://{target} has two slashes, so its path begins nowhere; did you mean {kind}:///{target}?",
                kind=kind,
                target=target,
            )
        )
    return CameraUri(kind, target, f"{kind}://{target}")


def _picamera(rest: str) -> CameraUri:
    if has_local_login(rest):
        raise UsageError(_NO_LOGIN)
    number, _, query = rest.partition("?")
    options = parse_qs(query, keep_blank_values=True)
    if not re.fullmatch(r"\d?", number):
        raise UsageError(
            Text(
                "picamera://{number} names no camera; write picamera://0, the number that rpicam-hello lists",
                number=number,
            )
        )
    for name, values in options.items():
        if name not in _PICAMERA_OPTIONS:
            raise UsageError(
                Text(
                    "picamera:// has no option {name}; there are: {picamera_options}",
                    name=repr(name),
                    picamera_options=", ".join(sorted(_PICAMERA_OPTIONS)),
                )
            )
        if not re.fullmatch(r"\d{2,4}", values[-1]):
            raise UsageError(
                Text("picamera://: {name} is a number of pixels, not {values}", name=name, values=repr(values[-1]))
            )
    if options and set(options) != _PICAMERA_OPTIONS:
        raise UsageError(
            Text("picamera://: width and height are given together, as picamera://0?width=1280&height=720")
        )
    target = f"{number or 0}{'?' if query else ''}{query}"
    return CameraUri("picamera", target, f"picamera://{target}")


def _bare(text: str) -> CameraUri:
    if not text or "\0" in text:
        raise UsageError(Text("no camera is named; known forms: {schemes}, or a path", schemes=_SCHEMES))
    if text.startswith("/dev/"):
        return CameraUri("v4l2", text, f"v4l2://{text}")
    path = Path(text)
    try:
        there = path.exists()
    except OSError:  # too long for a path
        there = False
    if not there:
        _refuse_address(text)
    if (there and path.is_dir()) or (_GLOB.search(text) and not there):
        return CameraUri("images", text, f"images://{text}")
    return CameraUri("file", text, f"file://{text}")


def _refuse_address(text: str) -> None:
    """UsageError when `text` is no path but a number, a word or an address without its scheme."""
    if re.fullmatch(r"\d{1,3}", text):
        raise UsageError(
            Text(
                "{text} is a number, not a camera; did you mean v4l2:///dev/video{text_2} (a USB camera) or "
                "picamera://{text_2} (a Raspberry Pi camera)?",
                text=repr(text),
                text_2=text,
            )
        )
    words = re.fullmatch(
        r"(?i)(usb|webcam|cam|camera|video|v4l2?|csi|picam|picamera|raspicam|libcamera)?[:/]*(\d*)", text
    )
    if words and words[1]:
        module = words[1].lower() in ("csi", "picam", "picamera", "raspicam", "libcamera")
        meant = f"picamera://{words[2] or 0}" if module else f"v4l2:///dev/video{words[2] or 0}"
        raise UsageError(Text("{text} is no camera; did you mean {meant}?", text=repr(text), meant=meant))
    if " ! " in text:
        raise UsageError(
            Text(
                "GStreamer pipelines are not read; did you mean picamera://0? Known forms: {schemes}", schemes=_SCHEMES
            )
        )
    cut = re.match(rf"(?i)({'|'.join([*NETWORK, 'file', 'images', 'v4l2', 'picamera'])}):/?(?!/)", text)
    if cut:
        slashes = "" if cut[1].lower() in (*NETWORK, "picamera") else "/"
        raise UsageError(
            Text(
                "two slashes belong behind {cut}: as in {lower}://{slashes}…; known forms: {schemes}",
                cut=cut[1],
                lower=cut[1].lower(),
                slashes=slashes,
                schemes=_SCHEMES,
            )
        )
    before, at, after = text.rpartition("@")
    if at and ":" in before:
        text = after.partition("/")[0] + "/…"  # what stands where in an address without a scheme, nobody can say
    found = _ADDRESS.fullmatch(text)
    if found or (at and ":" in before):
        host, port, path = (found[1], found[2] or "", found[3] or "") if found else ("host", "", "/…")
        where = f"{host}{port}{redact(path)}"
        scheme = _USUAL_SCHEME.get(port[1:]) or ("http" if port or path else "")
        meant = f"{scheme}://{where}" if scheme else Text("rtsp://{where}/… or http://{where}/…", where=where)
        login = Text(", with the user name and password in it?") if at else "?"
        raise UsageError(
            Text("this address has no scheme in front; did you mean {meant}{login}", meant=meant, login=login)
        )
    if re.fullmatch(r"[\w-]+", text):
        raise UsageError(
            Text("{text} is no camera and no file here; known forms: {schemes}", text=repr(text), schemes=_SCHEMES)
        )


def _network(scheme: str, uri: str) -> CameraUri:
    name = scheme.upper()
    rest = uri.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    behind = rest[len(authority) :]
    login, at, address = authority.rpartition("@")
    # Only an address that is one beyond doubt, such as 192.168.1.5:554, may have a host's name behind an @ in its path.
    sure = bool(re.fullmatch(rf"(?:{_IPV4}|\[[0-9a-fA-F:.]+\])(?::\d+)?", address))
    cut_off = ":" in authority and not sure and _STRAY_HOST.search(behind)
    if "@" in login or cut_off or re.search(r"\s", authority):
        raise UsageError(
            Text(
                "the password in this {name} address has a sign that means something else there: {encode}",
                name=name,
                encode=_ENCODE,
            )
        )
    if "#" in behind:
        raise UsageError(
            Text(
                "a # ends this {name} address; as a part of a password or path it is %23 ({encode})",
                name=name,
                encode=_ENCODE,
            )
        )
    if not rest.isprintable() or re.search(r"\s", behind):
        raise UsageError(Text("this {name} address has a space or worse in it; a space is %20", name=name))
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or (port is None and re.search(r":\d*$", address)) or "…" in host or (at and not login):
        login = Text("a login, where one is asked for, is NAME:PASSWORD and an at sign in front of the host")
        raise UsageError(
            Text(
                "this {name} address cannot be read; {login}: write {scheme}://host/path",
                name=name,
                login=login,
                scheme=scheme,
            )
        )
    where = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{where}{f':{port}' if port else ''}{redact(parts.path)}"
    return CameraUri(NETWORK[scheme], uri, shown)
