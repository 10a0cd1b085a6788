"""Prepared pictures: made once, found again, and never those of another folder."""

import os
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.data.manifest import Manifest, read_manifest
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.imaging.decode import encode_png, read_picture
from leukemia_app.imaging.picture import pixels_digest
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training import disk
from leukemia_app.training.config import RunConfig
from leukemia_app.training.pixels import cache_pixels, pictures_of, targets

RECIPE = Recipe(input="cell", side_px=32)


def draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 48, 3)).astype(np.uint8)
    path.write_bytes(encode_png(pixels))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    for number, name in enumerate(("a/1.png", "a/2.png", "b/3.png")):
        draw(tmp_path / "set" / name, number)
    return read_manifest(tmp_path / "set")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_rows_hold_what_the_recipe_makes_of_each_picture(manifest, tmp_path):
    cache = cache_pixels(manifest, RECIPE, tmp_path / "cache")
    assert cache.rows == manifest.rows
    assert cache.pixels.shape == (3, 32, 32, 3)
    assert cache.problems == ()
    for row, pixels, digest in zip(cache.rows, cache.pixels, cache.digests, strict=True):
        picture = read_picture(manifest.path(row))
        np.testing.assert_array_equal(pixels, prepare(picture, RECIPE).pixels)
        assert digest == pixels_digest(picture)


def test_the_cache_is_made_once(manifest, tmp_path):
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    first = cache_pixels(manifest, RECIPE, tmp_path / "cache", tell)
    assert told == [(1, 3), (2, 3), (3, 3)]
    again = cache_pixels(manifest, RECIPE, tmp_path / "cache", tell)
    assert len(told) == 3
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert first.digests == again.digests
    assert len(names(tmp_path / "cache")) == 2


def test_an_unreadable_file_is_left_out_by_name(manifest, tmp_path):
    (tmp_path / "set" / "a" / "2.png").write_bytes(b"no picture")
    cache = cache_pixels(manifest, RECIPE, tmp_path / "cache")
    assert [row.file for row in cache.rows] == ["a/1.png", "b/3.png"]
    assert len(cache.pixels) == len(cache.digests) == 2
    (problem,) = cache.problems
    assert "2.png" in problem
    again = cache_pixels(manifest, RECIPE, tmp_path / "cache")
    assert again.problems == cache.problems
    np.testing.assert_array_equal(
        again.pixels[1], prepare(read_picture(tmp_path / "set/b/3.png"), RECIPE).pixels
    )


def test_a_picture_deleted_after_it_was_listed_is_left_out_by_name(manifest, tmp_path):
    (tmp_path / "set" / "a" / "1.png").unlink()
    cache = cache_pixels(manifest, RECIPE, tmp_path / "cache")
    assert [row.file for row in cache.rows] == ["a/2.png", "b/3.png"]
    assert cache.problems[0].startswith("1.png is not there")


def test_another_recipe_makes_another_cache(manifest, tmp_path):
    cache_pixels(manifest, RECIPE, tmp_path / "cache")
    grey = cache_pixels(
        manifest, Recipe(input="cell", side_px=32, colour="grey"), tmp_path / "cache"
    )
    assert (grey.pixels[0] == grey.pixels[0][..., :1]).all()


def test_the_same_names_in_another_folder_are_other_pictures(manifest, tmp_path):
    first = cache_pixels(manifest, RECIPE, tmp_path / "cache")
    for number, name in enumerate(("a/1.png", "a/2.png", "b/3.png")):
        draw(tmp_path / "other" / name, 10 + number)
    other = cache_pixels(read_manifest(tmp_path / "other"), RECIPE, tmp_path / "cache")
    assert set(first.digests).isdisjoint(other.digests)
    assert (other.pixels != first.pixels).any()


def test_a_changed_picture_is_prepared_again(manifest, tmp_path):
    first = cache_pixels(manifest, RECIPE, tmp_path / "cache")
    changed = tmp_path / "set" / "a" / "2.png"
    draw(changed, 99)
    os.utime(changed, ns=(0, 10**18))
    again = cache_pixels(manifest, RECIPE, tmp_path / "cache")
    assert again.digests[1] == pixels_digest(read_picture(changed)) != first.digests[1]


def test_a_cache_that_was_cut_short_is_made_again(manifest, tmp_path):
    def crash(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache_pixels(manifest, RECIPE, tmp_path / "cache", crash)
    cache = cache_pixels(manifest, RECIPE, tmp_path / "cache")
    np.testing.assert_array_equal(
        cache.pixels[2], prepare(read_picture(tmp_path / "set/b/3.png"), RECIPE).pixels
    )
    assert not [name for name in names(tmp_path / "cache") if name.endswith(".part")]


def test_no_readable_picture_at_all_is_refused_with_the_first_reason(manifest, tmp_path):
    for row in manifest.rows:
        manifest.path(row).write_bytes(b"")
    with pytest.raises(DatasetError, match=r"Not one picture in .*set can be read. 1.png"):
        cache_pixels(manifest, RECIPE, tmp_path / "cache")


def test_a_full_disk_is_told_before_anything_is_written(manifest, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 12_000_000))
    with pytest.raises(RunError, match=r"cache needs 50 MB, and 12 MB are free. Make room"):
        cache_pixels(manifest, RECIPE, tmp_path / "cache")
    assert names(tmp_path / "cache") == set()


def config(folder: Path, groups: Path | None) -> RunConfig:
    return RunConfig(
        id="x", data=str(folder), groups=None if groups is None else str(groups),
        group_level="image", labels=("a", "b"), backbone="baseline_cnn", head="plain",
        recipe=RECIPE,
    )  # fmt: skip


def test_without_a_table_near_duplicates_are_one_group(manifest, tmp_path):
    # Another file type keeps the pixels, and one file cannot be read: the rows behind it move up.
    (tmp_path / "set" / "a" / "1.png").write_bytes(b"no picture")
    copy = tmp_path / "set" / "b" / "4.png"
    copy.write_bytes((tmp_path / "set" / "a" / "2.png").read_bytes())
    _, cache = pictures_of(config(tmp_path / "set", None), tmp_path / "cache")
    assert [(row.file, row.group) for row in cache.rows] == [
        ("a/2.png", "a/2.png"),
        ("b/3.png", "b/3.png"),
        ("b/4.png", "a/2.png"),
    ]


def test_a_table_says_the_groups(manifest, tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text("file,label,group\na/1.png,a,p1\na/2.png,a,p2\nb/3.png,b,p2\n")
    read, cache = pictures_of(config(tmp_path / "set", table), tmp_path / "cache")
    assert [row.group for row in cache.rows] == ["p1", "p2", "p2"]
    assert read.group_level == "image"


def test_targets_are_numbers_in_the_order_of_the_labels(manifest):
    assert targets(manifest.rows, ("b", "a")).tolist() == [1, 1, 0]


def test_a_label_that_was_not_named_is_refused_with_its_file(manifest):
    with pytest.raises(DatasetError, match=r"b/3.png has the label 'b', which is not among a, c"):
        targets(manifest.rows, ("a", "c"))
