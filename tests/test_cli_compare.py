"""`compare` as a person runs it: labelled sets, single pictures, and what is refused."""

import csv
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from leukemia_app import compare
from leukemia_app.evaluation import corruptions
from leukemia_app.evaluation.corruptions import CORRUPTIONS
from leukemia_app.imaging.render import draw

Run = Callable[..., tuple[int, str, str]]
FIELDS, CELLS = "all4-mobilenet-attention", "cnmc-mobilenet-attention"
MODELS = f"{FIELDS},{CELLS}"
TWO = "other = Benign, hem; leukemic = Early, Pre, Pro, all"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two class folders of three drawn pictures, and one picture that no model has a label for."""
    folder = tmp_path_factory.mktemp("drawn")
    for label, seeds in (("Benign", (1, 2, 3)), ("Pro", (4, 5, 6)), ("basophil", (7,))):
        (folder / label).mkdir()
        for seed in seeds:
            pixels = draw(label, seed).pixels
            cv2.imwrite(str(folder / label / f"{seed}.png"), pixels[..., ::-1])
    return folder


def test_models_with_different_labels_need_a_map(run: Run, drawn: Path):
    code, _, err = run("compare", drawn, "--models", MODELS)
    assert code == 2
    assert "different labels" in err
    assert "common label = labels" in err


def test_a_labelled_folder_is_compared_and_written(run: Run, drawn: Path, tmp_path: Path):
    out = tmp_path / "out"
    code, told, err = run("compare", drawn, "--models", MODELS, "--map", TWO, "--out", out)
    assert (code, err) == (0, "")
    assert told.startswith("2 models on the same 6 pictures, image-level, optimistic.")
    assert "The labels meet as you stated" in told
    assert "no model has an answer for the label: “basophil” 1" in told
    assert "McNemar" in told
    plain = json.loads((out / "comparison.json").read_text())
    assert plain["n"] == 6
    assert plain["left_out"]["other_labels"] == {"basophil": 1}
    text = (out / "answers.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {(row["model"], row["label"]) for row in rows} == {
        (id, label) for id in (FIELDS, CELLS) for label in ("other", "leukemic")
    }
    page = (out / "comparison.html").read_text()
    assert "data:image/jpeg;base64" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_json_and_python_say_the_same(run: Run, drawn: Path):
    code, out, _ = run("compare", drawn, "--models", MODELS, "--map", TWO, "--json")
    printed = json.loads(out)
    found = compare([FIELDS, CELLS], drawn, label_map=TWO).to_dict()
    for one, other in zip(printed["models"], found["models"], strict=True):
        assert one["metrics"] == other["metrics"]
        assert one["confusion"] == other["confusion"]
    assert code == 0


def test_disturbed_copies_are_compared_too(run: Run, tmp_path: Path):
    for label, value in (("Benign", 90), ("Pro", 200)):
        (tmp_path / label).mkdir()
        cv2.imwrite(str(tmp_path / label / "a.png"), np.full((32, 32, 3), value, np.uint8))
    code, out, _ = run("compare", tmp_path, "--models", MODELS, "--map", TWO, "--corruptions",
                       "--json")  # fmt: skip
    assert code == 0
    found = json.loads(out)["models"][0]["corruptions"]
    assert list(found) == list(CORRUPTIONS)
    assert [row["strength"] for row in found["stain_shift"]] == [1, 2, 3, 4, 5]


def test_a_set_without_every_class_is_disturbed_in_accuracy(run: Run, tmp_path: Path, monkeypatch):
    two = tuple(each for each in corruptions.EVERY if each[0] in ("stain_shift", "grey"))
    monkeypatch.setattr(corruptions, "EVERY", two)
    (tmp_path / "Pro").mkdir()
    cv2.imwrite(str(tmp_path / "Pro" / "a.png"), draw("Pro", 1).pixels[..., ::-1])
    code, out, _ = run("compare", tmp_path, "--models", MODELS, "--map", TWO, "--corruptions")
    told = [line for line in out.splitlines() if line.startswith(f"{FIELDS}, ")]
    assert code == 0
    assert len(told) == 2
    for line in told:
        assert re.fullmatch(rf"{FIELDS}, [a-z ]+: accuracy ([01]\.000(, )?){{5}}", line)


def test_a_zip_is_compared_as_the_folder_in_it(run: Run, drawn: Path, tmp_path: Path):
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(drawn.rglob("*.png")):
            file.write(path, path.relative_to(drawn).as_posix())
    code, out, _ = run("compare", archive, "--models", MODELS, "--map", TWO, "--json")
    assert code == 0
    assert json.loads(out)["n"] == 6


def test_a_broken_picture_costs_only_itself(run: Run, drawn: Path, tmp_path: Path):
    folder = tmp_path / "set"
    shutil.copytree(drawn, folder)
    (folder / "Pro" / "bad.png").write_bytes(b"no picture")
    code, out, err = run("compare", folder, "--models", MODELS, "--map", TWO, "--json")
    assert code == 1
    assert "bad.png" in err
    assert json.loads(out)["left_out"]["unreadable"] == 1


def test_single_pictures_are_put_side_by_side(run: Run, drawn: Path, tmp_path: Path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    files = [drawn / "Pro" / "4.png", bad]
    code, out, _ = run("compare", *files, "--models", MODELS, "--map", TWO, "--json")
    assert code == 1
    first, second = json.loads(out)
    assert list(first["models"]) == [FIELDS, CELLS]
    for said in first["models"].values():
        assert sum(said["common"]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert first["said"]
    assert second["error"]["kind"] == "image"
    _, classified, _ = run("classify", files[0], "--model", FIELDS, "--json")
    alone = json.loads(classified)[0]["probabilities"]
    assert first["models"][FIELDS]["probabilities"] == pytest.approx(alone)


def test_single_pictures_in_words(run: Run, drawn: Path):
    code, out, _ = run("compare", drawn, "--models", MODELS, "--map", TWO, "--unlabelled")
    assert code == 0
    assert out.count(f"  {FIELDS}") == 7
    assert f"{FIELDS} reads a field; {CELLS} reads one cell." in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--models", FIELDS), "takes 2 to 6 models, and 1 is named"),
        (("--models", f"{FIELDS},{FIELDS}"), "is named twice"),
        (("--models", f"{FIELDS},nobody"), "No model has the id 'nobody'"),
        (("--models", MODELS, "--map", "a = Benign"), "two common labels or more"),
        (("--models", MODELS, "--map", "a = Benign, hem; b = Early"), "does not say what"),
        (("--models", MODELS, "--map", TWO, "--unlabelled", "--corruptions"), "are for labelled"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(
    run: Run, drawn: Path, arguments: tuple[str, ...], said: str
):
    code, _, err = run("compare", drawn, *arguments)
    assert code == 2
    assert said in err


def test_a_folder_without_labels_says_how_to_go_on(run: Run, drawn: Path, tmp_path: Path):
    shutil.copy(drawn / "Pro" / "4.png", tmp_path / "4.png")
    code, _, err = run("compare", tmp_path, "--models", MODELS, "--map", TWO)
    assert code == 2
    assert "--unlabelled" in err
    code, _, err = run("compare", tmp_path / "nothing", "--models", MODELS, "--map", TWO)
    assert code == 2
    assert "There is no" in err
