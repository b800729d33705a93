"""torch → ONNX, and its forms for the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["export_onnx", "halve_weights", "quantise_onnx"]

_OPSET = 18
_SMALLEST = 64  # values; smaller constants stay in 32 bits


def export_onnx(
    graph: Any, shape: Sequence[int], outputs: Sequence[str], path: Path, *, dynamic_batch: bool = False
) -> Path:
    """Write a torch module with one NHWC input, named `images`, as a graph of opset 18.

    Args:
        graph: The module, in evaluation mode.
        shape: Of the input, batch first.
        outputs: Names of its outputs.
        path: Of the file.
        dynamic_batch: Whether any number of pictures may be given.
    """
    import torch

    batch = 2 if dynamic_batch else shape[0]  # an example of one would fix the batch to one
    dynamic = {"images": {0: torch.export.Dim("batch", min=1, max=64)}} if dynamic_batch else None
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        graph,
        (torch.zeros(batch, *shape[1:]),),
        str(path),
        dynamo=True,
        opset_version=_OPSET,
        external_data=False,
        input_names=["images"],
        output_names=list(outputs),
        dynamic_shapes=dynamic,
        verbose=False,
    )
    return path


def halve_weights(source: Path, path: Path) -> Path:
    """Store large weights as float16; a Cast brings them back, so that the graph computes in 32 bits as before."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(source)
    casts, kept = [], []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _SMALLEST:
            kept.append(tensor)
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}_half")
        kept.append(half)
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:]
    del model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    _strip(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def quantise_onnx(source: Path, path: Path, pictures: Sequence[NDArray[np.float32]]) -> Path:
    """INT8 with QDQ nodes: unsigned activations, signed weights a channel, ranges from `pictures`.

    Each picture is `(1, H, W, 3)`. Weights use 7 of the 8 bits: x86 processors without VNNI add pairs of products in
    16 bits, which would overflow. The stem and the first block (three convolutions) stay in floating point: they see
    raw pixels and hold almost no weights, and as INT8 they cost most of what the persons' AP loses.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(CalibrationDataReader):  # type: ignore[misc]  # the package has no type information
        def __init__(self) -> None:
            self.rest: Iterator[NDArray[np.float32]] = iter(pictures)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            picture = next(self.rest, None)
            return None if picture is None else {"images": picture}

    prepared = path.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    stem = [node.name for node in onnx.load(prepared).graph.node if node.op_type == "Conv"][:3]
    quantize_static(
        str(prepared),
        str(path),
        Pictures(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=stem,
    )
    prepared.unlink()
    made = onnx.load(path)
    _strip(made)
    onnx.save(made, path)
    return path


def _strip(model: Any) -> None:
    """Remove the exporter's notes on where in torch each node came from: a tenth of a small file."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
