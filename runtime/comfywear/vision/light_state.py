"""Whether a camera sees anything at all, and colours, over its frames and without flicker. Pure: time is given."""

from __future__ import annotations

import math

from comfywear.records import Light

__all__ = ["COLOUR_AGAIN", "DARK_AFTER_S", "LIGHT_AGAIN", "LightState"]

DARK_AFTER_S = 2.0
"""It is said to be dark when no frame was light for so long: a black frame is not a night."""
LIGHT_AGAIN, COLOUR_AGAIN = 0.15, 0.035
"""Above these brightness and colour spread are back; `Light` says below which they are gone."""
_MEAN_S = 3.0  # colour spreads are averaged over about so long


class LightState:
    """Takes the light of a camera's frames.

    Attributes:
        dark: Whether it is too dark to see: for a while now, not in a single frame.
        blind: Whether nothing may be concluded from the newest frame, since nobody would be seen in it.
        grey: Whether the pictures have no colours (infrared, or a grey camera).
        coloured: Whether the newest frame shows true colours.
    """

    def __init__(self) -> None:
        self.dark = self.blind = self.grey = False
        self.coloured = True
        self._spread: float | None = None
        self._light_s: float | None = None
        self._last_s = 0.0

    def take(self, light: Light | None, now_s: float) -> None:
        """The light of a frame of this monotonic time; None where nobody measured it, which says nothing."""
        if light is None:
            self.blind = self.dark
            return
        if self._light_s is None:
            self._light_s = now_s
        if not light.too_dark and (not self.dark or light.brightness >= LIGHT_AGAIN):
            self.dark, self._light_s = False, now_s
        elif now_s - self._light_s >= DARK_AFTER_S:
            self.dark = True
        self.blind = self.dark or light.too_dark
        if not self.blind:
            self._colour(light, now_s)
        self.coloured = not (self.grey or light.colourless)

    def _colour(self, light: Light, now_s: float) -> None:
        """What is dark says nothing about colour."""
        if self._spread is None:
            self._spread = light.colour_spread
        else:
            share = 1.0 - math.exp(-max(now_s - self._last_s, 0.0) / _MEAN_S)
            self._spread += share * (light.colour_spread - self._spread)
        self._last_s = now_s
        mean = Light(light.brightness, self._spread)
        self.grey = mean.colourless or (self.grey and self._spread < COLOUR_AGAIN)
