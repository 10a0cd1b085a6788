"""Presets fit the pictures, the start and the time that a person wants to spend."""

from dataclasses import replace
from pathlib import Path

import pytest

from leukemia_app.data.manifest import Manifest, Row
from leukemia_app.errors import RunError
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.networks.backbones import BLOCKS, SCALINGS, SIDES
from leukemia_app.training.config import BASELINES, RunConfig
from leukemia_app.training.presets import EFFORTS, Wanted, preset

WANTED = Wanted(id="mine", groups=Path("m.csv"), backbone="mobilenet", head="attention",
                start="imagenet")  # fmt: skip


def pictures(count: int, n_groups: int | None = None, part: str = "") -> Manifest:
    """So many pictures of two labels, in groups or each by itself."""
    rows = tuple(
        Row(file=f"{number}.png", label="ab"[number % 2], part=part,
            group=f"{number}.png" if n_groups is None else f"patient {number % n_groups}")
        for number in range(count)
    )  # fmt: skip
    return Manifest(folder=Path("set"), rows=rows, group_level="patient" if n_groups else "image")


@pytest.mark.parametrize("backbone", BLOCKS)
@pytest.mark.parametrize("name", EFFORTS)
@pytest.mark.parametrize("start", ["none", "imagenet"])
def test_every_preset_can_be_trained_with_every_backbone(name, backbone, start):
    made = preset(name, pictures(200), replace(WANTED, backbone=backbone, start=start))
    assert made.recipe.scaling == SCALINGS[backbone]
    assert made.recipe.side_px <= SIDES[backbone]
    assert made.tune_from in ("", *BLOCKS[backbone])
    assert RunConfig.from_dict(made.to_dict()) == made


def test_more_effort_costs_more():
    configs = [preset(name, pictures(2000), WANTED) for name in ("quick", "balanced", "thorough")]
    for cost in ("tune_epochs", "feature_copies", "steps_per_epoch"):
        values = [getattr(config, cost) for config in configs]
        assert values == sorted(values), cost
    assert [config.tune_epochs for config in configs] == [8, 12, 40]
    assert [config.baselines for config in configs] == [(), (), BASELINES]


def test_quick_tunes_the_last_third_alone():
    # MobileNet has 14 blocks: the first nine stay.
    assert preset("quick", pictures(99), WANTED).tune_from == BLOCKS["mobilenet"][9]
    assert preset("balanced", pictures(99), WANTED).tune_from == ""


def test_what_starts_from_nothing_trains_as_a_whole():
    made = preset("quick", pictures(200), replace(WANTED, start="none", backbone="baseline_cnn"))
    assert (made.head_epochs, made.tune_from, made.frozen_normalisation) == (0, "", False)


def test_few_pictures_are_shown_more_often():
    # 64 % of 100 are learned from: 1500 / 64 is 23, at most 8 copies; 64 / 32 is 2 steps.
    few = preset("quick", pictures(100), WANTED)
    assert (few.feature_copies, few.steps_per_epoch) == (8, 16)
    # Of 5,000, 3,200: not half a copy fits, one is needed; 100 steps, but 40 are the most.
    many = preset("quick", pictures(5000), WANTED)
    assert (many.feature_copies, many.steps_per_epoch) == (1, 40)
    # The head: 600 steps at 2 or 100 an epoch, but from 20 to 150 epochs.
    assert (few.head_epochs, many.head_epochs) == (150, 20)


def test_a_given_training_part_counts_as_it_is():
    # 1500 / 300 copies.
    assert preset("quick", pictures(300, part="train"), WANTED).feature_copies == 5


def test_patients_with_many_pictures_do_not_drown_the_rest():
    assert preset("quick", pictures(50, n_groups=5), WANTED).balance == "group"
    assert preset("quick", pictures(50), WANTED).balance == "class"


def test_the_pictures_of_a_bundle_are_prepared_as_it_learned_them():
    recipe = Recipe(input="field", side_px=192, views=4)
    assert preset("quick", pictures(50), replace(WANTED, recipe=recipe)).recipe == recipe


def test_a_cell_has_no_scale_bar_and_keeps_its_size():
    cell, field = (preset("quick", pictures(50), replace(WANTED, input=kind))
                   for kind in ("cell", "field"))  # fmt: skip
    assert (cell.augment.bar_probability, cell.controls) == (0, ("colour", "size"))
    assert field.augment.bar_probability > 0
    assert field.controls == ("colour", "background")


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [("fast", {}, r"preset is 'fast'; use one of quick, balanced, thorough"),
     ("quick", {"backbone": "vgg99"}, r"backbone is 'vgg99'; use one of baseline_cnn"),
     ("quick", {"start": "web"}, r"start is 'web'; use none, imagenet")],
)  # fmt: skip
def test_what_is_not_known_is_refused(name, changes, words):
    with pytest.raises(RunError, match=words):
        preset(name, pictures(50), replace(WANTED, **changes))
