"""A day in a made office: when is somebody seen where nobody is, and nobody where somebody is?

    .venv/bin/python bench/made_day.py --data DATA [--model MODEL …] [--quick] [--rooms 3] [--every 1] [--clip DAY.avi]

DATA holds the data sets empty, ccp and rooms/teacher; of each only the validation part is used. Rooms are photos with
nobody in them, with a desk and a chair drawn in. People are cut out by their masks: teachers sit behind the desk,
people of the street walk through. The coat on the chair is cut out of a street photo without its wearer. Light follows
the day, and the night is dark, grey and noisy. Every frame stands for its minute by itself: what a device smooths over
time is left out. Nothing of it may be passed on: the photos' licences are those of the sets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from comfywear.system import arguments
from comfywear.vision.close_look import look_closely
from comfywear.vision.detectors.composed import open_detector
from comfywear.vision.drawing.clip_file import ClipFile
from comfywear_export.progress import counted

WIDTH, HEIGHT = 640, 480
DAY = 24 * 60
LIGHT, DARK = 6 * 60 + 30, 20 * 60 + 30
SEATED = ((0, 9 * 60, 12 * 60), (0, 13 * 60, 17 * 60), (1, 10 * 60, 12 * 60 + 15), (1, 14 * 60, 16 * 60))
WALKING = (
    *((m, m + 2) for m in (8 * 60 + 58, 9 * 60 + 58, 11 * 60, 12 * 60, 13 * 60, 14 * 60, 15 * 60 + 20, 17 * 60)),
    (19 * 60 + 30, 19 * 60 + 40),
)
COAT = (9 * 60, 20 * 60)
SEATS = ((0.42, 0.66), (0.62, 0.63))  # middle and desk's edge, in parts of width and height
CHAIR = (0.84, 0.60)
KINDS = ("night", "day, empty", "coat alone", "people")


@dataclass(frozen=True, eq=False)
class Cut:
    """A cut-out: `(H, W, 3) uint8` BGR and `(H, W) uint8`, 255 where it is."""

    image: NDArray[np.uint8]
    alpha: NDArray[np.uint8]


@dataclass(frozen=True)
class Minute:
    """What is there at a minute of the day: who sits where, whether somebody walks, and whether the coat hangs."""

    number: int
    seats: tuple[int, ...]
    walker: int | None
    coat: bool

    @property
    def people(self) -> int:
        """How many are in the room."""
        return len(self.seats) + (self.walker is not None)

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        if self.people:
            return "people"
        if self.coat:
            return "coat alone"
        return "day, empty" if LIGHT <= self.number < DARK else "night"


def plan(every: int = 1) -> list[Minute]:
    """The day, a minute a frame, or every so many."""
    minutes = []
    for number in range(0, DAY, every):
        seats = tuple(seat for seat, start, end in SEATED if start <= number < end)
        walks = [start for start, end in WALKING if start <= number < end]
        minutes.append(Minute(number, seats, walks[0] if walks else None, COAT[0] <= number < COAT[1]))
    return minutes


def listed(folder: Path, split: str = "validation") -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The images of a set's split with their annotations."""
    data = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
    own: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in data["images"]}
    for each in data["annotations"]:
        own[each["image_id"]].append(each)
    return [(image, own[image["id"]]) for image in data["images"] if image["split"] == split]


def read(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"{path}: not a readable picture")
    return np.asarray(image, np.uint8)


def cropped(image: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Cut:
    x, y, width, height = cv2.boundingRect(alpha)
    return Cut(image[y : y + height, x : x + width], alpha[y : y + height, x : x + width])


def teachers(data: Path) -> list[Cut]:
    """People cut out by the outline of their upper body."""
    folder, cuts = data / "rooms" / "teacher", []
    for image, own in listed(folder):
        if len(own) == 1 and own[0].get("segmentation"):
            photo = read(folder / image["file_name"])
            alpha = np.zeros(photo.shape[:2], np.uint8)
            outlines = [np.array(p, np.float32).reshape(-1, 2).round().astype(np.int32) for p in own[0]["segmentation"]]
            cv2.fillPoly(alpha, outlines, (255,))
            cuts.append(cropped(photo, alpha))
    return cuts


def walkers_and_coats(data: Path) -> tuple[list[Cut], list[Cut]]:
    """Whole people by their masks, and coats without whoever wears them."""
    folder = data / "ccp"
    names = {each["name"]: each["index"] for each in json.loads((folder / "labels.json").read_text(encoding="utf-8"))}
    walkers, coats = [], []
    for image, _ in listed(folder):
        # OpenCV would give a palette's colours, not its numbers.
        labels = np.array(Image.open(folder / image["mask_file"]), np.uint8)
        photo = read(folder / image["file_name"])
        if not (labels > 0).any():
            continue
        walkers.append(cropped(photo, np.where(labels > 0, 255, 0).astype(np.uint8)))
        coat = np.isin(labels, [names[name] for name in ("coat", "jacket", "cape") if name in names])
        if coat.mean() > 0.04:
            coats.append(cropped(photo, np.where(coat, 255, 0).astype(np.uint8)))
    return walkers, coats


def rooms(data: Path, count: int, seed: int) -> list[NDArray[np.uint8]]:
    """Photos with nobody in them, offices and other rooms in turns, each with a desk and a chair drawn in."""
    folder = data / "empty"
    names = [image["file_name"] for image, _ in listed(folder) if image.get("source") != "pets"]
    offices = [name for name in names if "office" in name.lower()]
    others = [name for name in names if "/houses/" in name]
    chance = np.random.default_rng(seed)
    kinds = [[kind[i] for i in chance.permutation(len(kind))] for kind in (offices, others) if kind] or [names]
    chosen = [kinds[i % len(kinds)][i // len(kinds) % len(kinds[i % len(kinds)])] for i in range(count)]
    return [furnished(cv2.resize(read(folder / name), (WIDTH, HEIGHT))) for name in chosen]


def furnished(room: NDArray[Any]) -> NDArray[np.uint8]:
    """The room with a plain desk and the back of a chair."""
    image = np.asarray(room, np.uint8).copy()
    x, y = (round(part * side) for part, side in zip(CHAIR, (WIDTH, HEIGHT), strict=True))
    cv2.rectangle(image, (x - 38, y - 8), (x + 38, y + 70), (52, 48, 46), -1)
    cv2.line(image, (x, y + 70), (x, y + 130), (40, 38, 36), 7)
    return image


def desk(image: NDArray[np.uint8]) -> None:
    """Draw the desk, in front of whoever sits there."""
    left, right, top = round(0.28 * WIDTH), round(0.76 * WIDTH), round(0.66 * HEIGHT)
    cv2.rectangle(image, (left, top), (right, top + 12), (96, 128, 160), -1)
    cv2.rectangle(image, (left + 8, top + 12), (right - 8, top + 120), (70, 96, 124), -1)


def lay(image: NDArray[np.uint8], cut: Cut, middle: float, bottom: float, height: float) -> None:
    """Lay a cut-out over the picture: its middle, its lower edge, its height in pixels; softly at the edges."""
    scale = height / cut.image.shape[0]
    size = (max(round(cut.image.shape[1] * scale), 2), max(round(height), 2))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(cut.image, size, interpolation=how)
    alpha = cv2.GaussianBlur(cv2.resize(cut.alpha, size, interpolation=how), (3, 3), 0)
    x, y = round(middle - size[0] / 2), round(bottom - size[1])
    x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + size[0], WIDTH), min(y + size[1], HEIGHT)
    if x2 <= x1 or y2 <= y1:
        return
    over = alpha[y1 - y : y2 - y, x1 - x : x2 - x, None].astype(np.float32) / 255
    part = picture[y1 - y : y2 - y, x1 - x : x2 - x]
    image[y1:y2, x1:x2] = (part * over + image[y1:y2, x1:x2] * (1 - over)).round().astype(np.uint8)


def drawn(
    minute: Minute, room: NDArray[np.uint8], sitters: Sequence[Cut], walkers: Sequence[Cut], coat: Cut, seed: int
) -> NDArray[np.uint8]:
    """The frame of a minute: `(480, 640, 3) uint8` BGR."""
    chance = np.random.default_rng((seed, minute.number))
    image = room.copy()
    if minute.coat:
        lay(image, coat, CHAIR[0] * WIDTH, CHAIR[1] * HEIGHT + 92, 118)
    for seat in minute.seats:
        # Who sits moves a little all the time, and turns now and then.
        sitter = sitters[(seat * 7 + minute.number // 25 + seed) % len(sitters)]
        x, y = SEATS[seat][0] * WIDTH + chance.normal(0, 2), SEATS[seat][1] * HEIGHT + 14 + chance.normal(0, 1)
        lay(image, sitter, x, y, 0.36 * HEIGHT)
    desk(image)
    if minute.walker is not None:
        walker = walkers[(minute.walker + seed * 31) % len(walkers)]
        lay(image, walker, chance.uniform(0.08, 0.92) * WIDTH, 0.97 * HEIGHT, chance.uniform(0.5, 0.72) * HEIGHT)
    return lit(image, minute, chance, grey=bool(np.ptp(room[: HEIGHT // 4].astype(int), axis=2).max() <= 8))


def lit(image: NDArray[np.uint8], minute: Minute, chance: np.random.Generator, grey: bool) -> NDArray[np.uint8]:
    """The picture in the light of the minute, with a camera's noise; with people in it the lamps are on."""
    day = LIGHT <= minute.number < DARK or minute.people > 0
    level = 0.2
    if day:
        level = 0.75 + 0.25 * float(np.sin(np.pi * np.clip((minute.number - LIGHT) / (DARK - LIGHT), 0, 1)))
    if not day or grey:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    noise = chance.normal(0, 3.0 if day else 7.0, image.shape)
    return (image * level + noise).clip(0, 255).astype(np.uint8)


def frames(data: Path, count: int, every: int, seed: int) -> Iterator[tuple[int, Minute, NDArray[np.uint8]]]:
    """Room by room the frames of the day, each with what is there."""
    sitters, (walkers, coats) = teachers(data), walkers_and_coats(data)
    if not sitters or not walkers or not coats:
        raise SystemExit(f"{data}: no people or no coat with masks in the validation parts of rooms/teacher and ccp")
    for number, room in enumerate(rooms(data, count, seed)):
        coat = coats[(seed + number) % len(coats)]
        for minute in plan(every):
            yield number, minute, drawn(minute, room, sitters, walkers, coat, seed + number)


def counts(seen: Sequence[tuple[Minute, int]], every: int, days: int) -> dict[str, Any]:
    """Minutes a day of false and of missed presence, and how far the count is off while people are there."""
    result: dict[str, Any] = {"false": {}, "minutes": {}}
    for kind in KINDS[:-1]:
        own = [found for minute, found in seen if minute.kind == kind]
        result["minutes"][kind] = len(own) * every / days
        result["false"][kind] = sum(found > 0 for found in own) * every / days
    own_people = [(minute.people, found) for minute, found in seen if minute.people]
    result["minutes"]["people"] = len(own_people) * every / days
    result["missed"] = sum(found == 0 for _, found in own_people) * every / days
    result["count_off"] = sum(abs(real - found) for real, found in own_people) / max(len(own_people), 1)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets empty, ccp and rooms/teacher")
    parser.add_argument("--model", action="append", help="a name or *.card.json; may be repeated (default detector)")
    parser.add_argument("--threshold", type=arguments.number(0.0, 1.0), help="of persons, instead of the card's")
    parser.add_argument("--quick", action="store_true", help="the quick look alone")
    parser.add_argument("--rooms", type=arguments.whole(1), default=3, help="how many rooms, a day each (default 3)")
    parser.add_argument("--every", type=arguments.whole(1), default=1, help="minutes between frames (default 1)")
    parser.add_argument(
        "--seed", type=arguments.whole(0, 2**32 - 1), default=0, help="which rooms, people and coats (default 0)"
    )
    parser.add_argument("--clip", type=Path, help="also write the first day as a clip, four frames a second")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    models = [open_detector(name, garments="", interval_s=0.0) for name in args.model or ["detector"]]
    limits = [args.threshold or model.thresholds["person"] for model in models]
    seen: list[list[tuple[Minute, int]]] = [[] for _ in models]
    total = args.rooms * len(plan(args.every))
    with ClipFile(args.clip, 4.0) if args.clip else nullcontext() as clip:
        for number, (room, minute, image) in enumerate(
            counted(frames(args.data, args.rooms, args.every, args.seed), "frames", total)
        ):
            if clip is not None and room == 0:
                clip.add(image, number / 4.0)
            for model, limit, own in zip(models, limits, seen, strict=True):
                look = model.detect if args.quick else partial(look_closely, model)
                own.append((minute, sum(each.label == "person" for each in look(image, threshold=limit))))
    results = []
    for model, limit, own in zip(models, limits, seen, strict=True):
        name = f"{model.card.name} {model.card.version}"
        how = {"model": name, "threshold": limit, "look": "quick" if args.quick else "far", "days": args.rooms}
        results.append({**how, **counts(own, args.every, args.rooms)})
    if args.json:
        print(json.dumps(results, indent=1))
        return
    for result in results:
        print(
            f"{result['model']} at {result['threshold']:.3f}, {result['look']} look; minutes a day, {args.rooms} days:"
        )
        for kind, false in result["false"].items():
            print(f"  {kind:12} a person is seen in {false:6.1f} of {result['minutes'][kind]:6.1f}")
        print(f"  {'people':12} nobody is seen in  {result['missed']:6.1f} of {result['minutes']['people']:6.1f}; "
              f"the count is {result['count_off']:.2f} off")  # fmt: skip


if __name__ == "__main__":
    main()
