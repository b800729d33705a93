"""Cuts JPEG pictures out of bytes: of a raw MJPEG file, or of a stream whose frames stand between any boundaries.

The markers of the pictures themselves are followed (ITU-T T.81, annex B), not the boundaries or lengths around them:
cameras leave those out, write them wrong, or send them late, and a thumbnail inside a picture has an end of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from comfywear.errors import SourceError
from comfywear.texts import Text

__all__ = ["LARGEST_BYTES", "cut_jpegs"]

LARGEST_BYTES = 32 * 1024 * 1024
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_INSIDE = frozenset({0x00, *range(0xD0, 0xD8)})  # behind 0xFF within a scan: a stuffed byte, a restart


def cut_jpegs(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Every whole JPEG in `chunks`, as soon as its end has come; what lies between pictures is passed over.

    A picture that is broken off by the start of another one is left out.

    Raises:
        SourceError: A picture does not end within 32 MB.
    """
    held = bytearray()
    cutter = _Cutter()
    for chunk in chunks:
        held += chunk
        while (found := cutter.find(held)) is not None:
            start, end = found
            picture = bytes(held[start:end])
            del held[:end]
            cutter = _Cutter()
            yield picture
        if cutter.start is None:
            del held[:-2]  # the first bytes of a start may be the last that came
            cutter.at = 0
        elif cutter.start:
            del held[: cutter.start]
            cutter.at, cutter.start = cutter.at - cutter.start, 0
        if len(held) > LARGEST_BYTES:
            raise SourceError(
                Text(
                    "a picture of more than {largest_bytes} MB; this is no JPEG stream",
                    largest_bytes=LARGEST_BYTES // 2**20,
                )
            )


class _Cutter:
    """How far one picture has been followed."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.at = 0
        self._in_scan = False

    def find(self, data: bytearray) -> tuple[int, int] | None:
        """Start and end of the picture in `data`, which only grows; None while its end has not come."""
        while True:
            if self.start is None:
                start = data.find(b"\xff\xd8\xff", self.at)
                if start < 0:
                    return None
                self._begin(start)
            if not self._in_scan and self.at < len(data) and data[self.at] != 0xFF:
                self.start = None  # no marker where one belongs: this was no picture
                continue
            mark = data.find(b"\xff", self.at)
            if mark < 0 or mark + 1 >= len(data):
                self.at = len(data) if mark < 0 else mark
                return None
            code = data[mark + 1]
            if code == 0xFF:  # fill
                self.at = mark + 1
            elif self._in_scan and code in _INSIDE:
                self.at = mark + 2
            elif code == _END:
                assert self.start is not None
                return self.start, mark + 2
            elif code == _START:
                self._begin(mark)
            elif mark + 4 > len(data):
                self.at = mark
                return None
            elif data[mark + 2 : mark + 4] == b"\xff\xd8":  # broken off behind a marker: no length but the next start
                self._begin(mark + 2)
            else:
                end = mark + 2 + int.from_bytes(data[mark + 2 : mark + 4], "big")
                if end > len(data):
                    self.at = mark
                    return None
                self.at, self._in_scan = end, code == _SCAN

    def _begin(self, start: int) -> None:
        self.start, self.at, self._in_scan = start, start + 2, False
