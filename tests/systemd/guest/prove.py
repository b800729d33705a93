"""`scripts/prove-service`: a Debian 12 guest under qemu starts the packaged service, and everything is tried there."""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

import image
import proof_doors
import proof_figures
import proof_install
import proof_refusals
import proof_trouble
import proof_upgrade
from broker import Broker
from container import Container
from machine import GuestError
from proof_power_cuts import PowerCuts
from proof_report import Report
from qemu import Guest
from scene import Scene

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / "build" / "guest"
PROOFS = ("doors", "refusals", "trouble", "figures", "power-cuts", "upgrade")


def main() -> int:
    """Make the guest, run the proofs; returns 0 when all of them passed."""
    parser = argparse.ArgumentParser(prog="scripts/prove-service", description=__doc__)
    parser.add_argument("--package", type=Path, help="the .deb to prove (else scripts/package builds it)")
    parser.add_argument("--power-cuts", type=int, default=20, metavar="N", help="how often the power is cut (20)")
    parser.add_argument(
        "--only", choices=PROOFS, action="append", help="after the install, only this (may be repeated)"
    )
    parser.add_argument(
        "--again", action="store_true", help="go on with the disk of the last run, which has the package"
    )
    parser.add_argument("--transcript", type=Path, metavar="FILE", help="write what is said there too")
    parser.add_argument("--container", action="store_true", help="in a container instead: minutes, no devices")
    parser.add_argument("--accel", default="tcg", help="qemu's accelerator: tcg runs anywhere; kvm where there is one")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="make the base system anew, with the newest packages")
    args = parser.parse_args()
    try:
        image.check_tools(container=args.container)
    except image.ToolMissingError as missing:
        print(f"prove-service: {missing}", file=sys.stderr)
        return 1
    package = args.package or build_package()
    report = Report(args.transcript)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    where = "a container" if args.container else f"qemu ({args.accel}, {args.cpus} processors, 2 GB)"
    report.say(f"{package.name} (sha256 {digest[:12]}…) as a service of Debian 12 in {where}")
    broker = Broker(CACHE / "broker")
    guest = _container(package) if args.container else _virtual(package, args)
    scene = Scene(guest, broker, package, devices=not args.container)
    try:
        broker.start()
        guest.power_on()
        report.check("the guest starts", lambda: f"after {guest.wait_boot():.0f} s")
        if args.again:
            proof_install.new_settings(scene)
            scene.earlier = frozenset(vote for vote, _ in scene.stored())
        else:
            proof_install.prove(scene, report)
        for name in PROOFS:
            if name in (args.only or PROOFS):
                prove(name, scene, report, args.power_cuts)
    except GuestError as error:
        report.say(f"  the guest: {error}")
        report.failed.append("the guest")
    finally:
        guest.power_off()
        guest.close()
        broker.close()
    return report.end()


def _virtual(package: Path, args: argparse.Namespace) -> Guest:
    guest = Guest(image.make_disk(CACHE, args.fresh), CACHE / "run", accel=args.accel, cpus=args.cpus)
    guest.parcel = image.parcel(package, CACHE / "run")
    if not args.again:
        guest.new_disk()
    return guest


def _container(package: Path) -> Container:
    import matplotlib as mpl

    root = image.make_folder(CACHE)
    container = Container(root, CACHE / "container.log")
    (root / "mnt/package").mkdir()
    container.put(package, f"/mnt/package/{package.name}")
    photo = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"  # as in the demo
    container.put(photo, "/opt/guest/photo.jpg")
    return container


def prove(name: str, scene: Scene, report: Report, power_cuts: int) -> None:
    """One of the proofs."""
    match name:
        case "doors":
            proof_doors.prove(scene, report)
        case "refusals":
            proof_refusals.prove(scene, report)
        case "trouble":
            proof_trouble.prove(scene, report)
        case "figures":
            proof_figures.prove(scene, report)
        case "upgrade":
            proof_upgrade.prove(scene, report, CACHE / "repository")
        case "power-cuts":
            if power_cuts:
                PowerCuts(scene, report).prove(power_cuts)


def build_package() -> Path:
    """The package of this checkout."""
    output = CACHE / "package"
    subprocess.run([ROOT / "scripts" / "package", "--arch", "amd64", "--output", output], check=True)
    return max(output.glob("*.deb"), key=lambda path: path.stat().st_mtime)


if __name__ == "__main__":
    sys.exit(main())
