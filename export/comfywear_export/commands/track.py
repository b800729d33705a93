"""`comfywear-export track`: from a file of detections to a file of tracks, both in the form of MOTChallenge."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear.system.arguments import number
from comfywear_export.data.mot import (
    add_tracker_options,
    make_tracker,
    read_detections,
    read_info,
    track,
    write_results,
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("track", help="from a file of detections to a file of tracks (MOTChallenge)")
    parser.add_argument("--detections", type=Path, required=True, help="lines frame,id,x,y,width,height,score")
    parser.add_argument("--out", type=Path, required=True, help="where the tracks go")
    parser.add_argument(
        "--frame-rate",
        type=number(0.0, 1000.0, above=True),
        help="frames a second (default: of ../seqinfo.ini, else 30)",
    )
    add_tracker_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Track; returns the exit code."""
    detections = read_detections(args.detections)
    info = args.detections.resolve().parent.parent / "seqinfo.ini"
    sequence = read_info(info) if info.is_file() else None
    frame_rate = args.frame_rate or (sequence.frame_rate if sequence else 30.0)
    rows = track(make_tracker(args, frame_rate), detections, sequence.length if sequence else 0)
    print(f"{write_results(rows, args.out)} boxes written to {args.out}")
    return 0
