"""Write a run's report as a file: gather, make small pictures, lay out."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from leukemia_app.errors import ImageError, RunError
from leukemia_app.evaluation.run_gallery import chosen
from leukemia_app.evaluation.run_report import run_report
from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.imaging.picture import UInt8Array
from leukemia_app.training.results import gather
from leukemia_app.training.run_folder import RunFolder

FILE = "report/report.html"
THUMBNAIL_PX = 144
JPEG_QUALITY = 82
MOST_THUMBNAILS = 240
"""Small pictures in one report, the most wrong first: about 5 KB each."""


def write_report(folder: RunFolder, *, state: str | None = None) -> Path:
    """Write report/report.html of a run, as far as it came, and return where it lies.

    `state` is the one to be told where the run is about to enter it.

    Raises:
        RunError: the folder holds no run that can be read, or the file cannot be written.
    """
    results = gather(folder)
    if state is not None:
        results = replace(results, state=state)
    made_at = time.strftime("%d %B %Y, %H:%M")
    text = run_report(results, thumbnails_of(results), made_at=made_at)
    target = folder.path / FILE
    draft = target.with_name("report.html.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise RunError(
            f"{target} cannot be written ({error.strerror or error}). Make room, then ask for the "
            "report again."
        ) from error
    return target


def thumbnails_of(results: RunResults) -> dict[str, bytes]:
    """Small JPEG files of the pictures that a report shows, by file; a lost one is left out.

    They are drawn anew, so nothing of the original file but its pixels comes along.
    """
    files = [item.file for item in chosen(results)[:MOST_THUMBNAILS]]
    return small_pictures(Path(str(results.config["data"])), files)


def small_pictures(folder: Path, files: Sequence[str]) -> dict[str, bytes]:
    """Small JPEG files of pictures below `folder`, by file; one that cannot be read is left out."""
    made: dict[str, bytes] = {}
    for file in files:
        try:
            made[file] = small_jpeg(read_picture(folder / file).pixels)
        except (ImageError, OSError):
            continue
    return made


def small_jpeg(pixels: UInt8Array, longest_px: int = THUMBNAIL_PX) -> bytes:
    """The picture (rows, columns, 3) with its longest side at most that long, as a JPEG file."""
    small = np.ascontiguousarray(thumbnail(pixels, longest_px)[..., ::-1])
    written, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not written:
        raise ValueError(f"a picture of {small.shape} could not be written as JPEG.")
    return bytes(data)
