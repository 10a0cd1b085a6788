"""`models import`: what is printed, what is kept, what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("tensorflow")

from leukemia_app.errors import BundleError
from tests.bundles.hostile_checkpoints import STATIC, chain, keras_file, plain

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.slow
def test_a_checkpoint_is_tried_and_only_then_kept(run: Run, tmp_path: Path):
    path = keras_file(tmp_path / "my net.keras", chain(*plain()))
    code, out, err = run("models", "import", path, "--labels", "normal,blast", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["id"], told["folder"], told["labels"]) == ("my-net", None, ["normal", "blast"])
    assert told["has_map"]
    assert len(told["tried"]) == 3
    models = tmp_path / "state" / "models"
    assert not list(models.iterdir())
    code, out, _ = run("models", "import", path, "--as", "mine", "--colour", "bgr", "--yes")
    assert code == 0
    assert "Scaling  unit: 0 to 1 (divided by 255) (a guess" in out
    assert "Opened in a process of its own, with bounds on: time" in out
    assert f"mine is imported: {models / 'mine'}" in out
    assert [each.name for each in models.iterdir()] == ["mine"]
    code, out, _ = run("models", "check", "mine")
    assert code == 0
    assert "litert within" in out
    assert "keras" not in out


def test_a_hostile_file_is_refused_in_a_sentence(run: Run, tmp_path: Path):
    path, words = STATIC["lambda in .keras"](tmp_path)
    code, out, err = run("models", "import", path, "--yes")
    assert (code, out) == (2, "")
    assert err.startswith("models: m.keras is not taken: ")
    assert words in err


def test_labels_come_from_a_file_as_teachable_machine_writes_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    answered = []

    def stop(path: object, facts: object, answers: object, home: object, **_: object) -> None:
        answered.append(answers.labels)
        raise BundleError("stopped before it is built")

    monkeypatch.setattr("leukemia_app.bundles.checkpoint.make_draft", stop)
    path = keras_file(tmp_path / "m.keras", chain(*plain()))
    (tmp_path / "my labels.txt").write_text("0 normal\n1 blast\n")
    _, out, err = run("models", "import", path, "--labels", tmp_path / "my labels.txt")
    assert "stopped before it is built" in err
    assert answered == [("normal", "blast")]
    assert "normal, blast (as given)" in out
    assert "stretched to 32 × 32 px, bilinear" in out
    (tmp_path / "my labels.txt").write_text("one")
    for named, words in (("my labels.txt", "my labels.txt holds no labels"),
                         ("lost.txt", "lost.txt, which is no file here")):  # fmt: skip
        _, _, err = run("models", "import", path, "--labels", tmp_path / named)
        assert words in err
    assert len(answered) == 1


def test_an_empty_label_and_a_lost_file_are_refused(run: Run, tmp_path: Path):
    path = keras_file(tmp_path / "m.keras", chain(*plain()))
    assert "write names with commas between" in run("models", "import", path, "--labels", "a,")[2]
    many = ",".join(f"class {number}" for number in range(99))
    assert "99 labels are given" in run("models", "import", path, "--labels", many)[2]
    assert "is not there" in run("models", "import", tmp_path / "lost.keras")[2]


def test_what_is_not_here_is_looked_for_on_the_hub(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def fetch(model: object, folder: Path, *, max_bytes: int, only: object, hub: object) -> object:
        asked.append((str(model), max_bytes, only))
        folder.mkdir()
        keras_file(folder / "a.keras", {"class_name": "Lambda"})
        return SimpleNamespace(folder=folder)

    monkeypatch.setattr("leukemia_app.bundles.hub.fetch", fetch)
    monkeypatch.chdir(tmp_path)
    code, _, err = run("models", "import", "ada/net@v1")
    assert asked == [("ada/net@v1", 500_000_000, None)]
    assert code == 2
    assert "describes a network of the kind Lambda" in err
    _, _, err = run("models", "import", "hf://ada/net/a.keras")
    assert asked[1:] == [("ada/net", 500_000_000, ["a.keras"])]
    assert "describes a network of the kind Lambda" in err
    assert "is not there" in run("models", "import", "ada/net/a.keras")[2]
    assert len(asked) == 2
