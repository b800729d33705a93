"""Zones, masks and lines that are drawn on the page: what goes over HTTP, and what the page asks of a device for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from comfywear.settings.shapes import DrawnShape, ShapeFinding

__all__ = ["CheckedDrawing", "Drawing", "Drawings", "Drawn", "KeepDrawn", "KeptDrawing"]

MOST_SHAPES = 40


class Drawn(msgspec.Struct, forbid_unknown_fields=True):
    """All shapes of a camera's picture."""

    shapes: Annotated[list[DrawnShape], Meta(max_length=MOST_SHAPES)]
    camera: Annotated[str | None, Meta(description="In whose picture; null = the only one.")] = None


class KeepDrawn(Drawn, forbid_unknown_fields=True, kw_only=True):
    """All shapes of a camera's picture, to be kept in the settings: those that were left out are taken away."""

    version: Annotated[str, Meta(description="Of the drawing that was changed.")]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn in a camera's picture.

    Attributes:
        camera: Whose.
        version: Of the settings that it stands in.
        all_but: Whether the masks are what may be seen, and the rest is black.
        shapes: Zones, masks, lines.
        in_use: Whether the device runs with the settings of the file.
    """

    camera: str
    version: str
    all_but: bool
    shapes: tuple[DrawnShape, ...]
    in_use: bool = True


@dataclass(frozen=True, slots=True)
class CheckedDrawing:
    """What is wrong with a drawing, or doubtful, and how many people stand in each shape now (null without picture)."""

    findings: tuple[ShapeFinding, ...]
    counts: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class KeptDrawing:
    """It is kept, and the device starts anew with it."""

    kept: bool


class Drawings(Protocol):
    """What the page asks of a device; every method may be called from any thread, and may raise a ComfyWearError."""

    def drawing(self, camera: str | None) -> Drawing:
        """What is drawn in a camera's picture (None = the only one)."""

    def check(self, camera: str | None, shapes: Sequence[DrawnShape]) -> CheckedDrawing:
        """What is wrong with shapes that are not kept yet."""

    def keep(self, camera: str | None, shapes: Sequence[DrawnShape], version: str) -> None:
        """Keep them in the settings of that version."""
