"""What a comparison says of two models in sentences."""

from dataclasses import replace

import pytest

from leukemia_app.evaluation import compare_words
from leukemia_app.evaluation.compare import Pair
from leukemia_app.evaluation.measures import UNDEFINED, Interval
from tests.evaluation.compared_models import compared, reader

APART = Interval(value=0.2, low=0.1, high=0.3)
NOT_APART = Interval(value=0.1, low=-0.1, high=0.3)
ALL_AGREE = Interval(value=-0.75, low=None, high=None)
NONE = Interval(value=0.0, low=None, high=None)


def pair_of(*differences: Interval) -> Pair:
    (found,) = compared(reader("aabbaabb"), reader("babababa")).pairs
    named = dict(zip(("accuracy", "macro_f1", "auroc"), differences, strict=False))
    return replace(found, differences=named)


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ([APART, NOT_APART], "They differ in accuracy: there the interval of the difference does "
                             "not hold zero."),
        ([NOT_APART, NONE], "Every interval of the differences holds zero: these pictures do not "
                            "tell the two apart."),
        ([NONE, UNDEFINED], "No figure shows a difference: these pictures do not tell the two "
                            "apart."),
        ([ALL_AGREE, APART, ALL_AGREE], "They differ in macro-F1: there the interval of the "
         "difference does not hold zero. The difference in accuracy and AUROC has no interval: all "
         "samples agree, or there are too few groups to draw from."),
        ([ALL_AGREE, NOT_APART], "The difference in accuracy has no interval: all samples agree, "
                                 "or there are too few groups to draw from."),
    ],
)  # fmt: skip
def test_what_the_differences_tell_is_said(differences: list[Interval], said: str):
    assert compare_words.pair(pair_of(*differences), 1).endswith(f"(McNemar’s exact test, p = "
                                                                 f"0.125). {said}")  # fmt: skip
