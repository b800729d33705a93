"""`comfywear cameras list|calibrate`: find cameras, with the settings line for each; know a fisheye lens."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from comfywear.errors import BrokerError, SourceError, UsageError
from comfywear.publishing.broker.credentials import read_password
from comfywear.system.arguments import host_and_port, number
from comfywear.vision.camera.login import Login

_PATIENCE_S = 3.0
_ONVIF_PORT = 3702


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `cameras` with `list` and `calibrate`."""
    parser = commands.add_parser("cameras", help="find cameras: USB, Raspberry Pi modules, ONVIF in the network")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    find = actions.add_parser("list", help="what is there, with the settings line for each")
    find.add_argument("--user", metavar="NAME", help="of the cameras in the network: then their streams are asked for")
    find.add_argument("--password-file", metavar="FILE", help="a file that holds the password of NAME")
    find.add_argument("--ask", metavar="HOST[:PORT]", help="ask this ONVIF camera instead of all on the local link")
    find.add_argument(
        "--seconds",
        type=number(0, 60, above=True),
        default=_PATIENCE_S,
        help="how long answers are waited for (default: 3)",
    )
    find.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    find.set_defaults(run=run_list)
    lens = actions.add_parser("calibrate", help="what a fisheye lens is, from photos of a chessboard")
    lens.add_argument("photos", metavar="PHOTO", nargs="+", type=Path, help="of the flat board, all over the picture")
    lens.add_argument("--board", metavar="NxM", default="9x6", help="its inner corners in a row and a column (9x6)")
    lens.set_defaults(run=run_calibrate)


def run_list(args: argparse.Namespace) -> int:
    """Print a settings line for every camera found; returns 0, also when there is none."""
    if bool(args.user) != bool(args.password_file):
        raise UsageError("--user and --password-file belong together")
    asked = _address(args.ask) if args.ask is not None else None
    login = Login(args.user, _password(args.password_file)) if args.user else None
    found, listed = 0, False
    for note, source in (*_usb(args.root), *_modules(), *_network(args.seconds, asked, login)):
        found += bool(source)
        listed = True
        print(f'[camera]  # {note}\nsource = "{source}"\n' if source else f"# {note}\n")
    if found > 1:
        print('Several on one device: write [[cameras]] in place of [camera], each with a name = "…" (docs/vision.md).')
    if not listed:
        print("No camera was found: no video device, no Raspberry Pi module, and nobody answered to ONVIF.")
    print(
        "Not found by looking: rtsp://, http:// and rtmp:// cameras without ONVIF, files and folders (docs/vision.md)."
    )
    return 0


def run_calibrate(args: argparse.Namespace) -> int:
    """Print the settings line for a lens; returns 0."""
    from comfywear.vision.camera import read_photo
    from comfywear.vision.camera.calibration import calibrate_fisheye

    board = re.fullmatch(r"(\d{1,2})[x×](\d{1,2})", args.board)
    if not board or not all(3 <= int(side) <= 50 for side in board.groups()):
        raise UsageError(f"--board is how many inner corners it has, such as 9x6 (at least 3x3), not {args.board!r}")
    photos = [read_photo(photo, max_side=4096) for photo in args.photos]
    lens, apart, seen = calibrate_fisheye(photos, (int(board[1]), int(board[2])))
    x, y = lens.centre
    terms = ", ".join(f"{term:.4f}" for term in lens.k)
    print(
        f"# from {seen} of {len(photos)} photos; corners lie {apart:.2f} pixels off; view_deg (100) is how much is kept"
    )
    print(f"dewarp = {{ lens_deg = {lens.lens_deg:.1f}, centre = [{x:.3f}, {y:.3f}], k = [{terms}] }}")
    return 0


def _usb(root: Path) -> Iterator[tuple[str, str]]:
    from comfywear.vision.camera.v4l2 import video_devices

    for device in video_devices(root):
        formats = [f"{kind} up to {size[0]} × {size[1]}" if size else kind for kind, size in device.formats]
        yield f"{device.name}: {', '.join(formats)}", f"v4l2://{device.path}"


def _modules() -> Iterator[tuple[str, str]]:
    from comfywear.vision.camera.picamera import modules

    for module in modules():
        yield f"camera module {module.name}, {module.words}", f"picamera://{module.number}"


def _network(seconds: float, asked: tuple[str, int] | None, login: Login | None) -> Iterator[tuple[str, str]]:
    from comfywear.vision.camera.onvif import EVERYBODY, probe, streams

    for camera in probe(seconds, asked or EVERYBODY):
        try:
            found = streams(camera, login)
        except SourceError as error:
            yield f"{camera.name} at {camera.host}: {error}", ""
            continue
        where = "; put NAME:PASSWORD and an at sign in front of the host" if login else ""
        for stream in found:
            yield f"{camera.name} at {camera.host}: {stream.words}{where}", stream.uri
        if not found:
            yield f"{camera.name} at {camera.host}: it has no RTSP stream", ""


def _address(text: str) -> tuple[str, int]:
    found = host_and_port(text, _ONVIF_PORT)
    if found is None or ":" in found[0]:  # ONVIF is looked for over IPv4
        raise UsageError(
            f"--ask is an address such as 192.168.1.20, with a port where it is not {_ONVIF_PORT}, not {text[:100]!r}"
        )
    return found


def _password(file: str) -> str:
    try:
        return read_password(file) or ""
    except BrokerError as error:
        raise UsageError(str(error)) from None
