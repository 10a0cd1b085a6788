"""Training pictures, decoded and prepared once, as 8-bit arrays on disk."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leukemia_app.data.manifest import Manifest, Row
from leukemia_app.errors import DatasetError, ImageError
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.picture import UInt8Array, pixels_digest
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class PixelCache:
    """Prepared pictures of a manifest; row i of `pixels` belongs to row i of `rows`.

    `pixels` is (n_images, side, side, 3) uint8 RGB, read from disk as needed;
    `digests` holds the sha256 of each decoded picture's pixels.
    """

    rows: tuple[Row, ...]
    pixels: UInt8Array
    digests: tuple[str, ...]
    problems: tuple[str, ...]
    """One sentence for each file that was left out."""


def cache_pixels(
    manifest: Manifest,
    recipe: Recipe,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PixelCache:
    """The prepared pictures of every row, made once in `folder` and found again by digest.

    Raises:
        DatasetError: not one picture could be read.
    """
    key = hashlib.sha256(
        json.dumps([recipe.digest, [row.file for row in manifest.rows]]).encode()
    ).hexdigest()[:16]
    facts_path = folder / f"{key}.json"
    if not facts_path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _fill(manifest, recipe, folder / key, progress)
    facts = json.loads(facts_path.read_text(encoding="utf-8"))
    by_file = {row.file: row for row in manifest.rows}
    return PixelCache(
        rows=tuple(by_file[file] for file in facts["files"]),
        pixels=np.load(folder / f"{key}.npy", mmap_mode="r", allow_pickle=False),
        digests=tuple(facts["digests"]),
        problems=tuple(facts["problems"]),
    )


def _fill(
    manifest: Manifest, recipe: Recipe, stem: Path, progress: Callable[[int, int], None]
) -> None:
    def one(row: Row) -> tuple[UInt8Array, str] | str:
        try:
            picture = read_picture(manifest.path(row))
            return prepare(picture, recipe).pixels, pixels_digest(picture)
        except ImageError as error:
            return str(error)

    files: list[str] = []
    digests: list[str] = []
    problems: list[str] = []
    shape = (len(manifest.rows), recipe.side_px, recipe.side_px, 3)
    draft = stem.with_suffix(".npy.part")
    pixels = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=shape)
    with ThreadPoolExecutor(2) as pool:
        for done, (row, made) in enumerate(
            zip(manifest.rows, pool.map(one, manifest.rows), strict=True), 1
        ):
            if isinstance(made, str):
                problems.append(made)
            else:
                pixels[len(files)] = made[0]
                files.append(row.file)
                digests.append(made[1])
            progress(done, len(manifest.rows))
    if not files:
        raise DatasetError(f"Not one picture in {manifest.folder} can be read. {problems[0]}")
    pixels.flush()
    draft.replace(stem.with_suffix(".npy"))
    facts = {"files": files, "digests": digests, "problems": problems}
    draft.write_text(json.dumps(facts), encoding="utf-8")
    draft.replace(stem.with_suffix(".json"))


def targets(rows: Sequence[Row], labels: Sequence[str]) -> np.ndarray:
    """Number of each row's label, (n_images,) int64.

    Raises:
        DatasetError: a row has a label that is not among `labels`.
    """
    index = {label: number for number, label in enumerate(labels)}
    for row in rows:
        if row.label not in index:
            raise DatasetError(
                f"{row.file} has the label {row.label!r}, which is not among {', '.join(labels)}."
            )
    return np.array([index[row.label] for row in rows], np.int64)
