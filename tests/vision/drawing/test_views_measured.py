"""The room's view measured on photos: one knows the room, and one knows nobody, also where the detector is off.

The photos are in the folder of data sets (COMFYWEAR_DATA); figures are printed (-s) and stand in docs/page.md. Where
COMFYWEAR_PAINTER names a card of `comfywear-export card painter`, what that paints is measured beside the views.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from face_finders import faces, finders, opencv4
from numpy.typing import NDArray

from comfywear.device.sight.frame_step import WEAK
from comfywear.records import Frame, Person
from comfywear.vision import AttributeModel, Detector, PersonBook
from comfywear.vision.drawing.plate import SETTLE_S
from comfywear.vision.drawing.room_view import RoomView, first_view
from comfywear.vision.drawing.sketch import sketch
from comfywear.vision.motion import MotionMap
from comfywear_export.measure.painting import Painter

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
View = Callable[[Image], Image]


def stood_still(image: Image, *, dark: bool = False) -> Image:
    """The view after minutes in which the camera saw this picture and nothing else, and nobody found anybody in it."""
    view, motion, now_s = RoomView(), MotionMap(), 0.0
    while now_s <= SETTLE_S + 5:
        motion.add(image, now_s)
        view.add(image, now_s, (), motion)
        now_s += 10.0
    drawn = view.draw((), dark=dark)
    assert drawn is not None
    assert view.plate.cells.all()
    return drawn


@functools.cache
def looking() -> tuple[Detector, AttributeModel]:
    return Detector.load("detector"), AttributeModel.load("attributes")


def with_figures(image: Image) -> Image:
    """As `stood_still`, with the detector on: whoever it finds stays outside the plate and is drawn."""
    detector, attributes = looking()
    finds = detector.detect(image, threshold=WEAK)
    book = PersonBook(thresholds=detector.thresholds)
    persons: list[Person] = []
    for second in range(3):  # whoever is seen once may be nobody
        frame = Frame(image, second, float(second), "photo")
        persons = book.update(frame, finds, attributes)
    weak = [each.box for each in finds if each.label == "person"]
    view, motion, now_s = RoomView(), MotionMap(), 0.0
    while now_s <= SETTLE_S + 5:
        motion.add(image, now_s)
        view.add(image, now_s, [each.box for each in persons], motion, weak)
        now_s += 10.0
    drawn = view.draw(persons)
    assert drawn is not None
    return drawn


def colours_alone(image: Image) -> Image:
    """What is left where nothing but the colours of thirty places is known."""
    small = cv2.resize(image, (5, 6), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC), np.uint8)


@functools.cache
def painter() -> Painter:
    return Painter(Path(os.environ["COMFYWEAR_PAINTER"]))


def painted(image: Image) -> Image:
    """The picture as it is painted from its edges, with nobody and nothing found in it."""
    return painter().painted(image)


def painted_in_garments(image: Image) -> Image:
    """As `painted`, with the detector on: the painter is told the colours of the garments, too."""
    finds = looking()[0].detect(image)
    return painter().painted(image, [each.box for each in finds if each.label != "person"])


PAINTED: dict[str, View] = (
    {"painted": painted, "painted, detector on": painted_in_garments} if "COMFYWEAR_PAINTER" in os.environ else {}
)
VIEWS: dict[str, View] = {"sketch": sketch, "room, at once": first_view, "room, after minutes": stood_still} | PAINTED
# How many of the photos CenterFace may find a face on, as a part of them: at least, at most.
FACES: dict[str, tuple[View, float, float]] = {
    "photo": (lambda image: image, 0.5, 1.0),
    "sketch": (sketch, 0.0, 0.12),
    "room, at once": (first_view, 0.0, 0.005),
    # Nobody enters the plate (below); were somebody in it all the same, a detector should still find no face.
    "room, after minutes": (stood_still, 0.0, 0.005),
    "room, after minutes, dark": (functools.partial(stood_still, dark=True), 0.0, 0.005),
    "room, detector on": (with_figures, 0.0, 0.005),
    **{name: (view, 0.0, 0.5) for name, view in PAINTED.items()},
}


def read(path: Path, width: int, height: int) -> Image:
    return np.asarray(cv2.resize(cv2.imread(str(path)), (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def listed(folder: Path, split: str = "validation") -> list[Path]:
    images = json.loads((folder / "instances.json").read_text())["images"]
    return [folder / each["file_name"] for each in images if each.get("split", split) == split]


def layout_and_edges(image: Image) -> Floats:
    """A plain description of a picture: colours of 16 × 12 cells, and the directions of the edges in each."""
    small = cv2.resize(image, (160, 120), interpolation=cv2.INTER_AREA)
    colours = cv2.resize(cv2.cvtColor(small, cv2.COLOR_BGR2LAB), (16, 12), interpolation=cv2.INTER_AREA).astype(float)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength, turn = np.hypot(dx, dy), np.mod(np.arctan2(dy, dx), np.pi)
    parts = [
        cv2.resize(
            np.where((turn * 4 / np.pi).astype(int) % 4 == way, strength, 0), (16, 12), interpolation=cv2.INTER_AREA
        )
        for way in range(4)
    ]
    halves = [(colours - colours.mean(axis=(0, 1))) / (colours.std(axis=(0, 1)) + 1.0), np.sqrt(np.dstack(parts))]
    return np.concatenate([(half - half.mean()).ravel() / np.linalg.norm(half - half.mean()) for half in halves])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_right_room_is_found_among_a_hundred_by_its_view(shared_data: Path) -> None:
    photos = [path for path in listed(shared_data / "empty") if "/houses/" in str(path)]
    chosen = [photos[index] for index in np.random.default_rng(1).permutation(len(photos))[:100]]
    rooms = [read(path, 640, 480) for path in chosen]
    known = np.stack([layout_and_edges(room) for room in rooms])
    noise = np.random.default_rng(2)
    right, edges = {}, {}
    for name, view in VIEWS.items():
        # A frame is not the photo: other light, and noise.
        frames = [np.clip(room * 0.7 + noise.normal(0, 6, room.shape), 0, 255).astype(np.uint8) for room in rooms]
        seen = np.stack([layout_and_edges(view(frame)) for frame in frames])
        for found, part in ((right, slice(None)), (edges, slice(16 * 12 * 3, None))):
            found[name] = int((np.argmax(seen[:, part] @ known[:, part].T, axis=1) == np.arange(len(rooms))).sum())
    print(f"\nrooms found among {len(rooms)}: {right}; by edges alone: {edges}")
    assert right["room, after minutes"] >= 0.95 * len(rooms)


def with_people(shared_data: Path) -> list[Path]:
    return [
        path
        for name in ("people", "rooms/cafe", "rooms/office-lobby", "rooms/teacher")
        for path in listed(shared_data / name)
    ]


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", FACES)
def test_no_face_is_found_in_the_view_of_anybody_though_nobody_was_detected(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    python, drawn, (view, least, most) = opencv4(), list[Path](), FACES[name]
    photos = with_people(shared_data)
    for number, photo in enumerate(photos):
        drawn.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(drawn[-1]), view(np.asarray(cv2.imread(str(photo)), np.uint8)))
    found = faces(python, drawn)
    figures = {one: sum(one in each for each in found.values()) for one in finders(python)}
    print(f"\n{name}: faces on {sum(map(bool, found.values()))} of {len(photos)}: {figures}")
    print({photo.name: each for photo, each in zip(photos, found.values(), strict=True) if each and name != "photo"})
    assert least <= figures.get("centerface", least * len(photos)) / len(photos) <= most
    # The cascades take some patterns of lines for faces, where there are none: on stairs, windows, shelves.
    assert name in ("photo", *PAINTED) or sum(map(bool, found.values())) <= 0.12 * len(photos)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nobody_is_known_again_by_their_view(shared_data: Path) -> None:
    folder = shared_data / "ccp"
    people = listed(folder)[:60]
    photos = [np.asarray(cv2.imread(str(path)), np.uint8) for path in people]
    # The other view: smaller, a little to the side, in other light.
    others = [np.asarray(cv2.resize(p[:, p.shape[1] // 12 :], None, fx=0.8, fy=0.8) * 0.85, np.uint8) for p in photos]
    model = AttributeModel.load("attributes")

    def again(view: View) -> float:
        one, other = (described(model, [view(image) for image in images]) for images in (photos, others))
        apart = np.abs(one[:, None] - other[None]).mean(axis=2)
        return float((np.argmin(apart, axis=1) == np.arange(len(people))).mean())

    views: dict[str, View] = {"photo": lambda image: image, "colours": colours_alone, "sketch": sketch}
    views |= {
        "room, at once": first_view,
        "room, after minutes": stood_still,
        "room, detector on": with_figures,
    } | PAINTED
    shares = {name: again(view) for name, view in views.items()}
    print(f"\nknown again among {len(people)}: {shares}")
    assert shares["photo"] > 0.5
    assert shares["room, at once"] <= shares["colours"] + 0.1


def described(model: AttributeModel, crops: Sequence[Image]) -> Floats:
    """What the attribute model says of each, as logits cut at ±4, as for those who come back."""
    p = np.clip(np.concatenate([np.asarray(model.predict([crop])) for crop in crops]).astype(float), 1e-6, 1 - 1e-6)
    return np.clip(np.log(p / (1 - p)), -4, 4)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("found", [True, False])
def test_nobody_enters_the_plate_in_a_made_hour(shared_data: Path, found: bool) -> None:
    made_day = load_bench("made_day")
    room = made_day.rooms(shared_data, 1, 3)[0]
    sitters, (walkers, _) = made_day.teachers(shared_data), made_day.walkers_and_coats(shared_data)
    empty = room.copy()
    made_day.desk(empty)
    small = cv2.resize(empty, (320, 240), interpolation=cv2.INTER_AREA).astype(int)
    chance, view, motion = np.random.default_rng(5), RoomView(), MotionMap()
    shift, known = np.zeros((2, 2)), []
    for second in range(3600):
        image, boxes = room.copy(), []

        def lay(
            cut: Any, middle: float, bottom: float, height: float, image: Image = image, boxes: Any = boxes
        ) -> None:
            made_day.lay(image, cut, middle, bottom, height)
            wide = cut.image.shape[1] * height / cut.image.shape[0] / 2
            boxes.append((middle - wide, bottom - height, middle + wide, bottom))

        for seat in (
            0,
            1,
        ):  # one sits all the hour, one comes later and leaves; they move twice a minute, a pixel or so
            if seat == 1 and not 600 <= second < 2700:
                continue
            if chance.random() < 1 / 30:
                shift[seat] = chance.normal(0, (1.5, 0.7))
            x, y = made_day.SEATS[seat]
            lay(sitters[seat], x * 640 + shift[seat, 0], y * 480 + 14 + shift[seat, 1], 0.36 * 480)
        made_day.desk(image)
        turn, walker = second % 300, walkers[second // 300 % len(walkers)]
        if 100 <= turn < 130:  # somebody walks through
            lay(walker, (turn - 100) * 30 - 130, 470, 300)
        elif 200 <= turn < 260 and second // 300 % 2:  # or stands for a minute
            lay(walker, 520 + turn // 7 % 2, 470, 300)
        frame = np.clip(image + chance.standard_normal((480, 640, 1)) * 2, 0, 255).astype(np.uint8)
        motion.add(frame, float(second))
        view.add(frame, float(second), boxes if found else (), motion)
        if second % 60 == 59:
            inside = view.plate.known()
            known.append(float(inside.mean()))
            wrong = (np.abs(view.plate.picture.astype(int) - small).max(axis=2) > 35) & inside
            assert wrong.sum() == 0, f"something that is not the room is in the plate after {second + 1} s"
    print(f"\nfound: {found}; known of the room after 5, 10, 30, 60 minutes: {[known[i] for i in (4, 9, 29, 59)]}")
    assert max(known) > 0.5


def load_bench(name: str) -> Any:
    """A program of the folder bench."""
    path = Path(__file__).parents[3] / "bench" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
