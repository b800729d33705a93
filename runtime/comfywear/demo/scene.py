"""What the demo looks at and hears: a public-domain photograph and a recorded sensor."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from comfywear.errors import SourceError

PHOTO_CREDIT = (
    "Rear Admiral Grace Hopper, photograph by James S. Davis, U.S. Navy (public domain), carried by matplotlib"
)


def sample_photo() -> Path:
    """The path of the photograph that the package matplotlib carries.

    Raises:
        SourceError: When it is not installed; the message says what to do.
    """
    spec = importlib.util.find_spec("matplotlib")
    for folder in spec.submodule_search_locations or [] if spec else []:
        path = Path(folder) / "mpl-data" / "sample_data" / "grace_hopper.jpg"
        if path.is_file():
            return path
    raise SourceError(
        "the demo's photograph is not installed: pip install 'comfywear[demo]', "
        "or show it a photo or a camera of your own: comfywear demo --source PHOTO"
    )


def sensor_lines() -> list[str]:
    """Lines as an Arduino with a DHT22 sends them: a warm office whose air warms a little, then cools again."""
    lines = ["DHTxx test!"]
    for step in [*range(12), *reversed(range(12))]:
        celsius, humidity = 24.6 + 0.05 * step, 47.0 - 0.1 * step
        lines.append(
            f"Humidity: {humidity:.2f} %\tTemperature: {celsius:.2f} *C {celsius * 1.8 + 32:.2f} *F\t"
            f"Heat index: {celsius:.2f} *C {celsius * 1.8 + 32:.2f} *F"
        )
    return lines
