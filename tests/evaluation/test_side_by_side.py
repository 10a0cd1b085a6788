"""One picture, several models: agreement and the largest disagreement by hand."""

import pytest

from leukemia_app.bundles.reading import Decision
from leukemia_app.bundles.spec import Label
from leukemia_app.evaluation.label_map import label_map
from leukemia_app.evaluation.side_by_side import SideBySide
from tests.readings import reading_of, spec_of

FOUR = {"Benign": 0.1, "Early": 0.2, "Pre": 0.1, "Pro": 0.6}
OTHER = {"Benign": 0.5, "Early": 0.15, "Pre": 0.1, "Pro": 0.25}


def beside(refer: str = "", **chances: dict[str, float]) -> SideBySide:
    specs = {
        id: spec_of(labels=tuple(Label(name=name, meaning=name) for name in each))
        for id, each in chances.items()
    }
    readings = {
        id: reading_of(
            probabilities=each,
            decision=Decision(
                kind="refer" if id in refer else "label",
                label=max(each, key=lambda name: each[name]),
            ),
        )
        for id, each in chances.items()
    }
    given = "" if len({frozenset(each) for each in chances.values()}) == 1 else (
        "other = Benign, hem; leukemic = Early, Pre, Pro, all"
    )  # fmt: skip
    labels = label_map(given, {id: spec.label_names for id, spec in specs.items()})
    return SideBySide.of(labels, readings, specs)


def test_models_that_agree_say_so_once():
    found = beside(a=FOUR, b=FOUR)
    assert found.same_top
    assert found.sentences() == ("Both models name “Pro” as the top class.",)


def test_the_two_farthest_apart_and_the_label_on_which_they_are():
    found = beside(a=FOUR, b=OTHER, c=FOUR)
    assert not found.same_top
    apart = found.apart
    assert apart is not None
    assert (apart.first, apart.other, apart.label) == ("a", "b", "Benign")
    # .35 less on Pro and .05 on Early, .4 more on Benign
    assert apart.distance == pytest.approx(0.4)
    assert found.sentences() == (
        "The models name different top classes: “Pro” by a and c; “Benign” by b.",
        "Farthest apart are a and b, most of all on “Benign”: 10.0 % against 50.0 %.",
    )


def test_two_models_differ_on_a_label():
    assert (
        "They differ most on “Benign”: 10.0 % against 50.0 %."
        in beside(a=FOUR, b=OTHER).sentences()
    )


def test_referrals_are_told_beside_the_answers():
    assert (
        "b refers to an expert; the others answer."
        in beside("b", a=FOUR, b=FOUR, c=FOUR).sentences()
    )
    assert "b refers to an expert; the other answers." in beside("b", a=FOUR, b=FOUR).sentences()
    assert "All of them refer to an expert." in beside("ab", a=FOUR, b=FOUR).sentences()


def test_an_answer_against_the_likelier_class_is_explained():
    found = beside(a={"hem": 0.4, "all": 0.6}, b={"hem": 0.9, "all": 0.1})
    specs = {id: spec_of(labels=tuple(Label(name=each, meaning=each) for each in ("hem", "all")))
             for id in "ab"}  # fmt: skip
    held = reading_of(
        probabilities={"hem": 0.4, "all": 0.6}, decision=Decision(kind="label", label="hem")
    )
    readings = {"a": held, "b": found.answers["b"].reading}
    said = SideBySide.of(found.labels, readings, specs).sentences()
    assert said[0] == "Both models name “hem” as the top class."
    assert said[1] == ("a gives “all” 60.0 %, less than it needs to answer so; that leaves “hem”.")


def test_labels_that_differ_are_summed_before_they_are_held_against_each_other():
    found = beside(a=OTHER, b={"hem": 0.4, "all": 0.6})
    # Benign alone leads (.5), but Early, Pre and Pro together have as much
    assert found.answers["a"].probabilities == pytest.approx([0.5, 0.5])
    assert found.answers["b"].top == "leukemic"
    plain = found.to_dict()
    assert plain["models"]["a"]["probabilities"] == OTHER
    assert plain["models"]["a"]["common"]["probabilities"]["other"] == pytest.approx(0.5)
