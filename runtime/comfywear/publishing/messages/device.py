"""What is said of the device: that it is there, what it is, how it is doing, what does not work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.errors import UsageError
from comfywear.publishing.messages.fields import Message, Stamp, described, finite, stamped
from comfywear.records import CameraCondition, CameraPrivacy, CameraUse, Trouble, TroubleName
from comfywear.texts import Text


class StatusMessage(Message, frozen=True, kw_only=True):
    """Whether the device is there; "offline" is sent by the broker when the connection breaks (retained)."""

    schema: Literal["comfywear/v1/status"] = "comfywear/v1/status"
    state: Literal["online", "offline"]
    reason: Annotated[str | None, Meta(description="Why it is offline: stopped, or connection lost.")] = None
    version: Annotated[str | None, Meta(description="Version of the software.")] = None


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that the device runs."""

    role: Annotated[str, Meta(description="What it does: detector, attributes, thermalwear, comfywear.")]
    id: Annotated[str, Meta(description="Name and version.")]
    engine: Annotated[str | None, Meta(description="The engine that runs it; null for formulas.")] = None
    sha256: Annotated[str | None, Meta(description="Hash of the model file; null for formulas.")] = None


class ReleaseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model of which releases were pulled, and what happened to it last."""

    name: str
    version: Annotated[str, Meta(description='In service; "shipped" is the one that came with the program.')]
    before: Annotated[str | None, Meta(description="What a roll-back brings back; null when there is nothing.")] = None
    on_trial: Annotated[bool, Meta(description="True during its first minutes of service.")] = False
    last: Annotated[
        str | None, Meta(description='What happened last: "taken over", "kept", "refused" or "rolled back".')
    ] = None
    last_version: Annotated[str | None, Meta(description="To which version that happened.")] = None
    reason: Annotated[str | None, Meta(description="Why.")] = None


class SourceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A camera or sensor."""

    kind: Literal["camera", "sensor"]
    uri: Annotated[str, Meta(description="Where it is read from, without secrets.")]
    zone: Annotated[str | None, Meta(description="The zone that it belongs to; null for all zones.")] = None
    name: Annotated[str | None, Meta(description='Of one of several cameras; "outdoors" for what measures there.')] = (
        None
    )


class ScaleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The scale of votes: its id and the words shown for 1…5, in order."""

    id: str
    words: Annotated[list[str], Meta(min_length=5, max_length=5)]


class MetaMessage(Message, frozen=True, kw_only=True):
    """What the device is (retained)."""

    schema: Literal["comfywear/v1/meta"] = "comfywear/v1/meta"
    site: str
    version: Annotated[str, Meta(description="Version of the software.")]
    hardware: Annotated[str | None, Meta(description="Board and processor.")] = None
    system: Annotated[str | None, Meta(description="Operating system.")] = None
    started: Annotated[
        str | None, Meta(description="ISO 8601 UTC: when it was started; null while the time is not known.")
    ] = None
    zones: list[str]
    zone_names: Annotated[dict[str, str], Meta(description="Names to show, of the zones that were given one.")] = (
        msgspec.field(default_factory=dict)
    )
    sources: list[SourceInfo]
    models: list[ModelInfo]
    releases: Annotated[list[ReleaseInfo], Meta(description="Models of which releases were pulled.")] = msgspec.field(
        default_factory=list
    )
    scale: ScaleInfo
    commands: Annotated[list[str], Meta(description="Commands that it takes at …/cmd/<name>.")] = msgspec.field(
        default_factory=list
    )


class MetricsMessage(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the device is doing; null = not known."""

    schema: Literal["comfywear/v1/metrics"] = "comfywear/v1/metrics"
    uptime_s: Annotated[float | None, described("Since the device was started.", "s")] = None
    rss_mb: Annotated[float | None, described("Memory in use.", "MB")] = None
    board_temp_c: Annotated[float | None, described("The hottest part of the machine that says so.", "°C")] = None
    frames: Annotated[int | None, Meta(description="Frames looked at since the start.")] = None
    frames_per_s: Annotated[float | None, described("Frames looked at.", "1/s")] = None
    engine_share: Annotated[float | None, Meta(description="Part of the time spent inside the model engine, 0…1.")] = (
        None
    )
    persons: Annotated[int | None, Meta(description="Persons in all zones.")] = None
    vision_share: Annotated[
        float | None, Meta(description="Part of all processors that looking takes, computed from its costs, 0…1.")
    ] = None
    vision_level: Annotated[int | None, Meta(description="How much looking is put off; 0 = nothing.")] = None
    detect_every: Annotated[int | None, Meta(description="Persons are searched for in every so many frames.")] = None
    votes: Annotated[int | None, Meta(description="Votes stored.")] = None
    votes_refused: Annotated[int | None, Meta(description="Incoming votes refused since the start.")] = None
    commands: Annotated[int | None, Meta(description="Commands carried out since the start.")] = None
    commands_refused: Annotated[int | None, Meta(description="Commands refused since the start.")] = None
    restarts: Annotated[int | None, Meta(description="Workers started again since the start.")] = None
    vision_reopened: Annotated[
        int | None, Meta(description="Times looking was closed and opened anew for its memory, since the start.")
    ] = None
    spool_rows: Annotated[int | None, Meta(description="Messages waiting for the broker.")] = None
    spool_bytes: Annotated[int | None, described("Their size.", "B")] = None
    spool_thinned: Annotated[
        int | None, Meta(description="Messages left out for lack of room, of which a coarser series is kept, ever.")
    ] = None
    spool_dropped_telemetry: Annotated[
        int | None, Meta(description="Messages dropped for lack of room or for age, ever.")
    ] = None
    spool_dropped_events: Annotated[int | None, Meta(description="Votes dropped for lack of room, ever.")] = None
    spool_unconfirmed: Annotated[
        int | None, Meta(description="Messages that the broker took and no consumer confirmed in time, ever.")
    ] = None
    spool_refused: Annotated[
        int | None, Meta(description="Messages not accepted since the start: the disk could not take them.")
    ] = None
    spool_written_day_bytes: Annotated[
        int | None, described("Sent to storage for the spool in the last 24 hours, as the kernel counts it.", "B")
    ] = None
    spool_budget_day_bytes: Annotated[
        int | None, described("What it should write a day at most; 0 = no limit.", "B")
    ] = None
    connections: Annotated[int | None, Meta(description="Connections made to the broker since the start.")] = None
    acknowledged: Annotated[int | None, Meta(description="Messages the broker took since the start.")] = None
    denied: Annotated[int | None, Meta(description="Messages the broker refused since the start.")] = None
    acks_refused: Annotated[
        int | None, Meta(description="Acknowledgements by consumers that could not be read, since the start.")
    ] = None


class CameraMessage(Message, frozen=True, kw_only=True):
    """How one of several cameras is (retained)."""

    schema: Literal["comfywear/v1/camera"] = "comfywear/v1/camera"
    camera: Annotated[str, Meta(description="Its name.")]
    state: Annotated[
        CameraCondition,
        Meta(description='"running" while it gives pictures; "private": it may not look; "dark": too dark to see.'),
    ]
    reason: Annotated[str | None, Meta(description="Why there is no picture.")] = None
    zones: Annotated[list[str], Meta(description="The zones that it sees.")] = msgspec.field(default_factory=list)
    frames: Annotated[int | None, Meta(description="Frames looked at since the start.")] = None
    share: Annotated[
        float | None, Meta(description="Its part of the time that looking took since the models were loaded, 0…1.")
    ] = None
    shed: Annotated[list[str], Meta(description="What is put off to hold its part of the budget.")] = msgspec.field(
        default_factory=list
    )


class PrivacyItem(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a camera may look."""

    camera: Annotated[str, Meta(description="Its name; of a single one: camera.")]
    on: Annotated[bool, Meta(description="True while it may not look.")]
    held: Annotated[bool, Meta(description="True while a switch at the device holds it.")] = False
    reason: Annotated[str | None, Meta(description="Why it may not look.")] = None


class PrivacyMessage(Message, frozen=True, kw_only=True):
    """Which cameras may not look (retained)."""

    schema: Literal["comfywear/v1/privacy"] = "comfywear/v1/privacy"
    on: Annotated[bool, Meta(description="True while no camera may look.")]
    cameras: list[PrivacyItem]


class TroubleItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it should be while the device carries on."""

    name: Annotated[TroubleName, Meta(description="What it is; docs/mqtt.md lists them.")]
    about: Annotated[
        str | None,
        Meta(description="The zone, worker or one of several cameras that it concerns; null for the device."),
    ] = None
    since: Annotated[
        str | None, Meta(description="ISO 8601 UTC: since when it has been so; null while the time is not known.")
    ] = None
    age_s: Annotated[float, described("For how long it has been so when this was stamped.", "s")]
    reason: Annotated[str, Meta(description="Why.")]
    do: Annotated[str, Meta(description="What to do about it.")]


class EndedTroubleItem(msgspec.Struct, frozen=True, kw_only=True):
    """A trouble that is over."""

    name: TroubleName
    about: str | None = None
    age_s: Annotated[float, described("How long ago it ended when this was stamped.", "s")]
    lasted_s: Annotated[float, described("For how long it had been so.", "s")]
    reason: str


class HealthMessage(Message, frozen=True, kw_only=True):
    """What does not work now and what to do about it, and what was so of late (retained)."""

    schema: Literal["comfywear/v1/health"] = "comfywear/v1/health"
    state: Annotated[Literal["good", "degraded"], Meta(description='"degraded" while `troubles` is not empty.')]
    troubles: list[TroubleItem]
    ended: Annotated[list[EndedTroubleItem], Meta(description="The last ten that ended, newest first.")] = (
        msgspec.field(default_factory=list)
    )


def status_message(
    state: Literal["online", "offline"], stamp: Stamp, *, reason: str | None = None, version: str | None = None
) -> StatusMessage:
    """Whether the device is there."""
    return StatusMessage(**stamped(stamp), state=state, reason=reason, version=version)


def meta_message(
    stamp: Stamp,
    *,
    site: str,
    version: str,
    zones: Sequence[str],
    sources: Sequence[SourceInfo],
    models: Sequence[ModelInfo],
    scale_id: str,
    scale_words: Mapping[int, str],
    zone_names: Mapping[str, str] | None = None,
    hardware: str | None = None,
    system: str | None = None,
    commands: Sequence[str] = (),
    releases: Sequence[ReleaseInfo] = (),
    started: str | None = None,
) -> MetaMessage:
    """What the device is; `scale_words` are the words shown for the levels 1…5, `zone_names` those of zones."""
    return MetaMessage(
        **stamped(stamp),
        site=site,
        version=version,
        hardware=hardware,
        system=system,
        zones=list(zones),
        zone_names=dict(zone_names or {}),
        sources=list(sources),
        models=list(models),
        releases=list(releases),
        started=started,
        scale=ScaleInfo(id=scale_id, words=[scale_words[level] for level in sorted(scale_words)]),
        commands=list(commands),
    )


def camera_message(camera: CameraUse, stamp: Stamp) -> CameraMessage:
    """How a camera is."""
    return CameraMessage(
        **stamped(stamp),
        camera=camera.name,
        state=camera.state,
        reason=camera.missing,
        zones=list(camera.zones),
        frames=camera.frames,
        share=None if camera.share is None else round(camera.share, 3),
        shed=list(camera.shed),
    )


def privacy_message(cameras: Sequence[CameraPrivacy], stamp: Stamp) -> PrivacyMessage:
    """Which cameras may not look."""
    found = [
        PrivacyItem(camera=each.camera, on=each.reason is not None, held=each.held, reason=each.reason)
        for each in cameras
    ]
    return PrivacyMessage(**stamped(stamp), on=all(each.on for each in found), cameras=found)


def metrics_message(values: Mapping[str, float | None], stamp: Stamp) -> MetricsMessage:
    """How the device is doing; `values` by the names of `MetricsMessage`'s fields.

    Raises:
        UsageError: For a name that the message does not have.
    """
    try:
        return msgspec.convert({**finite(values, 3), **stamped(stamp)}, MetricsMessage)
    except msgspec.ValidationError as error:
        raise UsageError(Text("metrics: {why}", why=error)) from error


def health_message(
    troubles: Sequence[Trouble],
    ended: Sequence[Trouble],
    stamp: Stamp,
    *,
    now_s: float,
    since: Callable[[float], str | None] = lambda _: None,
) -> HealthMessage:
    """What does not work at `now_s` (monotonic), and what did not of late, newest first.

    `since` says the wall-clock time of a monotonic one.
    """
    return HealthMessage(
        **stamped(stamp),
        state="degraded" if troubles else "good",
        troubles=[
            TroubleItem(
                name=each.name,
                about=each.about,
                since=since(each.since_s),
                age_s=round(max(now_s - each.since_s, 0.0), 1),
                reason=each.reason,
                do=each.do,
            )
            for each in troubles
        ],
        ended=[
            EndedTroubleItem(
                name=each.name,
                about=each.about,
                age_s=round(max(now_s - each.until_s, 0.0), 1),
                lasted_s=round(max(each.until_s - each.since_s, 0.0), 1),
                reason=each.reason,
            )
            for each in ended
            if each.until_s is not None
        ],
    )
