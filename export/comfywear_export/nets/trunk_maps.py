"""The whole trunk as an ONNX graph: when only neck and heads learn, its maps of a picture never change and are kept."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

__all__ = ["TrunkMaps", "export_trunk"]

Maps = list[NDArray[np.float16]]


def export_trunk(trunk: Any, height: int, width: int, path: Path) -> Path:
    """Write `trunk` as a graph for one picture of `height` by `width`; its outputs are the maps, the finest first."""
    import torch

    from comfywear_export.nets.trunk import TrunkGraph

    path.parent.mkdir(parents=True, exist_ok=True)
    graph, example = TrunkGraph(trunk).eval(), torch.zeros(1, height, width, 3)
    torch.onnx.export(graph, (example,), str(path), dynamo=True, opset_version=18, external_data=False, verbose=False)
    return path


class TrunkMaps:
    """Runs such a graph and keeps what it said, by the picture's content, in half precision.

    Args:
        path: The graph's file.
        most_bytes: Beyond it the maps that were not asked for the longest are forgotten.
    """

    def __init__(self, path: Path, most_bytes: int = 2_000_000_000) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._kept: OrderedDict[bytes, Maps] = OrderedDict()
        self._most, self._bytes = most_bytes, 0

    def __call__(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """`(N, H, W, 3)` RGB → the maps at strides 8, 16, 32, `(N, C, H/8, W/8)` and so on, float32."""
        each = [self._one(image) for image in images]
        return [np.stack([maps[i] for maps in each]).astype(np.float32) for i in range(len(each[0]))]

    def _one(self, image: NDArray[np.uint8]) -> Maps:
        key = hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        outputs = self._session.run(None, {self._input: image[None].astype(np.float32)})
        maps: Maps = [output[0].astype(np.float16) for output in outputs]
        self._kept[key] = maps
        self._bytes += sum(part.nbytes for part in maps)
        while self._bytes > self._most and len(self._kept) > 1:
            self._bytes -= sum(part.nbytes for part in self._kept.popitem(last=False)[1])
        return maps
