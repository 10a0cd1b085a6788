"""A run's copy in trackio: what is handed over, and what is said where it cannot be."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leukemia_app import cli
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import tiny_config

Export = Callable[..., tuple[int, str, str]]


class FakeTrackio(ModuleType):
    """Keeps what it is given, as trackio 0.43 takes it."""

    def __init__(self) -> None:
        super().__init__("trackio")
        self.started: list[dict[str, Any]] = []
        self.logged: list[tuple[int | None, dict[str, float]]] = []
        self.is_finished = False

    def init(
        self, project: str, name: str | None = None, config: dict[str, Any] | None = None,
        *, embed: bool = True, auto_log_gpu: bool | None = None, auto_log_cpu: bool | None = None,
    ) -> None:  # fmt: skip
        if project == "a/b":
            raise ValueError("no slash, please")
        json.dumps(config)
        self.started.append({"project": project, "name": name, "config": config})
        assert (embed, auto_log_gpu, auto_log_cpu) == (False, False, False)

    def log(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.logged.append((step, metrics))

    def finish(self) -> None:
        sys.stdout.write("* Run finished.\n")
        self.is_finished = True


@pytest.fixture
def trackio(monkeypatch: pytest.MonkeyPatch) -> FakeTrackio:
    fake = FakeTrackio()
    monkeypatch.setitem(sys.modules, "trackio", fake)
    return fake


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that was stopped after an epoch of the head and two of the tuning."""
    for name in [name for name in os.environ if name.startswith("LEUKEMIA_")]:
        monkeypatch.delenv(name)
    for name, value in cli.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LEUKEMIA_STATE_DIR", str(tmp_path / "state"))
    made = RunFolder(path=tmp_path / "state" / "runs" / "ward")
    made.create(tiny_config(tmp_path, id="ward"))
    made.set_state("stopped")
    made.add_event("head", epoch=1, epochs=1, loss=0.9, best=True)
    made.add_event("epoch", epoch=1, epochs=2, loss=0.5, val_loss=0.25, best=True)
    made.add_event("epoch", epoch=2, epochs=2, loss=0.4, val_loss=0.3, best=False)
    return made


@pytest.fixture
def export(capsys: pytest.CaptureFixture) -> Export:
    def export(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["runs", "export", *arguments, "--to", "trackio"])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return export


def test_settings_and_the_numbers_of_every_epoch_are_handed_over(folder, trackio, export):
    code, out, _ = export("ward")
    assert code == 0
    assert out == "ward: 3 epochs are in trackio's project leukemia. `trackio show` opens it.\n"
    assert [(start["project"], start["name"]) for start in trackio.started] == [
        ("leukemia", "ward")
    ]
    assert trackio.started[0]["config"]["backbone"] == "baseline_cnn"
    assert trackio.logged == [
        (1, {"head/loss": 0.9}),
        (2, {"tune/loss": 0.5, "tune/val_loss": 0.25}),
        (3, {"tune/loss": 0.4, "tune/val_loss": 0.3}),
    ]
    assert trackio.is_finished


def test_a_folder_and_another_project_can_be_named(folder, trackio, export):
    # The JSON stands alone, whatever trackio prints.
    found = json.loads(export(str(folder.path), "--project", "clinic", "--json")[1])
    assert found == {"id": "ward", "to": "trackio", "project": "clinic", "epochs": 3}
    assert trackio.started[0]["project"] == "clinic"


def test_a_run_without_an_epoch_has_nothing_to_hand_over(folder, trackio, export):
    (folder.path / "events.jsonl").unlink()
    code, _, err = export("ward")
    assert code != 0
    assert "ward has not finished an epoch" in err
    assert not trackio.started


def test_a_missing_program_is_told_with_its_remedy(folder, monkeypatch, export):
    monkeypatch.setitem(sys.modules, "trackio", None)
    code, _, err = export("ward")
    assert code != 0
    assert "pip install 'trackio>=0.43,<0.44'" in err


def test_what_trackio_refuses_is_told(folder, trackio, export):
    code, _, err = export("ward", "--project", "a/b")
    assert code != 0
    assert "trackio did not take the run (no slash, please)" in err
