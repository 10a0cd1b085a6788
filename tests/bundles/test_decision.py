"""Probabilities and decisions, with numbers worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leukemia_app.bundles.decision import decide, to_probabilities
from leukemia_app.bundles.reading import ScopeScore
from leukemia_app.errors import BundleError
from leukemia_app.imaging.quality import Finding, Quality

SHARP = Quality(
    sharpness=0.2, brightness=0.8, contrast=0.5, chroma=0.1, clipped_fraction=0.0, findings=()
)
INSIDE = ScopeScore(score=0.9, limit=1.4)
OUTSIDE = ScopeScore(score=2.0, limit=1.4)


def row(*values):
    return np.array(values, np.float32)


def test_softmax_of_logits_over_temperature():
    # (2, 0) / 2 = (1, 0); e = 2.71828; 2.71828 / 3.71828 = 0.731059
    assert to_probabilities(row([2, 0]), 2.0)[0] == pytest.approx([0.731059, 0.268941], abs=1e-6)


def test_one_output_is_the_log_odds_of_the_second_label():
    # ln 3 = 1.098612 are odds of 3 to 1
    probabilities = to_probabilities(row([1.098612], [-1.098612]), 1.0)
    assert probabilities == pytest.approx(np.array([[0.25, 0.75], [0.75, 0.25]]), abs=1e-6)


def test_temperature_divides_the_log_odds_too():
    # ln 9 / 2 = ln 3
    assert to_probabilities(row([np.log(9)]), 2.0)[0] == pytest.approx([0.25, 0.75], abs=1e-6)


def test_huge_logits_do_not_overflow():
    assert to_probabilities(row([9e4, -9e4], [-9e4, 9e4]), 0.01).tolist() == [[1, 0], [0, 1]]
    assert to_probabilities(row([-9e4]), 0.01).tolist() == [[1, 0]]


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_refused(broken: float):
    with pytest.raises(BundleError, match=r"not numbers.*models check"):
        to_probabilities(row([0, broken]), 1.0)


LOGITS = arrays(np.float32, (3, 4), elements=st.floats(-30, 30, width=32))


@given(logits=LOGITS, temperature=st.floats(0.01, 100))
def test_probabilities_sum_to_1_and_keep_the_order_of_the_logits(logits, temperature):
    probabilities = to_probabilities(logits, temperature)
    assert probabilities.dtype == np.float32
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    in_order = np.take_along_axis(probabilities, logits.argsort(axis=1, kind="stable"), axis=1)
    assert (np.diff(in_order, axis=1) >= 0).all()


def test_the_top_label_is_the_answer(make_spec):
    decision = decide(row(0.2, 0.7, 0.1), make_spec(threshold=0.6), INSIDE, SHARP, n_cells=3)
    assert (decision.kind, decision.label, decision.reasons) == ("label", "early", ())


def test_a_probability_at_the_threshold_is_answered_and_below_it_referred(make_spec):
    spec = make_spec(threshold=0.5)
    assert decide(row(0.5, 0.3, 0.2), spec, None, SHARP, 1).kind == "label"
    decision = decide(row(0.49, 0.31, 0.2), spec, None, SHARP, 1)
    assert (decision.kind, decision.label) == ("refer", "normal")
    assert decision.reasons == (
        "The highest probability, 49.0 %, is below the 50.0 % from which this model answers.",
    )


def test_threshold_0_never_refers(make_spec):
    assert decide(row(0.34, 0.33, 0.33), make_spec(threshold=0.0), None, SHARP, 1).kind == "label"


def test_reasons_come_strongest_first(make_spec):
    blurred = replace(
        SHARP,
        findings=(
            Finding(kind="size", sentence="The picture is small.", refer=False),
            Finding(kind="blur", sentence="The picture is blurred.", refer=True),
        ),
    )
    decision = decide(row(0.4, 0.3, 0.3), make_spec(threshold=0.9), OUTSIDE, blurred, n_cells=0)
    assert decision.kind == "refer"
    assert decision.reasons == (
        "This picture is unlike those the model learned from (distance 2.00, limit 1.40).",
        "The picture is blurred.",
        "No white cell was found in the picture.",
        "The highest probability, 40.0 %, is below the 90.0 % from which this model answers.",
    )


@pytest.mark.parametrize(
    ("cut", "positive", "label"),
    [
        (None, 0.49, "normal"),
        (None, 0.5, "blast"),
        (0.25, 0.25, "blast"),
        (0.25, 0.24, "normal"),
        (0.8, 0.79, "normal"),
    ],
)
def test_of_two_labels_the_second_is_the_answer_from_its_threshold(make_spec, cut, positive, label):
    spec = replace(make_spec(labels=("normal", "blast"), threshold=0.0), positive_threshold=cut)
    assert decide(row(1 - positive, positive), spec, None, SHARP, 1).label == label
