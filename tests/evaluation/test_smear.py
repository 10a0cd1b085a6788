"""The summary of one smear: counts over answered pictures, referrals over all."""

import pytest

from leukemia_app.bundles.reading import Decision
from leukemia_app.evaluation.smear import summarize
from tests.readings import reading_of, referred

LABELS = ("Benign", "Pro")


def labelled(label: str, times: int) -> list:
    return [reading_of(decision=Decision(kind="label", label=label)) for _ in range(times)]


def test_shares_are_of_the_answered_pictures_and_referrals_of_all():
    found = summarize([*labelled("Benign", 17), *labelled("Pro", 3), *[referred()] * 5], LABELS)
    assert [(count.label, count.k, count.n) for count in found.counts] == [
        ("Benign", 17, 20),
        ("Pro", 3, 20),
    ]
    assert (found.referred.k, found.referred.n) == (5, 25)


def test_three_of_twenty_has_its_wilson_interval():
    # 3 of 20 is the worked case of test_intervals: .0524 to .3604, and 63 more halve it
    pro = summarize([*labelled("Benign", 17), *labelled("Pro", 3)], LABELS).counts[1]
    assert pro.share == 0.15
    assert pro.interval == pytest.approx((0.0524, 0.3604), abs=1e-4)
    assert pro.more_to_halve == 63


def test_the_first_of_equally_frequent_labels_is_the_commonest():
    found = summarize([*labelled("Pro", 2), *labelled("Benign", 2)], LABELS)
    assert found.commonest is not None
    assert found.commonest.label == "Benign"


def test_where_all_are_referred_there_is_no_share_at_all():
    found = summarize([referred(), referred()], LABELS)
    assert found.counts == ()
    assert found.commonest is None
    assert (found.referred.k, found.referred.n) == (2, 2)


def test_a_summary_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs at least one"):
        summarize([], LABELS)
