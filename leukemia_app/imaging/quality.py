"""Whether a picture is sharp, bright and rich enough to be read, measured without a model."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from leukemia_app.imaging.picture import UInt8Array

SIDE_MEASURED_PX = 512
"""A longer picture is shrunk to this side first: for speed, and so that cameras compare."""
SMALL_SIDE_PX = 64
"""Under this shorter side chromatin cannot be made out."""
REFER_SHARPNESS = 0.08
"""A straight edge blurred by 2.6 px measures this. The least of pbc is 0.172, of healthy 0.185,
of bcisc 0.139, of all4 0.128; truly soft pictures lie below it, three of 195 of allidb2 and one
of 6,869 of cnmc. None of 6,250 copies blurred by 6 px reached it, and 3 of 1,306 that had JPEG
at quality 75 or noise of 2 grey levels added."""
SOFT_SHARPNESS = 0.1
"""A straight edge blurred by 2.2 px measures this."""
DARK_BRIGHTNESS = 0.11
"""The least of cnmc, the darkest set, is 0.206; a tenth of the light leaves 0.1 or less."""
BRIGHT_FRACTION = 0.65
"""The most of healthy and all4, whose backgrounds are often blown out, is 0.319 and 0.313."""
WHITE_FRACTION = 0.95
"""Hardly anything is left to be seen."""
NO_CONTRAST = 0.1
"""A tenth of the contrast of any picture of the sets lies below this; see `LOW_CONTRAST`."""
LOW_CONTRAST = 0.16
"""The least of all4 is 0.235, of healthy 0.294, of cnmc 0.329, of allidb2 0.333, of pbc 0.365."""
GREY_CHROMA = 0.012
"""The least of healthy and all4, the palest sets, is 0.03; grey copies measure 0.

All these limits: `assess` over the six sets of whole pictures in ../shared/data, the folder
beside the checkout, 16,519 files, and over copies spoilt on purpose. 12 files had a finding,
all of them blur, and 4 a reason to refer."""

_CLIPPED_VALUE = 253
_FEWEST_PIXELS = 50
_MASK_EDGE_PX = 4
_FINE_SIGMA_PX, _COARSE_SIGMA_PX = 1.0, 2.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with a picture."""

    kind: str
    """`too small`, `dark`, `bright`, `low contrast`, `blurred` or `grey`."""
    sentence: str
    """What is wrong and what to do, for the person at the screen."""
    refer: bool
    """Whether it is so wrong that a model should not answer."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What was measured on the visible pixels: all but the exactly black ones.

    Masked sets have a black background and slide cameras a black border; neither is smear.
    """

    sharpness: float
    """Part of the fine edges that one more slight blur takes away, 0 to 1; see `assess`."""
    brightness: float
    """Mean of each pixel's largest channel, 0 black to 1 white."""
    contrast: float
    """From the 1st to the 99th percentile of the channel where that is widest, 0 to 1."""
    chroma: float
    """Mean of each pixel's largest channel less its smallest, 0 grey to 1."""
    clipped_fraction: float
    """Part of the pixels that are white in all channels, where detail may be lost; 0 to 1."""
    findings: tuple[Finding, ...] = ()


def assess(pixels: UInt8Array) -> Quality:
    """How well a picture can be read; `pixels` is (rows, columns, 3) uint8 RGB, left unchanged.

    Sharpness is 1 - g(2) / g(1), g(s) the root mean square gradient of the luminance after a
    Gaussian blur of s pixels: one more blur takes much from a sharp picture and little from a
    blurred one. A straight edge that was itself blurred by b pixels measures
    1 - ((b² + 1) / (b² + 4))^(1/4). Beginning at 1 pixel, not 0, keeps camera noise and JPEG
    blocks from passing for detail. Source: after Crété et al., "The blur effect", SPIE 6492
    (2007), who blur once more and compare.
    """
    shown, seen = _shrunk(pixels)
    channels = cv2.split(shown)
    largest = _masked(cv2.max(cv2.max(channels[0], channels[1]), channels[2]), seen)
    smallest = _masked(cv2.min(cv2.min(channels[0], channels[1]), channels[2]), seen)
    n_seen = largest.size if seen is None else cv2.countNonZero(seen)
    brightest, palest = (cv2.sumElems(part)[0] / n_seen for part in (largest, smallest))
    clipped = cv2.compare(smallest, _CLIPPED_VALUE, cv2.CMP_GE)
    measured = Quality(
        sharpness=_sharpness(shown, seen),
        brightness=brightest / 255,
        contrast=max(_spread(channel, seen) for channel in channels) / 255,
        chroma=(brightest - palest) / 255,
        clipped_fraction=cv2.countNonZero(clipped) / n_seen,
    )
    return replace(measured, findings=tuple(_findings(measured, *pixels.shape[:2])))


def _shrunk(pixels: UInt8Array) -> tuple[UInt8Array, UInt8Array | None]:
    """The picture, at most `SIDE_MEASURED_PX` long, and 255 where it holds nothing masked.

    None in place of the mask where all pixels count: the usual case, and several times faster.
    """
    black_part = cv2.inRange(pixels, (0, 0, 0), (0, 0, 0))  # (rows, columns), 0 or 255
    rows, columns = black_part.shape
    factor = SIDE_MEASURED_PX / max(rows, columns)
    if factor < 1:
        size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
        black_part = cv2.resize(black_part, size, interpolation=cv2.INTER_AREA)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    n_black = cv2.countNonZero(black_part)
    if n_black == 0 or black_part.size - n_black < _FEWEST_PIXELS:
        return pixels, None  # all black: so let it be measured
    return pixels, np.asarray(cv2.compare(black_part, 0, cv2.CMP_EQ))


def _masked(values: UInt8Array, seen: UInt8Array | None) -> UInt8Array:
    """The values with 0 where nothing is seen."""
    return values if seen is None else np.asarray(cv2.bitwise_and(values, seen))


def _spread(values: UInt8Array, seen: UInt8Array | None) -> int:
    """From the 1st to the 99th percentile, by nearest rank."""
    counts = cv2.calcHist([values], [0], seen, [256], [0, 256]).ravel()
    below = np.cumsum(counts, dtype=np.float64)
    low, high = np.searchsorted(below, (0.01 * below[-1], 0.99 * below[-1]))
    return int(high - low)


def _sharpness(shown: UInt8Array, seen: UInt8Array | None) -> float:
    counted = seen
    if seen is not None:
        side = 2 * _MASK_EDGE_PX + 1
        # The edge of a mask is the sharpest line of all, and no lens drew it.
        inner = cv2.erode(seen, np.ones((side, side), np.uint8))
        counted = inner if cv2.countNonZero(inner) >= _FEWEST_PIXELS else seen
    grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY).astype(np.float32)
    blurred, step = np.empty((2, *grey.shape), np.float32)  # used again while the cache holds them
    roots = []
    for sigma_px in (_FINE_SIGMA_PX, _COARSE_SIGMA_PX):
        cv2.GaussianBlur(grey, (0, 0), sigma_px, dst=blurred)
        across = cv2.norm(cv2.Sobel(blurred, cv2.CV_32F, 1, 0, dst=step), cv2.NORM_L2, counted)
        down = cv2.norm(cv2.Sobel(blurred, cv2.CV_32F, 0, 1, dst=step), cv2.NORM_L2, counted)
        roots.append(math.hypot(across, down))
    fine, coarse = roots
    return max(0.0, 1 - coarse / fine) if fine > 0 else 0.0


def _findings(measured: Quality, rows: int, columns: int) -> Iterator[Finding]:
    """What is wrong, worst light first: in the dark neither focus nor colour can be judged."""
    if min(rows, columns) < SMALL_SIDE_PX:
        yield Finding(
            kind="too small",
            sentence=f"The picture has only {columns} x {rows} pixels: too few to show chromatin. "
            f"Use one of at least {SMALL_SIDE_PX} x {SMALL_SIDE_PX}.",
            refer=False,
        )
    light = _light_finding(measured)
    if light is not None:
        yield light
        if light.refer:
            return
    if measured.contrast < LOW_CONTRAST:
        is_flat = measured.contrast < NO_CONTRAST
        yield Finding(
            kind="low contrast",
            sentence="The picture has hardly any contrast. Check the stain, the light and the "
            "field, and take it again.",
            refer=is_flat,
        )
        if is_flat:
            return
    if measured.sharpness < SOFT_SHARPNESS:
        is_blurred = measured.sharpness < REFER_SHARPNESS
        how = "badly blurred" if is_blurred else "somewhat soft"
        yield Finding(
            kind="blurred",
            sentence=f"The picture is {how}. Focus and take it again.",
            refer=is_blurred,
        )
    if measured.chroma < GREY_CHROMA:
        yield Finding(
            kind="grey",
            sentence="The picture has no colour, so its stain cannot be seen. "
            "Use the colour picture if there is one.",
            refer=False,
        )


def _light_finding(measured: Quality) -> Finding | None:
    if measured.brightness < DARK_BRIGHTNESS:
        return Finding(
            kind="dark",
            sentence="The picture is nearly black. Take it again with more light.",
            refer=True,
        )
    if measured.clipped_fraction > BRIGHT_FRACTION:
        return Finding(
            kind="bright",
            sentence=f"White without detail fills {measured.clipped_fraction:.0%} of the picture. "
            "Take it again with less light, or cut the empty part off.",
            refer=measured.clipped_fraction > WHITE_FRACTION,
        )
    return None
