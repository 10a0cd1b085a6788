"""Backbones: from a square picture to a feature map.

Adding one is a function, and a line in each table: what it eats, how large, and its blocks.
Keras is imported where a network is built: the page and the command line list names without it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def baseline_cnn(side_px: int) -> "keras.Model":
    """Four blocks of 3x3 convolution, batch normalisation, ReLU and 2x2 pooling.

    (batch, side, side, 3) in -1..1 to (batch, side/16, side/16, 256).
    """
    import keras

    images = keras.Input((side_px, side_px, 3))
    features = images
    for number, filters in enumerate((32, 64, 128, 256), start=1):
        features = keras.layers.Conv2D(
            filters, 3, padding="same", use_bias=False, name=f"block{number}_conv"
        )(features)
        features = keras.layers.BatchNormalization()(features)
        features = keras.layers.ReLU()(features)
        features = keras.layers.MaxPooling2D()(features)
    return keras.Model(images, features, name="baseline_cnn")


def mobilenet(side_px: int) -> "keras.Model":
    """MobileNet v1, width 1: (batch, side, side, 3) in -1..1 to (batch, side/32, side/32, 1024).

    Source: Howard et al. 2017, arXiv 1704.04861, as built by keras.applications.
    """
    import keras

    return keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(side_px, side_px, 3), name="mobilenet"
    )


def efficientnetb0(side_px: int) -> "keras.Model":
    """EfficientNetB0: (batch, side, side, 3) in 0..255 to (batch, side/32, side/32, 1280).

    It rescales inside its graph, so the recipe's scaling must be `none`.
    Source: Tan & Le 2019, arXiv 1905.11946, as built by keras.applications.
    """
    import keras

    return keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(side_px, side_px, 3), name="efficientnetb0"
    )


def vgg16(side_px: int) -> "keras.Model":
    """VGG16: (batch, side, side, 3) BGR about the ImageNet mean to (…, side/32, side/32, 512).

    Source: Simonyan & Zisserman 2015, arXiv 1409.1556, as built by keras.applications.
    """
    import keras

    return keras.applications.VGG16(
        include_top=False, weights=None, input_shape=(side_px, side_px, 3), name="vgg16"
    )


def resnet50(side_px: int) -> "keras.Model":
    """ResNet50: (batch, side, side, 3) BGR about the ImageNet mean to (…, side/32, side/32, 2048).

    Source: He et al. 2016, arXiv 1512.03385, as built by keras.applications.
    """
    import keras

    return keras.applications.ResNet50(
        include_top=False, weights=None, input_shape=(side_px, side_px, 3), name="resnet50"
    )


def inceptionv3(side_px: int) -> "keras.Model":
    """InceptionV3: (batch, side, side, 3) in -1..1 to (batch, rows, columns, 2048).

    8 rows and columns at 299 px. Keras leaves most layers without a lasting name; here each
    block's first layer gets one, so that a training can say where it begins.
    Source: Szegedy et al. 2016, arXiv 1512.00567, as built by keras.applications.
    """
    import keras

    network = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(side_px, side_px, 3), name="inceptionv3"
    )
    layers = network.layers
    places = {layer.name: place for place, layer in enumerate(layers)}
    pools = [
        place for place, layer in enumerate(layers) if isinstance(layer, keras.layers.MaxPooling2D)
    ]
    # The stem ends with the second pooling, every other block with the layer named after it.
    ends = [0, pools[1], *(places[f"mixed{number}"] for number in range(10))]
    for end, name in zip(ends, BLOCKS["inceptionv3"], strict=True):
        layers[end + 1].name = name
    return network


def vit(side_px: int) -> "keras.Model":
    """A small vision transformer: (batch, side, side, 3) in -1..1 to (…, side/16, side/16, 192).

    Source: Dosovitskiy et al. 2021, arXiv 2010.11929; our own, of plain layers.
    """
    from leukemia_app.networks.vit import vision_transformer

    return vision_transformer(side_px)


BACKBONES: Mapping[str, Callable[[int], "keras.Model"]] = {
    "baseline_cnn": baseline_cnn,
    "mobilenet": mobilenet,
    "efficientnetb0": efficientnetb0,
    "vgg16": vgg16,
    "resnet50": resnet50,
    "inceptionv3": inceptionv3,
    "vit": vit,
}
"""Each builds its network with random weights for a side in pixels; its name is the key."""

SCALINGS: Mapping[str, str] = {
    "baseline_cnn": "signed_unit",
    "mobilenet": "signed_unit",
    "efficientnetb0": "none",
    "vgg16": "caffe",
    "resnet50": "caffe",
    "inceptionv3": "signed_unit",
    "vit": "signed_unit",
}
"""The recipe scaling that each backbone was made for."""

SIDES: Mapping[str, int] = {
    "baseline_cnn": 200,
    "mobilenet": 224,
    "efficientnetb0": 224,
    "vgg16": 224,
    "resnet50": 224,
    "inceptionv3": 299,
    "vit": 224,
}
"""The side in pixels that each backbone was made for."""

SMALLEST_SIDES: Mapping[str, int] = {
    "baseline_cnn": 32,
    "mobilenet": 32,
    "efficientnetb0": 32,
    "vgg16": 32,
    "resnet50": 32,
    "inceptionv3": 75,
    "vit": 32,
}
"""The side in pixels under which nothing is left of the map."""

BLOCKS: Mapping[str, tuple[str, ...]] = {
    "baseline_cnn": tuple(f"block{number}_conv" for number in range(1, 5)),
    "mobilenet": ("conv1", *(f"conv_dw_{number}" for number in range(1, 14))),
    "efficientnetb0": (
        "stem_conv", "block1a_dwconv", *(f"block{number}a_expand_conv" for number in range(2, 8)),
        "top_conv",
    ),
    "vgg16": tuple(f"block{number}_conv1" for number in range(1, 6)),
    "resnet50": ("conv1_conv", *(f"conv{number}_block1_1_conv" for number in range(2, 6))),
    "inceptionv3": ("stem_first", *(f"mixed{number}_first" for number in range(11))),
    "vit": ("patches", *(f"block{number}_norm1" for number in range(1, 7))),
}  # fmt: skip
"""Name of the first layer with weights of each block, from the input to the map."""
