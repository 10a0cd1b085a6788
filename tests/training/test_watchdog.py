"""The second thread ends what the first cannot end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leukemia_app.errors import RunError
from leukemia_app.training.job_folder import JobFolder, StopWish
from leukemia_app.training.memory import Pulse, last_pulse
from leukemia_app.training.watchdog import GRACE_S, PULSE_S, Watchdog, memory_words


class Kennel:
    """A watchdog with a clock and a machine that the test moves by hand."""

    def __init__(self, path: Path, minutes: int | None = None) -> None:
        self.folder = JobFolder(path=path)
        self.folder.set_state("fine-tuning")
        self.now = 0.0
        self.free_mb: int | None = 5000
        self.ended = 0
        self.dog = Watchdog(
            folder=self.folder, minutes=minutes, end=self.end, clock=lambda: self.now,
            feel=self.feel,
        )  # fmt: skip

    def end(self) -> None:
        self.ended += 1

    def feel(self) -> Pulse:
        return Pulse(time=self.now, memory_mb=700, peak_mb=800, free_mb=self.free_mb)

    def look_at(self, now: float) -> str:
        self.now = now
        self.dog.look()
        return str(self.folder.status()["state"])


@pytest.fixture
def kennel(tmp_path: Path) -> Kennel:
    return Kennel(tmp_path)


def test_a_worker_that_nobody_stops_is_left_alone(kennel):
    assert kennel.look_at(1e6) == "fine-tuning"
    assert kennel.ended == 0


def test_who_does_not_stop_in_time_is_ended_and_called_stopped(kennel):
    kennel.folder.ask_to_stop()
    assert kennel.look_at(10) == "fine-tuning"
    assert kennel.look_at(10 + GRACE_S) == "fine-tuning"
    assert kennel.ended == 0
    assert kennel.look_at(10.1 + GRACE_S) == "stopped"
    assert kennel.ended == 1


def test_who_has_said_its_last_word_keeps_it(kennel):
    kennel.folder.ask_to_stop()
    kennel.look_at(10)
    kennel.folder.set_state("done")
    assert kennel.look_at(20) == "done"
    assert kennel.ended == 1


def test_the_time_limit_asks_for_a_stop_and_a_model(tmp_path):
    kennel = Kennel(tmp_path, minutes=2)
    kennel.look_at(120)
    assert not kennel.folder.should_stop()
    kennel.look_at(121)
    wish = kennel.folder.stop_wish()
    assert wish == StopWish(
        finish=True,
        reason="The time limit of 2 min was reached. Resume it to train on.",
    )
    assert kennel.look_at(121.1 + GRACE_S) == "stopped"
    assert kennel.folder.status()["reason"] == wish.reason


def test_a_sign_of_life_is_written_every_few_seconds(kennel):
    kennel.look_at(0)
    kennel.look_at(PULSE_S - 0.1)
    assert last_pulse(kennel.folder).time == 0
    kennel.look_at(PULSE_S)
    assert last_pulse(kennel.folder).time == PULSE_S


def test_without_memory_the_run_ends_before_the_system_ends_something(kennel):
    kennel.free_mb = 99
    assert kennel.look_at(0) == "fine-tuning"
    kennel.free_mb = 5000
    assert kennel.look_at(2) == "fine-tuning"
    kennel.free_mb = 99
    assert kennel.look_at(4) == "fine-tuning"
    assert kennel.ended == 0
    assert kennel.look_at(6) == "failed"
    assert kennel.ended == 1
    assert kennel.folder.status()["reason"] == (
        "The machine has too little memory for the run. It last held 700 MB of memory, and 99 MB "
        "were free. Use a smaller batch_size, feature_copies or side_px in a new run."
    )


def test_a_machine_that_does_not_tell_its_memory_sets_no_limit(kennel):
    kennel.free_mb = None
    kennel.look_at(0)
    kennel.look_at(2)
    kennel.dog.feel = lambda: None
    kennel.look_at(4)
    assert kennel.ended == 0


def test_a_status_that_cannot_be_written_keeps_nobody_alive(kennel, tmp_path):
    kennel.folder.ask_to_stop()
    kennel.look_at(1)
    (tmp_path / "status.json").unlink()
    (tmp_path / "status.json").mkdir()
    kennel.now = 20
    kennel.dog.look()
    assert kennel.ended == 1


def test_a_pulse_that_cannot_be_written_does_not_end_the_watch(kennel, tmp_path):
    (tmp_path / "pulse.json").mkdir()
    with pytest.raises(RunError, match=r"pulse.json cannot be written"):
        kennel.look_at(0)
    kennel.dog.start()
    kennel.dog.rest()
    assert kennel.ended == 0


def test_memory_is_told_without_a_pulse_too():
    assert memory_words().startswith("The machine has too little memory for the run. Use a")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
def test_the_end_of_a_process_takes_along_what_it_started():
    code = (
        "import subprocess, sys; from leukemia_app.training.watchdog import end_process; "
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); end_process()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    # The pipe ends when both have gone: the child holds it, too.
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
