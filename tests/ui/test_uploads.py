"""Visitors' pictures go: with the server, or at the next start where it was killed."""

import os
from pathlib import Path

from leukemia_app.ui.uploads import PREFIX, keep_room, sweep_leftovers, uploads_folder

NOW = 1_000_000.0


def left_behind(root: Path, age_s: float, name: str = "a") -> Path:
    file = root / f"{PREFIX}{name}" / "hash" / "cell.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    for path in (file, file.parent, file.parent.parent):
        os.utime(path, (NOW - age_s, NOW - age_s))
    return file


def test_the_folder_goes_with_the_server_and_is_where_gradio_looks(monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "elsewhere")
    with uploads_folder() as folder:
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert folder.stat().st_mode & 0o077 == 0, "nobody else may look in"
        (folder / "cell.png").write_bytes(b"x")
    assert not folder.exists()


def test_what_a_killed_server_left_is_deleted_after_the_stated_while(tmp_path: Path):
    old = left_behind(tmp_path, age_s=3700)
    sweep_leftovers(keep_s=3600, root=tmp_path, now=NOW)
    assert not old.exists()


def test_younger_pictures_stay_as_another_server_may_use_them(tmp_path: Path):
    young = left_behind(tmp_path, age_s=3500)
    sweep_leftovers(keep_s=3600, root=tmp_path, now=NOW)
    assert young.exists()


def test_other_folders_are_left_alone(tmp_path: Path):
    other = tmp_path / "somebody" / "file"
    other.parent.mkdir()
    other.write_bytes(b"x")
    os.utime(other, (0, 0))
    sweep_leftovers(keep_s=1, root=tmp_path, now=NOW)
    assert other.exists()


def test_a_link_is_removed_and_what_it_names_is_not(tmp_path: Path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"x")
    os.utime(precious, (0, 0))
    folder = tmp_path / f"{PREFIX}a"
    folder.mkdir()
    (folder / "link").symlink_to(precious)
    os.utime(folder / "link", (0, 0), follow_symlinks=False)
    sweep_leftovers(keep_s=1, root=tmp_path, now=NOW)
    assert not (folder / "link").is_symlink()
    assert precious.exists()


def sent(folder: Path, name: str, size: int, at: float) -> Path:
    file = folder / name / "cells.zip"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(size))
    os.utime(file, (at, at))
    return file


def test_uploads_take_no_more_than_half_of_the_room_and_the_oldest_go_first(tmp_path: Path):
    files = [sent(tmp_path, name, 100, at) for name, at in (("b", 2), ("a", 1), ("c", 3))]
    # 300 taken and 300 free: half of 600 is just taken.
    keep_room(tmp_path, free_bytes=300)
    assert all(file.exists() for file in files)
    # 300 taken and 299 free: a byte too much costs the oldest file.
    keep_room(tmp_path, free_bytes=299)
    assert [file.exists() for file in files] == [True, False, True]
    # A full disk: of 200 taken 100 may stay.
    keep_room(tmp_path, free_bytes=0)
    assert [file.exists() for file in files] == [False, False, True]


def test_room_is_kept_in_a_folder_that_is_empty_or_just_gone(tmp_path: Path):
    keep_room(tmp_path, free_bytes=0)
    keep_room(tmp_path / "gone", free_bytes=0)
