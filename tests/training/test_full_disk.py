"""A disk that fills up under a real training: told, and gone on with once there is room."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from leukemia_app.bundles.store import read_spec
from leukemia_app.training import jobs
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import draw_set, tiny_config

DISK_MB = 90
"""A run wants 50 to begin."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount, folder = shutil.which("mount"), tmp_path / "disk"
    folder.mkdir()
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)], check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"this machine mounts no small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run([shutil.which("umount") or "umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
def test_a_disk_that_fills_up_stops_the_run_with_words_until_there_is_room(small_disk, tmp_path):
    draw_set(tmp_path / "set")
    run = RunFolder(path=small_disk / "runs" / "full")
    # A head would want its room before, and be refused.
    run.create(tiny_config(tmp_path / "set", head_epochs=0))
    worker = jobs.start(run)
    # TensorFlow plans the first step for seconds: nothing of the training is on the disk yet.
    while run.status()["state"] != "fine-tuning":
        assert worker.poll() is None, run.status()
        time.sleep(0.01)
    filler = small_disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    worker.wait()
    status = run.status()
    assert status["state"] == "failed"
    assert "No space left on device" in status["reason"]
    assert "room" in status["reason"]
    filler.unlink()
    jobs.start(run).wait()
    assert run.status()["state"] == "done", run.status()
    assert read_spec(run.path / "bundle").labels
