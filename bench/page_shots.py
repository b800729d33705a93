"""Screenshots of the page: a real device with the demo's photograph, a replayed sensor, a made-up day and votes."""

from __future__ import annotations

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

from playwright.sync_api import Page, sync_playwright

from comfywear import settings as settings_file
from comfywear.clock import WallTime
from comfywear.comfort import SCALE
from comfywear.demo.scene import sample_photo, sensor_lines
from comfywear.device import Device
from comfywear.feedback import Snapshot, VoteStore
from comfywear.vision.clip import write_clip
from comfywear.web import History, Point
from comfywear_sensors.pty_replay import PtyReplay

SETTINGS = """
[device]
id = "office"
state_dir = "{folder}"
[camera]
source = "file://{clip}"
fps = 2
loop = true
[[zones]]
name = "desk"
[[zones]]
name = "window"
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
NAMES = {"phone": (390, 844), "tablet": (1280, 800)}


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


def shoot(page: Page, url: str, folder: Path, kind: str, theme: str) -> None:
    """Every view of one screen in one theme."""
    suffix = kind if theme == "light" else f"{kind}-{theme}"
    page.goto(f"{url}?zone=desk")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.wait_for_selector("#chips span:nth-child(2)")
    page.screenshot(path=folder / f"page-vote-{suffix}.png")
    for view, ready in (("room", ".worn li"), ("day", "#chart svg"), ("sketch", "#sketch:not([hidden])"), ("about", "#settings details")):
        page.goto(f"{url}?zone=desk#{view}")
        page.wait_for_selector(ready, timeout=20000)
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"page-{view}-{suffix}.png")
    page.goto(f"{url}?zone=desk#vote")
    page.click("#faces button:nth-child(4)")
    page.wait_for_selector("#thanks:not([hidden])")
    page.wait_for_timeout(600)
    page.screenshot(path=folder / f"page-thanks-{suffix}.png")
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
        clip = write_clip(sample_photo(), state / "clip.avi")
        (state / "device.toml").write_text(SETTINGS.format(folder=state, clip=clip, sensor=sensor.path))
        device = stack.enter_context(Device(settings_file.load(state / "device.toml")))
        assert device.page is not None
        while device.page.server.url is None or device.page.sketch() is None or not device.estimates()["desk"].people:
            time.sleep(0.2)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for kind, theme in (("phone", "light"), ("tablet", "light"), ("tablet", "dark"), ("phone", "dark")):
            width, height = NAMES[kind]
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB"
            )
            shoot(context.new_page(), device.page.server.url, folder, kind, theme)
            context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
