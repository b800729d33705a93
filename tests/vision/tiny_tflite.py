"""Writes tiny TFLite files with `flatbuffers` (slots of schema.fbs), so that tests need no converter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np

TYPES = {"float32": 0, "uint8": 3, "int8": 9}
DEQUANTIZE = 6


def write_tflite(
    path: Path,
    given: tuple[str, Sequence[int]],
    outputs: Mapping[str, np.ndarray],
    *,
    quantised: tuple[float, int] | None = None,
    echo: bool = False,
) -> Path:
    """A graph whose outputs are constants; with `echo` one more is the input, dequantised.

    Args:
        path: Of the file.
        given: dtype and shape of the input.
        outputs: Names and values.
        quantised: Scale and zero point of the input.
        echo: Whether there is that output; the input must be quantised.
    """
    builder = flatbuffers.Builder(1024)

    def table(*slots: tuple[int, Callable[[int], None]]) -> int:
        builder.StartObject(8)
        for slot, add in slots:
            add(slot)
        return builder.EndObject()

    def ref(offset: int) -> Callable[[int], None]:
        return lambda slot: builder.PrependUOffsetTRelativeSlot(slot, offset, 0)

    def vector(values: Sequence[Any], size: int, prepend: Callable[[Any], None]) -> int:
        builder.StartVector(size, len(values), size)
        for value in reversed(values):
            prepend(value)
        return builder.EndVector()

    def ints(values: Sequence[int]) -> int:
        return vector(values, 4, builder.PrependInt32)

    def refs(offsets: Sequence[int]) -> int:
        return vector(offsets, 4, builder.PrependUOffsetTRelative)

    def quantisation() -> int:
        assert quantised is not None
        scale, zero = vector([quantised[0]], 4, builder.PrependFloat32), vector([quantised[1]], 8, builder.PrependInt64)
        return table((2, ref(scale)), (3, ref(zero)))

    def tensor(name: str, dtype: str, shape: Sequence[int], buffer: int, scaled: bool) -> int:
        text, sides = builder.CreateString(name), ints(shape)
        more = [(4, ref(quantisation()))] if scaled else []
        return table(
            (0, ref(sides)),
            (1, lambda slot: builder.PrependInt8Slot(slot, TYPES[dtype], 0)),
            (2, lambda slot: builder.PrependUint32Slot(slot, buffer, 0)),
            (3, ref(text)),
            *more,
        )

    buffers = [table()]  # the first is empty by definition
    tensors = [tensor("images", given[0], given[1], 0, quantised is not None)]
    for name, values in outputs.items():
        raw = builder.CreateByteVector(np.ascontiguousarray(values).tobytes())
        buffers.append(table((0, ref(raw))))
        tensors.append(tensor(name, values.dtype.name, values.shape, len(buffers) - 1, False))
    operators, codes = [], []
    if echo:
        tensors.append(tensor("same", "float32", given[1], 0, False))
        codes.append(
            table(
                (0, lambda slot: builder.PrependInt8Slot(slot, DEQUANTIZE, 0)),
                (2, lambda slot: builder.PrependInt32Slot(slot, 2, 1)),
                (3, lambda slot: builder.PrependInt32Slot(slot, DEQUANTIZE, 0)),
            )
        )
        operators.append(table((1, ref(ints([0]))), (2, ref(ints([len(tensors) - 1])))))
    parts = [refs(tensors), ints([0]), ints(range(1, len(tensors))), refs(operators)]
    graph = table(*[(slot, ref(part)) for slot, part in enumerate(parts)])
    code_list, graph_list, buffer_list = refs(codes), refs([graph]), refs(buffers)
    model = table(
        (0, lambda slot: builder.PrependUint32Slot(slot, 3, 0)),
        (1, ref(code_list)),
        (2, ref(graph_list)),
        (4, ref(buffer_list)),
    )
    builder.Finish(model, file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
