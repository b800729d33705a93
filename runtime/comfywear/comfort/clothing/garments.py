"""Insulation of single garments (I_clu, clo) and the names by which people and models call them.

Sources: "ashrae55" is the garment table of ASHRAE 55-2020 (5.2.2.2B) as pythermalcomfort 4.8.1 carries it;
"iso9920" is the garment list of the ISO 9920 / ISO 7730 family as engineeringtoolbox.com prints it. The text of the
standards was not at hand. `low` and `high` are the lowest and highest row that the same word may mean: a camera, and
most people, cannot tell thin wool from thick.
"""

from __future__ import annotations

import re
from math import sqrt
from typing import Literal, NamedTuple

from comfywear.errors import UsageError

__all__ = ["GARMENTS", "GarmentClo", "Slot", "garment_clo"]

Slot = Literal["top", "knit", "outer", "dress", "lower", "footwear", "legwear", "underwear", "accessory"]


class GarmentClo(NamedTuple):
    """One garment: where it sits, its insulation in clo with the plausible range, and the table it is from."""

    name: str
    slot: Slot
    clo: float
    low: float
    high: float
    source: str

    @property
    def sd(self) -> float:
        """Standard deviation in clo, every value of the range taken as equally likely."""
        return (self.high - self.low) / sqrt(12.0)


def _rows(slot: Slot, source: str, text: str) -> list[GarmentClo]:
    """Rows of `name clo low high`, one a line."""
    rows = []
    for line in text.strip().splitlines():
        *name, clo, low, high = line.split()
        rows.append(GarmentClo(" ".join(name), slot, float(clo), float(low), float(high), source))
    return rows


_TABLE: list[GarmentClo] = [
    *_rows("top", "ashrae55", """
        t-shirt                      0.08 0.08 0.17
        polo shirt                   0.17 0.14 0.19
        top                          0.17 0.06 0.25
        long-sleeve shirt            0.25 0.20 0.34
        short-sleeve shirt           0.19 0.17 0.19
        sleeveless shirt             0.12 0.06 0.12
        sleeveless blouse            0.12 0.06 0.13
        flannel shirt                0.34 0.30 0.34
        tank top                     0.12 0.06 0.12
        long underwear top           0.20 0.12 0.20
    """),
    *_rows("top", "iso9920", """
        long-sleeve t-shirt          0.20 0.12 0.25
        blouse                       0.20 0.12 0.25
        long-sleeve blouse           0.20 0.15 0.25
        short-sleeve blouse          0.17 0.12 0.19
        sleeveless top               0.09 0.06 0.12
        turtleneck                   0.26 0.26 0.34
        tube top                     0.06 0.06 0.06
        bodysuit                     0.20 0.06 0.25
    """),
    *_rows("knit", "ashrae55", """
        sweater                      0.30 0.20 0.37
        thin sweater                 0.25 0.20 0.26
        thick sweater                0.36 0.35 0.37
        cardigan                     0.25 0.20 0.36
        sweatshirt                   0.34 0.25 0.36
        hoodie                       0.34 0.25 0.36
        vest                         0.13 0.10 0.17
        thin vest                    0.10 0.10 0.12
        thick vest                   0.17 0.13 0.17
        sleeveless sweater           0.23 0.12 0.27
    """),
    *_rows("knit", "iso9920", "short-sleeve sweater         0.20 0.17 0.27"),
    *_rows("outer", "ashrae55", """
        blazer                       0.36 0.25 0.48
        suit jacket                  0.44 0.36 0.48
        thin suit jacket             0.36 0.36 0.42
        thick suit jacket            0.44 0.44 0.48
        thin double-breasted jacket  0.42 0.36 0.42
        thick double-breasted jacket 0.48 0.44 0.48
        robe                         0.48 0.34 0.69
    """),
    *_rows("outer", "iso9920", """
        jacket                       0.35 0.25 0.55
        light jacket                 0.25 0.25 0.30
        smock                        0.30 0.25 0.35
        cape                         0.30 0.20 0.60
        down jacket                  0.55 0.35 0.70
        coat                         0.60 0.35 0.70
        short coat                   0.35 0.25 0.60
        parka                        0.70 0.55 0.70
    """),
    *_rows("dress", "ashrae55", """
        dress                        0.29 0.18 0.47
        short-sleeve dress           0.29 0.20 0.33
        sleeveless dress             0.23 0.23 0.27
        long-sleeve dress            0.33 0.33 0.47
        thick long-sleeve dress      0.47 0.33 0.47
        overalls                     0.30 0.28 0.30
        coveralls                    0.49 0.49 0.50
        romper                       0.29 0.20 0.33
        pajamas                      0.42 0.42 0.57
        short nightgown              0.18 0.18 0.31
        long nightgown               0.46 0.20 0.46
        jumpsuit                     0.40 0.28 0.50
    """),
    *_rows("dress", "iso9920", "insulated coveralls          1.03 1.03 1.13"),
    *_rows("lower", "ashrae55", """
        trousers                     0.20 0.15 0.28
        thin trousers                0.15 0.15 0.20
        thick trousers               0.24 0.20 0.28
        jeans                        0.24 0.20 0.25
        sweatpants                   0.28 0.24 0.28
        leggings                     0.10 0.10 0.15
        skirt                        0.18 0.14 0.25
        thin skirt                   0.14 0.14 0.18
        thick skirt                  0.23 0.18 0.25
        shorts                       0.08 0.06 0.11
        short shorts                 0.06 0.06 0.08
    """),
    *_rows("lower", "iso9920", """
        normal trousers              0.25 0.20 0.28
        flannel trousers             0.28 0.24 0.28
        over-trousers                0.52 0.28 0.52
    """),
    *_rows("footwear", "ashrae55", """
        shoes                        0.02 0.02 0.04
        sandals                      0.02 0.00 0.02
        slippers                     0.03 0.02 0.03
        boots                        0.10 0.05 0.10
    """),
    *_rows("footwear", "iso9920", "thick-soled shoes            0.04 0.02 0.04"),
    *_rows("legwear", "ashrae55", """
        socks                        0.02 0.02 0.05
        calf-length socks            0.03 0.02 0.05
        knee socks                   0.06 0.05 0.10
        tights                       0.02 0.02 0.06
        long underwear bottoms       0.15 0.10 0.15
    """),
    *_rows("underwear", "ashrae55", """
        underwear                    0.04 0.03 0.05
        women's underwear            0.03 0.03 0.03
        men's underwear              0.04 0.03 0.04
        bra                          0.01 0.01 0.01
        half slip                    0.14 0.14 0.14
        full slip                    0.16 0.16 0.16
    """),
    *_rows("underwear", "iso9920", "undershirt                   0.09 0.06 0.12"),
    # No row in the tables: counted as nothing, with what they could add as the range.
    *_rows("accessory", "none", """
        scarf                        0.00 0.00 0.05
        hat                          0.00 0.00 0.03
        gloves                       0.00 0.00 0.05
        tie                          0.00 0.00 0.01
        belt                         0.00 0.00 0.01
        bag                          0.00 0.00 0.05
        eyewear                      0.00 0.00 0.00
    """),
]  # fmt: skip

GARMENTS: dict[str, GarmentClo] = {row.name: row for row in _TABLE}
"""Every garment of the table by its name."""

_ALIASES = {
    # Everyday words, the labels of the models, and the rows of ASHRAE 55 that are called something else here.
    "shirt": "long-sleeve shirt", "dress shirt": "long-sleeve shirt", "long-sleeve dress shirt": "long-sleeve shirt",
    "button-up shirt": "long-sleeve shirt", "short-sleeve dress shirt": "short-sleeve shirt", "tee": "t-shirt",
    "short-sleeve knit shirt": "polo shirt", "polo": "polo shirt", "camisole": "sleeveless top", "singlet": "tank top",
    "long-sleeve flannel shirt": "flannel shirt", "long-sleeve top": "long-sleeve t-shirt",
    "sleeveless scoop-neck blouse": "sleeveless blouse", "short-sleeve top": "top",
    "sleeveless scoop-neck shirt": "sleeveless dress", "sleeveless, scoop-neck shirt (thin)": "sleeveless dress",
    "knit": "sweater", "jumper": "sweater", "pullover": "sweater", "fleece": "sweatshirt",
    "wool sweater": "thick sweater",
    "long-sleeve sweat shirt": "sweatshirt", "sweat shirt": "sweatshirt", "hooded sweatshirt": "hoodie",
    "long sleeve shirt (thin)": "thin sweater", "long sleeve shirt (thick)": "thick sweater", "waistcoat": "vest",
    "sleeveless vest (thin)": "thin vest", "sleeveless vest (thick)": "thick vest",
    "outer": "jacket", "suit": "suit jacket", "single-breasted coat (thin)": "thin suit jacket",
    "single-breasted coat (thick)": "thick suit jacket", "double-breasted coat (thin)": "thin double-breasted jacket",
    "double-breasted coat (thick)": "thick double-breasted jacket", "winter coat": "coat", "overcoat": "coat",
    "puffer jacket": "down jacket", "windbreaker": "light jacket", "anorak": "light jacket", "bathrobe": "robe",
    "leather jacket": "jacket", "denim jacket": "jacket", "summer jacket": "light jacket", "raincoat": "light jacket",
    "short-sleeve shirt dress": "short-sleeve dress", "long-sleeve shirt dress (thin)": "long-sleeve dress",
    "long-sleeve shirt dress (thick)": "thick long-sleeve dress", "dungarees": "overalls",
    "short-sleeve pajamas": "pajamas", "pyjamas": "pajamas", "nightgown": "short nightgown",
    "pants": "trousers", "chinos": "thin trousers", "slacks": "trousers", "light trousers": "thin trousers",
    "joggers": "sweatpants", "track pants": "sweatpants", "suit trousers": "thick trousers", "denim": "jeans",
    "walking shorts": "shorts", "bermudas": "shorts", "mini skirt": "thin skirt", "long skirt": "thick skirt",
    "footwear": "shoes", "sneakers": "shoes", "trainers": "shoes", "loafers": "shoes", "heels": "shoes",
    "pumps": "shoes",
    "flats": "shoes", "wedges": "shoes", "clogs": "sandals", "shoes or sandals": "shoes", "flip-flops": "sandals",
    "ankle socks": "socks", "calf length socks": "calf-length socks", "knee socks (thick)": "knee socks",
    "panty hose": "tights", "pantyhose": "tights", "stockings": "tights", "legwear": "tights",
    "panties": "women's underwear", "briefs": "men's underwear", "intimate": "underwear", "boxers": "men's underwear",
    "cap": "hat", "beanie": "hat", "sunglasses": "eyewear", "glasses": "eyewear", "purse": "bag", "wallet": "bag",
    "backpack": "bag", "handbag": "bag", "accessories": "eyewear", "necklace": "eyewear", "bracelet": "eyewear",
    "watch": "eyewear", "ring": "eyewear", "earrings": "eyewear", "swimwear": "underwear",
}  # fmt: skip


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.strip().lower())


_BY_KEY = {_key(name): name for name in GARMENTS} | {_key(alias): name for alias, name in _ALIASES.items()}


def garment_clo(name: str) -> GarmentClo:
    """The row of the table for a garment by any of its names ("jumper", "T shirt", "panty hose").

    Case, hyphens and a plural s do not matter. UsageError names the closest known garments when there is no such one.
    """
    key = _key(name)
    for attempt in (key, key.removesuffix("s"), key + "s"):
        if attempt in _BY_KEY:
            return GARMENTS[_BY_KEY[attempt]]
    import difflib  # here alone: a known name does not wait for it

    close = [_BY_KEY[match] for match in difflib.get_close_matches(key, _BY_KEY, n=6, cutoff=0.5)]
    close += [row for row in GARMENTS if key.split(" ")[-1] in row.split(" ")]
    hint = ", ".join(dict.fromkeys(close)) or "t-shirt, long-sleeve shirt, sweater, jacket, trousers"
    raise UsageError(f"no garment named {name.strip()!r}; did you mean {hint}?")
