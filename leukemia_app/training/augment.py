"""Disturbed copies of training pictures, so that stain, sharpness and file traces say nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from leukemia_app.errors import RunError
from leukemia_app.evaluation.corruptions import compress_jpeg, mask_bar, shift_stain
from leukemia_app.imaging.picture import UInt8Array
from leukemia_app.training.checks import Ranges, check_keys, check_kinds, check_ranges

REFERENCE_SIDE_PX = 224
LEAST_BLUR_PX, LEAST_NOISE = 0.3, 1
"""Where blur and noise begin when there is any."""
HIGHEST_QUALITY = 90
"""JPEG copies have a quality under this."""
RANGES: Ranges = {
    "rotation_degrees": (0, 180), "zoom": (0, 1), "shear": (0, 1), "shift": (0, 1),
    "stain_gain_sd": (0, 2), "stain_offset_sd": (0, 1), "stain_probability": (0, 1),
    "grey_probability": (0, 1), "brightness": (0, 2), "contrast": (0, 2),
    "blur_sigma_px": (0, 50), "jpeg_quality": (0, HIGHEST_QUALITY - 1), "noise_sd": (0, 128),
    "bar_probability": (0, 1), "cutout": (0, 1),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Augment:
    """How strongly training pictures are disturbed; 0 switches a step off."""

    rotation_degrees: float = 180
    """Largest turn either way."""
    flip: bool = True
    zoom: float = 0.1
    """Largest change of scale, as the logarithm of the factor."""
    shear: float = 0.0
    shift: float = 0.05
    """Largest shift, as a part of the side."""
    stain_gain_sd: float = 0.25
    """Standard deviation of the logarithm of each channel's gain in optical density."""
    stain_offset_sd: float = 0.04
    stain_probability: float = 0.8
    grey_probability: float = 0.2
    brightness: float = 0.35
    """Largest change of light, as the logarithm of the factor."""
    contrast: float = 0.0
    """Largest change of the distance from the picture's mean, as the logarithm of the factor."""
    blur_sigma_px: float = 1.8
    """Largest blur at 224 px; a third of the pictures get some."""
    jpeg_quality: int = 15
    """Lowest quality; a third of the pictures are compressed. 0 switches it off."""
    noise_sd: float = 8
    """Largest noise in grey levels; a quarter of the pictures get some."""
    bar_probability: float = 0.3
    """Share of pictures whose bottom right corner is masked before anything else."""
    cutout: float = 0.0
    """Side of a square in the median colour, as a part of the side; half the pictures get one."""
    black_border: bool = False
    """What a turn brings in: black, or the mirrored picture."""

    def __post_init__(self) -> None:
        """Refuse strengths that no picture can be disturbed with."""
        check_kinds(self, "augment.")
        check_ranges(self, RANGES, "augment.")
        for name, least in (("blur_sigma_px", LEAST_BLUR_PX), ("noise_sd", LEAST_NOISE)):
            if 0 < getattr(self, name) < least:
                raise RunError(f"augment.{name} is {getattr(self, name)}; use 0 for none, or "
                               f"{least} and more.")  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Augment":
        """What `to_dict` described; unknown keys are refused by name."""
        check_keys(cls, values, "augment")
        return cls(**values)


def augment(pixels: UInt8Array, how: Augment, rng: np.random.Generator) -> UInt8Array:
    """A disturbed copy of (side, side, 3) uint8 RGB; the same generator state, the same copy."""
    if rng.random() < how.bar_probability:
        pixels = mask_bar(pixels, rng.uniform(0.1, 0.2))
    pixels = _move(pixels, how, rng)
    if rng.random() < how.stain_probability:
        gains = np.exp(rng.normal(0, how.stain_gain_sd, 3)).astype(np.float32)
        offsets = rng.normal(0, how.stain_offset_sd, 3).astype(np.float32)
        pixels = shift_stain(pixels, gains, offsets)
    if rng.random() < how.grey_probability:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, axis=2)
    if how.brightness:
        pixels = cv2.convertScaleAbs(
            pixels, alpha=float(np.exp(rng.uniform(-how.brightness, how.brightness / 2)))
        )
    if how.contrast:
        pixels = _stretch_greys(pixels, float(np.exp(rng.uniform(-how.contrast, how.contrast))))
    return _degrade(pixels, how, rng)


def _stretch_greys(pixels: UInt8Array, factor: float) -> UInt8Array:
    mean = float(pixels.mean())
    greys = np.clip((np.arange(256) - mean) * factor + mean, 0, 255).round().astype(np.uint8)
    # As with stain, a data set's own black background stays black.
    greys[0] = 0
    made: UInt8Array = cv2.LUT(pixels, greys)
    return made


def _move(pixels: UInt8Array, how: Augment, rng: np.random.Generator) -> UInt8Array:
    side = pixels.shape[0]
    if how.flip and rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    angle = rng.uniform(-how.rotation_degrees, how.rotation_degrees)
    factor = float(np.exp(rng.uniform(-how.zoom, how.zoom)))
    turn = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle, factor)
    slant = np.array([[1, rng.uniform(-how.shear, how.shear), 0], [0, 1, 0], [0, 0, 1]])
    turn = turn @ slant
    turn[:, 2] += rng.uniform(-how.shift, how.shift, 2) * side
    border = cv2.BORDER_CONSTANT if how.black_border else cv2.BORDER_REFLECT_101
    moved: UInt8Array = cv2.warpAffine(
        np.ascontiguousarray(pixels), turn, (side, side), borderMode=border
    )
    return moved


def _degrade(pixels: UInt8Array, how: Augment, rng: np.random.Generator) -> UInt8Array:
    side = pixels.shape[0]
    if how.blur_sigma_px and rng.random() < 1 / 3:
        sigma = rng.uniform(LEAST_BLUR_PX, how.blur_sigma_px) * side / REFERENCE_SIDE_PX
        pixels = cv2.GaussianBlur(pixels, (0, 0), sigma)
    if how.noise_sd and rng.random() < 1 / 4:
        noise = rng.standard_normal(pixels.shape, np.float32)
        noise *= rng.uniform(LEAST_NOISE, how.noise_sd)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if how.jpeg_quality and rng.random() < 1 / 3:
        pixels = compress_jpeg(pixels, int(rng.integers(how.jpeg_quality, HIGHEST_QUALITY)))
    if how.cutout and rng.random() < 0.5:
        pixels = pixels.copy()
        hole = round(side * how.cutout)
        top, left = rng.integers(0, side - hole + 1, 2)
        pixels[top : top + hole, left : left + hole] = np.median(pixels, axis=(0, 1))
    return pixels
