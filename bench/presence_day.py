"""A made day of presence: when does a real device say that a room is occupied or empty, and how often is it wrong?

    .venv/bin/python bench/presence_day.py --data DATA [--days 2] [--seed 0] [--fps 2] [--enter-s 2] [--clip DAY.avi]
    .venv/bin/python bench/presence_day.py --data DATA --entries 12 [--enter-s 2]

DATA as for bench/made_day.py, whose rooms, people and coats these are. The day is short (nine minutes) and full: people
walk in, sit, pass through and leave, a coat stays behind, lamps go off and on, and the camera is pulled out twice, once
with somebody there. Pictures come through the camera's own process, states over a real broker, at the real times of
the settings. What is counted stands in docs/vision.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import msgspec
import numpy as np
from made_day import CHAIR, HEIGHT, SEATS, WIDTH, Cut, desk, lay, rooms, teachers, walkers_and_coats
from numpy.typing import NDArray
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from comfywear import settings as settings_file
from comfywear.demo.broker import embedded_broker
from comfywear.device.device import Device
from comfywear.device.sight.frame_step import FrameStep
from comfywear.device.zones.presence import ZonePresence
from comfywear.publishing.messages.kinds import read_message
from comfywear.publishing.messages.zone import OccupancyMessage
from comfywear.records import Frame
from comfywear.settings.views import ONLY
from comfywear.system import arguments
from comfywear.vision import AttributeModel, open_detector
from comfywear.vision.drawing.clip_file import ClipFile

FRAME_S = 0.25
SETTLED_S = 12.0  # so long after somebody came or went the state is not wrong yet
DAY_S = 86_400.0


@dataclass(frozen=True)
class Part:
    """A part of the day: how long, how many sit, where somebody walks (from, to, in parts of the width), the light."""

    seconds: float
    seated: int = 0
    walk: tuple[float, float] | None = None
    light: float = 0.9
    pulled: bool = False
    coat: bool = False

    @property
    def people(self) -> int:
        return self.seated + (self.walk is not None)


IN, OUT = (0.0, SEATS[0][0]), (SEATS[0][0], 1.0)
PLAN = (
    Part(30), Part(3, 0, IN), Part(60, 1), Part(15, 1, pulled=True), Part(30, 1), Part(3, 0, OUT, coat=True),
    Part(40, coat=True), Part(15, pulled=True, coat=True), Part(30, coat=True), Part(6, 0, (0.0, 1.0), coat=True),
    Part(30, coat=True), Part(3, 0, IN), Part(20, 1), Part(3, 1, IN), Part(60, 2, light=0.5),
    Part(3, 1, OUT, light=0.5), Part(30, 1, light=0.4), Part(3, 0, OUT, light=0.4), Part(30, light=0.4),
    Part(40, light=0.03), Part(3, 0, IN), Part(40, 1), Part(3, 0, OUT), Part(30),
)  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """What was there from a moment on."""

    at_s: float
    part: Part


class Room:
    """One room with its people."""

    def __init__(self, image: NDArray[np.uint8], sitters: Sequence[Cut], walkers: Sequence[Cut], coat: Cut, seed: int):
        self.image, self.sitters, self.walkers, self.coat = image, sitters, walkers, coat
        self.seed, self.chance = seed, np.random.default_rng(seed)

    def drawn(self, part: Part, passed_s: float, visit: int) -> NDArray[np.uint8]:
        """The picture of a part, so long after its beginning."""
        image, chance = self.image.copy(), self.chance
        if part.coat:
            lay(image, self.coat, CHAIR[0] * WIDTH, CHAIR[1] * HEIGHT + 92, 118)
        for seat in range(part.seated):
            sitter = self.sitters[(visit * 7 + seat * 3 + self.seed) % len(self.sitters)]
            x, y = SEATS[seat][0] * WIDTH + chance.normal(0, 2), SEATS[seat][1] * HEIGHT + 14 + chance.normal(0, 1)
            lay(image, sitter, x, y, 0.36 * HEIGHT)
        desk(image)
        if part.walk is not None:
            start, end = part.walk
            x = start + (end - start) * min(passed_s / part.seconds, 1.0)
            lay(
                image,
                self.walkers[(visit + self.seed * 31) % len(self.walkers)],
                x * WIDTH,
                0.97 * HEIGHT,
                0.62 * HEIGHT,
            )
        return (image * part.light + chance.normal(0, 3.0, image.shape)).clip(0, 255).astype(np.uint8)


def played(room: Room, path: Path, clip: ClipFile | None) -> Iterator[Moment]:
    """Show the day at the camera's door in real time; says what began when."""
    visit, began_s = 0, time.monotonic()
    for part in PLAN:
        start_s = time.monotonic()
        if part.pulled:
            path.rename(path.with_name("pulled.png"))
        yield Moment(start_s, part)
        visit += part.walk is not None and part.walk[0] == 0.0
        while (passed_s := time.monotonic() - start_s) < part.seconds:
            if not part.pulled:
                image = room.drawn(part, passed_s, visit)
                cv2.imwrite(str(path.with_name("new.png")), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
                path.with_name("new.png").replace(path)
                if clip is not None:
                    clip.add(image, time.monotonic() - began_s)
            time.sleep(max(0.0, FRAME_S - (time.monotonic() - start_s - passed_s)))
    yield Moment(time.monotonic(), Part(0.0))


class States:
    """The states of the zone as the broker brings them, with the moment at which they came."""

    def __init__(self, port: int) -> None:
        self.came: list[tuple[float, str]] = []
        self.known = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe("comfywear/v1/+/+/zone/room/occupancy", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        found = read_message(message.payload)
        assert isinstance(found, OccupancyMessage)
        if not self.came or self.came[-1][1] != found.state:
            self.came.append((time.monotonic(), found.state))
        if found.state == "empty":
            self.known.set()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def scored(truth: Sequence[Moment], came: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """Times to `occupied` and to `empty`, seconds in which the state was wrong, flickers, and false `empty`."""
    result: dict[str, Any] = {"to_occupied_s": [], "to_empty_s": [], "flickers": 0, "empty_for_a_pull": 0}
    changed_s = truth[0].at_s
    for before, now in pairwise(truth):
        was, there = before.part.people > 0, now.part.people > 0
        if was != there:
            end_s = next((m.at_s for m in truth if m.at_s > now.at_s and (m.part.people > 0) != there), truth[-1].at_s)
            wanted = "occupied" if there else "empty"
            first = next((at_s for at_s, state in came if state == wanted and now.at_s <= at_s <= end_s), None)
            result["to_occupied_s" if there else "to_empty_s"].append(None if first is None else first - now.at_s)
    seconds = dict.fromkeys(("occupied, seen empty", "empty, seen occupied", "not known"), 0.0)
    step_s, watched_s = 0.05, 0.0
    for moment, following in pairwise(truth):
        there = moment.part.people > 0
        index = truth.index(moment)
        if index and (truth[index - 1].part.people > 0) != there:
            changed_s = moment.at_s
        dark = moment.part.pulled or moment.part.light < 0.1
        for at_s in np.arange(moment.at_s, following.at_s, step_s):
            state = next((each for since_s, each in reversed(came) if since_s <= at_s), "unknown")
            watched_s += step_s
            if there and state == "empty" and at_s - changed_s > SETTLED_S:
                seconds["occupied, seen empty"] += step_s
            elif not there and state == "occupied" and at_s - changed_s > SETTLED_S:
                seconds["empty, seen occupied"] += step_s
            elif state == "unknown" and not dark:
                seconds["not known"] += step_s
    for at_s, state in came[1:]:
        part, since_s = _at(truth, at_s)
        if at_s - since_s <= SETTLED_S or at_s < truth[0].at_s:
            continue
        result["empty_for_a_pull"] += state == "empty" and part.people > 0
        result["flickers"] += state in ("occupied", "empty") and (state == "occupied") != (part.people > 0)
    return {**result, "wrong_s": seconds, "watched_s": watched_s}


def _at(truth: Sequence[Moment], at_s: float) -> tuple[Part, float]:
    """The part of a moment, and since when anybody, or nobody, has been there."""
    past = [moment for moment in truth if moment.at_s <= at_s] or [truth[0]]
    since_s = past[-1].at_s
    for moment in reversed(past):
        if (moment.part.people > 0) != (past[-1].part.people > 0):
            break
        since_s = moment.at_s
    return past[-1].part, since_s


def ran(data: Path, number: int, args: argparse.Namespace, clip: ClipFile | None) -> dict[str, Any]:
    """One day through a device of its own."""
    seed = args.seed + number
    sitters, (walkers, coats) = teachers(data), walkers_and_coats(data)
    room = Room(rooms(data, number + 1, args.seed)[number], sitters, walkers, coats[seed % len(coats)], seed)
    with tempfile.TemporaryDirectory() as name, embedded_broker() as port:
        folder = Path(name)
        cv2.imwrite(str(folder / "room.png"), room.drawn(PLAN[0], 0.0, 0))
        (folder / "device.toml").write_text(
            f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[mqtt]\nhost = '127.0.0.1'\nport = {port}\n"
            f"[camera]\nsource = '{folder / 'room.png'}'\nloop = true\nfps = {args.fps}\n"
            f"[[zones]]\nname = 'room'\nenter_s = {args.enter_s}\nleave_s = {args.leave_s}\n"
        )
        states = States(port)
        with Device(settings_file.load(folder / "device.toml")):
            if not states.known.wait(120):
                raise SystemExit(f"the empty room was not said to be empty within two minutes, but: {states.came}")
            truth = list(played(room, folder / "room.png", clip))
        states.close()
        if args.trace:
            began_s = truth[0].at_s
            print(*(f"{m.at_s - began_s:7.1f} {m.part}" for m in truth), sep="\n")
            print(*(f"{at_s - began_s:7.1f} {state}" for at_s, state in states.came), sep="\n")
        return scored(truth, states.came)


def entered(data: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Times to `occupied` by the frames' own clock, however slow this machine is: somebody walks in and sits down."""
    sitters, (walkers, coats) = teachers(data), walkers_and_coats(data)
    detector, attributes = open_detector("detector"), AttributeModel.load("attributes")
    walk, sit, times = Part(3, 0, IN), Part(9, 1), []
    settings = msgspec.convert(
        {
            "camera": {"source": "/x.png", "fps": args.fps},
            "zones": [{"name": "room", "enter_s": args.enter_s, "leave_s": args.leave_s}],
        },
        settings_file.Settings,
    )
    pictures = rooms(data, args.entries, args.seed)
    for number in range(args.entries):
        seed, chance = args.seed + number, np.random.default_rng(number)
        room = Room(pictures[number], sitters, walkers, coats[seed % len(coats)], seed)
        step, zones, now_s = FrameStep(settings, detector, attributes), ZonePresence(settings), 100.0
        enters_s = 105.0 + chance.uniform(0.0, 1.0 / args.fps)
        found = None
        while found is None and now_s < enters_s + walk.seconds + sit.seconds:
            passed_s = now_s - enters_s
            part = Part(1) if passed_s < 0.0 else walk if passed_s < walk.seconds else sit
            frame = Frame(room.drawn(part, max(passed_s, 0.0), number), round(now_s * args.fps), now_s, "made")
            zones.take(ONLY, frame, step.take(frame), step.description)
            if zones.occupancies()["room"].state == "occupied":
                found = passed_s
            now_s += 1.0 / args.fps
        times.append(found)
    return {"to_occupied_s": times}


def said(days: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The figures of all days in lines."""
    watched_s = sum(day["watched_s"] for day in days)
    yield f"{len(days)} made days, {watched_s / 60:.1f} minutes watched; scaled to 24 hours of such days:"
    for what in days[0]["wrong_s"]:
        yield f"  {what}: {sum(day['wrong_s'][what] for day in days) / watched_s * DAY_S / 60:.1f} minutes a day"
    flickers = sum(day["flickers"] for day in days)
    yield f"  flickers: {flickers} seen, {flickers / watched_s * DAY_S:.0f} a day"
    yield f"  empty although somebody is there: {sum(day['empty_for_a_pull'] for day in days)} times"
    for key, what in (("to_occupied_s", "occupied"), ("to_empty_s", "empty")):
        times = [each for day in days for each in day[key]]
        known = [each for each in times if each is not None]
        shown = f"median {median(known):.1f} s, longest {max(known):.1f} s" if known else "never"
        yield f"  to {what}: {shown}; not at all {len(times) - len(known)} of {len(times)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets empty, ccp and rooms/teacher")
    parser.add_argument("--days", type=arguments.whole(1), default=1, help="each in another room (default 1)")
    parser.add_argument(
        "--seed", type=arguments.whole(0, 2**32 - 1), default=0, help="which rooms and people (default 0)"
    )
    parser.add_argument(
        "--fps",
        type=arguments.number(0.0, 100.0, above=True),
        default=2.0,
        help="frames looked at in a second (default 2)",
    )
    parser.add_argument("--enter-s", type=arguments.number(0.0, 86_400.0), default=2.0, help="of the zone (default 2)")
    parser.add_argument("--leave-s", type=arguments.number(0.0, 86_400.0), default=8.0, help="of the zone (default 8)")
    parser.add_argument("--clip", type=Path, help="also write the first day as a clip")
    parser.add_argument("--trace", action="store_true", help="print what was there and what was said, with times")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--entries", type=arguments.whole(1), help="instead: so many walk in, timed by the frames' own clock"
    )
    args = parser.parse_args()
    if args.entries:
        times = [each for each in entered(args.data, args)["to_occupied_s"] if each is not None]
        least, middle, ninth, longest = np.percentile(times, (0, 50, 90, 100))
        print(
            f"{len(times)} of {args.entries} who walk in are seen; the room is occupied after {middle:.1f} s (median),"
        )
        print(f"at least {least:.1f}, nine of ten {ninth:.1f}, at most {longest:.1f}")
        return
    days = []
    for number in range(args.days):
        with ClipFile(args.clip, 4.0) if args.clip and number == 0 else nullcontext() as clip:
            days.append(ran(args.data, number, args, clip))
    print(json.dumps(days, indent=1) if args.json else "\n".join(said(days)))


if __name__ == "__main__":
    main()
