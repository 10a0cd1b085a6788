"""`runs` as a person runs it: exit codes, words, JSON."""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leukemia_app import cli
from leukemia_app.data.corrections import Change
from leukemia_app.settings import TrainingLimits
from leukemia_app.training import jobs
from leukemia_app.training.corrections import keep_changes
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.training.memory import Pulse, write_pulse
from leukemia_app.training.run_folder import RunFolder
from tests import light_worker
from tests.light_worker import end_all, wait_until
from tests.tiny_runs import tiny_config

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The app's folder of runs, whose workers need no TensorFlow."""
    for name in [name for name in os.environ if name.startswith("LEUKEMIA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEUKEMIA_STATE_DIR", str(tmp_path / "state"))
    for name, value in cli.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with light_worker.instead(monkeypatch):
        yield tmp_path / "state" / "runs"
        end_all(tmp_path / "state" / "runs")


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture) -> Run:
    """Runs one command in this process and gives its exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def made(root: Path, name: str, state: str = "stopped", **work: object) -> RunFolder:
    folder = RunFolder(path=root / name)
    folder.write_json("work.json", work)
    folder.create(tiny_config(root, id=name))
    folder.set_state(state, reason="A reason." if state == "failed" else "")
    return folder


def test_without_a_run_the_folder_is_named(run, root):
    code, out, _ = run("runs", "list")
    assert code == 0
    assert out == f"There is no run in {root}.\n"
    assert json.loads(run("runs", "list", "--json")[1]) == []


def test_runs_are_listed_with_their_states(run, root):
    made(root, "one", "done").write_json("bundle/bundle.json", {})
    made(root, "two", "failed")
    code, out, _ = run("runs", "list")
    assert code == 0
    assert "done, with a model" in out
    assert "baseline_cnn + plain" in out
    assert "normal, blast" in out
    found = json.loads(run("runs", "list", "--json")[1])
    assert {line["id"]: line["state"] for line in found} == {"one": "done", "two": "failed"}
    assert {line["id"]: line["reason"] for line in found}["two"] == "A reason."


def test_a_run_is_shown_with_its_curves(run, root):
    folder = made(root, "one", "stopped")
    folder.add_event("head", epoch=1, epochs=1, loss=0.9)
    folder.add_event("epoch", epoch=1, epochs=2, loss=0.5, val_loss=0.25, best=True)
    folder.add_event("left out", reason="a.png")
    code, out, _ = run("runs", "show", "one")
    assert code == 0
    assert "state        stopped" in out
    assert "best so far  epoch 1, loss 0.5, val loss 0.25" in out
    assert "left out     1 pictures" in out
    assert "epoch  loss    val loss\n1      0.5000  0.2500\n" in out
    assert "head  loss\n1     0.9000\n" in out
    view = json.loads(run("runs", "show", "one", "--json")[1])
    assert view["tune"] == {"epochs": [1], "values": {"loss": [0.5], "val_loss": [0.25]}}
    assert view["line"]["actions"] == ["resume", "remove"]


def test_a_run_is_shown_with_what_was_corrected_in_its_pictures(run, root):
    folder = made(root, "one", "done")
    assert json.loads(run("runs", "show", "one", "--json")[1])["corrections"] == []
    assert "By hand" not in run("runs", "show", "one")[1]
    change = Change(file="normal/1.png", was="normal", label="", group="g", part="test", run="ward")
    keep_changes(folder, [change])
    out = run("runs", "show", "one")[1]
    assert "By hand, after seeing the answers of ward: 1 test picture dropped." in out
    assert "normal/1.png  test  normal  dropped\n" in out
    assert json.loads(run("runs", "show", "one", "--json")[1])["corrections"] == [vars(change)]
    (folder.path / "corrections.json").write_text("{")
    code, out, err = run("runs", "show", "one")
    assert (code, "state" in out) == (0, True), "the rest can be told all the same"
    assert "what was corrected by hand is not known" in err


def test_a_run_that_works_is_shown_with_its_memory_and_then_stopped(run, root, monkeypatch):
    folder = made(root, "one", seconds=600, best=True)
    code, out, _ = run("runs", "resume", "one")
    assert code == 0
    assert out.startswith("one: starting")
    second = made(root, "two", seconds=600)
    assert run("runs", "resume", "two")[1] == "two: queued, place 1\n"
    wait_until(lambda: folder.status()["state"] == "fine-tuning")
    code, out, _ = run("runs", "stop", "one")
    assert code == 0
    assert out == "one: stopped, making the best so far a model\n"
    wait_until(lambda: jobs.standing(second).state == "fine-tuning")
    write_pulse(second, Pulse(time=1.0, memory_mb=500, peak_mb=600, free_mb=9000))
    assert "It last held" in run("runs", "show", "two")[1]
    code, out, _ = run("runs", "stop", "two", "--json", "--no-model")
    assert json.loads(out)["state"] == "stopped"
    assert "one" in run("runs", "list")[1]


def test_a_run_anywhere_is_named_by_its_folder(run, root, tmp_path):
    folder = made(tmp_path / "elsewhere", "mine", seconds=600)
    try:
        assert run("runs", "resume", folder.path)[0] == 0
        assert jobs.is_running(folder)
        assert run("runs", "stop", folder.path)[1] == "mine: stopped\n"
    finally:
        end_all(tmp_path / "elsewhere")
    code, _, errors = run("runs", "show", tmp_path / "nowhere")
    assert code == 2
    assert "nowhere holds no run; give the folder with its config.json" in errors


@pytest.mark.parametrize("action", ["show", "stop", "resume", "rm"])
def test_a_run_that_is_not_there_is_told(action, run):
    code, _, errors = run("runs", action, "nobody")
    assert code == 2
    assert "There is no run 'nobody' of yours. The list of runs names them." in errors


def test_a_run_that_is_done_is_not_resumed(run, root):
    made(root, "one", "done")
    code, _, errors = run("runs", "resume", "one")
    assert code == 2
    assert "one is done; start a new run to train on" in errors


def test_limits_hold_on_the_command_line_too(run, root, monkeypatch):
    made(root, "one")
    monkeypatch.setenv("LEUKEMIA_TRAINING", "off")
    code, _, errors = run("runs", "resume", "one")
    assert code == 2
    assert "Training is turned off here (LEUKEMIA_TRAINING)" in errors


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_deleting_asks_first(run, root, monkeypatch):
    folder = made(root, "one")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, _, errors = run("runs", "rm", "one")
    assert code == 2
    assert "add --yes where nobody can be asked" in errors
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    code, out, errors = run("runs", "rm", "one")
    assert (code, out) == (2, "Nothing was deleted.\n")
    assert f"Delete {folder.path} with its model and report? [y/N]" in errors
    assert folder.path.exists()
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert run("runs", "rm", "one")[:2] == (0, "one is deleted.\n")
    assert not folder.path.exists()


def test_deleting_can_be_told_not_to_ask(run, root):
    made(root, "one")
    code, out, _ = run("runs", "rm", "one", "--yes", "--json")
    assert code == 0
    assert json.loads(out) == {"id": "one", "removed": True}
    assert list(JobQueue(root=root, limits=TrainingLimits()).folders()) == []
