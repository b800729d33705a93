"""`[vision]`: how pictures are looked at."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from comfywear.settings.types import Seconds, Section


class VisionSettings(Section, frozen=True):
    """How pictures are looked at."""

    detector: Annotated[
        str,
        Meta(
            title="Detector",
            description="A shipped or imported model (comfywear models list), or the path of a *.card.json.",
        ),
    ] = "detector"
    garments: Annotated[
        str,
        Meta(
            title="Garment detector",
            description="The model that finds garments on each person's part of the picture where the detector finds "
            "persons only; empty = none.",
        ),
    ] = "detector"
    attributes: Annotated[str, Meta(title="Attribute model", description="Name or card path; empty = none.")] = (
        "attributes"
    )
    engine: Annotated[
        Literal["auto", "onnxruntime", "litert", "xnnpack", "cuda", "tensorrt"],
        Meta(
            title="Engine",
            description="auto = what is fastest here: each that is installed is tried at the first start, in a "
            "process of its own, and the choice is kept (docs/models.md).",
        ),
    ] = "auto"
    precision: Annotated[
        Literal["int8", "fp16"],
        Meta(
            title="Precision",
            description="fp16 = float16 weights, float32 arithmetic: every engine gives the same answers. int8 is "
            "faster (up to twice, where the processor has 8-bit instructions) and a little less accurate.",
        ),
    ] = "fp16"
    threads: Annotated[
        Annotated[int, Meta(ge=1, le=16)], Meta(title="Threads", description="Threads an engine may use.")
    ] = 2
    attribute_interval_s: Annotated[
        Seconds,
        Meta(
            title="Attribute interval",
            description="How often a person's clothing and colours are looked at again.",
            extra={"unit": "s"},
        ),
    ] = 10.0
    far_look_s: Annotated[
        Annotated[float, Meta(ge=0, le=3600)] | Literal["auto"],
        Meta(
            title="Far look",
            description="How often everything is looked at more closely, in tiles, for people who are far away or "
            "seated, and sooner where something moved; auto = by what it costs here and while it finds somebody new; "
            "0 = never.",
            extra={"unit": "s"},
        ),
    ] = "auto"
    still_h: Annotated[
        Annotated[float, Meta(ge=0, le=168)],
        Meta(
            title="Still",
            description="A find in whose box nothing moved for so long (a coat, a poster) is not counted until "
            "something moves there; 0 = everything is counted.",
            extra={"unit": "h"},
        ),
    ] = 2.0
    reidentify: Annotated[
        bool,
        Meta(
            title="Know persons again",
            description="Who leaves and comes back soon keeps the number, known by the clothes; in memory alone.",
        ),
    ] = True
    reidentify_min: Annotated[
        Annotated[float, Meta(gt=0, le=60)],
        Meta(title="Remembered", description="For how long after they left.", extra={"unit": "min"}),
    ] = 5.0
