"""A model carried from one machine to another, and deleted there, by commands."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leukemia_app import settings

ROOT = Path(__file__).resolve().parents[1]
MODEL = "pbc-mobilenet"
EXAMPLE = next(iter(sorted((ROOT / "examples").glob("*lymphocyte*.png"))), None)

Run = Callable[..., tuple[int, str, str]]


def answer(run: Run) -> dict:
    """What the model says of an example, without the time that it took."""
    code, out, _ = run("classify", EXAMPLE, "--model", MODEL, "--device", "cpu", "--json")
    assert code == 0
    (said,) = json.loads(out)
    return {name: value for name, value in said.items() if name != "ms"}


@pytest.mark.skipif(EXAMPLE is None, reason="no example of a lymphocyte is drawn")
def test_a_shipped_model_goes_to_a_machine_without_it_and_is_the_same(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    archive = tmp_path / "carried.zip"
    assert run("models", "pack", MODEL, "--out", archive)[0] == 0
    before = answer(run)
    monkeypatch.setattr(settings, "SHIPPED", tmp_path / "nothing-shipped")
    code, out, _ = run("models", "add", archive, "--json")
    assert code == 0
    folder = tmp_path / "state" / "models" / MODEL
    assert json.loads(out) == {"id": MODEL, "folder": str(folder), "is_new": True}
    code, out, _ = run("models", "check", MODEL, "--json")
    assert (code, json.loads(out)[0]["ok"]) == (0, True)
    assert answer(run) == before
    code, out, _ = run("models", "add", archive)
    assert (code, out) == (0, f"{MODEL} is here already: {folder}\n")
    assert run("models", "rm", MODEL)[:2] == (0, f"{MODEL} is deleted.\n")
    assert not folder.exists()


def test_a_zip_is_never_written_over_another_file(run: Run, tmp_path: Path):
    target = tmp_path / "notes.zip"
    target.write_text("mine")
    code, _, err = run("models", "pack", MODEL, "--out", target)
    assert code == 2
    assert f"{target} cannot be written" in err
    assert "--out" in err
    assert target.read_text() == "mine"
    assert run("models", "pack", MODEL, "--out", tmp_path / "gone" / "x.zip")[0] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.zip"]


def test_what_is_no_model_is_refused_in_a_sentence(run: Run, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("notes/readme.txt", "hello")
    code, out, err = run("models", "add", tmp_path / "x.zip")
    assert (code, out) == (2, "")
    assert err.startswith("models: x.zip holds no bundle.json, so it is no model of this app.")


def test_a_shipped_model_is_not_deleted(run: Run):
    code, _, err = run("models", "rm", MODEL)
    assert code == 2
    assert f"{MODEL} was not added here (shipped)" in err
    assert (ROOT / "models" / MODEL).is_dir()


def test_a_model_that_a_run_starts_from_is_kept(run: Run, tmp_path: Path):
    run_folder = tmp_path / "state" / "runs" / "mine"
    run_folder.mkdir(parents=True)
    start = f"bundle:{ROOT / 'models' / MODEL}"
    (run_folder / "config.json").write_text(json.dumps({"start": start}))
    (run_folder / "status.json").write_text('{"state": "interrupted"}')
    code, _, err = run("models", "rm", MODEL)
    assert code == 2
    assert f"The run mine starts from the model {MODEL} and needs it" in err
