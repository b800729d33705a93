"""Sensors calibrated on the page in a real browser: at rest or not, one point, two, the board's warmth, the lag."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from page_peers import MadeUp, serving

from browsers import IN_BOTH, PHONE, holds, serious
from comfywear import settings as settings_file
from comfywear.device.device import Device
from waiting import until

Screen = Callable[..., Any]


def opened(screen: Screen, url: str, **more: Any) -> Any:
    page = screen(f"{url}#about", **more)
    page.wait_for_selector("#view-about:not([hidden])")
    page.focus("#calibrate")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cal-sensor")
    return page


@IN_BOTH
def test_it_waits_for_rest_then_compares_and_keeps(screen: Screen) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = opened(screen, url)
        assert "still changes" in page.inner_text("#cal-now")
        assert page.is_disabled("#cal-compare")
        device.bench.state = "steady"
        until(lambda: page.is_enabled("#cal-compare"))
        assert "At rest: it says 22.40 °C" in page.inner_text("#cal-now")
        page.click("#cal-compare")
        holds(page, "document.getElementById('cal-said').innerText.includes('type what the reference shows')")
        page.fill("#cal-value", "21,9")
        page.fill("#cal-u", "0.1")
        page.keyboard.press("Tab")
        page.click("#cal-compare")
        holds(page, "document.getElementById('cal-found').innerText.includes('Offset -0.50 K')")
        assert serious(page) == []
        page.click("#cal-keep")
        holds(page, "document.getElementById('cal-said').innerText.includes('runs with it')")
        (kept,) = device.bench.kept
        assert kept.points == device.bench.compared[0]
        assert kept.points.points[0].reference == 21.9


def test_two_points_give_the_gain_and_one_too_near_is_refused(screen: Screen) -> None:
    device = MadeUp()
    device.bench.state = "steady"
    with serving(device) as url:
        page = opened(screen, url, size=PHONE, locale="de-DE", theme="dark")
        until(lambda: page.is_enabled("#cal-first"))
        page.fill("#cal-value", "22,5")
        page.click("#cal-first")
        assert "Erster Punkt: 22,40 °C, wo 22,50 °C richtig ist" in page.inner_text("#cal-first-said")
        page.click("#cal-compare")
        holds(page, "document.getElementById('cal-said').innerText.includes('mindestens 5 K auseinanderliegen')")
        assert not page.is_visible("#cal-keep")
        device.bench.value = 32.4
        holds(page, "document.getElementById('cal-now').innerText.includes('32,40')")
        page.fill("#cal-value", "33")
        page.click("#cal-compare")
        holds(page, "document.getElementById('cal-found').innerText.includes('Faktor 1,05')")
        assert serious(page) == []


def test_warmth_and_lag_are_found_and_a_fault_is_said(screen: Screen) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = opened(screen, url)
        assert "The board is at 52 °C" in page.inner_text("#cal-heat-now")
        page.select_option("#cal-heat-beside", "0")
        page.click("#cal-heat")
        holds(page, "document.getElementById('cal-said').innerText.includes('no reference of its own')")
        page.select_option("#cal-heat-beside", "1")
        page.click("#cal-heat")
        holds(page, "document.getElementById('cal-found').innerText.includes('2.30 ± 0.24 K less')")
        assert page.is_visible("#cal-keep")
        page.click("#cal-response")
        holds(page, "document.getElementById('cal-said').innerText.includes('First press')")
        page.click("#cal-step")
        page.click("#cal-response")
        holds(page, "document.getElementById('cal-found').innerText.includes('Time constant 95 ± 6 s')")
        assert not page.is_visible("#cal-keep"), "a lag is said, there is nothing to keep"
        assert device.bench.stepped[0].since_s < 60
        page.select_option("#cal-sensor", "1")
        assert "Less 1.90 K of the board's warmth" in page.inner_text("#cal-kept")


def test_a_device_without_a_settings_file_says_so(tmp_path: Path, screen: Screen) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f"[device]\nid = 'd1'\nstate_dir = '{tmp_path}'\n[web]\nenabled = true\nport = 0\n")
    with Device(settings_file.load(path)) as device:
        assert device.page is not None
        page_server = device.page.server
        until(lambda: page_server.url is not None and bool(device.estimates()))
        page = screen(f"{page_server.url}#about")
        page.click("#calibrate")
        holds(page, "document.getElementById('cal-said').innerText.includes('without a settings file')")
