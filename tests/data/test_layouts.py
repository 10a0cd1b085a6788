"""Folders as people have them: what is found in each."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.layouts import LEFT_OUT, NO_LABEL, UNNAMED, discover
from leukemia_app.errors import DatasetError

CNMC = "Patient_ID,new_names,labels\n"


def lay_out(folder, *files, **tables):
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)


def rows(found):
    return [(entry.file, entry.label, entry.group, entry.part) for entry in found.entries]


# Class folders


def test_class_folders_below_a_wrapping_one(tmp_path):
    lay_out(tmp_path, "set/ALL/1.BMP", "set/HEM/2.png", "set/HEM/.x.png", "set/readme.txt")
    found = discover(tmp_path)
    assert rows(found) == [("set/ALL/1.BMP", "all", "", ""), ("set/HEM/2.png", "hem", "", "")]
    assert [entry.raw_label for entry in found.entries] == ["ALL", "HEM"]
    assert found.layout == "class folders"
    assert found.group_level is None
    assert found.choices == ()
    assert found.ignored == {"hidden files": 1, "other files": 1}
    assert found.labels == {"ALL": "all", "HEM": "hem"}


def test_train_val_and_test_folders_keep_their_parts(tmp_path):
    lay_out(tmp_path, *(f"{part}/{label}/{part}.png" for part in ("train", "valid", "testing")
                        for label in ("A", "B")))  # fmt: skip
    found = discover(tmp_path)
    assert [entry.part for entry in found.entries] == ["test"] * 2 + ["train"] * 2 + ["val"] * 2
    assert found.layout == "train, val and test folders"


def test_labels_can_be_renamed_merged_and_left_out(tmp_path):
    lay_out(tmp_path, "Early/1.png", "Pre/2.png", "Pro/3.png", "Benign/4.png")
    found = discover(tmp_path, aliases={"Early": "malignant", "Pre": "malignant", "Pro": ""})
    assert [(entry.raw_label, entry.label) for entry in found.entries] == [
        ("Benign", "Benign"), ("Early", "malignant"), ("Pre", "malignant")
    ]  # fmt: skip
    assert found.ignored == {LEFT_OUT: 1}
    assert found.labels["Pro"] == ""
    with pytest.raises(DatasetError, match=r"'Prä' is no label of this data set; it has Benign, "):
        discover(tmp_path, aliases={"Prä": "x"})
    with pytest.raises(DatasetError, match=r"All classes of .* are left out; keep at least two"):
        discover(tmp_path, aliases=dict.fromkeys(["Early", "Pre", "Pro", "Benign"], ""))


def test_the_four_class_set_asks_which_version(tmp_path):
    lay_out(tmp_path, *(f"{version}/{label}/WBC-1.jpg" for version in ("Original", "Segmented")
                        for label in ("Benign", "Early", "Pre", "Pro")))  # fmt: skip
    asked = discover(tmp_path)
    assert asked.choices == ("Original", "Segmented")
    assert asked.entries == ()
    chosen = discover(tmp_path, choice="Original")
    assert chosen.entries[0].file == "Original/Benign/WBC-1.jpg"
    assert len(chosen.entries) == 4
    assert chosen.ignored == {"pictures of the version not chosen (Segmented)": 4}


def test_the_other_four_class_set_is_understood(tmp_path):
    names = ("Benign", "[Malignant] Pre-B", "[Malignant] Pro-B", "[Malignant] early Pre-B")
    lay_out(tmp_path, *(f"Blood cell Cancer [ALL]/{name}/Snap_001.jpg" for name in names))
    assert discover(tmp_path).labels == {
        "Benign": "Benign", "[Malignant] Pre-B": "Pre", "[Malignant] Pro-B": "Pro",
        "[Malignant] early Pre-B": "Early",
    }  # fmt: skip


def test_sub_folders_of_classes_are_groups(tmp_path):
    lay_out(tmp_path, *(f"{label}/p{n}/1.png" for label in ("ALL", "HEM") for n in range(3)))
    found = discover(tmp_path)
    assert {entry.group for entry in found.entries} == {"p0", "p1", "p2"}
    assert found.group_level == "run"


# C-NMC


def test_cnmc_is_merged_from_its_folds_with_patients_from_the_names(tmp_path):
    lay_out(tmp_path, "C-NMC/fold_0/all/UID_1_2_3_all.bmp", "C-NMC/fold_0/hem/UID_H1_2_3_hem.bmp",
            "C-NMC/fold_1/all/UID_1_5_1_all.bmp")  # fmt: skip
    found = discover(tmp_path)
    assert [(entry.label, entry.group, entry.part) for entry in found.entries] == [
        ("all", "1", ""), ("hem", "H1", ""), ("all", "1", "")
    ]  # fmt: skip
    assert found.group_level == "patient"


@pytest.mark.parametrize("names", [("1.bmp", "2.bmp"), ("UID_7_1_1_all.bmp", "UID_H8_1_1_hem.bmp")])
@pytest.mark.parametrize("has_train", [True, False])
def test_cnmc_s_preliminary_test_set_has_its_labels_in_a_table(tmp_path, names, has_train):
    below = "v/C-NMC_test_prelim_phase_data"
    lay_out(tmp_path, *(f"{below}/{name}" for name in names), "t/C-NMC_test_final_phase_data/1.bmp")
    (tmp_path / f"{below}_labels.csv").write_text(
        f"{CNMC}UID_7_1_1_all.bmp,1.bmp,1\nUID_H8_1_1_hem.bmp,2.bmp,0\nUID_9_1_1_all.bmp,3.bmp,1\n"
    )
    if has_train:
        lay_out(tmp_path, "training_data/fold_0/all/UID_1_2_3_all.bmp")
    found = discover(tmp_path)
    part = "test" if has_train else ""
    expected = [
        (f"{below}/{names[0]}", "all", "7", part),
        (f"{below}/{names[1]}", "hem", "H8", part),
    ]
    if has_train:
        train = "training_data/fold_0/all/UID_1_2_3_all.bmp"
        expected = [(train, "all", "1", "train"), *expected]
    assert rows(found) == expected
    assert found.layout == "C-NMC"
    assert found.group_level == "patient"
    assert found.ignored == {"pictures without a label": 1}
    assert "names 1 picture that cannot be found here" in found.notes[0]


def test_the_sample_of_cnmc_is_understood(shared_data):
    found = discover(shared_data / "cnmc_sample")
    assert found.layout == "C-NMC"
    counts = {(label, part): 0 for label in ("all", "hem") for part in ("train", "test")}
    for entry in found.entries:
        counts[entry.label, entry.part] += 1
    assert counts == {("all", "train"): 12, ("hem", "train"): 12, ("all", "test"): 6,
                      ("hem", "test"): 0}  # fmt: skip


# Tables


def test_a_table_at_the_top_gives_label_group_and_part(tmp_path):
    lay_out(tmp_path, "x/images/1.png", "x/images/2.png", "x/images/3.png", "x/images/4.png")
    (tmp_path / "x/labels.csv").write_text(
        "file,label,patient,part\n1.png,ALL,p1,train\nimages/2.png,HEM,p2,testing\n3.png,,p3,\n"
    )
    found = discover(tmp_path)
    assert rows(found) == [("x/images/1.png", "all", "p1", "train"),
                           ("x/images/2.png", "hem", "p2", "test")]  # fmt: skip
    assert found.layout == "table"
    assert found.group_level == "patient"
    assert found.ignored == {NO_LABEL: 1, UNNAMED: 1}


def test_a_table_that_is_given_may_lie_elsewhere(tmp_path):
    lay_out(tmp_path / "data", "1.png", "2.png")
    lay_out(tmp_path, mine="file;class\n1.png;A\n2.png;B\n")
    found = discover(tmp_path / "data", table=tmp_path / "mine.csv")
    assert rows(found) == [("1.png", "A", "", ""), ("2.png", "B", "", "")]
    assert found.group_level is None


def test_a_table_that_is_given_goes_before_one_that_is_found(tmp_path):
    lay_out(tmp_path, "1.png", a="file,label\n1.png,A\n", b="file,label\n1.png,B\n")
    assert discover(tmp_path, table=tmp_path / "b.csv").entries[0].label == "B"


def test_a_table_without_labels_adds_groups_to_class_folders(tmp_path):
    lay_out(tmp_path, "ALL/1.png", "HEM/2.png", groups="file,case,split\n1.png,p1,val\n")
    assert rows(discover(tmp_path)) == [("ALL/1.png", "all", "p1", "val"),
                                        ("HEM/2.png", "hem", "", "")]  # fmt: skip


def test_tables_named_for_their_parts_give_them(tmp_path):
    lay_out(tmp_path, "1.png", "2.png", train="file,label\n1.png,A\n", test="file,label\n2.png,B\n")
    assert [entry.part for entry in discover(tmp_path).entries] == ["train", "test"]


def test_a_table_of_pictures_in_train_and_test_folders_keeps_them(tmp_path):
    lay_out(tmp_path, "train/1.png", "test/2.png", labels="file,label\n1.png,A\n2.png,B\n")
    assert rows(discover(tmp_path)) == [("test/2.png", "B", "", "test"),
                                        ("train/1.png", "A", "", "train")]  # fmt: skip


def test_tables_that_contradict_each_other_are_refused(tmp_path):
    lay_out(tmp_path, "1.png", train="file,label\n1.png,A\n", test="file,label\n1.png,A\n")
    with pytest.raises(DatasetError, match=r"about 1.png: A test and A train. Keep one line"):
        discover(tmp_path)


def test_tables_that_do_not_fit_are_passed_over_with_a_note(tmp_path):
    lay_out(tmp_path, "ALL/1.png", "HEM/2.png", other="a,b\n1,2\n", gone="file,label\n9.png,x\n")
    (tmp_path / "ALL/sizes.csv").write_text("file,class\n1.png,big\n")
    found = discover(tmp_path)
    assert [entry.label for entry in found.entries] == ["all", "hem"]
    assert [note.split(" ")[0] for note in found.notes] == [
        "ALL/sizes.csv",
        "gone.csv",
        "other.csv",
    ]
    assert "a table of labels lies above all pictures" in found.notes[0]
    assert "names no picture of this folder" in found.notes[1]
    assert "other.csv has the columns a, b; it needs file" in found.notes[2]


def test_a_given_table_that_fits_no_picture_is_refused(tmp_path):
    lay_out(tmp_path, "ALL/1.png", gone="file,label\n9.png,x\n")
    with pytest.raises(
        DatasetError, match=r"gone.csv names no picture .* found here .* 9.png\. Give"
    ):
        discover(tmp_path, table=tmp_path / "gone.csv")


def test_a_choice_where_a_table_has_decided_is_refused(tmp_path):
    lay_out(tmp_path, "1.png", labels="file,label\n1.png,A\n")
    with pytest.raises(DatasetError, match=r"'Original' does not fit .* nothing is to be chosen"):
        discover(tmp_path, choice="Original")


# Nothing to find


def test_a_folder_without_pictures_says_what_it_holds_instead(tmp_path):
    lay_out(tmp_path, "a.txt", "b.txt", "c.zip")
    with pytest.raises(DatasetError, match=r"holds no pictures \(archives .*: 1; other files: 2\)"):
        discover(tmp_path)


def test_pictures_without_any_label_get_advice(tmp_path):
    lay_out(tmp_path, "1.png", "2.png")
    with pytest.raises(
        DatasetError, match=r"holds 2 pictures, but nothing says .* each class into"
    ):
        discover(tmp_path)


NAMES = ["ALL", "HEM", "train", "test", "Original", "Segmented", "fold_0", "x", "p1"]


@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=3), min_size=1, max_size=8))
def test_every_picture_is_an_entry_or_counted(tmp_path_factory, folders):
    root = tmp_path_factory.mktemp("any")
    lay_out(root, *("/".join([*above, f"{n}.png"]) for n, above in enumerate(folders)))
    try:
        found = discover(root)
        if found.choices and not found.entries:
            found = discover(root, choice=found.choices[0])
    except DatasetError:
        found = None
    shutil.rmtree(root)
    if found is not None:
        assert len(found.entries) + sum(found.ignored.values()) == len(folders)
        assert all(entry.label for entry in found.entries)
