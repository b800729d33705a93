"""What every engine offers, and the check of what goes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError

__all__ = ["Engine", "TensorInfo", "check_input", "check_shape"]

_GIVEN = (np.dtype(np.float32), np.dtype(np.uint8))


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output of a graph: its name, its shape (None where any size goes), its dtype as numpy names it."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Engine(Protocol):
    """A loaded graph with one input.

    Attributes:
        name: "onnxruntime", "xnnpack", "cuda", "tensorrt", "litert" or "tflite-runtime".
        precision: Of the loaded file: "fp16" (weights), "int8" or "fp32".
        seconds: Spent inside the engine's own call so far.
        pictures: That were run in that time.
        input: The graph's input.
        outputs: The graph's outputs, in the order of `run`.
    """

    name: str
    precision: str
    seconds: float
    pictures: int
    input: TensorInfo
    outputs: tuple[TensorInfo, ...]

    def run(self, images: NDArray[Any]) -> list[NDArray[Any]]:
        """Run the graph on a batch; its outputs in the order of the graph.

        Args:
            images: float32 or uint8, batch first, the rest as the graph's input. Bytes are converted straight into
                the engine's own memory, so that no float32 copy of a picture is made on the way.

        Raises:
            ModelError: The shape or dtype is not the graph's, or the engine fails.
        """
        ...


def check_shape(shape: Sequence[object], expected: Sequence[int], what: str) -> None:
    """ModelError unless a graph's input is `(any, …)` as its card says; a side without a number fits any."""
    wrong = [a for a, b in zip(shape[1:], expected, strict=False) if isinstance(a, int) and a > 0 and a != b]
    if len(shape) != len(expected) + 1 or wrong:
        raise ModelError(f"{what}: the graph wants {_words(shape)}, its card says {_words(('N', *expected))}")


def check_input(images: NDArray[Any], expected: Sequence[int]) -> None:
    """ModelError unless `images` is a batch of `expected` shape in float32 or uint8."""
    if images.dtype not in _GIVEN or images.shape[1:] != tuple(expected) or not len(images):
        raise ModelError(
            f"the model wants float32 or uint8 {_words(('N', *expected))}, "
            f"it was given {images.dtype} {_words(images.shape)}"
        )


def _words(shape: Sequence[object]) -> str:
    return " x ".join(str(side) for side in shape)
