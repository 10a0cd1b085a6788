"""Label maps: what was stated is what counts, and nothing is guessed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.errors import SettingError
from leukemia_app.evaluation.label_map import LabelMap, label_map, members_of, parse, suggested

FIELDS = ("Benign", "Early", "Pre", "Pro")
CELLS = ("all", "hem")
TWO = "other = Benign, hem; leukemic = Early, Pre, Pro, all"


def test_models_with_the_same_labels_need_no_map():
    found = label_map(" ", {"a": FIELDS, "b": FIELDS[::-1]})
    assert found.labels == FIELDS  # in the first model's order
    assert not found.is_stated
    assert not found.merges(FIELDS)


def test_models_with_different_labels_meet_only_through_a_stated_map():
    with pytest.raises(SettingError, match="a: Benign, Early, Pre, Pro; b: all, hem"):
        label_map("", {"a": FIELDS, "b": CELLS})
    found = label_map(TWO, {"a": FIELDS, "b": CELLS})
    assert found.labels == ("other", "leukemic")
    assert found.common("hem") == "other"
    assert found.common("basophil") is None
    assert found.common("leukemic") == "leukemic"  # a folder of pictures may be named so
    assert found.merges(FIELDS)
    assert not found.merges(CELLS)
    assert found.is_stated


def test_probabilities_of_a_common_label_are_the_sum_over_what_it_stands_for():
    found = parse(TWO)
    rows = np.array([[0.4, 0.3, 0.2, 0.1]], np.float32)
    assert found.sums(rows, FIELDS) == pytest.approx(np.array([[0.4, 0.6]]))
    # the second model has them the other way round
    assert found.sums(np.array([[0.9, 0.1]], np.float32), CELLS) == pytest.approx(
        np.array([[0.1, 0.9]])
    )


@pytest.mark.parametrize(
    ("given_map", "said"),
    [
        ("other Benign; leukemic = Early", "the part “other Benign”"),
        ("= Benign; leukemic = Early", "the part “= Benign”"),
        ("a = x; a = y", "“a” twice"),
        ("a = x; b = x", "“x” twice"),
        ("a = x", "two common labels or more"),
        ("a = x; b =", "“b” stands for no label"),
        ("other = Benign; leukemic = Early, Pre, all", "“Pro” of a is"),
        ("other = Benign; leukemic = Early, all", "“Pre”, “Pro” of a are"),
        ("x = Benign, Early, Pre, Pro; y = all, hem", "every answer of a is “x”"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_in_words(given_map: str, said: str):
    with pytest.raises(SettingError, match=said):
        label_map(given_map, {"a": FIELDS, "b": CELLS})


def test_what_was_typed_can_be_read_though_it_makes_no_map():
    assert members_of("one = Benign, hem") == {"one": ("Benign", "hem")}


def test_a_map_is_suggested_only_where_every_label_is_known():
    assert suggested({"a": FIELDS, "b": CELLS}) == (
        "other = Benign, hem; leukemic = Early, Pre, Pro, all"
    )
    assert suggested({"a": FIELDS, "b": FIELDS}) == ""
    assert suggested({"a": FIELDS, "b": ("lymphocyte", "monocyte")}) == ""


names = st.lists(
    st.text(st.characters(whitelist_categories=("Ll",)), min_size=1, max_size=4), min_size=2,
    max_size=6, unique=True,
)  # fmt: skip


@given(names, st.integers(0, 5))
def test_a_map_reads_as_it_is_written(labels: list[str], cut: int):
    cut = 1 + cut % (len(labels) - 1)
    given_map = LabelMap(members={"one": tuple(labels[:cut]), "two": tuple(labels[cut:])})
    assert parse(given_map.in_words()) == given_map
