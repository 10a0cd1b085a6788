"""The gallery's pictures come from a folder, described or not."""

import json
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.errors import SettingError
from leukemia_app.imaging.decode import Limits, encode_png
from leukemia_app.ui.examples import MAX_EXAMPLES, Shelf, described, find_examples

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


def test_pictures_in_subfolders_are_named_by_their_path(tmp_path: Path):
    for name in ("all/a.png", "hem/a.png", ".hidden/a.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(PNG)
    first, second = found(tmp_path)
    assert (first.name, first.caption) == ("all/a.png", "Example all/a")
    assert second.name == "hem/a.png"


def test_of_too_many_pictures_every_subfolder_has_its_share(tmp_path: Path):
    names = [f"{label}/{number:03}.png" for label in ("all", "hem") for number in range(100)]
    chosen = [str(facts["file"]) for facts in described(tmp_path, names)]
    # the k-th of 24 is number k * 200 // 24 = 0, 8, 16, 25, ...
    assert chosen[:4] == ["all/000.png", "all/008.png", "all/016.png", "all/025.png"]
    assert [name[:3] for name in chosen].count("all") == MAX_EXAMPLES / 2


def test_a_shelf_still_knows_what_stood_there_first(tmp_path: Path):
    for name in ("first.png", "later.png"):
        (tmp_path / name).write_bytes(PNG)
    later, first = reversed(found(tmp_path))
    shelf = Shelf([first])
    assert not shelf.is_changed
    shelf.examples = (later,)
    assert shelf.is_changed
    assert shelf.find("later.png") is later
    assert shelf.find("first.png") is first
    assert shelf.find("../first.png") is None
    assert shelf.find(None) is None


def test_a_broken_picture_is_left_out(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert [example.path.name for example in found(tmp_path)] == ["a.png"]


def test_a_missing_folder_gives_no_gallery(tmp_path: Path):
    assert found(tmp_path / "nowhere") == ()


@pytest.mark.parametrize("name", ["../secret.png", "x/../../secret.png", "{absolute}",
                                  "..\\secret.png", "C:secret.png"])  # fmt: skip
def test_a_listed_path_cannot_leave_the_folder(tmp_path: Path, name: str):
    inside = tmp_path / "examples"
    (inside / "x").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(PNG)
    listed(inside, {"file": name.format(absolute=tmp_path / "secret.png")})
    assert described(inside, []) == []
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
