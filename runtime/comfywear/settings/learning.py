"""The tables of the settings file about learning: what the place is like, how votes count, when people are asked."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from comfywear.settings.types import Days, Seconds, Section

Hour = Annotated[int, Meta(ge=0, le=24)]


class SiteSettings(Section, frozen=True):
    """Facts about the place that no sensor says; the comfort model does without those that are left out."""

    country: Annotated[
        str,
        Meta(
            title="Country",
            description='English name ("germany", "usa", "uk"); empty = not known. One of whose people the model has '
            "no votes has no effect; docs/comfort.md lists those that it has.",
        ),
    ] = ""
    latitude: Annotated[
        Annotated[float, Meta(ge=-90, le=90)] | None,
        Meta(
            title="Latitude",
            description="North is positive. It says, with the date, which season it is; no season within 15° of the "
            "equator.",
            extra={"unit": "°"},
        ),
    ] = None
    longitude: Annotated[
        Annotated[float, Meta(ge=-180, le=180)] | None,
        Meta(
            title="Longitude",
            description="East is positive. With the latitude and the time it says where the sun stands.",
            extra={"unit": "°"},
        ),
    ] = None
    cooling: Annotated[
        Literal["", "air conditioned", "mixed mode", "naturally ventilated"],
        Meta(title="Cooling", description="How the building is cooled; empty = not known."),
    ] = ""
    climate: Annotated[
        Literal["", "tropical", "arid", "other"],
        Meta(title="Climate", description="Köppen's A is tropical, B arid; empty = not known."),
    ] = ""
    usual_days: Annotated[
        Days,
        Meta(
            title="Usual",
            description="What is usual in a room is the mean of its air over about so long.",
            extra={"unit": "d"},
        ),
    ] = 21.0


class LearningSettings(Section, frozen=True):
    """How votes bend the comfort model, and when people are asked for one."""

    enabled: Annotated[bool, Meta(title="Learning", description="Votes bend the answers for their zone.")] = True
    half_life_days: Annotated[
        Days,
        Meta(title="Forgetting", description="A vote of this age counts half.", extra={"unit": "d"}),
    ] = 90.0
    questions_per_day: Annotated[
        Annotated[int, Meta(ge=0, le=20)],
        Meta(title="Questions", description="A zone is asked at most so often a day; 0 = never."),
    ] = 3
    ask_from_hour: Annotated[
        Hour, Meta(title="Ask from", description="Local hour of the first question.", extra={"unit": "h"})
    ] = 8
    ask_to_hour: Annotated[
        Hour,
        Meta(
            title="Ask until",
            description="No question from this local hour on; before the first = over midnight.",
            extra={"unit": "h"},
        ),
    ] = 20
    question_stands_s: Annotated[
        Seconds,
        Meta(title="Question stands", description="How long a question is shown.", extra={"unit": "s"}),
    ] = 1200.0
