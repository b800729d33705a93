"""What several tests of the page share: a page that runs, of a device made up or real."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from page_bench import Bench
from page_desk import Desk
from page_plan import Plan

from comfywear import web
from comfywear.errors import StoreError, UsageError
from comfywear.settings.draft import DraftFault, checked_draft
from comfywear.settings.form import settings_form

TOKEN = "correct horse battery"


class MadeUp:
    """A device with two zones that keeps its votes in a list; `full` makes its disk full."""

    def __init__(self) -> None:
        self.votes: list[tuple[str | None, int, str, str | None]] = []
        self.sent: list[tuple[str | None, float]] = []  # each vote's own id, and how long ago it was pressed
        self.undone: list[str] = []
        self.full = False
        self.picture: bytes | None = None
        self.corrections: dict[int, Literal["reject", "miss"]] = {}
        self.missed: list[tuple[float, ...]] = []
        self.missed_in: list[str | None] = []
        self.several: tuple[str, ...] = ()
        self.shown: list[str] = []  # whose sketches
        self.dark: list[bool] = []  # which of them for a dark page
        self.private = self.grey = False
        self.presence: web.PresenceNow | None = None
        self.plan = Plan()
        self.made: list[Path] = []
        self.changed: list[tuple[str, str, str]] = []
        self.bench = Bench()
        self.desk = Desk()

    def zones(self) -> Sequence[web.Zone]:
        return [web.Zone("desk", "Desk"), web.Zone("window", "Window")]

    def now(self, zone: str) -> web.Now:
        comfort = web.ComfortNow(0.6, 3, {"cooler": 0.4, "no change": 0.5, "warmer": 0.1}, (), None)
        air = web.AirNow(24.0, 45.0, None)
        return web.Now(
            zone,
            air,
            (),
            None,
            comfort,
            None,
            None,
            len(self.votes),
            web.Recording(False),
            sketch="on" if self.picture else "off",
            cameras=self.looking(),
            presence=self.presence,
            grey=self.grey,
            lines=(web.LineNow("door", 3, 2),),
        )

    def day(self, zone: str, span: web.Span = "day") -> web.Day:
        return web.Day(zone, 0.0, {"day": 1, "week": 7, "month": 30}[span] * 86400.0, True, (), ())

    def vote(
        self,
        zone: str | None,
        level: int,
        source: str,
        person: str | None,
        *,
        vote_id: str | None = None,
        age_s: float = 0.0,
    ) -> web.Accepted:
        self.sent.append((vote_id, age_s))
        if self.full:
            raise StoreError("the disk is full")
        if not 1 <= level <= 5:
            raise UsageError(f"{level} is no vote")
        self.votes.append((zone, level, source, person))
        return web.Accepted(f"id{len(self.votes)}", zone or "desk", level, 60.0, None)

    def undo(self, vote_id: str) -> None:
        self.undone.append(vote_id)

    def cameras(self) -> Sequence[str]:
        return list(self.several)

    def sketch(self, camera: str, *, dark: bool = False) -> bytes | None:
        self.shown.append(camera)
        self.dark.append(dark)
        return self.picture

    def finds(self) -> web.Finds:
        holds = tuple(web.HeldCorrection(n, kind, (0.0, 0.0, 1.0, 1.0), None) for n, kind in self.corrections.items())
        found = web.Find(7, "desk", 0.9, (0.25, 0.25, 0.5, 0.75))
        return web.Finds((found,) if self.picture else (), holds)

    def reject(self, person: int) -> int:
        if person != 7:
            raise UsageError(f"no find has the number {person}")
        self.corrections[len(self.corrections) + 1] = "reject"
        return len(self.corrections)

    def miss(self, box: Sequence[float], camera: str | None) -> int:
        self.missed_in.append(camera)
        self.missed.append(tuple(box))
        self.corrections[len(self.corrections) + 1] = "miss"
        return len(self.corrections)

    def take_back(self, correction: int) -> None:
        if self.corrections.pop(correction, None) is None:
            raise UsageError(f"no correction has the number {correction}")

    def switch_privacy(self, on: bool, camera: str | None) -> Sequence[web.Looking]:
        if camera not in (None, "camera"):
            raise UsageError(f"no camera is named {camera!r}")
        self.private = on
        return self.looking()

    def looking(self) -> tuple[web.Looking, ...]:
        return (web.Looking("camera", self.private),)

    def drawings(self) -> Plan:
        return self.plan

    def calibrations(self) -> Bench:
        return self.bench

    def settings(self) -> Sequence[web.SettingsTable]:
        return []

    def make_backup(self, passphrase: str | None) -> web.MadeBackup:
        if passphrase is not None and len(passphrase) < 12:
            raise UsageError("a passphrase has 12 characters or more")
        made = Path(tempfile.mkdtemp()) / "made"
        made.write_bytes(b"PK" + (passphrase or "").encode())
        self.made.append(made)
        return web.MadeBackup(made, "home-d1.comfywear")

    def restores(self) -> Desk:
        return self.desk

    def changes(self) -> Sequence[web.ListedChange]:
        return [web.ListedChange(None, *each) for each in reversed(self.changed)]

    def note_change(self, what: str, detail: str, origin: str) -> None:
        self.changed.append((what, detail, origin))

    def settings_form(self) -> web.SettingsForm:
        return web.SettingsForm("1", "device.toml", None, {}, settings_form(), web.SettingsOutcome("none"))

    def check_settings(self, draft: web.SettingsDraft) -> Sequence[DraftFault]:
        return checked_draft(draft.values)[1]

    def save_settings(self, draft: web.SettingsDraft) -> web.SettingsSaved:
        return web.SettingsSaved(True)

    def settings_outcome(self) -> web.SettingsOutcome:
        return web.SettingsOutcome("kept")

    def metrics(self) -> bytes:
        return b"# HELP made_up A number.\nmade_up 1.0\n"


@contextmanager
def serving(
    device: web.PageDevice,
    token: str = "",
    host: str = "127.0.0.1",
    others: Sequence[tuple[str, web.Role]] = (),
    tls: web.PageTls | None = None,
    **options: Any,
) -> Iterator[str]:
    """The page's address while it runs."""
    access, stop = web.Access(token, b"s" * 32, others=others), threading.Event()
    page = web.PageServer(device, access, host=host, tls=tls, **options)
    worker = threading.Thread(target=page.run, args=(stop, lambda: None))
    worker.start()
    try:
        deadline = time.monotonic() + 90
        while page.url is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield page.url.replace("0.0.0.0", "127.0.0.1").rstrip("/")
    finally:
        stop.set()
        worker.join(60)
        assert not worker.is_alive(), "the page ends when it is told to"
