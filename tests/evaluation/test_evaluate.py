"""Scoring: figures by hand for a reader that says what it is told to."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.bundles.reading import Decision, Reading
from leukemia_app.bundles.spec import SEEN_DIGITS, Label, Spec
from leukemia_app.evaluation import ask as module
from leukemia_app.evaluation.evaluate import (
    Answers,
    Evaluation,
    Sample,
    evaluate,
    figure,
    interval,
)
from leukemia_app.evaluation.measures import FIGURES, Interval, draws_of, interval_of
from leukemia_app.imaging.picture import Picture, pixels_digest
from tests.readings import spec_of

SPLIT = {"part": "test", "level": "patient"}


def picture(value: int, name: str = "x") -> Picture:
    return Picture(pixels=np.full((16, 16, 3), value, np.uint8), name=name)


def spec(labels: Sequence[str], seen: Sequence[str] = ()) -> Spec:
    return spec_of(labels=tuple(Label(name=each, meaning=each) for each in labels),
                   seen=tuple(seen))  # fmt: skip


@dataclass
class StandIn:
    """Answers by the mean grey of a picture: `answer` gives probabilities and whether to refer."""

    spec: Spec
    answer: Callable[[float], tuple[Sequence[float], bool]]
    calls: list[list[Picture]] = field(default_factory=list)

    def read(self, pictures: Sequence[Picture], *, measure: bool = True) -> list[Reading]:
        assert not measure
        self.calls.append(list(pictures))
        return [self._reading(each) for each in pictures]

    def _reading(self, given: Picture) -> Reading:
        probabilities, refers = self.answer(float(given.pixels.mean()))
        names = self.spec.label_names
        return Reading(
            file=given.name, model=self.spec.id,
            probabilities=dict(zip(names, probabilities, strict=True)),
            decision=Decision(kind="refer" if refers else "label",
                              label=names[int(np.argmax(probabilities))]),
            scope=None, morphology=None, cells=None, remarks=(), box=(0, 0, 16, 16),
        )  # fmt: skip


def six_samples() -> list[Sample]:
    """Six pictures of grey 10 to 60: classes a a a b b c, two patients a class where it goes."""
    rows = [("a", "p1"), ("a", "p1"), ("a", "p2"), ("b", "p3"), ("b", "p4"), ("c", "p5")]
    return [Sample(picture=picture(10 * number), label=label, group=group)
            for number, (label, group) in enumerate(rows, 1)]  # fmt: skip


def six_answers(grey: float) -> tuple[Sequence[float], bool]:
    """a a b b b a, the third and the sixth wrong; the last two are referred."""
    return {
        10: ((0.8, 0.1, 0.1), False), 20: ((0.8, 0.1, 0.1), False), 30: ((0.3, 0.6, 0.1), False),
        40: ((0.1, 0.8, 0.1), False), 50: ((0.4, 0.5, 0.1), True), 60: ((0.5, 0.3, 0.2), True),
    }[round(grey)]  # fmt: skip


def six() -> Evaluation:
    return evaluate(StandIn(spec("abc"), six_answers), six_samples(), split=SPLIT)


def test_figures_of_six_answers():
    values = {name: value.value for name, value in six().metrics.items()}
    assert values["accuracy"] == pytest.approx(4 / 6)
    # sensitivities 2/3, 2/2, 0/1
    assert values["balanced_accuracy"] == pytest.approx(5 / 9)
    # F1 4/6, 4/5, 0
    assert values["macro_f1"] == pytest.approx((4 / 6 + 4 / 5) / 3)
    # a against the rest: .8 .8 .3 above .1 .4 .5: 3 + 3 + 1 of 9; b: .8 .5 above .1 .1 .6 .3:
    # 4 + 3 of 8; c: .2 above all .1: 1
    assert values["auroc"] == pytest.approx((7 / 9 + 7 / 8 + 1) / 3)
    assert values["refer_rate"] == pytest.approx(2 / 6)
    # of the four answered, the third is wrong
    assert values["error_among_answered"] == pytest.approx(1 / 4)
    # F1 4/6, 4/5, 0 by 3, 2 and 1 pictures
    assert values["weighted_f1"] == pytest.approx((3 * 4 / 6 + 2 * 4 / 5) / 6)
    # squares: .04+.01+.01 twice; .49+.36+.01; .01+.04+.01; .16+.25+.01; .25+.09+.64
    assert values["brier"] == pytest.approx((0.06 * 3 + 0.86 + 0.42 + 0.98) / 6)
    # 15 bins of 1/15: tops .8 .8 .8 in one, all right; .6 wrong; .5 .5 one right
    assert values["ece"] == pytest.approx((3 * 0.2 + 0.6 + 2 * 0.0) / 6, abs=1e-6)


def test_figures_of_each_class():
    found = six().per_class
    values = {
        label: {name: value.value for name, value in figures.items()}
        for label, figures in found.items()
    }
    # a: 2 of 3 found; of b b c one is called a; of the three called a two are.
    # Not called a are the third (a), fourth and fifth: 2 of 3 rightly. F1 2*2/(3+3).
    # AUROC as above, 7/9. Ranked for a: .8 .8 (a a) .5 (c) .4 (b) .3 (a) .1: precision 2/2 at the
    # first two, 3/5 at the third: (1 + 1 + .6) / 3.
    assert values["a"] == {
        "sensitivity": pytest.approx(2 / 3), "specificity": pytest.approx(2 / 3),
        "prevalence": pytest.approx(3 / 6), "positive_predictive_value": pytest.approx(2 / 3),
        "negative_predictive_value": pytest.approx(2 / 3), "f1": pytest.approx(2 / 3),
        "auroc": pytest.approx(7 / 9), "average_precision": pytest.approx(2.6 / 3),
        # before the first picture of another class, the two of .8 are found
        "sensitivity_at_95_specificity": pytest.approx(2 / 3),
    }  # fmt: skip
    # c is never called: of all six, five are of another class.
    assert values["c"] == {
        "sensitivity": 0, "specificity": 1, "prevalence": pytest.approx(1 / 6),
        "positive_predictive_value": None, "negative_predictive_value": pytest.approx(5 / 6),
        "f1": 0, "auroc": 1, "average_precision": 1, "sensitivity_at_95_specificity": 1,
    }  # fmt: skip


def test_the_json_has_its_keys_and_no_number_that_is_none():
    found = six().to_dict()
    assert set(found) == {
        "model", "n", "n_groups", "split", "metrics", "per_class", "confusion", "corruptions",
        "left_out",
    }  # fmt: skip
    assert {"accuracy", "balanced_accuracy", "macro_f1", "auroc", "ece", "brier",
            "refer_rate"} <= set(found["metrics"])  # fmt: skip
    assert all(set(ends) == {"value", "low", "high"} for ends in found["metrics"].values())
    assert (found["model"], found["n"], found["n_groups"]) == ("four", 6, 5)
    assert found["confusion"] == {"labels": ["a", "b", "c"],
                                  "counts": [[2, 1, 0], [0, 2, 0], [1, 0, 0]]}  # fmt: skip
    assert found["left_out"] == {"seen_in_training": 0}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def answers_of(true: Sequence[int], predicted: Sequence[int], groups: Sequence[str]) -> Answers:
    shares = np.full((len(true), 3), 0.1, np.float32)
    shares[np.arange(len(true)), predicted] = 0.8
    return Answers(true=np.array(true), predicted=np.array(predicted), probabilities=shares,
                   referred=np.zeros(len(true), bool), groups=tuple(groups))  # fmt: skip


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), min_size=12,
             max_size=40),
    st.sampled_from(["accuracy", "refer_rate", "brier"]),
)  # fmt: skip
def test_an_interval_holds_its_value(rows, name):
    true, predicted, referred = zip(*rows, strict=True)
    given_answers = answers_of(true, predicted, [str(number) for number in range(len(rows))])
    given_answers = Answers(**(vars(given_answers) | {"referred": np.array(referred)}))
    found = figure(given_answers, name, n_draws=200)
    if found.low is not None:
        assert found.low - 1e-9 <= found.value <= found.high + 1e-9


def test_patients_are_resampled_whole():
    # Two patients of one class, ten pictures each, one all right and one all wrong: samples hold
    # none, one or two of the right ones, so the interval is 0 to 1. By picture it were 0.3 to 0.7.
    true, predicted = [0] * 20, [0] * 10 + [1] * 10
    whole = figure(answers_of(true, predicted, ["p"] * 10 + ["q"] * 10), "accuracy")
    single = figure(answers_of(true, predicted, [str(number) for number in range(20)]), "accuracy")
    assert (whole.low, whole.high) == (0, 1)
    assert 0.2 < single.low < single.high < 0.8
    assert whole.value == single.value == 0.5


def test_a_class_with_one_patient_has_no_interval():
    found = figure(answers_of([0, 0, 1, 1], [0, 0, 1, 0], ["p", "q", "r", "r"]), "accuracy")
    assert (found.value, found.low, found.high) == (0.75, None, None)


def test_without_a_picture_nothing_is_defined():
    found = evaluate(StandIn(spec("abc"), six_answers), [], split=SPLIT)
    assert {value.value for value in found.metrics.values()} == {None}
    assert found.to_dict()["confusion"]["counts"] == [[0] * 3] * 3
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_figure_without_its_class_is_not_defined():
    found = evaluate(StandIn(spec("abc"), six_answers), six_samples()[:5], split=SPLIT)
    assert found.metrics["macro_f1"].value is None
    assert found.metrics["accuracy"].value == pytest.approx(4 / 5)
    assert found.per_class["c"]["sensitivity"].value is None


def test_pictures_that_the_model_learned_from_are_left_out_and_counted():
    samples = six_samples()
    seen = [pixels_digest(samples[number].picture)[:SEEN_DIGITS] for number in (2, 5)]
    reader = StandIn(spec("abc", seen), six_answers)
    found = evaluate(reader, samples, split=SPLIT)
    assert found.left_out == {"seen_in_training": 2}
    assert found.to_dict()["n"] == 4
    assert found.metrics["accuracy"].value == 1
    assert len(reader.calls[0]) == 4


def test_disturbed_copies_are_scored_at_each_strength():
    # Dimming 2 keeps 0.7 of the light: a picture of 200 gets 140, which this reader calls b.
    def by_light(grey: float) -> tuple[Sequence[float], bool]:
        return ((0.9, 0.1), False) if grey > 190 else ((0.1, 0.9), grey < 100)

    samples = [Sample(picture=picture(value), label=label, group=f"{label}{number}")
               for number in range(3) for value, label in ((200, "a"), (120, "b"))]  # fmt: skip
    found = evaluate(
        StandIn(spec("ab"), by_light), samples, split=SPLIT,
        corruptions=[("dimming", 2), ("dimming", 5), ("grey", 5)],
    )  # fmt: skip
    assert found.metrics["macro_f1"].value == 1
    assert set(found.corruptions) == {"dimming", "grey"}
    two, five = found.corruptions["dimming"]
    # 200 -> 140, 120 -> 84: all are called b, 84 is referred: F1 of b 2*3/(3+6) = 2/3, of a 0
    assert (two["strength"], five["strength"]) == (2, 5)
    assert two["macro_f1"]["value"] == pytest.approx(1 / 3)
    assert two["refer_rate"]["value"] == 0.5
    # 200 -> 80, 120 -> 48: all are referred
    assert five["refer_rate"]["value"] == 1
    (grey,) = found.corruptions["grey"]
    assert grey["macro_f1"]["value"] == 1
    json.dumps(found.to_dict(), allow_nan=False)


def test_disturbed_copies_are_the_same_each_time_and_keep_name_and_number():
    def run() -> list[list[Picture]]:
        reader = StandIn(spec("abc"), lambda grey: ((0.8, 0.1, 0.1), False))
        evaluate(reader, six_samples(), split=SPLIT, corruptions=[("noise", 3)])
        return reader.calls

    (plain, first), (_, again) = run(), run()
    assert [each.name for each in first] == [each.name for each in plain]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    # Two pictures of one colour get two kinds of noise.
    assert (first[0].pixels.astype(int) - 10 != first[1].pixels.astype(int) - 20).any()


def test_pictures_pass_a_few_at_a_time_and_progress_counts_them(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 4)
    reader, told = StandIn(spec("abc"), six_answers), []
    evaluate(reader, iter(six_samples()), split=SPLIT, progress=told.append)
    assert [len(call) for call in reader.calls] == [4, 2]
    assert told == [4, 6]


def test_progress_counts_every_disturbed_copy_as_soon_as_it_is_read(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 4)
    seen = [pixels_digest(six_samples()[0].picture)[:SEEN_DIGITS]]
    reader = StandIn(spec("abc", seen=seen), lambda grey: ((0.8, 0.1, 0.1), False))
    told: list[int] = []
    evaluate(reader, iter(six_samples()), split=SPLIT, corruptions=[("grey", 1), ("noise", 3)],
             progress=told.append)  # fmt: skip
    # the one left out counts three times; then four under each condition, then the last one
    assert told == [3 + 4, 3 + 8, 3 + 12, 15 + 1, 15 + 2, 15 + 3]


def test_who_stops_at_progress_waits_for_one_condition_only():
    reader = StandIn(spec("abc"), lambda grey: ((0.8, 0.1, 0.1), False))

    def stop(done: int) -> None:
        raise RuntimeError(f"stopped at {done}")

    with pytest.raises(RuntimeError, match="stopped at 6"):
        evaluate(reader, six_samples(), split=SPLIT, corruptions=[("noise", 3)], progress=stop)
    assert len(reader.calls) == 1


def test_an_interval_of_any_statistic_is_of_the_same_samples():
    given_answers = answers_of([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0], list("abcdef"))

    def right(answers: Answers, rows: np.ndarray) -> float:
        return float((answers.true[rows] == answers.predicted[rows]).mean())

    assert interval(given_answers, right) == figure(given_answers, "accuracy")


def test_samples_that_differ_by_rounding_alone_give_no_interval():
    draws = draws_of(answers_of([0, 0, 1, 1], [0, 0, 1, 1], list("aabb")))
    sampled = np.linspace(1 - 2e-16, 1, len(draws.counts))
    assert interval_of(1.0, sampled, draws) == Interval(value=1.0, low=None, high=None)


def test_every_figure_of_the_command_line_is_there():
    assert set(FIGURES) >= {"accuracy", "balanced_accuracy", "macro_f1", "auroc", "ece", "brier",
                            "refer_rate"}  # fmt: skip
