"""A comfort chart: temperature by humidity, the zone of this clothing, and the point; drawn with OpenCV alone."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import pmv_ppd
from comfywear.errors import SourceError, UsageError

__all__ = ["ChartInput", "draw_chart", "write_chart"]

Image = NDArray[np.uint8]
Array = NDArray[np.float64]
Colour = tuple[int, int, int]

SCALE = 2  # drawn at twice the size and shrunk, for smooth edges
WIDTH, HEIGHT = 1200, 800
LEFT, TOP, RIGHT, BOTTOM = 92, 128, 1164, 640
INK, SOFT, GRID, PAPER = (48, 44, 40), (120, 114, 108), (214, 210, 206), (255, 255, 255)
COOL, WARM = (222, 178, 128), (120, 158, 236)  # BGR, at PMV −3 and +3
# Categories of ISO 7730 annex A, widest first: bound of |PMV|, colour (BGR), words.
ZONES: tuple[tuple[float, Colour, str], ...] = (
    (0.7, (214, 236, 206), "|PMV| < 0.7 (C)"),
    (0.5, (172, 219, 158), "|PMV| < 0.5 (B)"),
    (0.2, (120, 190, 104), "|PMV| < 0.2 (A)"),
)


class ChartInput(NamedTuple):
    """What the chart shows: the point, the clothing, the other inputs of PMV, and the words above it."""

    air_temp_c: float
    humidity_pct: float
    clo: float
    met: float
    air_speed_m_s: float
    radiant_above_air_k: float
    title: str
    subtitle: str


def write_chart(chart: ChartInput, path: Path) -> None:
    """Draw the chart into a PNG file; UsageError for another kind of file, SourceError when it cannot be written."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"--chart {path}: the chart is a PNG; give a name that ends in .png")
    done, data = cv2.imencode(".png", draw_chart(chart))
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SourceError(f"{path}: the chart cannot be written ({error.strerror})") from error
    if not done:
        raise SourceError(f"{path}: OpenCV cannot make a PNG here")


def draw_chart(chart: ChartInput) -> Image:
    """`(800, 1200, 3) uint8` BGR."""
    low = min(14.0, np.floor(chart.air_temp_c) - 2.0)
    high = max(34.0, np.ceil(chart.air_temp_c) + 2.0)
    image = np.full((HEIGHT * SCALE, WIDTH * SCALE, 3), PAPER, np.uint8)
    field, outside = _fields(chart, low, high)
    x0, y0, x1, y1 = (SCALE * v for v in (LEFT, TOP, RIGHT, BOTTOM))
    image[y0:y1, x0:x1] = _background(field, outside)
    _axes(image, low, high)
    _point(image, chart, low, high)
    _text(image, chart.title, LEFT, 48, 0.95, INK, bold=True)
    _text(image, chart.subtitle, LEFT, 84, 0.68, SOFT)
    _legend(image)
    return np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _fields(chart: ChartInput, low: float, high: float) -> tuple[Array, Array]:
    """PMV, and the vapour pressure over ISO 7730's 2700 Pa (1 is the limit), over the plot's pixels."""
    air, humidity = np.meshgrid(np.linspace(low, high, 161), np.linspace(100.0, 0.0, 101))
    speed = chart.air_speed_m_s + max(0.3 * (chart.met - 1.0), 0.0)
    radiant = air + chart.radiant_above_air_k
    pmv = pmv_ppd(air, radiant, speed, humidity, chart.met, chart.clo, limit=False).pmv
    pressure = 10.0 * humidity * np.exp(16.6536 - 4030.183 / (air + 235.0)) / 2700.0
    size = ((RIGHT - LEFT) * SCALE, (BOTTOM - TOP) * SCALE)
    grown = [np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC), float) for grid in (pmv, pressure)]
    return grown[0], grown[1]


def _background(field: Array, outside: Array) -> Image:
    share = np.clip(np.abs(field) / 3.0, 0.0, 1.0)[..., None] ** 0.8
    side = np.where(field[..., None] < 0, np.array(COOL), np.array(WARM))
    picture = np.array(PAPER) * (1.0 - share) + side * share
    for bound, colour, _ in ZONES:
        picture[np.abs(field) < bound] = colour
    rows, columns = np.indices(field.shape)
    hatch = (outside > 1.0) & ((rows + columns) % (14 * SCALE) < 2 * SCALE)
    picture[hatch] = picture[hatch] * 0.35 + np.array(SOFT) * 0.65
    edge = (np.abs(field) < 0.5).astype(np.uint8)
    image = picture.astype(np.uint8)
    contours, _ = cv2.findContours(edge, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, (86, 140, 72), 2 * SCALE, cv2.LINE_AA)
    return image


def _axes(image: Image, low: float, high: float) -> None:
    step = 2 if high - low <= 30 else 5
    for degree in np.arange(np.ceil(low / step) * step, high + 0.1, step):
        x = _x(degree, low, high)
        _line(image, (x, TOP), (x, BOTTOM), GRID)
        _text(image, f"{degree:.0f}", x, BOTTOM + 28, 0.6, INK, centre=True)
    for percent in range(0, 101, 20):
        y = _y(percent)
        _line(image, (LEFT, y), (RIGHT, y), GRID)
        _text(image, f"{percent}", LEFT - 14, y + 7, 0.6, INK, right=True)
    for corner in (((LEFT, TOP), (RIGHT, TOP)), ((LEFT, BOTTOM), (RIGHT, BOTTOM))):
        _line(image, *corner, SOFT)
    for x in (LEFT, RIGHT):
        _line(image, (x, TOP), (x, BOTTOM), SOFT)
    _text(image, "air temperature, °C", (LEFT + RIGHT) / 2, BOTTOM + 60, 0.66, INK, centre=True)
    _text(image, "humidity, %", LEFT - 62, TOP - 14, 0.6, INK)


def _point(image: Image, chart: ChartInput, low: float, high: float) -> None:
    x, y = _x(chart.air_temp_c, low, high), _y(min(max(chart.humidity_pct, 0.0), 100.0))
    centre = (round(x * SCALE), round(y * SCALE))
    cv2.circle(image, centre, 13 * SCALE, PAPER, -1, cv2.LINE_AA)
    cv2.circle(image, centre, 10 * SCALE, (60, 40, 190), -1, cv2.LINE_AA)
    label = f"{chart.air_temp_c:.1f} °C, {chart.humidity_pct:.0f} %"
    width = _width(label, 0.62)
    left = x + 22 if x + 40 + width < RIGHT else x - 22 - width
    top_left = (round(SCALE * (left - 8)), round(SCALE * (y - 20)))
    bottom_right = (round(SCALE * (left + width + 8)), round(SCALE * (y + 14)))
    cv2.rectangle(image, top_left, bottom_right, PAPER, -1)
    cv2.rectangle(image, top_left, bottom_right, GRID, SCALE, cv2.LINE_AA)
    _text(image, label, left, y + 5, 0.62, INK)


def _legend(image: Image) -> None:
    entries: list[tuple[Colour | None, str]] = [(colour, words) for _, colour, words in reversed(ZONES)]
    entries += [(_mixed(COOL), "cooler"), (_mixed(WARM), "warmer"), (None, "too humid for ISO 7730")]
    x, y = float(LEFT), HEIGHT - 44
    for colour, words in entries:
        top_left, bottom_right = (round(SCALE * x), SCALE * (y - 16)), (round(SCALE * (x + 26)), SCALE * (y + 4))
        cv2.rectangle(image, top_left, bottom_right, colour or PAPER, -1)
        if colour is None:
            for shift in (0, 10, 20):
                _line(image, (x + shift, y + 4), (x + min(shift + 12, 26), y - 16), SOFT)
        cv2.rectangle(image, top_left, bottom_right, SOFT, SCALE, cv2.LINE_AA)
        _text(image, words, x + 34, y, 0.54, INK)
        x += 34 + _width(words, 0.54) + 24


def _mixed(colour: Colour) -> Colour:
    b, g, r = ((c + p) // 2 for c, p in zip(colour, PAPER, strict=True))
    return b, g, r


def _x(degree: float, low: float, high: float) -> float:
    return float(LEFT + (degree - low) / (high - low) * (RIGHT - LEFT))


def _y(percent: float) -> float:
    return float(BOTTOM - percent / 100.0 * (BOTTOM - TOP))


def _line(image: Image, a: tuple[float, float], b: tuple[float, float], colour: Colour) -> None:
    start, end = ((round(SCALE * x), round(SCALE * y)) for x, y in (a, b))
    cv2.line(image, start, end, colour, SCALE, cv2.LINE_AA)


def _width(text: str, size: float, font: int = cv2.FONT_HERSHEY_SIMPLEX) -> float:
    return float(cv2.getTextSize(text.replace("°", "'"), font, size * SCALE, SCALE)[0][0]) / SCALE


def _text(
    image: Image, text: str, x: float, y: float, size: float, colour: Colour,
    *, centre: bool = False, right: bool = False, bold: bool = False,
) -> None:  # fmt: skip
    """Text with its base line at `y`; OpenCV's fonts have no degree sign, so that it is drawn as a ring."""
    x -= _width(text, size) / 2 if centre else _width(text, size) if right else 0.0
    font = cv2.FONT_HERSHEY_DUPLEX if bold else cv2.FONT_HERSHEY_SIMPLEX
    for number, part in enumerate(text.split("°")):
        if number:
            ring = (round(SCALE * (x + 5 * size)), round(SCALE * (y - 17 * size)))
            cv2.circle(image, ring, round(SCALE * 3.6 * size), colour, SCALE, cv2.LINE_AA)
            x += 11 * size
        where = (round(SCALE * x), round(SCALE * y))
        cv2.putText(image, part, where, font, size * SCALE, colour, SCALE, cv2.LINE_AA)
        x += _width(part, size, font)
