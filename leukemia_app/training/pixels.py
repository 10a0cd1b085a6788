"""Training pictures, decoded and prepared once, as 8-bit arrays on disk."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from leukemia_app.data.duplicates import near_duplicate_groups
from leukemia_app.data.manifest import Manifest, Row, read_manifest
from leukemia_app.errors import DatasetError, ImageError
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.picture import UInt8Array, pixels_digest
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.config import RunConfig
from leukemia_app.training.disk import require_space

Progress = Callable[[int, int], None]
"""Called with the number of pictures done and of all."""


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


def pictures_of(
    config: RunConfig, folder: Path, progress: Progress = lambda done, total: None
) -> tuple[Manifest, PixelCache]:
    """A run's manifest, and its prepared pictures, which are kept in `folder`.

    Where neither groups nor parts are known, near duplicates are put into one group: it is all
    that can be known.

    Raises:
        DatasetError: the data set cannot be used, or not one picture can be read.
    """
    groups = Path(config.groups) if config.groups else None
    manifest = read_manifest(Path(config.data), groups, config.group_level)
    cache = cache_pixels(manifest, config.recipe, folder, progress)
    knows_nothing = all(row.group == row.file and not row.part for row in manifest.rows)
    return manifest, _grouped_by_likeness(cache) if knows_nothing else cache


def _grouped_by_likeness(cache: PixelCache) -> PixelCache:
    numbers = near_duplicate_groups(cache.pixels)
    rows = [
        replace(row, group=cache.rows[number].file)
        for row, number in zip(cache.rows, numbers, strict=True)
    ]
    return replace(cache, rows=tuple(rows))


def cache_pixels(
    manifest: Manifest,
    recipe: Recipe,
    folder: Path,
    progress: Progress = lambda done, total: None,
) -> PixelCache:
    """The prepared pictures of every row, made once in `folder` and found again.

    A file that was changed since is prepared again, with all others.

    Raises:
        DatasetError: not one picture could be read.
        RunError: the disk has no room for them.
    """
    key = _key(manifest, recipe)
    facts_path = folder / f"{key}.json"
    if not facts_path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _fill(manifest, recipe, folder / key, progress)
    facts = json.loads(facts_path.read_text(encoding="utf-8"))
    by_file = {row.file: row for row in manifest.rows}
    pixels = np.load(folder / f"{key}.npy", mmap_mode="r", allow_pickle=False)
    return PixelCache(
        rows=tuple(by_file[file] for file in facts["files"]),
        pixels=pixels[: len(facts["files"])],
        digests=tuple(facts["digests"]),
        problems=tuple(facts["problems"]),
    )


def _key(manifest: Manifest, recipe: Recipe) -> str:
    """Name of the cache: another folder, file or recipe has another one."""
    files: list[tuple[str, int, int]] = []
    for row in manifest.rows:
        try:
            facts = manifest.path(row).stat()
        except OSError:
            # `_fill` says so, by name.
            files.append((row.file, -1, -1))
        else:
            files.append((row.file, facts.st_size, facts.st_mtime_ns))
    known = [recipe.digest, str(manifest.folder.resolve()), files]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def _fill(manifest: Manifest, recipe: Recipe, stem: Path, progress: Progress) -> None:
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
    require_space(stem.parent, int(np.prod(shape)))
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
    # Windows moves no file that is mapped.
    del pixels
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
