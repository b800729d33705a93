"""Holds every message that a connection sends against its JSON Schema; see the fixture in conftest.py."""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema
import pytest

_HEADER = ("seq", "ts", "epoch")


def watch(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Check what is published from now on; what is wrong appears in the list."""
    from comfywear.publishing.broker.connection import Connection

    faults: list[str] = []
    really = Connection.publish

    def publish(self: Connection, topic: str, payload: bytes, **options: Any) -> int | None:
        if fault := fault_of(topic, payload):
            faults.append(fault)
        return really(self, topic, payload, **options)

    monkeypatch.setattr(Connection, "publish", publish)
    return faults


def fault_of(topic: str, payload: bytes) -> str | None:
    """What is wrong with a message of the device; None for a good one, and for what consumers and tests send."""
    if not topic.startswith("comfywear/v1/") or not payload:  # an empty one clears what was retained
        return None
    if "/view/" in topic:  # a picture, the one thing that is no JSON
        return None
    try:
        data = json.loads(payload, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return None if topic.endswith("/set") or "/cmd/" in topic or "/ack/" in topic else f"{topic}: not JSON"
    if not isinstance(data, dict) or "schema" not in data:
        return None
    kinds = tuple(type(data.pop(key, None)).__name__ for key in _HEADER)
    return _fault(topic.rsplit("/", 1)[-1], json.dumps(data, sort_keys=True), kinds)


@functools.lru_cache(maxsize=4096)
def _fault(what: str, body: str, kinds: tuple[str, ...]) -> str | None:
    """What is wrong with a body; those that differ in their number and time alone are checked once."""
    standing = {"int": 1, "str": "text", "NoneType": None}
    stamped = {key: standing.get(kind, []) for key, kind in zip(_HEADER, kinds, strict=True)}
    data = {**json.loads(body), **stamped}
    name = str(data["schema"]).removeprefix("comfywear/v1/")
    if name not in _validators():
        return f"{what}: no schema is named {data['schema']!r}"
    error = next(_validators()[name].iter_errors(data), None)
    return None if error is None else f"{what}: {error.message[:300]} at {list(error.absolute_path)}"


@functools.cache
def _validators() -> dict[str, jsonschema.Draft202012Validator]:
    from comfywear.publishing.messages.schemas import schemas

    return {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas().items()}


def _no_json(word: str) -> float:
    raise ValueError(f"{word} is not JSON")
