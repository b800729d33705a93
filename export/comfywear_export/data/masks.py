"""Reads pixel masks of garments: palette PNGs with the labels of the set's `labels.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError

__all__ = ["Palette"]


@dataclass(frozen=True, eq=False)
class Palette:
    """The labels of a set's masks.

    Attributes:
        names: Name of each label index.
        colours: `(L,) uint32`, sorted: 0xRRGGBB of the labels.
        indices: `(L,) uint8`: label index of each of `colours`.
    """

    names: dict[int, str]
    colours: NDArray[np.uint32]
    indices: NDArray[np.uint8]

    @classmethod
    def read(cls, folder: Path) -> Palette:
        """The labels of the set in `folder`; UsageError when its `labels.json` cannot be read."""
        path = folder / "labels.json"
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
            colours = np.array([r << 16 | g << 8 | b for r, g, b in (e["palette_rgb"] for e in entries)], np.uint32)
            indices = np.array([e["index"] for e in entries], np.uint8)
            names = {int(e["index"]): str(e["name"]) for e in entries}
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: not a list of labels with index, name and palette_rgb ({error})") from error
        order = np.argsort(colours)
        return cls(names, colours[order], indices[order])

    def mask(self, path: Path) -> NDArray[np.uint8]:
        """Label indices of a mask, `(H, W) uint8`; UsageError when it cannot be read or holds another colour."""
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise UsageError(f"{path}: not a readable mask")
        # OpenCV turns a palette PNG into colours; back to indices.
        blue, green, red = (picture[..., channel].astype(np.uint32) for channel in range(3))
        code = red << 16 | green << 8 | blue
        place = np.searchsorted(self.colours, code).clip(0, len(self.colours) - 1)
        if (self.colours[place] != code).any():
            raise UsageError(f"{path}: holds a colour that labels.json does not list")
        labels: NDArray[np.uint8] = self.indices[place]
        return labels
