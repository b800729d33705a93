"""Screens of the page's tests, and what is asked of a page on one."""

from __future__ import annotations

from typing import Any

from waiting import until

PHONE, TABLET = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


def holds(page: Any, expression: str) -> None:
    """Wait until an expression is true in the page (Playwright waits by evaluating text, which the policy stops).

    What is not there yet is not true yet: scripts that are seldom wanted come when they are.
    """
    until(lambda: bool(page.evaluate(f"() => {{ try {{ return {expression} }} catch (error) {{ return false }} }}")))


def serious(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in ("serious", "critical")
    ]
