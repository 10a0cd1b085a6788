"""A picture through our recipe is what each network's makers feed it."""

import keras
import numpy as np
import pytest

from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.networks.backbones import BACKBONES, SCALINGS, SIDES

MAKERS = {
    "mobilenet": keras.applications.mobilenet,
    "efficientnetb0": keras.applications.efficientnet,
    "vgg16": keras.applications.vgg16,
    "resnet50": keras.applications.resnet50,
    "inceptionv3": keras.applications.inception_v3,
}


@pytest.mark.parametrize("backbone", MAKERS)
def test_a_picture_through_the_recipe_is_what_keras_own_preprocessing_makes_of_it(backbone):
    side_px = SIDES[backbone]
    pixels = np.random.default_rng(0).integers(0, 256, (side_px, side_px, 3)).astype(np.uint8)
    recipe = Recipe(input="field", side_px=side_px, scaling=SCALINGS[backbone])
    ours = prepare(Picture(pixels=pixels, name="noise"), recipe).tensor
    theirs = MAKERS[backbone].preprocess_input(pixels.astype(np.float32))
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("backbone", sorted(set(BACKBONES) - set(MAKERS)))
def test_our_own_networks_are_fed_from_minus_one_to_one(backbone):
    pixels = np.array([[[0, 51, 255]]], np.uint8).repeat(32, 0).repeat(32, 1)
    recipe = Recipe(input="field", side_px=32, scaling=SCALINGS[backbone])
    tensor = prepare(Picture(pixels=pixels, name="even"), recipe).tensor
    # 51 / 127.5 - 1
    np.testing.assert_allclose(tensor[3, 5], (-1, -0.6, 1), atol=1e-6)
