"""The gallery's pictures come from a folder, described or not."""

import json
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.errors import SettingError
from leukemia_app.imaging.decode import Limits, encode_png
from leukemia_app.ui.examples import find_examples

PNG = encode_png(np.full((20, 30, 3), 200, np.uint8))


def found(folder: Path):
    return find_examples(folder, Limits())


def listed(folder: Path, *entries: object) -> None:
    (folder / "examples.json").write_text(json.dumps(entries))


def test_a_described_folder_keeps_its_order_and_words(tmp_path: Path):
    for name in ("b.png", "a.png"):
        (tmp_path / name).write_bytes(PNG)
    listed(tmp_path, {"file": "b.png", "drawn": "Pro", "input": "field", "caption": "Field of Pro"},
           {"file": "a.png"})  # fmt: skip
    first, second = found(tmp_path)
    assert (first.path.name, first.caption, first.input, first.label) == (
        "b.png", "Field of Pro", "field", "Pro",
    )  # fmt: skip
    assert (second.caption, second.input, second.label) == ("Example a", None, None)


def test_a_folder_without_a_list_shows_its_pictures_by_name(tmp_path: Path):
    for name in ("b.PNG", "a.png"):
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "notes.txt").write_text("no picture")
    assert [example.path.name for example in found(tmp_path)] == ["a.png", "b.PNG"]


def test_a_broken_picture_is_left_out(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert [example.path.name for example in found(tmp_path)] == ["a.png"]


def test_a_missing_folder_gives_no_gallery(tmp_path: Path):
    assert found(tmp_path / "nowhere") == ()


def test_a_listed_path_cannot_leave_the_folder(tmp_path: Path):
    inside = tmp_path / "examples"
    inside.mkdir()
    (tmp_path / "secret.png").write_bytes(PNG)
    listed(inside, {"file": "../secret.png"})
    assert found(inside) == ()


@pytest.mark.parametrize("content", ["{", '{"file": 1}', '["a.png"]', '[{"caption": "x"}]', "3"])
def test_a_list_that_is_none_is_refused_by_name(tmp_path: Path, content: str):
    (tmp_path / "examples.json").write_text(content)
    with pytest.raises(SettingError, match=r"examples\.json cannot be used .* or remove it"):
        found(tmp_path)


def test_the_shipped_examples_can_all_be_shown():
    folder = Path(__file__).resolve().parents[2] / "examples"
    names = [entry["file"] for entry in json.loads((folder / "examples.json").read_text())]
    assert [example.path.name for example in found(folder)] == names
