"""What every table of the settings file is made of."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
Seconds = Annotated[float, Meta(gt=0, le=31_536_000)]
"""Up to a year: what a clock can be told to wait."""
SecondsOrNone = Annotated[float, Meta(ge=0, le=31_536_000)]
Days = Annotated[float, Meta(gt=0, le=36_500)]
"""Up to a hundred years: what a calendar can be taken back by."""
DaysOrNone = Annotated[float, Meta(ge=0, le=36_500)]
Megabytes = Annotated[float, Meta(gt=0, le=1e9)]
MegabytesOrNone = Annotated[float, Meta(ge=0, le=1e9)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; unknown fields are refused, since a misspelt field would be ignored silently."""
