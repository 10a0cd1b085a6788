"""What can be measured on one picture of a data set, small enough to be kept for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukemia_app.data.duplicates import Signatures, signature
from leukemia_app.data.marks import GRID, KINDS, frame_of, line_places
from leukemia_app.data.runs import look_of
from leukemia_app.imaging.picture import BoolArray, Picture, pixels_digest
from leukemia_app.imaging.quality import Finding, assess


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """One picture in about two kilobytes; arrays as bytes, see `signatures`, `looks`, `places`."""

    file: str
    """Path below the data folder, with forward slashes."""
    rows: int
    columns: int
    """Both as decoded, upright."""
    format: str
    """The container, as JPEG."""
    digest: str
    """sha256 of the decoded pixels."""
    sharpness: float
    brightness: float
    """Both as `imaging.quality.Quality` has them."""
    findings: tuple[Finding, ...]
    frame: str
    """One of `marks.FRAMES`."""
    signature: bytes
    look: bytes
    places: bytes


def facts_of(file: str, picture: Picture) -> PictureFacts:
    """Everything that is kept of a picture."""
    quality = assess(picture.pixels)
    rows, columns = picture.pixels.shape[:2]
    return PictureFacts(
        file=file, rows=rows, columns=columns, format=picture.source.format,
        digest=pixels_digest(picture), sharpness=quality.sharpness,
        brightness=quality.brightness, findings=quality.findings, frame=frame_of(picture.pixels),
        signature=signature(picture.pixels).tobytes(), look=look_of(picture.pixels).tobytes(),
        places=np.packbits(line_places(picture.pixels)).tobytes(),
    )  # fmt: skip


def signatures(facts: Sequence[PictureFacts]) -> Signatures:
    """Signatures of all pictures, (n_images, n_values) int8, for `duplicates.linked_groups`."""
    return np.stack([np.frombuffer(item.signature, np.int8) for item in facts])


def looks(facts: Sequence[PictureFacts]) -> NDArray[np.float32]:
    """Looks of all pictures, (n_images, n_values) float32, for `groups.suspected_groups`."""
    return np.stack([np.frombuffer(item.look, np.float32) for item in facts])


def places(facts: Sequence[PictureFacts]) -> BoolArray:
    """Line places of all pictures, (n_images, len(KINDS), GRID, GRID) bool, for `marks.marked`."""
    shape = (len(KINDS), GRID, GRID)
    packed = np.stack([np.frombuffer(item.places, np.uint8) for item in facts])
    return np.unpackbits(packed, axis=1).astype(bool).reshape(len(facts), *shape)
