"""Numbered regions of a picture: where each lies, and how outlines become regions."""

import cv2
import numpy as np

from leukemia_app.imaging.picture import FloatArray, Int32Array

Window = tuple[slice, slice]


def label_windows(labels: Int32Array) -> list[Window]:
    """Rows and columns that hold region 1, 2, …; empty slices for a number that is not there."""
    row, column = np.nonzero(labels > 0)
    numbers = labels[row, column]
    count = int(numbers.max(initial=0))
    spans = []
    for places, length in zip((row, column), labels.shape, strict=True):
        held = np.zeros((count + 1, length), bool)
        held[numbers, places] = True
        first, last = held.argmax(axis=1), length - held[:, ::-1].argmax(axis=1)
        spans.append((first, np.where(held.any(axis=1), last, 0)))
    (top, bottom), (left, right) = spans
    return [
        (slice(int(top[number]), int(bottom[number])), slice(int(left[number]), int(right[number])))
        for number in range(1, count + 1)
    ]


def nearest_label(labels: Int32Array) -> tuple[FloatArray, Int32Array]:
    """Distance in pixels to the nearest region and that region's number, each (rows, columns)."""
    distance, pixel = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    inside = labels > 0
    number_of = np.zeros(int(pixel.max()) + 1, np.int32)
    number_of[pixel[inside]] = labels[inside]
    return distance, number_of[pixel]


def paint_outlines(outlines: FloatArray, nuclei: Int32Array, nearest: Int32Array) -> Int32Array:
    """Region i + 1 inside outline i, with its nucleus; (rows, columns) int32.

    `outlines` is (n, points, 2) of column and row; `nearest` is the number of the nearest
    nucleus: where outlines overlap, the pixel goes to it.
    """
    cells = np.zeros(nuclei.shape, np.int32)
    rows, columns = nuclei.shape
    for number, outline in enumerate(np.round(outlines).astype(np.int32), 1):
        left, top = np.maximum(outline.min(axis=0), 0)
        right, bottom = np.minimum(outline.max(axis=0) + 1, (columns, rows))
        if right <= left or bottom <= top:
            continue
        filled = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(filled, [outline - (left, top)], 1)
        here = cells[top:bottom, left:right]
        take = (filled > 0) & ((here == 0) | (nearest[top:bottom, left:right] == number))
        here[take] = number
    inside = nuclei > 0
    cells[inside] = nuclei[inside]
    return cells
