"""What classes are told apart by without a look at the cells."""

from dataclasses import replace

import numpy as np
import pytest

from leukemia_app.data.health import Measure
from leukemia_app.data.manifest import Row
from leukemia_app.imaging.decode import encode_png
from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.segment import Segmentation
from leukemia_app.training import controls
from leukemia_app.training.controls import (
    N_LOOK,
    background_look,
    measure_controls,
    score_control,
    seen_of,
    verdict,
)
from leukemia_app.training.reading import PictureReader
from tests.tiny_runs import drawn_cell


def rows(n_groups=12, per_group=4):
    """Two classes, each of half the groups; two thirds of the groups to learn from."""
    return [
        Row(file=f"{group}-{number}.png", label="ab"[group % 2], group=str(group),
            part="test" if group % 6 > 3 else "train")
        for group in range(n_groups) for number in range(per_group)
    ]  # fmt: skip


def by_class(given, apart, seed=0):
    rng = np.random.default_rng(seed)
    number = np.array([row.label == "b" for row in given])
    return (apart * number + rng.normal(0, 1, len(given)))[:, None].astype(np.float32)


def interval(value, low):
    return Measure(value=value, low=low, high=None if low is None else value + 0.05)


@pytest.mark.parametrize(
    ("value", "low", "least_groups", "judged"),
    [
        (0.95, 0.90, 5, "red"),
        (0.81, 0.66, 5, "red"),
        (0.80, 0.70, 5, "amber"),  # not above 0.8
        (0.95, 0.60, 5, "amber"),  # it may be chance
        (0.70, 0.55, 5, "amber"),
        (0.60, 0.45, 5, "clear"),
        (0.30, 0.20, 5, "clear"),
        (0.95, None, 1, "amber"),
        (0.70, None, 1, "open"),
        (1.00, None, 2, "red"),  # every sample of groups agrees
        (None, None, 0, "open"),
    ],
)
def test_the_verdict_needs_value_and_interval(value, low, least_groups, judged):
    assert verdict(interval(value, low), least_groups) == judged


def test_a_value_that_tells_the_classes_apart_is_red():
    given = rows(24)
    found = score_control("colour", given, by_class(given, 8))
    assert found.verdict == "red"
    assert found.auroc.value == pytest.approx(1.0, abs=0.01)
    assert found.sentence.startswith("A colour histogram alone tells the classes apart (AUROC 1.00")
    assert (found.n_learn, found.n_test, found.n_test_groups) == (64, 32, 8)


def test_a_value_that_says_nothing_is_at_chance():
    given = rows(24)
    found = score_control("size", given, by_class(given, 0))
    assert found.verdict == "clear"
    assert "is not shown to tell the classes apart" in found.sentence


def few_test_groups():
    """Six groups a class to learn from, one to be scored on."""
    return [row for row in rows(18) if row.part == "train" or row.group in ("4", "5")]


def test_where_the_test_part_has_one_group_a_class_all_groups_are_asked():
    found = score_control("colour", few_test_groups(), by_class(few_test_groups(), 4))
    assert found.auroc.low is None
    assert found.across.value is not None
    assert found.across.value > 0.9
    assert found.verdict == "red"
    assert "on few test groups" in found.sentence
    assert "in cross-validation by group" in found.sentence


def test_enough_test_groups_are_not_cross_validated():
    given = rows(24)
    assert score_control("colour", given, by_class(given, 1)).across.value is None


def test_one_group_a_class_on_both_sides_says_nothing():
    given = [replace(row, group=row.label) for row in rows(8) if row.group in ("0", "1", "4", "5")]
    found = score_control("size", given, by_class(given, 0.5))
    assert found.across.value is None
    assert found.verdict == "open"
    assert "too few groups" in found.sentence


def test_where_nothing_is_seen_nothing_is_measured():
    given = rows()
    values = by_class(given, 5)
    values[: len(given) * 2 // 3] = np.nan
    found = score_control("background", given, values)
    assert found.verdict == "open"
    assert found.auroc.value is None
    assert "there is no background" in found.sentence
    assert "67%" in found.sentence


def test_a_few_pictures_without_a_cell_do_not_spoil_the_control():
    given = rows(24)
    values = by_class(given, 8)
    values[::10] = np.nan
    found = score_control("size", given, values)
    assert found.auroc.value is not None
    assert found.auroc.value > 0.9


def segmentation(cells):
    return Segmentation(cells=cells.astype(np.int32), nucleus=np.zeros(cells.shape, bool), main=1,
                        method="drawn")  # fmt: skip


def test_the_background_is_described_away_from_the_cells():
    # What is inside the cell, or at its rim, changes nothing.
    rng = np.random.default_rng(0)
    pixels = rng.integers(180, 220, (64, 64, 3)).astype(np.uint8)
    cells = np.zeros((64, 64), bool)
    cells[20:40, 20:40] = True
    other = pixels.copy()
    other[20:40, 20:40] = 90
    first = background_look(pixels, segmentation(cells))
    # The widest blur reaches a little past the rim: only the colours are exactly the same.
    assert first.shape == (N_LOOK,)
    np.testing.assert_array_equal(first[:48], background_look(other, segmentation(cells))[:48])
    assert first[:48].reshape(3, 16).sum(1) == pytest.approx(1)


def test_a_rougher_background_has_larger_values():
    smooth = np.full((64, 64, 3), 200, np.uint8)
    rough = np.random.default_rng(0).integers(150, 250, (64, 64, 3)).astype(np.uint8)
    none = segmentation(np.zeros((64, 64), bool))
    assert background_look(rough, none)[48] > background_look(smooth, none)[48]


def test_black_of_an_earlier_segmentation_is_no_background():
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[20:40, 20:40] = 120
    cells = pixels[..., 0] > 0
    assert np.isnan(background_look(pixels, segmentation(cells))).all()


def test_what_is_seen_of_a_drawn_cell():
    small = seen_of(Picture(pixels=drawn_cell(0, 0), name="small"))
    large = seen_of(Picture(pixels=drawn_cell(1, 0), name="large"))
    assert large["size"][0] > small["size"][0] > 0
    assert small["colour"].shape == (48,)
    assert not np.isnan(small["background"]).any()


def draw(folder, given):
    for number, row in enumerate(given):
        pixels = drawn_cell("ab".index(row.label), number)
        (folder / row.file).write_bytes(encode_png(pixels))


def test_size_is_red_where_one_class_is_drawn_larger(tmp_path):
    given = rows(12, 2)
    draw(tmp_path, given)
    (tmp_path / given[0].file).unlink()
    found, problems = measure_controls(PictureReader(folder=tmp_path), given)
    by_name = {control.name: control for control in found}
    assert list(by_name) == ["colour", "size", "background"]
    assert by_name["size"].verdict == "red"
    assert [problem.file for problem in problems] == [given[0].file]


def test_without_two_classes_on_both_sides_there_are_no_controls(tmp_path):
    given = [row for row in rows() if row.label == "a"]
    assert measure_controls(PictureReader(folder=tmp_path), given) == ((), ())
    given = [row for row in rows() if row.part == "train" or row.label == "a"]
    assert measure_controls(PictureReader(folder=tmp_path), given) == ((), ())


def test_where_the_last_picture_of_a_class_is_gone_there_are_no_controls(tmp_path):
    given = rows(12, 1)
    draw(tmp_path, given)
    for row in given:
        if row.part == "test" and row.label == "b":
            (tmp_path / row.file).unlink()
    found, problems = measure_controls(PictureReader(folder=tmp_path), given)
    assert found == ()
    assert len(problems) == 2


def test_of_many_pictures_some_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(controls, "MAX_PICTURES", 16)
    given = rows(12, 8)
    draw(tmp_path, given)
    found, _ = measure_controls(PictureReader(folder=tmp_path), given)
    # 96 pictures, two thirds to learn from: a sixth of each class and part, about 5 and 5, 3 and 3.
    assert (found[0].n_learn, found[0].n_test) == (10, 6)
