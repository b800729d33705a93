"""The AsyncAPI document: current, valid, and true to the topics and messages."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from samples import MESSAGES

from comfywear.publishing import Topics
from comfywear.publishing.messages import asyncapi
from comfywear.publishing.messages.commands import COMMANDS
from comfywear.publishing.messages.kinds import MESSAGE_TYPES

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = asyncapi.document()
# From npm: @asyncapi/specs, the schemas that AsyncAPI itself publishes (Apache-2.0).
OFFICIAL = Path(
    os.environ.get("COMFYWEAR_ASYNCAPI_SCHEMA")
    or ROOT / ".venv" / "asyncapi" / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
)


def resolve(reference: str) -> Any:
    assert reference.startswith("#/"), reference
    found: Any = DOCUMENT
    for part in reference[2:].split("/"):
        found = found[part]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_the_document_in_docs_is_current() -> None:
    committed = (ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8")
    assert committed == asyncapi.text(), "run: python -m comfywear.publishing.messages.asyncapi docs/asyncapi.json"


@pytest.fixture(scope="module")
def official() -> jsonschema.Draft7Validator:
    if not OFFICIAL.is_file():
        pytest.skip(f"needs AsyncAPI's own schema: no {OFFICIAL} (npm install --prefix .venv/asyncapi @asyncapi/specs)")
    return jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def test_it_is_valid_by_asyncapis_own_schema(official: jsonschema.Draft7Validator) -> None:
    assert [error.message[:200] for error in official.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [(("asyncapi",), "2.6.0"), (("operations", "vote", "action"), "publish"), (("channels", "vote", "addres"), "x")],
)
def test_that_schema_finds_what_is_wrong(
    official: jsonschema.Draft7Validator, path: tuple[str, ...], wrong: str
) -> None:
    broken = json.loads(asyncapi.text())
    place = broken
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = wrong
    assert list(official.iter_errors(broken))


def test_every_reference_resolves() -> None:
    found = list(references(DOCUMENT))
    assert len(found) > 50
    for reference in found:
        assert isinstance(resolve(reference), dict)


def test_every_channel_has_an_address_of_the_topics_with_all_its_parameters() -> None:
    words = {
        "site": "home",
        "device": "lab1",
        "zone": "desk",
        "consumer": "store",
        "requester": "me",
        "camera": "south",
        "line": "door",
    }
    topics = Topics("home", "lab1")
    for name, channel in DOCUMENT["channels"].items():
        used = set(re.findall(r"\{(\w+)\}", channel["address"]))
        assert used == set(channel["parameters"]), name
        topic = channel["address"].format(**words)
        assert topic.startswith(f"{topics.base}/"), name
    addresses = {name: channel["address"].format(**words) for name, channel in DOCUMENT["channels"].items()}
    assert len(set(addresses.values())) == len(addresses)
    assert addresses["climate"] == topics.climate("desk")
    assert addresses["vote-set"] == topics.vote_set("desk")
    assert addresses["metrics"] == topics.metrics
    assert addresses["backlog-climate"] == topics.backlog(topics.climate("desk"))
    assert addresses["backlog-meta"] == topics.backlog(topics.meta)
    assert addresses["ack"] == topics.ack("store")
    assert topics.may_answer_at(addresses["reply"])


def test_every_operations_channel_and_messages_exist_and_belong_together() -> None:
    for name, operation in DOCUMENT["operations"].items():
        channel = operation["channel"]["$ref"]
        assert channel == f"#/channels/{name}"
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")
            assert resolve(resolve(message["$ref"])["$ref"])["payload"]
        if "reply" in operation:
            assert resolve(operation["reply"]["channel"]["$ref"])["address"].endswith("/reply/{requester}")


def test_every_message_and_command_has_its_channel() -> None:
    late = {f"backlog-{name}" for name in MESSAGE_TYPES if name not in ("status", "gone", "reply")}
    known = {*MESSAGE_TYPES, *late, "view", "vote-set", "ack", *(f"cmd-{name}" for name in COMMANDS)}
    assert set(DOCUMENT["channels"]) == known
    told = {name for name, each in DOCUMENT["operations"].items() if each["action"] == "receive"}
    assert told == {"vote-set", "ack", *(f"cmd-{name}" for name in COMMANDS)}


def validator(message: str) -> jsonschema.Draft7Validator:
    payload = DOCUMENT["components"]["messages"][message]["payload"]
    return jsonschema.Draft7Validator({**payload, "components": DOCUMENT["components"]})


@pytest.mark.parametrize("name", sorted(MESSAGE_TYPES))
def test_real_messages_fit_their_payloads(name: str) -> None:
    data = json.loads(msgspec.json.encode(MESSAGES[name]))
    validator(name).validate(data)
    with pytest.raises(jsonschema.ValidationError):
        validator(name).validate({key: value for key, value in data.items() if key != "device"})


def test_pairs_are_pairs() -> None:
    validator("ack").validate({"epoch": "e", "seq": 9, "missing": [[1, 2]]})
    for missing in ([[1]], [[1, 2, 3]], [["1", 2]]):
        with pytest.raises(jsonschema.ValidationError):
            validator("ack").validate({"epoch": "e", "seq": 9, "missing": missing})


def test_it_can_be_written_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncapi.main([str(tmp_path / "a.json")]) == 0
    assert json.loads((tmp_path / "a.json").read_text())["asyncapi"] == "3.0.0"
    assert asyncapi.main([]) == 2
    assert "usage" in capsys.readouterr().err
