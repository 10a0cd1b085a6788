"""Each kind of disturbance alone: what it is made of, how it is switched off, and how it looks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from leukemia_app.imaging.picture import UInt8Array
from leukemia_app.training.augment import REFERENCE_SIDE_PX, Augment, augment

KINDS: Mapping[str, tuple[str, ...]] = {
    "rotation": ("rotation_degrees",),
    "flip": ("flip",),
    "zoom": ("zoom",),
    "shear": ("shear",),
    "shift": ("shift",),
    "stain": ("stain_probability", "stain_gain_sd", "stain_offset_sd"),
    "grey": ("grey_probability",),
    "brightness": ("brightness",),
    "contrast": ("contrast",),
    "blur": ("blur_sigma_px",),
    "noise": ("noise_sd",),
    "jpeg": ("jpeg_quality",),
    "bar": ("bar_probability",),
    "cutout": ("cutout",),
}
"""The fields of `Augment` of each kind; the first switches it off, with 0 or false."""
USUAL: Mapping[str, float | bool] = {
    "rotation_degrees": 180, "flip": True, "zoom": 0.1, "shear": 0.1, "shift": 0.05,
    "stain_probability": 0.8, "stain_gain_sd": 0.25, "stain_offset_sd": 0.04,
    "grey_probability": 0.2, "brightness": 0.35, "contrast": 0.3, "blur_sigma_px": 1.8,
    "noise_sd": 8, "jpeg_quality": 15, "bar_probability": 0.3, "cutout": 0.25,
}  # fmt: skip
"""A strength to begin with, of those that a preset leaves out too."""
SHARES = ("stain_probability", "grey_probability", "bar_probability")
"""Say how many pictures are disturbed, not how strongly."""
CLOSE_UP = ("blur", "noise", "jpeg")
"""Shown as large as they are: shrunk, their traces would be gone."""
SHOWN = 5
"""Disturbed copies beside the picture itself."""
TILE_PX = 96
MOST_TRIES = 60
JPEG_QUALITY = 90


def nothing(black_border: bool = False) -> Augment:
    """Every kind switched off."""
    off: dict[str, Any] = {first: type(USUAL[first])(0) for first, *_ in KINDS.values()}
    return Augment(black_border=black_border, **off)


def is_on(how: Augment, kind: str) -> bool:
    """Whether the kind disturbs any picture."""
    return bool(getattr(how, KINDS[kind][0]))


def alone(how: Augment, kind: str) -> Augment:
    """That kind and no other, as strong as in `how`, or as usual where it is off there.

    It disturbs every picture, so that a strip of copies shows it.
    """
    fields = KINDS[kind]
    strengths: dict[str, Any] = {name: getattr(how, name) for name in fields}
    if not is_on(how, kind):
        strengths = {name: USUAL[name] for name in fields}
    strengths |= {name: 1.0 for name in fields if name in SHARES}
    return replace(nothing(how.black_border), **strengths)


def disturbed(pixels: UInt8Array, how: Augment, n_copies: int = SHOWN) -> Iterator[UInt8Array]:
    """Copies that differ from (side, side, 3) uint8 RGB, each of a seed of its own.

    Seeds that leave the picture as it is are passed over: some kinds disturb a third only. Where
    none disturbs it, as a mirror a symmetrical picture, the copies are the picture.
    """
    seeds = iter(range(MOST_TRIES))
    for left in range(n_copies, 0, -1):
        made = pixels
        for seed in seeds:
            made = augment(pixels, how, np.random.default_rng(seed))
            # As many seeds are kept for the others as they need at least.
            if seed >= MOST_TRIES - left or not np.array_equal(made, pixels):
                break
        yield made


def strip(pixels: UInt8Array, how: Augment, kind: str) -> bytes:
    """A JPEG file: the square picture as it is, then `SHOWN` copies disturbed by that kind alone.

    Tiles of 96 px stand side by side. The copies are made at the picture's own size, at most
    224 px, and then shrunk, or, where only pixels tell, cut out of the middle.
    """
    side = min(pixels.shape[0], REFERENCE_SIDE_PX)
    small: UInt8Array = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    tiles = [_tile(each, kind) for each in (small, *disturbed(small, alone(how, kind)))]
    row = np.concatenate(tiles, axis=1)[..., ::-1]
    _, file = cv2.imencode(".jpg", row, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return file.tobytes()


def _tile(pixels: UInt8Array, kind: str) -> UInt8Array:
    side = pixels.shape[0]
    if kind in CLOSE_UP and side > TILE_PX:
        first = (side - TILE_PX) // 2
        return pixels[first : first + TILE_PX, first : first + TILE_PX]
    tile: UInt8Array = cv2.resize(pixels, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
    return tile


def strips(pixels: UInt8Array, how: Augment) -> dict[str, bytes]:
    """A strip of each kind, by its name."""
    return {kind: strip(pixels, how, kind) for kind in KINDS}
