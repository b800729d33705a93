"""The guest as a machine: switched on, asked to run commands, rebooted, switched off, or its power cut."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from machine import BOOT_S, Done, GuestError, Machine


class Guest(Machine):
    """A virtual PC without hardware virtualisation unless `accel` says so.

    The disk is written through (`cache=writethrough`): what the guest was told is written lies in this machine's file,
    in the order in which it was written. What it was not told may be missing, as with a disk whose power is cut.
    """

    # qemu's user network: this machine's loopback address is there; nothing listens for anybody else.
    broker_host = "10.0.2.2"

    def __init__(self, made: Path, folder: Path, *, accel: str = "tcg", cpus: int = 2, memory_mb: int = 2048) -> None:
        self._made = made
        self._folder = folder
        self.disk = folder / "disk"
        self._accel, self._cpus, self._memory_mb = accel, cpus, memory_mb
        self._sockets = Path(tempfile.mkdtemp(prefix="guest-"))  # a socket's path must be short
        self._qemu: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._answers: dict[int, Done] = {}
        self._news = threading.Condition()
        self._number = 0
        self.boots: list[str] = []
        self.parcel: Path | None = None

    def new_disk(self) -> None:
        """A fresh copy of the bare system."""
        self._folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", self._made / "disk", self.disk], check=True)

    @property
    def off(self) -> bool:
        """Whether the power is off."""
        return self._qemu is None

    def power_on(self) -> None:
        """Switch on; returns at once."""
        path = self._sockets / "agent"
        path.unlink(missing_ok=True)
        cpu = "max,la57=off" if self._accel == "tcg" else "host"
        accel = "tcg,thread=multi" if self._accel == "tcg" else self._accel
        command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-machine", "q35", "-accel", accel, "-cpu", cpu, "-smp", str(self._cpus), "-m", str(self._memory_mb),
            "-kernel", self._made / "vmlinuz", "-initrd", self._made / "initrd",
            "-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 panic=5 quiet mitigations=off",
            "-drive", f"file={self.disk},format=raw,if=virtio,cache=writethrough",
            *(["-drive", f"file={self.parcel},format=raw,if=virtio,readonly=on"] if self.parcel else []),
            "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
            "-device", "virtio-rng-pci",
            "-serial", f"file:{self._folder / 'console.log'}", "-serial", "null",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={path},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=guest.agent",
        ]  # fmt: skip
        self.boots.clear()
        with (self._folder / "qemu.log").open("ab") as log:
            self._qemu = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
        self.power_on_s = time.monotonic()
        self._line = _connect(path, self._qemu)
        threading.Thread(target=self._listen, args=(self._line,), daemon=True).start()

    def wait_boot(self, boots: int = 1, timeout_s: float = BOOT_S) -> float:
        """Wait until the guest's agent has come up so many times since power on; returns seconds since then."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.boots) >= boots, timeout_s):
                raise GuestError(f"the guest did not start within {timeout_s:.0f} s: {self.console()[-600:]}")
        return time.monotonic() - self.power_on_s

    def run(self, script: str, timeout_s: float = 120.0) -> Done:
        """Run a bash script as root in the guest."""
        self._number += 1
        number = self._number
        request = json.dumps({"id": number, "run": script, "timeout_s": timeout_s}).encode() + b"\n"
        assert self._line is not None
        self._line.sendall(request)
        with self._news:
            if not self._news.wait_for(lambda: number in self._answers, timeout_s + 60.0):
                raise GuestError(f"the guest did not answer within {timeout_s + 60:.0f} s: {script[:200]}")
            return self._answers.pop(number)

    def reboot(self) -> float:
        """Restart in order; returns the seconds until the agent is there again."""
        before, started = len(self.boots), time.monotonic()
        self.run("systemd-run --quiet --on-active=1 --timer-property=AccuracySec=100ms systemctl reboot")
        self.wait_boot(before + 1)
        return time.monotonic() - started

    def cut_power(self) -> None:
        """`kill -9` of the virtual machine: nothing is flushed, nobody is told."""
        assert self._qemu is not None
        self._qemu.send_signal(signal.SIGKILL)
        self._ended()

    def power_off(self, timeout_s: float = 120.0) -> None:
        """Shut down in order; after `timeout_s` the power is cut."""
        if self._qemu is None:
            return
        try:
            self.run("systemd-run --quiet --on-active=1 systemctl poweroff", 20)
            self._qemu.wait(timeout_s)
        except (subprocess.TimeoutExpired, OSError, GuestError):
            self._qemu.kill()
        self._ended()

    def close(self) -> None:
        """Leave no process and no socket behind."""
        if self._qemu is not None:
            self._qemu.kill()
            self._ended()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def console(self) -> str:
        """What the guest said on its serial console since power on."""
        path = self._folder / "console.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _ended(self) -> None:
        assert self._qemu is not None
        self._qemu.wait()
        self._qemu = None
        if self._line is not None:
            self._line.close()
            self._line = None

    def _listen(self, line: socket.socket) -> None:
        data = b""
        while True:
            try:
                part = line.recv(65536)
            except OSError:
                return
            if not part:
                return
            *lines, data = (data + part).split(b"\n")
            for each in lines:
                self._heard(each)

    def _heard(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return  # a line that a restart cut in two
        with self._news:
            if "boot" in message:
                self.boots.append(message["boot"])
            else:
                self._answers[message["id"]] = Done(message["rc"], message["out"])
            self._news.notify_all()


def _connect(path: Path, qemu: subprocess.Popen[bytes]) -> socket.socket:
    deadline = time.monotonic() + 30
    while True:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(str(path))
        except OSError:
            line.close()
            if qemu.poll() is not None or time.monotonic() > deadline:
                raise GuestError("qemu did not start; see qemu.log in the guest's folder") from None
            time.sleep(0.05)
        else:
            return line
