"""A lock is its holder's until the holder is gone, however it goes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leukemia_app.training import locks

HOLDER = (
    "import sys, time; from pathlib import Path; from leukemia_app.training import locks; "
    "locks.take(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "the.lock"


def test_only_one_can_take_it(path):
    lock = locks.take(path)
    assert lock is not None
    assert locks.take(path) is None
    assert locks.is_held(path)
    locks.release(lock)
    assert not locks.is_held(path)


def test_a_lock_that_nobody_ever_took_is_not_held(path):
    assert not locks.is_held(path)
    assert not path.exists()


def test_asking_does_not_keep_others_from_asking(path):
    path.touch()
    first = os.open(path, os.O_RDONLY)
    locks._try(first, shared=True)
    assert not locks.is_held(path)
    os.close(first)


def test_who_waits_gets_it_when_it_is_free(path):
    with locks.locked(path, 0) as is_ours:
        assert is_ours
        with locks.locked(path, 0.05) as is_ours_too:
            assert not is_ours_too
    with locks.locked(path, 0) as is_ours:
        assert is_ours


def test_a_killed_holder_holds_nothing(path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder.stdout as out:
        assert out.readline() == b"held\n"
        assert locks.is_held(path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not locks.is_held(path)


def test_a_child_that_was_given_the_lock_holds_it_when_its_parent_lets_go(path):
    lock = locks.take(path)
    assert lock is not None
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE,
                             pass_fds=(lock,))  # fmt: skip
    assert locks.hold(lock)
    locks.release(lock)
    assert locks.is_held(path)
    child.communicate(b"\n")
    assert not locks.is_held(path)
