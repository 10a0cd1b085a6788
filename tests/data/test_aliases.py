import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.aliases import (
    KNOWN,
    MAX_LABEL,
    known_label,
    labels_by_raw,
    suggested_label,
    tidy_label,
)
from leukemia_app.errors import DatasetError


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("hem", "hem"), ("HEM", "hem"), ("healthy", "hem"), ("Normal", "hem"),
        ("0 - normal", "hem"), ("Non-Leukemic", "hem"), ("Normal cells", "hem"),
        ("all", "all"), ("ALL", "all"), ("Leukemia", "all"), ("leukaemia", "all"),
        ("ALL blasts", "all"), ("Lymphoblasts", "all"), ("Acute_Lymphoblastic_Leukemia", "all"),
        ("Benign", "Benign"), ("all_benign", "Benign"), ("Haematogones", "Benign"),
        ("[Malignant] Pre-B", "Pre"), ("Pre Malignant", "Pre"), ("Malignant-Pre", "Pre"),
        ("all_pre", "Pre"), ("PreB", "Pre"), ("Pre-B ALL", "Pre"),
        ("[Malignant] early Pre-B", "Early"), ("Early", "Early"), ("early_pre_b", "Early"),
        ("[Malignant] Pro-B", "Pro"), ("Pro", "Pro"),
        ("LYMPHOCYTES", "lymphocyte"), ("Immature Granulocytes", "ig"),
    ],
)  # fmt: skip
def test_what_the_public_sets_call_it_is_known(raw, label):
    assert suggested_label(raw) == label


@pytest.mark.parametrize(
    "raw",
    ["Malignant", "B-cell", "patient 3", "normal 1", "0", "1", "Blood cell Cancer [ALL]", "AML"],
)
def test_what_is_not_known_keeps_its_name(raw):
    assert known_label(raw) == ""
    assert suggested_label(raw) == raw


@given(st.sampled_from(sorted(KNOWN)), st.sampled_from([str.upper, str.lower, str.title]))
def test_known_labels_are_known_in_any_case(label, cased):
    assert suggested_label(cased(label)) == label


@given(st.text(max_size=120))
def test_a_label_can_always_be_shown(raw):
    label = tidy_label(raw)
    assert label == tidy_label(label)
    assert len(label) <= MAX_LABEL
    assert label.isprintable()


def test_labels_are_suggested_and_can_be_changed_merged_and_left_out():
    raws = ["HEM", "ALL", "AML", "aml", "debris"]
    assert labels_by_raw(raws, {}) == {
        "HEM": "hem", "ALL": "all", "AML": "AML", "aml": "AML", "debris": "debris"
    }  # fmt: skip
    aliases = {"HEM": "normal", "ALL": "leukemic", "AML": "leukemic", "debris": ""}
    assert labels_by_raw(raws, aliases)["AML"] == "leukemic"
    assert labels_by_raw(raws, aliases)["debris"] == ""


def test_an_alias_of_what_is_not_there_is_refused():
    with pytest.raises(DatasetError, match="'all' is no label of this data set; it has ALL, HEM"):
        labels_by_raw(["ALL", "HEM"], {"all": "x"})


@pytest.mark.parametrize("label", ["a\nb", " a", "a" * (MAX_LABEL + 1), "a\u202eb"])
def test_a_label_that_cannot_be_shown_is_refused(label):
    with pytest.raises(DatasetError, match=r"The label 'ALL' is to be called .* up to 80 signs"):
        labels_by_raw(["ALL"], {"ALL": label})
