"""Known disturbances of a picture, each at five fixed strengths, to see what a model relies on.

Names and idea follow MedMNIST-C's BloodMNIST (Di Salvo et al. 2024, arXiv 2406.17536); the
strengths are this project's own numbers, fixed before any model was trained, but for those of
`background_blanking`, which came later and goes by fifths.
"""

import io
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from PIL import Image

from leukemia_app.imaging.picture import FloatArray, UInt8Array
from leukemia_app.imaging.segment import segment

REFERENCE_SIDE_PX = 224
"""Lengths below are pixels of a picture this wide; they grow and shrink with the picture."""
STAIN_GAIN_SD = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Standard deviation of the logarithm of each channel's gain in optical density."""
STAIN_OFFSET_SD = (0.015, 0.03, 0.045, 0.06, 0.075)
"""Standard deviation of each channel's offset in optical density."""
GREY_MIX = (0.2, 0.4, 0.6, 0.8, 1.0)
DIMMING = (0.85, 0.7, 0.6, 0.5, 0.4)
BAR_PART = (0.1, 0.14, 0.18, 0.22, 0.26)
"""Height of the masked bottom right corner, where scale bars are, as a part of the picture."""
BLUR_SIGMA_PX = (0.6, 1.2, 1.8, 2.4, 3.0)
JPEG_QUALITY = (50, 20, 15, 10, 7)
PIXELATE = (0.8, 0.6, 0.45, 0.33, 0.25)
MOTION_PX = (3, 5, 7, 9, 11)
BRIGHTER = (1.1, 1.2, 1.25, 1.3, 1.4)
CONTRAST_UP = (1.1, 1.2, 1.4, 1.6, 2.0)
CONTRAST_DOWN = (0.9, 0.8, 0.7, 0.6, 0.5)
SATURATION = (1.2, 1.4, 1.6, 1.8, 2.0)
STAIN_DEPOSITS = (1, 2, 4, 6, 8)
BUBBLE_PART = (0.1, 0.15, 0.2, 0.25, 0.3)
NOISE_SD = (4, 8, 12, 18, 26)
ROTATION_DEGREES = (15, 30, 45, 60, 90)
DEFOCUS_RADIUS_PX = (1.0, 1.6, 2.2, 3.0, 4.0)
BACKGROUND_MIX = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of one colour, the background's median, in all that is no cell."""
QUOTED_STRENGTH: Mapping[str, int] = {
    "stain_shift": 2, "grey": 5, "dimming": 2, "bar_masking": 2, "blur": 2, "jpeg": 2,
}  # fmt: skip
"""The strength at which cards quote each of the six disturbances that models are held to."""

Corruption = Callable[[UInt8Array, int, np.random.Generator], UInt8Array]


def corrupt(pixels: UInt8Array, name: str, strength: int, rng: np.random.Generator) -> UInt8Array:
    """A disturbed copy of (rows, columns, 3) uint8 RGB; `strength` is 1 to 5."""
    if name not in CORRUPTIONS:
        raise ValueError(f"corruption is {name!r}; use one of {', '.join(CORRUPTIONS)}.")
    if strength not in range(1, 6):
        raise ValueError(f"strength is {strength}; use 1 to 5.")
    return CORRUPTIONS[name](pixels, strength - 1, rng)


def shift_stain(pixels: UInt8Array, gains: FloatArray, offsets: FloatArray) -> UInt8Array:
    """The picture as another stain would colour it: density * gain + offset, channel by channel.

    Density is -log10((value + 1) / 256). `gains` and `offsets` are (3,) float, RGB.
    Source: Tellez et al. 2019, arXiv 1902.06543, here per channel, not per stain.
    """
    values = np.arange(256, dtype=np.float32)
    density = -np.log10((values + 1) / 256)  # (256,)
    shifted = density[None, :, None] * gains + offsets  # (1, 256, 3)
    table = np.clip(256 * 10.0**-shifted - 1, 0, 255).round().astype(np.uint8)
    # A data set's own black background carries no stain and stays black.
    table[:, :1] = 0
    made: UInt8Array = cv2.LUT(pixels, table)
    return made


def _stain_shift(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    gains = np.exp(rng.normal(0, STAIN_GAIN_SD[level], 3)).astype(np.float32)
    offsets = rng.normal(0, STAIN_OFFSET_SD[level], 3).astype(np.float32)
    return shift_stain(pixels, gains, offsets)


def _grey(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, axis=2)
    made: UInt8Array = cv2.addWeighted(pixels, 1 - GREY_MIX[level], grey, GREY_MIX[level], 0)
    return made


def _gain(pixels: UInt8Array, gain: float) -> UInt8Array:
    made: UInt8Array = cv2.convertScaleAbs(pixels, alpha=gain)
    return made


def _dimming(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    return _gain(pixels, DIMMING[level])


def _brightness_up(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    return _gain(pixels, BRIGHTER[level])


def _bar_masking(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    return mask_bar(pixels, BAR_PART[level])


def mask_bar(pixels: UInt8Array, part: float) -> UInt8Array:
    """The picture with its bottom right corner, twice as wide as high, in its median colour."""
    masked = pixels.copy()
    rows, columns = pixels.shape[:2]
    masked[-max(1, round(rows * part)) :, -max(1, round(columns * 2 * part)) :] = np.median(
        pixels, axis=(0, 1)
    ).astype(np.uint8)
    return masked


def _blur(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    made: UInt8Array = cv2.GaussianBlur(pixels, (0, 0), BLUR_SIGMA_PX[level] * _scale(pixels))
    return made


def _defocus_blur(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    radius = DEFOCUS_RADIUS_PX[level] * _scale(pixels)
    reach = int(np.ceil(radius))
    row, column = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(row, column), 0, 1).astype(np.float32)
    made: UInt8Array = cv2.filter2D(pixels, -1, disc / disc.sum())
    return made


def _motion_blur(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    length = max(3, round(MOTION_PX[level] * _scale(pixels)) | 1)
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(0, 180), 1)
    line = cv2.warpAffine(line, turn, (length, length))
    made: UInt8Array = cv2.filter2D(pixels, -1, line / line.sum())
    return made


def _jpeg(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    return compress_jpeg(pixels, JPEG_QUALITY[level])


def compress_jpeg(pixels: UInt8Array, quality: int) -> UInt8Array:
    """The picture after JPEG compression; `quality` is 1 to 95."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    made: UInt8Array = np.asarray(Image.open(buffer))
    return made


def _pixelate(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    rows, columns = pixels.shape[:2]
    small = (max(1, round(columns * PIXELATE[level])), max(1, round(rows * PIXELATE[level])))
    coarse = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
    made: UInt8Array = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_NEAREST)
    return made


def _contrast(pixels: UInt8Array, factor: float) -> UInt8Array:
    mean = pixels.mean()
    made: UInt8Array = cv2.convertScaleAbs(np.clip((pixels - mean) * factor + mean, 0, 255))
    return made


def _contrast_up(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    return _contrast(pixels, CONTRAST_UP[level])


def _contrast_down(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    return _contrast(pixels, CONTRAST_DOWN[level])


def _saturation(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, axis=2)
    made: UInt8Array = cv2.addWeighted(pixels, SATURATION[level], grey, 1 - SATURATION[level], 0)
    return made


def _stain_deposit(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    spotted = pixels.copy()
    rows, columns = pixels.shape[:2]
    for _ in range(STAIN_DEPOSITS[level]):
        centre = (int(rng.integers(columns)), int(rng.integers(rows)))
        radius = max(1, round(rng.uniform(1.5, 5) * _scale(pixels)))
        cv2.circle(spotted, centre, radius, (70, 40, 90), -1, cv2.LINE_AA)
    return spotted


def _bubble(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    rows, columns = pixels.shape[:2]
    radius = round(min(rows, columns) * BUBBLE_PART[level])
    centre = (int(rng.integers(columns)), int(rng.integers(rows)))
    disc = np.zeros((rows, columns), np.uint8)
    cv2.circle(disc, centre, radius, 255, -1)
    soft = cv2.GaussianBlur(pixels, (0, 0), 2.5 * _scale(pixels))
    bubbled = np.where(disc[..., None] > 0, cv2.convertScaleAbs(soft, alpha=0.9, beta=25), pixels)
    cv2.circle(bubbled, centre, radius, (60, 60, 60), max(1, radius // 12), cv2.LINE_AA)
    return bubbled


def _noise(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    noisy = pixels + rng.normal(0, NOISE_SD[level], pixels.shape)
    return np.clip(noisy, 0, 255).round().astype(np.uint8)


def _rotation(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    rows, columns = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), ROTATION_DEGREES[level], 1)
    made: UInt8Array = cv2.warpAffine(
        pixels, turn, (columns, rows), borderMode=cv2.BORDER_REFLECT_101
    )
    return made


def _background_blanking(pixels: UInt8Array, level: int, rng: np.random.Generator) -> UInt8Array:
    inside = segment(pixels, "stain").cells > 0
    outside = pixels[~inside] if not inside.all() else pixels.reshape(-1, 3)
    mix = BACKGROUND_MIX[level]
    blanked = pixels * (1 - mix) + np.median(outside, axis=0) * mix
    return np.where(inside[..., None], pixels, np.rint(blanked)).astype(np.uint8)


def _scale(pixels: UInt8Array) -> float:
    return float(min(pixels.shape[:2])) / REFERENCE_SIDE_PX


CORRUPTIONS: Mapping[str, Corruption] = {
    "stain_shift": _stain_shift,
    "grey": _grey,
    "dimming": _dimming,
    "bar_masking": _bar_masking,
    "blur": _blur,
    "jpeg": _jpeg,
    "pixelate": _pixelate,
    "defocus_blur": _defocus_blur,
    "motion_blur": _motion_blur,
    "brightness_up": _brightness_up,
    "contrast_up": _contrast_up,
    "contrast_down": _contrast_down,
    "saturation": _saturation,
    "stain_deposit": _stain_deposit,
    "bubble": _bubble,
    "noise": _noise,
    "rotation": _rotation,
    "background_blanking": _background_blanking,
}
STRENGTHS = range(1, 6)
EVERY = tuple((name, strength) for name in CORRUPTIONS for strength in STRENGTHS)
"""Each corruption at each strength."""
