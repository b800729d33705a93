"""The power is cut while votes and telemetry are being written, again and again."""

from __future__ import annotations

import random
import statistics
import time

from machine import GuestError
from proof_report import Report
from scene import Scene

PRESSING = "while :; do for level in 1 2 3 4 5; do echo $level >/run/keypad; sleep 0.6; done; done"
WRITER = f"systemd-run --quiet --unit=guest-writer bash -c '{PRESSING}'"
# Where there is no keypad: the command line.
VOTE = "comfywear vote $level --zone desk --state-dir /var/lib/comfywear"
VOTING = f"while :; do for level in 1 2 3 4 5; do {VOTE}; done; done"
COMMAND_WRITER = f"systemd-run --quiet --unit=guest-writer bash -c '{VOTING}'"


class PowerCuts:
    """Rounds of: start, look, write, cut.

    A vote counts as acknowledged when somebody outside the guest was told: it came over MQTT, or the keypad's light was
    seen. All those must be in the store after every start.
    """

    def __init__(self, scene: Scene, report: Report) -> None:
        self._scene, self._report = scene, report
        self._lights = 0
        self._presses_before = 0
        self._starts_s: list[float] = []
        self._dice = random.Random(10)

    def prove(self, rounds: int) -> None:
        """Cut the power so many times; then everything that was stored must have come to the broker."""
        report, scene = self._report, self._scene
        if scene.devices:
            report.say(f"Power cuts ({rounds} × kill -9 of the virtual machine during writes)")
        else:
            report.say(f"Sudden ends ({rounds} × kill -9 of every process at once during writes; their files stay)")
        scene.wait_active()
        self._presses_before = self._presses()
        for number in range(1, rounds + 1):
            if not report.check(f"end {number}", self._round):
                report.say(self._scene.guest.console()[-400:])
                if self._scene.guest.off:
                    scene.guest.power_on()
                scene.guest.wait_boot()
                scene.wait_active()
        report.check("every stored vote came to the broker", self._all_sent)
        if self._starts_s:
            report.say(
                f"  from power to the first comfort message over {len(self._starts_s)} starts: median "
                f"{statistics.median(self._starts_s):.0f} s, {min(self._starts_s):.0f} to {max(self._starts_s):.0f} s"
            )

    def _presses(self) -> int:
        return sum(source.startswith("keypad:") for _, source in self._scene.stored())

    def _round(self) -> str:
        scene = self._scene
        before_cut = self._write_and_cut()
        acknowledged = set(scene.broker.votes())
        scene.guest.power_on()
        scene.guest.wait_boot()
        service = scene.wait_active()
        comfort = scene.next("zone/desk/comfort", scene.guest.power_on_s)
        self._starts_s.append(comfort.at_s - scene.guest.power_on_s)
        stored = {vote for vote, _ in scene.stored()}
        lost = acknowledged - stored
        if lost:
            raise GuestError(f"acknowledged and lost: {lost}")
        presses = self._presses() - self._presses_before
        if presses < self._lights:
            raise GuestError(f"{self._lights} lights were seen, {presses} presses are stored")
        scene.sound()
        wrong = scene.guest.run("dmesg | grep -E 'EXT4-fs (error|warning)|I/O error'").out.strip()
        if wrong:
            raise GuestError(f"the file system: {wrong[-300:]}")
        lights = f" and {self._lights} lights" if scene.devices else ""
        return (
            f"{before_cut}; started again, comfort after {self._starts_s[-1]:.0f} s, {len(acknowledged)} acknowledged "
            f"votes{lights} all among {len(stored)} stored; databases sound; “{service.status}”"
        )

    def _write_and_cut(self) -> str:
        scene = self._scene
        votes = len(scene.broker.votes())
        scene.guest.run("systemctl stop guest-writer.service")
        scene.guest.check(WRITER if scene.devices else COMMAND_WRITER)
        until_s = time.monotonic() + self._dice.uniform(4.0, 12.0)
        seen = earlier = scene.lights()
        while time.monotonic() < until_s or len(scene.broker.votes()) == votes:
            scene.broker.send("zone/shelf/vote/set", str(self._dice.randint(1, 5)))
            time.sleep(self._dice.uniform(0.05, 0.3))
            seen = max(seen, scene.lights())
            if time.monotonic() > until_s + 120:
                raise GuestError("nothing was written")
        self._scene.guest.cut_power()
        seen -= earlier
        self._lights += seen
        time.sleep(1.0)  # what was on its way to the broker arrives
        return f"{len(scene.broker.votes()) - votes} votes came to the broker" + (f", {seen} lights" if seen else "")

    def _all_sent(self) -> str:
        scene = self._scene
        stored = {vote for vote, _ in scene.stored()} - scene.earlier
        scene.guest.wait("every stored vote was heard", lambda: stored <= set(scene.broker.votes()), 300)
        return f"{len(stored)} votes"
