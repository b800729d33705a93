"""What is said to people, in their language: one file a language, for the page, the report and readable messages."""

from __future__ import annotations

from comfywear.texts.catalogue import ENGLISH, languages, parts, said, words
from comfywear.texts.encoding import builtins, decode_keyed, encode, encode_keyed, encode_parts
from comfywear.texts.recalling import recalled
from comfywear_sensors.texts import Text, changed, listed, together

__all__ = [
    "ENGLISH",
    "Text",
    "builtins",
    "changed",
    "decode_keyed",
    "encode",
    "encode_keyed",
    "encode_parts",
    "languages",
    "listed",
    "parts",
    "recalled",
    "said",
    "together",
    "words",
]
