"""From a run's folder to the graph that is exported."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.errors import UsageError
from comfywear_export.data.crops import CROP_SIZE
from comfywear_export.data.labels import ATTRIBUTE_LABELS, DETECTOR_LABELS
from comfywear_export.data.painting import CHANNELS, COLOURS, SIDE, colours_of

__all__ = ["EXPORTED", "MODELS", "RUN_HELP", "describe", "load_detector", "load_graph"]

MODELS = ("detector", "attributes")
EXPORTED = (*MODELS, "painter")
"""What can be exported; the last stays at the workstation (docs/page.md)."""
RUN_HELP = "the run of `train detector` to start from: a folder with detector.pt"


def load_graph(name: str, folder: Path) -> tuple[Any, tuple[int, int, int, int], tuple[str, ...]]:
    """The exportable module of a finished run, the shape of its input, and the names of its outputs.

    Raises:
        UsageError: torch is not installed, or the run is not finished.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"exporting needs torch ({error}); run scripts/setup --export and use .venv-export") from error
    from comfywear_export.nets.attributes import AttributeGraph, AttributeNet
    from comfywear_export.nets.detector import DetectorGraph, DetectorNet
    from comfywear_export.nets.painter import PainterGraph, PainterNet

    path = folder / f"{name}.pt"
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; finish the run with comfywear-export train {name}")
    state = torch.load(path, map_location="cpu", weights_only=True)
    if name == "detector":
        net = DetectorNet()
        net.load_state_dict(state["weights"])
        return DetectorGraph(net).eval(), (1, state["size"], state["size"], 3), ("scores", "boxes")
    if name == "painter":
        painter = PainterNet()
        painter.load_state_dict(state["weights"])
        return PainterGraph(painter).eval(), (1, SIDE, SIDE, len(CHANNELS)), ("logits",)
    answers = AttributeNet(state["trunk"])
    try:
        answers.load_state_dict(state["weights"])
    except RuntimeError as error:
        what = str(error).partition("\n")[0]
        raise UsageError(
            f"{path}: of another version of the trunk {state['trunk']} ({what}); train it again"
        ) from error
    return AttributeGraph(answers).eval(), (1, *CROP_SIZE, 3), ("logits",)


def load_detector(run: Path) -> tuple[Any, int]:
    """The network of a run's `detector.pt` (or of that file itself), in evaluation mode, and the side of its input.

    Raises:
        UsageError: torch is not installed, or there is no such file, or it is no detector's.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"training needs torch ({error}); run scripts/setup --export and use .venv-export") from error
    from comfywear_export.nets.detector import DetectorNet

    path = run / "detector.pt" if run.is_dir() else run
    if not path.is_file():
        raise UsageError(
            f"{path}: there is no such file. A checkpoint can learn, the shipped files cannot; `comfywear-export train "
            "detector --data DATA --weights detector.fp16.onnx --out RUN` makes one from them (docs/models.md)"
        )
    net = DetectorNet()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        net.load_state_dict(state["weights"])
        size = int(state["size"])
    except (RuntimeError, KeyError, TypeError, OSError, EOFError, pickle.UnpicklingError) as error:
        what = str(error).partition("\n")[0]
        raise UsageError(f"{path}: is no checkpoint of this detector: {type(error).__name__} {what}") from error
    return net.to(memory_format=torch.channels_last).eval(), size


def describe(name: str, height: int, width: int) -> dict[str, Any]:
    """What a card says of a model's input, output and labels."""
    shape = {"name": "images", "dtype": "float32", "layout": "NHWC", "channels": "RGB", "range": [0, 255]}
    if name == "detector":
        return {
            "layout": "comfywear-1",
            "input": {**shape, "height": height, "width": width, "resize": "letterbox", "grey": 114},
            "output": {
                "scores": "(N, A, labels) logits",
                "boxes": "(N, A, 8) softplus(d) * stride: left, top, right, bottom of person, then of garment",
                "strides": [8, 16, 32],
            },
            "labels": list(DETECTOR_LABELS),
        }
    if name == "painter":
        return {
            "layout": "choices",
            "input": {
                **shape,
                "channels": list(CHANNELS),
                "range": [0, 1],
                "height": height,
                "width": width,
                "resize": "stretch",
            },
            "output": {"logits": "(N, H, W, labels); the largest is the pixel's colour"},
            "labels": [f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in colours_of(np.arange(COLOURS))],
        }
    return {
        "layout": "logits",
        "input": {**shape, "height": height, "width": width, "resize": "stretch the person's crop"},
        "output": {"logits": "(N, labels); the probability is the sigmoid"},
        "labels": list(ATTRIBUTE_LABELS),
    }
