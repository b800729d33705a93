"""The words of the models: what detector and attribute model name, and the data set's labels behind each word."""

from __future__ import annotations

__all__ = [
    "AMBIGUOUS",
    "ATTRIBUTE_GROUPS",
    "ATTRIBUTE_LABELS",
    "ATTRIBUTE_PLACES",
    "DEEPFASHION2_GROUPS",
    "DETECTOR_GROUPS",
    "DETECTOR_LABELS",
    "EITHER",
    "GARMENT_LABELS",
    "LENGTHS",
    "LOCATED",
    "LOWER",
    "NEEDS_LEGS",
    "SINGLE_GARMENTS",
    "UPAR",
]

# Labels of Clothing Co-Parsing behind each garment group. `suit` is mostly the jacket in that set (its README).
DETECTOR_GROUPS: dict[str, tuple[str, ...]] = {
    "top": ("blouse", "shirt", "t-shirt", "top"),
    "knit": ("sweater", "sweatshirt", "cardigan", "hoodie"),
    "outer": ("coat", "jacket", "blazer", "suit", "cape", "vest"),
    "dress": ("dress",),
    "trousers": ("pants", "jeans", "leggings"),
    "skirt": ("skirt",),
    "shorts": ("shorts",),
    "footwear": (
        "shoes", "boots", "flats", "heels", "loafers", "pumps", "sandals", "sneakers", "wedges", "clogs",
    ),
    "bag": ("bag", "purse"),
    "hat": ("hat",),
}  # fmt: skip

DEEPFASHION2_GROUPS: dict[str, tuple[str, ...]] = {
    "top": ("short sleeve top", "long sleeve top", "vest", "sling"),
    "outer": ("short sleeve outwear", "long sleeve outwear"),
    "dress": ("short sleeve dress", "long sleeve dress", "vest dress", "sling dress"),
    "trousers": ("trousers",),
    "skirt": ("skirt",),
    "shorts": ("shorts",),
}
"""Categories of DeepFashion2 behind the detector's groups; its `vest` is a sleeveless top, its knitwear is in tops."""

AMBIGUOUS: tuple[str, ...] = ("romper", "jumper", "bodysuit", "bra", "wallet")
"""Labels that are too few or meant in two ways: neither positive nor negative examples of any group."""

GARMENT_LABELS: tuple[str, ...] = tuple(DETECTOR_GROUPS)
DETECTOR_LABELS: tuple[str, ...] = ("person", *GARMENT_LABELS)

ATTRIBUTE_GROUPS: dict[str, tuple[str, ...]] = {
    "skirt-or-dress": ("skirt", "dress"),
    "trousers": ("pants", "jeans", "leggings"),
    "shorts": ("shorts",),
    "outer": ("coat", "jacket", "blazer", "suit", "cape", "vest"),
    "knit": ("sweater", "sweatshirt", "cardigan", "hoodie"),
    "top": ("blouse", "shirt", "t-shirt", "top"),
    "bag": ("bag", "purse"),
    "eyewear": ("glasses", "sunglasses"),
    "hat": ("hat",),
    "scarf": ("scarf",),
    "boots": ("boots",),
    "legwear": ("stockings", "tights", "socks"),
}
"""The twelve groups of the attribute model (`group/…`)."""

# At least 30 of the training photos, masked and tagged together, show each of these.
SINGLE_GARMENTS: tuple[str, ...] = (
    "accessories", "bag", "belt", "blazer", "blouse", "boots", "coat", "dress", "hat", "jacket", "jeans", "leggings",
    "pants", "purse", "scarf", "shirt", "shoes", "shorts", "skirt", "socks", "stockings", "suit", "sunglasses",
    "sweater", "sweatshirt", "t-shirt", "top", "vest", "sandals",
)  # fmt: skip
"""Single labels that the attribute model learns (`garment/…`)."""

# Names of UPAR (Specker et al. 2023), without its age and gender; colours are measured, not learnt.
UPAR: tuple[str, ...] = (
    "UpperBody-Length-Short", "LowerBody-Length-Short", "LowerBody-Type-Trousers&Shorts", "LowerBody-Type-Skirt&Dress",
    "Accessory-Bag", "Accessory-Glasses-Normal", "Accessory-Glasses-Sun", "Accessory-Hat", "Hair-Length-Short",
    "Hair-Length-Long",
)  # fmt: skip

ATTRIBUTE_LABELS: tuple[str, ...] = (
    *(f"group/{name}" for name in ATTRIBUTE_GROUPS),
    *(f"garment/{name}" for name in SINGLE_GARMENTS),
    "sleeve/short",
    "sleeve/none",
    "leg/short",
    *(f"upar/{name}" for name in UPAR),
)

LOCATED: tuple[tuple[str, ...], ...] = (*ATTRIBUTE_GROUPS.values(), *((name,) for name in SINGLE_GARMENTS))
"""Mask labels behind each of the first attribute labels: those that a pixel mask can show the place of."""

LOWER: frozenset[str] = frozenset({*DETECTOR_GROUPS["trousers"], "shorts", "skirt", "dress"})
"""Single labels of which somebody who is dressed wears at least one below the waist."""

LENGTHS: frozenset[str] = frozenset({"leg/short", "upar/LowerBody-Length-Short"})
"""Attributes that ask where a lower garment ends, so that yes and no both need to be seen."""

_UPAR_PLACES: dict[str, tuple[str, ...]] = {
    "LowerBody-Type-Trousers&Shorts": (*DETECTOR_GROUPS["trousers"], "shorts"),
    "LowerBody-Type-Skirt&Dress": ("skirt", "dress"),
    "Accessory-Bag": DETECTOR_GROUPS["bag"],
    "Accessory-Glasses-Normal": ("glasses",),
    "Accessory-Glasses-Sun": ("sunglasses",),
    "Accessory-Hat": ("hat",),
}

ATTRIBUTE_PLACES: tuple[frozenset[str], ...] = tuple(
    [frozenset(names) for names in LOCATED]
    + [
        LOWER if label in LENGTHS else frozenset(_UPAR_PLACES.get(label.removeprefix("upar/"), ()))
        for label in ATTRIBUTE_LABELS[len(LOCATED) :]
    ]
)
"""Single labels behind each attribute label: those that show it, or (of LENGTHS) whose end it asks about; else none."""

EITHER: tuple[tuple[str, str], ...] = (("group/top", "group/knit"),)
"""Pairs of attributes that a set may fail to tell apart: it then says that one of the two is right."""

NEEDS_LEGS: frozenset[str] = frozenset(
    {f"group/{name}" for name in ("skirt-or-dress", "trousers", "shorts", "boots", "legwear", "bag")}
    | {
        f"garment/{name}"
        for name in (
            "bag", "boots", "dress", "jeans", "leggings", "pants", "purse", "shoes", "shorts", "skirt", "socks",
            "stockings", "sandals", "suit", "coat",
        )
    }
    | {"leg/short"}
    | {f"upar/{name}" for name in UPAR if name.startswith("LowerBody") or name == "Accessory-Bag"}
)  # fmt: skip
"""Attributes that a picture of an upper body cannot answer."""
