"""The page in a real browser: a press reaches the store, the broker and the chart; everybody can use it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from page_peers import TOKEN, MadeUp, serving

from comfywear import settings as settings_file
from comfywear import web
from comfywear.demo.consumer import Consumer
from comfywear.device import Device
from comfywear.publishing.messages import VoteMessage
from waiting import until

playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (scripts/setup)")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE, TABLET = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
VIEWS = ("vote", "room", "day", "sketch", "about")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("needs the browser chromium (Debian: apt install chromium)")
    with playwright_api.sync_playwright() as playwright:
        arguments = ["--disable-gpu"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def screen(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page on a screen of its own; fails when the page's scripts do or its policy stopped something."""
    contexts, problems = [], []

    def show(url: str, size: dict[str, int] = TABLET, theme: str = "light", locale: str = "en-GB") -> Any:
        context = browser.new_context(viewport=size, color_scheme=theme, locale=locale)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        page.goto(url)
        page.wait_for_selector("#chips span", state="attached")
        return page

    yield show
    for context in contexts:
        context.close()
    assert problems == []


@contextmanager
def running(folder: Path, port: int, more: str = "") -> Iterator[Device]:
    text = f"[device]\nid = 'd1'\nstate_dir = '{folder}'\n[mqtt]\nhost = '127.0.0.1'\nport = {port}\n"
    (folder / "device.toml").write_text(f"{text}[web]\nenabled = true\nport = 0\n[[sensors]]\nuri = 'fake://'\n{more}")
    with Device(settings_file.load(folder / "device.toml")) as device:
        assert device.page is not None
        until(lambda: device.page is not None and device.page.server.url is not None and bool(device.estimates()))
        yield device


def address(device: Device) -> str:
    assert device.page is not None
    assert device.page.server.url is not None
    return device.page.server.url


def holds(page: Any, expression: str) -> None:
    """Wait until an expression is true in the page (Playwright waits by evaluating text, which the policy stops)."""
    until(lambda: bool(page.evaluate(expression)))


def test_a_press_reaches_the_store_the_broker_and_the_chart(
    tmp_path: Path, mosquitto: Any, screen: Callable[..., Any]
) -> None:
    broker = Consumer("127.0.0.1", mosquitto.port, "comfywear/v1/home/d1/#")
    with broker as consumer, running(tmp_path, mosquitto.port) as device:
        page = screen(address(device))
        page.click("#faces [data-level='4']")
        page.wait_for_selector("#thanks:not([hidden])")
        assert "Comfortable" in page.inner_text("#thanks-said")
        (vote,) = device.voting.store.newest()
        assert (vote.level, vote.zone, vote.source[:5]) == (4, "room", "page-")
        assert vote.climate is not None
        until(lambda: consumer.newest(VoteMessage) is not None)
        heard = consumer.newest(VoteMessage)
        assert heard is not None
        assert heard.id == vote.id
        page.goto(f"{address(device)}#day")
        page.wait_for_selector("#chart .vote-4")
        page.click("summary")
        assert "4" in page.inner_text("#day-table tbody tr td:last-child")


def test_two_tablets_vote_with_the_broker_down_and_one_takes_it_back(
    tmp_path: Path, screen: Callable[..., Any]
) -> None:
    with socket.socket() as closed:  # bound and not listening: nobody answers there
        closed.bind(("127.0.0.1", 0))
        with running(tmp_path, closed.getsockname()[1]) as device:
            first, second = screen(address(device)), screen(address(device), PHONE)
            second.goto(f"{address(device)}#room")
            first.keyboard.press("2")
            first.wait_for_selector("#thanks:not([hidden])")
            holds(second, "document.getElementById('learnt').innerText.includes('1 vote')")
            second.goto(f"{address(device)}#vote")
            second.keyboard.press("2")
            second.wait_for_selector("#thanks:not([hidden])")
            sources = {vote.source for vote in device.voting.store.newest()}
            assert len(sources) == 2, "two tablets are two places: the same level at once is two votes"
            assert "Undo" in second.inner_text("#undo")
            second.click("#undo")
            until(lambda: device.voting.store.count() == 1)
            holds(second, "document.getElementById('say').innerText.includes('taken back')")
            first.keyboard.press("Escape")
            first.wait_for_selector("#strip-undo")
            assert first.evaluate("document.activeElement.dataset.level") == "1", "the focus is back at the faces"


def test_a_page_whose_device_is_gone_says_so_and_counts_nothing(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = screen(url)
        page.keyboard.press("5")
        page.wait_for_selector("#thanks:not([hidden])")
        device.full = True
        page.keyboard.press("1")
        holds(page, "document.getElementById('say').innerText.includes('not stored')")
    page.wait_for_selector("#offline:not([hidden])")
    page.keyboard.press("3")
    holds(page, "document.getElementById('say').innerText.includes('did not answer')")
    assert len(device.votes) == 1


def test_language_appearance_and_zone_are_the_browsers_until_chosen_and_then_kept(screen: Callable[..., Any]) -> None:
    with serving(MadeUp()) as url:
        page = screen(f"{url}/?zone=window", theme="dark", locale="de-DE")
        assert page.inner_text("h1#question") == "Wie wohl fühlen Sie sich gerade?"
        assert page.evaluate("document.documentElement.lang") == "de"
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.click("#theme")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
        page.goto(f"{url}/?zone=window#about")
        page.select_option("#language", "en")
        holds(page, "document.documentElement.lang === 'en'")
        page.goto(f"{url}/")
        holds(page, "document.documentElement.lang === 'en'")
        holds(page, "document.getElementById('zone').value === 'window'")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_a_name_given_on_a_phone_goes_with_its_votes(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = screen(url, PHONE)
        page.goto(f"{url}/#about")
        page.fill("#person", "Ada 5")
        page.goto(f"{url}/#vote")
        page.click("#faces [data-level='3']")
        page.wait_for_selector("#thanks:not([hidden])")
    assert [(level, person) for _, level, _, person in device.votes] == [(3, "Ada 5")]


def test_a_tablet_signs_in_once(browser: Any) -> None:
    with serving(MadeUp(), TOKEN) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/?zone=window")
        assert serious(page) == []
        page.fill("input[name=token]", TOKEN)
        page.click("button")
        page.wait_for_selector("#faces button")
        page.keyboard.press("4")
        page.wait_for_selector("#thanks:not([hidden])")
        assert page.input_value("#zone") == "window"
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_view_has_a_serious_accessibility_issue(screen: Callable[..., Any], theme: str) -> None:
    with serving(Furnished()) as url:
        page = screen(url, PHONE if theme == "dark" else TABLET, theme)
        for view in VIEWS:
            page.goto(f"{url}/#{view}")
            page.wait_for_selector(f"#view-{view}:not([hidden])")
            if view == "day":
                page.click("summary")
            assert "This is lab1" in page.inner_text("#here")
            if view == "room":
                said = page.inner_text("#advice")
                assert "Switch a fan on" in said
                assert "Take the jacket off · feels like 2.2 °C cooler" in said
            assert serious(page) == [], view
        page.goto(f"{url}/#vote")
        page.wait_for_selector("#view-vote:not([hidden])")  # the address changes before the view does
        page.keyboard.press("1")
        page.wait_for_selector("#thanks:not([hidden])")
        page.wait_for_timeout(400)  # the card has come to rest: half-drawn text has less contrast
        assert serious(page) == []


class Furnished(MadeUp):
    """A device of which every part of the page has something to show."""

    def now(self, zone: str) -> web.Now:
        worn = (web.WornNow("outer", "black", (20, 20, 25)), web.WornNow("footwear"))
        return web.Now(
            zone,
            web.AirNow(24.0, 45.0, None, True),
            (web.PersonNow(worn, 0.8), web.PersonNow((), None)),
            None,
            web.ComfortNow(0.6, 3, {"cooler": 0.4, "no change": 0.5, "warmer": 0.1}, ADVICE, None),
            "learnt from 23 votes",
            "How do you feel here right now? Please press.",
            3,
            web.Recording(True, 3),
            "on",
            ("camera: gone",),
            "lab1",
        )

    def day(self, zone: str) -> web.Day:
        points = tuple(web.Point(1800.0 * step, 20 + step / 10, 40.0, step / 20 - 1) for step in range(48))
        return web.Day(zone, 0.0, 86400.0, True, points, tuple(web.DayVote(9000.0 * n, n) for n in range(1, 6)))

    def settings(self) -> list[web.SettingsTable]:
        return [web.SettingsTable("Page", "What it is.", (web.Field("Port", "8080", "", "Where."),))]


ADVICE = (
    "take the jacket off (like 2.2 K cooler): 66% instead of 55% would want no change",
    "more air, 0.3 m/s from a fan (like 1.3 K cooler): 60% instead of 55% would want no change",
    "open a window",
)


def serious(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in ("serious", "critical")
    ]
