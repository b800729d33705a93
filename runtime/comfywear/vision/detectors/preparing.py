"""From a frame to what a detector's graph takes, as the card's `input` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.detectors.letterbox import GREY, Letterbox, fit_into, stretch

__all__ = ["RESIZE", "Preparation", "preparation_of"]

RESIZE = ("letterbox", "letterbox to the corner", "stretch")
"""Ways to fit a frame: in the middle of grey bars, in the upper left corner, or with other proportions."""


@dataclass(frozen=True, eq=False)
class Preparation:
    """Size, colours and numbers of a graph's input.

    Attributes:
        height: In pixels.
        width: In pixels.
        channels_first: NCHW instead of NHWC.
        blue_first: BGR instead of RGB.
        resize: One of RESIZE.
        grey: Level of the bars.
        mean: Taken from each channel (0…255, in the graph's order), or None: bytes go in as they are.
        std: What is left is divided by it.
    """

    height: int
    width: int
    channels_first: bool = False
    blue_first: bool = False
    resize: str = "letterbox"
    grey: int = GREY
    mean: NDArray[np.float32] | None = None
    std: NDArray[np.float32] | None = None

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[Any], Letterbox]:
        """`(H, W, 3) uint8` BGR → a batch of one, uint8 or float32, and where the frame lies in it."""
        if self.resize == "stretch":
            fitted, place = stretch(image, self.height, self.width)
        else:
            corner = self.resize == "letterbox to the corner"
            fitted, place = fit_into(image, self.height, self.width, grey=self.grey, corner=corner)
        if not self.blue_first:
            fitted = np.asarray(cv2.cvtColor(fitted, cv2.COLOR_BGR2RGB), np.uint8)
        values: NDArray[Any] = fitted
        if self.mean is not None and self.std is not None:
            values = (fitted.astype(np.float32) - self.mean) / self.std
        return (values.transpose(2, 0, 1) if self.channels_first else values)[None], place


def preparation_of(card_input: Mapping[str, Any]) -> Preparation:
    """What a card's `input` says.

    Raises:
        ModelError: It says something that is not known here.
    """
    try:
        layout, channels = str(card_input.get("layout", "NHWC")), str(card_input.get("channels", "RGB"))
        resize, dtype = str(card_input.get("resize", "letterbox")), str(card_input.get("dtype", "float32"))
        known = layout in ("NHWC", "NCHW") and channels in ("RGB", "BGR") and resize in RESIZE
        if not known or dtype not in ("float32", "float16", "uint8"):
            raise ValueError(f"{layout}, {channels}, {resize}, {dtype}")
        plain = dtype == "uint8" or "mean" not in card_input
        mean, std = (None, None) if plain else (_three(card_input["mean"]), _three(card_input["std"]))
        return Preparation(
            height=int(card_input["height"]),
            width=int(card_input["width"]),
            channels_first=layout == "NCHW",
            blue_first=channels == "BGR",
            resize=resize,
            grey=int(card_input.get("grey", GREY)),
            mean=mean,
            std=std,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the card's input is not understood ({error}); see docs/models.md") from error


def _three(values: Any) -> NDArray[np.float32]:
    three = np.array(values, np.float32)
    if three.shape != (3,):
        raise ValueError(f"three numbers are needed, not {values}")
    return three
