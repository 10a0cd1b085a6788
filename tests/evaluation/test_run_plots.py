"""The plots of a run: what is drawn, and that it is whole markup."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from leukemia_app.evaluation.colours import class_colour
from leukemia_app.evaluation.curves import coverage_risk
from leukemia_app.evaluation.learning import Epoch
from leukemia_app.evaluation.measures import Answers
from leukemia_app.evaluation.run_plots import (
    class_style,
    compared_curves,
    coverage_plot,
    learning_curves,
    precision_recall_plot,
    reliability_plot,
    roc_plot,
    shown_classes,
)
from tests.made_results import EPOCHS, LABELS, answers_of


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(f"<div>{drawn}</div>")  # noqa: S314 (our own text)


def keys(drawn: str) -> list[str]:
    return ["".join(item.itertext()) for item in parsed(drawn).iter("li")]


def description(drawn: str) -> str:
    return next(iter(parsed(drawn).iter("{http://www.w3.org/2000/svg}desc"))).text or ""


def test_learning_curves_name_their_ends_and_the_lowest():
    drawn = learning_curves(EPOCHS, "loss", "x")
    assert "training from 1.000 to 0.200, validation from 0.700 to 0.700" in description(drawn)
    assert keys(drawn) == ["training", "validation; dot: lowest validation loss"]
    assert "whole network" in drawn


def test_no_line_joins_the_head_with_the_network():
    # four epochs of the network make one line of training and one of validation; one of the head
    # is a dot
    assert learning_curves(EPOCHS, "loss", "x").count('<path class="r-line" d="M') == 2 + 2 + 1


def test_nothing_is_drawn_of_what_was_not_measured():
    assert learning_curves([], "loss", "x") == ""
    assert learning_curves([Epoch(phase="head", number=1, loss=1.0)], "accuracy", "x") == ""
    assert compared_curves({"a": []}, "loss", "x") == ""


def test_runs_are_compared_by_name():
    drawn = compared_curves({"first <": EPOCHS, "second": EPOCHS[:3], "none": ()}, "loss", "x")
    assert keys(drawn) == ["first <", "second"]
    assert "first < ends at 0.700; second ends at 0.500" in description(drawn)


def test_each_class_has_its_colour_and_dashes():
    assert class_colour(1) in class_style(1)
    assert "dasharray" not in class_style(1, alone=True)
    assert class_style(0) != class_style(8)


def test_of_two_classes_the_second_is_drawn_alone():
    assert list(shown_classes(["a", "b"])) == [(1, "b")]
    assert len(list(shown_classes(["a", "b", "c"]))) == 3


@pytest.mark.parametrize("plot", [roc_plot, precision_recall_plot])
def test_trade_offs_are_drawn_for_every_class_by_name(plot):
    drawn = plot(answers_of(), LABELS, "x")
    assert keys(drawn) == list(LABELS)
    parsed(drawn)


def test_the_dot_of_a_roc_curve_is_where_the_model_decides():
    # Early: 4 of 4 found, 1 of 8 others called so
    drawn = roc_plot(answers_of(), LABELS, "x")
    frame_x, frame_y = 54 + (420 - 54 - 14) / 8, 22
    assert f'cx="{frame_x:.1f}" cy="{frame_y:.1f}"' in drawn


def test_a_class_without_pictures_is_left_out():
    answers = answers_of()
    some = Answers(**{name: value[:8] for name, value in vars(answers).items()})
    assert keys(roc_plot(some, LABELS, "x")) == list(LABELS[:2])
    assert keys(precision_recall_plot(some, LABELS, "x")) == list(LABELS[:2])


def test_reliability_shows_both_and_whiskers():
    answers = answers_of()
    drawn = reliability_plot(answers, np.full((12, 3), 1 / 3, np.float32), "x")
    assert keys(drawn) == ["before temperature scaling", "after temperature scaling"]
    assert keys(reliability_plot(answers, None, "x")) == ["as the network answers"]
    # tops of .5; .6 and .7, a hair less in single precision; .8; .9 up to .95: four bins
    assert drawn.count('class="r-count"') == 4


def test_coverage_has_a_line_for_all_and_for_each_class():
    answers = answers_of()
    points = coverage_risk(answers.true, answers.predicted, answers.probabilities, [0, 0.5])
    assert keys(coverage_plot(points, LABELS, "x")) == ["all pictures", *LABELS]
