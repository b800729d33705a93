"""What every proof needs: the guest, the broker outside it, and the words in which they are asked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker import Broker, Heard
from machine import GuestError, Machine

STATE = "/var/lib/private/comfywear"
# Of an emulated processor on a busy machine.
PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Service:
    """The service as systemd sees it."""

    state: str
    pid: int
    restarts: int
    status: str
    result: str


class Scene:
    """One guest with its broker.

    Args:
        guest: The machine.
        broker: Outside it.
        package: The Debian package.
        devices: Whether the guest has a camera, a serial sensor, an I2C chip and a keypad of its own.
    """

    def __init__(self, guest: Machine, broker: Broker, package: Path, *, devices: bool = True) -> None:
        self.guest, self.broker, self.package, self.devices = guest, broker, package, devices
        # Votes of a run before this one, which went to the broker of that run.
        self.earlier: frozenset[str] = frozenset()

    def service(self) -> Service:
        """How the service is."""
        names = "ActiveState,MainPID,NRestarts,StatusText,Result"
        shown = self.guest.check(f"systemctl show comfywear.service -p {names}")
        facts = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        return Service(
            facts["ActiveState"], int(facts["MainPID"]), int(facts["NRestarts"]), facts["StatusText"], facts["Result"]
        )

    def wait_active(self, timeout_s: float = PATIENCE_S, not_pid: int = 0) -> Service:
        """Wait until the service is active (with another process than `not_pid`)."""

        def active() -> Service | None:
            service = self.service()
            return service if service.state == "active" and service.pid not in (0, not_pid) else None

        found: Service = self.guest.wait("the service is active", active, timeout_s)
        return found

    def stored(self) -> list[tuple[str, str]]:
        """(id, source) of every vote in the device's store that was not taken back, oldest first."""
        text = self.guest.check(
            f"sqlite3 -cmd '.timeout 20000' -separator ' ' {STATE}/votes.sqlite "
            "'SELECT id, source FROM votes ORDER BY rowid'"
        )
        return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in text.splitlines()]

    def press(self, level: int) -> None:
        """Press a key of the guest's keypad; where there is none, vote by the command line."""
        if self.devices:
            self.guest.check(f"echo {level} > /run/keypad")
        else:
            self.vote(level, "desk")

    def vote(self, level: int, zone: str) -> str:
        """Vote by the command line, as root; returns what it says."""
        command = f"comfywear vote {level} --zone {zone} --state-dir /var/lib/comfywear"
        return self.guest.check(command, 180).splitlines()[-1]

    def lights(self) -> int:
        """How often the keypad's light went on since the guest started: each time a press was stored."""
        return int(self.guest.check("cat /run/keypad-lights 2>/dev/null | wc -l"))

    def next(self, topic: str, since_s: float, timeout_s: float = PATIENCE_S, **wanted: Any) -> Heard:
        """The first message on a topic since then whose fields are `wanted` (a set: one of it)."""

        def fits(body: dict[str, Any]) -> bool:
            return all(
                body.get(name) in (value if isinstance(value, set) else {value}) for name, value in wanted.items()
            )

        def found() -> Heard | None:
            return next((each for each in self.broker.heard(topic, since_s) if fits(each.body)), None)

        deadline = time.monotonic() + timeout_s
        while (each := found()) is None:
            if time.monotonic() > deadline:
                last = self.broker.heard(topic, since_s)[-1:]
                raise GuestError(f"no {topic} with {wanted} within {timeout_s:.0f} s; the last: {last or 'none'}")
            time.sleep(0.2)
        return each

    def journal(self, since: str = "-1h") -> str:
        """The service's journal."""
        return self.guest.check(f"journalctl -u comfywear.service -o cat --since={since} --no-pager")

    def sound(self) -> str:
        """Hold every database against its own checks.

        Raises:
            GuestError: When one is not sound, or was found damaged at a start.
        """
        script = (
            f"cd {STATE} && for each in *.sqlite; do "
            "printf '%s ' $each; sqlite3 -cmd '.timeout 20000' $each 'PRAGMA integrity_check'; done; "
            "ls | grep damaged || true"
        )
        found = self.guest.check(script, 300).splitlines()
        wrong = [line for line in found if not line.endswith(" ok")]
        if wrong or len(found) < 2:
            raise GuestError(f"databases: {wrong or found}")
        return ", ".join(found)
