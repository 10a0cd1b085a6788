"""No group on two sides, folds without the test part, and words for splits that cannot be used."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.manifest import Row
from leukemia_app.errors import RunError
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.config import RunConfig
from leukemia_app.training.parts import choose_parts

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
