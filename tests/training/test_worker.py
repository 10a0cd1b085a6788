"""The worker ends with words in the status, whatever went wrong."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.bundles import device
from leukemia_app.data.archive import ZipLimits
from leukemia_app.errors import DatasetError, RunError, SettingError
from leukemia_app.training import data_check, run, worker
from leukemia_app.training.data_folder import DataFolder
from leukemia_app.training.job_folder import JobFolder, Stopped, StopWish
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import draw_set, tiny_config


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    for name in (*worker.ENVIRONMENT, *worker.THREADS, "CUDA_VISIBLE_DEVICES"):
        # What the worker sets is taken back after the test.
        monkeypatch.setenv(name, os.environ.get(name, worker.ENVIRONMENT.get(name, "2")))
    made = RunFolder(path=tmp_path / "run")
    made.create(tiny_config(tmp_path / "set"))
    return made


def ending(
    monkeypatch: pytest.MonkeyPatch, folder: RunFolder, error: Exception | None,
    finish: bool = False,
) -> int:  # fmt: skip
    """The worker's exit code where carrying out the run raises this."""

    def carry_out(given: RunFolder, *, finish: bool) -> None:
        assert given == folder
        assert finish is wanted
        if error is not None:
            raise error

    wanted = finish
    monkeypatch.setattr(run, "carry_out", carry_out)
    return worker.work(JobFolder(path=folder.path), finish=finish)


def test_a_run_that_ends_well_exits_with_nothing(folder, monkeypatch):
    assert ending(monkeypatch, folder, None) == 0
    assert folder.status()["state"] == "done"
    assert [event["kind"] for event in folder.events()] == ["start"]
    assert not (folder.path / "spare").exists()


def test_a_stopped_run_is_stopped_with_the_reason_of_who_stopped_it(folder, monkeypatch):
    assert ending(monkeypatch, folder, Stopped()) == 1
    assert folder.status()["state"] == "stopped"
    assert "reason" not in folder.status()
    folder.ask_to_stop(StopWish(reason="The time limit was reached."))
    ending(monkeypatch, folder, Stopped())
    assert folder.status()["reason"] == "The time limit was reached."


@pytest.mark.parametrize(
    ("error", "words"),
    [(DatasetError("a.csv lacks the column group."), "a.csv lacks the column group."),
     (OSError(errno.ENOSPC, "No space left on device", "/d/state/arrays.npz"),
      "/d/state/arrays.npz cannot be read or written (No space left on device). Mend that, or "
      "make room on the disk, then start the run again: it goes on from the last epoch."),
     (OSError("28 requested and 0 written"), "A file of the run cannot be read or written (28"),
     (MemoryError(), "The machine has too little memory for the run. Use a smaller batch_size"),
     (type("ResourceExhaustedError", (Exception,), {})("OOM when allocating"),
      "The machine has too little memory for the run. Use a smaller batch_size"),
     (KeyError("a bug"), "The run broke: 'a bug' (log.txt says where).")],
    ids=["ours", "full disk", "short write", "memory", "memory of a GPU", "bug"],
)  # fmt: skip
def test_a_failed_run_says_why(error, words, folder, monkeypatch):
    assert ending(monkeypatch, folder, error) == 2
    status = folder.status()
    assert status["state"] == "failed"
    assert status["reason"].startswith(words)


def test_a_last_job_that_fails_leaves_the_run_stopped(folder, monkeypatch):
    assert ending(monkeypatch, folder, RunError("Not one epoch was finished."), finish=True) == 1
    status = folder.status()
    assert status["state"] == "stopped"
    assert status["reason"] == (
        "The best so far could not be made a model. Not one epoch was finished."
    )


def test_an_error_that_nobody_foresaw_is_in_the_log(folder, monkeypatch, caplog):
    ending(monkeypatch, folder, KeyError("a bug"))
    assert "the job broke" in caplog.text
    assert "Traceback" in caplog.text


def test_a_run_that_is_done_stays_done(folder, monkeypatch):
    folder.set_state("done", note="kept")
    assert ending(monkeypatch, folder, None) == 0
    assert folder.status()["note"] == "kept"


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
     ("lost table", "There is no table"),
     ("broken configuration", "holds no readable config.json; start a new run")],
)  # fmt: skip
def test_what_a_person_broke_is_told_by_name(how, words, folder, tmp_path):
    draw_set(tmp_path / "set")
    spoil(how, folder, tmp_path / "set")
    assert worker.work(folder) == 2
    assert words in folder.status()["reason"]


def test_a_folder_without_a_job_is_told(tmp_path):
    folder = JobFolder(path=tmp_path)
    assert worker.work(folder) == 2
    assert "holds neither config.json nor dataset.json" in folder.status()["reason"]


def test_a_setting_that_cannot_be_used_is_told(folder, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_TRAINING", "perhaps")
    assert ending(monkeypatch, folder, None) == 2
    assert "LEUKEMIA_TRAINING is 'perhaps'; use on, off" in folder.status()["reason"]


def test_libraries_are_told_how_many_threads_to_use(folder, monkeypatch):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("LEUKEMIA_THREADS", "3")
    ending(monkeypatch, folder, None)
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "3"
    # What the person said counts.
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_a_processor_that_was_asked_for_hides_the_gpus(folder, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    ending(monkeypatch, folder, None)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    monkeypatch.setenv("LEUKEMIA_DEVICE", "cpu")
    ending(monkeypatch, folder, None)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"


def test_a_gpu_that_is_demanded_and_not_there_is_told_before_anything_is_trained(
    folder, monkeypatch
):
    def find_device(setting: str) -> None:
        raise SettingError(f"LEUKEMIA_DEVICE is {setting!r}, but no GPU driver was found.")

    monkeypatch.setattr(device, "find_device", find_device)
    monkeypatch.setenv("LEUKEMIA_DEVICE", "gpu")
    assert ending(monkeypatch, folder, None) == 2
    assert "no GPU driver was found" in folder.status()["reason"]


def test_a_data_set_is_checked_within_the_limits_of_the_settings(tmp_path, monkeypatch):
    given: list[Any] = []

    def check(folder: DataFolder, report: Any, should_stop: Any, *, zips: ZipLimits) -> None:
        given.extend([folder, should_stop(), zips.max_files])
        report("prepare", done=1, total=1)

    monkeypatch.setenv("LEUKEMIA_ZIP_FILES", "77")
    monkeypatch.setattr(data_check, "check_dataset", check)
    folder = JobFolder(path=tmp_path)
    folder.write_json("dataset.json", {})
    assert worker.work(folder) == 0
    assert given == [DataFolder(path=tmp_path), False, 77]
    assert [event["kind"] for event in folder.events()] == ["start", "prepare"]
    assert folder.status()["state"] == "done"


def test_a_status_that_cannot_be_written_ends_the_process_with_words(folder, monkeypatch):
    # They stand in output.txt; whoever follows sees the process end.
    (folder.path / "status.json").unlink()
    (folder.path / "status.json").mkdir()
    with pytest.raises(RunError, match=r"status.json cannot be written"):
        ending(monkeypatch, folder, Stopped())
