"""Zones, masks and lines drawn on the sketch in a real browser: by finger, mouse, keys; checked, taken back, kept."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from page_peers import MadeUp, serving

from browsers import IN_BOTH, PHONE, TABLET, holds, serious
from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.device.runner import Runner
from comfywear.errors import UsageError
from ports import free_port
from waiting import until

PICTURE = cv2.imencode(".jpg", np.full((480, 640, 3), 200, np.uint8))[1].tobytes()
Screen = Callable[..., Any]


def made_up() -> MadeUp:
    device = MadeUp()
    device.several, device.picture = ("camera",), PICTURE
    return device


def drawing(screen: Screen, url: str, size: dict[str, int] = TABLET, **more: str) -> Any:
    page = screen(f"{url}#sketch", size, **more)
    page.wait_for_selector("#sketch:not([hidden])")
    page.click("#draw")
    page.wait_for_selector("#shapes li")
    return page


def spot(page: Any, x: float, y: float) -> tuple[float, float]:
    page.locator("#stage").scroll_into_view_if_needed()
    box = page.locator("#stage").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def dragged(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*spot(page, *start))
    page.mouse.down()
    page.mouse.move(*spot(page, *[(a + b) / 2 for a, b in zip(start, end, strict=True)]))
    page.mouse.move(*spot(page, *end))
    page.mouse.up()


@IN_BOTH
def test_a_zone_is_drawn_with_the_mouse_counted_and_kept(screen: Screen) -> None:
    device = made_up()
    with serving(device) as url:
        page = drawing(screen, url)
        holds(page, "document.querySelector('#shapes li').innerText.includes('1 person here now')")
        page.click("#plan-zone")
        dragged(page, (0.25, 0.6), (0.7, 0.95))
        page.wait_for_selector("#shapes li:nth-child(4) input")
        page.focus("#shapes li:nth-child(4) input")
        page.keyboard.press("Control+A")
        page.keyboard.type("sofa")
        page.keyboard.press("Tab")
        holds(page, "document.querySelector('#shapes li:nth-child(4)').innerText.includes('1 person')")
        holds(page, "document.querySelector('#shapes li:nth-child(4)').innerText.includes('with desk')")
        assert page.is_enabled("#plan-keep"), "an overlap is said, and may be meant"
        page.click("#plan-keep")
        until(lambda: device.plan.version == 2)
        sofa = device.plan.shapes[3]
        assert (sofa.kind, sofa.name, sofa.place) == ("zone", "sofa", None)
        assert np.array(sofa.points) == pytest.approx(
            np.array([(0.25, 0.6), (0.7, 0.6), (0.7, 0.95), (0.25, 0.95)]), abs=0.01
        )
        assert device.plan.shapes[:2] == made_up().plan.shapes[:2]
        page.wait_for_selector("#plan", state="hidden")


def test_corners_are_tapped_with_a_finger_and_a_mask_too_small_or_crossed_is_said(browser: Any) -> None:
    device = made_up()
    with serving(device) as url:
        context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
        page = context.new_page()
        page.goto(f"{url}#sketch")
        page.wait_for_selector("#sketch:not([hidden])")
        page.tap("#draw")
        page.wait_for_selector("#shapes li")
        page.tap("#plan-mask")
        for x, y in ((0.2, 0.2), (0.6, 0.6), (0.6, 0.2), (0.2, 0.6)):
            page.touchscreen.tap(*spot(page, x, y))
        page.tap("#plan-done")
        page.wait_for_selector("#shapes .wrong")
        assert "sides cross" in page.inner_text("#shapes .wrong")
        assert page.is_disabled("#plan-keep")
        assert page.locator(".outline.bad").count() == 1
        page.tap("#shapes [data-key='delete']")
        page.wait_for_selector("#shapes .wrong", state="detached")
        page.tap("#plan-zone")
        dragged(page, (0.6, 0.3), (0.63, 0.33))
        page.wait_for_selector("#shapes .doubt")
        assert "hardly anybody" in page.inner_text("#shapes .doubt")
        assert serious(page) == []
        context.close()


# What a screen reader is told, one thing after the other: what the device says of the outline follows at any moment.
HEAR = """() => {
  window.heard = [];
  const told = document.getElementById("plan-said");
  new MutationObserver(() => window.heard.push(told.innerText)).observe(told, { childList: true });
}"""


@IN_BOTH
def test_everything_is_done_by_keys_and_said(screen: Screen) -> None:
    device = made_up()
    with serving(device) as url:
        page = screen(f"{url}#sketch")
        page.wait_for_selector("#sketch:not([hidden])")
        page.focus("#draw")
        page.keyboard.press("Enter")
        page.wait_for_selector("#shapes li")
        holds(page, "document.activeElement.id === 'plan-zone'")
        page.keyboard.press("Enter")
        corner = page.locator("[data-key='corner-0']")
        assert corner.get_attribute("aria-label") == "Zone zone-1: corner 1 of 4, 35 % from the left, 35 % from the top"
        assert page.evaluate("document.activeElement.dataset.key") == "corner-0"
        page.evaluate(HEAR)
        for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowUp"):
            page.keyboard.press(key)
        assert "33 % from the left, 30 % from the top" in corner.get_attribute("aria-label")
        holds(page, "window.heard.includes('33 % from the left, 30 % from the top')")
        page.keyboard.press("Enter")
        assert "corner 2 of 5" in page.evaluate("document.activeElement.ariaLabel")
        page.keyboard.press("Delete")
        assert "of 4" in page.evaluate("document.activeElement.ariaLabel")
        page.keyboard.press("Control+z")
        assert page.locator(".corner").count() == 5
        page.keyboard.press("Control+Shift+z")
        assert page.locator(".corner").count() == 4
        page.focus("[data-key='grip']")
        for _ in range(20):
            page.keyboard.press("Shift+ArrowRight")
        assert page.locator("[data-key='corner-1']").get_attribute("aria-label").count("100 % from the left") == 1
        assert serious(page) == []
        tree = page.locator("#plan").aria_snapshot()
        assert 'button "Zone zone-1: corner 1 of 4' in tree
        page.keyboard.press("Escape")
        page.focus("#plan-keep")
        until(lambda: page.is_enabled("#plan-keep"))
        page.keyboard.press("Enter")
        until(lambda: device.plan.version == 2)
        assert device.plan.shapes[3].points[0] == pytest.approx((0.68, 0.3))


def test_shapes_are_moved_given_another_corner_and_taken_back_one_by_one(screen: Screen) -> None:
    with serving(made_up()) as url:
        page = drawing(screen, url)
        dragged(page, (0.2, 0.5), (0.4, 0.5))
        points = "document.querySelector('.outline.zone').getAttribute('points')"
        assert page.evaluate(points).startswith("0.2,0.2 0.6,0.2")
        box = page.locator("[data-key='between-0']").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(*spot(page, 0.4, 0.1))
        page.mouse.up()
        assert page.evaluate(points).count(",") == 5
        dragged(page, (0.4, 0.1), (0.4, 0.05))
        for count in (5, 4, 4):
            page.click("#plan-undo")
            assert page.evaluate(points).count(",") == count
        assert page.evaluate(points).startswith("0,0.2 0.4,0.2")
        assert page.is_disabled("#plan-undo")
        for _ in range(3):
            page.click("#plan-redo")
        assert page.evaluate(points).count(",") == 5
        assert page.is_disabled("#plan-redo")


def test_a_name_that_cannot_be_and_a_file_changed_meanwhile_are_said_and_nothing_is_kept(screen: Screen) -> None:
    device = made_up()
    with serving(device) as url:
        page = drawing(screen, url, locale="de-DE")
        page.focus("#plan-line")
        page.keyboard.press("Enter")
        page.fill("#shapes input", "Tür vorn")
        page.keyboard.press("Tab")
        page.wait_for_selector("#shapes .wrong")
        assert "Es fehlt ein Name" in page.inner_text("#shapes .wrong")
        assert page.is_disabled("#plan-keep")
        page.fill("#shapes input", "door")
        page.keyboard.press("Tab")
        until(lambda: page.is_enabled("#plan-keep"))
        device.plan.version += 1
        page.click("#plan-keep")
        holds(page, "document.getElementById('plan-said').innerText.includes('meanwhile')")
        assert len(device.plan.shapes) == 3


def test_who_may_not_manage_is_not_offered_it(browser: Any) -> None:
    with serving(made_up(), "correct horse battery", others=[("only to look", "read")]) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/login")
        page.fill("input[name=token]", "only to look")
        page.click("button")
        page.goto(f"{url}/#sketch")
        page.wait_for_selector("#sketch:not([hidden])")
        assert not page.is_visible("#draw")
        context.close()


TEXT = """# The office.
[device]
id = "d1"  # by the door
state_dir = "{folder}/state"
[camera]
source = "images://{folder}/pictures?loop=1"  # still
[[zones]]
name = "desk"
polygon = [[0.0, 0.0], [0.4, 0.0], [0.4, 1.0], [0.0, 1.0]]  # the left
# Who may see it.
[web]
enabled = true
port = 0
view = "sketch"
"""


@contextmanager
def office(folder: Path, reload: Callable[[], None]) -> Any:
    (folder / "pictures").mkdir()
    cv2.imwrite(str(folder / "pictures" / "a.png"), np.full((240, 320, 3), 180, np.uint8))
    path = folder / "device.toml"
    path.write_text(TEXT.format(folder=folder))
    with Device(settings_file.load(path), reload=reload, path=path) as device:
        until(lambda: device.page is not None and device.page.server.url is not None)
        assert device.page is not None
        yield path, device.page.server.url


def test_what_is_drawn_stands_in_the_settings_file_with_its_comments(tmp_path: Path, screen: Screen) -> None:
    asked: list[bool] = []
    with office(tmp_path, lambda: asked.append(True)) as (path, url):
        before = path.read_text()
        page = screen(f"{url}#sketch")
        page.click("#draw")
        page.wait_for_selector("#shapes li")
        page.focus("#plan-mask")
        page.keyboard.press("Enter")
        page.click("#shapes [data-key='shape-0']")
        page.focus("[data-key='corner-1']")
        page.keyboard.press("Shift+ArrowLeft")
        until(lambda: page.is_enabled("#plan-keep"))
        page.click("#plan-keep")
        until(lambda: asked == [True])
        settings = settings_file.load(path)
        assert settings.zones[0].polygon[1] == (0.35, 0.0)
        assert len(settings.camera.mask[0].polygon) == 4
        for comment in ("# The office.", "# by the door", "# still", "# the left", "# Who may see it."):
            assert comment in path.read_text()
        assert path.with_name("device.toml.previous").read_text() == before


def test_the_device_starts_anew_with_what_was_drawn_and_the_page_shows_it(tmp_path: Path, screen: Screen) -> None:
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "a.png"), np.full((240, 320, 3), 180, np.uint8))
    path, port = tmp_path / "device.toml", free_port()
    path.write_text(TEXT.format(folder=tmp_path).replace("port = 0", f"port = {port}"))
    runner = Runner(path, settings_file.load(path), partial(Device, path=path))
    worker = threading.Thread(target=runner.run)
    worker.start()
    try:
        until(lambda: answers(port))
        page = screen(f"http://127.0.0.1:{port}/#sketch")
        page.click("#draw")
        page.wait_for_selector("#shapes li")
        page.focus("#plan-zone")
        page.keyboard.press("Enter")
        until(lambda: page.is_enabled("#plan-keep"))
        page.click("#plan-keep")
        page.wait_for_selector("#zone option[value='zone-1']", state="attached")  # the page loads itself anew
        page.wait_for_selector("#plan", state="hidden")
        assert [zone.name for zone in settings_file.load(path).zones] == ["desk", "zone-1"]
    finally:
        runner.stop()
        worker.join(60)


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_what_the_device_cannot_take_over_leaves_the_file_as_it_was(tmp_path: Path, screen: Screen) -> None:
    def refuse() -> None:
        raise UsageError("not these")

    with office(tmp_path, refuse) as (path, url):
        before = path.read_text()
        page = screen(f"{url}#sketch")
        page.click("#draw")
        page.wait_for_selector("#shapes li")
        page.focus("#plan-zone")
        page.keyboard.press("Enter")
        until(lambda: page.is_enabled("#plan-keep"))
        page.click("#plan-keep")
        holds(page, "document.getElementById('plan-said').innerText.includes('Not these')")
        assert path.read_text() == before
