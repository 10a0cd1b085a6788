"""The worker ends with words in the status, whatever went wrong."""

import errno
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from leukemia_app.errors import DatasetError, RunError
from leukemia_app.training import run, worker
from leukemia_app.training.run_folder import RunFolder, Stopped
from tests.tiny_runs import draw_set, tiny_config


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    made = RunFolder(path=tmp_path / "run")
    made.create(tiny_config(tmp_path / "set"))
    yield made
    for handler in logging.getLogger().handlers[:]:
        if isinstance(handler, logging.FileHandler):
            logging.getLogger().removeHandler(handler)
            handler.close()


def ending(monkeypatch: pytest.MonkeyPatch, folder: RunFolder, error: Exception | None) -> int:
    """The worker's exit code where carrying out the run raises this."""

    def carry_out(given: RunFolder) -> None:
        assert given == folder
        if error is not None:
            raise error

    monkeypatch.setattr(run, "carry_out", carry_out)
    return worker.main([str(folder.path)])


def test_a_run_that_ends_well_exits_with_nothing(folder, monkeypatch):
    assert ending(monkeypatch, folder, None) == 0


def test_a_stopped_run_is_stopped(folder, monkeypatch):
    assert ending(monkeypatch, folder, Stopped()) == 1
    assert folder.status()["state"] == "stopped"


@pytest.mark.parametrize(
    ("error", "words"),
    [(DatasetError("a.csv lacks the column group."), "a.csv lacks the column group."),
     (OSError(errno.ENOSPC, "No space left on device", "/d/state/arrays.npz"),
      "/d/state/arrays.npz cannot be read or written (No space left on device). Mend that, or "
      "make room on the disk, then start the run again: it goes on from the last epoch."),
     (OSError("28 requested and 0 written"), "A file of the run cannot be read or written (28"),
     (MemoryError(), "The machine has too little memory for the run. Use a smaller batch_size"),
     (KeyError("a bug"), "The run broke: 'a bug' (log.txt says where).")],
    ids=["ours", "full disk", "short write", "memory", "bug"],
)  # fmt: skip
def test_a_failed_run_says_why(error, words, folder, monkeypatch):
    assert ending(monkeypatch, folder, error) == 2
    status = folder.status()
    assert status["state"] == "failed"
    assert status["reason"].startswith(words)


def test_an_error_that_nobody_foresaw_is_in_the_log(folder, monkeypatch, caplog):
    ending(monkeypatch, folder, KeyError("a bug"))
    assert "the run broke" in caplog.text
    assert "Traceback" in caplog.text


def spoil(how: str, folder: RunFolder, data: Path) -> None:
    table = data / "groups.csv"
    if how == "broken table":
        table.write_bytes(b"\xff\xfe\x00file")
    elif how == "lost picture":
        (data / "normal" / "0-0.png").unlink()
    elif how == "lost table":
        table.unlink()
    else:
        (folder.path / "config.json").write_text("{")


@pytest.mark.parametrize(
    ("how", "words"),
    [("broken table", "groups.csv cannot be read as a table"),
     ("lost picture", "groups.csv, row 1 names normal/0-0.png, which is not in"),
     ("lost table", "groups.csv cannot be read as a table"),
     ("broken configuration", "holds no readable config.json; start a new run")],
)  # fmt: skip
def test_what_a_person_broke_is_told_by_name(how, words, folder, tmp_path):
    draw_set(tmp_path / "set")
    spoil(how, folder, tmp_path / "set")
    assert worker.main([str(folder.path)]) == 2
    assert words in folder.status()["reason"]


def test_a_status_that_cannot_be_written_ends_the_process_with_words(folder, monkeypatch):
    # They stand in output.txt; whoever follows sees the process end.
    (folder.path / "status.json").unlink()
    (folder.path / "status.json").mkdir()
    with pytest.raises(RunError, match=r"status.json cannot be written"):
        ending(monkeypatch, folder, Stopped())
