"""Runs model graphs: ONNX Runtime and LiteRT behind one call."""

from comfywear.vision.engines.engine import Engine
from comfywear.vision.engines.opening import ENGINES, OpenModel, open_model

__all__ = ["ENGINES", "Engine", "OpenModel", "open_model"]
