"""JSON of values that may hold sentences of the device: in a language, in pieces for the page, or with their keys."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from comfywear.texts.catalogue import ENGLISH, parts, said
from comfywear_sensors.texts import Text

__all__ = ["builtins", "decode_keyed", "encode", "encode_keyed", "encode_parts"]


def encode(value: object, language: str = ENGLISH) -> bytes:
    """JSON whose sentences are texts in a language."""
    return msgspec.json.encode(value, enc_hook=partial(_in_language, language))


def encode_parts(value: object, language: str) -> bytes:
    """JSON whose sentences are objects: `parts` as `catalogue.parts` says, and `values` by place."""
    return msgspec.json.encode(value, enc_hook=partial(_in_parts, language))


def encode_keyed(value: object) -> bytes:
    """JSON whose sentences are objects that `decode_keyed` reads: `key`, and `values` by place."""
    return msgspec.json.encode(value, enc_hook=_with_key)


def decode_keyed(text: bytes) -> str:
    """A sentence that `encode_keyed` wrote, with its key."""
    return _again(msgspec.json.decode(text))


def builtins(value: object) -> Any:
    """`value` as dicts, lists and plain texts; sentences are in English."""
    return msgspec.to_builtins(value, enc_hook=partial(_in_language, ENGLISH))


def _in_language(language: str, value: object) -> str:
    return said(_sentence(value), language)[:]  # a slice is a plain str


def _with_key(value: object) -> dict[str, object]:
    sentence = _sentence(value)
    return {"key": sentence.key, "values": sentence.values}


def _in_parts(language: str, value: object) -> dict[str, object]:
    sentence = _sentence(value)
    return {"parts": parts(sentence, language), "values": sentence.values}


def _again(said: str | dict[str, Any]) -> str:
    if isinstance(said, str):
        return said
    return Text(said["key"], **{name: _again(value) for name, value in said["values"].items()})


def _sentence(value: object) -> Text:
    if not isinstance(value, Text):
        raise NotImplementedError(f"{type(value).__name__} is nothing that JSON has")
    return value
