"""Other vocabularies: their lists and how colours are matched to them."""

from __future__ import annotations

import matplotlib.colors
import numpy as np
import pytest

from comfywear.colour import CSS3, RAINBOW, UPAR_TERMS, VOCABULARIES, basic_names, ciede2000, match_names, rgb_to_lab
from comfywear.errors import UsageError


def test_the_lists_have_their_published_lengths():
    assert {name: len(words) for name, words in VOCABULARIES.items()} == {
        "basic": 11,
        "upar": 12,
        "rainbow": 23,
        "css3": 147,
    }
    assert len(set(RAINBOW.values())) == 23


def test_css3_agrees_with_an_independent_table():
    theirs = {name: matplotlib.colors.to_rgb(code) for name, code in matplotlib.colors.CSS4_COLORS.items()}
    assert set(theirs) - set(CSS3) == {"rebeccapurple"}  # of level 4
    for name, rgb in CSS3.items():
        np.testing.assert_allclose(np.array(rgb) / 255, theirs[name], atol=1e-6)


@pytest.mark.parametrize("metric", ["ciede2000", "rgb"])
@pytest.mark.parametrize(("vocabulary", "values"), [("css3", CSS3), ("rainbow", RAINBOW)])
def test_a_listed_colour_has_its_own_name_or_that_of_its_first_equal(vocabulary, values, metric):
    names = match_names(list(values.values()), vocabulary, metric)
    assert [values[name] for name in names] == list(values.values())


def test_the_nearest_by_ciede2000_is_nearest():
    rgb = np.random.default_rng(1).integers(0, 256, (50, 3))
    prototypes = rgb_to_lab(np.array(list(CSS3.values())))
    expected = [list(CSS3)[ciede2000(rgb_to_lab(colour), prototypes).argmin()] for colour in rgb]
    assert match_names(rgb, "css3") == expected


def test_the_metric_matters_where_plain_distance_misleads():
    assert match_names([(113, 85, 81)], "rainbow", "ciede2000") == ["brown"]
    assert match_names([(113, 85, 81)], "rainbow", "rgb") == ["grey"]


def test_upar_follows_people_and_says_other_where_they_do_not_agree():
    rgb = np.random.default_rng(2).integers(0, 256, (4000, 3))
    names = match_names(rgb, "upar")
    assert set(names) <= set(UPAR_TERMS)
    assert "other" in names
    assert all(upar in (basic, "other") for upar, basic in zip(names, basic_names(rgb), strict=True))
    assert match_names([(135, 129, 123)], "upar") == ["grey"]


def test_unknown_vocabularies_and_metrics_are_refused_with_the_choice():
    with pytest.raises(UsageError, match="choose one of basic, upar, rainbow, css3"):
        match_names([(0, 0, 0)], "pantone")
    with pytest.raises(UsageError, match="matched by people, not by 'rgb'"):
        match_names([(0, 0, 0)], "basic", "rgb")
    with pytest.raises(UsageError, match="matched by ciede2000 or rgb, not by 'people'"):
        match_names([(0, 0, 0)], "css3", "people")
