"""The page: in every language, whole in itself, and nothing that somebody else wrote is markup."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from html.parser import HTMLParser

import pytest

from comfywear.errors import UsageError
from comfywear.report import Month, Wording, ZoneLog, figure, render
from comfywear.texts import languages

MONTH = Month.of("2026-01", timezone.utc, datetime(2027, 1, 1, tzinfo=timezone.utc))


def test_a_language_that_there_is_none_of_is_said() -> None:
    with pytest.raises(UsageError, match="de, en"):
        Wording("../en")


def log_of(title: str) -> ZoneLog:
    log = ZoneLog("house", "<i>d</i>", "desk", title)
    begin_s = MONTH.begin.timestamp() + 9 * 3600
    log.take("climate", begin_s, b'{"state": "fresh", "air_temp_c": 21.0, "disagreement": "<b>by 3 K</b>"}')
    log.take("comfort", begin_s, b'{"pmv": -0.6, "advice": ["<script>alert(1)</script>"]}')
    log.take("vote", begin_s, b'{"id": "a", "level": 2, "comfort": {"level": 4}}')
    return log


class Checked(HTMLParser):
    """The tags that were opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in ("src", "href"), "nothing is loaded from elsewhere"
            assert "http" not in (value or "")
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("code", languages())
def test_what_others_wrote_is_text_and_the_page_is_whole(code: str) -> None:
    zones = [figure(log_of("<script>x</script> & Co"), MONTH), figure(log_of("Window"), MONTH)]
    html = render(zones, MONTH, Wording(code), "<u>file</u>")
    assert html == render(zones, MONTH, Wording(code), "<u>file</u>")
    checked = Checked()
    checked.feed(html)
    assert checked.open == []
    assert not checked.tags & {"script", "b" if "<b>by" in html else "", "i", "u", "img", "link", "iframe"}
    assert "&lt;script&gt;x&lt;/script&gt; &amp; Co" in html
    assert "Window" in html
    assert f'lang="{code}"' in html
    assert "@page" in html
    assert "{" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL), "every word has its values"


def test_numbers_and_days_are_written_as_in_the_language() -> None:
    english, german = Wording("en"), Wording("de")
    assert (english.number(-1.25, 2), german.number(-1.25, 2)) == ("−1.25", "−1,25")
    assert german.number(0.9, signed=True) == "+0,9"
    assert english.number(-0.01, signed=True) == "0.0"
    assert english.number(None) == english.number(float("nan")) == "–"
    assert (english.day(MONTH.begin), german.day(MONTH.begin)) == ("Thu 1", "Do 1.")
    assert german.advice("take the jacket off") == "Ablegen: Jacke"
    assert german.advice("make the air 1 K cooler") == "Die Luft um 1 °C kühlen"
    assert german.advice("something new") == "Something new"


def test_a_month_that_is_not_over_says_so() -> None:
    now = datetime(2026, 1, 12, 15, 30, tzinfo=timezone.utc)
    month = Month.of("2026-01", timezone.utc, now)
    html = render([figure(log_of("Desk"), month)], month, Wording("en"), "file")
    assert "up to Mon 12, 15:30" in html
