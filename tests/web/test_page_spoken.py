"""What a screen reader is given of the page: the whole accessibility tree on a phone, and what is announced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from page_peers import TOKEN, MadeUp, serving
from test_page_browser import VIEWS, Furnished

from accessible import Spoken, faults, outline, tree
from browsers import PHONE, holds

PICTURE = cv2.imencode(".jpg", np.full((480, 640, 3), 200, np.uint8))[1].tobytes()


def good(page: Any) -> list[Spoken]:
    """The tree, without a fault."""
    spoken = tree(page)
    assert faults(spoken) == [], outline(spoken)
    return spoken


def named(spoken: list[Spoken], role: str, name: str) -> Spoken:
    found = [each for each in spoken if each.role == role and each.name.startswith(name)]
    assert len(found) == 1, (role, name, outline(spoken))
    return found[0]


def announced(page: Any, words: str) -> None:
    """What is said stands in an element that a screen reader reads out by itself."""
    regions = "[role=status], [role=alert], [aria-live]"
    holds(page, f"[...document.querySelectorAll('{regions}')].some((each) => each.textContent.includes({words!r}))")


def test_every_view_has_names_states_headings_and_landmarks(screen: Callable[..., Any]) -> None:
    device = Furnished()
    device.picture = PICTURE
    with serving(device) as url:
        page = screen(url, PHONE)
        for view in VIEWS:
            page.goto(f"{url}/#{view}")
            page.wait_for_selector(f"#view-{view}:not([hidden])")
            if view == "sketch":
                page.wait_for_selector(".find")
            if view == "about":
                page.wait_for_selector("#restore summary")
            for summary in page.query_selector_all(f"#view-{view} summary"):
                assert summary.evaluate("(each) => { each.click(); return each.parentElement.open }")
            spoken = good(page)
            assert [each.name for each in spoken if each.role == "navigation"] == ["Views"]
            assert named(spoken, "region", page.inner_text(f"#view-{view} h1")).depth > 0
            current = page.get_attribute("nav [aria-current]", "href")
            assert current == f"#{view}"


def test_a_vote_is_answered_by_a_dialog_and_announced(screen: Callable[..., Any]) -> None:
    with serving(MadeUp()) as url:
        page = screen(url, PHONE)
        levels = [each.name for each in good(page) if each.role == "button"][1:]
        assert levels == ["Very uncomfortable", "Uncomfortable", "Just comfortable", "Comfortable", "Very comfortable"]
        page.click("#faces [data-level='4']")
        page.wait_for_selector("#thanks:not([hidden])")
        spoken = good(page)
        assert "Comfortable" in named(spoken, "dialog", "Thank you!").text
        assert not [each for each in spoken if each.name == "Very comfortable"], "what is covered is not offered"
        announced(page, "You said: Comfortable")
        page.click("#undo")
        announced(page, "taken back")
        assert [each.name for each in good(page) if each.name.endswith("omfortable")]


def test_zones_are_told_by_place_and_a_wrong_name_says_why(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    device.picture = PICTURE
    device.several = ("south",)
    with serving(device) as url:
        page = screen(f"{url}/#sketch", PHONE)
        page.click("#draw")
        page.wait_for_selector("#shapes li")
        holds(page, "document.querySelector('#shapes li').textContent.includes('1 person')")
        zone = named(good(page), "button", "Zone desk")
        assert "from 0 to 40 % across, from 20 to 90 % down" in zone.text
        assert zone.states["pressed"] == "false"
        page.focus("[data-key='shape-0']")
        page.keyboard.press("Enter")
        spoken = good(page)
        assert named(spoken, "button", "Zone desk: corner 1 of 4").text, "the keys are told"
        assert "0 % from the left, 20 % from the top" in named(spoken, "button", "Zone desk: corner 1 of 4").name
        page.focus("[data-key='corner-0']")
        page.keyboard.press("ArrowRight")
        announced(page, "1 % from the left, 20 % from the top")
        page.click("#plan-mask", force=True)
        page.keyboard.press("Escape")
        page.focus("#plan-zone")
        page.keyboard.press("Enter")
        page.fill("#shapes input", "a/b")
        page.keyboard.press("Tab")
        page.wait_for_selector("#shapes input[aria-invalid=true]")
        wrong = [each for each in good(page) if "invalid" in each.states]
        assert [each.role for each in wrong] == ["textbox"]


def test_settings_say_what_is_wrong_at_the_field_how_many_are_found_and_what_became_of_them(
    screen: Callable[..., Any],
) -> None:
    with serving(MadeUp()) as url:
        page = screen(f"{url}/settings", PHONE, ready="html[data-ready]")
        page.fill("#search", "frames")
        announced(page, "found")
        page.fill("#search", "")
        page.evaluate("document.querySelector('[data-group=camera]').open = true")
        page.fill('[data-path=\'["camera","fps"]\'] > input', "-3")
        page.wait_for_selector("[aria-invalid=true]")
        spoken = good(page)
        (wrong,) = [each for each in spoken if "invalid" in each.states]
        assert (wrong.role, wrong.name) == ("textbox", "Frame rate (1/s) fps")
        assert "A number > 0 is wanted" in wrong.text
        assert named(spoken, "DisclosureTriangle", "Camera 1 changed 1 wrong").states["expanded"] is True


def test_signing_in_says_what_was_wrong_at_the_field(browser: Any, tmp_path: Path) -> None:
    with serving(MadeUp(), TOKEN) as url:
        context = browser.new_context(viewport=PHONE)
        page = context.new_page()
        page.goto(url)
        page.fill("input[name=token]", "wrong")
        page.click("button")
        page.wait_for_selector(".problem:not(:empty)")
        spoken = good(page)
        assert page.inner_text(".problem") in named(spoken, "textbox", "Password").text
        context.close()
