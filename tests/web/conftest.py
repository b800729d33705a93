"""A real browser for the tests of the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from page_screens import TABLET

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (scripts/setup)")
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

    def show(
        url: str, size: dict[str, int] = TABLET, theme: str = "light", locale: str = "en-GB", ready: str = "#chips span"
    ) -> Any:
        context = browser.new_context(viewport=size, color_scheme=theme, locale=locale)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        page.goto(url)
        page.wait_for_selector(ready, state="attached")
        return page

    yield show
    for context in contexts:
        context.close()
    assert problems == []
