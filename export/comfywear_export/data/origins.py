"""Where the data sets that models learn from come from, as cards say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["origin", "origins"]

_TRAINED = "train split"
_ORIGINS = {
    "people": ("people: Roboflow Universe siwookim/capston2 version 11", "CC BY 4.0", _TRAINED),
    "ccp": (
        "Clothing Co-Parsing (Yang, Luo, Lin, CVPR 2014), repository bearpaw/clothing-co-parsing",
        "Apache-2.0 (of the repository)",
        _TRAINED,
    ),
    "cfpd": (
        "Colorful Fashion Parsing photos with boxes, Roboflow Universe clouds-5vrll/clothing-detection-scn9m-ksyyb v1",
        "CC BY 4.0 (declared by the uploader, who is not the photographers)",
        _TRAINED,
    ),
    "cafe": ("café from a mezzanine, repository katiehur5/cafe-people-detection", "CC BY 4.0", _TRAINED),
    "office-lobby": ("office and lift lobbies, repository Rohith3330/DEEPSORT_FINAL", "CC BY 4.0", _TRAINED),
    "factory": ("factory hall, Roboflow Universe person-j3bp5/person-3ese7 v1", "CC BY 4.0", _TRAINED),
    "teacher": (
        "teacher before a board, repository MatrixLeung/Borrat-Teacher-Occlusion-Dataset (ICCE 2026)",
        "CC BY 4.0 (of the repository)",
        _TRAINED,
    ),
    "store": (
        "shop from the ceiling, photos of Roboflow Universe cpm/shoplifting-uofcd",
        "CC BY 4.0",
        f"{_TRAINED}; its boxes are a detector's (person-detection-0303, Open Model Zoo, Apache-2.0)",
    ),
    "empty": (
        "photos of nobody: DoorDetect (Open Images), emergency-exit-signs-v2, GroceryStoreDataset, COCO 2017",
        "CC BY 2.0, CC BY 4.0, MIT, CC BY 2.0 or CC BY-SA 2.0",
        _TRAINED,
    ),
    "clothing-small": (
        "garments that nobody wears, repository alexeygrigorev/clothing-dataset-small",
        "CC0 1.0",
        "train split, as photos of nobody",
    ),
}


def origin(name: str) -> dict[str, str]:
    """Name, licence and use of the set in a folder called `name`; a set of one's own is called by its folder alone."""
    described, licence, use = _ORIGINS.get(name, (name, "not known here: say it where you pass the model on", _TRAINED))
    return {"name": described, "licence": licence, "use": use}


def origins(names: Iterable[str], judged: Mapping[str, str]) -> list[dict[str, str]]:
    """The same of several, the ones that quality is measured on first.

    Args:
        names: The folders that a model learnt from.
        judged: What the validation split of a folder was used for, such as "quality".
    """
    chosen = sorted(dict.fromkeys(names), key=lambda name: name not in judged)
    found = {name: origin(name) for name in chosen}
    more = {name: f"; {judged[name]} on its validation split" for name in chosen if name in judged}
    return [known | {"use": known["use"] + more.get(name, "")} for name, known in found.items()]
