"""Whether a picture is sharp, bright and rich enough to be read, measured without a model."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray, UInt8Array

SIDE_MEASURED_PX = 512
"""A longer picture is shrunk to this side first: for speed, and so that cameras compare."""
SMALL_SIDE_PX = 64
"""Under this shorter side chromatin cannot be made out."""
REFER_SHARPNESS = 0.08
SOFT_SHARPNESS = 0.1
DARK_BRIGHTNESS = 0.13
BRIGHT_FRACTION = 0.65
WHITE_FRACTION = 0.95
NO_CONTRAST = 0.1
LOW_CONTRAST = 0.16
GREY_CHROMA = 0.012

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
    shown, visible = _shrunk(pixels)
    values = shown[visible]  # (n_visible, 3)
    if len(values) < _FEWEST_PIXELS:
        values = np.zeros((1, 3), np.uint8)
    largest, smallest = values.max(axis=1), values.min(axis=1)
    low, high = np.percentile(values, (1, 99), axis=0)
    measured = Quality(
        sharpness=_sharpness(shown, visible),
        brightness=float(largest.mean()) / 255,
        contrast=float((high - low).max()) / 255,
        chroma=float((largest - smallest).mean()) / 255,
        clipped_fraction=float((smallest >= _CLIPPED_VALUE).mean()),
    )
    return replace(measured, findings=tuple(_findings(measured, *pixels.shape[:2])))


def _shrunk(pixels: UInt8Array) -> tuple[UInt8Array, BoolArray]:
    """The picture, at most `SIDE_MEASURED_PX` long, and which pixels hold nothing masked."""
    is_black = (pixels.max(axis=2) == 0).astype(np.uint8)
    rows, columns = is_black.shape
    factor = SIDE_MEASURED_PX / max(rows, columns)
    if factor >= 1:
        return pixels, is_black == 0
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    black_part = cv2.resize(is_black * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), black_part == 0


def _sharpness(shown: UInt8Array, visible: BoolArray) -> float:
    side = 2 * _MASK_EDGE_PX + 1
    # The edge of a mask is the sharpest line of all, and no lens drew it.
    inner = cv2.erode(visible.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    counted = inner if np.count_nonzero(inner) >= _FEWEST_PIXELS else visible
    if np.count_nonzero(counted) < _FEWEST_PIXELS:
        return 0.0
    grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = _gradient(cv2.GaussianBlur(grey, (0, 0), _FINE_SIGMA_PX), counted)
    coarse = _gradient(cv2.GaussianBlur(grey, (0, 0), _COARSE_SIGMA_PX), counted)
    return max(0.0, 1 - coarse / fine) if fine > 0 else 0.0


def _gradient(grey: FloatArray, counted: BoolArray) -> float:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return float(np.sqrt((across**2 + down**2)[counted].mean()))


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
