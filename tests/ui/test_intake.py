"""Uploads become the folder of a data set, and nothing lands outside it."""

import os
from pathlib import Path

import pytest

from leukemia_app.errors import DatasetError
from leukemia_app.ui.intake import Piece, pieces_of, place


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


def piece(uploads: Path, name: str, content: str = "") -> Piece:
    """A file that was uploaded; its content is its name where none is given."""
    path = uploads / f"{len(list(uploads.iterdir()))}.bin"
    path.write_text(content or name)
    return Piece(name=name, path=path)


def laid_out(home: Path) -> dict[str, str]:
    return {path.relative_to(home).as_posix(): path.read_text()
            for path in sorted(home.rglob("*")) if path.is_file()}  # fmt: skip


# What the page's script reports


def test_files_are_known_by_the_path_in_their_folder(uploads: Path):
    one = piece(uploads, "set/all/1.png")
    assert pieces_of([[one.name, str(one.path)]], uploads) == [one]


@pytest.mark.parametrize("place_of", ["{outside}", "{uploads}/../secret.png", "{uploads}/link.png"])
def test_a_file_outside_the_uploads_is_refused(place_of: str, uploads: Path, tmp_path: Path):
    outside = tmp_path / "secret.png"
    outside.write_text("secret")
    (uploads / "link.png").symlink_to(outside)
    given = place_of.format(outside=outside, uploads=uploads)
    with pytest.raises(DatasetError, match=r"^1\.png did not reach the server; give it again\.$"):
        pieces_of([["all/1.png", given]], uploads)


def test_a_file_that_is_gone_is_refused(uploads: Path):
    with pytest.raises(DatasetError, match="did not reach the server"):
        pieces_of([["1.png", str(uploads / "gone.png")]], uploads)


def test_a_folder_is_no_file(uploads: Path):
    with pytest.raises(DatasetError, match="did not reach the server"):
        pieces_of([["1.png", str(uploads)]], uploads)


@pytest.mark.parametrize("entry", ["1.png", ["1.png"], ["1.png", None], [1, "x"], {"name": "x"}])
def test_a_list_of_something_else_is_refused(entry: object, uploads: Path):
    with pytest.raises(DatasetError, match="did not arrive whole"):
        pieces_of([entry], uploads)


@pytest.mark.parametrize("given", [None, "1.png", {}, 3])
def test_what_is_no_list_holds_no_files(given: object, uploads: Path):
    assert pieces_of(given, uploads) == []


# Where they are put


def test_pictures_and_tables_keep_their_place_and_zips_go_beside(uploads: Path, tmp_path: Path):
    given = [piece(uploads, name) for name in
             ("set/all/1.png", "set/hem/1.BMP", "set/groups.csv", "more of it!.zip", "a.ZIP",
              "set/notes.txt", "Thumbs.db")]  # fmt: skip
    taken = place(given, tmp_path / "home", None)
    assert laid_out(tmp_path / "home") == {
        "pictures/set/all/1.png": "set/all/1.png", "pictures/set/hem/1.BMP": "set/hem/1.BMP",
        "pictures/set/groups.csv": "set/groups.csv", "archives/0-more-of-it.zip": "more of it!.zip",
        "archives/1-a.zip": "a.ZIP",
    }  # fmt: skip
    assert (taken.n_pictures, taken.n_tables, taken.n_archives) == (2, 1, 2)
    assert taken.ignored == {"files that are no pictures": 2}


def test_a_zip_alone_makes_no_folder_of_pictures(uploads: Path, tmp_path: Path):
    place([piece(uploads, "a.zip")], tmp_path / "home", 0)
    assert list(laid_out(tmp_path / "home")) == ["archives/0-a.zip"]


@pytest.mark.parametrize("name", ["../1.png", "a/../../1.png", "/etc/1.png", "C:/1.png",
                                  "..\\1.png", "a/" * 20 + "1.png"])  # fmt: skip
def test_a_name_that_leads_out_is_left_out_and_counted(name: str, uploads: Path, tmp_path: Path):
    given = [piece(uploads, name), piece(uploads, "a/1.png")]
    taken = place(given, tmp_path / "x" / "home", None)
    assert list(laid_out(tmp_path / "x")) == ["home/pictures/a/1.png"]
    assert taken.n_pictures == 1
    assert list(taken.ignored.values()) == [1]


@pytest.mark.parametrize("name", ["../../a.zip", "....zip", "a\0b.zip", "ü" * 300 + ".zip"])
def test_a_zip_of_any_name_stays_inside(name: str, uploads: Path, tmp_path: Path):
    place([piece(uploads, name, "zip")], tmp_path / "x" / "home", None)
    (found,) = laid_out(tmp_path / "x")
    assert found.startswith("home/archives/0-")
    assert found.endswith(".zip")


def test_two_files_of_one_path_are_both_kept(uploads: Path, tmp_path: Path):
    given = [
        piece(uploads, name, content)
        for name, content in (("a/1.png", "one"), ("a/1.png", "two"), ("a/1.PNG", "three"))
    ]
    place(given, tmp_path / "home", None)
    found = laid_out(tmp_path / "home")
    assert sorted(found.values()) == ["one", "three", "two"]
    # also where the system takes .png and .PNG for one
    assert len({name.casefold() for name in found}) == 3


def test_one_upload_under_two_names_is_two_pictures(uploads: Path, tmp_path: Path):
    one = piece(uploads, "a/1.png", "same")
    place([one, Piece(name="b/1.png", path=one.path)], tmp_path / "home", None)
    assert list(laid_out(tmp_path / "home")) == ["pictures/a/1.png", "pictures/b/1.png"]


def test_what_was_kept_outlives_the_uploads(uploads: Path, tmp_path: Path):
    one = piece(uploads, "a/1.png")
    place([one], tmp_path / "home", None)
    one.path.unlink()
    assert laid_out(tmp_path / "home") == {"pictures/a/1.png": "a/1.png"}


def test_where_links_are_impossible_files_are_copied(uploads, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    place([piece(uploads, "a/1.png")], tmp_path / "home", None)
    assert laid_out(tmp_path / "home") == {"pictures/a/1.png": "a/1.png"}


def test_as_many_pictures_as_are_allowed_are_taken_and_no_more(uploads: Path, tmp_path: Path):
    given = [piece(uploads, f"a/{number}.png") for number in range(3)]
    assert place(given, tmp_path / "fits", 3).n_pictures == 3
    with pytest.raises(DatasetError, match=r"3 pictures were given; this server takes 2\. Give fe"):
        place(given, tmp_path / "many", 2)
    assert not (tmp_path / "many").exists()


@pytest.mark.parametrize("names", [[], ["notes.txt", "groups.csv"]])
def test_nothing_to_learn_from_is_said(names: list[str], uploads: Path, tmp_path: Path):
    given = [piece(uploads, name) for name in names]
    with pytest.raises(DatasetError, match=r"None of these files is a picture or a zip archive\."):
        place(given, tmp_path / "home", None)


def test_pictures_that_all_lead_out_are_nothing_to_learn_from(uploads: Path, tmp_path: Path):
    with pytest.raises(DatasetError, match="None of these files is a picture or a zip archive"):
        place([piece(uploads, "../1.png")], tmp_path / "home", None)
