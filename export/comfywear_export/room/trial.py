"""What fitting to a room is worth: a simulated camera, one row an arm and a seed; finished rows are kept.

Arms: the model as it is; the same training without the room (source photos alone); self-training; self-training with k
labels by people, asked for by uncertainty and diversity or at random; all labels of the pool.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from comfywear_export.data.datasets import Photo, read_photo
from comfywear_export.measure.detection import FLOOR, Tally
from comfywear_export.nets.trunk_maps import TrunkMaps
from comfywear_export.room.adapting import Room, adapt
from comfywear_export.room.asking import promising
from comfywear_export.room.camera import as_in_the_room
from comfywear_export.room.finding import finds, tallied
from comfywear_export.room.gate import Kept, held, mixed, passed
from comfywear_export.room.pseudo import precise_thresholds
from comfywear_export.room.splitting import families, halves
from comfywear_export.training.loop import Plan

__all__ = ["ASKED", "Sets", "Settings", "arms", "seed_rows", "simulated"]

ASKED = (10, 30, 100)
"""How many labels are asked for."""
_THRESHOLD = 0.3  # for recall and precision, which are not shown: AP needs none
_QUALITY = 90


@dataclass(frozen=True)
class Settings:
    """Of a trial.

    Attributes:
        size: Side of the detector's input, pixels.
        pool: Photos of the room that may be learnt from; the others measure.
        steps: Of each training.
        batch: Views a step.
        rate: Peak learning rate of neck and heads.
        precision: That the teacher's labels are to have, measured on photos of elsewhere.
        refresh: Steps between two labellings by the teacher.
        versions: Different views of each photo of the room.
        may_lose: What the gate allows on photos of elsewhere.
    """

    size: int
    pool: int = 120
    steps: int = 200
    batch: int = 8
    rate: float = 1e-3
    precision: float = 0.8
    refresh: int = 50
    versions: int = 2
    may_lose: float = 0.01


@dataclass(frozen=True)
class Sets:
    """Photos of a trial.

    Attributes:
        train: Labelled photos of elsewhere to learn from.
        level: Photos with every person labelled that no training has seen: they become the room.
        room: The same photos in the same order, as the room's camera would have taken them.
        garments: Photos with garments for the gate and for the teacher's thresholds, in halves.
    """

    train: Sequence[Photo]
    level: Sequence[Photo]
    room: Sequence[Photo]
    garments: Sequence[Photo]


def simulated(photos: Sequence[Photo], folder: Path) -> list[Photo]:
    """The photos as the room's camera would have taken them, written to `folder` as JPEG."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, photo in enumerate(photos):
        image, boxes = as_in_the_room(read_photo(photo.path), photo.boxes, number)
        path = folder / f"{photo.path.stem}.jpg"
        if not path.is_file():
            part = path.with_suffix(".part.jpg")
            cv2.imwrite(str(part), image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            part.replace(path)
        made.append(replace(photo, path=path, width=image.shape[1], height=image.shape[0], boxes=boxes))
    return made


def arms(asked: Sequence[int] = ASKED) -> list[str]:
    """Names of all arms in the order in which they are run."""
    some = [f"{how} {k}" for k in asked for how in ("asked", "random")]
    return ["before", "self-training", *some, "source only", "all labels"]


def seed_rows(
    net: Any,
    sets: Sets,
    settings: Settings,
    seed: int,
    names: Sequence[str],
    folder: Path,
    maps: TrunkMaps,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Rows of one seed, an arm each; those in `folder/rows` are read instead of run again.

    A row has `seed`, `arm`, `labels` (photos), `boxes`, `room` (person AP50 on the measuring photos of the room),
    `source_person` and `source_garments` (AP50 on photos of elsewhere), `share` (of the new weights that the gate let
    through) and `room_released` (of the weights that it let through).
    """
    (folder / "rows").mkdir(parents=True, exist_ok=True)
    # Which photos measure changes with the seed, so that the intervals hold that chance, too.
    pool, test = halves(families([read_photo(p.path) for p in sets.level]), settings.pool, np.random.default_rng(seed))
    trial = _Trial(net, sets, settings, seed, pool, test, folder, maps, say)
    rows = []
    for name in names:
        path = folder / "rows" / f"{seed}-{name.replace(' ', '-')}.json"
        if not path.is_file():
            row = trial.row(name)
            path.with_suffix(".part").write_text(json.dumps(row) + "\n", encoding="utf-8")
            path.with_suffix(".part").replace(path)
        rows.append(json.loads(path.read_text(encoding="utf-8")))
        say(_line(rows[-1]))
    return rows


class _Trial:
    """One seed: its split, what the first model says of it, and the arms."""

    def __init__(
        self,
        net: Any,
        sets: Sets,
        settings: Settings,
        seed: int,
        pool: list[int],
        test: list[int],
        folder: Path,
        maps: TrunkMaps,
        say: Callable[[str], None],
    ) -> None:
        self.net, self.sets, self.settings, self.seed = net, sets, settings, seed
        self.folder, self.maps, self.say = folder, maps, say
        self.pool = [sets.room[i] for i in pool]
        self.test = [sets.room[i] for i in test]
        self.known = [*(sets.level[i] for i in pool), *sets.garments[::2]]  # for the teacher's thresholds
        self.elsewhere = [*(sets.level[i] for i in test), *sets.garments[1::2]]  # for the gate
        self._views: dict[Any, Any] = {}  # of the source, which all arms share
        self._first: tuple[dict[str, float], Kept] | None = None

    def first(self) -> tuple[dict[str, float], Kept]:
        """The teacher's thresholds and the figures on photos of elsewhere, computed once."""
        if self._first is None:
            size = self.settings.size
            thresholds = precise_thresholds(tallied(self.net, self.maps, size, self.known), self.settings.precision)
            self.say(f"believed from: { {name: round(t, 2) for name, t in thresholds.items()} }")
            self._first = thresholds, _kept(tallied(self.net, self.maps, size, self.elsewhere))
        return self._first

    def chosen(self, name: str) -> list[int]:
        """Numbers in the pool that an arm asks labels for."""
        how, _, number = name.partition(" ")
        if name == "all labels":
            return list(range(len(self.pool)))
        if how == "random":
            order = np.random.default_rng([self.seed, 1]).permutation(len(self.pool))
            return [int(i) for i in order[: int(number)]]
        if how == "asked":
            size = self.settings.size
            return promising(
                finds(self.net, self.maps, size, self.pool, FLOOR), self.maps, size, self.pool, int(number)
            )
        return []

    def row(self, name: str) -> dict[str, Any]:
        """Train and measure one arm."""
        thresholds, before = self.first()
        size = self.settings.size
        asked = self.chosen(name)
        row: dict[str, Any] = {"seed": self.seed, "arm": name, "labels": len(asked)}
        row["boxes"] = int(sum(len(self.pool[i].persons) for i in asked))
        row["test_photos"], row["test_persons"] = len(self.test), sum(len(p.persons) for p in self.test)
        if name == "before":
            ap = tallied(self.net, self.maps, size, self.test).person(_THRESHOLD)["ap50"]
            return row | {"room": ap, "room_released": ap, "share": 0.0, **_source(before)}
        own = [] if name == "source only" else [p for i, p in enumerate(self.pool) if i not in set(asked)]
        room = Room(self.sets.train, own, [self.pool[i] for i in asked], thresholds)
        plan = Plan(
            60.0, self.settings.batch, trunk_rate=0.0, head_rate=self.settings.rate, average=0.9, settle=0,
            seed=self.seed, steps=self.settings.steps, warm_up=10,
        )  # fmt: skip
        folder = self.folder / f"{self.seed}-{name.replace(' ', '-')}"
        done = adapt(
            self.net, size, room, plan, folder, self.maps, refresh=self.settings.refresh,
            versions=self.settings.versions, kept=self._views, say=self.say,
        )  # fmt: skip
        new = done.net.state_dict()

        def measure(weights: Mapping[str, Any]) -> Kept:
            done.net.load_state_dict(weights)
            return _kept(tallied(done.net, self.maps, size, self.elsewhere))

        old, new = self.net.state_dict(), {k: v.clone() for k, v in new.items()}
        ap = tallied(done.net, self.maps, size, self.test).person(_THRESHOLD)["ap50"]
        through = passed(old, new, measure, before, self.settings.may_lose)
        released = ap
        if through.share < 1:
            done.net.load_state_dict(mixed(old, new, through.share))
            released = tallied(done.net, self.maps, size, self.test).person(_THRESHOLD)["ap50"]
        after = Kept(**through.figures["1"])
        row |= {"room": ap, "room_released": released, "share": through.share, **_source(after)}
        return row | {"held": held(before, after, self.settings.may_lose), "seconds": round(done.seconds, 1)}


def _kept(tally: Tally) -> Kept:
    return Kept(tally.person(_THRESHOLD)["ap50"], tally.garments()["map50"])


def _source(kept: Kept) -> dict[str, float]:
    return {f"source_{name}": value for name, value in asdict(kept).items()}


def _line(row: Mapping[str, Any]) -> str:
    return (
        f"seed {row['seed']}  {row['arm']:14} {row['labels']:4} labels {row['boxes']:4} boxes  room {row['room']:.3f}  "
        f"elsewhere {row['source_person']:.3f} / {row['source_garments']:.3f}  share {row['share']:g}"
    )
