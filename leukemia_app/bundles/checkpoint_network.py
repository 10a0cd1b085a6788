"""A stranger's network cut in two, as every network here is: a map, and a head that answers.

Needs Keras when called. What the network wants of a picture (scaling, order of colours, one
channel, sides that differ) becomes its first layers, so that it takes what the recipe gives:
0 to 255, red, green, blue.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leukemia_app.bundles.checkpoint_build import Builder, Step, write_plainly
from leukemia_app.bundles.checkpoint_plan import Plan

if TYPE_CHECKING:
    from leukemia_app.networks.build import Network

CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Source: keras.applications.imagenet_utils, modes "caffe" and "torch"."""
SCALINGS: Mapping[str, str] = {
    "none": "0 to 255, as the picture has them",
    "unit": "0 to 1 (divided by 255)",
    "signed_unit": "-1 to 1 (divided by 127.5, minus 1)",
    "caffe": "blue, green, red minus the ImageNet mean (VGG, ResNet)",
    "torch": "ImageNet mean 0 and deviation 1 (DenseNet)",
}
"""What a network may want its pixels to be."""
COLOURS = ("rgb", "bgr")
_BEFORE_A_MAP = frozenset({"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"})


def network_of(
    builder: Builder, plan: Plan, shape: tuple[int, int, int], scaling: str, colour: str
) -> "tuple[Network, Network | None]":
    """The network without a map, and with one where it has a last map of several places.

    `shape` is what the network takes, (rows, columns, channels). Both take pictures of
    (side, side, 3), 0 to 255, with the longer of the two sides.
    """
    import keras

    side_px = max(shape[:2])
    pictures = keras.Input((side_px, side_px, 3), name="pictures")
    builder.steps.clear()
    fitted = _fitted(pictures, shape, scaling, colour)
    logits = builder.flat(plan, fitted)
    steps = [*builder.steps]
    features = next((each for each in _cuts(fitted, steps, logits) if len(each.shape) == 2), logits)
    plain = _parted(pictures, _as_map(features), logits, features)
    mapped = next((each for each in _cuts(fitted, steps, logits) if _is_map(each)), None)
    if mapped is None or not _follows_convolution(mapped, steps):
        return plain, None
    at = next(at for at, step in enumerate(steps) if step.output is mapped)
    for step in steps[at + 1 :]:
        write_plainly(step.part)
    return plain, _parted(pictures, mapped, logits, None)


def _fitted(pictures: Any, shape: tuple[int, int, int], scaling: str, colour: str) -> Any:
    from keras import ops

    rows, columns, channels = shape
    values = pictures
    if scaling == "caffe" or colour == "bgr":
        values = ops.take(values, [2, 1, 0], axis=-1)
    if scaling == "unit":
        values = values / 255.0
    elif scaling == "signed_unit":
        values = values / 127.5 - 1.0
    elif scaling == "caffe":
        values = values - ops.convert_to_tensor([[[list(CAFFE_MEAN_BGR)]]], "float32")
    elif scaling == "torch":
        order = slice(None, None, -1 if colour == "bgr" else 1)
        mean = ops.convert_to_tensor([[[IMAGENET_MEAN[order]]]], "float32")
        deviation = ops.convert_to_tensor([[[IMAGENET_DEVIATION[order]]]], "float32")
        values = (values / 255.0 - mean) / deviation
    if channels == 1:
        values = values[..., :1]
    if rows != columns:
        values = ops.image.resize(values, (rows, columns))
    return values


def _cuts(first: Any, steps: Sequence[Step], logits: Any) -> Sequence[Any]:
    """Tensors that every way from the pictures to the logits passes, the last first."""
    last_use: dict[int, int] = {}
    for at, step in enumerate(steps):
        for source in step.inputs:
            last_use[id(source)] = at
    found = []
    # Steps stand in an order of computation: a tensor is a cut where none that was there before it
    # is used after it.
    open_until = last_use.get(id(first), -1)
    for at, step in enumerate(steps):
        if open_until <= at and step.output is not logits:
            found.append(step.output)
        open_until = max(open_until, last_use.get(id(step.output), -1))
    return found[::-1]


def _is_map(tensor: Any) -> bool:
    return len(tensor.shape) == 4 and min(tensor.shape[1:3]) > 1


def _follows_convolution(tensor: Any, steps: Sequence[Step]) -> bool:
    at = next(at for at, step in enumerate(steps) if step.output is tensor)
    return any(step.kind in _BEFORE_A_MAP for step in steps[: at + 1])


def _as_map(features: Any) -> Any:
    """Features as a map of one place, which shows nothing and serves as well."""
    import keras

    return keras.layers.Reshape((1, 1, features.shape[-1]), name="one_place")(features)


def _parted(pictures: Any, feature_map: Any, logits: Any, features: Any | None) -> "Network":
    import keras

    from leukemia_app.networks.build import Network

    if features is None:
        head = keras.Model(feature_map, logits, name="head")
    else:
        place = keras.Input(feature_map.shape[1:])
        flat = keras.layers.Reshape((features.shape[-1],), name="features")(place)
        rest = flat if features is logits else keras.Model(features, logits)(flat)
        head = keras.Model(place, rest, name="head")
    backbone = keras.Model(pictures, feature_map, name="imported")
    return Network(backbone=backbone, head=head, model=keras.Model(pictures, head(backbone.output)))
