"""`comfywear upgrade`: the program itself, to the newest package of apt's sources; a bad one goes again."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from comfywear.errors import ComfyWearError, UsageError

__all__ = ["add_parser", "run"]

JUDGE = Path("/usr/lib/comfywear/upgrade.py")
STATE = Path("/var/lib/comfywear-upgrade/state.json")
SYSTEMD = Path("/run/systemd/system")
UNIT = "comfywear-upgrade@run.service"
_STEP_S, _BEGIN_S = 0.5, 5.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `upgrade`."""
    parser = commands.add_parser("upgrade", help="the newest package of the program; a bad one goes again")
    parser.add_argument("--check", action="store_true", help="only say which version there is")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Have the service manager upgrade, and say how it goes; Ctrl-C ends the watching alone.

    Returns:
        0 when the newest version runs, 1 when the one before came back or nothing could be changed.
    """
    if not JUDGE.exists():
        raise UsageError(
            "this comfywear did not come as a Debian package, so that apt does not know it: run systemd/install.sh "
            "of a newer checkout (docs/updates.md)"
        )
    if args.check:
        return _check()
    if os.geteuid() != 0:
        raise UsageError("only root may install packages: sudo comfywear upgrade")
    if shutil.which("systemctl") is None or not SYSTEMD.is_dir():
        raise UsageError("systemd does not run here, so that nobody could judge the new version: apt install comfywear")
    return _watch()


def _check() -> int:
    policy = _said("apt-cache", "policy", "comfywear")
    found = dict(line.strip().split(": ", 1) for line in policy.splitlines() if ": " in line)
    installed, candidate = found.get("Installed", "(none)"), found.get("Candidate", "(none)")
    print(f"installed {installed}, " + ("the newest" if candidate == installed else f"available {candidate}"))
    print("(as apt knew when it last asked its sources: sudo apt update)")
    return 0


def _watch() -> int:
    """Start the unit and print each new phase until it has ended."""
    done = subprocess.run(["systemctl", "start", "--no-block", UNIT], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ComfyWearError(f"systemd does not start {UNIT}: {done.stderr.strip()}")
    said, begun, since_s = "", False, time.monotonic()
    while True:
        ended = _said("systemctl", "is-active", UNIT) in ("inactive", "failed")
        begun = begun or not ended
        state = _state()
        percent = f" {state['percent']} %" if isinstance(state.get("percent"), int) else ""
        line = f"  {state.get('phase', 'starting')}{percent}"
        if line != said and not ended:
            print(line, flush=True)
            said = line
        if ended and (begun or time.monotonic() - since_s > _BEGIN_S):
            return _ended(state)
        time.sleep(_STEP_S)


def _ended(state: dict[str, Any]) -> int:
    """Say how it ended; returns the exit code."""
    installed, other, reason = state.get("installed"), state.get("other"), state.get("reason")
    match state.get("outcome"):
        case "newest":
            print(f"{installed} is the newest")
            return 0
        case "upgraded":
            print(f"{installed} is in service, after {other}")
            return 0
        case "rolled back":
            print(f"{installed} is in service again; {other} was no good: {reason}")
        case "refused":
            print(f"nothing was changed: {reason}")
        case "failed":
            print(f"it needs your help: {reason}")
        case _:
            raise ComfyWearError(f"it ended without a word: journalctl -u {UNIT}")
    return 1


def _state() -> dict[str, Any]:
    try:
        found = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _said(*command: str) -> str:
    environ = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False).stdout.strip()
