"""What a run's figures say: each sentence against figures worked by hand."""

import numpy as np
import pytest

from leukemia_app.evaluation import run_words
from leukemia_app.evaluation.curves import coverage_risk
from leukemia_app.evaluation.measures import UNDEFINED, Answers, Interval, measure
from tests.made_results import LABELS, answers_of, figure_of, results_of, unfinished


def test_the_headline_has_split_and_interval():
    # F1: Benign 3 of 4, 5 called: 6/9; Early 4 of 4, 5 called: 8/9; Pre 2 of 4, 2 called: 4/6;
    # mean 20/27 = 0.741
    said = run_words.headline(results_of())
    assert said.startswith("Macro-F1 0.741 (95 % interval ")
    assert said.endswith("on the test part: 12 pictures in 6 patients, split by patient.")


def test_without_answers_there_is_no_figure():
    assert "There is no figure yet" in run_words.headline(unfinished())
    assert run_words.red_controls(unfinished()) == ()
    assert run_words.ranking(unfinished()) == ""


def test_an_image_split_is_called_optimistic():
    results = results_of(level="image")
    assert "optimistic" in run_words.caution(results)
    assert "12 pictures, split by image, so optimistic." in run_words.headline(results)
    assert "stand-in for patients" in run_words.caution(results_of(level="run"))
    assert run_words.caution(results_of()) == ""


def test_a_control_near_the_network_is_red():
    # the network has 0.741: colour with 0.72 is nearer than 0.05, size with 0.4 is not
    (red,) = run_words.red_controls(results_of())
    assert red.sentence.startswith(
        "Colour histogram alone reaches 0.720, the network 0.741: colour"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("macro-F1, background alone, cells blanked (frozen features)", "gives the class away"),
        ("macro-F1, the size of the cell alone", "the size of the cell says nearly as much"),
        ("macro-F1, cells alone, background blanked (frozen features)", "as much as the network"),
    ],
)
def test_each_red_control_says_what_it_means(name: str, said: str):
    (red,) = run_words.red_controls(results_of(figures=(figure_of(name, 0.9),)))
    assert said in red.sentence


def test_controls_of_another_metric_or_part_are_not_compared():
    strangers = (figure_of("AUROC, cell area alone", 0.9),
                 figure_of("macro-F1, cell area alone", 0.9, part="5-fold"),
                 figure_of("accuracy before adapting", 0.9))  # fmt: skip
    results = results_of(figures=strangers)
    assert run_words.controls(results) == ()
    assert [figure.name for figure in run_words.adapting(results)] == ["accuracy before adapting"]


def test_the_course_says_which_weights_were_kept():
    # 0.5 at the second epoch of the network, 0.7 at the fourth
    said = run_words.learning(results_of())
    assert said.startswith(
        "Overfitting: after epoch 2 the validation loss rose from 0.500 to 0.700"
    )
    assert said.endswith(run_words.KEPT_BY_LOSS)
    without = results_of(config={**results_of().config, "patience": 0})
    assert run_words.learning(without).endswith(run_words.KEPT_LAST)
    assert run_words.learning(unfinished()) == unfinished().course.sentence


def test_the_commonest_mix_up_is_named():
    said = run_words.confusions(results_of())
    assert said.startswith("3 of 12 pictures did not get the data set’s label.")
    assert said.endswith("“Pre <b>” called “Benign”: 2 of 4.")
    right = answers_of()
    right = Answers(**{**vars(right), "predicted": right.true})
    assert run_words.confusions(results_of(answers=right)).startswith("All 12 pictures got")
    assert run_words.confusions(unfinished()) == "No picture was answered."


def test_ranking_names_the_least_and_the_best_class():
    said = run_words.ranking(results_of())
    values = {label: results_of().measured.per_class[label]["auroc"].value for label in LABELS}
    worst = min(values, key=values.get)
    assert f"from {values[worst]:.3f} (“{worst}”)" in said


def test_of_two_classes_one_curve_says_all():
    answers = Answers(
        true=np.array([0, 1]), predicted=np.array([0, 1]),
        probabilities=np.array([[0.9, 0.1], [0.2, 0.8]], np.float32),
        referred=np.zeros(2, bool), groups=("a", "b"),
    )  # fmt: skip
    results = results_of(labels=("hem", "all"), answers=answers,
                         measured=measure(answers, ("hem", "all"), 20))  # fmt: skip
    assert "it is of “all”" in run_words.ranking(results)
    assert run_words.main_metric(results) == "auroc"
    assert run_words.headline(results).startswith("AUROC 1.000 (no interval)")


def test_equal_classes_are_not_ranked():
    answers = answers_of()
    sure = np.eye(3, dtype=np.float32)[answers.true]
    answers = Answers(**{**vars(answers), "probabilities": sure})
    results = results_of(answers=answers, measured=measure(answers, LABELS, 20))
    assert "is 1.000 for each, to three decimals" in run_words.ranking(results)


def test_too_sure_and_not_sure_enough():
    # mean top 9.45 / 12 = 0.7875, 9 of 12 top classes right
    said = run_words.calibration(results_of(), None, UNDEFINED)
    assert said.startswith("The model is too sure: it is right less often than it says")
    assert "(mean top probability 0.787, top class right 0.750)" in said
    answers = answers_of()
    timid = np.full((12, 3), 0.3, np.float32)
    timid[np.arange(12), answers.true] = 0.4
    modest = results_of(answers=Answers(**{**vars(answers), "probabilities": timid}))
    assert "not sure enough" in run_words.calibration(modest, None, UNDEFINED)


def test_what_the_temperature_did_is_told():
    before, after = (Interval(value=value, low=None, high=None) for value in (0.1, 0.05))
    said = run_words.calibration(results_of(), before, after)
    assert "took the calibration error here from 0.100 to 0.050" in said


def test_what_referring_a_tenth_buys():
    answers = answers_of()
    points = coverage_risk(
        answers.true, answers.predicted, answers.probabilities, [0, 0.1, 0.2]
    )  # fmt: skip
    # 3 of 12 wrong; the least sure of the twelve (0.5, wrong) referred: 2 of 11
    assert run_words.coverage(points) == (
        "With every picture answered, 25.0 % of the answers are wrong; with the least sure 10 % "
        "referred, 18.2 %."
    )


def test_where_no_answer_was_wrong_referring_gains_nothing():
    answers = answers_of()
    points = coverage_risk(answers.true, answers.true, answers.probabilities, [0, 0.1])
    assert "nothing to gain" in run_words.coverage(points)


def test_the_costliest_disturbance_is_named():
    results = results_of()
    shown = [figure for figure in results.figures if figure.kind == "robustness"]
    said = run_words.disturbed(results, shown)
    assert said.startswith("Grey, strength 5 costs most: macro-F1 0.300, 0.741 undisturbed.")
    assert run_words.disturbed(results, []) == ""
    same = [figure_of("macro-F1, blur, strength 2", 20 / 27, kind="robustness")]
    assert run_words.disturbed(results, same) == "No disturbance changes macro-F1 by a thousandth."


def test_torn_groups_and_twins_are_told():
    assert run_words.torn(results_of()) == (
        "No patient has pictures in two parts: checked on every picture."
    )
    torn = run_words.torn(results_of(torn_groups=tuple("abcdefg")))
    assert torn.startswith("7 patients have pictures in two parts")
    assert torn.endswith("a, b, c, d, e and others.")
    assert run_words.torn(unfinished()) == ""
    assert "2 test pictures have the very pixels" in run_words.twins(results_of(seen_in_training=2))
    assert run_words.twins(unfinished()) == ""
