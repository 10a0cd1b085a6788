"""What an imported model says of itself: what was given, what was found, and what nobody stated."""

from dataclasses import replace

import pytest

from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
from leukemia_app.bundles.checkpoint_spec import NOT_MEASURED, guesses, spec_of
from leukemia_app.bundles.checkpoint_words import fact_rows
from leukemia_app.errors import BundleError

FACTS = CheckpointFacts(
    file="x.keras", kind="Keras 3 file", keras_version="3.15.1", rows=64, columns=64,
    channels=3, n_outputs=2, activation="softmax", n_layers=5, n_parameters=1234, labels=(),
    labels_from="", scaling="unit", scaling_why="the file does not say", held=("time",),
)  # fmt: skip
NAMED = replace(FACTS, labels=("normal", "blast"), labels_from="labels.txt")


def meanings(facts: CheckpointFacts, *labels: str) -> set[str]:
    answers = guesses(facts)
    spec = spec_of(facts, replace(answers, labels=labels or answers.labels))
    return {label.meaning for label in spec.labels}


def test_a_label_says_whose_word_it_is():
    assert meanings(NAMED) == {"as labels.txt calls it; its meaning is not stated"}
    assert meanings(FACTS, "a", "b") == {"as given at import; its meaning is not stated"}
    assert meanings(NAMED, "blast", "normal") == {"as given at import; its meaning is not stated"}
    assert meanings(FACTS) == {"a placeholder: nobody named this class"}


def test_limits_and_not_for_say_each_their_own():
    spec = spec_of(FACTS, guesses(FACTS))
    assert spec.data["limits"] == NOT_MEASURED
    assert NOT_MEASURED not in spec.not_for
    assert "Anything that rests on its answer" in spec.not_for


def test_where_a_model_is_from_is_not_where_its_pictures_are_from():
    spec = spec_of(FACTS, replace(guesses(FACTS), source="ada"))
    assert spec.data["name"] == "not stated"
    assert "ada" not in spec.data.values()
    assert spec.summary.startswith("Imported from x.keras (ada), saved by Keras 3.15.1.")
    plain = spec_of(FACTS, guesses(FACTS)).summary
    assert plain.startswith("Imported from x.keras, saved by Keras 3.15.1.")


def test_a_picture_that_is_not_square_is_known_to_be_resized_twice():
    wide = replace(FACTS, rows=64, columns=48)
    arguments = spec_of(wide, guesses(wide)).network.backbone_arguments
    assert (arguments["rows"], arguments["columns"]) == (64, 48)
    assert "rows" not in spec_of(FACTS, guesses(FACTS)).network.backbone_arguments


def test_resizing_and_the_origin_of_labels_are_told_before_anything_is_tried():
    rows = dict(fact_rows(FACTS, guesses(FACTS)))
    assert rows["Size"] == "64 px; a picture is stretched to 64 × 64 px, bilinear"
    assert rows["Labels"].endswith("(not in the file; give their names, in the network's order)")
    given = fact_rows(FACTS, replace(guesses(FACTS), labels=("a", "b")))
    assert dict(given)["Labels"] == "a, b (as given)"
    assert dict(fact_rows(NAMED, guesses(NAMED)))["Labels"] == "normal, blast (from labels.txt)"


def test_one_label_is_not_called_labels():
    with pytest.raises(BundleError, match="2 classes apart, and 1 label is given: a"):
        spec_of(FACTS, replace(guesses(FACTS), labels=("a",)))
