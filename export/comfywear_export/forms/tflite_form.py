"""torch → TFLite with litert-torch, and its forms for the device with ai-edge-quantizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["export_tflite", "halve_tflite", "quantise_tflite"]

# Names of tensors, as the converter makes them of the modules: up to the end of the first block, and what gives the
# answers, whose rare high scores would be cut off at the usual range.
_FLOAT = (".*Normalise.*", ".*_stem.*", ".*Block_0/.*", ".*serving_default.*", r".*Head_\d;.*", r".*Conv2d_\d;.*")


def export_tflite(graph: Any, shape: Sequence[int], path: Path) -> Path:
    """Write a torch module with one NHWC input as a TFLite file with a batch of `shape[0]`."""
    import litert_torch
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    litert_torch.convert(graph, (torch.zeros(*shape),)).export(str(path))
    return path


def halve_tflite(source: Path, path: Path) -> Path:
    """Store weights as float16; they are brought back to 32 bits when the file is loaded."""
    from ai_edge_quantizer import qtyping, quantizer, recipe, recipe_manager

    manager = recipe_manager.RecipeManager()
    manager.add_quantization_config(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        algorithm_key=recipe.AlgorithmName.FLOAT_CASTING,
    )
    made = quantizer.Quantizer(str(source), manager.get_quantization_recipe())
    path.unlink(missing_ok=True)
    made.quantize().export_model(str(path))
    return path


def quantise_tflite(source: Path, path: Path, pictures: Sequence[NDArray[np.float32]]) -> Path:
    """INT8 weights and activations, ranges from `pictures` (each `(1, H, W, 3)`); input and outputs stay float32.

    Everything up to the first block stays in floating point, and so do the detector's last layers: as INT8 the former
    cost .07 of the person AP50, and the latter cut all scores off at .5.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import qtyping, quantizer, recipe, recipe_manager

    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe.static_wi8_ai8())
    for edge in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        manager.add_quantization_config(regex=".*", operation_name=edge, algorithm_key=recipe.AlgorithmName.NO_QUANTIZE)
    for early in _FLOAT:
        manager.add_quantization_config(
            regex=early,
            operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
            algorithm_key=recipe.AlgorithmName.NO_QUANTIZE,
        )
    signature, parts = next(iter(Interpreter(model_path=str(source)).get_signature_list().items()))
    (name,) = parts["inputs"]
    made = quantizer.Quantizer(str(source), manager.get_quantization_recipe())
    ranges = made.calibrate({signature: [{name: picture} for picture in pictures]}, num_threads=2)
    path.unlink(missing_ok=True)
    made.quantize(ranges).export_model(str(path))
    return path
