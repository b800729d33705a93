"""What is usual in each zone: mean and spread of its air temperature over the last weeks, kept in the state folder.

The comfort model compares the air with it: the same 26 °C are warm where 22 are usual and not where 28 are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

import msgspec

from comfywear.comfort import Site
from comfywear.comfort.site import country_name
from comfywear.settings.learning import SiteSettings
from comfywear.system.json_file import load_json, save_json

__all__ = ["FILE_NAME", "UsualAir", "season_of", "site_of"]

FILE_NAME = "usual.json"
EVERY_S = 60.0
_MOST_OTHERS = 100
KEEP_EVERY_S = 600.0
# About three working days of air; before that its spread says little, and the model guesses from the present air.
LEAST_S = 24 * 3600.0
_TROPICS_DEG = 15.0


class _Air(msgspec.Struct):
    """Weighted sums of one zone: seconds, mean and mean square distance from it."""

    seconds: float = 0.0
    mean_c: float = 0.0
    square_k2: float = 0.0


class _File(msgspec.Struct):
    zones: dict[str, _Air] = {}


class UsualAir:
    """Running means; `note` from one thread.

    Args:
        folder: The state folder.
        zones: The zones that there are.
        days: Time constant of the means.
        keep_file: Writes the file (`comfywear.system.json_file.keep`).
    """

    def __init__(
        self, folder: Path, zones: Collection[str], days: float, keep_file: Callable[[Path, object], None] = save_json
    ) -> None:
        self._path = folder / FILE_NAME
        self._most_s = days * 86400.0
        self._keep = keep_file
        known = load_json(self._path, _File()).zones
        # A zone that is left out of the settings for once is not forgotten.
        self._others = dict(sorted(known.items())[:_MOST_OTHERS])
        self._air = {zone: _sound(known.get(zone, _Air())) for zone in zones}
        self._noted_s: dict[str, float] = {}
        self._kept_s: float | None = None

    def note(self, zone: str, air_temp_c: float | None, now_s: float) -> None:
        """Take the air of a zone in which people are, at `now_s` (monotonic); None is passed over."""
        if self._kept_s is None:
            self._kept_s = now_s
        before_s = self._noted_s.get(zone)
        if before_s is not None and now_s - before_s < EVERY_S:
            return
        self._noted_s[zone] = now_s
        if air_temp_c is None or not math.isfinite(air_temp_c):
            return
        air = self._air[zone]
        air.seconds = min(air.seconds + EVERY_S, self._most_s)
        share = EVERY_S / air.seconds
        away_k = air_temp_c - air.mean_c
        air.mean_c += share * away_k
        air.square_k2 = (1.0 - share) * (air.square_k2 + share * away_k**2)

    def keep(self, now_s: float, *, now: bool = False) -> None:
        """Write the file when it is time (or `now`).

        Raises:
            StoreError: When it cannot be written; the means go on in memory, and it is tried again later.
        """
        if self._kept_s is None or (not now and now_s - self._kept_s < KEEP_EVERY_S):
            return
        self._kept_s = now_s
        self._keep(self._path, _File(self._others | self._air))

    def of(self, zone: str) -> tuple[float, float] | None:
        """Mean °C and standard deviation K; None before enough air has been seen."""
        air = self._air[zone]
        return (air.mean_c, math.sqrt(air.square_k2)) if air.seconds >= LEAST_S else None


def season_of(latitude: float | None, when: datetime | None) -> str | None:
    """The season, "warm" (April to September in the north, else October to March) or "cool"; None: not known."""
    if latitude is None or when is None or abs(latitude) < _TROPICS_DEG:
        return None
    return "warm" if (4 <= when.month <= 9) == (latitude > 0) else "cool"


def site_of(
    settings: SiteSettings,
    usual: tuple[float, float] | None,
    when: datetime | None,
    outdoor_temp_c: float | None = None,
) -> Site:
    """All facts about a zone's place that are known.

    Args:
        settings: What the settings say.
        usual: Mean °C and spread K of the zone's air, as `UsualAir.of`.
        when: The date; None while the clock is not set.
        outdoor_temp_c: Running mean of the outdoor temperature; None where it is not known.
    """
    season = season_of(settings.latitude, when)
    return Site(
        season="warm" if season == "warm" else "cool" if season == "cool" else None,
        cooling=settings.cooling or None,
        climate=settings.climate or None,
        # One without votes has no effect: a device there runs on.
        country=country_name(settings.country),
        usual_temp_c=usual[0] if usual else None,
        usual_temp_sd_k=usual[1] if usual else None,
        outdoor_temp_c=outdoor_temp_c,
    )


def _sound(air: _Air) -> _Air:
    """What the file holds, if it can be true."""
    numbers = (air.seconds, air.mean_c, air.square_k2)
    return air if all(map(math.isfinite, numbers)) and air.seconds >= 0 and air.square_k2 >= 0 else _Air()
