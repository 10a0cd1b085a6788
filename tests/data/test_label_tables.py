from itertools import takewhile
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.label_tables import MAX_TABLE_BYTES, Line, Table, match, read_table
from leukemia_app.errors import DatasetError


def table_of(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


@pytest.mark.parametrize(
    "text",
    [
        "file,label,group,part\na.png,ALL,p1,train\n",
        "\ufeffFile Name;Class;Patient ID;Split\r\na.png;ALL;p1;train\r\n",
        "image_id\ttarget\tcase\tsubset\na.png\tALL\tp1\ttrain\n",
        'part,label,path,subject\ntrain,"ALL",a.png, p1 \n\n',
        "\nid,filename,category,slide,split\n7,a.png,ALL,p1,train\n,,,,\n",
    ],
)
def test_a_table_may_name_its_columns_in_many_ways(tmp_path, text):
    assert table_of(tmp_path, text).lines == (
        Line(names=("a.png",), label="ALL", group="p1", part="train"),
    )


@pytest.mark.parametrize(
    ("header", "level"),
    [("file,patient", "patient"), ("file,case_id", "patient"), ("file,Subject", "patient"),
     ("file,group", "run"), ("file,slide", "run"), ("file,label", None)],
)  # fmt: skip
def test_the_group_s_column_says_what_it_stands_for(tmp_path, header, level):
    assert table_of(tmp_path, f"{header}\na.png,x\n").group_level == level


def test_the_table_of_cnmc_gives_labels_patients_and_the_test_part(tmp_path):
    table = table_of(
        tmp_path,
        "Patient_ID,new_names,labels\nUID_57_29_1_all.bmp,1.bmp,1\nUID_H49_35_1_hem.bmp,4.bmp,0\n",
    )
    assert table.is_cnmc
    assert table.lines == (
        Line(names=("1.bmp", "UID_57_29_1_all.bmp"), label="all", group="57", part="test"),
        Line(names=("4.bmp", "UID_H49_35_1_hem.bmp"), label="hem", group="H49", part="test"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "labels.csv has the columns a, b; it needs file, and label or group"),
        ("file\na.png\n", "it needs file, and label or group"),
        ("", "labels.csv is empty. Save it as CSV, in UTF-8, with the columns file and label"),
        ('file,label\n"a.png,ALL\n', r"cannot be read as a table \(unexpected end of data\)"),
        ("file,label\npré.png,ALL\n".encode("latin-1"), "cannot be read as a table .*utf-8"),
        (
            "Patient_ID,new_names,labels\na,b,2\n",
            "labels.csv, line 2: labels is '2'; use 1 for all",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_words(tmp_path, text, message):
    with pytest.raises(DatasetError, match=message):
        table_of(tmp_path, text)


def test_a_table_that_is_missing_or_huge_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"There is no table .*no.csv; check its path"):
        read_table(tmp_path / "no.csv")
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(MAX_TABLE_BYTES + 1)
    with pytest.raises(DatasetError, match=r"big.csv cannot be read .*more than 50 MB"):
        read_table(tmp_path / "big.csv")


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("leukemia_app.data.label_tables.MAX_ROWS", 2)
    with pytest.raises(DatasetError, match=r"labels\.csv has more than 2 rows. Part it"):
        table_of(tmp_path, "file,label\na,x\nb,x\n")


# Which picture a row means


def matched(names, files, folder=""):
    lines = tuple(
        name if isinstance(name, Line) else Line(names=(name,), label="x") for name in names
    )
    return match(Table(name="t.csv", folder=folder, lines=lines, has_labels=True,
                       group_level=None), files)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("data/ALL/1.png", "data/ALL/1.png"),
        ("ALL/1.png", "data/ALL/1.png"),
        ("./ALL/1.png", "data/ALL/1.png"),
        ("/kaggle/input/set/ALL/1.png", "data/ALL/1.png"),
        ("C:/cells/all/1.PNG", "data/ALL/1.png"),
        ("3.png", "data/HEM/3.png"),
        ("3", "data/HEM/3.png"),
        ("3.bmp", "data/HEM/3.png"),
        ("1.png", None),
        ("other/1.png", None),
        ("9.png", None),
        ("", None),
    ],
)
def test_a_name_finds_its_picture_or_none(name, file):
    files = ["data/ALL/1.png", "data/HEM/1.png", "data/HEM/3.png"]
    assert list(matched([name], files).lines) == ([file] if file else [])


def test_the_table_s_own_folder_goes_first():
    files = ["a/1.png", "b/1.png"]
    assert list(matched(["1.png"], files, folder="b").lines) == ["b/1.png"]


def test_names_with_a_dot_but_no_suffix_are_not_cut():
    assert list(matched(["cell.12"], ["cell.12.png", "cell.13.png"]).lines) == ["cell.12.png"]


def test_what_does_not_fit_is_said():
    found = matched(
        ["1.png", "1.png", Line(names=("2.png",), label="x"), Line(names=("2.png",), label="y"),
         "9.png", Line(names=("3.png",), label="x", part="holdout")],
        ["1.png", "2.png", "3.png"],
    )  # fmt: skip
    assert sorted(found.lines) == ["1.png", "3.png"]
    assert found.notes == (
        "t.csv names 1 picture that cannot be found here by the name alone: 9.png.",
        "t.csv names 1 picture more than once: 1.png.",
        "t.csv says different things about 1 picture, now left out: 2.png.",
        "t.csv has parts other than train, val and test, which are not used: holdout.",
    )


FILES = st.lists(st.sampled_from(["a/1.png", "a/2.png", "b/1.png", "b/c/3.png"]), unique=True)


@given(FILES, st.lists(st.sampled_from(["a/1.png", "1", "2.PNG", "c/3", "x/1.png", "4"])))
def test_only_pictures_that_are_there_get_a_row(files, names):
    assert set(matched(names, files).lines) <= set(files)


def plainly_found(name, files, folder):
    """The rule, at every picture: the path itself, else the one that shares most folders."""
    path = PurePosixPath(name.removeprefix("./"))
    called = path.name.casefold()
    paths = [PurePosixPath(file) for file in files]
    alike = [other for other in paths if other.name.casefold() == called]
    alike = alike or [other for other in paths if other.stem.casefold() == called]
    alike = alike or [other for other in paths if other.stem.casefold() == path.stem.casefold()]
    for exact in (PurePosixPath(folder) / path, path):
        if exact in alike:
            return str(exact)
    shared = [n_shared(other, path) for other in alike]
    best = [other for other, n in zip(alike, shared, strict=True) if n == max(shared)]
    return str(best[0]) if len(best) == 1 else None


def n_shared(path, other):
    above = [[part.casefold() for part in reversed(one.parts[:-1])] for one in (path, other)]
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(*above, strict=False))))


@st.composite
def paths(draw):
    above = draw(st.lists(st.sampled_from(["a", "A", "b", "cé"]), max_size=3))
    return "/".join([*above, draw(st.sampled_from(["1.png", "1.PNG", "1.jpg", "1", "2.png"]))])


@given(st.lists(paths(), unique=True, max_size=12), paths(), st.sampled_from(["", "a", "b/a"]))
def test_a_row_means_the_picture_that_shares_most_folders_from_the_end(files, name, folder):
    wanted = plainly_found(name, files, folder)
    assert list(matched([name], files, folder).lines) == ([wanted] if wanted else [])


class Watched(str):
    """The path of a picture that counts how often anything about it is asked."""

    n_looks = 0

    def __eq__(self, other):
        Watched.n_looks += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__

    def casefold(self):
        Watched.n_looks += 1
        return str.casefold(self)


def test_a_row_does_not_look_at_every_picture_of_that_name(monkeypatch):
    monkeypatch.setattr(Watched, "n_looks", 0)
    found = matched(["z/a.png"] * 100, [Watched(f"p{number}/a.png") for number in range(100)])
    assert found.lines == {}
    # Once at each picture; for each row at each picture it was 30,000.
    assert Watched.n_looks <= 100
