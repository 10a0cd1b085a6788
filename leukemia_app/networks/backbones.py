"""Backbones: from a square picture to a feature map. Adding one is a function and a line."""

from collections.abc import Callable, Mapping

import keras


def baseline_cnn(side_px: int) -> keras.Model:
    """Four blocks of 3x3 convolution, batch normalisation, ReLU and 2x2 pooling.

    (batch, side, side, 3) in -1..1 to (batch, side/16, side/16, 256).
    """
    images = keras.Input((side_px, side_px, 3))
    features = images
    for filters in (32, 64, 128, 256):
        features = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(features)
        features = keras.layers.BatchNormalization()(features)
        features = keras.layers.ReLU()(features)
        features = keras.layers.MaxPooling2D()(features)
    return keras.Model(images, features, name="baseline_cnn")


def mobilenet(side_px: int) -> keras.Model:
    """MobileNet v1, width 1: (batch, side, side, 3) in -1..1 to (batch, side/32, side/32, 1024).

    Source: Howard et al. 2017, arXiv 1704.04861, as built by keras.applications.
    """
    return keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(side_px, side_px, 3)
    )


def efficientnetb0(side_px: int) -> keras.Model:
    """EfficientNetB0: (batch, side, side, 3) in 0..255 to (batch, side/32, side/32, 1280).

    It rescales inside its graph, so the recipe's scaling must be `none`.
    Source: Tan & Le 2019, arXiv 1905.11946, as built by keras.applications.
    """
    return keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(side_px, side_px, 3)
    )


BACKBONES: Mapping[str, Callable[[int], keras.Model]] = {
    "baseline_cnn": baseline_cnn,
    "mobilenet": mobilenet,
    "efficientnetb0": efficientnetb0,
}

SCALINGS: Mapping[str, str] = {
    "baseline_cnn": "signed_unit",
    "mobilenet": "signed_unit",
    "efficientnetb0": "none",
}
"""The recipe scaling that each backbone was made for."""
