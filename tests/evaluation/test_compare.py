"""Models side by side: figures and differences by hand for readers that say what they are told."""

import csv
import io
import json
from dataclasses import replace

import pytest

from leukemia_app.errors import SettingError
from leukemia_app.evaluation.compare import answers_csv, check_candidates, figures_csv
from leukemia_app.evaluation.measures import UNDEFINED
from tests.evaluation.compared_models import TRUTH, compared, reader


def test_figures_and_the_pair_of_two_models():
    # x errs on the third; y on the first, second and fourth, and refers the fourth
    found = compared(reader("aaabaabb"), reader("bbbAaabb"))
    assert found.models["x"].figure("accuracy").value == pytest.approx(7 / 8)
    assert found.models["y"].figure("accuracy").value == pytest.approx(5 / 8)
    assert found.models["y"].figure("refer_rate").value == pytest.approx(1 / 8)
    # of y's seven answers, two are wrong
    assert found.models["y"].figure("error_among_answered").value == pytest.approx(2 / 7)
    (pair,) = found.pairs
    assert (pair.first, pair.other) == ("x", "y")
    assert (pair.counts.only_first, pair.counts.only_other) == (3, 1)
    assert pair.p_holm == pair.counts.p  # one pair: nothing to raise for
    assert pair.differences["accuracy"].value == pytest.approx(-2 / 8)
    assert (found.n, found.n_groups) == (8, 4)


def test_disturbances_are_judged_by_accuracy_where_a_class_has_no_picture():
    found = compared(reader("aabbaabb"), reader("babababa"))
    assert found.held_to == "macro_f1"
    x = found.models["x"]
    without = replace(x.measured, overall={**x.measured.overall, "macro_f1": UNDEFINED})
    models = {**found.models, "x": replace(x, measured=without)}
    assert replace(found, models=models).held_to == "accuracy"


def test_a_difference_that_every_sample_shows_is_told():
    found = compared(reader("aabbaabb"), reader("bbbababa"))
    (pair,) = found.pairs
    # y errs twice on patient 0, once on each other. Of a's two draws k are patient 0: 2 + k wrong
    # of four, and 2 of b's four, so that samples go from -4/8 to -6/8
    assert "accuracy" in pair.told_apart()
    accuracy = pair.differences["accuracy"]
    assert (accuracy.low, accuracy.high) == (-0.75, -0.5)


def test_a_difference_that_is_the_same_in_every_sample_has_no_interval_and_tells_nothing_apart():
    found = compared(reader("aabbaabb"), reader("babababa"))
    (pair,) = found.pairs
    # each of the four patients has one wrong answer of y: -1/2 in every sample
    assert vars(pair.differences["accuracy"]) == {"value": -0.5, "low": None, "high": None}
    assert pair.told_apart() == ()
    assert found.to_dict()["pairs"][0]["differences"]["accuracy"]["low"] is None


def test_the_best_are_all_whose_interval_reaches_the_best_value():
    found = compared(reader("aabbaabb"), reader("aabbaaba"), reader("babababa"))
    # y's one wrong picture is of one of b's two patients: samples without it have accuracy 1
    assert found.best["accuracy"] == {"x", "y"}
    # less is better: nobody refers, so all are best
    assert found.best["refer_rate"] == {"x", "y", "z"}


def test_three_models_make_three_pairs_whose_chances_are_raised():
    found = compared(reader("aabbaabb"), reader("babababa"), reader("bbaabbaa"))
    assert [(each.first, each.other) for each in found.pairs] == [
        ("x", "y"), ("x", "z"), ("y", "z")
    ]  # fmt: skip
    least = min(found.pairs, key=lambda each: each.counts.p)
    assert least.p_holm == pytest.approx(3 * least.counts.p)


def test_labels_that_differ_meet_in_sums():
    # w has three labels; c and b are one for the comparison: .45 + .1 under b, .45 on a alone
    three = reader("aacbaabc", labels="abc", sure=0.45)
    found = compared(reader(TRUTH), three, given="one = a; two = b, c")
    answers = found.models["y"].answers
    # .45 for a and .275 each for b and c: the sum, .55, is greater
    assert answers.probabilities[0] == pytest.approx([0.45, 0.55])
    assert answers.predicted.tolist() == [1] * 8
    # the first model's labels stay two: its own decision counts
    assert found.models["x"].answers.predicted.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


def test_pictures_that_one_model_learned_from_are_put_to_none():
    learned = reader("aabbaabb", seen=(0, 3))
    found = compared(learned, reader("babababa"), split={"part": "all", "level": "image"})
    assert found.n == 6
    assert found.n_left_out == 2
    assert (found.models["x"].seen, found.models["y"].seen) == (2, 0)


def test_a_patient_of_whom_one_picture_was_learned_from_is_left_out_whole():
    found = compared(reader("aabbaabb", seen=(0, 3)), reader("babababa"))
    # patients 0 and 1 are gone, with four pictures, of which x had learned from two
    assert found.n == 4
    assert found.n_left_out == 4
    assert found.models["x"].seen == 2
    assert set(found.models["y"].answers.groups) == {"p2", "p3"}


def test_where_every_picture_was_learned_from_nothing_is_defined():
    found = compared(reader("aabbaabb", seen=range(8)), reader("babababa"))
    assert found.n == 0
    assert found.pairs == ()
    assert found.disagreements == ()
    assert found.models["y"].figure("accuracy").value is None
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_pictures_farthest_apart_come_first():
    # x and y differ on the fifth picture only
    found = compared(reader("aabbaabb"), reader("aabbbabb", sure=0.8))
    first, apart = found.disagreements[0]
    # .9/.1 against .2/.8
    assert first == 4
    assert apart == pytest.approx(0.7)
    listed = found.to_dict()["disagreements"][0]
    assert listed["file"] == "a/4.png"
    assert listed["label"] == "a"
    assert listed["said"]["y"]["label"] == "b"


def test_progress_is_told_on_the_first_pass_too_and_reaches_the_end():
    told: list[int] = []
    learned = reader("aabbaabb", seen=(0,))
    compared(learned, reader("babababa"), progress=told.append, corruptions=[("grey", 1)])
    # eight looked at for groups; of patient 0 two are left out; six plain, six grey; then all
    assert told == [0] * 8 + [4 + 6, 4 + 12, 16]


def test_json_holds_the_whole_comparison():
    plain = compared(reader("aaabaabb"), reader("bbbAaabb")).to_dict()
    json.dumps(plain, allow_nan=False)
    assert plain["labels"] == {"a": ["a"], "b": ["b"]}
    assert [each["id"] for each in plain["models"]] == ["x", "y"]
    assert plain["models"][0]["confusion"]["counts"] == [[4, 0], [1, 3]]
    assert plain["models"][0]["size_bytes"] == 1000
    assert plain["pairs"][0]["only_first_right"] == 3
    assert plain["models"][0]["ms"] > 0


def test_tables_for_spreadsheets():
    found = compared(reader("aaabaabb"), reader("bbbAaabb"))
    rows = list(csv.DictReader(io.StringIO(answers_csv(found))))
    assert len(rows) == 16
    assert rows[11] == {
        "file": "b/3.png", "group": "p1", "label": "b", "model": "y", "decision": "refer",
        "top class": "a", "probability a": "0.900000", "probability b": "0.100000",
        "reasons": "Blurred.",
    }  # fmt: skip
    figures = list(csv.DictReader(io.StringIO(figures_csv(found))))
    first = next(each for each in figures if each["figure"] == "accuracy")
    assert (first["model"], float(first["value"]), first["split"]) == ("x", 7 / 8, "by patient")


@pytest.mark.parametrize(
    ("ids", "said"),
    [(["a"], "takes 2 to 6 models, and 1 is named"), (list("abcdefg"), "and 7 are named"),
     (["a", "b", "a"], "a is named twice")],
)  # fmt: skip
def test_one_model_one_twice_and_too_many_are_refused(ids: list[str], said: str):
    with pytest.raises(SettingError, match=said):
        check_candidates(ids)
