import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.manifest import Manifest, Row, pictures_in, read_manifest, write_manifest
from leukemia_app.errors import DatasetError


def lay_out(folder, *files):
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_class_folders_become_labels_and_each_picture_its_own_group(tmp_path):
    lay_out(tmp_path, "b/2.PNG", "a/1.jpg", "a/.hidden.jpg", "a/notes.txt", "loose.jpg")
    manifest = read_manifest(tmp_path)
    assert [(row.file, row.label, row.group) for row in manifest.rows] == [
        ("a/1.jpg", "a", "a/1.jpg"),
        ("b/2.PNG", "b", "b/2.PNG"),
    ]
    assert manifest.group_level == "image"
    assert manifest.labels == ("a", "b")


def test_a_csv_gives_groups_and_parts(tmp_path):
    lay_out(tmp_path, "a/1.jpg", "b/2.jpg")
    table = tmp_path / "groups.csv"
    table.write_text("file,label,group,part\na/1.jpg,a,p1,train\nb/2.jpg,b,p2,test\n")
    manifest = read_manifest(tmp_path, table, "patient")
    assert manifest.part("test") == (Row(file="b/2.jpg", label="b", group="p2", part="test"),)
    assert manifest.path(manifest.rows[0]) == tmp_path / "a/1.jpg"
    assert manifest.group_level == "patient"


@pytest.mark.parametrize(
    ("text", "message"),
    [("file,label\na/1.jpg,a\n", "lacks the columns group"),
     ("file,label,group\na/9.jpg,a,p\n", "names a/9.jpg, which is not in"),
     ("file,label,group,part\na/1.jpg,a,p,tset\n", "part is 'tset'; use train, val or test"),
     ("file,label,group\na/1.jpg,a,p\na/1.jpg,a,p\n", "a/1.jpg is listed twice"),
     ("file,label,group\n", "groups.csv names no picture; add a line for each"),
     ("", "lacks the columns file, group, label"),
     ("file,label,group\na/1.jpg,a\n", "groups.csv, row 1 has no group; fill it in"),
     ("file,label,group\na/1.jpg,,p\n", "row 1 has no label"),
     ("file,label,group\n../a/1.jpg,a,p\n", r"row 1 names ../a/1.jpg, which leads out of"),
     ("file,label,group\n/etc/1.jpg,a,p\n", r"row 1 names /etc/1.jpg, which leads out of"),
     ('file,label,group\n"a/1.jpg,a,p\n', r"groups.csv cannot be read as a table \(unexpected")],
)  # fmt: skip
def test_a_csv_that_cannot_be_used_is_refused_in_words(tmp_path, text, message):
    lay_out(tmp_path, "a/1.jpg")
    table = tmp_path / "groups.csv"
    table.write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_manifest(tmp_path, table)


def test_a_table_that_is_no_text_or_not_there_is_refused_in_words(tmp_path):
    lay_out(tmp_path, "a/1.jpg")
    table = tmp_path / "groups.csv"
    with pytest.raises(DatasetError, match=r"There is no table .*groups.csv; check its path"):
        read_manifest(tmp_path, table)
    table.write_bytes("file,label,group\na/1.jpg,préB,p\n".encode("latin-1"))
    with pytest.raises(
        DatasetError, match="Save it as CSV, in UTF-8, with the columns file, label"
    ):
        read_manifest(tmp_path, table)


def test_hidden_folders_are_no_classes(tmp_path):
    lay_out(tmp_path, "a/1.jpg", ".thumbnails/1.jpg")
    assert read_manifest(tmp_path).labels == ("a",)


def test_a_missing_or_empty_folder_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere is not a folder"):
        read_manifest(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="holds no class folders with pictures"):
        read_manifest(tmp_path)


def test_pictures_are_found_at_any_depth_but_not_in_hidden_folders(tmp_path):
    lay_out(tmp_path, "z.bmp", "a/b/1.tif", ".git/2.png", "a/readme.md")
    assert [path.name for path in pictures_in(tmp_path)] == ["1.tif", "z.bmp"]
    with pytest.raises(DatasetError, match="holds no pictures"):
        pictures_in(tmp_path / "a" / "b" / "c")


def test_a_manifest_cannot_list_a_file_twice(tmp_path):
    row = Row(file="a", label="x", group="g")
    with pytest.raises(DatasetError, match="a is listed twice; keep one line"):
        Manifest(folder=tmp_path, rows=(row, row), group_level="run")


# What is written is read again

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"),
               min_size=1, max_size=20).filter(lambda name: name not in (".", ".."))  # fmt: skip
WRITTEN = st.lists(
    st.builds(Row, file=NAME, label=TEXT, group=TEXT,
              part=st.sampled_from(["train", "val", "test", ""])),
    min_size=1, max_size=6, unique_by=lambda row: row.file,
)  # fmt: skip


@given(rows=WRITTEN)
def test_a_manifest_is_read_as_it_was_written(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("round")
    (folder / "pictures").mkdir()
    for row in rows:
        (folder / "pictures" / row.file).write_bytes(b"x")
    write_manifest(folder / "manifest.csv", rows)
    read = read_manifest(folder / "pictures", folder / "manifest.csv", "patient")
    assert read.rows == tuple(rows)
    assert [path.name for path in folder.iterdir() if path.suffix == ".part"] == []
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "name", ["a,b.png", 'say "x".png', "two\nlines.png", "two\r\nlines.png", "\rx.png", " x.png ",
             "=1+1.png", "é前\U0001f52c.png", "\ufeffx.png", "'x;\t.png"],
)  # fmt: skip
def test_names_with_signs_of_their_own_survive(tmp_path, name):
    lay_out(tmp_path, name)
    row = Row(file=name, label=name, group=name)
    write_manifest(tmp_path / "m.csv", [row])
    assert read_manifest(tmp_path, tmp_path / "m.csv").rows == (row,)


def test_a_manifest_that_could_not_be_read_is_not_written(tmp_path):
    path = tmp_path / "m.csv"
    write_manifest(path, [Row(file="a", label="x", group="g")])
    before = path.read_bytes()
    with pytest.raises(DatasetError, match=r"b.png lacks its file, label or group; give it all"):
        write_manifest(path, [Row(file="b.png", label="x", group="")])
    with pytest.raises(DatasetError, match="A row lacks its file"):
        write_manifest(path, [Row(file="", label="x", group="g")])
    with pytest.raises(DatasetError, match="has a name that is no text; rename the file"):
        write_manifest(path, [Row(file="\udcff.png", label="x", group="g")])
    assert path.read_bytes() == before
