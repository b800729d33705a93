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
from comfywear.texts import Text

if TYPE_CHECKING:
    from comfywear.settings.mqtt import MqttSettings
    from comfywear.settings.zones import ZoneSettings

__all__ = ["broker_faults", "file_doubts", "web_faults", "zone_doubts", "zone_faults"]

_OUTLINES = {
    "few": Text("A polygon needs three corners or more"),
    "crosses": Text("This polygon's sides cross (a bow tie): give the corners in order, once around the outline"),
}


def zone_faults(zones: Sequence[ZoneSettings]) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: zones or numbers named twice, polygons that are no area."""
    names = [zone.name for zone in zones]
    numbers = [zone.number or place for place, zone in enumerate(zones, 1)]
    for index, zone in enumerate(zones):
        if numbers[index] in numbers[:index]:
            other = names[numbers.index(numbers[index])]
            unsaid = Text("one without a number has its place in the file")
            yield (
                f"[{index}].number",
                Text(
                    "{other} and {name} have both the number {numbers} ({unsaid})",
                    other=repr(other),
                    name=repr(zone.name),
                    numbers=numbers[index],
                    unsaid=unsaid,
                ),
            )
        if zone.name in names[:index]:
            yield f"[{index}].name", Text("Two zones are named {name}", name=repr(zone.name))
        polygons = [(f"[{index}].polygon", zone.polygon)]
        polygons += [(f"[{index}].views[{number}].polygon", view.polygon) for number, view in enumerate(zone.views)]
        for field, polygon in polygons:
            if fault := outline_fault(polygon):
                yield field, _OUTLINES[fault]


def broker_faults(mqtt: MqttSettings) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: a host that is more than a host."""
    host = mqtt.host
    if re.fullmatch(r"[A-Za-z0-9._-]+:\d+", host):
        yield (
            "host",
            Text("The port stands in mqtt.port: write host = {host}", host=repr(host.partition(":")[0])),
        )
        return
    named = re.fullmatch(r"(?:\w+://)?(?:[^@]*@)?([A-Za-z0-9._-]+)(?::\d+)?/?", host)
    if host and not re.fullmatch(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%\w+)?\]?", host):
        meant = Text("such as {named}", named=repr(named[1])) if named else Text("such as 'broker.local'")
        apart = Text("the port is mqtt.port, TLS is mqtt.tls, the login is mqtt.username and mqtt.password_file")
        yield "host", Text("A name or an address alone is wanted, {meant}; {apart}", meant=meant, apart=apart)


def web_faults(web: WebSettings) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: a proxy that is no address, a key that belongs to no certificate."""
    if web.certificate_key and web.certificate in ("", "own"):
        yield (
            "certificate_key",
            Text("This is the key of a file that web.certificate names: name that, or leave both out"),
        )
    try:
        proxies(web.proxy)
    except ValueError:
        yield (
            "proxy",
            Text(
                "An address such as 10.0.0.2 or a network such as 10.0.0.0/24 is wanted, not {proxy}",
                proxy=repr(web.proxy[:60]),
            ),
        )


def zone_doubts(zones: Mapping[str, Sequence[PicturePoint]], camera: str = "") -> Iterator[str]:
    """Zones that share a part of a camera's picture or are hardly any of it, in a sentence each.

    Args:
        zones: Polygons by name, of the zones that the camera sees.
        camera: Its name, where there are several.
    """
    where = Text(" (camera {camera})", camera=camera) if camera else ""
    whole = [zone for zone, polygon in zones.items() if not polygon]
    if len(whole) > 1:
        yield (
            Text(
                "zones: {whole} are each the whole picture{where}: all people count in {first}, the first; "
                "give the others a polygon",
                whole=", ".join(whole),
                where=where,
                first=whole[0],
            )
        )
    for zone, polygon in zones.items():
        if is_tiny(polygon):
            yield Text(
                "zones: {zone} is {part} % of the picture{where}: hardly anybody will stand in it",
                zone=zone,
                part=f"{100 * area(polygon):.1g}",
                where=where,
            )
    for (zone, polygon), (other, its) in combinations(((z, p) for z, p in zones.items() if p), 2):
        if part := overlap(polygon, its):
            yield (
                Text(
                    "zones: {zone} and {other} overlap ({part} % of the picture{where}): who stands there "
                    "counts in {zone}, the first",
                    zone=zone,
                    other=other,
                    part=f"{100 * part:.0f}",
                    where=where,
                )
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
