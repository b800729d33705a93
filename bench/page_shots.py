"""Screenshots of the page: a real device in a made office, a replayed sensor, a made-up day and votes."""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

import cv2
from made_office import office
from playwright.sync_api import Page, sync_playwright

from comfywear import settings as settings_file
from comfywear.comfort import SCALE
from comfywear.demo.scene import sensor_lines
from comfywear.device.device import Device
from comfywear.feedback import Snapshot, VoteStore
from comfywear.system.clock import WallTime
from comfywear.web import History, Point
from comfywear_sensors.pty_replay import PtyReplay

SETTINGS = """
[device]
id = "office"
state_dir = "{folder}"
[camera]
source = "{photo}"
fps = 2
loop = true
[[zones]]
name = "desk"
polygon = [[0.3, 0.3], [1.0, 0.3], [1.0, 1.0], [0.3, 1.0]]
[[zones]]
name = "window"
polygon = [[0.0, 0.2], [0.3, 0.2], [0.3, 1.0], [0.0, 1.0]]
[[sensors]]
uri = "serial://{sensor}?simulated=1"
[climate]
time_constant_s = 2.0
[web]
enabled = true
port = 0
title = "Office"
"""
# Hours ago and level: a chilly morning, a warm afternoon.
VOTES = ((9.2, 2), (8.7, 2), (7.9, 3), (6.4, 4), (5.6, 5), (4.1, 5), (3.2, 4), (2.3, 3), (1.2, 3), (0.4, 4))
SCREENS = {"phone": (390, 844), "tablet": (1280, 800)}
READY = {
    "vote": "#faces button",
    "thanks": "#thanks:not([hidden])",
    "room": ".worn li",
    "day": "#chart svg",
    "sketch": "#sketch:not([hidden])",
    "drawing": "#sketch:not([hidden])",
    "calibration": "#view-about:not([hidden])",
}
WHERE = {"thanks": "vote", "drawing": "sketch", "calibration": "about"}
SHOTS = {
    ("phone", "light"): ("vote", "thanks", "room", "calibration"),
    ("phone", "dark"): ("vote",),
    ("tablet", "light"): ("vote", "room", "day", "sketch", "drawing"),
    ("tablet", "dark"): ("vote", "day", "sketch"),
}


def make_up_day(folder: Path) -> None:
    """Twenty-four hours of an office: cool at night, warm in the afternoon."""
    history = History(folder / "page.sqlite")
    noise = random.Random(7)
    now_s = time.time()
    points = []
    for minute in range(24 * 60, 0, -2):
        at_s = now_s - 60 * minute
        hour = 24 - minute / 60
        temperature = 22.3 + 2.3 * math.sin((hour - 13) / 24 * 2 * math.pi) + noise.gauss(0, 0.04)
        humidity = 46 - 5 * math.sin((hour - 10) / 24 * 2 * math.pi) + noise.gauss(0, 0.15)
        points.append(("desk", Point(round(at_s), temperature, humidity, (temperature - 22.8) * 0.42)))
    history.add(points)
    history.close()
    for hours, level in VOTES:
        stamp = datetime.fromtimestamp(now_s - 3600 * hours, timezone.utc).isoformat(timespec="milliseconds")
        store = VoteStore(
            folder / "votes.sqlite",
            zones=["desk"],
            scale_id=SCALE.id,
            scale_words=SCALE.words,
            clock=lambda stamp=stamp: WallTime(stamp, True),
        )
        store.accept("desk", level, "page", Snapshot())
        store.close()


def show(file: Path, *, person: bool) -> None:
    """Have the camera see the office from now on, empty or with somebody in it."""
    new = file.with_name("new.png")
    cv2.imwrite(str(new), office(person=person))
    new.replace(file)


def settled(device: Device) -> bool:
    """Whether the view knows the room."""
    steps = [camera.step for camera in device.vision.cameras.values()] if device.vision else []
    plates = [step.view.plate.cells if step and step.view else None for step in steps]
    return all(cells is not None and cells.size and cells.mean() > 0.95 for cells in plates)


def draw(page: Page) -> None:
    """Begin a zone in the middle, and say what is wrong with it."""
    page.click("#draw")
    page.wait_for_selector("#shapes li")
    page.focus("#plan-zone")
    page.keyboard.press("Enter")
    page.wait_for_selector("#shapes .doubt")
    page.evaluate("document.querySelector('#pair').scrollIntoView()")


def shoot(page: Page, url: str, file: Path, view: str) -> None:
    """One view as it looks once all of it is there."""
    page.goto(f"{url}?zone=desk#{WHERE.get(view, view)}")
    page.wait_for_selector("#chips span:nth-child(2)", state="attached")
    if view == "thanks":
        page.click("#faces button:nth-child(4)")
    page.wait_for_selector(READY[view])
    if view == "drawing":
        draw(page)
    elif view == "calibration":
        page.click("#calibrate")
        page.wait_for_selector("#cal-now[data-state]")
        page.evaluate("document.querySelector('#calibration').scrollIntoView()")
    page.wait_for_timeout(600)
    page.screenshot(path=file)
    if view == "thanks":
        page.click("#undo")


def main(folder: Path) -> int:
    """Make the pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("scripts/shots: chromium is not installed (apt install chromium)", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comfywear-shots-")))
        make_up_day(state)
        sensor = stack.enter_context(PtyReplay(sensor_lines(), interval_s=0.25))
        sensor.start()
        photo = state / "room.png"
        show(photo, person=False)
        (state / "device.toml").write_text(SETTINGS.format(folder=state, photo=photo, sensor=sensor.path))
        device = stack.enter_context(
            Device(settings_file.load(state / "device.toml"), reload=lambda: None, path=state / "device.toml")
        )
        assert device.page is not None
        while device.page.server.url is None or not device.estimates() or not settled(device):
            time.sleep(0.2)  # three minutes: so long the room takes to enter the view
        show(photo, person=True)
        while not any(each.person.garments for each in device.estimates()["desk"].people):
            time.sleep(0.2)
        time.sleep(10)  # comfort and the drawing follow
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for (kind, theme), views in SHOTS.items():
            width, height = SCREENS[kind]
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB"
            )
            page = context.new_page()
            page.set_default_timeout(120_000)
            for view in views:
                name = f"page-{view}-{kind}" + ("-dark" if theme == "dark" else "")
                shoot(page, device.page.server.url, folder / f"{name}.png", view)
            context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    sys.exit(main(parser.parse_args().folder))
