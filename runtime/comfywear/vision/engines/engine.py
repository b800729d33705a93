"""What every engine offers, and the check of what goes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError

__all__ = ["Engine", "check_input", "check_shape"]


class Engine(Protocol):
    """A loaded graph with one input.

    Attributes:
        name: "onnxruntime", "litert" or "tflite-runtime".
        precision: Of the loaded file: "fp16" (weights) or "int8".
        seconds: Spent inside the engine's own call so far.
    """

    name: str
    precision: str
    seconds: float

    def run(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run the graph on `(N, H, W, 3) float32` RGB, 0…255; its outputs in the order of the graph.

        Raises:
            ModelError: The shape or dtype is not the graph's, or the engine fails.
        """
        ...


def check_shape(shape: Sequence[object], expected: Sequence[int], what: str) -> None:
    """ModelError unless a graph's input is `(any, H, W, 3)` as its card says (`expected` = H, W, 3)."""
    inner = tuple(shape[1:])
    if len(shape) != 4 or inner != tuple(expected):
        raise ModelError(f"{what}: the graph wants {_words(shape)}, its card says {_words(('N', *expected))}")


def check_input(images: NDArray[np.float32], expected: Sequence[int]) -> None:
    """ModelError unless `images` is `(N, H, W, 3) float32`."""
    if images.dtype != np.float32 or images.ndim != 4 or images.shape[1:] != tuple(expected) or not len(images):
        raise ModelError(
            f"the model wants float32 {_words(('N', *expected))}, it was given {images.dtype} {_words(images.shape)}"
        )


def _words(shape: Sequence[object]) -> str:
    return " x ".join(str(side) for side in shape)
