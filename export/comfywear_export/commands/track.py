"""`comfywear-export track`: from a file of detections to a file of tracks, both in the form of MOTChallenge."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear.vision.tracker import ByteTracker
from comfywear_export.mot import read_detections, read_info, track, write_results


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("track", help="from a file of detections to a file of tracks (MOTChallenge)")
    parser.add_argument("--detections", type=Path, required=True, help="lines frame,id,x,y,width,height,score")
    parser.add_argument("--out", type=Path, required=True, help="where the tracks go")
    parser.add_argument("--frame-rate", type=float, help="frames a second (default: of ../seqinfo.ini, else 30)")
    add_tracker_options(parser)
    parser.set_defaults(run=run)


def add_tracker_options(parser: argparse.ArgumentParser) -> None:
    """Add the settings of the tracker, with those of ByteTrack as default."""
    parser.add_argument("--high", type=float, default=0.6, help="score of a confident detection (default 0.6)")
    parser.add_argument("--low", type=float, default=0.1, help="score of a weak detection (default 0.1)")
    parser.add_argument("--new", type=float, default=0.7, help="score that begins a track (default 0.7)")
    parser.add_argument("--match", type=float, default=0.9, help="largest cost of a confident match (default 0.9)")
    parser.add_argument("--lost-s", type=float, default=2.0, help="seconds that a lost track is kept (default 2)")


def make_tracker(args: argparse.Namespace, frame_rate: float) -> ByteTracker:
    """The tracker of these settings for a sequence of `frame_rate`."""
    return ByteTracker(
        high=args.high,
        low=args.low,
        new=args.new,
        match=args.match,
        lost_buffer=args.lost_s * frame_rate,
        frame_rate=frame_rate,
    )


def run(args: argparse.Namespace) -> int:
    """Track; returns the exit code."""
    detections = read_detections(args.detections)
    info = args.detections.resolve().parent.parent / "seqinfo.ini"
    sequence = read_info(info) if info.is_file() else None
    frame_rate = args.frame_rate or (sequence.frame_rate if sequence else 30.0)
    rows = track(make_tracker(args, frame_rate), detections, sequence.length if sequence else 0)
    print(f"{write_results(rows, args.out)} boxes written to {args.out}")
    return 0
