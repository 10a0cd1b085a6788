import numpy as np

from leukemia_app.data.grouping import group_rows
from leukemia_app.data.groups import named_groups
from leukemia_app.data.layouts import Entry


def entries(*groups):
    return [
        Entry(file=f"{n}.png", raw_label="ALL", label="all", group=group, part="train")
        for n, group in enumerate(groups)
    ]


def test_groups_of_the_data_set_are_kept_and_pictures_without_one_stand_alone():
    found = group_rows(entries("p1", "", "p1"), group_level="patient", clusters=range(3))
    assert [row.group for row in found.rows] == ["p1", "1.png", "p1"]
    assert [row.part for row in found.rows] == ["train"] * 3
    assert found.level == "patient"
    assert found.notes == ("1 picture without a group, each one of its own: 1.png.",)


def test_patients_that_share_a_cell_are_made_one_and_named():
    found = group_rows(entries("51", "75", "78", "3"), group_level="patient", clusters=[0, 0, 0, 3])
    assert [row.group for row in found.rows] == ["51", "51", "51", "3"]
    assert found.notes == (
        "3 patients share near-duplicates with others and were made 1: 51 = 75 = 78.",
    )


def test_a_pattern_goes_before_the_groups_of_the_data_set():
    named = named_groups(["0.png", "1.png"], r"(\d)")
    found = group_rows(entries("p1", "p1"), group_level="run", clusters=range(2), named=named)
    assert [row.group for row in found.rows] == ["0", "1"]
    assert found.level == "patient"


def test_without_any_group_the_looks_decide():
    looks = np.repeat(np.arange(7) * 5.0 % 7, 10)[:, None].astype(np.float32)
    found = group_rows(entries(*[""] * 70), group_level=None, clusters=range(70), looks=looks)
    assert found.level == "run"
    assert len({row.group for row in found.rows}) == 7


def test_without_anything_each_picture_is_a_group_but_for_its_copies():
    found = group_rows(entries("", "", ""), group_level=None, clusters=[0, 1, 0])
    assert [row.group for row in found.rows] == ["0.png", "1.png", "0.png"]
    assert found.level == "image"
    assert found.notes == ()
