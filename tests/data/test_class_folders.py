import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.class_folders import (
    INNER,
    OUTER,
    UNLABELLED,
    part_of,
    parts_in,
    place,
)
from leukemia_app.errors import DatasetError


def labels(*files, choice=None):
    """Raw labels of the files, in file order."""
    places = place(files, choice).places
    return [places[file].raw_label if file in places else None for file in files]


@pytest.mark.parametrize(
    "files",
    [
        ("ALL/1.png", "HEM/2.png"),
        ("data/ALL/1.png", "data/HEM/2.png"),
        ("a/b/c/ALL/1.png", "a/b/c/HEM/2.png"),
        ("ALL/images/1.png", "HEM/images/2.png"),
        ("images/ALL/1.png", "images/HEM/2.png"),
        ("fold_0/ALL/1.png", "fold_1/HEM/2.png"),
        ("Fold 1/x/ALL/1.png", "fold-2/x/HEM/2.png"),
        ("ALL/patient/1.png", "HEM/patient/2.png"),
        ("site/ALL/1.png", "other site/HEM/2.png"),
        ("cells/leukemia/ALL/1.png", "cells/HEM/2.png"),
    ],
)
def test_known_classes_are_found_at_any_depth(files):
    assert labels(*files) == ["ALL", "HEM"]


@pytest.mark.parametrize(
    "files",
    [
        ("A/1.png", "B/2.png"),
        ("data/A/1.png", "data/B/2.png"),
        ("A/20x/1.png", "B/20x/2.png"),
        ("site/A/1.png", "site/B/2.png", "lab/A/3.png", "lab/B/4.png"),
        ("site 1/A/1.png", "site 2/B/2.png"),
        ("A/p1/1.png", "B/p1/2.png", "A/p2/1.png", "B/p2/2.png"),
        ("A/A/1.png", "B/B/2.png"),
    ],
)
def test_unknown_classes_are_found_by_what_varies(files):
    assert labels(*files)[:2] == ["A", "B"]


def test_the_innermost_known_folder_counts_and_its_neighbours_with_it():
    files = ["Normal/1.png", "Malignant/Early/2.png", "Malignant/Pre/3.png", "Malignant/odd/4.png"]
    assert labels(*files) == ["Normal", "Early", "Pre", "odd"]


def test_a_class_beside_deeper_known_ones_is_not_lost():
    assert labels("X/normal/1.png", "X/sick/2.png", "Y/3.png") == ["normal", "sick", "Y"]


def test_a_single_class_keeps_its_name():
    assert labels("data/A/1.png", "data/A/2.png") == ["A", "A"]


def test_pictures_without_a_folder_have_no_label_and_are_counted():
    found = place(["loose.png", "ALL/1.png", "images/2.png"])
    assert list(found.places) == ["ALL/1.png"]
    assert found.ignored == {UNLABELLED: 2}


# Two levels that could be classes


def test_where_two_levels_could_be_classes_either_can_be_chosen():
    files = ["2021/A/1.png", "2021/B/2.png", "2022/C/3.png"]
    found = place(files)
    assert found.choices == (OUTER, INNER)
    assert "The inner folders were taken as the classes" in found.notes[0]
    assert labels(*files) == ["A", "B", "C"]
    assert labels(*files, choice=OUTER) == ["2021", "2021", "2022"]


def test_a_choice_that_is_not_open_is_refused():
    with pytest.raises(DatasetError, match="choose outer folders or inner folders"):
        place(["x/A/1.png", "y/B/2.png"], "middle")
    with pytest.raises(DatasetError, match=r"'outer folders' does not fit .* nothing is to be"):
        place(["ALL/1.png", "HEM/2.png"], OUTER)


# The same pictures whole and cut out


@pytest.mark.parametrize(
    ("whole", "cut"),
    [("Original", "Segmented"), ("original", "segmented"), ("images", "masks"),
     ("raw", "ground_truth")],
)  # fmt: skip
def test_whole_and_cut_out_pictures_must_be_chosen_between(whole, cut):
    files = [f"set/{version}/{label}/1.png" for version in (whole, cut) for label in ("Pre", "Pro")]
    asked = place(files)
    assert asked.choices == (whole, cut)
    assert not asked.places
    chosen = place(files, cut)
    assert {file: at.raw_label for file, at in chosen.places.items()} == {
        f"set/{cut}/Pre/1.png": "Pre", f"set/{cut}/Pro/1.png": "Pro"
    }  # fmt: skip
    assert chosen.ignored[f"pictures of the version not chosen ({whole})"] == 2
    with pytest.raises(DatasetError, match=f"choose {whole} or {cut}"):
        place(files, "both")


def test_one_version_alone_is_only_a_folder():
    assert labels("Original/Pre/1.png", "Original/Pro/2.png") == ["Pre", "Pro"]


# Parts


@pytest.mark.parametrize(
    ("name", "part"),
    [("train", "train"), ("Training", "train"), ("training_data", "train"), ("Train set", "train"),
     ("C-NMC_training_data", "train"), ("val", "val"), ("valid", "val"), ("validation-data", "val"),
     ("TEST", "test"), ("testing_data", "test"), ("trained", ""), ("test 2", ""), ("data", ""),
     ("", ""), ("train_test", "")],
)  # fmt: skip
def test_names_of_parts_are_known(name, part):
    assert part_of(name) == part


def test_train_val_and_test_folders_give_the_part():
    files = [f"{part}/{label}/1.png" for part in ("Training", "valid", "test") for label in "AB"]
    places = place(files).places
    assert [places[file].part for file in files] == ["train"] * 2 + ["val"] * 2 + ["test"] * 2
    assert [places[file].raw_label for file in files] == ["A", "B"] * 3


def test_parts_below_the_classes_are_read_too():
    places = place(["ALL/train/1.png", "ALL/test/2.png", "HEM/train/3.png"]).places
    assert [(at.raw_label, at.part) for at in places.values()] == [
        ("ALL", "test"), ("ALL", "train"), ("HEM", "train")
    ]  # fmt: skip


def test_one_part_alone_divides_nothing():
    assert set(parts_in(["train/A/1.png", "train/B/2.png"]).values()) == {""}


def test_a_class_called_test_is_a_class():
    assert labels("test/1.png", "control/2.png") == ["test", "control"]


# C-NMC


def test_test_sets_of_cnmc_are_no_classes():
    found = place(["fold_0/all/1.bmp", "fold_1/hem/2.bmp", "C-NMC_test_final_phase_data/1.bmp",
                   "v/C-NMC_test_prelim_phase_data/1.bmp"])  # fmt: skip
    assert [at.raw_label for at in found.places.values()] == ["all", "hem"]
    assert found.ignored == {UNLABELLED: 2}


# Sub-folders


def test_sub_folders_of_classes_become_groups_when_each_class_has_three():
    files = [
        f"{label}/p{n}/{k}.png" for label in ("ALL", "HEM") for n in range(3) for k in range(2)
    ]
    found = place(files)
    assert found.places["ALL/p0/1.png"].group == "p0"
    assert found.places["HEM/p0/1.png"].group == "p0"
    assert found.notes == ("Each sub-folder of a class was taken as one group.",)
    assert not any(at.group for at in place([*files, "ALL/loose.png"]).places.values())
    assert not any(at.group for at in place([*files, "Pre/p1/1.png"]).places.values())


FOLDERS = st.lists(
    st.sampled_from(["ALL", "HEM", "Pre", "train", "test", "val", "fold_0", "images", "Original",
                     "Segmented", "p1", "p2", "x", "C-NMC_test_final_phase_data"]), max_size=4,
)  # fmt: skip


@given(st.lists(FOLDERS, min_size=1, max_size=12))
def test_every_picture_is_placed_or_counted(rows):
    files = {"/".join([*folders, f"{number}.png"]) for number, folders in enumerate(rows)}
    found = place(files)
    if found.choices and not found.places:
        found = place(files, found.choices[0])
    assert len(found.places) + sum(found.ignored.values()) == len(files)
    for file, at in found.places.items():
        assert at.raw_label in file.split("/")
        assert at.part in ("", "train", "val", "test")
