"""A run's configuration: kept word for word, and refused by name where it cannot be used."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.errors import AppError, RecipeError, RunError
from leukemia_app.evaluation.baselines import TITLES
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.augment import Augment
from leukemia_app.training.config import BASELINES, CONTROLS, About, RunConfig
from leukemia_app.training.scoring import CONTROLS as CONTROL_WORDS

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {
    "id": "cells-1",
    "data": "pictures",
    "groups": None,
    "group_level": "patient",
    "labels": ("normal", "blast"),
    "backbone": "baseline_cnn",
    "head": "plain",
    "recipe": Recipe(input="cell", side_px=32),
}


def config(**changes: object) -> RunConfig:
    return RunConfig(**(NEEDED | changes))


def as_read(**changes: object) -> dict[str, object]:
    """What config.json holds, with keys changed."""
    return json.loads(json.dumps(config().to_dict())) | changes


@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.floats(1e-6, 0.1),
    labels=st.lists(st.text(min_size=1), min_size=2, max_size=5, unique=True),
    external=st.dictionaries(st.text(), st.text(), max_size=3),
    controls=st.lists(st.sampled_from(CONTROLS), unique=True),
    arguments=st.dictionaries(st.sampled_from(["heads", "channels"]), st.integers(1, 9)),
    cutout=st.floats(0, 1),
)
def test_a_configuration_comes_back_from_json_as_it_was(
    seed, rate, labels, external, controls, arguments, cutout
):
    given_config = config(
        seed=seed, tune_rate=rate, labels=tuple(labels), external=external,
        controls=tuple(controls), head_arguments=arguments, augment=Augment(cutout=cutout),
        about=About(title="Cells", meanings={"blast": "a blast"}), figures_from=("a.json",),
        steps_per_epoch=3, tune_from="conv_dw_7", optimizer="adam", schedule="plateau",
        fraction=0.5, precision="auto", shares=(0.5, 0.25, 0.25), baselines=("svc",),
        start="bundle:x", keep_head=True, head_patience=3,
    )  # fmt: skip
    text = json.dumps(given_config.to_dict())
    assert RunConfig.from_dict(json.loads(text)) == given_config


def test_what_is_not_said_has_its_default():
    short = {name: value for name, value in as_read().items()
             if name in (*NEEDED, "format_version")}  # fmt: skip
    assert RunConfig.from_dict(short) == config()


def test_two_labels_share_one_output_and_three_have_one_each():
    assert config().n_outputs == 1
    assert config(labels=("a", "b", "c")).n_outputs == 3


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "training").glob("*.json")),
                         ids=lambda path: path.stem)  # fmt: skip
def test_the_shipped_configurations_can_be_read_and_name_themselves(path):
    read = RunConfig.from_dict(json.loads(path.read_text(encoding="utf-8")))
    assert read.id == path.stem
    assert RunConfig.from_dict(read.to_dict()) == read


def test_every_baseline_has_a_title():
    assert set(TITLES) == set(BASELINES)


def test_every_control_has_words_for_the_card():
    assert set(CONTROL_WORDS) == set(CONTROLS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"id": "My Run"}, r"id is 'My Run'; use at most 80 lower-case letters"),
     ({"id": ""}, r"id is ''; use at most 80"),
     ({"labels": ("one",)}, r"labels are one; give at least two different ones"),
     ({"labels": ("a", "a")}, r"labels are a, a; give at least two"),
     ({"labels": ("a", 2)}, r"labels are 'a', 2; give texts"),
     ({"group_level": "slide"}, r"group_level is 'slide'; use one of patient, run, image"),
     ({"balance": "even"}, r"balance is 'even'; use one of class, group, none"),
     ({"split": "random"}, r"split is 'random'; use one of given, image"),
     ({"folds": 1}, r"folds is 1; use 2 or more, or 0 for none"),
     ({"folds": -2}, r"folds is -2; use 0 to 100"),
     ({"folds": 5, "fold": 5}, r"fold is 5 of 5; use 0 to folds - 1"),
     ({"folds": 5, "fold": -1}, r"fold is -1 of 5"),
     ({"fold": 2}, r"fold is 2 of 0; use 0 to folds - 1"),
     ({"start": "web"}, r"start is 'web'; use none, imagenet, file:PATH or bundle:FOLDER"),
     ({"start": "imagenet", "keep_head": True}, r"keep_head is true, but start is 'imagenet'"),
     ({"optimizer": "sgd"}, r"optimizer is 'sgd'; use one of adamw, adam"),
     ({"schedule": "step"}, r"schedule is 'step'; use one of cosine, plateau"),
     ({"schedule": "plateau", "folds": 3}, r"schedule is 'plateau', but folds leave no valid"),
     ({"plateau_factor": 1.0}, r"plateau_factor is 1.0; use 0.01 to 0.99"),
     ({"plateau_patience": 0}, r"plateau_patience is 0; use 1 to"),
     ({"precision": "float16"}, r"precision is 'float16'; use one of float32, bfloat16, auto"),
     ({"fraction": 0.0}, r"fraction is 0.0; use 0.01 to 1"),
     ({"fraction": 50}, r"fraction is 50; use 0.01 to 1"),
     ({"shares": (0.8, 0.2)}, r"shares are 0.8, 0.2; use three numbers above 0"),
     ({"shares": (0.8, 0.2, 0.2)}, r"shares are .*; use three numbers above 0 that sum to 1"),
     ({"shares": (0.8, 0.2, 0)}, r"shares are .*; use three numbers above 0"),
     ({"shares": ("a", "b", "c")}, r"shares are .*; use three numbers"),
     ({"head_patience": -1}, r"head_patience is -1; use 0 to"),
     ({"baselines": ("svc", "forest")}, r"baselines has 'forest'; use svc, xgboost, lda"),
     ({"tune_from": 3}, r"tune_from is 3; use a text"),
     ({"seed": -1}, r"seed is -1; use 0 to"),
     ({"seed": 1.5}, r"seed is 1.5; use a whole number"),
     ({"batch_size": 0}, r"batch_size is 0; use 1 to 1024"),
     ({"batch_size": "32"}, r"batch_size is '32'; use a whole number"),
     ({"tune_epochs": -1}, r"tune_epochs is -1; use 0 to"),
     ({"head_epochs": True}, r"head_epochs is True; use a whole number"),
     ({"feature_copies": 0}, r"feature_copies is 0; use 1 to"),
     ({"steps_per_epoch": 0}, r"steps_per_epoch is 0; use 1 to"),
     ({"tune_rate": 0.0}, r"tune_rate is 0.0; use 1e-08 to 1"),
     ({"tune_rate": float("nan")}, r"tune_rate is nan; use a number"),
     ({"average_momentum": 1.0}, r"average_momentum is 1.0; use 0 to"),
     ({"frozen_normalisation": 1}, r"frozen_normalisation is 1; use true or false"),
     ({"answered_error": 2}, r"answered_error is 2; use 0 to 1"),
     ({"sensitivity": 95}, r"sensitivity is 95; use 0 to 1"),
     ({"controls": ("colour", "focus")}, r"controls has 'focus'; use colour, size"),
     ({"head_arguments": {"dropout": 1}}, r"head_arguments.dropout is 1; use 0 to 0.9"),
     ({"head_arguments": {"dropout": True}}, r"head_arguments.dropout is True; use 0 to 0.9"),
     ({"head_arguments": [1]}, r"head_arguments is \[1\]; use an object"),
     ({"external": {"there": 3}}, r"external is \{'there': 3\}; use an object of texts"),
     ({"outside": 3}, r"outside is 3; use a text or null"),
     ({"data": None}, r"data is None; use a text")],
)  # fmt: skip
def test_a_value_that_cannot_be_trained_with_is_refused_by_name(changes, message):
    with pytest.raises(RunError, match=message):
        config(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"format_version": 2}, r"config has format_version 2; this version reads 1"),
     ({"epochs": 3, "lr": 1}, r"config has unknown keys: epochs, lr"),
     ({"augment": {"mixup": 1}}, r"augment has unknown keys: mixup"),
     ({"augment": 3}, r"augment is 3; use an object"),
     ({"about": {"author": "x"}}, r"about has unknown keys: author"),
     ({"about": []}, r"about is \[\]; use an object"),
     ({"about": {"label_kind": "smear"}}, r"about.label_kind is 'smear'; use one of cell type"),
     ({"about": {"title": 3}}, r"about.title is 3; use a text"),
     ({"about": {"meanings": ["x"]}}, r"about.meanings is \['x'\]; use an object of texts"),
     ({"labels": "ab"}, r"labels is 'ab'; use a list"),
     ({"figures_from": "a.json"}, r"figures_from is 'a.json'; use a list"),
     ({"recipe": None}, r"recipe is None; use an object")],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_by_name(changes, message):
    with pytest.raises(RunError, match=message):
        RunConfig.from_dict(as_read(**changes))


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_named(name):
    values = as_read()
    del values[name]
    with pytest.raises(RunError, match=f"config lacks {name}"):
        RunConfig.from_dict(values)


def test_a_list_is_no_configuration():
    with pytest.raises(RunError, match=r"config is \[\]; use an object with named settings"):
        RunConfig.from_dict([])


def test_a_recipe_of_its_own_kind_of_error_says_which_field():
    with pytest.raises(RecipeError, match=r"recipe.side_px is 8; use 32 to 1024"):
        RunConfig.from_dict(as_read(recipe={"input": "cell", "side_px": 8}))


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner,
                                                                max_size=2)),
    st.sampled_from(sorted(config().to_dict())))  # fmt: skip
def test_whatever_a_value_is_it_is_taken_or_refused_in_words(value, name):
    try:
        made = RunConfig.from_dict(as_read(**{name: value}))
    except AppError:
        return
    json.dumps(made.to_dict(), allow_nan=False)


def test_a_changed_copy_is_checked_again():
    with pytest.raises(RunError, match="fold is 3 of 2"):
        replace(config(), folds=2, fold=3)
