"""Cards say where the data came from that a model learnt from."""

from __future__ import annotations

import pytest

from comfywear_export.data.origins import origin, origins
from comfywear_export.training.detector import SHARES


@pytest.mark.parametrize("name", sorted(SHARES))
def test_every_set_that_training_knows_has_a_licence(name: str) -> None:
    known = origin(name)
    assert known["name"] != name
    assert any(word in known["licence"] for word in ("CC BY", "CC0", "Apache"))
    assert "train split" in known["use"]


def test_a_set_of_ones_own_is_named_and_its_licence_left_to_who_made_it() -> None:
    listed = origins(["own-office", "people", "own-office"], {"people": "quality"})
    assert [one["name"].partition(":")[0] for one in listed] == ["people", "own-office"]
    assert "not known here" in listed[1]["licence"]


def test_a_set_is_said_to_judge_only_where_it_did() -> None:
    uses = [one["use"] for one in origins(["cfpd", "people", "empty"], {"empty": "quality", "other": "quality"})]
    assert uses == ["train split; quality on its validation split", "train split", "train split"]
