"""Corrections of what the camera finds: given on the page, the command line or over MQTT, kept, listed, taken back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from comfywear.errors import UsageError
from comfywear.records import Box, Frame, Person
from comfywear.settings.views import ONLY, which_camera
from comfywear.system.clock import Clock, wall_time
from comfywear.system.json_file import load_json, save_json
from comfywear.texts import Text, builtins

if TYPE_CHECKING:
    from comfywear.vision.corrections import Correction

__all__ = ["MOST", "CorrectionBook"]

_log = logging.getLogger(__name__)

FILE_NAME = "corrections.json"
MOST = 100
_LEAST_SIDE = 0.005  # of a missed person's box, in parts of the picture

Verdict = Literal["reject", "miss"]
Seen = tuple[Frame, Sequence[Person]]
Pictures = Callable[[], Mapping[str, Seen]]
OnCorrection = Callable[[int, Verdict, Frame, Box], None]


class _File(msgspec.Struct, frozen=True):
    corrections: tuple[dict[str, Any], ...] = ()
    next_number: int = 1


class CorrectionBook:
    """The corrections of one device; any thread may call it.

    Args:
        folder: The state folder.
        pictures: The newest frame of each camera that gives pictures, with its persons.
        cameras: The names of all cameras.
        keep_crop: Called with each correction's number, kind, frame and box in pixels: for training.
        forget_crop: Called with the number of one that was taken back.
    """

    def __init__(
        self,
        folder: Path,
        pictures: Pictures,
        *,
        cameras: Sequence[str] = (ONLY,),
        keep_crop: OnCorrection = lambda *_: None,
        forget_crop: Callable[[int], None] = lambda _: None,
        clock: Clock = wall_time,
    ) -> None:
        self._path, self._pictures, self._clock = folder / FILE_NAME, pictures, clock
        self._cameras = tuple(cameras)
        self._keep_crop, self._forget_crop = keep_crop, forget_crop
        self._lock = threading.Lock()
        self._loaded: tuple[Correction, ...] | None = None
        self._next = 1

    def corrections(self, camera: str = "") -> tuple[Correction, ...]:
        """Those that hold, the oldest first; of one camera alone where it is named."""
        with self._lock:
            every = self._all()
        # What was said while there was a single camera stays with the first.
        return tuple(each for each in every if camera in ("", each.camera or self._cameras[0]))

    def reject(self, person: int) -> int:
        """What is shown as person number `person` is none; returns the correction's number.

        Raises:
            UsageError: Nobody with that number is seen, or there are too many corrections.
            StoreError: It cannot be kept; nothing has then changed.
        """
        pictures = self._pictures()
        if not pictures:
            raise UsageError(Text("there is no picture now"))
        for camera, (frame, persons) in pictures.items():
            for found in persons:
                if found.track_id == person:
                    return self._reject(camera, frame, found.box)
        seen = ", ".join(str(each.track_id) for _, persons in pictures.values() for each in persons) or Text("nobody")
        raise UsageError(Text("no find has the number {person} now; seen are: {seen}", person=person, seen=seen))

    def miss(self, box: Sequence[float], camera: str | None = None) -> int:
        """There is a person in `box`, x1 y1 x2 y2 in parts of the picture; returns the correction's number.

        Args:
            box: Where.
            camera: In whose picture; None = the only one.

        Raises:
            UsageError: That is no box within the picture, no such camera, or there are too many corrections.
            StoreError: It cannot be kept; nothing has then changed.
        """
        from comfywear.vision.corrections import pixels_of

        whole = len(box) == 4 and all(0.0 <= side <= 1.0 for side in box)
        if not whole or min(box[2] - box[0], box[3] - box[1]) < _LEAST_SIDE:
            raise UsageError(Text("a box is x1 y1 x2 y2 from 0 to 1, x1 left of x2 and y1 above y2"))
        name = which_camera(camera, self._cameras, Text("say in which camera's picture"))
        pictures = self._pictures()
        if name not in pictures:
            raise UsageError(Text("there is no picture now"))
        frame, _ = pictures[name]
        placed: Box = (box[0], box[1], box[2], box[3])
        number = self._add("miss", placed, (), name)
        height, width = frame.image.shape[:2]
        self._keep_crop(number, "miss", frame, pixels_of(placed, width, height))
        return number

    def undo(self, number: int) -> Correction:
        """Take a correction back, with the crop that was kept of it.

        Raises:
            UsageError: There is none with that number.
            StoreError: That cannot be kept; nothing has then changed.
        """
        with self._lock:
            every = self._all()
            gone = next((each for each in every if each.number == number), None)
            if gone is None:
                known = ", ".join(str(each.number) for each in every) or Text("none")
                raise UsageError(
                    Text("no correction has the number {number}; there are: {known}", number=number, known=known)
                )
            self._store(tuple(each for each in every if each is not gone), self._next)
        self._forget_crop(number)
        return gone

    def listed(self) -> dict[str, Any]:
        """What is found now and which corrections hold, boxes in parts of the picture; of several cameras, of which."""
        from comfywear.vision.corrections import parts_of

        several = len(self._cameras) > 1
        finds = [
            {
                "number": person.track_id,
                "zone": person.zone,
                "score": round(person.score, 2),
                "box": _rounded(parts_of(person.box, frame.image.shape[1], frame.image.shape[0])),
                **({"camera": camera} if several else {}),
            }
            for camera, (frame, persons) in self._pictures().items()
            for person in persons
        ]
        holds = [
            {
                "number": each.number,
                "kind": each.kind,
                "box": _rounded(each.box),
                "ts": each.ts,
                **({"camera": each.camera or self._cameras[0]} if several else {}),
            }
            for each in self.corrections()
        ]
        return {"finds": finds, "corrections": holds}

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the control socket's verb "finds" does: `do` is list, reject, miss or undo, with what it needs."""
        do = request.get("do")
        if do == "list":
            return self.listed()
        if do == "miss":
            box = request.get("box")
            if not isinstance(box, list) or not all(isinstance(side, int | float) for side in box):
                raise UsageError(Text("miss needs a box of four numbers"))
            camera = request.get("camera")
            if not isinstance(camera, str | None):
                raise UsageError(Text("a camera is named by a text"))
            return {"number": self.miss(box, camera)}
        number = request.get("number")
        if do not in ("reject", "undo") or not isinstance(number, int) or isinstance(number, bool):
            raise UsageError(Text("finds are listed, rejected or missed, and corrections undone, by number"))
        if do == "reject":
            return {"number": self.reject(number)}
        return {"kind": self.undo(number).kind}

    def _reject(self, camera: str, frame: Frame, box: Box) -> int:
        from comfywear.vision.corrections import packed, parts_of
        from comfywear.vision.still_finds import signature

        height, width = frame.image.shape[:2]
        number = self._add("reject", parts_of(box, width, height), packed(signature(frame.image, box)), camera)
        self._keep_crop(number, "reject", frame, box)
        return number

    def _add(self, kind: Verdict, box: Box, look: tuple[int, ...], camera: str) -> int:
        from comfywear.vision.corrections import Correction

        ts, time_ok = self._clock()
        with self._lock:
            every = self._all()
            if len(every) >= MOST:
                raise UsageError(Text("{most} corrections are kept at most; take one back first", most=MOST))
            number = self._next
            where = camera if len(self._cameras) > 1 else ""
            self._store((*every, Correction(number, kind, box, look, ts if time_ok else None, where)), number + 1)
        return number

    def _all(self) -> tuple[Correction, ...]:
        if self._loaded is None:
            from comfywear.vision.corrections import Correction

            file = load_json(self._path, _File())
            try:
                found = msgspec.convert(file.corrections, tuple[Correction, ...])
            except msgspec.ValidationError as error:
                _log.error("%s cannot be read and is passed over (%s)", self._path, error)
                found = ()
            self._loaded = found
            self._next = max([file.next_number, *(each.number + 1 for each in found)])
        return self._loaded

    def _store(self, corrections: tuple[Correction, ...], next_number: int) -> None:
        save_json(self._path, _File(tuple(builtins(each) for each in corrections), next_number))
        self._loaded, self._next = corrections, next_number


def _rounded(box: Box) -> list[float]:
    return [round(side, 3) for side in box]
