"""How a picture becomes input, in words: of the recipe, and of what an imported graph adds."""

import pytest

from leukemia_app.bundles.input_words import input_words
from leukemia_app.bundles.spec import IMPORTED, NetworkSpec
from leukemia_app.imaging.recipe import Recipe
from tests.readings import spec_of


def words_of(**changes: object) -> str:
    return input_words(spec_of(recipe=Recipe(**({"input": "field", "side_px": 160} | changes))))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"interpolation": "bilinear"}, "stretched to 160 × 160 px, bilinear"),
        ({}, "stretched to 160 × 160 px, averaged where it shrinks and bilinear where it grows"),
        ({"fit": "pad", "interpolation": "bilinear"},
         "padded with black to a square and brought to 160 × 160 px, bilinear"),
        ({"fit": "crop", "interpolation": "bilinear"},
         "cut to its central square and brought to 160 × 160 px, bilinear"),
        ({"window": 0.7, "interpolation": "bilinear"},
         "cut to its central square of 70 % of the shorter side and brought to 160 × 160 px"),
        ({"segmentation": "stain", "crop_margin": 0.25, "interpolation": "bilinear"},
         "cut to a square round its main cell, with room of 25 % of the cell's longer side, and "
         "brought to 160 × 160 px"),
        ({"segmentation": "stain", "blank_background": True},
         "made black outside its cells, stretched to 160 × 160 px"),
        ({"denoise": "median", "colour": "grey"}, "denoised (median), stretched to 160 × 160 px"),
        ({"colour": "grey"}, "made grey"),
    ],
)  # fmt: skip
def test_the_recipe_is_told_step_by_step(changes: dict[str, object], words: str):
    assert words in words_of(**changes)


def test_the_range_of_a_network_of_ours_is_that_of_its_recipe():
    assert words_of().endswith("; values from -1 to 1 (divided by 127.5, minus 1)")
    assert words_of(scaling="none").endswith("; values from 0 to 255, as the picture has them")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scaling": "unit", "colour": "rgb", "channels": 3},
         "; values from 0 to 1 (divided by 255)"),
        ({"scaling": "unit", "colour": "bgr", "channels": 3},
         "; values from 0 to 1 (divided by 255), in the order blue, green, red"),
        ({"scaling": "caffe", "colour": "bgr", "channels": 3},
         "; values as blue, green, red minus the ImageNet mean (VGG, ResNet)"),
        ({"scaling": "none", "rows": 64, "columns": 48},
         "bilinear, and in the network to 64 × 48 px; values from 0 to 255"),
        ({"scaling": ["unit"]}, "; the range of its values is not stated"),
        ({}, "; the range of its values is not stated"),
    ],
)  # fmt: skip
def test_the_range_of_an_imported_network_is_the_one_in_its_graph(
    arguments: dict[str, object], words: str
):
    recipe = Recipe(input="field", side_px=64, scaling="none", interpolation="bilinear")
    network = NetworkSpec(backbone=IMPORTED, head=IMPORTED, backbone_arguments=arguments)
    assert words in input_words(spec_of(recipe=recipe, network=network))
