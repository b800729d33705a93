"""A zone's own address as a QR code (ISO/IEC 18004), drawn by segno: to be printed and put up."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import quote

from comfywear.errors import UsageError
from comfywear.texts import Text

__all__ = ["zone_code"]

_LONGEST = 300


def zone_code(base: str, zone: str) -> bytes:
    """An SVG, black on white with the margin that readers need.

    Args:
        base: The page's address, with its last slash.
        zone: A zone's name.

    Raises:
        UsageError: When the address is longer than a code that a phone reads from a wall.
    """
    import segno

    address = f"{base}?zone={quote(zone, safe='')}"
    if len(address) > _LONGEST:
        raise UsageError(Text("an address of {address} characters is too long for a code", address=len(address)))
    out = BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(out, kind="svg", scale=4, border=4, light="white", xmldecl=False, svgclass=None, lineclass=None)
    return out.getvalue()
