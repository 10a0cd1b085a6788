"""How a picture becomes network input, as data: one recipe serves training and serving alike."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

from leukemia_app.errors import RecipeError

PREPROCESSING_VERSION = 1
"""Raised whenever the code behind a recipe changes what comes out; part of every digest."""

CHOICES: Mapping[str, tuple[object, ...]] = {
    "input": ("field", "cell"),
    "colour": ("rgb", "grey"),
    "denoise": ("none", "median", "bilateral"),
    "segmentation": ("none", "clahe_otsu", "stain"),
    "fit": ("stretch", "pad", "crop"),
    "interpolation": ("area", "bilinear"),
    "scaling": ("none", "signed_unit", "caffe"),
    "views": (1, 2, 4, 8),
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a picture becomes network input; stored in the bundle, applied unchanged."""

    input: str
    """What the picture shows: a `field` of many cells, or one `cell`."""
    side_px: int
    """Side of the square input, in pixels; 32 to 1024."""
    colour: str = "rgb"
    """`rgb`, or `grey`: luminance repeated in three channels."""
    denoise: str = "none"
    """`median` (3x3) or `bilateral` (d 5, sigma 25), before anything is measured."""
    segmentation: str = "none"
    """The method that finds the cell for cropping and blanking."""
    crop_margin: float | None = None
    """Room kept round the segmented cell, as a part of its longer side; None keeps the scale."""
    blank_background: bool = False
    """Whether pixels outside the segmented cells become black."""
    window: float = 1.0
    """Side of the central square that is kept, as a part of the shorter side; 1 keeps all."""
    fit: str = "stretch"
    """How a picture that is not square becomes so: `stretch`, `pad` with black, `crop`."""
    interpolation: str = "area"
    """`area` averages when shrinking and is bilinear when enlarging; `bilinear` always."""
    scaling: str = "signed_unit"
    """`none` 0..255, `signed_unit` x/127.5-1, `caffe` BGR minus the ImageNet mean."""
    views: int = 1
    """Turned and mirrored copies whose logits are averaged; cells have no upright."""

    def __post_init__(self) -> None:
        """Refuse any value that no step understands."""
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            # True and 1.0 equal 1, but would be written otherwise and so change the digest.
            if not any(type(value) is type(choice) and value == choice for choice in allowed):
                listed = ", ".join(map(str, allowed))
                raise RecipeError(f"recipe.{name} is {value!r}; use one of {listed}.")
        if type(self.side_px) is not int or not 32 <= self.side_px <= 1024:
            raise RecipeError(f"recipe.side_px is {self.side_px!r}; use 32 to 1024.")
        if self.crop_margin is not None and not _is_number(self.crop_margin, 0, 2):
            raise RecipeError(f"recipe.crop_margin is {self.crop_margin!r}; use 0 to 2, or none.")
        if not _is_number(self.window, 0.1, 1):
            raise RecipeError(f"recipe.window is {self.window!r}; use 0.1 to 1.")
        if type(self.blank_background) is not bool:
            raise RecipeError(
                f"recipe.blank_background is {self.blank_background!r}; use true or false."
            )
        # A whole number and its float are one value: they must be one in the digest too.
        object.__setattr__(self, "window", float(self.window))
        if self.crop_margin is not None:
            object.__setattr__(self, "crop_margin", float(self.crop_margin))
        if self.segmentation == "none" and (self.crop_margin is not None or self.blank_background):
            raise RecipeError(
                "recipe.segmentation is 'none', but crop_margin or blank_background needs a cell; "
                "choose a segmentation method."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, in the order of the fields."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """The recipe that `to_dict` described; unknown keys are refused by name."""
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise RecipeError(f"recipe has unknown keys: {', '.join(unknown)}.")
        missing = sorted({"input", "side_px"} - set(values))
        if missing:
            raise RecipeError(f"recipe lacks {', '.join(missing)}.")
        return cls(**values)

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON and the preprocessing version, as 64 hex digits."""
        canonical = json.dumps(
            {"recipe": self.to_dict(), "version": PREPROCESSING_VERSION},
            sort_keys=True,
            separators=(",", ":"),
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


def _is_number(value: object, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= cast(float, value) <= high
