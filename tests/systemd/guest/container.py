"""The same bare Debian as a container with systemd as its first process: quick, with this machine's kernel and devices.

No driver of its own and no power to cut, but the package, the unit and systemd are the same.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from machine import BOOT_S, Done, GuestError, Machine


class Container(Machine):
    """systemd-nspawn on a folder; it shares this machine's network, of which it may change nothing."""

    broker_host = "127.0.0.1"

    def __init__(self, root: Path, log: Path) -> None:
        self._root, self._log = root, log
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._init = ""

    def put(self, file: Path, target: str) -> None:
        """Copy a file into it."""
        shutil.copyfile(file, self._root / target.lstrip("/"))

    def power_on(self) -> None:
        """Start it; returns at once."""
        for name in ("systemd-networkd.service", "systemd-networkd.socket"):
            link = self._root / "etc/systemd/system" / name
            if not link.is_symlink():
                link.symlink_to("/dev/null")
        (self._root / "etc/fstab").unlink(missing_ok=True)
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe"]
        command += ["--capability=CAP_SYS_PTRACE", f"--directory={self._root}"]
        with self._log.open("ab") as log:
            self._nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.power_on_s = time.monotonic()

    def wait_boot(self, boots: int = 1, timeout_s: float = BOOT_S) -> float:
        """Wait until its systemd says that it has started."""
        self.wait("the container runs", self._running, timeout_s)
        return time.monotonic() - self.power_on_s

    def _running(self) -> bool:
        assert self._nspawn is not None
        if self._nspawn.poll() is not None:
            raise GuestError(f"systemd-nspawn ended: {self._log.read_text(errors='replace')[-600:]}")
        found = subprocess.run(["pgrep", "-P", str(self._nspawn.pid)], capture_output=True, text=True).stdout.split()
        self._init = found[0] if found else ""
        return bool(found) and self.run("systemctl is-system-running").out.strip() in ("running", "degraded")

    def run(self, script: str, timeout_s: float = 120.0) -> Done:
        """Run a bash script as root in the container."""
        enter = ["nsenter", "-t", self._init, "-m", "-u", "-i", "-p", "-C", "--", "bash", "-c", script]
        try:
            done = subprocess.run(
                enter, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=timeout_s
            )
        except subprocess.TimeoutExpired as late:
            return Done(124, (late.stdout or b"").decode(errors="replace"))
        return Done(done.returncode, done.stdout.decode(errors="replace"))

    def reboot(self) -> float:
        """Stop it in order and start it again."""
        started_s = time.monotonic()
        self.power_off()
        self.power_on()
        self.wait_boot()
        return time.monotonic() - started_s

    def cut_power(self) -> None:
        """`kill -9` of its first process, with which the kernel kills all others at once. What they wrote is kept."""
        assert self._nspawn is not None
        os.kill(int(self._init), signal.SIGKILL)
        self._nspawn.wait(60)
        self._nspawn = None

    @property
    def off(self) -> bool:
        """Whether it is stopped."""
        return self._nspawn is None

    def console(self) -> str:
        """What it said on its console."""
        return self._log.read_text(errors="replace")

    def power_off(self, timeout_s: float = 120.0) -> None:
        """Shut down in order."""
        if self._nspawn is None:
            return
        self._nspawn.send_signal(signal.SIGTERM)
        try:
            self._nspawn.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn = None

    def close(self) -> None:
        """Leave no process behind."""
        self.power_off(30.0)
