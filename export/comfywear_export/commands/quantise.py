"""`comfywear-export quantise`: INT8 forms of exported files, calibrated on training photos."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear.errors import UsageError
from comfywear.system.arguments import whole
from comfywear_export.forms.calibrate import pictures
from comfywear_export.forms.onnx_form import quantise_onnx
from comfywear_export.forms.tflite_form import quantise_tflite
from comfywear_export.training.runs import MODELS


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("quantise", help="INT8 forms of exported files, calibrated on training photos")
    parser.add_argument("model", choices=MODELS, help="which of the two")
    parser.add_argument("--forms", type=Path, required=True, help="folder with MODEL.fp32.onnx and MODEL.fp32.tflite")
    parser.add_argument("--data", type=Path, required=True, help="a data set, or a folder of data sets")
    parser.add_argument("--pictures", type=whole(1), default=300, help="how many to calibrate with")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write FORMS/MODEL.int8.{onnx,tflite}."""
    import onnxruntime

    sources = [args.forms / f"{args.model}.fp32.{kind}" for kind in ("onnx", "tflite")]
    for source in sources:
        if not source.is_file():
            raise UsageError(f"{source}: there is no such file; make it with comfywear-export export {args.model}")
    session = onnxruntime.InferenceSession(str(sources[0]), providers=["CPUExecutionProvider"])
    height, width = session.get_inputs()[0].shape[1:3]
    shown = pictures(args.model, args.data, height, width, args.pictures)
    made = [
        quantise_onnx(sources[0], args.forms / f"{args.model}.int8.onnx", shown),
        quantise_tflite(sources[1], args.forms / f"{args.model}.int8.tflite", shown),
    ]
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, ranges from {len(shown)} pictures")
    return 0
