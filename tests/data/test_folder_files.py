import os

import pytest

from leukemia_app.data.folder_files import CLOSED, LINKS, NO_TEXT, files_in
from leukemia_app.data.ignored import HIDDEN, OTHER
from leukemia_app.errors import DatasetError


def lay_out(folder, *files):
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_pictures_and_tables_are_listed_and_the_rest_is_counted(tmp_path):
    lay_out(tmp_path, "b/2.PNG", "a/c/1.tif", "labels.csv", "a/.x.png", "a/readme.md")
    found = files_in(tmp_path)
    assert found.pictures == ("a/c/1.tif", "b/2.PNG")
    assert found.tables == ("labels.csv",)
    assert found.ignored == {HIDDEN: 1, OTHER: 1}


def test_links_that_lead_out_are_counted_and_not_followed(tmp_path):
    lay_out(tmp_path, "data/a/1.png", "secret/2.png")
    data = tmp_path / "data"
    (data / "a/out.png").symlink_to(tmp_path / "secret/2.png")
    (data / "b").symlink_to(tmp_path / "secret")
    (data / "a/gone.png").symlink_to(data / "a/nothing.png")
    (data / "loop").symlink_to(data)
    (data / "a/same.png").symlink_to(data / "a/1.png")
    found = files_in(data)
    assert found.pictures == ("a/1.png", "a/same.png")
    assert found.ignored == {LINKS: 4}


def test_a_folder_reached_by_a_link_is_read(tmp_path):
    lay_out(tmp_path, "data/a/1.png")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert files_in(tmp_path / "link").pictures == ("a/1.png",)


def test_what_is_no_file_or_has_no_name_in_text_is_counted(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(b"x")
    assert files_in(tmp_path).ignored == {OTHER: 1, NO_TEXT: 1}


def test_a_folder_that_may_not_be_read_is_counted(tmp_path, monkeypatch):
    lay_out(tmp_path, "a/1.png", "locked/2.png")
    scan = os.scandir

    def guarded(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = files_in(tmp_path)
    assert found.pictures == ("a/1.png",)
    assert found.ignored == {CLOSED: 1}


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="nowhere is not a folder; give the folder that holds"):
        files_in(tmp_path / "nowhere")
