"""`comfywear demo`: a photo of a real person becomes a comfort message, as received by an MQTT subscriber."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear.commands.listen import broker_place
from comfywear.errors import UsageError
from comfywear.system.arguments import whole


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `demo`."""
    parser = commands.add_parser("demo", help="see the whole way from a photo to an MQTT message, in half a minute")
    parser.add_argument("--source", metavar="URI", help="a photo, clip, folder or camera (default: a photo it brings)")
    parser.add_argument("--frames", type=whole(1), default=24, metavar="N", help="frames to look at (default 24)")
    parser.add_argument(
        "--broker", metavar="HOST[:PORT]", help="use a broker that runs (default: start one for the demo)"
    )
    parser.add_argument("--engine", choices=["auto", "onnxruntime", "litert"], default="auto")
    parser.add_argument("--precision", choices=["fp16", "int8"], default="fp16")
    parser.add_argument(
        "--out", type=Path, default=Path("comfywear-demo.png"), metavar="FILE", help="the annotated picture"
    )
    parser.add_argument("--page", action="store_true", help="show the page too, and keep running until Ctrl-C")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 when the message with a person, a garment and a colour was received."""
    from comfywear.demo.main import DemoOptions, run_demo

    if args.out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"--out {args.out}: name a .png or .jpg file")
    try:
        args.out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {args.out}: its folder cannot be made ({error.strerror}); name another file"
        ) from error
    options = DemoOptions(
        args.source,
        args.frames,
        broker_place(args.broker) if args.broker is not None else None,
        args.engine,
        args.precision,
        args.out,
        args.page,
    )
    run_demo(options, lambda line: print(line, flush=True))
    return 0
