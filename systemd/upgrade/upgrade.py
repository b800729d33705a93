"""Upgrades the package comfywear, and brings the previous version back when the new one is no good (docs/updates.md).

    upgrade.py run        to the newest version that apt knows, when there is a newer one
    upgrade.py judge      a version that something else installed, such as unattended-upgrades
    upgrade.py note       what apt knows now, and a copy of the package that runs: the way back

Root runs it with the system's own Python and nothing else, by comfywear-upgrade@.service: it has to work while
/opt/comfywear is being replaced, and when what is there afterwards does not start.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PACKAGE = "comfywear"
STATE = Path("/var/lib/comfywear-upgrade")
DEVICE = Path("/var/lib/private/comfywear")
# What was refused here is not installed again; a later version is.
REFUSED = Path("/etc/apt/preferences.d/comfywear-refused")
# Somebody asks for an upgrade: the device may put this file there, and it can say nothing more.
WANTED = "upgrade-wanted"

MINUTES, HOLD_S = 10.0, 60.0
_STEP_S = 2.0
_MOST_RESTARTS = 5
_APT = ("-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root")
_KEEP_SETTINGS = ("-o", "DPkg::Options::=--force-confdef", "-o", "DPkg::Options::=--force-confold")


class RefusedError(Exception):
    """Why nothing was changed."""


class Notes:
    """What is known over restarts, in small files that are replaced as a whole.

    `state.json` is for everybody to read (the device tells Home Assistant); `trial.json` is there while a version is
    being judged; `good.json` says how the last good one was.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages = folder / "packages"

    def read(self, name: str) -> dict[str, Any]:
        """A file's content; empty where there is none, or it cannot be read."""
        try:
            found = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Replace a file; after a cut of power it is the old or the new one."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        part = self.folder / f".{name}.part"
        with part.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(self.folder / f"{name}.json")

    def forget(self, name: str) -> None:
        """Delete a file."""
        (self.folder / f"{name}.json").unlink(missing_ok=True)

    def say(self, phase: str, text: str = "", percent: int | None = None, **more: Any) -> None:
        """What is being done now; what is not named stays as it was said before."""
        self.write("state", {**self.read("state"), "phase": phase, "percent": percent, **more})
        if text:
            print(text, flush=True)

    def kept(self, version: str) -> Path | None:
        """The package of a version, where it was kept."""
        return next(iter(sorted(self.packages.glob(f"{PACKAGE}_{version.replace(':', '%3a')}_*.deb"))), None)

    def keep_only(self, *versions: str) -> None:
        """Delete the packages of all other versions."""
        wanted = {path for version in versions if (path := self.kept(version))}
        for path in self.packages.glob("*"):
            if path not in wanted:
                path.unlink()


class Host:
    """The machine: its packages, its service, and the device that runs there.

    Args:
        device: The device's state folder.
        log: Takes what apt says.
    """

    def __init__(self, device: Path, log: Path) -> None:
        self._device, self._log = device, log

    def installed(self) -> str:
        """The version that is installed, whole or half; "" = none."""
        return _said("dpkg-query", "-W", "-f", "${Version}", PACKAGE)

    def whole(self) -> bool:
        """Whether dpkg has finished with the package."""
        return _said("dpkg-query", "-W", "-f", "${Status}", PACKAGE) == "install ok installed"

    def candidate(self) -> str:
        """The version that apt would install; "" = none."""
        for line in _said("apt-cache", "policy", PACKAGE).splitlines():
            name, _, value = line.strip().partition(": ")
            if name == "Candidate":
                return "" if value == "(none)" else value.strip()
        return ""

    def newer(self, one: str, other: str) -> bool:
        """Whether `one` is a later version than `other`."""
        return _run("dpkg", "--compare-versions", one, "gt", other).returncode == 0

    def update(self) -> str:
        """Ask every source of apt; returns what went wrong, "" = nothing."""
        done = _run("apt-get", *_APT, "update")
        return "" if done.returncode == 0 and "\nE: " not in f"\n{done.stdout}" else _last(done.stdout)

    def download(self, version: str, folder: Path) -> str:
        """Put a version's package into `folder`, from apt's cache or its source; returns what went wrong."""
        folder.mkdir(parents=True, exist_ok=True)
        done = _run("apt-get", *_APT, "download", f"{PACKAGE}={version}", cwd=folder)
        return "" if done.returncode == 0 else _last(done.stdout)

    def install(self, what: str, progress: Callable[[str, int], None] = lambda *_: None, *words: str) -> str:
        """Have apt install a version or a file; returns what went wrong, "" = nothing.

        Args:
            what: `comfywear=VERSION`, or a path.
            progress: Hears "fetching" or "installing", and per cent.
            words: More of apt's options.
        """
        read, write = os.pipe()
        command = ["apt-get", *_APT, *_KEEP_SETTINGS, "-o", f"APT::Status-Fd={write}", *words, "install", what]
        # The package's own script starts a judgement when something else than this installs it.
        environ = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "COMFYWEAR_UPGRADE": "1"}
        with self._log.open("w+", encoding="utf-8", errors="replace") as said:
            apt = subprocess.Popen(
                command, env=environ, pass_fds=(write,), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
            )
            os.close(write)
            with open(read, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - a descriptor, not a path
                for phase, percent in _progress(lines):
                    progress(phase, percent)
            code = apt.wait()
            said.seek(0)
            return "" if code == 0 else _last(said.read()) or f"apt-get ended with {code}"

    def configure(self) -> None:
        """Have dpkg finish what a cut of power left half done."""
        _run("dpkg", "--configure", "-a")

    def service(self) -> dict[str, str]:
        """ActiveState, MainPID and NRestarts of the service."""
        shown = _said("systemctl", "show", f"{PACKAGE}.service", "-p", "ActiveState,MainPID,NRestarts")
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def start(self) -> None:
        """Have the service started, where it is not."""
        _run("systemctl", "start", "--no-block", f"{PACKAGE}.service")

    def publishes(self) -> bool:
        """Whether the device that runs is connected to its broker, and the broker has taken something of it."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(5.0)
                line.connect(str(self._device / "control.sock"))
                line.sendall(b'{"verb": "status"}\n')
                with line.makefile("rb") as answer:
                    found = json.loads(answer.readline())
            return bool(found["broker"] == "connected" and found["metrics"]["acknowledged"])
        except (OSError, ValueError, KeyError, TypeError):
            return False


def run(host: Host, notes: Notes, minutes: float, hold_s: float) -> int:
    """Upgrade to the newest version that apt knows; returns 0 when that one runs, or none is newer.

    Raises:
        RefusedError: Why nothing was changed.
    """
    if notes.read("trial"):
        judge(host, notes, minutes, hold_s)
    notes.say("checking", "asking apt's sources", outcome="", reason="")
    trouble = host.update()
    if trouble:
        print(f"not all of apt's sources answer ({trouble}); what is known of them holds", flush=True)
    before, to = host.installed(), host.candidate()
    if not before:
        raise RefusedError("the package comfywear is not installed here: apt install comfywear")
    if not to or not host.newer(to, before):
        notes.say("idle", f"{before} is the newest", installed=before, available=to or before, outcome="newest")
        return 0
    notes.say("checking", installed=before, available=to)
    keep(host, notes, before)
    trial = {"from": before, "to": to, "active": host.service().get("ActiveState") == "active"}
    notes.write("trial", {**trial, "published": host.publishes()})
    print(f"{before} → {to}", flush=True)
    trouble = host.install(f"{PACKAGE}={to}", lambda phase, percent: notes.say(phase, "", percent), "--only-upgrade")
    if trouble and host.installed() == before and host.whole():
        notes.forget("trial")
        raise RefusedError(f"apt did not install it: {trouble}")
    if trouble:
        return come_back(host, notes, f"apt did not install it whole: {trouble}", minutes)
    return judge(host, notes, minutes, hold_s)


def keep(host: Host, notes: Notes, version: str) -> None:
    """Have the package of `version` here, to come back to.

    Raises:
        RefusedError: When it is nowhere.
    """
    if notes.kept(version):
        return
    trouble = host.download(version, notes.packages)
    if not notes.kept(version):
        raise RefusedError(
            f"the package of {version} is in no source, so that there would be no way back ({trouble}); put its .deb "
            f"into {notes.packages}, or take the new one without judgement: apt install comfywear"
        )


def begin(host: Host, notes: Notes, before: str) -> int:
    """Something else installs a version over `before`: have it judged, where there is a way back. From postinst."""
    if not notes.kept(before) or notes.read("trial"):
        print(f"comfywear: no package of {before} was kept, so that the new version is not judged")
        return 1
    good = notes.read("good")
    notes.write(
        "trial",
        {"from": before, "to": host.installed(), "active": True, "published": bool(good.get("published"))},
    )
    return 0


def judge(host: Host, notes: Notes, minutes: float, hold_s: float) -> int:
    """Watch the version on trial: as good as the one before within `minutes`, for `hold_s`, or that one comes back."""
    trial = notes.read("trial")
    if not trial:
        return 0
    to, began_s = trial["to"], time.monotonic()
    notes.say("judging", f"{to}: ready and heard by the broker within {minutes:g} minutes?", 0, installed=to)
    good_since_s, process, why = None, "", "it was not looked at"
    while True:
        now_s = time.monotonic()
        service = host.service()
        why = _fault(host, service, trial)
        if why or service.get("MainPID") != process:
            good_since_s, process = None, service.get("MainPID", "")
        if not why:
            good_since_s = now_s if good_since_s is None else good_since_s
            notes.say("judging", "", round(min(100.0, 100.0 * (now_s - good_since_s) / max(hold_s, 1e-9))))
            if now_s - good_since_s >= hold_s:
                return _passed(host, notes, trial)
        if int(service.get("NRestarts") or 0) >= _MOST_RESTARTS:
            return come_back(host, notes, f"it ended {service['NRestarts']} times by itself", minutes)
        if now_s - began_s > 60.0 * minutes and why:
            return come_back(host, notes, f"{why} within {minutes:g} minutes", minutes)
        time.sleep(_STEP_S)


def _fault(host: Host, service: dict[str, str], trial: dict[str, Any]) -> str:
    """What is not as it was before the upgrade."""
    if not host.whole():
        host.configure()
        return "it was not installed whole"
    if trial.get("active") and service.get("ActiveState") != "active":
        host.start()
        return "it did not say that it is ready"
    if trial.get("published") and not host.publishes():
        return "the broker heard nothing of it"
    return ""


def _passed(host: Host, notes: Notes, trial: dict[str, Any]) -> int:
    to = trial["to"]
    notes.write("good", {"version": to, "published": host.publishes()})
    notes.forget("trial")
    trouble = "" if notes.kept(to) else host.download(to, notes.packages)
    if trouble:
        print(f"its package could not be kept for the next time: {trouble}", flush=True)
    notes.keep_only(to, trial["from"])
    _outcome(notes, f"{to} is good", "upgraded", to, trial["from"], "")
    return 0


def come_back(host: Host, notes: Notes, reason: str, minutes: float) -> int:
    """Install the version before, refuse the new one from now on; returns 1."""
    trial = notes.read("trial")
    before, to = trial["from"], trial["to"]
    notes.say("coming back", f"{to} is no good: {reason}; {before} comes back")
    REFUSED.parent.mkdir(parents=True, exist_ok=True)
    with REFUSED.open("a", encoding="utf-8") as file:
        file.write(f"# {reason}\nPackage: {PACKAGE}\nPin: version {to}\nPin-Priority: -1\n\n")
    package = notes.kept(before)
    trouble = host.install(str(package), lambda *_: None, "--allow-downgrades") if package else "its package is gone"
    deadline_s = time.monotonic() + 60.0 * minutes
    why = trouble or "not looked at"
    while why and time.monotonic() < deadline_s:
        why = _fault(host, host.service(), {**trial, "published": False})
        time.sleep(_STEP_S if why else 0.0)
    notes.forget("trial")
    if why or host.installed() != before:
        reason = f"{reason}; and {before} did not come back: {trouble or why}"
        _outcome(notes, reason, "failed", host.installed(), to, reason)
    else:
        _outcome(notes, f"{before} runs again", "rolled back", before, to, reason)
    return 1


def note(host: Host, notes: Notes) -> int:
    """After apt has asked its sources: say what it knows, and keep the package that runs."""
    version, trouble = host.installed(), ""
    if not version:
        return 0
    if not notes.read("trial"):
        notes.say("idle", "", installed=version, available=host.candidate() or version)
        if not notes.kept(version):
            trouble = host.download(version, notes.packages)
        notes.write("good", {"version": version, "published": host.publishes() or _published(notes, version)})
    if trouble:
        print(f"the package of {version} could not be kept: {trouble}")
    return 0


def _published(notes: Notes, version: str) -> bool:
    good = notes.read("good")
    return bool(good.get("version") == version and good.get("published"))


def _outcome(notes: Notes, text: str, outcome: str, installed: str, other: str, reason: str) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    notes.say("idle", text, outcome=outcome, other=other, reason=reason, ts=now, installed=installed)
    if outcome != "upgraded":  # what is refused is not offered again
        notes.say("idle", available=installed)


def _progress(lines: Iterator[str]) -> Iterator[tuple[str, int]]:
    """What apt says of its own progress ("dlstatus:1:45.2:…", "pmstatus:comfywear:60:…") as phase and per cent."""
    last: tuple[str, int] | None = None
    for line in lines:
        kind, *rest = line.split(":", 3)
        phase = {"dlstatus": "fetching", "pmstatus": "installing"}.get(kind)
        try:
            found = (phase, int(float(rest[1]))) if phase else None
        except (IndexError, ValueError):
            found = None
        if found and found != last:
            last = found
            yield found[0] or "", found[1]


def _run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(
        command, env=environ, cwd=cwd, text=True, errors="replace", check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _said(*command: str) -> str:
    done = _run(*command)
    return done.stdout.strip() if done.returncode == 0 else ""


def _last(text: str) -> str:
    """The line of an output that says most: apt's last error, or its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if line.startswith("E: ")), lines[-1] if lines else "")[:300]


def _time(text: str) -> float:
    """A number of minutes or seconds that is one."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0.0 < found <= 86_400.0:
        raise argparse.ArgumentTypeError(f"{text!r}: a number above 0, at most 86400")
    return found


def main(words: list[str] | None = None) -> int:
    """Do what is asked; returns the exit code: 0 done, 1 the version before came back, 2 nothing was changed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=("run", "judge", "note", "begin"))
    parser.add_argument("version", nargs="?", default="", help="of the package before, for begin")
    parser.add_argument("--minutes", type=_time, default=MINUTES, help="the new version has so long (10)")
    parser.add_argument("--hold", type=_time, default=HOLD_S, help="and must be good for so many seconds (60)")
    parser.add_argument("--state", type=Path, default=STATE, help=argparse.SUPPRESS)
    parser.add_argument("--device", type=Path, default=DEVICE, help=argparse.SUPPRESS)
    args = parser.parse_args(words)
    host, notes = Host(args.device, args.state / "apt.log"), Notes(args.state)
    if args.what == "begin":  # within a run of dpkg, which nothing may hold up
        return begin(host, notes, args.version)
    args.state.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (args.state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if args.what == "note":
            return note(host, notes)
        try:
            if args.what == "judge":
                return judge(host, notes, args.minutes, args.hold)
            (args.device / WANTED).unlink(missing_ok=True)
            return run(host, notes, args.minutes, args.hold)
        except RefusedError as refused:
            notes.say("idle", f"nothing was changed: {refused}", outcome="refused", reason=str(refused))
            return 2


if __name__ == "__main__":
    sys.exit(main())
