from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.publishing.messages.commands import (
    COMMANDS,
    LARGEST_COMMAND_BYTES,
    AskNow,
    Identify,
    Reload,
    SetZoneName,
    read_command,
    read_sender,
)
from comfywear.publishing.messages.incoming import Ack, read_ack
from comfywear.publishing.messages.schemas import schemas

SCHEMAS = schemas()
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
nearly = st.dictionaries(st.sampled_from(["id", "reply_to", "zone", "name", "seconds", "x"]), anything, max_size=4)
payloads = (
    st.binary(max_size=200)
    | anything.map(lambda v: json.dumps(v).encode())
    | nearly.map(lambda v: json.dumps(v).encode())
)


@pytest.mark.parametrize(
    ("name", "payload", "command"),
    [
        ("identify", b"", Identify()),
        ("identify", b'{"seconds": 3, "id": "a"}', Identify(seconds=3, id="a")),
        ("ask-now", b'{"zone": "desk"}', AskNow(zone="desk")),
        ("reload", b"{}", Reload()),
        (
            "set-zone-name",
            b'{"name": "By the window", "reply_to": "t"}',
            SetZoneName(name="By the window", reply_to="t"),
        ),
    ],
)
def test_commands_are_read(name: str, payload: bytes, command: object) -> None:
    assert read_command(name, payload) == command
    if payload:
        jsonschema.Draft202012Validator(SCHEMAS[f"cmd-{name}"]).validate(json.loads(payload))


@pytest.mark.parametrize(
    ("name", "payload", "words"),
    [
        ("explode", b"{}", "no command 'explode'; there are: identify"),
        ("identify", b'{"second": 3}', "unknown field `second`"),
        ("identify", b'{"seconds": 3600}', "<= 60"),
        ("set-zone-name", b"{}", "missing required field `name`"),
        ("set-zone-name", b'{"name": 4}', "Expected `str`"),
        ("reload", b"now", "reload: "),
        ("reload", b" " * (LARGEST_COMMAND_BYTES + 1), "bytes at most"),
        ("identify", b"[" * 3000, "identify: "),
    ],
)
def test_what_is_wrong_with_a_command_is_said(name: str, payload: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_command(name, payload)


def test_whom_to_answer_is_known_although_the_command_is_wrong() -> None:
    assert read_sender(b'{"seconds": "x", "id": "7", "reply_to": "t"}') == ("7", "t")
    assert read_sender(b'{"id": 7}') == (None, None)


@settings(deadline=None)
@given(st.sampled_from([*COMMANDS, "other", ""]), payloads)
def test_whatever_comes_is_a_command_that_fits_its_schema_or_refused(name: str, payload: bytes) -> None:
    sender = read_sender(payload)
    try:
        command = read_command(name, payload)
    except UsageError as error:
        assert str(error)
        return
    assert (command.id, command.reply_to) == sender
    if payload:
        jsonschema.Draft202012Validator(SCHEMAS[f"cmd-{name}"]).validate(json.loads(payload))


def test_an_acknowledgement_is_read() -> None:
    assert read_ack(b'{"epoch": "e", "seq": 9, "missing": [[1, 2], [9, 9]]}') == Ack(
        epoch="e", seq=9, missing=[(1, 2), (9, 9)]
    )
    assert read_ack(b'{"epoch": "e", "seq": 0}').missing == []


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{}", b'{"epoch": "", "seq": 1}', b'{"epoch": "e", "seq": -1}', b'{"epoch": "e", "seq": 1e30}',
        b'{"epoch": "e", "seq": 9007199254740992}', b'{"epoch": "e", "seq": 9, "missing": [[2, 1]]}',
        b'{"epoch": "e", "seq": 9, "missing": [[8, 10]]}', b'{"epoch": "e", "seq": 9, "missing": [[0, 1]]}',
        b'{"epoch": "e", "seq": 9, "missing": [[1]]}', b"[" * 5000,
        json.dumps({"epoch": "e", "seq": 500, "missing": [[n, n] for n in range(1, 102)]}).encode(),
    ],
)  # fmt: skip
def test_a_wrong_acknowledgement_is_refused(payload: bytes) -> None:
    with pytest.raises(UsageError):
        read_ack(payload)


@settings(deadline=None)
@given(
    payloads
    | st.fixed_dictionaries({"epoch": st.text(), "seq": st.integers(), "missing": anything}).map(
        lambda v: json.dumps(v).encode()
    )
)
def test_whatever_comes_is_an_acknowledgement_or_refused(payload: bytes) -> None:
    try:
        ack = read_ack(payload)
    except UsageError:
        return
    found: dict[str, Any] = json.loads(payload)
    assert (ack.epoch, ack.seq) == (found["epoch"], found["seq"])
    assert all(0 < first <= last <= ack.seq for first, last in ack.missing)
