"""Sentences keep their keys wherever they are handed on, are said in every language, and are found again."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import msgspec
import pytest

import comfywear
from comfywear.errors import SourceError
from comfywear.texts import Text, builtins, changed, encode, parts, recalled, said, together
from comfywear.texts.encoding import decode_keyed, encode_keyed, encode_parts
from comfywear_sensors.redaction import redact
from third_language import third_language

GONE = Text("camera gone: {why}", why=Text("{shown}: there is no such host", shown="rtsp://a:secret@host/x"))
OFTEN = Text(
    "{what} (like {kelvin} K {way}): {after}% instead of {before}% would want no change",
    what=Text("take the {garment} off", garment="jacket"),
    kelvin="1.3",
    way="cooler",
    after="62",
    before="55",
)


def test_a_sentence_is_the_english_text_that_it_was_before() -> None:
    assert GONE == "camera gone: rtsp://a:secret@host/x: there is no such host"
    assert f"{GONE}!" == "camera gone: rtsp://a:secret@host/x: there is no such host!"
    assert type(GONE[:]) is str


def test_it_keeps_its_key_in_an_error_in_another_process_and_where_secrets_are_cut_out() -> None:
    assert isinstance(str(SourceError(GONE)), Text)
    assert (
        said(str(SourceError(GONE)), "de")
        == "Kamera nicht erreichbar: rtsp://…@host/x: einen solchen Host gibt es nicht"
    )
    assert said(redact(GONE), "de") == said(pickle.loads(pickle.dumps(redact(GONE))), "de")
    again = decode_keyed(encode_keyed(GONE))
    assert again == GONE
    assert said(again, "de") == said(GONE, "de")


def test_a_secret_that_is_in_no_single_value_is_cut_out_of_the_plain_sentence() -> None:
    made = Text("{name}={value} is not one of {choices}", name="password", value="abc", choices="x")
    assert "abc" not in redact(made)


def test_numbers_have_the_decimal_sign_of_the_language_and_words_are_those_of_its_tables() -> None:
    assert said(OFTEN, "de") == "Ablegen: Jacke (wie 1,3 °C kühler): 62 % statt 55 % würden nichts ändern wollen"
    assert said(Text("{liked} °C would please most", liked="22.5"), "de") == "22,5 °C wären den meisten recht"


def test_a_language_may_have_more_forms_for_numbers_than_english() -> None:
    text = (
        '{"language": "Polski", "decimal": ",", "sentences": {"{n} votes": {"one": "{n} głos", "few": "{n} głosy", '
        '"other": "{n} głosów"}}, "plural": ["n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2", '
        '"one", "few", "many"]}'
    )
    with third_language() as file:
        file.write_text(text)
        found = [said(Text("{n} votes", n=n), "xx") for n in (1, 3, 5, 12, 22)]
    assert found == ["1 głos", "3 głosy", "5 głosów", "12 głosów", "22 głosy"]


def test_what_a_language_does_not_know_stands_in_english_and_is_marked_so() -> None:
    made = Text("{path} cannot be read ({why})", path="/x", why="Permission denied")
    assert parts(made, "de") == [("de", "/x ist nicht zu lesen ("), ("en", "Permission denied"), ("de", ")")]
    assert parts("whatever else", "de") == [("en", "whatever else")]
    assert parts(Text("nothing that the catalogue has"), "de") == [("en", "nothing that the catalogue has")]


def test_json_has_english_or_the_language_that_is_wanted_or_pieces() -> None:
    made = {"reason": together(Text("no humidity"), Text("no air temperature"))}
    assert encode(made) == b'{"reason":"no humidity; no air temperature"}'
    assert msgspec.json.decode(encode(made, "de")) == {"reason": "keine Feuchte; keine Lufttemperatur"}
    pieces = msgspec.json.decode(encode_parts(made, "de"))["reason"]
    assert pieces["parts"] == [["de", "keine Feuchte; keine Lufttemperatur"]]
    assert pieces["values"]["then"]["parts"] == [["de", "keine Lufttemperatur"]]
    assert type(builtins(made)["reason"]) is str


@pytest.mark.parametrize(
    "sentence", [GONE, OFTEN, Text("switched over MQTT"), Text("no frame for {seconds} s", seconds="9")]
)
@pytest.mark.parametrize("code", ["en", "de"])
def test_a_sentence_that_was_stored_is_found_again_whichever_language_it_was_in(sentence: Text, code: str) -> None:
    found = recalled(said(sentence, code)[:])
    assert isinstance(found, Text)
    assert said(found, "de") == said(sentence, "de")


def test_what_is_no_sentence_of_the_catalogue_stays_what_it_is() -> None:
    assert not isinstance(recalled("a message of somebody else: 12 s"), Text)
    assert recalled("") == ""


def test_a_long_message_is_left_as_it_is_whatever_it_looks_like() -> None:
    """All ways to read it as a sentence of the catalogue would be tried: of 2,000 characters, for ten seconds."""
    known = said(Text("no frame for {seconds} s", seconds="7" * 40), "en")[:]
    assert isinstance(recalled(known), Text)
    for long in (said(Text("no frame for {seconds} s", seconds="7" * 500), "en")[:], "a: b; c (d) " * 300):
        assert not isinstance(recalled(long), Text)
        assert recalled(long) == long


def test_a_change_of_a_word_in_the_sentence_itself_gives_plain_text() -> None:
    assert isinstance(changed(GONE, lambda part: part.replace("host", "there")), str)
    assert not isinstance(changed(GONE, lambda part: part.replace("gone", "lost")), Text)


def test_json_of_what_may_hold_sentences_is_written_by_the_catalogue_alone() -> None:
    """msgspec refuses a `Text` unless it is told what that is; the store of votes tells it itself."""
    root = Path(comfywear.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if re.search(r"msgspec\.(json\.encode|to_builtins|json\.Encoder)", path.read_text(encoding="utf-8"))
    }
    assert {each for each in found if not each.startswith("bench/")} == {"texts/encoding.py", "feedback/vote_rows.py"}
