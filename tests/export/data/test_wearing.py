"""What is known of what somebody wears, from sets that name kinds of garments."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_export.data.attribute_data import read_examples
from comfywear_export.data.labels import ATTRIBUTE_LABELS, ATTRIBUTE_PLACES, DETECTOR_GROUPS
from comfywear_export.data.wearing import Meaning, extents

# The categories of Colorful Fashion Parsing as its boxes come.
STREET = [
    {"id": 1, "name": "bag", "product_class": "bag"},
    {"id": 2, "name": "dress", "product_class": "dress"},
    {"id": 3, "name": "hat", "product_class": "hat"},
    {"id": 4, "name": "jacket", "product_class": "outer"},
    {"id": 5, "name": "pants", "product_class": "trousers"},
    {"id": 6, "name": "shirt", "product_class": "top"},
    {"id": 7, "name": "shoe", "product_class": "footwear"},
    {"id": 8, "name": "shorts", "product_class": "shorts"},
    {"id": 9, "name": "skirt", "product_class": "skirt"},
    {"id": 10, "name": "sunglass", "product_class": None},
    {"id": 11, "name": "person", "product_class": "person"},
]


def street(*worn: str) -> dict[str, bool | None]:
    return Meaning.of(STREET).answers(worn)


@pytest.mark.parametrize(
    ("worn", "label", "answer"),
    [
        (("pants", "shirt"), "group/trousers", True),
        (("pants", "shirt"), "garment/jeans", None),  # or other trousers
        (("skirt", "shirt"), "group/trousers", False),
        (("shirt",), "group/trousers", None),  # leggings have no word there
        (("shirt",), "group/shorts", None),
        (("jacket", "pants"), "group/outer", True),
        (("jacket", "pants"), "garment/coat", None),
        (("dress",), "garment/coat", False),
        (("dress",), "group/skirt-or-dress", True),
        (("dress",), "garment/dress", True),
        (("dress",), "garment/skirt", False),
        (("shirt", "pants"), "group/top", None),  # or a sweater
        (("shirt", "pants"), "group/knit", None),
        (("dress",), "group/top", False),
        (("dress",), "group/knit", False),
        (("bag",), "group/bag", True),
        (("hat",), "garment/hat", True),
        (("dress",), "group/hat", False),
        (("sunglass",), "group/eyewear", True),
        (("dress",), "group/eyewear", None),  # clear glasses have no word there
        (("dress",), "garment/sunglasses", False),
        (("shoe", "dress"), "group/boots", None),
        (("dress",), "group/scarf", None),
        (("dress",), "sleeve/short", None),
        (("dress",), "leg/short", None),
        (("pants",), "upar/LowerBody-Type-Trousers&Shorts", True),
        (("pants",), "upar/LowerBody-Type-Skirt&Dress", False),
        (("pants", "skirt"), "upar/LowerBody-Type-Trousers&Shorts", None),  # the type is one of two
        (("dress",), "upar/Accessory-Bag", False),
    ],
)
def test_a_kind_says_what_all_its_garments_share_and_absences_only_where_the_set_has_a_word(
    worn: tuple[str, ...], label: str, answer: bool | None
) -> None:
    assert label in ATTRIBUTE_LABELS
    assert street(*worn).get(label) is answer


def test_a_shirt_of_a_set_without_knitwear_is_a_top_or_a_knit() -> None:
    meaning = Meaning.of(STREET)
    assert meaning.either(["shirt"]).tolist() == [1]
    assert np.isnan(meaning.either(["dress"])).all()
    told_apart = Meaning.of([*STREET, {"id": 12, "name": "jumper thing", "product_class": "knit"}])
    assert told_apart.answers(["shirt"])["group/top"] is True
    assert told_apart.answers(["shirt"])["group/knit"] is False


def test_where_one_name_is_a_kind_all_are() -> None:
    """`top` is a garment of Clothing Co-Parsing and a kind of the detector's."""
    kinds = Meaning.of([{"name": name} for name in ("person", "top", "knit", "outer")])
    assert (kinds.partial, kinds.garments["top"]) == (True, frozenset(DETECTOR_GROUPS["top"]))
    assert kinds.answers(["top"]).get("garment/top") is None
    single = Meaning.of([{"name": name} for name in ("person", "top", "coat")])
    assert (single.partial, single.garments["top"]) == (False, frozenset({"top"}))
    assert "person" not in single.garments


@given(st.sets(st.sampled_from([c["name"] for c in STREET])), st.data())
def test_what_is_said_holds_for_any_garments_that_the_labels_may_stand_for(worn: set[str], data: st.DataObject) -> None:
    meaning = Meaning.of(STREET)
    real = {
        data.draw(st.sampled_from(sorted(meaning.garments[name]))) for name in sorted(worn) if name in meaning.garments
    }
    for label, said in meaning.answers(worn).items():
        if said is not None and not label.startswith("upar/LowerBody-Type"):
            assert said == bool(ATTRIBUTE_PLACES[ATTRIBUTE_LABELS.index(label)] & real), label
    for chosen in meaning.either(worn):
        assert np.isnan(chosen) or real & {*DETECTOR_GROUPS["top"], *DETECTOR_GROUPS["knit"]}


def test_places_are_around_all_pieces_of_what_is_worn() -> None:
    garments = Meaning.of(STREET).garments
    places = extents({"shoe": [[10, 90, 20, 100], [30, 88, 40, 99]], "dress": [[5, 20, 45, 70]]}, garments)
    assert places[ATTRIBUTE_LABELS.index("garment/shoes")].tolist() == [10, 88, 40, 100]
    assert places[ATTRIBUTE_LABELS.index("leg/short")].tolist() == [5, 20, 45, 70]
    assert np.isnan(places[ATTRIBUTE_LABELS.index("group/bag")]).all()
    assert np.isnan(places[ATTRIBUTE_LABELS.index("sleeve/short")]).all()


def test_a_set_of_kinds_is_read_with_what_it_leaves_open(tmp_path: Path) -> None:
    numbers = {c["name"]: c["id"] for c in STREET}
    boxes = {"person": [10, 10, 40, 80], "shirt": [15, 20, 30, 30], "skirt": [15, 50, 30, 20]}
    data = {
        "images": [{"id": 1, "file_name": "photos/1.jpg", "width": 80, "height": 100, "split": "train"}],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": numbers[n], "bbox": b} for i, (n, b) in enumerate(boxes.items())
        ],
        "categories": STREET,
    }
    (tmp_path / "instances.json").write_text(json.dumps(data))
    (example,) = read_examples(tmp_path, "train")
    said = dict(zip(ATTRIBUTE_LABELS, example.answers.tolist(), strict=True))
    assert (said["group/skirt-or-dress"], said["group/trousers"], said["group/bag"]) == (1, 0, 0)
    assert np.isnan([said["group/top"], said["group/scarf"], said["sleeve/short"]]).all()
    assert example.either.tolist() == [1]
    assert example.places[ATTRIBUTE_LABELS.index("group/skirt-or-dress")].tolist() == [15, 50, 45, 70]
    assert np.isnan(example.places[ATTRIBUTE_LABELS.index("group/trousers")]).all()
    assert np.isnan(example.places[ATTRIBUTE_LABELS.index("leg/short")]).all()  # nobody said how long it is
    assert example.set_name == tmp_path.name
