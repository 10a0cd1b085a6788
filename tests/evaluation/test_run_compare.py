"""Runs held against each other: only on the same pictures, and by how much, with an interval."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leukemia_app.errors import RunError
from leukemia_app.evaluation.measures import Answers, Interval, measure
from leukemia_app.evaluation.run_compare import (
    DIFFERED,
    SHOWN,
    Comparison,
    data_name,
    is_told_apart,
    seconds,
)
from leukemia_app.evaluation.run_results import RunResults
from tests.made_results import LABELS, answers_of, results_of, unfinished


def answered(predicted: list[int], **changes: Any) -> RunResults:
    """A run that answered the twelve pictures so, each with probability 0.8."""
    given = np.array(predicted)
    probabilities = np.full((12, 3), 0.1, np.float32)
    probabilities[np.arange(12), given] = 0.8
    answers = replace(answers_of(), predicted=given, probabilities=probabilities)
    return results_of(answers=answers, measured=measure(answers, LABELS, 50), **changes)


RIGHT = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
TWO_WRONG = [1, 1, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
"""Both of one patient."""


def of(*runs: RunResults) -> Comparison:
    return Comparison(runs={f"run-{number}": each for number, each in enumerate(runs)})


@pytest.mark.parametrize("n", [0, 1, 7])
def test_two_to_six_runs_are_compared(n):
    with pytest.raises(RunError, match=rf"takes 2 to 6 runs, and these are {n}\."):
        of(*[results_of()] * n)


def test_the_same_pictures_are_said_and_the_difference_measured():
    found = of(answered(TWO_WRONG), answered(RIGHT))
    assert found.is_same_split
    assert "All were scored on the same 12 test pictures of 6 patients, split by patient." in (
        found.verdict
    )
    assert set(found.differences) == set(DIFFERED)
    (accuracy,) = found.differences["accuracy"]
    # 12 of 12 against 10 of 12
    assert accuracy.value == pytest.approx(2 / 12)
    # Two patients a class are drawn with replacement; the first's is drawn 0, 1 or 2 times: the
    # difference is 0, 2 or 4 of 12, and 0 in a quarter of the samples.
    assert (accuracy.low, accuracy.high) == (0, pytest.approx(4 / 12))
    assert not is_told_apart(accuracy)


def test_a_run_does_not_differ_from_itself():
    found = of(answered(RIGHT), answered(RIGHT))
    for (each,) in found.differences.values():
        assert each.value == 0
        assert not is_told_apart(each)


def test_answers_in_another_order_of_pictures_and_labels_are_the_same_answers():
    first = answered(TWO_WRONG)
    order, columns = np.arange(12)[::-1], [2, 0, 1]
    labels = tuple(LABELS[number] for number in columns)
    renamed = np.array([columns.index(number) for number in range(3)])
    given = first.answers
    assert given is not None
    turned = Answers(
        true=renamed[given.true[order]], predicted=renamed[given.predicted[order]],
        probabilities=given.probabilities[order][:, columns], referred=given.referred[order],
        groups=given.groups[::-1], files=given.files[::-1],
    )  # fmt: skip
    found = of(first, results_of(answers=turned, labels=labels))
    assert found.is_same_split
    assert all(each.value == pytest.approx(0) for (each,) in found.differences.values())


@pytest.mark.parametrize("what", ["files", "groups", "true", "level", "labels"])
def test_other_pictures_groups_or_labels_are_another_split_and_nothing_is_ranked(what):
    first = answered(RIGHT)
    given = first.answers
    assert given is not None
    changes: dict[str, Any] = {
        "files": {"answers": replace(given, files=("other.png", *given.files[1:]))},
        "groups": {"answers": replace(given, groups=("other", *given.groups[1:]))},
        "true": {"answers": replace(given, true=np.array([1, *RIGHT[1:]]))},
        "level": {"level": "image"},
        "labels": {"labels": (*LABELS, "fourth")},
    }
    found = of(first, replace(first, **changes[what]))
    assert not found.is_same_split
    assert "were scored on different pictures" in found.verdict
    assert "Do not rank them" in found.verdict
    assert found.differences == {}


def test_an_image_split_is_called_optimistic_in_the_verdict():
    first = answered(RIGHT)
    found = of(first, replace(first, level="image"))
    assert "run-1: 12 test pictures, image-level, optimistic" in found.verdict


def test_answers_without_names_are_not_taken_for_the_same_pictures():
    answers = replace(answers_of(), files=())
    assert not of(results_of(answers=answers), results_of(answers=answers)).is_same_split


def test_names_alone_are_said_to_be_what_is_known_where_the_folders_differ():
    first = answered(RIGHT)
    other = replace(first, config=first.config | {"data": "/elsewhere"})
    assert "their names say" in of(first, other).verdict
    assert "their names say" not in of(first, first).verdict


def test_a_run_without_figures_is_named():
    found = of(results_of(), unfinished())
    assert "run-1 has no figures" in found.verdict
    assert found.differences == {}
    assert found.to_dict()["runs"][1]["n_test"] is None


def test_only_settings_that_differ_are_told_and_no_folder_of_the_server():
    first = results_of()
    config = first.config | {"start": "bundle:/home/ada/models/pbc", "seed": 4, "id": "other",
                             "augment": {"flip": True, "zoom": 0.2, "shear": 0.0}}  # fmt: skip
    found = of(first, replace(first, config=config))
    assert found.settings == {
        "seed": (3, 4), "start": ("file:weights.h5", "bundle:pbc"), "augment.zoom": (0.1, 0.2),
    }  # fmt: skip
    assert "/secret" not in str(found.settings)


def test_a_setting_that_one_run_does_not_know_differs():
    first = results_of()
    config = {name: value for name, value in first.config.items() if name != "balance"}
    assert of(first, replace(first, config=config)).settings == {"balance": ("class", None)}


def test_plain_values_hold_everything_by_name():
    values = of(answered(TWO_WRONG), answered(RIGHT)).to_dict()
    assert values["same_split"] is True
    assert [run["id"] for run in values["runs"]] == ["run-0", "run-1"]
    assert set(values["runs"][0]["figures"]) == set(SHOWN)
    assert values["runs"][0]["n_test"] == 12
    assert values["differences"]["accuracy"]["run-1"]["value"] == pytest.approx(2 / 12)


def test_the_time_is_that_of_all_phases():
    assert seconds(results_of()) == 310


@pytest.mark.parametrize(
    ("path", "name"), [("/state/datasets/cells-1/pictures", "cells-1"), ("/data/cnmc", "cnmc")]
)
def test_a_data_set_is_called_by_its_folder(path, name):
    assert data_name(results_of(config={"data": path})) == name


@pytest.mark.parametrize(
    ("low", "high", "apart"), [(0.01, 0.2, True), (-0.2, -0.01, True), (-0.1, 0.1, False),
                               (0.0, 0.1, False), (None, None, False)])  # fmt: skip
def test_an_interval_without_zero_tells_apart(low, high, apart):
    assert is_told_apart(Interval(value=0.1, low=low, high=high)) is apart
