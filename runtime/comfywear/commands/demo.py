"""`comfywear demo`: a photo of a real person becomes a comfort message, as received by an MQTT subscriber."""

from __future__ import annotations

import argparse
from pathlib import Path

from comfywear.errors import UsageError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `demo`."""
    parser = commands.add_parser("demo", help="see the whole way from a photo to an MQTT message, in half a minute")
    parser.add_argument("--source", metavar="URI", help="a photo, clip, folder or camera (default: a photo it brings)")
    parser.add_argument("--frames", type=int, default=24, metavar="N", help="frames to look at (default 24)")
    parser.add_argument(
        "--broker", metavar="HOST:PORT", help="use a broker that runs (default: start one for the demo)"
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
    from comfywear.demo.main import Options, run_demo

    if args.frames < 1:
        raise UsageError("--frames must be 1 or more")
    if args.out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"--out {args.out}: name a .png or .jpg file")
    try:
        args.out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {args.out}: its folder cannot be made ({error.strerror}); name another file"
        ) from error
    options = Options(args.source, args.frames, _address(args.broker), args.engine, args.precision, args.out, args.page)
    run_demo(options, lambda line: print(line, flush=True))
    return 0


def _address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"--broker {text!r}: write HOST:PORT, such as localhost:1883")
    return host, int(port)
