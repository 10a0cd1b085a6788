"""How a picture becomes a model's input, in words, for the page, the commands and the card. Pure.

An imported network scales its input itself, so its recipe says `none`: the words tell what the
network's own layers get.
"""

from collections.abc import Mapping

from leukemia_app.bundles.checkpoint_network import SCALINGS
from leukemia_app.bundles.spec import Spec
from leukemia_app.imaging.recipe import Recipe

FITS: Mapping[str, str] = {
    "stretch": "stretched",
    "pad": "padded with black to a square and brought",
    "crop": "cut to its central square and brought",
}
INTERPOLATIONS: Mapping[str, str] = {
    "bilinear": "bilinear",
    "area": "averaged where it shrinks and bilinear where it grows",
}


def input_words(spec: Spec) -> str:
    """What is done to a picture, and which values the network's own layers then get."""
    return f"{_pixels(spec)}; {_values(spec)}"


def side_words(side_px: int, interpolation: str) -> str:
    """The square that every picture is brought to, and how."""
    return f"{side_px} × {side_px} px, {INTERPOLATIONS[interpolation]}"


def _pixels(spec: Spec) -> str:
    recipe, wish = spec.recipe, spec.network.backbone_arguments
    steps = []
    if recipe.denoise != "none":
        steps.append(f"denoised ({recipe.denoise})")
    if recipe.blank_background:
        steps.append("made black outside its cells")
    steps.append(f"{_cut(recipe)} to {side_words(recipe.side_px, recipe.interpolation)}")
    if recipe.colour == "grey":
        steps.append("made grey")
    told = ", ".join(steps)
    rows, columns = wish.get("rows"), wish.get("columns")
    if type(rows) is int and type(columns) is int:
        told += f", and in the network to {rows} × {columns} px"
    return told


def _cut(recipe: Recipe) -> str:
    if recipe.crop_margin is not None:
        return (
            "cut to a square round its main cell, with room of "
            f"{100 * recipe.crop_margin:.0f} % of the cell's longer side, and brought"
        )
    if recipe.window < 1:
        return (
            f"cut to its central square of {100 * recipe.window:.0f} % of the shorter side and "
            "brought"
        )
    return FITS[recipe.fit]


def _values(spec: Spec) -> str:
    wish = spec.network.backbone_arguments
    scaling = spec.recipe.scaling if spec.network.is_rebuildable else wish.get("scaling")
    # Of a stranger's bundle it may be anything.
    if not isinstance(scaling, str) or scaling not in SCALINGS:
        return "the range of its values is not stated"
    if scaling == "caffe":
        return f"values as {SCALINGS[scaling]}"
    swapped = ", in the order blue, green, red" if wish.get("colour") == "bgr" else ""
    return f"values {'with ' if scaling == 'torch' else 'from '}{SCALINGS[scaling]}{swapped}"
