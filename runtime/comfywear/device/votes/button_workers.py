"""The buttons of the settings, each ending in the one path of a vote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from comfywear.device.votes.voting import Voting
from comfywear.feedback.buttons import Call, PatientPanel
from comfywear.settings.button_uri import parse_button_uri
from comfywear.settings.feedback import ButtonSettings
from comfywear.system.supervisor import Pulse, Supervisor


def buttons_of(
    settings: Sequence[ButtonSettings],
    zones: Sequence[str],
    voting: Voting,
    calls: Callable[[str], Call] = lambda _: "quiet",
) -> list[PatientPanel]:
    """A panel, not opened yet, for each of the settings; `calls` says what the device wants of a zone's people.

    Raises:
        UsageError: When a source cannot be meant.
    """
    panels = []
    for each in settings:
        zone, source = each.zone or zones[0], parse_button_uri(each.source).name
        panels.append(
            PatientPanel(
                each.source,
                each.long_press_s,
                vote=partial(voting.vote, zone, source=source),
                undo=partial(voting.undo_last, zone, source),
                calls=partial(calls, zone),
            )
        )
    return panels


def add_buttons(supervisor: Supervisor, panels: Sequence[PatientPanel]) -> None:
    """A worker a panel."""
    for index, panel in enumerate(panels):
        supervisor.add(f"buttons {index} {panel.name}", partial(_work, panel))


def _work(panel: PatientPanel, pulse: Pulse) -> None:
    panel.run(pulse.stop, pulse.beat)
