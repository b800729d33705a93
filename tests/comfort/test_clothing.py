"""From garments and attributes to clo."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.comfort import TYPICAL_INDOOR, clothing_of, clothing_of_names
from comfywear.comfort.clothing.ensemble import ensemble_clo
from comfywear.comfort.clothing.garments import GARMENTS, garment_clo
from comfywear.errors import UsageError
from comfywear.records import Garment, Person

KINDS = ["top", "knit", "outer", "dress", "trousers", "skirt", "shorts", "footwear", "bag", "hat"]


def person(*garments: Garment, **attributes: float) -> Person:
    named = {name.replace("__", "/").replace("_", "-"): p for name, p in attributes.items()}
    return Person(1, (0.0, 0.0, 10.0, 30.0), 0.9, garments, named, 1.0, "room")


def test_ensembles_of_the_standard_are_met_better_by_the_regression_than_by_the_sum(shared_data: Path) -> None:
    table = json.loads((shared_data / "comfort" / "clo_ensembles.json").read_text())
    listed = [row for row in table if "garments" in row]
    assert len(listed) == 7
    worn = [clothing_of_names(row["garments"]) for row in listed]
    truth = np.array([row["clo"] for row in listed])
    for row, clothing in zip(listed, worn, strict=True):
        assert clothing.sum_clo == pytest.approx(row["sum_of_garments"], abs=1e-6)
        assert abs(clothing.clo - row["clo"]) <= 2.0 * clothing.clo_sd
    by_sum = np.mean(np.abs([c.sum_clo - t for c, t in zip(worn, truth, strict=True)]))
    by_rule = np.mean(np.abs([c.clo - t for c, t in zip(worn, truth, strict=True)]))
    assert by_sum == pytest.approx(0.071, abs=0.001)
    assert by_rule == pytest.approx(0.037, abs=0.001)


def test_garments_have_the_values_of_the_listing(shared_data: Path) -> None:
    rows: list[dict[str, Any]] = json.loads((shared_data / "comfort" / "clo_garments.json").read_text())["garments"]
    values = {row["name"]: row["clo"] for row in rows if row["source"].startswith("ashrae55")}
    same = ["T-shirt", "Long-sleeve dress shirt", "Thick trousers", "Thin skirt", "Single-breasted coat (thin)"]
    same += ["Boots", "Women's underwear", "Panty hose", "Long-sleeve sweat shirt", "Sweatpants", "Calf length socks"]
    for name in same:
        assert garment_clo(name).clo == values[name], name


def test_nobody_is_half_dressed() -> None:
    wearing = clothing_of_names(["t-shirt"])
    assert {name for name, _, how in wearing.items if how == "assumed"} == {"trousers", "underwear", "shoes", "socks"}
    assert "trousers" in wearing.assumptions[0]
    assert not any(how == "assumed" and name == "socks" for name, _, how in clothing_of_names(["sandals"]).items)
    assert any(name == "long-sleeve shirt" for name, _, _ in clothing_of_names(["jeans"]).items)
    assert not any(name == "trousers" for name, _, _ in clothing_of_names(["dress"]).items)


@pytest.mark.parametrize("name", ["T Shirt", " jumper ", "JEANS", "panty hose", "sneaker", "hoodies", "skirts"])
def test_names_are_forgiving(name: str) -> None:
    assert garment_clo(name).name in GARMENTS


def test_an_unknown_garment_is_refused_with_what_it_may_have_meant() -> None:
    with pytest.raises(UsageError, match=r"'sweter'.*sweater"):
        clothing_of_names(["trousers", "sweter"])
    with pytest.raises(UsageError, match="did you mean"):
        clothing_of_names(["\N{CROSS MARK}"])


def test_a_jacket_adds_warmth_and_a_sleeve_makes_a_difference() -> None:
    shirt = person(Garment("top", 0.9), Garment("trousers", 0.9), Garment("footwear", 0.9))
    jacket = person(*shirt.garments, Garment("outer", 0.9))
    assert clothing_of(jacket).clo > clothing_of(shirt).clo + 0.2
    short = person(*shirt.garments, sleeve__short=1.0, sleeve__none=0.0)
    long = person(*shirt.garments, sleeve__short=0.0, sleeve__none=0.0)
    assert clothing_of(long).clo > clothing_of(short).clo + 0.03


def test_a_dress_is_not_counted_with_a_skirt_or_trousers() -> None:
    dress = clothing_of(person(Garment("dress", 0.9)))
    both = clothing_of(person(Garment("dress", 0.9), Garment("skirt", 0.9), Garment("trousers", 0.9)))
    assert both.clo < dress.clo + 0.12  # a dress, or a skirt or trousers with a top that was not seen


def test_a_dress_under_a_top_is_a_skirt() -> None:
    found = clothing_of(person(Garment("blouse", 1.0), Garment("dress", 1.0), sleeve__short=0.0, leg__short=1.0))
    skirt = clothing_of(person(Garment("blouse", 1.0), Garment("skirt", 1.0), sleeve__short=0.0, leg__short=1.0))
    assert found.sum_clo == pytest.approx(skirt.sum_clo, abs=0.02)


def test_layers_that_were_named_add_up() -> None:
    one = clothing_of(person(Garment("shirt", 1.0), Garment("jeans", 1.0)))
    two = clothing_of(person(Garment("shirt", 1.0), Garment("sweater", 1.0), Garment("jeans", 1.0)))
    assert two.sum_clo is not None
    assert one.sum_clo is not None
    assert two.sum_clo == pytest.approx(one.sum_clo + 0.29, abs=0.03)


def test_the_attribute_model_names_what_the_group_leaves_open() -> None:
    worn = (Garment("outer", 0.95), Garment("top", 0.95), Garment("trousers", 0.95))
    coat = clothing_of(person(*worn, garment__coat=0.95))
    blazer = clothing_of(person(*worn, garment__blazer=0.95))
    assert coat.clo > blazer.clo


def test_attributes_alone_are_enough() -> None:
    found = clothing_of(person(**{"group__top": 0.95, "group__trousers": 0.95, "garment__t-shirt": 0.9,
                                  "garment__jeans": 0.9}))  # fmt: skip
    assert "t-shirt" in [name for name, _, how in found.items if how == "seen"]
    assert found.clo < 0.65


def test_nothing_recognised_is_an_average_with_a_wide_margin() -> None:
    unknown = clothing_of(person())
    seen = clothing_of(person(Garment("top", 0.98), Garment("trousers", 0.98), **{"garment__t-shirt": 0.98}))
    assert 0.45 < unknown.clo < 0.75
    assert unknown.clo_sd > 1.5 * seen.clo_sd
    assert len(unknown.assumptions) == 3
    assert 0.5 < TYPICAL_INDOOR.clo < 0.8
    assert TYPICAL_INDOOR.clo_sd > unknown.clo_sd


def test_hidden_legs_and_feet_are_covered() -> None:
    at_a_desk = clothing_of(person(Garment("top", 0.95)))
    assumed = [name for name, _, how in at_a_desk.items if how == "assumed"]
    assert "trousers" in assumed
    assert "shoes" in assumed


def test_labels_of_other_models_are_passed_over() -> None:
    plain = clothing_of(person(Garment("top", 0.9)))
    assert clothing_of(person(Garment("top", 0.9), Garment("hoverboard", 0.9))) == plain


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([*KINDS, "t-shirt", "coat", "spaceship"]), st.floats()), max_size=8),
    st.dictionaries(
        st.sampled_from(["group/top", "group/outer", "group/skirt-or-dress", "garment/coat", "garment/nonsense",
                         "sleeve/short", "sleeve/none", "leg/short", "group/legwear", "group/boots"]),
        st.floats(),
    ),
)  # fmt: skip
def test_whatever_the_models_say_the_answer_is_a_sensible_number(
    garments: list[tuple[str, float]], attributes: dict[str, float]
) -> None:
    seen = tuple(Garment(kind, p, alternatives={"knit": p}) for kind, p in garments)
    found = clothing_of(Person(1, (0.0, 0.0, 1.0, 1.0), 1.0, seen, attributes, 0.0, "room"))
    assert 0.1 < found.clo < 3.0
    assert 0.0 < found.clo_sd < 1.0
    assert all(math.isfinite(clo) for _, clo, _ in found.items)


def test_the_rule_starts_at_nothing_and_never_falls() -> None:
    sums = np.linspace(0.0, 2.0, 200)
    clo = np.array([ensemble_clo(float(total)) for total in sums])
    assert clo[0] == 0.0
    assert (np.diff(clo) > 0).all()
    assert ensemble_clo(0.6) == pytest.approx(0.161 + 0.835 * 0.6)


def test_more_looks_at_a_person_make_the_clo_surer_and_leave_it_where_it_is() -> None:
    seen = person(Garment("top", 0.9), Garment("trousers", 0.9))
    found = [clothing_of(replace(seen, looks=looks)) for looks in (0, 1, 2, 8, 1000)]
    deviations = [clothing.clo_sd for clothing in found]
    assert deviations[0] == deviations[1]
    assert all(later < sooner for sooner, later in pairwise(deviations[1:]))
    assert deviations[-1] > 0.045  # the rule's own error
    assert len({clothing.clo for clothing in found}) == 1
