"""Screenshots of the first run and of the settings: a made office, a sensor that says °F, a phone and a tablet."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
from made_office import office
from playwright.sync_api import Page, sync_playwright

PORT = 8093
PHONE, TABLET = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
SITE = '[data-path=\'["device","site"]\'] > input'
ID = '[data-path=\'["device","id"]\'] > input'
SOURCE = '[data-path=\'["camera","source"]\'] > input'
URI = '[data-path=\'["sensors",0,"uri"]\'] > input'
PASSWORD = "[data-path='[\"web\",\"token_file\"]'] input[type='password']"
FPS = '[data-path=\'["camera","fps"]\'] > input'


def answers() -> bool:
    """Whether the page is there by now."""
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=1):
            return True
    except OSError:
        return False


def centre(page: Page, selector: str) -> None:
    """Have something stand in the middle of the screen."""
    page.locator(selector).evaluate("(element) => element.scrollIntoView({ block: 'center' })")


def film(page: Page, picture: Path, warm: Path, shoot: Callable[[str], None]) -> int:
    """The first run from its first step to the running page; returns how many taps it took."""
    taps = 0

    def tap(selector: str) -> None:
        nonlocal taps
        taps += 1
        page.click(selector)

    def write(selector: str, text: str) -> None:
        tap(selector)
        page.keyboard.type(text)

    write(SITE, "office")
    write(ID, "lab1")
    tap("#check")
    page.wait_for_selector("#findings li")
    shoot("1-place")
    tap("#next")
    write(SOURCE, str(picture))
    page.wait_for_selector("#live img")
    centre(page, "#live")
    shoot("2-camera")
    tap("#next")
    write(URI, f"replay://{warm}")
    page.wait_for_selector("#fahrenheit")
    centre(page, "#fahrenheit")
    shoot("3-sensors")
    tap("#fahrenheit")
    page.wait_for_selector("#live strong:has-text('23')")
    for name, heading in (("4-zones", "Zones"), ("5-broker", "Broker"), ("6-homeassistant", "Home Assistant")):
        tap("#next")
        page.wait_for_selector(f"h1:has-text('{heading}')")
        shoot(name)
    tap("#next")
    write(PASSWORD, "a long password")
    shoot("7-password")
    tap("#next")
    page.wait_for_selector("#findings li")
    shoot("8-done")
    tap("#next")
    page.wait_for_selector("#open")
    tap("#open")
    write("input[name='token']", "a long password")
    tap("form button")
    page.wait_for_selector("#chips span", state="attached")
    shoot("9-page")
    return taps


def main(folder: Path) -> int:
    """Make the pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("chromium is not installed (apt install chromium)", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="comfywear-shots-") as made, sync_playwright() as playwright:
        picture, warm = Path(made) / "office.png", Path(made) / "room.csv"
        cv2.imwrite(str(picture), office(person=False))
        rows = "".join(f"{second},{75 + second / 300:.2f},40\n" for second in range(300))
        warm.write_text(f"t,temperature,humidity\n{rows}")
        arguments = [sys.executable, "-m", "comfywear.cli", "run", "--setup", f"127.0.0.1:{PORT}"]
        device = subprocess.Popen(arguments, env={**os.environ, "STATE_DIRECTORY": f"{made}/state"})
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        try:
            page = browser.new_context(viewport=PHONE, locale="en-GB").new_page()
            page.set_default_timeout(120_000)
            while not answers():
                time.sleep(0.2)
            page.goto(f"http://127.0.0.1:{PORT}/")

            def shoot(name: str) -> None:
                page.wait_for_timeout(500)
                page.screenshot(path=folder / f"setup-{name}.png")

            print(f"{film(page, picture, warm, shoot)} taps")
            cookies = page.context.cookies()
            for name, size, theme, locale in (
                ("phone", PHONE, "light", "de-DE"),
                ("tablet-dark", TABLET, "dark", "en-GB"),
            ):
                context = browser.new_context(viewport=size, color_scheme=theme, locale=locale)
                context.add_cookies(cookies)
                shown = context.new_page()
                shown.goto(f"http://127.0.0.1:{PORT}/settings")
                shown.wait_for_selector("html[data-ready]", state="attached")
                shown.click("[data-group='camera'] > summary")
                shown.fill(FPS, "-3")
                shown.wait_for_selector('[data-path=\'["camera","fps"]\'] > .problem > *', state="attached")
                centre(shown, FPS)
                shown.wait_for_timeout(500)
                shown.screenshot(path=folder / f"settings-{name}.png")
        finally:
            browser.close()
            device.send_signal(signal.SIGTERM)
            device.wait(90)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    sys.exit(main(parser.parse_args().folder))
