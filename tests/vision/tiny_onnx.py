"""Writes tiny ONNX files by hand (protocol buffers, field numbers of onnx.proto3), so that tests need no `onnx`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "float16": 10}


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def data(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(number(1, side) for side in values.shape)
    return dims + number(2, TYPES[values.dtype.name]) + data(8, name) + data(9, np.ascontiguousarray(values).tobytes())


def value_info(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(data(1, data(2, s) if isinstance(s, str) else number(1, s)) for s in shape)
    return data(1, name) + data(2, data(1, number(1, TYPES[dtype]) + data(2, dims)))


def node(op: str, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    return b"".join(data(1, i) for i in inputs) + b"".join(data(2, o) for o in outputs) + data(4, op)


def write_onnx(
    path: Path,
    given: tuple[str, Sequence[int | str]],
    outputs: Mapping[str, np.ndarray],
    *,
    echo: str = "",
    notes: Mapping[str, str] | None = None,
    inputs: int = 1,
    more: Mapping[str, tuple[str, Sequence[int | str]]] | None = None,
) -> Path:
    """A graph with an input of (dtype, shape) whose outputs are constants; `echo` names one more that is the input.

    `inputs` is how many pictures it takes, `more` are other inputs by name; the graph uses none of them.
    """
    dtype, shape = given
    nodes = [node("Identity", [f"{name}_value"], [name]) for name in outputs]
    shown = [value_info(name, values.dtype.name, values.shape) for name, values in outputs.items()]
    if echo:
        nodes.append(node("Identity", ["images"], [echo]))
        shown.append(value_info(echo, dtype, shape))
    graph = b"".join(data(1, n) for n in nodes) + data(2, "tiny")
    graph += b"".join(data(5, tensor(f"{name}_value", values)) for name, values in outputs.items())
    names = ["images", *[f"more_{i}" for i in range(inputs - 1)]]
    graph += b"".join(data(11, value_info(name, dtype, shape)) for name in names)
    graph += b"".join(data(11, value_info(name, *said)) for name, said in (more or {}).items())
    graph += b"".join(data(12, one) for one in shown)
    model = number(1, 8) + data(7, graph) + data(8, data(1, "") + number(2, 17))
    for key, value in (notes or {}).items():
        model += data(14, data(1, key) + data(2, value))
    path.write_bytes(model)
    return path
