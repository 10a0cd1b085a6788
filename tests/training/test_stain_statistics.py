"""Batch normalisation takes the new pictures' statistics, and nothing else moves."""

import keras
import numpy as np

from leukemia_app.training.augment import Augment
from leukemia_app.training.stain_statistics import take_statistics
from tests.tiny_runs import tiny_config
from tests.training.tiny_training import drawn_pictures, fresh_network

STILL = Augment(
    rotation_degrees=0, flip=False, zoom=0, shift=0, stain_probability=0, grey_probability=0,
    brightness=0, blur_sigma_px=0, jpeg_quality=0, noise_sd=0, bar_probability=0,
)  # fmt: skip


def test_the_first_normalisation_counts_what_the_first_convolution_gives(tmp_path):
    config, data = tiny_config(tmp_path, augment=STILL, batch_size=12), drawn_pictures()
    backbone = fresh_network(config).backbone
    convolution = keras.Model(backbone.input, backbone.get_layer("block1_conv").output)
    seen = convolution.predict_on_batch(data.pixels[data.learn].astype(np.float32) / 127.5 - 1)
    first = next(layer for layer in backbone.layers
                 if isinstance(layer, keras.layers.BatchNormalization))  # fmt: skip
    kept = {weight.path: np.asarray(weight).copy() for weight in backbone.weights
            if "moving" not in weight.path}  # fmt: skip
    before = np.asarray(first.moving_mean).copy()
    take_statistics(backbone, config, data)
    found, expected = np.asarray(first.moving_mean), seen.mean((0, 1, 2))
    # Pictures are drawn, so the mean is about theirs: nearer by far than it was.
    assert np.abs(found - expected).max() < 0.2 * np.abs(before - expected).max()
    for weight in backbone.weights:
        if weight.path in kept:
            np.testing.assert_array_equal(np.asarray(weight), kept[weight.path])
    assert first.momentum == 0.99
    assert all(layer.trainable for layer in backbone.layers)


def test_the_same_seed_gives_the_same_statistics(tmp_path):
    config, data = tiny_config(tmp_path), drawn_pictures()
    found = []
    for _ in range(2):
        backbone = fresh_network(config).backbone
        take_statistics(backbone, config, data)
        found.append(b"".join(np.asarray(weight).tobytes() for weight in backbone.weights))
    assert found[0] == found[1]


def test_what_was_frozen_stays_frozen(tmp_path):
    config, data = tiny_config(tmp_path), drawn_pictures()
    backbone = fresh_network(config).backbone
    backbone.get_layer("block1_conv").trainable = False
    take_statistics(backbone, config, data)
    assert not backbone.get_layer("block1_conv").trainable
    assert backbone.get_layer("block2_conv").trainable
