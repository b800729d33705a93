"""The demo's course: broker, sensor, camera, device, an outside consumer, a vote, a table, a picture."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfywear import settings as settings_file
from comfywear.demo.broker import embedded_broker
from comfywear.demo.consumer import Consumer
from comfywear.demo.patience import STILL_S, Course, DemoPatience
from comfywear.demo.scene import PHOTO_CREDIT, sample_photo, sensor_lines
from comfywear.demo.table import table
from comfywear.device.device import Device
from comfywear.errors import ComfyWearError, SourceError
from comfywear.feedback import ask
from comfywear.publishing.messages.people import PeopleMessage
from comfywear.publishing.messages.vote import VoteMessage
from comfywear.publishing.messages.zone import ClimateMessage, ComfortMessage
from comfywear_sensors.pty_replay import PtyReplay

ZONE = "desk"
PHOTOS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
SENSOR_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user asked for; `source` None shows the sample photo, `broker` None starts one, `page` stays with it."""

    source: str | None
    frames: int
    broker: tuple[str, int] | None
    engine: str
    precision: str
    out: Path
    page: bool = False


def run_demo(options: DemoOptions, say: Callable[[str], None]) -> None:
    """Run the whole way of the data once, saying each step; returns when the table and the picture are done.

    Raises:
        ComfyWearError: Saying which step did not come to its end while the device made progress.
    """
    began_s = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comfywear-demo-")))
        if options.broker:
            host, port = options.broker
            say(f"broker     {host}:{port} (yours)")
        else:
            host, port = "127.0.0.1", stack.enter_context(embedded_broker())
            say(f"broker     127.0.0.1:{port}, started for this demo, on this machine alone")
        sensor = stack.enter_context(PtyReplay(sensor_lines(), interval_s=SENSOR_EVERY_S))
        sensor.start()
        say(f"sensor     serial://{sensor.path}, a recorded DHT22 on a real pseudo-terminal")
        source, shown = _source(options.source, folder)
        say(f"camera     {shown}")
        config = folder / "device.toml"
        config.write_text(_settings(options, folder, source, str(sensor.path), host, port))
        device = Device(settings_file.load(config))
        consumer = stack.enter_context(Consumer(host, port, f"{device.topics.base}/#"))
        say(f"consumer   subscribed to {device.topics.base}/#")
        stack.enter_context(device)
        say("device     started as `comfywear run` does: loading models")
        _wait_for_people(device, consumer, options.frames, say)
        request = {"verb": "vote", "level": 4, "zone": ZONE, "source": "demo"}
        answer = ask(folder, request, timeout_s=STILL_S)
        say(f"vote       4 ({answer['vote']['words']}) pressed, stored on the device")
        deadline_s = time.monotonic() + STILL_S
        _wait(lambda: consumer.newest(VoteMessage) is not None, deadline_s, "the vote did not arrive")
        say("")
        lines = _table(consumer)
        for line in lines:
            say(line)
        received = consumer.raw(ComfortMessage)
        assert received is not None
        say("")
        say(f"received on {received[0]}:")
        say(received[1])
        _draw(device, lines, options.out)
        if options.page:
            _stay(device, say)
        metrics = device.metrics()
    say("")
    say(f"picture    {options.out.resolve()}")
    if options.source is None:
        say(f"           ({PHOTO_CREDIT})")
    say(
        f"done in {time.monotonic() - began_s:.1f} s: {metrics['frames']:.0f} frames, "
        f"{sum(consumer.counts.values())} messages received; nothing was left running, no picture left this machine"
    )


def _source(source: str | None, folder: Path) -> tuple[str, str]:
    """The camera URI, and what to say of it."""
    from comfywear.vision.camera import parse_camera_uri, read_photo
    from comfywear.vision.drawing.moving_clip import write_clip

    if source is None:
        clip = write_clip(sample_photo(), folder / "clip.avi")
        return f"file://{clip}", "a moving clip made from a photograph (Grace Hopper, public domain)"
    uri = parse_camera_uri(source)
    missing = uri.missing()
    if missing:
        raise SourceError(missing)  # said at once, not after a wait for it
    if uri.kind == "file" and Path(uri.target).suffix.lower() in PHOTOS:
        read_photo(uri.target)
    return source, uri.shown


def _settings(options: DemoOptions, folder: Path, source: str, port_path: str, host: str, port: int) -> str:
    quoted = json.dumps
    return f"""
[device]
site = "demo"
id = "demo-{secrets.token_hex(3)}"
state_dir = {quoted(str(folder))}

[camera]
source = {quoted(source)}
fps = 4
loop = true

[vision]
engine = {quoted(options.engine)}
precision = {quoted(options.precision)}
attribute_interval_s = 1.0

[[zones]]
name = {quoted(ZONE)}

[[sensors]]
uri = {quoted(f"serial://{port_path}?simulated=1")}

[climate]
time_constant_s = 2.0

[web]
enabled = {json.dumps(options.page)}
port = 0
title = "comfywear demo"

[mqtt]
host = {quoted(host)}
port = {port}
interval_s = 1.0
"""


def _wait_for_people(device: Device, consumer: Consumer, frames: int, say: Callable[[str], None]) -> None:
    """Wait for the frames and for a comfort message that counts a person's clothing, telling how far it is."""
    vision = device.vision
    assert vision is not None
    told = 0
    patience = DemoPatience(frames, time.monotonic())
    while vision.frames < frames or not _complete(consumer):
        if vision.frames >= told + max(1, frames // 4):
            told = vision.frames
            say(f"device     {told} frames looked at")
        waits = patience.waits(_course(device, consumer), time.monotonic())
        if not waits or device.health()["vision"].restarts > 1:
            raise _said_why(device, consumer)
        words = patience.words(time.monotonic())
        if words:
            say(f"waiting    {words}")
        time.sleep(0.02)


def _course(device: Device, consumer: Consumer) -> Course:
    vision, topics = device.vision, device.topics
    assert vision is not None
    messages = min(consumer.counts[topics.people(ZONE)], consumer.counts[topics.comfort(ZONE)])
    return Course(vision.frames, messages, vision.starting_s() is not None, vision.sight().missing)


def _said_why(device: Device, consumer: Consumer) -> ComfyWearError:
    """What is missing, in words."""
    vision = device.vision
    assert vision is not None
    sight = vision.sight()
    if sight.missing:
        return SourceError(f"the camera gave no picture: {sight.missing}")
    people, climate = consumer.newest(PeopleMessage), consumer.newest(ClimateMessage)
    if vision.frames and (not people or not people.count):
        reason = f"nobody was recognised in {vision.frames} frames; is a person in the picture?"
    elif not climate or climate.state != "fresh":
        reason = "no climate arrived at the consumer"
    elif consumer.newest(ComfortMessage) is None:
        reason = "no comfort message arrived at the consumer"
    else:
        reason = f"no clothing was recognised in {vision.frames} frames; is a person whole in the picture?"
    return ComfyWearError(f"demo: {reason}")


def _complete(consumer: Consumer) -> bool:
    people, comfort = consumer.newest(PeopleMessage), consumer.newest(ComfortMessage)
    if people is None or comfort is None or comfort.expected_vote is None or (comfort.seq or 0) < (people.seq or 0):
        return False
    return any(garment.colours for person in people.persons for garment in person.garments)


def _table(consumer: Consumer) -> list[str]:
    climate, people = consumer.newest(ClimateMessage), consumer.newest(PeopleMessage)
    comfort = consumer.newest(ComfortMessage)
    assert climate is not None
    assert people is not None
    assert comfort is not None
    return table(climate, people, comfort, consumer.newest(VoteMessage))


def _wait(condition: Callable[[], bool], deadline_s: float, otherwise: str) -> None:
    while not condition():
        if time.monotonic() > deadline_s:
            raise ComfyWearError(f"demo: {otherwise}")
        time.sleep(0.02)


def _stay(device: Device, say: Callable[[str], None]) -> None:
    """Keep the device and its page running until Ctrl-C."""
    assert device.page is not None
    say("")
    say(f"page       {device.page.server.url or device.health()['page'].failure}")
    say("           open it in a browser of this machine; Ctrl-C ends the demo")
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(1.0)


def _draw(device: Device, lines: list[str], out: Path) -> None:
    import cv2

    from comfywear.vision.drawing.persons_picture import annotate

    assert device.vision is not None
    picture = device.vision.picture()
    if picture is None:
        raise ComfyWearError("demo: there is no picture to draw")
    frame, persons = picture
    drawn: Any = annotate(frame.image, persons, panel=lines)
    if not cv2.imwrite(str(out), drawn):
        raise ComfyWearError(f"{out}: the picture cannot be written; name another file with --out")
