"""`comfywear zones`: draw the zones of the settings into a picture, with a grid to read new corners from."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear import settings as settings_file
from comfywear.errors import SourceError, UsageError
from comfywear.looking import shown_camera

WAIT_S = 20.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `zones`."""
    parser = commands.add_parser("zones", help="draw the zones of the settings into a picture of the camera")
    parser.add_argument("source", metavar="SOURCE", nargs="?", help="camera URI or photo (default: of the settings)")
    parser.add_argument("--config", metavar="FILE", help="the settings; without them there is a grid and no zone")
    parser.add_argument("--out", metavar="PICTURE", type=Path, required=True, help="the picture to write (.png, .jpg)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the picture and say where it is; returns 0.

    Raises:
        UsageError: There is no source, or the picture cannot be written there.
        SourceError: The camera gives no frame.
    """
    import cv2

    from comfywear.vision import ZoneArea
    from comfywear.vision.draw_zones import draw_zones

    settings = settings_file.load(args.config) if args.config else None
    source = args.source or (settings.camera.source if settings else "")
    if not source:
        raise UsageError("name a camera or a photo, or settings (--config FILE) with camera.source")
    if args.out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UsageError(f"{args.out}: the picture's name must end with .png, .jpg or .webp")
    areas = [ZoneArea(zone.name, tuple(zone.polygon)) for zone in settings.zones] if settings else []
    picture = draw_zones(_frame(source), areas)
    try:
        args.out.write_bytes(cv2.imencode(args.out.suffix, picture)[1].tobytes())
    except OSError as error:
        raise UsageError(f"{args.out}: cannot be written ({error.strerror})") from error
    named = ", ".join(area.name for area in areas if area.polygon) or "none"
    whole = ", ".join(area.name for area in areas if not area.polygon)
    print(f"{args.out}: zones with corners: {named}" + (f"; the rest of the picture: {whole}" if whole else ""))
    print("The picture shows the room as the camera sees it: it is for setting up; delete it afterwards.")
    return 0


def _frame(source: str) -> NDArray[np.uint8]:
    """The first frame of a camera, or a photo."""
    from comfywear.vision import open_camera

    began_s = time.monotonic()
    reason: str | None = None
    with open_camera(source) as camera:
        while time.monotonic() - began_s < WAIT_S:
            frame = camera.latest(0.5)
            if frame is not None:
                return frame.image
            reason = camera.state.reason
            if camera.state.name in ("gone", "ended"):
                break
    raise SourceError(f"{shown_camera(source)} gives no picture: {reason or 'it did not answer in time'}")
