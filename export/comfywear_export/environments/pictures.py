"""A matplotlib figure as the picture that gymnasium asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_of", "picture_of"]


def figure_of(width: float, height: float) -> Figure:
    """An empty figure of so many hundreds of pixels."""
    from matplotlib.figure import Figure

    return Figure((width, height), dpi=100, layout="constrained")


def picture_of(figure: Figure) -> NDArray[np.uint8]:
    """`(H, W, 3) uint8` RGB."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba(), np.uint8)[..., :3])
