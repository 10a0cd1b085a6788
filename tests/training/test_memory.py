"""How much memory is left, as /proc and control groups say it."""

from pathlib import Path

import pytest

from leukemia_app.errors import RunError
from leukemia_app.training.job_folder import JobFolder
from leukemia_app.training.memory import Pulse, feel_pulse, last_pulse, write_pulse


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with 1 GiB to give, and a process that holds 500,000 kB."""
    write(tmp_path / "proc/self/status", "Name:\tpython\nVmHWM:\t  600000 kB\nVmRSS:\t500000 kB\n")
    write(
        tmp_path / "proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: 1048576 kB\nSwapFree: 0 kB"
    )
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def free_mb(root: Path) -> int | None:
    pulse = feel_pulse(root)
    assert pulse is not None
    return pulse.free_mb


def test_a_process_is_measured_in_megabytes(root):
    pulse = feel_pulse(root)
    assert pulse is not None
    # 500,000 kB of 1,024 bytes are 512 million bytes; 1,048,576 kB are 1,073.7 million.
    assert (pulse.memory_mb, pulse.peak_mb, pulse.free_mb) == (512, 614, 1073)


def test_swap_can_be_given_too(root):
    write(root / "proc/meminfo", "MemAvailable: 100000 kB\nSwapFree: 100000 kB")
    assert free_mb(root) == 204


def test_a_container_of_version_2_gives_what_is_left_of_its_limit(root):
    write(root / "sys/fs/cgroup/memory.max", "1000000000\n")
    write(root / "sys/fs/cgroup/memory.stat", "anon 300000000\nfile 900000000\nshmem 100000000\n")
    # Files that can be dropped are no loss: 1,000 - 300 - 100.
    assert free_mb(root) == 600


def test_a_container_of_version_1_too(root):
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000000")
    write(root / "sys/fs/cgroup/memory/memory.stat", "total_rss 700000000\ntotal_shmem 0\n")
    assert free_mb(root) == 300


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_a_container_without_a_limit_gives_what_the_machine_has(limit, root):
    write(root / "sys/fs/cgroup/memory.max", limit)
    write(root / "sys/fs/cgroup/memory.stat", "anon 300000000\n")
    assert free_mb(root) == 1073


def test_a_system_that_does_not_tell_is_not_guessed_at(tmp_path, root):
    assert feel_pulse(tmp_path / "nowhere") is None
    write(root / "proc/meminfo", "MemTotal: 4194304 kB\n")
    pulse = feel_pulse(root)
    assert pulse is not None
    assert pulse.free_mb is None
    assert pulse.in_words() == "It last held 512 MB of memory."


def test_a_pulse_is_found_again(tmp_path):
    folder = JobFolder(path=tmp_path)
    assert last_pulse(folder) is None
    pulse = Pulse(time=1.0, memory_mb=3100, peak_mb=3200, free_mb=80)
    write_pulse(folder, pulse)
    assert last_pulse(folder) == pulse
    assert pulse.in_words() == "It last held 3,100 MB of memory, and 80 MB were free."


@pytest.mark.parametrize("text", ["", "[]", '{"time": 1}', '{"memory": 1}'])
def test_a_damaged_pulse_is_none(text, tmp_path):
    (tmp_path / "pulse.json").write_text(text)
    assert last_pulse(JobFolder(path=tmp_path)) is None


def test_a_pulse_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "pulse.json").mkdir()
    with pytest.raises(RunError, match=r"pulse.json cannot be written"):
        write_pulse(JobFolder(path=tmp_path), Pulse(time=1.0, memory_mb=1, peak_mb=1, free_mb=None))
