"""What the settings of a training and their choices are called."""

from collections.abc import Callable, Mapping
from math import exp

MORE = "More settings"
AUGMENT = "Augmentation"
AUGMENT_WORDS = (
    "Each time the network sees a picture of the training part, it sees a disturbed copy, so that "
    "what is disturbed cannot tell it the class. On the left a picture of yours as the network "
    "sees it, then the same picture disturbed by this kind alone."
)
NO_PICTURE = "None of your pictures can be shown here."
SEEN = "How a picture of yours becomes what the network sees"
RESET = "as the preset has it: {value}"
RESET_ALL: Mapping[str, str] = {
    "more": "All of these settings as the preset has them",
    "augment": "The whole augmentation as the preset has it",
}
"""Takes back what was changed in a fold."""
CHANGED_ONE, CHANGED_MANY = "1 changed", "{n} changed"
BASELINES = "Classical models on the same split, for comparison"
ON, OFF, NO_VALUE = "on", "off", "none"
PREPARED: Mapping[str, str] = {
    "picture": "as given", "denoised": "noise corrected", "cells": "cells", "cropped": "cut",
    "network input": "what the network sees",
}  # fmt: skip

PICTURE, NETWORK, TRAINING, DATA = (
    "The picture", "The network", "The training", "Which pictures, how often",
)  # fmt: skip
COLOURS: Mapping[str, str] = {"rgb": "colour", "grey": "grey"}
DENOISE: Mapping[str, str] = {
    "none": "none", "median": "median of 3 × 3", "bilateral": "bilateral, keeps edges",
}  # fmt: skip
SEGMENTATION: Mapping[str, str] = {
    "none": "none", "stain": "by stain", "clahe_otsu": "CLAHE and Otsu",
}  # fmt: skip
FITS: Mapping[str, str] = {
    "stretch": "stretch it", "pad": "add black", "crop": "cut it square",
}  # fmt: skip
VIEWS: Mapping[str, str] = {"1": "1", "2": "2", "4": "4", "8": "8"}
WHOLE_NETWORK = "the first: the whole network"
NORMALISATION = "none: its normalisation alone"
PRECISIONS: Mapping[str, str] = {
    "auto": "the faster here", "float32": "32 bit", "bfloat16": "16 bit (bfloat16)",
}  # fmt: skip
OPTIMIZERS: Mapping[str, str] = {"adamw": "AdamW", "adam": "Adam"}
SCHEDULES: Mapping[str, str] = {
    "cosine": "falls as a cosine", "plateau": "is cut on a plateau",
}  # fmt: skip
BALANCES: Mapping[str, str] = {
    "class": "each class counts the same",
    "group": "each class, and each patient in it, counts the same",
    "none": "each picture counts the same",
}

KINDS: Mapping[str, str] = {
    "rotation": "Rotation", "flip": "Mirror", "zoom": "Zoom", "shear": "Shear", "shift": "Shift",
    "stain": "Stain shift", "grey": "Grey", "brightness": "Brightness", "contrast": "Contrast",
    "blur": "Blur", "noise": "Noise", "jpeg": "JPEG traces", "bar": "Hidden scale bar",
    "cutout": "Cutout",
}  # fmt: skip
STRENGTHS: Mapping[str, tuple[str, float]] = {
    "rotation_degrees": ("up to, °", 5), "flip": ("", 1), "zoom": ("strength", 0.02),
    "shear": ("slope", 0.02), "shift": ("part of the side", 0.01),
    "stain_probability": ("share of pictures", 0.05), "stain_gain_sd": ("gain", 0.05),
    "stain_offset_sd": ("offset", 0.01), "grey_probability": ("share of pictures", 0.05),
    "brightness": ("strength", 0.05), "contrast": ("strength", 0.05),
    "blur_sigma_px": ("up to, px", 0.1), "noise_sd": ("up to, grey levels", 1),
    "jpeg_quality": ("lowest quality", 5), "bar_probability": ("share of pictures", 0.05),
    "cutout": ("part of the side", 0.05),
}  # fmt: skip
"""What each strength is called, and its step."""
OTHERS: Mapping[str, str] = {
    "backbone": "Network", "head": "Head", "start": "Start from", "recipe.input": "A picture shows",
    "recipe.scaling": "Scaling of the input", "recipe.interpolation": "How a picture is shrunk",
    "keep_head": "Head taken over from the start",
    "keep_start": "Start kept where no epoch is better",
    "own_statistics": "Normalisation first set to these pictures",
    "controls": "Controls", "baselines": "Classical models",
    "shares": "Shares of training, validation and test",
    "split": "Split", "folds": "Folds", "fold": "Fold that is kept back",
    "scope_block": "Block that tells what is out of scope",
    "answered_error": "Wrong answers allowed", "sensitivity": "Sensitivity that is kept",
}  # fmt: skip
"""What settings are called that the form has not."""
BORDER = "What a turn or shift brings in is black, not the mirrored picture"


def block(name: str, number: int, n_blocks: int) -> str:
    """A block of a backbone, and how much of it is tuned from there on."""
    return f"{name} ({n_blocks - number} of {n_blocks} blocks)"


def strength(kind: str, values: Mapping[str, float]) -> str:
    """What a kind's strengths do, in words; `values` by the names of `Augment`'s fields."""
    value = next(iter(values.values()))
    said: Mapping[str, Callable[[], str]] = {
        "rotation": lambda: f"by up to {value:g}° either way",
        "flip": lambda: "left to right, half the pictures",
        "zoom": lambda: f"× {exp(-value):.2f} to {exp(value):.2f}",
        "shear": lambda: f"slanted by up to {100 * value:.0f} % of the height",
        "shift": lambda: f"by up to {100 * value:.0f} % of the side",
        "stain": lambda: f"{100 * value:.0f} % of the pictures, in most of these the density of "
                         f"each colour × {exp(-values['stain_gain_sd']):.2f} to "
                         f"{exp(values['stain_gain_sd']):.2f}",
        "grey": lambda: f"{100 * value:.0f} % of the pictures",
        "brightness": lambda: f"× {exp(-value):.2f} to {exp(value / 2):.2f}",
        "contrast": lambda: f"× {exp(-value):.2f} to {exp(value):.2f}",
        "blur": lambda: f"up to {value:g} px at 224 px, a third of the pictures",
        "noise": lambda: f"up to {value:g} grey levels, a quarter of the pictures",
        "jpeg": lambda: f"quality {value:g} to 89, a third of the pictures",
        "bar": lambda: f"the bottom right corner of {100 * value:.0f} % of the pictures",
        "cutout": lambda: f"a square of {100 * value:.0f} % of the side, half the pictures",
    }  # fmt: skip
    return said[kind]()


def tiles(kind: str, n_copies: int) -> str:
    """What a strip of pictures shows, for those who hear it."""
    return f"{KINDS[kind]}: a picture of yours, and {n_copies} disturbed copies of it"
