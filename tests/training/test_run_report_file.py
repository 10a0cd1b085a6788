"""The report of a run as a file."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from leukemia_app.errors import RunError
from leukemia_app.training import report as module
from leukemia_app.training.report import FILE, small_jpeg, thumbnails_of, write_report
from leukemia_app.training.results import gather
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import draw_set, tiny_config


@pytest.fixture
def copied(finished_run: Path, tmp_path: Path) -> RunFolder:
    folder = tmp_path / "tiny"
    shutil.copytree(finished_run, folder)
    return RunFolder(path=folder)


def test_a_run_leaves_its_report(finished_run: Path):
    text = (finished_run / FILE).read_text(encoding="utf-8")
    assert "on the test part: 12 pictures in 4 patients, split by patient." in text
    assert "This run is at work" not in text
    assert text.count("data:image/jpeg;base64,") >= 12


def test_a_run_that_has_only_begun_has_a_report_too(tmp_path: Path):
    draw_set(tmp_path / "set")
    run = RunFolder(path=tmp_path / "tiny")
    run.create(tiny_config(tmp_path / "set"))
    assert "This run has not begun." in write_report(run).read_text(encoding="utf-8")


def test_a_state_about_to_be_entered_is_told(copied: RunFolder):
    copied.set_state("evaluating")
    assert "This run was stopped." in write_report(copied, state="stopped").read_text("utf-8")
    assert "This run is at work (evaluating)." in write_report(copied).read_text("utf-8")


def test_a_lost_picture_is_named_and_not_shown(copied: RunFolder, monkeypatch):
    results = gather(copied)
    here = thumbnails_of(results)
    assert "blast/4-0.png" in here
    monkeypatch.setitem(results.config, "data", str(copied.path / "gone"))
    assert thumbnails_of(results) == {}


def test_no_more_pictures_than_the_report_holds(copied: RunFolder, monkeypatch):
    monkeypatch.setattr(module, "MOST_THUMBNAILS", 2)
    results = gather(copied)
    assert list(thumbnails_of(results)) == [item.file for item in results.predictions[:2]]


def test_a_small_picture_keeps_its_colours_and_nothing_else():
    pixels = np.zeros((300, 200, 3), np.uint8)
    pixels[..., 0] = 200
    data = small_jpeg(pixels)
    small = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), 1), cv2.COLOR_BGR2RGB)
    assert small.shape == (144, 96, 3)
    assert np.abs(small[70, 50].astype(int) - (200, 0, 0)).max() < 8
    assert b"Exif" not in data


def test_a_place_that_cannot_be_written_is_told(copied: RunFolder):
    (copied.path / FILE).unlink()
    (copied.path / "report" / "report.html.part").mkdir()
    with pytest.raises(RunError, match=r"report\.html cannot be written .*Make room"):
        write_report(copied)
