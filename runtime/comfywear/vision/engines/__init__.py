"""Runs model graphs: ONNX Runtime and LiteRT behind one call."""

from comfywear.vision.engines.engine import Engine, TensorInfo
from comfywear.vision.engines.opening import ENGINES, OpenModel, open_model, read_input

__all__ = ["ENGINES", "Engine", "OpenModel", "TensorInfo", "open_model", "read_input"]
