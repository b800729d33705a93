"""Capture on the device: looks and votes go to the capturer where the settings switch it on; the rest is old files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, final

from comfywear.device.sight.vision_worker import VisionWorker
from comfywear.device.votes.voting import Voting
from comfywear.feedback.capture import CaptureFolder, Capturer, CaptureState, Look, Wanted
from comfywear.records import Box, Detection, Frame, Person
from comfywear.settings.feedback import CaptureSettings
from comfywear.system.supervisor import Pulse, Supervisor

_log = logging.getLogger(__name__)

FOLDER_NAME = "captures"
_DAY_S = 86_400.0


@final
class CaptureWorker:
    """Captures of one device.

    Args:
        folder: The state folder.
        settings: Whether, what and how much.
        voting: Its votes are captured too, and a deleted vote takes its captures with it.
        vision: Shows each of its looks; None without a camera.
        models: Role, id and hash of each model that looks.
    """

    def __init__(
        self,
        folder: Path,
        settings: CaptureSettings,
        voting: Voting,
        vision: VisionWorker | None,
        models: Callable[[], list[dict[str, Any]]],
    ) -> None:
        self._folder = CaptureFolder(folder / FOLDER_NAME, settings.max_mb * 1e6, settings.max_age_days * _DAY_S)
        self._capturer: Capturer | None = None
        voting.after_delete.append(self._forget)
        if vision is not None:
            vision.on_look = self.on_look
        if settings.enabled:
            wanted = Wanted(
                settings.random_part, settings.margin, settings.classes, settings.min_count, settings.max_count
            )
            self._capturer = Capturer(self._folder, settings.samplers, wanted, settings.gap_s, models=models)
            voting.after_vote.append(self._capturer.on_vote)

    def on_look(
        self,
        frame: Frame,
        detections: Sequence[Detection],
        persons: Sequence[Person],
        thresholds: Mapping[str, float],
    ) -> None:
        """Called with each frame in which was looked for people."""
        if self._capturer is not None:
            self._capturer.on_look(Look(frame.image, frame.monotonic_s, detections, persons, thresholds, frame.source))

    def on_correction(self, number: int, kind: Literal["reject", "miss"], frame: Frame, box: Box) -> None:
        """Called with what somebody said of a find; `box` in pixels of the frame."""
        if self._capturer is not None:
            self._capturer.on_correction(
                number, kind, Look(frame.image, frame.monotonic_s, (), (), {}, frame.source), box
            )

    def forget_correction(self, number: int) -> None:
        """A correction was taken back."""
        self._folder.forget_correction(number)

    def state(self) -> CaptureState:
        """For the page: whether captures are made, and what is kept."""
        if self._capturer is not None:
            return self._capturer.state()
        items, size = self._folder.size()
        return CaptureState(False, items, size)

    def add_worker(self, supervisor: Supervisor) -> None:
        """The worker that writes; where capture is off, what is too old goes now."""
        capturer = self._capturer
        if capturer is not None:
            supervisor.add("capture", lambda pulse: _work(capturer, pulse))
            return
        try:
            self._folder.prune()
        except OSError as error:
            _log.error("old captures cannot be deleted: %s", error)

    def _forget(self, vote_ids: list[str]) -> None:
        self._folder.forget_votes(vote_ids)


def _work(capturer: Capturer, pulse: Pulse) -> None:
    capturer.run(pulse.stop, pulse.beat)
