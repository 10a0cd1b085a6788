"""Layers that a stranger's network may be made of, and the settings that each may have. Pure.

What is not named here is refused, not looked up: Keras finds any importable thing by its name.
"""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], Any]
"""Gives the setting's clean value; a ValueError says in words what is allowed."""

LEFT_OUT = object()
"""Stands for a setting that may only be as it always is."""
MAX_WIDTH = 16_384
"""Filters or units of one layer; the widest of any known image network has 4,096."""
MAX_REACH = 1_024
"""Pixels that a window, a step, a margin or a crop may have."""
ACTIVATIONS: Mapping[str, str] = {
    name: name
    for name in (
        "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "leaky_relu", "linear",
        "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus",
        "softsign", "tanh",
    )
} | {"swish": "silu", "hard_swish": "hard_silu"}  # fmt: skip
"""By their name in a file: the name that they have today."""


def activation(value: Any) -> str:
    """An activation by its name; in newer files it is an object that holds it."""
    if isinstance(value, Mapping):
        kind, module = value.get("class_name"), value.get("module")
        is_function = kind == "function" and module in (None, "builtins", "keras.activations")
        value = value.get("config") if is_function else value.get("class_name")
    if value is None:
        return "linear"
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise ValueError(f"one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[value]


def flag(value: Any) -> bool:
    """A switch."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def only(*allowed: Any) -> Check:
    """Some values that change nothing: the setting is checked and left out."""

    def check(value: Any) -> Any:
        if not any(type(value) is type(each) and value == each for each in allowed):
            raise ValueError(" or ".join(repr(each) for each in allowed))
        return LEFT_OUT

    return check


def choice(*allowed: str) -> Check:
    """One of some words."""

    def check(value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return value

    return check


def whole(least: int, most: int) -> Check:
    """A whole number."""

    def check(value: Any) -> Any:
        # Keras 2 now and then writes 64.0.
        number = int(value) if type(value) is float and value.is_integer() else value
        if type(number) is not int or not least <= number <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return number

    return check


def wholes(least: int, most: int, depth: int = 1) -> Check:
    """A whole number, or up to four of them, or of such lists where `depth` is 2."""
    one = whole(least, most)

    def check(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return one(value)
        if not 1 <= len(value) <= 4:
            raise ValueError("one to four numbers")
        inner = wholes(least, most, depth - 1) if depth > 1 else one
        return tuple(inner(each) for each in value)

    return check


def number(least: float, most: float) -> Check:
    """A number."""

    def check(value: Any) -> float:
        if type(value) not in (int, float) or not least <= value <= most:
            raise ValueError(f"a number from {least:g} to {most:g}")
        return float(value)

    return check


def numbers(least: float, most: float) -> Check:
    """A number, or one a channel."""
    one = number(least, most)

    def check(value: Any) -> Any:
        while isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        # Some files hold an array as an object of its own.
        if isinstance(value, Mapping):
            inner = value.get("config", {})
            value = inner.get("value") if isinstance(inner, Mapping) else None
        if isinstance(value, list | tuple):
            if len(value) > 4:
                raise ValueError("one to four numbers")
            return [one(each) for each in value]
        return one(value)

    return check


def or_none(check: Check) -> Check:
    """Nothing, or what `check` allows."""
    return lambda value: None if value is None else check(value)


def axes(value: Any) -> Any:
    """An axis, or some."""
    found = wholes(-4, 4)(value)
    return found[0] if isinstance(found, tuple) and len(found) == 1 else found


_WINDOW = wholes(1, MAX_REACH)
_PADDING = choice("valid", "same")
_KERNEL = {"kernel_size": _WINDOW, "strides": _WINDOW, "padding": _PADDING,
           "dilation_rate": _WINDOW, "activation": activation, "use_bias": flag}  # fmt: skip
_WIDTH = whole(1, MAX_WIDTH)
_NORM = {"axis": axes, "epsilon": number(0, 1), "center": flag, "scale": flag}
_POOL = {"pool_size": _WINDOW, "strides": or_none(_WINDOW), "padding": _PADDING}
_GLOBAL = {"keepdims": flag}
_SLOPE = number(-10, 10)

LAYERS: Mapping[str, Mapping[str, Check]] = {
    "Activation": {"activation": activation},
    "Add": {},
    "Average": {},
    "AveragePooling2D": _POOL,
    "BatchNormalization": {**_NORM, "momentum": number(0, 1), "renorm": only(False)},
    "CenterCrop": {"height": whole(1, MAX_REACH), "width": whole(1, MAX_REACH)},
    "Concatenate": {"axis": axes},
    "Conv2D": {**_KERNEL, "filters": _WIDTH, "groups": _WIDTH},
    "Conv2DTranspose": {**_KERNEL, "filters": _WIDTH, "output_padding": or_none(_WINDOW),
                        "groups": only(1)},
    "Cropping2D": {"cropping": wholes(0, MAX_REACH, 2)},
    "Dense": {"units": _WIDTH, "activation": activation, "use_bias": flag},
    "DepthwiseConv2D": {**_KERNEL, "depth_multiplier": whole(1, 64), "groups": only(1),
                        "filters": only(None)},
    "ELU": {"alpha": _SLOPE},
    "Flatten": {},
    "GlobalAveragePooling1D": _GLOBAL,
    "GlobalAveragePooling2D": _GLOBAL,
    "GlobalMaxPooling1D": _GLOBAL,
    "GlobalMaxPooling2D": _GLOBAL,
    "GroupNormalization": {**_NORM, "groups": whole(-1, MAX_WIDTH)},
    "LayerNormalization": {**_NORM, "rms_scaling": only(False)},
    "LeakyReLU": {"negative_slope": _SLOPE, "alpha": _SLOPE},
    "MaxPooling2D": _POOL,
    "Maximum": {},
    "Minimum": {},
    "MultiHeadAttention": {
        "num_heads": whole(1, 64), "key_dim": whole(1, 4_096),
        "value_dim": or_none(whole(1, 4_096)), "dropout": number(0, 1), "use_bias": flag,
        "use_gate": only(False), "output_shape": only(None), "attention_axes": or_none(axes),
        "sliding_window": only(None), "flash_attention": only(None, False),
    },
    "Multiply": {},
    "Normalization": {"axis": or_none(axes), "mean": or_none(numbers(-1e6, 1e6)),
                      "variance": or_none(numbers(0, 1e9)), "invert": only(False)},
    "PReLU": {"shared_axes": or_none(axes)},
    "Permute": {"dims": wholes(1, 4)},
    "ReLU": {"max_value": or_none(number(0, 1e4)), "negative_slope": _SLOPE,
             "threshold": number(-1e4, 1e4)},
    "Rescaling": {"scale": numbers(-1e4, 1e4), "offset": numbers(-1e4, 1e4)},
    "Reshape": {"target_shape": wholes(-1, 4_194_304)},
    "Resizing": {"height": whole(1, MAX_REACH), "width": whole(1, MAX_REACH),
                 "interpolation": choice("bilinear", "nearest"),
                 "crop_to_aspect_ratio": only(False), "pad_to_aspect_ratio": only(False),
                 "antialias": only(False), "fill_mode": choice("constant"),
                 "fill_value": number(0, 0)},
    "SeparableConv2D": {**_KERNEL, "filters": _WIDTH, "depth_multiplier": whole(1, 64),
                        "groups": only(1)},
    "Softmax": {"axis": axes},
    "Subtract": {},
    "UnitNormalization": {"axis": axes},
    "UpSampling2D": {"size": wholes(1, 64), "interpolation": choice("nearest", "bilinear")},
    "ZeroPadding2D": {"padding": wholes(0, MAX_REACH, 2)},
}  # fmt: skip
"""By the kind of layer: its settings. What says nothing about an answer is left out everywhere."""

ALIASES: Mapping[str, str] = {
    "AvgPool2D": "AveragePooling2D", "Convolution2D": "Conv2D", "DepthwiseConvolution2D":
    "DepthwiseConv2D", "GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalMaxPool2D":
    "GlobalMaxPooling2D", "MaxPool2D": "MaxPooling2D", "SeparableConvolution2D": "SeparableConv2D",
    "BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
}  # fmt: skip

INERT = frozenset({
    "ActivityRegularization", "AlphaDropout", "AugMix", "CutMix", "Dropout",
    "GaussianDropout", "GaussianNoise", "Identity", "MixUp", "RandAugment",
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast",
    "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation",
    "RandomZoom", "SpatialDropout2D",
})  # fmt: skip
"""At work only while a network learns: their settings are not read at all."""

OPERATIONS: Mapping[str, str] = {
    "Abs": "abs", "Absolute": "absolute", "Add": "add", "Divide": "divide", "Exp": "exp",
    "Log": "log", "Maximum": "maximum", "Minimum": "minimum", "Multiply": "multiply",
    "Negative": "negative", "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid",
    "Silu": "silu", "Sqrt": "sqrt", "Square": "square", "Subtract": "subtract", "Tanh": "tanh",
    "TrueDivide": "true_divide",
}  # fmt: skip
"""Arithmetic written between layers, by its name in the file: the function of `keras.ops`."""

MODEL_KINDS: Mapping[str, str] = {
    "Functional": "functional", "Model": "functional", "Sequential": "sequential",
}  # fmt: skip

OWN_LAYERS: Mapping[str, str] = {"leukemia_app>Positions": "Positions"}
"""Registered layers of this app's own networks."""

NOT_READ = frozenset({
    "activity_regularizer", "autocast", "batch_input_shape", "batch_shape", "batch_size",
    "beta_constraint", "bias_constraint", "fused", "gamma_constraint", "input_dim",
    "input_shape", "kernel_constraint", "lora_alpha", "lora_rank", "name", "noise_shape",
    "ragged", "renorm_clipping", "renorm_momentum", "seed", "sparse", "supports_masking",
    "synchronized", "trainable", "virtual_batch_size", "adjustment", "input_spec",
})  # fmt: skip
"""Settings that change no answer of a finished network."""

INITIALIZERS = frozenset({
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomNormal",
    "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "glorot_normal",
    "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform",
    "ones", "orthogonal", "random_normal", "random_uniform", "truncated_normal",
    "variance_scaling", "zeros", "uniform", "normal", "zero", "one",
})  # fmt: skip
REGULARIZERS = frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer", "l1", "l2", "l1_l2"})
CONSTRAINTS = frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"})
HELD: Mapping[str, frozenset[str]] = {
    "_initializer": INITIALIZERS, "_regularizer": REGULARIZERS, "_constraint": CONSTRAINTS,
}  # fmt: skip
"""Objects within a layer by the end of their setting's name: known ones, which are then dropped."""
