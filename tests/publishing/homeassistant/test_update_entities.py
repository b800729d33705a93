"""Update entities, as Home Assistant's own language reads them from what devices send."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from jinja2.sandbox import SandboxedEnvironment
from samples import STAMP
from told import TOPICS, component, told

from comfywear import publishing
from comfywear.publishing import ModelUpdate, ProgramUpdate
from comfywear.publishing.homeassistant.update_entities import told_models


def rendered(key: str, program: ProgramUpdate | None, *models: ModelUpdate) -> Any:
    sent = msgspec.json.decode(msgspec.json.encode(publishing.updates_message(program, models, STAMP)))
    template = component(key, models=("attributes", "detector"), packaged=True)["value_template"]
    text = SandboxedEnvironment().from_string(template).render(value_json=sent)
    return json.loads(text) if text else None


def test_a_newer_package_is_offered_and_its_progress_shown() -> None:
    there = ProgramUpdate(installed="0.1.0", available="0.2.0")
    shown = {"installed_version": "0.1.0", "latest_version": "0.2.0", "in_progress": False, "update_percentage": None}
    assert rendered("update_program", there) == shown | {"release_summary": None}
    coming = ProgramUpdate(installed="0.1.0", available="0.2.0", phase="fetching", percent=40)
    assert rendered("update_program", coming) == shown | {
        "in_progress": True, "update_percentage": 40, "release_summary": None,
    }  # fmt: skip


def test_why_a_version_went_again_is_in_its_summary() -> None:
    back = ProgramUpdate(installed="0.1.0", available="0.1.0", outcome="rolled back", reason="it ended")
    assert rendered("update_program", back)["release_summary"] == "it ended"


def test_each_model_has_its_own_and_one_that_does_not_work_now_says_nothing() -> None:
    model = ModelUpdate(name="detector", installed="4", available="5", phase="trying", percent=100)
    assert rendered("update_model-detector", None, model) == {
        "installed_version": "4", "latest_version": "5", "in_progress": True, "update_percentage": 100,
    }  # fmt: skip
    assert rendered("update_model-attributes", None, model) is None
    assert rendered("update_program", None, model) is None


@pytest.mark.parametrize("upgrades", [True, False])
def test_only_where_it_is_allowed_home_assistant_may_install(upgrades: bool) -> None:
    found = component("update_program", packaged=True, upgrades=upgrades)
    assert found.get("command_topic") == (TOPICS.command("program-upgrade") if upgrades else None)
    assert found["state_topic"] == TOPICS.updates
    assert "update_program" not in told()["components"], "a device that is no package has none"


def test_models_that_were_told_are_known_again() -> None:
    told_before = told(models=("detector", "attributes"))["components"]
    assert told_models(told_before) == ("attributes", "detector")
