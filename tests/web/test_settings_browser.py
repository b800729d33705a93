"""The settings in a real browser: found, checked while they are typed, saved, tried, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browsers import IN_BOTH, PHONE, TABLET, serious
from changing import running, write
from comfywear import settings as settings_file
from ports import free_port
from waiting import until


@pytest.fixture
def screen(screen: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the settings on a screen of its own."""

    def show(url: str, *options: Any, **named: Any) -> Any:
        return screen(f"{url}/settings", *options, ready="html[data-ready]", **named)

    return show


def control(*path: str | int) -> str:
    name = ",".join(f'"{step}"' if isinstance(step, str) else str(step) for step in path)
    return f"[data-path='[{name}]'] > :is(input, select, textarea), [data-path='[{name}]'] > label > input"


def problem(page: Any, *path: str | int) -> str:
    name = ",".join(f'"{step}"' if isinstance(step, str) else str(step) for step in path)
    return str(page.inner_text(f"[data-path='[{name}]'] > .problem"))


def says(page: Any, selector: str, words: str) -> None:
    until(lambda: words in page.inner_text(selector), 120)


@IN_BOTH
def test_a_field_is_found_corrected_saved_and_the_device_runs_with_it(
    tmp_path: Path, screen: Callable[..., Any]
) -> None:
    path = write(tmp_path, port=free_port())
    before = path.read_text()
    with running(path, trial_s=1.0) as (url, made):
        page = screen(url, PHONE, locale="de-DE")
        page.fill("#search", "Anwesend nach")
        page.fill(control("zones", 0, "enter_s"), "-1")
        until(lambda: problem(page, "zones", 0, "enter_s") == "Mindestens 0 ist nötig (eine Zahl)")
        assert page.get_attribute(control("zones", 0, "enter_s"), "aria-invalid") == "true"
        assert page.is_disabled("#save")
        assert path.read_text() == before
        page.fill(control("zones", 0, "enter_s"), "2,5")
        says(page, "#state", "Alles davon")
        page.click("#save")
        says(page, "#outcome", "Das Gerät läuft damit")
        assert path.read_text() == before + "enter_s = 2.5\n"
        assert made[-1].settings.zones[0].enter_s == 2.5
        assert page.input_value(control("zones", 0, "enter_s")) == "2,5"


def test_tables_are_added_and_removed_and_a_secret_is_kept_unseen(tmp_path: Path, screen: Callable[..., Any]) -> None:
    path = write(tmp_path, port=free_port())
    with running(path, trial_s=1.0) as (url, _):
        page = screen(url)
        page.click("[data-group='sensors'] > summary")
        page.click("text='Add: Sensors'")
        until(lambda: "is missing" in problem(page, "sensors", 0, "uri"))
        page.fill(control("sensors", 0, "uri"), "fake://")
        page.click("[data-group='mqtt'] > summary")
        page.fill("[data-path='[\"mqtt\",\"password_file\"]'] input[type='password']", "a secret word")
        page.fill(control("mqtt", "username"), "me")
        says(page, "#state", "can be saved")
        page.click("#save")
        says(page, "#outcome", "runs with it")
        found = settings_file.load(path)
        assert [each.uri for each in found.sensors] == ["fake://"]
        assert Path(found.mqtt.password_file).read_text() == "a secret word\n"
        assert "a secret word" not in page.content()
        assert page.input_value("[data-path='[\"mqtt\",\"password_file\"]'] input[type='password']") == ""
        page.click("[aria-label='Remove: Sensors 1']")
        says(page, "#state", "can be saved")
        page.click("#undo")
        says(page, "#state", "Nothing is changed")
        assert page.input_value(control("sensors", 0, "uri")) == "fake://"


def test_what_the_device_does_not_come_up_with_is_taken_back_and_said(
    tmp_path: Path, screen: Callable[..., Any]
) -> None:
    path = write(tmp_path, port=free_port())
    before = path.read_text()
    with running(path, trial_s=2.0) as (url, _):
        page = screen(url)
        page.fill("#search", "web.token_file")
        page.fill(control("web", "token_file"), str(tmp_path / "none"))
        says(page, "#state", "look there afterwards")
        page.click("#save")
        says(page, "#outcome", "are what they were before")
        assert "cannot be read" in page.inner_text("#outcome")
        assert path.read_text() == before
        assert page.input_value(control("web", "token_file")) == ""


def test_bad_input_on_every_field_is_said_there_and_changes_nothing(tmp_path: Path, screen: Callable[..., Any]) -> None:
    path = write(tmp_path, "[[sensors]]\nuri = 'fake://'\n[zones.sun]\n", port=free_port())
    path.write_text(path.read_text().replace("[zones.sun]\n", ""))
    before = path.read_text()
    with running(path, trial_s=1.0) as (url, _):
        page = screen(url)
        for name in ("cameras", "lines", "thermostats", "buttons"):
            page.click(f"[data-group='{name}'] > summary")
            page.click(f"[data-group='{name}'] > div > button")
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        page.evaluate(
            """for (const each of document.querySelectorAll('.field > input, .field > textarea')) {
              each.value = 'no ä such + thing #';
              each.dispatchEvent(new Event('input'));
            }"""
        )
        strict = ".field:is([data-kind='whole'], [data-kind='number'], [data-kind='numbers'])"
        assert page.locator(strict).count() > 70
        until(lambda: page.locator(f"{strict}:has([aria-invalid='true'])").count() == page.locator(strict).count(), 120)
        assert page.locator(f"{strict}:has(.problem:empty)").count() == 0
        for name in ("site", "id"):
            assert "letters" in problem(page, "device", name).lower()
        assert page.is_disabled("#save")
        assert path.read_text() == before


def test_a_file_that_is_managed_elsewhere_is_shown_and_cannot_be_changed(
    tmp_path: Path, screen: Callable[..., Any]
) -> None:
    path = write(tmp_path, port=free_port())
    path.chmod(0o444)
    with running(path, trial_s=1.0) as (url, _):
        page = screen(url)
        assert "may not be written by the device" in page.inner_text("#barred")
        assert page.locator("#groups :is(input, select, textarea, button):enabled").count() == 0
        assert page.is_disabled("#save")


@IN_BOTH
def test_the_keyboard_alone_changes_a_setting(tmp_path: Path, screen: Callable[..., Any]) -> None:
    path = write(tmp_path, port=free_port())
    with running(path, trial_s=1.0) as (url, _):
        page = screen(url)
        page.focus("#search")
        page.keyboard.type("frame rate")
        says(page, "#found", "fields found")
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.closest('.field')?.dataset.path") == '["camera","fps"]':
                break
        page.keyboard.type("4")
        says(page, "#state", "can be saved")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "save":
                break
        page.keyboard.press("Enter")
        says(page, "#outcome", "runs with it")
        assert "fps = 4" in path.read_text()


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "light"), (TABLET, "dark")], ids=["phone", "tablet dark"])
def test_everybody_can_use_it(tmp_path: Path, screen: Callable[..., Any], size: dict[str, int], theme: str) -> None:
    path = write(tmp_path, "[[sensors]]\nuri = 'fake://'\n", port=free_port())
    with running(path, trial_s=1.0) as (url, _):
        page = screen(url, size, theme)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        page.fill(control("camera", "fps"), "-1")
        until(lambda: problem(page, "camera", "fps") != "")
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing lies beside the screen"
        unnamed = page.evaluate(
            """[...document.querySelectorAll('#groups :is(input, select, textarea)')].filter((each) =>
              ![...each.labels].some((label) => label.textContent.trim())).length"""
        )
        assert unnamed == 0
