"""Update entities: the program and each model, with the version that runs, the one that there is, and the progress."""

from __future__ import annotations

from collections.abc import Collection

from comfywear.publishing.homeassistant.component import QOS, Component, Named
from comfywear.publishing.messages.topics import Topics
from comfywear.texts import Text

_STATE = (
    "{{% set found = {found} %}}{{% if found %}}{{{{ {{'installed_version': found.installed,"
    " 'latest_version': found.available, 'in_progress': found.phase != 'idle',"
    " 'update_percentage': found.percent{more}}} | tojson }}}}{{% endif %}}"
)
_MODEL = "update_model-"
_PROGRAM = _STATE.format(found="value_json.program", more=", 'release_summary': found.reason")


def update_entities(topics: Topics, models: Collection[str], *, packaged: bool, upgrades: bool) -> Named:
    """One for the program where it is a package, and one for each model by its name.

    Args:
        topics: Of the device.
        models: Those that work.
        packaged: Whether the program came as a package.
        upgrades: Whether Home Assistant may have that upgraded.
    """
    if packaged:
        command = {"command_topic": topics.command("program-upgrade"), "payload_install": "{}"} if upgrades else {}
        yield "update_program", _update(topics, Text("Program"), _PROGRAM, {"title": "comfywear", **command})
    for name in models:
        found = f"(value_json.models | selectattr('name', 'eq', '{name}') | list | first)"
        yield (
            f"{_MODEL}{name}",
            _update(topics, Text("Model {name}", name=name), _STATE.format(found=found, more=""), {}),
        )


def told_models(told: Collection[str]) -> tuple[str, ...]:
    """The models among the keys of what was told: they hold until it is known which ones work now."""
    return tuple(sorted(key.removeprefix(_MODEL) for key in told if key.startswith(_MODEL)))


def _update(topics: Topics, name: str, template: str, more: Component) -> Component:
    return {
        "platform": "update",
        "name": name,
        "device_class": "firmware",
        "entity_category": "config" if more.get("command_topic") else "diagnostic",
        "state_topic": topics.updates,
        "value_template": template,
        **more,
        **QOS,
    }
