"""The first vote: a face can be pressed before any script has come, and what was pressed then is not lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from page_peers import TOKEN, MadeUp, serving

from browsers import IN_BOTH, PHONE, holds


@contextmanager
def held_back(page: Any) -> Iterator[None]:
    """No script of the page comes until the block is left."""
    waiting: list[Any] = []
    left = False

    def hear(route: Any) -> None:
        route.continue_() if left else waiting.append(route)

    page.route("**/*.js", hear)
    yield
    left = True
    for each in waiting:
        each.continue_()


@pytest.fixture
def bare(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens an empty page on a phone."""
    contexts: list[Any] = []

    def show(**options: Any) -> Any:
        contexts.append(browser.new_context(viewport=PHONE, **options))
        return contexts[-1].new_page()

    yield show
    for context in contexts:
        context.close()


@IN_BOTH
def test_the_last_face_that_was_pressed_before_the_scripts_came_is_one_vote(bare: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = bare()
        with held_back(page):
            page.goto(f"{url}/?zone=window", wait_until="commit")
            page.click("#faces [data-level='2']")
            page.keyboard.press("9")
            page.keyboard.press("4")
            assert page.locator("#faces .pressed").count() == 1
            assert device.votes == []
        page.wait_for_selector("#thanks:not([hidden])")
        assert [vote[:2] for vote in device.votes] == [("window", 4)]
        ((_, age_s),) = device.sent
        assert age_s > 0, "it was pressed before it could be sent"
        page.click("#done")
        page.click("#faces [data-level='5']")
        page.wait_for_selector("#thanks:not([hidden])")
        assert [vote[1] for vote in device.votes] == [4, 5]


def test_a_view_that_was_asked_for_takes_no_press_for_a_vote(bare: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = bare()
        with held_back(page):
            page.goto(f"{url}/#room", wait_until="commit")
            page.wait_for_selector("#nav a >> text=Room")
            assert not page.is_visible("#faces")
            page.keyboard.press("4")
        page.wait_for_selector("#view-room:not([hidden])")
        page.goto(f"{url}/#vote")
        page.wait_for_selector("#faces", state="visible")
        holds(page, "document.documentElement.dataset.ready === 'yes'")
        assert device.votes == []


def test_what_was_pressed_while_nobody_answers_is_kept_on_the_screen(bare: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = bare()
        page.route("**/api/vote?*", lambda route: route.abort())
        with held_back(page):
            page.goto(f"{url}/?zone=desk", wait_until="commit")
            page.click("#faces [data-level='1']")
        holds(page, "document.getElementById('say').innerText.includes('kept on this screen')")
        page.unroute("**/api/vote?*")
        page.reload()
        holds(page, "JSON.parse(localStorage.getItem('comfywear.votes')).length === 0")
        assert {vote[:2] for vote in device.votes} == {("desk", 1)}
        assert len({vote_id for vote_id, _ in device.sent}) == 1, "sent again it is the same vote to a device"


def test_the_faces_have_their_words_without_any_script(bare: Callable[..., Any]) -> None:
    with serving(MadeUp()) as url:
        page = bare(java_script_enabled=False, locale="de-DE")
        page.goto(f"{url}/?zone=desk")
        assert page.inner_text("h1#question") == "Wie wohl fühlen Sie sich gerade?"
        assert page.get_by_role("button", name="Sehr behaglich", exact=True).is_visible()
        assert page.locator("#faces button svg").count() == 5


def test_who_may_not_vote_there_sees_no_face_at_all() -> None:
    with serving(MadeUp(), TOKEN, others=[("only to look", "read")]) as url:
        for token, zone, hidden in ((TOKEN, "desk", False), (TOKEN, "nosuch", True), ("only to look", "desk", True)):
            headers = {"Authorization": f"Bearer {token}"}
            text = httpx.get(f"{url}/?zone={zone}", headers=headers, timeout=60).text
            assert ('aria-labelledby="question" hidden>' in text) is hidden, (token, zone)
