"""What a screen reader is given of the first run, step by step, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from test_network_cameras import first_run

from accessible import faults, outline, tree
from browsers import PHONE, holds

STEPS = ("place", "camera", "sensors", "zones", "broker", "homeassistant", "password", "done")


def test_each_step_has_names_states_headings_and_landmarks_and_says_what_it_found(
    tmp_path: Path, screen: Callable[..., Any]
) -> None:
    with first_run(tmp_path) as run:
        page = screen(run.url, PHONE, ready="html[data-ready]")
        for number, step in enumerate(STEPS, start=1):
            page.wait_for_selector(f"[data-step='{step}'][aria-current]")
            page.evaluate("document.getElementById('more').open = true")
            if step in ("camera", "sensors"):
                page.wait_for_selector("#found button")
            spoken = tree(page)
            assert faults(spoken) == [], (step, outline(spoken))
            (steps,) = [each for each in spoken if each.role == "navigation"]
            assert steps.name == "Set up this device"
            (heading,) = [each for each in spoken if each.role == "heading" and each.states["level"] == 1]
            assert heading.text == f"Step {number} of 8"
            if number > 1:
                assert page.evaluate("document.activeElement.id") == "heading", "a step begins at its heading"
            if step != "done":
                page.click("#next")
        page.wait_for_selector("#findings li")
        assert page.evaluate("document.getElementById('findings').closest('[role=status]') !== null")


def test_a_wrong_field_says_why_and_its_step_says_so_too(tmp_path: Path, screen: Callable[..., Any]) -> None:
    with first_run(tmp_path) as run:
        page = screen(run.url, PHONE, ready="html[data-ready]")
        page.fill('[data-path=\'["device","site"]\'] > input', "of fice")
        page.wait_for_selector("[aria-invalid=true]")
        (wrong,) = [each for each in tree(page) if "invalid" in each.states]
        assert page.inner_text(".problem:not(:empty)") in wrong.text
        said = page.evaluate_handle("document.querySelector('.problem:not(:empty)').firstChild")
        page.fill('[data-path=\'["device","id"]\'] > input', "lab1")
        holds(page, "document.getElementById('state').textContent === ''")
        page.wait_for_timeout(1000)
        assert said.evaluate("(each) => each.isConnected"), "what was announced is not announced again"
        page.click("#next")
        holds(page, "document.querySelector('[data-step=place]').ariaLabel === 'Place: fault'")
        steps = [each.name for each in tree(page) if each.role == "button" and each.name.startswith("Place")]
        assert steps == ["Place: fault"]
