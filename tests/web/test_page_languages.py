"""The page's languages: chosen as settings and browser wish, and a third takes one file."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from page_peers import MadeUp, serving

from comfywear import web
from comfywear.texts import Text, catalogue, said, words
from comfywear.web.words import choose, page_words
from third_language import third_language
from waiting import until

# Each sentence of the device once, its places filled with numbers.
EVERY = tuple(
    Text(key, **{place[1]: "2.5" if place[1] != "n" else "2" for place in catalogue.PLACE.finditer(key)})
    for key in sorted(words("de")["sentences"])
)


class Troubled(MadeUp):
    """A device of which everything is wrong that can be."""

    def now(self, zone: str) -> web.Now:
        found = super().now(zone)
        line = "{name} ({about}): {reason} ({age}) → {what}"
        troubles = tuple(Text(line, name="hot", about="x", reason=each, age="5 min", what=each) for each in EVERY)
        why = Text("no sensor of {zone} has said anything yet", zone="desk")
        return web.Now(
            zone,
            web.AirNow(None, None, why),
            None,
            Text("camera gone: {why}", why="Connection refused"),
            web.ComfortNow(None, None, {}, (), Text("no air temperature")),
            Text("learnt from {votes}; your zone likes it as the model says", votes=Text("{n} votes", n=3)),
            Text("nobody has voted here yet"),
            3,
            found.recording,
            troubles=troubles,
        )


def test_the_language_is_the_settings_or_the_browsers_or_english() -> None:
    assert choose("de", "en") == "de"
    assert choose("auto", "fr-FR, de-CH;q=0.8, en;q=0.5") == "de"
    assert choose("auto", "fr, *") == "en"
    assert choose("auto", "") == "en"
    assert choose("xx", "de") == "de"


@pytest.mark.parametrize("code", ["xx", "../en", "", "en/../en"])
def test_a_language_that_there_is_none_of_is_not_read(code: str) -> None:
    with pytest.raises(KeyError):
        words(code)


def test_the_page_is_sent_neither_the_sentences_of_the_device_nor_what_others_need() -> None:
    assert {"sentences", "fields", "report", "settings", "setup"} <= words("de").keys() - page_words("de").keys()


def test_a_program_gets_sentences_in_english_or_in_the_language_that_it_asks_for() -> None:
    with serving(Troubled()) as url, httpx.Client(base_url=url, timeout=60) as client:
        plain = client.get("/api/now", headers={"Accept-Language": "de"}).json()
        assert plain["air"]["reason"] == "no sensor of desk has said anything yet"
        assert client.get("/api/now?texts=xx").json()["air"]["reason"] == plain["air"]["reason"]
        german = client.get("/api/now?texts=de").json()
        assert german["air"]["reason"]["parts"] == [["de", "kein Fühler von desk hat bisher etwas gesagt"]]
        assert german["unseen"]["parts"] == [["de", "Kamera nicht erreichbar: "], ["en", "Connection refused"]]
        refused = client.get("/api/now?zone=nowhere&texts=de")
        assert refused.status_code == 400
        assert refused.json()["text"]["parts"] == [["de", "einen Bereich 'nowhere' gibt es nicht"]]


def test_every_reason_and_trouble_is_said_in_german_and_in_english_once_that_is_chosen(
    screen: Callable[..., Any],
) -> None:
    with serving(Troubled()) as url:
        page = screen(f"{url}/#room", locale="de-DE", ready="#troubles li")
        items = page.locator("#troubles li")
        assert items.count() == len(EVERY)
        found = [text.splitlines() for text in items.all_inner_texts()]
        for each, (heading, reason, what) in zip(EVERY, found, strict=True):
            german = said(each, "de")
            assert heading == "Das Gerät ist zu heiß (5 min)"
            shown = re.sub(r"\s+", " ", german).strip()
            assert reason.removeprefix("x: ").casefold() == shown.casefold()
            assert what.removeprefix("→ ").casefold() == shown.casefold()
        assert (
            page.inner_text("#air p")
            == "Über die Luft ist nichts bekannt: Kein Fühler von desk hat bisher etwas gesagt"
        )
        assert page.inner_text("#learnt p") == "Aus 3 Stimmen gelernt: Ihr Bereich mag es so, wie das Modell sagt"
        assert page.inner_text("#people [lang=en]") == "Connection refused"
        page.goto(f"{url}/#about")
        page.select_option("#language", "en")
        page.goto(f"{url}/#room")
        until(lambda: "No sensor of desk has said anything yet" in page.inner_text("#air p"))


def test_a_third_language_takes_one_file(screen: Callable[..., Any]) -> None:
    made = json.loads((catalogue.FOLDER / "de.json").read_text(encoding="utf-8"), object_hook=_turned)
    german = words("de")
    made |= {name: german[name] for name in ("decimal", "plural", "troubles")} | {"language": "Turned"}
    with third_language() as file:
        file.write_text(json.dumps(made))
        with serving(Troubled()) as url:
            page = screen(f"{url}/#about", locale="en-GB", ready="#faces button")
            assert "Turned" in page.inner_text("#language")
            page.select_option("#language", "xx")
            until(lambda: page.inner_text("#about-heading").strip() == german["about"]["heading"][::-1])
            page.goto(f"{url}/#room")
            wanted = "kein Fühler von "[::-1].strip()
            until(lambda: wanted.casefold() in page.inner_text("#air p").casefold())
            text = html.unescape(httpx.get(url, headers={"Accept-Language": "xx-XX, de;q=0.5"}, timeout=60).text)
            assert '<html lang="xx"' in text
            assert german["vote"]["question"][::-1] in text
    assert "xx" not in catalogue.languages()


def _turned(part: dict[str, Any]) -> dict[str, Any]:
    """Every text backwards, what stands in braces as it was."""

    def turn(text: Any) -> Any:
        if isinstance(text, list):
            return [turn(each) for each in text]
        if not isinstance(text, str):
            return text
        return "".join(
            each if each.startswith("{") else each[::-1] for each in re.split(r"(\{\w+(?::\w+)?\})", text)[::-1]
        )

    return {name: turn(text) for name, text in part.items()}
