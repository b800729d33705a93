"""What one field of the settings alone cannot show: faults, which are refused, and warnings, which are said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from comfywear.settings.polygons import PicturePoint, area
from comfywear.settings.shapes import is_tiny, outline_fault, overlap
from comfywear.settings.web import WebSettings, proxies
from comfywear.system.credential import credential_path

if TYPE_CHECKING:
    from comfywear.settings.mqtt import MqttSettings
    from comfywear.settings.zones import ZoneSettings

__all__ = ["broker_faults", "file_doubts", "web_faults", "zone_doubts", "zone_faults"]

_OUTLINES = {
    "few": "A polygon needs three corners or more",
    "crosses": "This polygon's sides cross (a bow tie): give the corners in order, once around the outline",
}


def zone_faults(zones: Sequence[ZoneSettings]) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: zones or numbers named twice, polygons that are no area."""
    names = [zone.name for zone in zones]
    numbers = [zone.number or place for place, zone in enumerate(zones, 1)]
    for index, zone in enumerate(zones):
        if numbers[index] in numbers[:index]:
            other = names[numbers.index(numbers[index])]
            unsaid = "one without a number has its place in the file"
            yield f"[{index}].number", f"{other!r} and {zone.name!r} have both the number {numbers[index]} ({unsaid})"
        if zone.name in names[:index]:
            yield f"[{index}].name", f"Two zones are named {zone.name!r}"
        polygons = [(f"[{index}].polygon", zone.polygon)]
        polygons += [(f"[{index}].views[{number}].polygon", view.polygon) for number, view in enumerate(zone.views)]
        for field, polygon in polygons:
            if fault := outline_fault(polygon):
                yield field, _OUTLINES[fault]


def broker_faults(mqtt: MqttSettings) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: a host that is more than a host."""
    host = mqtt.host
    if re.fullmatch(r"[A-Za-z0-9._-]+:\d+", host):
        yield "host", f"The port stands in mqtt.port: write host = {host.partition(':')[0]!r}"
        return
    named = re.fullmatch(r"(?:\w+://)?(?:[^@]*@)?([A-Za-z0-9._-]+)(?::\d+)?/?", host)
    if host and not re.fullmatch(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%\w+)?\]?", host):
        meant = f"such as {named[1]!r}" if named else "such as 'broker.local'"
        apart = "the port is mqtt.port, TLS is mqtt.tls, the login is mqtt.username and mqtt.password_file"
        yield "host", f"A name or an address alone is wanted, {meant}; {apart}"


def web_faults(web: WebSettings) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: a proxy that is no address, a key that belongs to no certificate."""
    if web.certificate_key and web.certificate in ("", "own"):
        yield "certificate_key", "This is the key of a file that web.certificate names: name that, or leave both out"
    try:
        proxies(web.proxy)
    except ValueError:
        yield "proxy", f"An address such as 10.0.0.2 or a network such as 10.0.0.0/24 is wanted, not {web.proxy[:60]!r}"


def zone_doubts(zones: Mapping[str, Sequence[PicturePoint]], camera: str = "") -> Iterator[str]:
    """Zones that share a part of a camera's picture or are hardly any of it, in a sentence each.

    Args:
        zones: Polygons by name, of the zones that the camera sees.
        camera: Its name, where there are several.
    """
    where = f" (camera {camera})" if camera else ""
    whole = [zone for zone, polygon in zones.items() if not polygon]
    if len(whole) > 1:
        yield (
            f"zones: {', '.join(whole)} are each the whole picture{where}: all people count in {whole[0]}, the first; "
            "give the others a polygon"
        )
    for zone, polygon in zones.items():
        if is_tiny(polygon):
            yield f"zones: {zone} is {100 * area(polygon):.1g} % of the picture{where}: hardly anybody will stand in it"
    for (zone, polygon), (other, its) in combinations(((z, p) for z, p in zones.items() if p), 2):
        if part := overlap(polygon, its):
            yield (
                f"zones: {zone} and {other} overlap ({100 * part:.0f} % of the picture{where}): "
                f"who stands there counts in {zone}, the first"
            )


def file_doubts(field: str, file: str) -> Iterator[str]:
    """Whether a file that a field names ("" = none) is missing on this machine, in a sentence."""
    try:
        path = credential_path(file) if file else None
    except (LookupError, ValueError):
        return  # the service manager's, which is not asked here
    try:
        found = path is None or path.is_file()
    except PermissionError:
        return  # it is for the service's user alone, as it should be
    if not found:
        yield f"{field}: there is no file {Path(file)} on this machine"
