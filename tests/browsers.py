"""Real browsers for the tests of pages: Chromium, and Firefox for what everybody does first.

A conftest.py takes the fixtures `browser` and `screen` from here; IN_BOTH has a test run in each.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from waiting import until

__all__ = ["CHROMIUM", "IN_BOTH", "PHONE", "TABLET", "browser", "holds", "is_firefox", "screen", "serious"]

PHONE, TABLET = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
IN_BOTH = pytest.mark.parametrize("browser", ["chromium", "firefox"], indirect=True)


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A browser; skips where it is not installed."""
    playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (scripts/setup)")
    firefox = getattr(request, "param", "chromium") == "firefox"
    if (FIREFOX if firefox else CHROMIUM) is None:
        pytest.skip(f"needs the browser {'firefox-esr' if firefox else 'chromium'} (Debian: apt install …)")
    with playwright_api.sync_playwright() as playwright:
        if firefox:  # the system's own, by WebDriver BiDi
            browser = playwright.firefox.launch(executable_path=FIREFOX, channel="moz-firefox")
        else:
            arguments = ["--disable-gpu"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def screen(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page on a screen of its own; fails when the page's scripts do or its policy stopped something."""
    contexts, problems = [], []

    def show(
        url: str, size: dict[str, int] = TABLET, theme: str = "light", locale: str = "en-GB", ready: str = "#chips span"
    ) -> Any:
        context = browser.new_context(viewport=size, color_scheme=theme, locale=locale)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        page.goto(url)
        page.wait_for_selector(ready, state="attached")
        return page

    yield show
    for context in contexts:
        context.close()
    assert not problems, problems


def is_firefox(page: Any) -> bool:
    """Whether it is shown by Firefox."""
    return bool(page.context.browser.browser_type.name == "firefox")


def holds(page: Any, expression: str) -> None:
    """Wait until an expression is true in the page (Playwright waits by evaluating text, which the policy stops).

    What is not there yet is not true yet: scripts that are seldom wanted come when they are.
    """
    until(lambda: bool(page.evaluate(f"() => {{ try {{ return {expression} }} catch (error) {{ return false }} }}")))


def serious(page: Any) -> list[str]:
    """What axe finds that keeps somebody from using the page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in ("serious", "critical")
    ]
