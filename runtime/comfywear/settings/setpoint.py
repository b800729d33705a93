"""`[setpoint]` and `[[thermostats]]`: what a thermostat should be set to, and which ones the device may move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor
from typing import Annotated, Literal

from msgspec import Meta

from comfywear.settings.types import Seconds, SecondsOrNone, Section
from comfywear.texts import Text

__all__ = ["SetpointSettings", "ThermostatSettings", "setpoint_faults", "thermostat_faults"]

Celsius = Annotated[float, Meta(ge=5, le=35)]
Kelvin = Annotated[float, Meta(ge=0.1, le=10)]
Topic = Annotated[str, Meta(pattern=r"^[^+#$\x00][^+#\x00]{0,255}$")]


class SetpointSettings(Section, frozen=True):
    """What a thermostat should be set to for those who are there: said, and done only by `[[thermostats]]`."""

    lowest_c: Annotated[
        Celsius, Meta(title="Lowest", description="Never below while people are there.", extra={"unit": "°C"})
    ] = 19.0
    highest_c: Annotated[
        Celsius, Meta(title="Highest", description="Never above while people are there.", extra={"unit": "°C"})
    ] = 27.0
    empty_heating_c: Annotated[
        Celsius, Meta(title="Empty, heating", description="While nobody is there and it heats.", extra={"unit": "°C"})
    ] = 17.0
    empty_cooling_c: Annotated[
        Celsius, Meta(title="Empty, cooling", description="While nobody is there and it cools.", extra={"unit": "°C"})
    ] = 28.0
    empty_after_s: Annotated[
        SecondsOrNone,
        Meta(
            title="Empty after",
            description="So long nobody was there before it is set back. Where no camera looks it never is.",
            extra={"unit": "s"},
        ),
    ] = 900.0
    most_k: Annotated[
        Kelvin,
        Meta(
            title="Largest change",
            description="At a time while people are there; setting back and coming back are one step.",
            extra={"unit": "K"},
        ),
    ] = 1.0
    every_s: Annotated[
        Seconds, Meta(title="Time between changes", description="While people are there.", extra={"unit": "s"})
    ] = 900.0
    round_k: Annotated[
        Annotated[float, Meta(ge=0.1, le=2)],
        Meta(title="Steps", description="Setpoints are multiples of this.", extra={"unit": "K"}),
    ] = 0.5
    plant: Annotated[
        Literal["auto", "heating", "cooling"],
        Meta(
            title="Plant",
            description="Whether it heats or cools, which decides where an empty zone is set. auto: it cools in the "
            "warm season that site.latitude tells, else it heats.",
        ),
    ] = "auto"


class ThermostatSettings(Section, frozen=True):
    """A thermostat on the same broker that follows a zone's setpoint (docs/setpoint.md has ready examples)."""

    state_topic: Annotated[Topic, Meta(title="State topic", description="Where it says what it is set to.")]
    command_topic: Annotated[Topic, Meta(title="Command topic", description="Where it is told.")]
    zone: Annotated[str, Meta(title="Zone", description="Whose setpoint it follows; empty = the first zone.")] = ""
    state_key: Annotated[
        str,
        Meta(
            title="State key",
            description="Where the number is in JSON (dots for nested ones); empty = the message is the number.",
        ),
    ] = ""
    command_key: Annotated[
        str, Meta(title="Command key", description="Where it goes in JSON; empty = the number alone is sent.")
    ] = ""
    unit: Annotated[Literal["°C", "°F"], Meta(title="Unit", description="Of both numbers.")] = "°C"
    dry_run: Annotated[
        bool, Meta(title="Dry run", description="Say what would be sent, and send nothing. false = it is moved.")
    ] = True
    dead_band_k: Annotated[
        Annotated[float, Meta(ge=0, le=10)],
        Meta(title="Dead band", description="A smaller change is not made.", extra={"unit": "K"}),
    ] = 0.4
    pause_s: Annotated[
        SecondsOrNone, Meta(title="Pause", description="At least so long between two changes.", extra={"unit": "s"})
    ] = 900.0
    hold_s: Annotated[
        SecondsOrNone,
        Meta(
            title="Hold",
            description="So long it is left alone after somebody turned it, or it did not do what it was told.",
            extra={"unit": "s"},
        ),
    ] = 14_400.0
    answer_s: Annotated[
        Seconds,
        Meta(title="Answer", description="So long it may take to say what it was told.", extra={"unit": "s"}),
    ] = 120.0


def setpoint_faults(chosen: SetpointSettings) -> Iterator[tuple[str, str]]:
    """The field and what is wrong with it: limits that leave nothing to set."""
    if chosen.lowest_c > chosen.highest_c:
        yield "lowest_c", Text("The lowest setpoint is above the highest, {highest}", highest=f"{chosen.highest_c:g}")
    elif ceil(chosen.lowest_c / chosen.round_k - 1e-6) > floor(chosen.highest_c / chosen.round_k + 1e-6):
        yield (
            "round_k",
            Text("No multiple of {round} lies between lowest_c and highest_c: widen them", round=f"{chosen.round_k:g}"),
        )
    if chosen.round_k > chosen.most_k:
        yield (
            "most_k",
            Text(
                "A change of at most {most} K cannot be made in steps of {round} K",
                most=f"{chosen.most_k:g}",
                round=f"{chosen.round_k:g}",
            ),
        )
    if chosen.empty_heating_c > chosen.empty_cooling_c:
        yield "empty_heating_c", Text("An empty zone would be heated to more than it is cooled to")


def thermostat_faults(chosen: Sequence[ThermostatSettings], zones: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: zones that are none, topics that cannot be meant."""
    for index, each in enumerate(chosen):
        if each.zone and each.zone not in zones:
            yield (
                f"[{index}].zone",
                Text("No zone is named {zone}; the zones are: {zones}", zone=repr(each.zone), zones=", ".join(zones)),
            )
        for field in ("state_topic", "command_topic"):
            if getattr(each, field).startswith("comfywear/"):
                yield f"[{index}].{field}", Text("This is a topic of a comfort sensor, not of a thermostat")
        if each.state_topic == each.command_topic:
            yield f"[{index}].command_topic", Text("What it is told would be read as what it says: give its two topics")
        others = [(other.command_topic, other.command_key) for other in chosen[:index]]
        if (each.command_topic, each.command_key) in others:
            yield f"[{index}].command_topic", Text("Two tables move this thermostat")
