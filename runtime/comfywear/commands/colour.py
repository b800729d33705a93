"""`comfywear colour`: the palette of a photo with its names, shares and hex codes."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.colour import extract_palette, names_with_shares, tone_words
from comfywear.errors import SourceError, UsageError
from comfywear.system.arguments import whole

__all__ = ["add_parser", "draw_palette", "read_photo", "run"]

_INK = (40, 40, 40)
_PAPER = (250, 250, 250)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("colour", help="name the main colours of a photo")
    parser.add_argument("photo", type=Path, help="a JPEG, PNG or other picture")
    parser.add_argument("--palette", type=whole(1, 64), default=5, metavar="N", help="at most N colours (default 5)")
    parser.add_argument("--out", type=Path, metavar="PICTURE", help="draw the palette beside the photo into this file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line a colour, heaviest first: share, hex code, name; where people disagree, two names with shares."""
    photo = read_photo(args.photo)
    colours, shares = extract_palette(photo, args.palette)
    labels = [
        f"{share:6.1%}  #{red:02x}{green:02x}{blue:02x}  {name}"
        for share, (red, green, blue), name in zip(shares, colours.tolist(), _wordings(colours), strict=True)
    ]
    print("\n".join(labels))
    if args.out is not None:
        _write(args.out, draw_palette(photo, colours, labels))
    return 0


def read_photo(path: Path) -> NDArray[np.uint8]:
    """A photo as `(H, W, 3) uint8` RGB; raises SourceError saying what is the matter with the path."""
    if path.is_dir():
        raise SourceError(f"{path} is a folder: name one picture in it")
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}; check the name") from None
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        picture = None
    if picture is None:
        raise SourceError(f"{path} is not a picture that can be read: give a JPEG, PNG, WebP, BMP or TIFF file")
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8, copy=False)


def draw_palette(photo: NDArray[np.uint8], colours: NDArray[np.uint8], labels: list[str]) -> NDArray[np.uint8]:
    """The photo (RGB) with a panel on its right: a field a colour, as high as its number allows, and its label."""
    height = 640
    width = max(1, round(photo.shape[1] * height / photo.shape[0]))
    scaled = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    panel = np.full((height, 560, 3), _PAPER, dtype=np.uint8)
    edges = np.linspace(0, height, len(labels) + 1).round().astype(int).tolist()
    for colour, label, top, bottom in zip(colours.tolist(), labels, edges[:-1], edges[1:], strict=True):
        panel[top:bottom, :140] = colour
        if bottom - top >= 14:
            text = label.strip()
            full = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][0]
            size = min(0.6, (bottom - top) / 40, (panel.shape[1] - 176) / full)
            place = (156, (top + bottom) // 2 + round(8 * size))
            cv2.putText(panel, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, _INK, 1, cv2.LINE_AA)
    return np.hstack([scaled.astype(np.uint8, copy=False), panel])


def _wordings(colours: NDArray[np.uint8]) -> list[str]:
    wordings = []
    for tone, names in zip(tone_words(colours), names_with_shares(colours), strict=True):
        first = f"{tone} {names[0][0]}".strip()
        if len(names) == 1:
            wordings.append(first)
        else:
            wordings.append(f"{first} ({names[0][1]:.0%}) or {names[1][0]} ({names[1][1]:.0%})")
    return wordings


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    try:
        done, data = cv2.imencode(path.suffix or ".", picture[..., ::-1])
    except cv2.error:
        done = False
    if not done:
        raise UsageError(f"cannot write a picture as {path.name!r}: let its name end in .png or .jpg")
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SourceError(f"cannot write {path}: {error.strerror or error}; choose another place with --out") from None
