"""The page in a real browser: a press reaches the store, the broker and the chart; everybody can use it."""

from __future__ import annotations

import base64
import math
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from page_peers import TOKEN, MadeUp, serving

from browsers import IN_BOTH, PHONE, TABLET, holds, is_firefox, serious
from comfywear import settings as settings_file
from comfywear import web
from comfywear.demo.consumer import Consumer
from comfywear.device.device import Device
from comfywear.publishing.messages.vote import VoteMessage
from comfywear.texts import recalled
from ports import free_port
from waiting import until

VIEWS = ("vote", "room", "day", "sketch", "about")


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


@IN_BOTH
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


def test_a_page_whose_device_is_gone_says_so_and_counts_nothing_that_it_cannot_keep(screen: Callable[..., Any]) -> None:
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
    holds(page, "document.getElementById('say').innerText.includes('kept on this screen')")
    page.evaluate("void (Storage.prototype.setItem = () => { throw new Error('a private window') })")
    page.keyboard.press("2")
    holds(page, "document.getElementById('say').innerText.includes('does not count')")
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


def test_a_week_and_a_month_stand_beside_the_day_and_the_choice_is_kept(screen: Callable[..., Any]) -> None:
    with serving(Furnished()) as url:
        page = screen(f"{url}/#day")
        rows = {}
        for span, heading in (("day", "24 hours"), ("week", "7 days"), ("month", "30 days")):
            page.click(f"#spans [data-span='{span}']")
            holds(page, f"document.querySelector('#chart svg')?.ariaLabel.includes('{heading}')")
            assert heading in page.inner_text("#day-heading")
            assert page.get_attribute(f"#spans [data-span='{span}']", "aria-pressed") == "true"
            assert page.locator("#chart path.curve.temperature").count() == 2, "the gap is not bridged"
            assert page.locator("#chart .vote").count() == 5
            rows[span] = page.locator("#day-table tbody tr").count()
            assert serious(page) == []
        assert rows["month"] in (30, 31)
        assert 26 <= rows["week"] <= 29
        page.reload()
        page.wait_for_selector("#chart svg")
        assert "30 days" in page.inner_text("#day-heading")
        page.mouse.move(640, 400)
        holds(page, "document.getElementById('readout').innerText.includes('°C')")


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


@IN_BOTH
def test_one_touch_on_the_sketch_rejects_a_find_and_a_drag_marks_one_who_was_missed(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    device.picture = cv2.imencode(".jpg", np.full((480, 640, 3), 200, np.uint8))[1].tobytes()
    with serving(device) as url:
        page = screen(f"{url}/#sketch", PHONE)
        page.click(".find")
        page.wait_for_selector("#corrections li")
        assert device.corrections == {1: "reject"}
        assert serious(page) == []
        page.click("#mark")
        box = page.locator("#sketch").bounding_box()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.9 * box["height"])
        page.mouse.up()
        until(lambda: len(device.missed) == 1)
        assert device.missed[0] == pytest.approx((0.5, 0.2, 0.8, 0.9), abs=0.02)
        page.wait_for_selector("#corrections li:nth-child(2)")
        page.click("#corrections li button")
        until(lambda: device.corrections == {2: "miss"})


def test_of_several_cameras_one_is_chosen_and_stays_chosen(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    device.several = ("south", "north")
    device.picture = cv2.imencode(".jpg", np.full((480, 640, 3), 200, np.uint8))[1].tobytes()
    with serving(device) as url:
        page = screen(f"{url}/#sketch", PHONE)
        page.wait_for_selector("#sketch:not([hidden])")
        assert set(device.shown) == {"south"}
        assert serious(page) == []
        page.select_option("#camera", "north")
        until(lambda: device.shown[-1] == "north")
        page.reload()
        page.wait_for_selector("#sketch:not([hidden])")
        assert page.input_value("#camera") == "north"
        page.click("#mark")
        box = page.locator("#sketch").bounding_box()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.9 * box["height"])
        page.mouse.up()
        until(lambda: device.missed_in == ["north"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_view_is_drawn_for_the_colours_of_the_page(screen: Callable[..., Any], theme: str) -> None:
    device = MadeUp()
    device.picture = cv2.imencode(".jpg", np.full((480, 640, 3), 200, np.uint8))[1].tobytes()
    with serving(device) as url:
        page = screen(f"{url}/#sketch", PHONE, theme)
        page.wait_for_selector("#sketch:not([hidden])")
        assert f"scheme={theme}" in page.get_attribute("#sketch", "src")
        page.click("#theme")
        other = "light" if theme == "dark" else "dark"
        page.wait_for_selector(f"#sketch[src*='scheme={other}']", state="attached")


def test_privacy_is_switched_under_the_sketch_and_shown_everywhere(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = screen(f"{url}/#sketch", PHONE)
        switch = page.wait_for_selector("[data-privacy='camera']")
        assert switch.get_attribute("aria-checked") == "false"
        assert page.is_hidden("#private-badge")
        switch.click()
        page.wait_for_selector("[data-privacy='camera'][aria-checked='true']")
        page.wait_for_selector("#private-badge", state="visible")
        assert device.private
        assert serious(page) == []
        page.click("[data-privacy='camera']")
        page.wait_for_selector("#private-badge", state="hidden")
        assert not device.private


def test_the_room_says_whether_anybody_is_there_and_why_it_is_not_known(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    device.presence = web.PresenceNow("occupied", 2, "2027-01-02T12:05:00+00:00")
    with serving(device) as url:
        page = screen(f"{url}/#room", PHONE)
        page.wait_for_selector("[data-presence='occupied']")
        assert page.text_content("[data-presence]").startswith("2 people are here, since ")
        assert "door: 3 in and 2 out today" in page.text_content("#people")
        device.presence = web.PresenceNow("unknown", None, None, "too dark to see")
        page.wait_for_selector("[data-presence='unknown']")
        assert "Too dark to see" in page.text_content("#people")
        assert serious(page) == []


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


def test_who_may_only_look_is_shown_nothing_else(browser: Any) -> None:
    device = MadeUp()
    device.picture = cv2.imencode(".jpg", np.full((480, 640, 3), 200, np.uint8))[1].tobytes()
    with serving(device, TOKEN, others=[("only to look", "read")]) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/#vote")
        page.fill("input[name=token]", "only to look")
        page.click("button")
        page.wait_for_selector("#chips span", state="attached")
        assert page.is_visible("#view-room")
        assert not page.is_visible("nav [href='#vote']")
        page.keyboard.press("4")
        page.goto(f"{url}/#sketch")
        page.wait_for_selector("#finds .find")
        assert page.is_disabled("#finds .find")
        assert not page.is_visible("#mark")
        page.goto(f"{url}/#about")
        page.wait_for_selector("#view-about:not([hidden])")
        assert not page.is_visible("#on-device")
        assert serious(page) == []
        assert device.votes == []
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
                assert "Open the window: it is cooler outdoors" in said
                air = page.inner_text("#air")
                assert "Outdoors it is 7.4 °C" in air
                assert "20.8 to 26.2 °C" in air
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
            liked=web.LikedNow(21.8, 20.9, 22.9, 22.0),
            outdoors=web.OutdoorsNow(7.4, "II", 20.8, 26.2),
        )

    def day(self, zone: str, span: web.Span = "day") -> web.Day:
        days, every_s = {"day": (1, 300.0), "week": (7, 900.0), "month": (30, 3600.0)}[span]
        steps = int(days * 86400 / every_s)
        times = (every_s * step for step in range(steps) if not 0.4 < step / steps < 0.45)
        points = tuple(web.Point(at, 22 + 3 * math.sin(at / 13751), 40.0, math.sin(at / 13751)) for at in times)
        votes = tuple(web.DayVote(9000.0 * days * n, n) for n in range(1, 6))
        return web.Day(zone, 0.0, 86400.0 * days, True, points, votes)

    def settings(self) -> list[web.SettingsTable]:
        return [web.SettingsTable("Page", "What it is.", (web.Field("Port", "8080", "", "Where."),))]


ADVICE = tuple(
    recalled(each)
    for each in (
        "take the jacket off (like 2.2 K cooler): 66% instead of 55% would want no change",
        "more air, 0.3 m/s from a fan (like 1.3 K cooler): 60% instead of 55% would want no change",
        "open a window",
        "open the window: it is cooler outdoors",
    )
)


def test_a_link_to_a_zone_that_there_is_none_of_votes_for_no_other(
    tmp_path: Path, mosquitto: Any, browser: Any
) -> None:
    zones = "[[zones]]\nname = 'desk'\n[[zones]]\nname = 'sofa'\n"
    with running(tmp_path, mosquitto.port, zones) as device:
        context = browser.new_context(viewport=TABLET, locale="de-DE")
        page = context.new_page()
        page.goto(f"{address(device)}?zone=nosuch")
        page.wait_for_selector("#unknown-zone:not([hidden])")
        assert "nosuch" in page.inner_text("#unknown-zone")
        assert "nicht abgestimmt" in page.inner_text("#unknown-zone")
        assert not page.is_visible("#faces")
        page.keyboard.press("4")
        page.click("#unknown-zone a >> text=sofa")
        page.click("#faces [data-level='4']")
        page.wait_for_selector("#thanks:not([hidden])")
        assert [vote.zone for vote in device.voting.store.newest()] == ["sofa"]
        context.close()


def test_troubles_stand_first_and_in_the_page_s_language(
    tmp_path: Path, mosquitto: Any, screen: Callable[..., Any]
) -> None:
    with running(tmp_path, mosquitto.port, "[[sensors]]\nuri = 'serial:///dev/nosuch'\n") as device:
        until(lambda: any(each.name == "no-sensor" for each in device.watch.book.now()))
        page = screen(f"{address(device)}#room", locale="de-DE")
        page.wait_for_selector("#troubles-card:not([hidden])")
        said = page.inner_text("#troubles")
        assert "Der Sensor sagt nichts Brauchbares" in said
        assert "/dev/nosuch" in said
        assert page.locator("#troubles-card").bounding_box()["y"] < page.locator("#air").bounding_box()["y"]


def test_the_temperature_that_would_please_is_said_in_the_page_s_language(
    tmp_path: Path, mosquitto: Any, screen: Callable[..., Any]
) -> None:
    with running(tmp_path, mosquitto.port, "[[sensors]]\nuri = 'fake://'\n") as device:
        until(lambda: device.setpoints.of("room") is not None)
        page = screen(f"{address(device)}#room", locale="de-DE")
        page.wait_for_selector("#advice .liked")
        said = page.inner_text("#advice .liked")
        wanted = device.setpoints.of("room")
        assert wanted is not None
        assert "wäre den meisten recht" in said
        assert f"Thermostat: {wanted.setpoint_c:.1f} °C".replace(".", ",") in said


def test_who_is_signed_in_is_seen_and_ended_by_keyboard(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device, TOKEN, "0.0.0.0") as url:
        other = httpx.post(f"{url}/login", data={"token": TOKEN}, headers={"User-Agent": "A phone"}, timeout=60)
        page = screen(f"{url}/login", ready="input[name=token]")
        page.fill("input[name=token]", TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("#chips span", state="attached")
        page.goto(f"{url}/#about")
        page.wait_for_selector("#access summary")
        page.focus("#access summary")
        page.keyboard.press("Enter")
        holds(page, "document.querySelectorAll('#access li').length === 2")
        page.focus("#access li:not(:first-child) button")
        page.keyboard.press("Enter")
        holds(page, "document.querySelectorAll('#access li').length === 1")
        assert serious(page) == []
        assert page.inner_text("#access-said") == "The session is ended."
        assert httpx.get(f"{url}/api/start", cookies=dict(other.cookies), timeout=60).status_code == 401
        assert "Session ended admin, 127.0.0.1" in page.text_content("#access details:nth-child(2)")


@IN_BOTH
def test_votes_while_the_device_is_away_are_kept_here_and_each_sent_once(screen: Callable[..., Any]) -> None:
    port = free_port()
    with serving(MadeUp(), port=port) as url:
        page = screen(f"{url}/?zone=desk")
    for level in (2, 5, 1):
        page.keyboard.press(str(level))
        page.wait_for_selector("#thanks:not([hidden])")
        assert "kept on this screen" in page.inner_text("#thanks-learnt")
        if level == 1:
            page.click("#undo")  # before it was sent: the device never hears of it
        else:
            page.click("#done")
        page.wait_for_selector("#thanks", state="hidden")
    page.wait_for_timeout(1100)
    back = MadeUp()
    with serving(back, port=port):
        until(lambda: len(back.votes) >= 2)
        holds(page, "JSON.parse(localStorage.getItem('comfywear.votes')).length === 0")
        assert [vote[:2] for vote in back.votes] == [("desk", 2), ("desk", 5)]
        ids = [vote_id for vote_id, _ in back.sent]
        assert len(set(ids)) == 2
        assert all(vote_id and age_s > 1 for vote_id, age_s in back.sent)
        page.keyboard.press("4")
        page.wait_for_selector("#thanks:not([hidden])")
        assert [vote[1] for vote in back.votes] == [2, 5, 4]


def test_what_the_device_refuses_is_let_go_and_what_it_cannot_take_now_is_kept(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = screen(f"{url}/?zone=desk")
        page.evaluate(
            "localStorage.setItem('comfywear.votes', JSON.stringify([9, 3, 4].map((level) => "
            "({at: Date.now(), vote: {zone: 'desk', level, source: 's', person: '', id: `abcdefgh${level}`}}))))"
        )
        page.reload()
        until(lambda: len(device.votes) == 2)
        holds(page, "JSON.parse(localStorage.getItem('comfywear.votes')).length === 0")
        assert [vote[1] for vote in device.votes] == [3, 4]
        device.full = True
        page.evaluate(
            "localStorage.setItem('comfywear.votes', JSON.stringify([{at: Date.now(), vote: {zone: 'desk', level: 3, "
            "source: 's', person: '', id: 'ijklmnop'}}]))"
        )
        page.reload()
        until(lambda: "ijklmnop" in str(device.sent))
        device.full = False
        page.reload()
        until(lambda: len(device.votes) == 3)


PIXELS = """(image) => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 492, height: 492});
  const pen = canvas.getContext("2d");
  pen.fillStyle = "white";
  pen.fillRect(0, 0, 492, 492);
  pen.drawImage(image, 0, 0, 492, 492);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


@IN_BOTH
def test_a_zones_code_leads_a_phone_to_its_own_address(screen: Callable[..., Any]) -> None:
    with serving(MadeUp()) as url:
        page = screen(f"{url}/#about", PHONE)
        page.click("#kiosk summary")
        assert "there alone" in page.inner_text("#kiosk")  # opened on the device itself
        for number, zone in enumerate(("desk", "window")):
            figure = page.locator("#kiosk figure").nth(number)
            figure.scroll_into_view_if_needed()
            holds(page, f"document.querySelectorAll('#kiosk img')[{number}].naturalWidth > 0")
            data = base64.b64decode(figure.locator("img").evaluate(PIXELS))
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            read, _, _ = cv2.QRCodeDetector().detectAndDecode(picture)
            assert read == f"{url}/?zone={zone}" == figure.locator("a").get_attribute("href")
        assert serious(page) == []
        if is_firefox(page):  # its WebDriver knows no paper
            return
        page.emulate_media(media="print")
        assert page.is_visible("#kiosk figure")
        assert not page.is_visible("nav")


def test_the_page_is_light_until_its_faces_can_be_pressed(browser: Any) -> None:
    with serving(MadeUp()) as url:
        context = browser.new_context(viewport=PHONE, locale="de-DE")
        page = context.new_page()
        tools = context.new_cdp_session(page)
        tools.send("Network.enable")
        sizes: list[int] = []
        asked: list[str] = []
        tools.on("Network.loadingFinished", lambda said: sizes.append(said["encodedDataLength"]))
        tools.on("Network.requestWillBeSent", lambda said: asked.append(said["request"]["url"]))
        page.goto(f"{url}/?zone=desk")
        page.wait_for_selector("#faces button >> text=Sehr")
        page.wait_for_selector("#chips span", state="attached")
        assert sum(sizes) < 60_000
        assert len(asked) < 18
        assert not [each for each in asked if "/words/" in each or "/api/start" in each], "they came with the page"
        page.goto(f"{url}/#about")
        page.select_option("#language", "en")  # the other language is fetched
        page.wait_for_selector("h1 >> text=Settings")
        context.close()
