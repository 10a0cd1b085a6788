"""No group on two sides, folds without the test part, and words for splits that cannot be used."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.manifest import Row
from leukemia_app.errors import RunError
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.config import RunConfig
from leukemia_app.training.parts import choose_parts, keep_split

PARTS = ("train", "val", "test")


def config(**changes: object) -> RunConfig:
    values = {
        "id": "x", "data": "x", "groups": "x.csv", "group_level": "patient", "labels": ("a", "b"),
        "backbone": "baseline_cnn", "head": "plain", "recipe": Recipe(input="cell", side_px=32),
    }  # fmt: skip
    return RunConfig(**(values | changes))


def row(group: str, number: int, label: str, part: str = "") -> Row:
    return Row(file=f"{group}-{number}.png", label=label, group=group, part=part)


def patients(sizes: dict[str, tuple[int, ...]], part: str = "", name: str = "p") -> list[Row]:
    """Rows of patients with these numbers of pictures, by label."""
    return [
        row(f"{name}{part}{label}{patient}", number, label, part)
        for label, counts in sizes.items()
        for patient, count in enumerate(counts)
        for number in range(count)
    ]


SIZES = st.fixed_dictionaries(
    {label: st.lists(st.integers(1, 9), min_size=4, max_size=8).map(tuple) for label in "ab"}
)


def group_sets(rows: list[Row], parts: object) -> list[set[str]]:
    return [{rows[number].group for number in numbers}
            for numbers in (parts.learn, parts.check, parts.test)]  # fmt: skip


@given(SIZES, st.integers(0, 50))
def test_without_a_given_split_no_patient_stands_in_two_parts(sizes, seed):
    rows = patients(sizes)
    parts = choose_parts(rows, config(seed=seed))
    learn, check, test = group_sets(rows, parts)
    assert learn.isdisjoint(check | test)
    assert check.isdisjoint(test)
    every = np.concatenate([parts.learn, parts.check, parts.test])
    assert sorted(every.tolist()) == list(range(len(rows)))


@given(SIZES, SIZES, st.integers(2, 4))
def test_folds_cover_train_and_val_once_and_never_the_test_part(known, held, folds):
    rows = patients(known, "train") + patients(known, "val") + patients(held, "test")
    scored = []
    for fold in range(folds):
        parts = choose_parts(rows, config(folds=folds, fold=fold))
        learn, _, test = group_sets(rows, parts)
        assert not learn & test
        assert len(parts.check) == 0
        assert {rows[number].part for number in [*parts.learn, *parts.test]} <= {"train", "val"}
        scored += parts.test.tolist()
    assert sorted(scored) == [number for number, item in enumerate(rows) if item.part != "test"]


def test_a_given_split_is_followed():
    rows = [row(f"g{number}", number, "ab"[number % 2], part)
            for number, part in enumerate(["test", "train", "train", "val", "test"])]  # fmt: skip
    parts = choose_parts(rows, config())
    found = [part.tolist() for part in (parts.learn, parts.check, parts.test)]
    assert found == [[1, 2], [3], [0, 4]]


def test_an_image_split_parts_patients_and_says_nothing():
    rows = [row("one", number, "a", "train") for number in range(100)]
    rows += [row("two", number, "b", "test") for number in range(100)]
    parts = choose_parts(rows, config(split="image"))
    assert (len(parts.learn), len(parts.check), len(parts.test)) == (140, 20, 40)
    assert group_sets(rows, parts) == [{"one", "two"}] * 3
    again = choose_parts(rows, config(split="image"))
    other = choose_parts(rows, config(split="image", seed=1))
    assert (parts.test == again.test).all()
    assert (parts.test != other.test).any()


def given_split(**counts: tuple[int, int]) -> list[Row]:
    """One patient a label and part, with these numbers of pictures of a and b."""
    return [item for part, (a, b) in counts.items()
            for item in patients({"a": (a,), "b": (b,)}, part)]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [([row("p7", 1, "a", "train"), row("p7", 2, "a", "test")], {},
      r"The group p7 stands in the parts train and test \(p7-2.png\); give all its pictures one"),
     ([row("p7", 1, "a", "train"), row("p7", 2, "a")], {}, r"parts train and \(none\)"),
     ([*given_split(train=(1, 1), val=(1, 1), test=(1, 1)), row("late", 1, "a")], {},
      r"late-1.png has no part, others have; give each picture train, val or test"),
     (given_split(train=(2, 0), val=(1, 1), test=(1, 1)), {},
      r"No picture of b is in the training part"),
     (given_split(train=(2, 2), test=(1, 1)), {}, r"No picture is in the val part; stopping"),
     (given_split(train=(2, 2), val=(1, 1)), {}, r"No picture is in the test part"),
     (given_split(train=(2, 2), val=(2, 2)), {"folds": 5, "fold": 4},
      r"No picture is in fold 4 of 5; give more groups, or use fewer folds"),
     (patients({"a": (5,), "b": (5,)}), {}, r"No picture is in the test part; give more groups")],
)  # fmt: skip
def test_a_split_that_cannot_be_used_is_refused_in_words(rows, changes, message):
    with pytest.raises(RunError, match=message):
        choose_parts(rows, config(**changes))


def test_the_shared_tables_part_no_group(shared_data):
    from leukemia_app.data.manifest import read_manifest

    for name, labels in (("all4", ("Benign", "Early", "Pre", "Pro")), ("cnmc", ("hem", "all"))):
        manifest = read_manifest(shared_data / name, shared_data / f"{name}_groups.csv", "patient")
        for changes in ({}, {"folds": 5, "fold": 2}):
            learn, check, test = group_sets(
                list(manifest.rows), choose_parts(manifest.rows, config(labels=labels, **changes))
            )
            assert learn.isdisjoint(check | test)
            assert check.isdisjoint(test)


@given(SIZES, st.floats(0.05, 0.99), st.integers(0, 20), st.sampled_from(["given", "image"]))
def test_a_fraction_takes_whole_groups_of_the_training_part_alone(sizes, fraction, seed, split):
    rows = patients(sizes)
    whole = choose_parts(rows, config(seed=seed, split=split))
    some = choose_parts(rows, config(seed=seed, split=split, fraction=fraction))
    np.testing.assert_array_equal(some.check, whole.check)
    np.testing.assert_array_equal(some.test, whole.test)
    assert set(some.learn) <= set(whole.learn)
    assert {rows[row].label for row in some.learn} == {rows[row].label for row in whole.learn}
    if split == "given":
        kept = {rows[row].group for row in some.learn}
        left = {rows[row].group for row in set(whole.learn) - set(some.learn)}
        assert kept.isdisjoint(left)


def test_a_fraction_keeps_the_labels_in_proportion():
    # A hundred groups of one picture for each of two labels: a quarter of each.
    rows = patients({"a": (1,) * 100, "b": (1,) * 100}, "train")
    rows += patients({"a": (1,), "b": (1,)}, "val") + patients({"a": (1,), "b": (1,)}, "test")
    learn = choose_parts(rows, config(fraction=0.25)).learn
    labels = [rows[row].label for row in learn]
    assert (labels.count("a"), labels.count("b")) == (25, 25)


def test_a_label_of_one_group_is_not_lost_to_a_fraction():
    rows = patients({"a": (5,) * 20, "b": (5,)}, "train")
    rows += patients({"a": (1,), "b": (1,)}, "val") + patients({"a": (1,), "b": (1,)}, "test")
    learn = choose_parts(rows, config(fraction=0.1)).learn
    assert "b" in {rows[row].label for row in learn}


def test_pictures_without_parts_are_dealt_by_the_shares():
    rows = patients({"a": (1,) * 100, "b": (1,) * 100})
    parts = choose_parts(rows, config(shares=(0.64, 0.16, 0.2)))
    assert [len(part) for part in (parts.learn, parts.check, parts.test)] == [128, 32, 40]


def given_rows() -> list[Row]:
    return [item for part in PARTS for item in patients({"a": (2, 1), "b": (1,)}, part)]


def test_the_split_is_written_once_and_then_kept(tmp_path):
    rows = given_rows()
    parts = choose_parts(rows, config(fraction=0.5))
    keep_split(tmp_path, rows, parts)
    with (tmp_path / "split.csv").open(newline="", encoding="utf-8") as lines:
        found = list(csv.DictReader(lines))
    assert [line["file"] for line in found] == [item.file for item in rows]
    used = {number: name for name, numbers in
            (("train", parts.learn), ("val", parts.check), ("test", parts.test))
            for number in numbers.tolist()}  # fmt: skip
    assert [line["part"] for line in found] == [used.get(n, "") for n in range(len(rows))]
    assert "" in {line["part"] for line in found}
    before = (tmp_path / "split.csv").read_bytes()
    keep_split(tmp_path, rows, parts)
    assert (tmp_path / "split.csv").read_bytes() == before


def test_a_manifest_that_was_there_is_left_as_it_is(tmp_path):
    (tmp_path / "manifest.csv").write_text("file,label,group,part\n")
    rows = given_rows()
    keep_split(tmp_path, rows, choose_parts(rows, config()))
    assert (tmp_path / "manifest.csv").read_text() == "file,label,group,part\n"


@pytest.mark.parametrize("change", ["one gone", "one new", "one moved"])
def test_another_split_than_the_run_began_with_is_refused(change, tmp_path):
    rows = given_rows()
    keep_split(tmp_path, rows, choose_parts(rows, config()))
    if change == "one gone":
        others, file = rows[1:], rows[0].file
    elif change == "one new":
        others, file = [*rows, row("zoe", 1, "a", "test")], "zoe-1.png"
    else:
        moved = replace(rows[0], part="test", group="other")
        others, file = [moved, *rows[1:]], rows[0].file
    with pytest.raises(RunError, match=rf"1 were added, taken away or moved .* first {file}\. Put"):
        keep_split(tmp_path, others, choose_parts(others, config()))
