"""`comfywear zones`: draw the zones of the settings into a picture, with a grid to read new corners from."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear import settings as settings_file
from comfywear.device.sight.privacy import check_may_look
from comfywear.device.sight.vision_worker import lines_of, shown_camera
from comfywear.errors import ComfyWearError, SourceError, UsageError
from comfywear.feedback import ask
from comfywear.records import Frame
from comfywear.settings import CameraSettings, Settings
from comfywear.settings.views import ONLY, cameras_of, views_of, which_camera

WAIT_S = 20.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `zones`."""
    parser = commands.add_parser("zones", help="draw the zones of the settings into a picture of each camera")
    parser.add_argument("source", metavar="SOURCE", nargs="?", help="camera URI or photo (default: of the settings)")
    parser.add_argument("--config", metavar="FILE", help="the settings; without them there is a grid and no zone")
    parser.add_argument("--camera", metavar="NAME", help="one of several cameras; without, a picture of each")
    parser.add_argument(
        "--out",
        metavar="PICTURE",
        type=Path,
        required=True,
        help="the picture to write (.png, .jpg); of several cameras PICTURE-NAME",
    )
    parser.add_argument(
        "--view",
        choices=("photo", "room", "sketch"),
        default="photo",
        help="draw into the photo (default), or into a view in which nobody can be recognised",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the pictures and say where they are; returns 0.

    Raises:
        UsageError: There is no source, or the picture cannot be written there.
        SourceError: The camera gives no frame, or is private.
    """
    import cv2

    from comfywear.vision import ZoneArea
    from comfywear.vision.drawing.hatching import hatched
    from comfywear.vision.drawing.zones_picture import draw_zones

    settings = settings_file.load(args.config) if args.config else Settings()
    cameras = cameras_of(settings)
    if args.camera is not None:
        which_camera(args.camera, list(cameras))
    if args.source and len(cameras) > 1 and args.camera is None:
        which_camera(None, list(cameras), "say with --camera NAME whose zones to draw into it")
    chosen = [args.camera] if args.camera is not None else list(cameras) or [ONLY]
    if not args.source and not cameras:
        raise UsageError("name a camera or a photo, or settings (--config FILE) with camera.source")
    if args.out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UsageError(f"{args.out}: the picture's name must end with .png, .jpg or .webp")
    if not args.source:
        check_may_look(settings, chosen)
    for name in chosen:
        camera = cameras.get(name, settings.camera)
        frame = _frame(camera, args.source or camera.source)
        picture = hatched(_shown(frame.image, args.view), camera)
        areas = [ZoneArea(zone, view.polygon) for zone, view in views_of(settings, name).items()] if args.config else []
        out = args.out if len(chosen) == 1 else args.out.with_stem(f"{args.out.stem}-{name}")
        try:
            out.write_bytes(
                cv2.imencode(out.suffix, draw_zones(picture, areas, lines=lines_of(settings, name)))[1].tobytes()
            )
        except OSError as error:
            raise UsageError(f"{out}: cannot be written ({error.strerror})") from error
        named = ", ".join(area.name for area in areas if area.polygon) or "none"
        whole = ", ".join(area.name for area in areas if not area.polygon)
        print(f"{out}: zones with corners: {named}" + (f"; the rest of the picture: {whole}" if whole else ""))
        for said in _light(frame):
            print(f"  {said}")
    if args.config:
        _print_presence(settings)
    if args.view == "photo":
        print("A picture shows the room as the camera sees it: it is for setting up; delete it afterwards.")
    return 0


def _light(frame: Frame) -> Iterator[str]:
    """What the light of a picture keeps a device from seeing."""
    if frame.light is not None and frame.light.too_dark:
        yield "it is too dark to see: whether anybody is there is not known"
    elif frame.light is not None and frame.light.colourless:
        yield "there are no colours in it: those of garments are not known"


def _print_presence(settings: Settings) -> None:
    """Who is in the zones, where the device runs."""
    try:
        zones = ask(settings_file.state_folder(settings), {"verb": "status"}).get("zones", {})
    except ComfyWearError:
        return
    for zone, found in zones.items():
        count = f" by {found['count']}" if found.get("count") else ""
        lasting = f" for {found['for_s']} s" if "for_s" in found else ""
        print(f"{zone}: {found['state']}{count}{lasting}" + (f" ({found['reason']})" if found.get("reason") else ""))


def _shown(image: NDArray[np.uint8], view: str) -> NDArray[np.uint8]:
    """What is drawn into: a frame, or what may be shown of it."""
    from comfywear.vision.drawing.room_view import first_view
    from comfywear.vision.drawing.sketch import sketch

    if view == "photo":
        return image
    return sketch(image) if view == "sketch" else first_view(image)


def _frame(camera_settings: CameraSettings, source: str) -> Frame:
    """The first frame of a camera, or a photo."""
    from comfywear.vision.camera import open_configured

    began_s = time.monotonic()
    reason: str | None = None
    with open_configured(camera_settings, source=source) as camera:
        while time.monotonic() - began_s < WAIT_S:
            frame = camera.latest(0.5)
            if frame is not None:
                return frame
            reason = camera.state.reason
            if camera.state.name in ("gone", "ended"):
                break
    shown = shown_camera(source)
    why = (reason or "it did not answer in time").removeprefix(shown).lstrip(": ")
    raise SourceError(f"{shown} gives no picture: {why}")
