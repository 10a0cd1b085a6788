"""From a picture to network input, exactly as the recipe says; used by serving and training."""

from dataclasses import dataclass

import cv2
import numpy as np

from leukemia_app.imaging.picture import FloatArray, Picture, UInt8Array
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.imaging.segment import Segmentation, segment

CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
"""Source: keras.applications.imagenet_utils, mode "caffe"."""
MAX_PADDED_PIXELS = 100_000_000
"""Boxes with more pixels that reach outside the picture are shrunk before they are padded: one bar
across a picture of 16,000 x 4,000, a file of 0.8 MB, else asks for 24,000 x 24,000."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of the way, to be shown. `pixels` is (rows, columns, 3) uint8 RGB."""

    name: str
    pixels: UInt8Array


@dataclass(frozen=True, kw_only=True)
class Box:
    """A part of the picture, in its pixels; bottom and right are the first ones outside."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Network input and how it came about.

    `pixels` is (side, side, 3) uint8 RGB, what the network sees before scaling;
    `tensor` is (side, side, 3) float32, scaled as the recipe says.
    """

    pixels: UInt8Array
    tensor: FloatArray
    stages: tuple[Stage, ...]
    segmentation: Segmentation | None
    box: Box
    remarks: tuple[str, ...] = ()


def prepare(picture: Picture, recipe: Recipe) -> Prepared:
    """Network input for one picture; the picture stays unchanged."""
    stages = [Stage(name="picture", pixels=picture.pixels)]
    pixels = _denoise(picture.pixels, recipe.denoise)
    if recipe.denoise != "none":
        stages.append(Stage(name="denoised", pixels=pixels))
    found = None
    if recipe.segmentation != "none":
        found = segment(pixels, recipe.segmentation)
        masked = np.where((found.cells > 0)[..., None], pixels, 0).astype(np.uint8)
        stages.append(Stage(name="cells", pixels=masked))
        if recipe.blank_background and found.count:
            pixels = masked
    box = _box(pixels, recipe, found)
    remarks = _remarks(recipe, found)
    pixels = _cut(pixels, box)
    if pixels.shape != picture.pixels.shape:
        stages.append(Stage(name="cropped", pixels=pixels))
    pixels = resize(_fit(pixels, recipe.fit), recipe.side_px, recipe.interpolation)
    if recipe.colour == "grey":
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    stages.append(Stage(name="network input", pixels=pixels))
    return Prepared(
        pixels=pixels,
        tensor=scale(pixels, recipe.scaling),
        stages=tuple(stages),
        segmentation=found,
        box=box,
        remarks=remarks,
    )


def scale(pixels: UInt8Array, scaling: str) -> FloatArray:
    """Network values of 8-bit ones, (…, 3) float32; the input stays unchanged.

    `none` keeps 0..255, `signed_unit` gives -1..1, `caffe` gives BGR about -124..151.
    """
    values = pixels.astype(np.float32)
    if scaling == "signed_unit":
        values /= np.float32(127.5)
        values -= np.float32(1)
    if scaling == "caffe":
        return values[..., ::-1] - np.array(CAFFE_MEAN_BGR, np.float32)
    return values


def resize(pixels: UInt8Array, side_px: int, interpolation: str) -> UInt8Array:
    """The square picture at another side; (side_px, side_px, 3) uint8 RGB."""
    shrinks = min(pixels.shape[:2]) > side_px
    how = cv2.INTER_AREA if interpolation == "area" and shrinks else cv2.INTER_LINEAR
    resized: UInt8Array = cv2.resize(pixels, (side_px, side_px), interpolation=how)
    return resized


def views(tensor: FloatArray, count: int) -> FloatArray:
    """The tensor turned and mirrored, (count, side, side, 3); the first is the tensor itself.

    2 adds the half turn, 4 all quarter turns, 8 their mirror pictures.
    """
    quarter_turns = {1: (0,), 2: (0, 2)}.get(count, (0, 1, 2, 3))
    turned = [np.rot90(tensor, turns) for turns in quarter_turns]
    if count == 8:
        turned += [view[:, ::-1] for view in turned]
    return np.stack(turned)


def _remarks(recipe: Recipe, found: Segmentation | None) -> tuple[str, ...]:
    if found is None or found.count:
        return ()
    remarks = []
    if recipe.crop_margin is not None:
        part = "middle of the" if recipe.window < 1 else "whole"
        remarks.append(f"No cell was found, so the {part} picture was used.")
    if recipe.blank_background:
        remarks.append("No cell was found, so the background was not made black.")
    return tuple(remarks)


def _denoise(pixels: UInt8Array, how: str) -> UInt8Array:
    quieter = pixels
    if how == "median":
        quieter = cv2.medianBlur(pixels, 3)
    elif how == "bilateral":
        quieter = cv2.bilateralFilter(pixels, 5, 25, 25)
    return quieter


def _box(pixels: UInt8Array, recipe: Recipe, found: Segmentation | None) -> Box:
    rows, columns = pixels.shape[:2]
    if recipe.crop_margin is not None and found is not None and found.count:
        is_main = found.cells == found.main
        row, column = (np.flatnonzero(is_main.any(axis=axis)) for axis in (1, 0))
        top, bottom = int(row[0]), int(row[-1]) + 1
        left, right = int(column[0]), int(column[-1]) + 1
        side = max(bottom - top, right - left)
        side = int(np.ceil(side * (1 + 2 * recipe.crop_margin)))
        top, left = (top + bottom - side) // 2, (left + right - side) // 2
        return Box(top=top, left=left, bottom=top + side, right=left + side)
    if recipe.window < 1:
        side = max(1, round(min(rows, columns) * recipe.window))
        top, left = (rows - side) // 2, (columns - side) // 2
        return Box(top=top, left=left, bottom=top + side, right=left + side)
    return Box(top=0, left=0, bottom=rows, right=columns)


def _cut(pixels: UInt8Array, box: Box) -> UInt8Array:
    """The part in the box; what lies outside the picture repeats its edge.

    Boxes of more than `MAX_PADDED_PIXELS` come out with as many, unless they lie inside. At the
    usual margin of a quarter no photograph of up to 25 megapixels has one, so what comes out of a
    recipe is as it was, and `PREPROCESSING_VERSION` stays.
    """
    rows, columns = pixels.shape[:2]
    inside = pixels[max(box.top, 0) : box.bottom, max(box.left, 0) : box.right]
    down = (max(-box.top, 0), inside.shape[0], max(box.bottom - rows, 0))
    across = (max(-box.left, 0), inside.shape[1], max(box.right - columns, 0))
    if any((down[0], down[2], across[0], across[2])):
        shrink = (MAX_PADDED_PIXELS / (sum(down) * sum(across))) ** 0.5
        if shrink < 1:
            down, across = _shrunk(down, shrink), _shrunk(across, shrink)
            size = (across[1], down[1])
            inside = cv2.resize(np.ascontiguousarray(inside), size, interpolation=cv2.INTER_AREA)
        pad = (down[0], down[2], across[0], across[2])
        inside = cv2.copyMakeBorder(inside, *pad, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(inside)


def _shrunk(lengths: tuple[int, int, int], shrink: float) -> tuple[int, int, int]:
    """Lengths before, inside and after the picture at that scale; at least 1 stays inside."""
    before, inside, _ = lengths
    whole = max(1, int(sum(lengths) * shrink))
    start = min(round(before * shrink), whole - 1)
    end = min(max(round((before + inside) * shrink), start + 1), whole)
    return start, end - start, whole - end


def _fit(pixels: UInt8Array, fit: str) -> UInt8Array:
    rows, columns = pixels.shape[:2]
    if rows == columns or fit == "stretch":
        return pixels
    if fit == "crop":
        side = min(rows, columns)
        top, left = (rows - side) // 2, (columns - side) // 2
        return np.ascontiguousarray(pixels[top : top + side, left : left + side])
    side = max(rows, columns)
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - rows) // 2, (side - columns) // 2
    square[top : top + rows, left : left + columns] = pixels
    return square
