"""What the kernel says of its video devices (Video4Linux 2, linux/videodev2.h), without opening a stream."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["VideoDevice", "video_devices"]

_QUERYCAP, _ENUM_FMT, _ENUM_FRAMESIZES = 0x80685600, 0xC0405602, 0xC02C564A
_CAPTURE, _CAPTURE_MPLANE, _MEMORY_TO_MEMORY = 0x1, 0x1000, 0x8000 | 0x4000
_DEVICE_CAPS = 0x80000000
_SINGLE, _MULTI = 1, 9  # buffer types
_DISCRETE = 1
_READ = frozenset((
    "MJPG", "JPEG", "YUYV", "YUY2", "UYVY", "YVYU", "NV12", "NV21", "YU12", "YV12", "RGB3", "BGR3", "GREY", "H264"
))  # fmt: skip
_MOST = 64  # formats, and sizes of each

Ioctl = Callable[[int, int, bytearray], int]


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """A device that gives pictures.

    Attributes:
        path: To be named in settings; below /dev/v4l/by-id where udev has it, which stays when ports change.
        name: As its maker says.
        formats: Four letters each, such as "MJPG", in the device's order, with the largest size where it says sizes.
    """

    path: str
    name: str
    formats: tuple[tuple[str, tuple[int, int] | None], ...]


def video_devices(root: Path = Path("/"), ioctl: Ioctl = fcntl.ioctl) -> list[VideoDevice]:
    """The devices below `root` whose pictures OpenCV can read, by path; those that cannot be opened are left out."""
    links = _links(root / "dev/v4l/by-id")
    found = []
    for device in sorted((root / "dev").glob("video*"), key=lambda path: (len(path.name), path.name)):
        try:
            fd = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            name, formats = _ask(fd, ioctl)
        except OSError:
            continue
        finally:
            os.close(fd)
        if any(kind in _READ for kind, _ in formats):
            path = links.get(device.name, f"/{device.relative_to(root)}")
            found.append(VideoDevice(path, name, tuple(formats)))
    return found


def _links(folder: Path) -> dict[str, str]:
    """By name of the device (video0), the lasting name that udev made."""
    if not folder.is_dir():
        return {}
    links = sorted(link for link in folder.iterdir() if link.is_symlink())
    return {link.readlink().name: f"/dev/v4l/by-id/{link.name}" for link in links}


def _ask(fd: int, ioctl: Ioctl) -> tuple[str, list[tuple[str, tuple[int, int] | None]]]:
    """A device's name and formats; no formats where it takes no pictures itself."""
    said = bytearray(104)  # struct v4l2_capability
    ioctl(fd, _QUERYCAP, said)
    card = said[16:48].split(b"\0")[0].decode(errors="replace")
    every, own = struct.unpack_from("<II", said, 84)
    able = own if every & _DEVICE_CAPS else every
    if able & _MEMORY_TO_MEMORY or not able & (_CAPTURE | _CAPTURE_MPLANE):
        return card, []
    kind = _SINGLE if able & _CAPTURE else _MULTI
    formats: list[tuple[str, tuple[int, int] | None]] = []
    for index in range(_MOST):
        one = bytearray(64)  # struct v4l2_fmtdesc
        struct.pack_into("<II", one, 0, index, kind)
        try:
            ioctl(fd, _ENUM_FMT, one)
        except OSError:
            break
        code = bytes(one[44:48])
        formats.append((code.decode("ascii", "replace").strip(), _largest(fd, ioctl, code)))
    return card, formats


def _largest(fd: int, ioctl: Ioctl, code: bytes) -> tuple[int, int] | None:
    sizes = []
    for index in range(_MOST):
        one = bytearray(44)  # struct v4l2_frmsizeenum
        struct.pack_into("<I4s", one, 0, index, code)
        try:
            ioctl(fd, _ENUM_FRAMESIZES, one)
        except OSError:
            break
        (kind,) = struct.unpack_from("<I", one, 8)
        if kind == _DISCRETE:
            sizes.append(struct.unpack_from("<II", one, 12))
        else:  # a range: min, max, step of the width, then of the height
            _, width, _, _, height, _ = struct.unpack_from("<6I", one, 12)
            sizes.append((width, height))
            break
    return max(sizes, key=lambda size: size[0] * size[1], default=None)
