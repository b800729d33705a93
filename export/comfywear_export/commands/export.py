"""`comfywear-export export`: a finished run becomes ONNX and TFLite files."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear_export.forms.onnx_form import export_onnx, halve_weights
from comfywear_export.forms.tflite_form import export_tflite, halve_tflite
from comfywear_export.training.runs import EXPORTED, load_graph


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("export", help="write a trained model as ONNX and TFLite")
    parser.add_argument("model", choices=EXPORTED, help="which of them")
    parser.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the finished run")
    parser.add_argument("--out", type=Path, help="folder of the files (default: forms in the run's folder)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write OUT/MODEL.{fp32,fp16}.{onnx,tflite}."""
    graph, shape, outputs = load_graph(args.model, args.folder)
    out = args.out or args.folder / "forms"
    made = [export_onnx(graph, shape, outputs, out / f"{args.model}.fp32.onnx", dynamic_batch=True)]
    made.append(halve_weights(made[0], out / f"{args.model}.fp16.onnx"))
    made.append(export_tflite(graph, shape, out / f"{args.model}.fp32.tflite"))
    made.append(halve_tflite(made[2], out / f"{args.model}.fp16.tflite"))
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return 0
