"""`[budget]`: what looking may cost."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from comfywear.settings.types import MegabytesOrNone, Section


class BudgetSettings(Section, frozen=True):
    """What looking at pictures may cost (docs/vision.md says what is shed first)."""

    cpu_share: Annotated[
        Annotated[float, Meta(gt=0, le=1)],
        Meta(title="Processor share", description="Part of all processors that looking may take; 1 = no limit."),
    ] = 1.0
    latency_ms: Annotated[
        Annotated[float, Meta(ge=0, le=3_600_000)],
        Meta(
            title="Latency",
            description="A frame should be looked at within so long; 0 = no target.",
            extra={"unit": "ms"},
        ),
    ] = 0.0
    hot_c: Annotated[
        Annotated[float, Meta(ge=0, le=120)],
        Meta(
            title="Hot",
            description="Looking is cut from 10 K below this temperature of the machine, and least at it; 0 = never.",
            extra={"unit": "°C"},
        ),
    ] = 80.0
    memory_mb: Annotated[
        MegabytesOrNone,
        Meta(
            title="Memory",
            description="When the device's processes together use more, looking is closed and opened anew; 0 = two "
            "thirds of what the machine (or its control group) has.",
            extra={"unit": "MB"},
        ),
    ] = 0.0
