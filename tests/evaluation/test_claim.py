"""CLAIM's items: all there, in order; filled by what is known and open where nothing is."""

import pytest

from leukemia_app.evaluation.claim import (
    FILLED,
    ITEMS,
    OPEN,
    PARTLY,
    claim,
    partition_words,
    recipe_words,
    start_words,
    training_words,
)
from tests.made_results import results_of, unfinished


def by_number(results):
    return {answer.item.number: answer for answer in claim(results)}


def test_there_are_forty_four_items_in_order():
    # CLAIM 2024, numbers of a few items as printed
    assert [item.number for item in ITEMS] == list(range(1, 45))
    names = {item.number: item.name for item in ITEMS}
    assert names[13] == "Image acquisition protocol"
    assert names[20] == "Level at which partitions are disjoint"
    assert names[33] == "Testing on external data"
    assert names[39] == "Failure analysis of incorrect results"
    assert names[44] == "Sources of funding and other support; role of funders"


def test_what_the_run_knows_is_filled_and_the_rest_is_open():
    found = by_number(results_of())
    assert found[20].state == FILLED
    assert found[20].said == "Disjoint by patient."
    assert found[37].said.startswith("Macro-F1 0.741")
    assert found[8].state == PARTLY
    assert "1 files were left out" in found[8].said
    # no run knows who labelled, who paid, or how old the patients were
    for number in (16, 36, 44):
        assert (found[number].state, found[number].said) == (OPEN, "")
        assert found[number].item.wanted


def test_a_run_that_was_stopped_claims_no_figure():
    found = by_number(unfinished())
    assert all(found[number].state == OPEN for number in (28, 29, 32, 37, 38, 39))
    assert found[19].state == OPEN


def test_an_image_split_is_not_called_disjoint():
    assert "both sides" in by_number(results_of(level="image"))[20].said


def test_other_sets_fill_external_testing():
    config = {**results_of().config, "external": {"bcisc": "/x"}}
    assert by_number(results_of(config=config))[33].said == "Also scored on: bcisc."


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("none", "At random, by the seed."),
        ("imagenet", "Backbone: Keras’ ImageNet weights. Head: at random."),
        ("file:/home/someone/w.h5", "Backbone: the weights in w.h5. Head: at random."),
        ("bundle:C:\\models\\pbc", "Backbone: the bundle pbc. Head: at random."),
    ],
)
def test_a_start_is_told_without_its_folder(start: str, said: str):
    assert start_words(start) == said


def test_rates_have_no_exponent():
    said = training_words(results_of().config)
    assert "1 epoch of the head on frozen features" in said
    assert "up to 4 epochs of the whole network (highest rate 0.00008)" in said
    assert "pictures drawn evenly by class" in said
    assert said.endswith("Augmentation: flip, zoom 0.1.")


def test_a_recipe_is_one_sentence():
    assert recipe_words(results_of().config["recipe"]) == (
        "A field as RGB, stretched to 64 px, area interpolation, values −1 to 1."
    )
    full = {"input": "cell", "side_px": 96, "colour": "grey", "denoise": "median",
            "segmentation": "stain", "crop_margin": 0.2, "blank_background": True, "window": 0.7,
            "fit": "pad", "interpolation": "area", "scaling": "caffe", "views": 4}  # fmt: skip
    assert recipe_words(full) == (
        "A cell as GREY, median filter, cells found by stain, cropped to the cell with a margin of "
        "0.2, background black, central 70 % of the shorter side, padded to 96 px, area "
        "interpolation, BGR less the ImageNet mean, logits averaged over 4 turned copies."
    )


def test_the_parts_are_told_with_their_groups():
    assert partition_words(results_of()) == (
        "Split by patient: training 40 pictures in 9 patients; test 12 pictures in 6 patients."
    )
