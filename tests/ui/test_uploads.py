"""Visitors' pictures go: with the server, or at the next start where it was killed."""

import os
from pathlib import Path

from leukemia_app.ui.uploads import PREFIX, sweep_leftovers, uploads_folder

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
