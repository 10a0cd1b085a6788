"""Locks on files: the system takes them back when their holder dies, however it dies."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RETRY_S = 0.02

if sys.platform == "win32":
    import msvcrt

    PLACE = 1 << 30
    """Windows lets nobody read a locked byte: far behind all that is written."""

    def _try(lock: int, *, shared: bool) -> None:
        os.lseek(lock, PLACE, os.SEEK_SET)
        msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)

    def _give_back(lock: int) -> None:
        os.lseek(lock, PLACE, os.SEEK_SET)
        msvcrt.locking(lock, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try(lock: int, *, shared: bool) -> None:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _give_back(lock: int) -> None:
        fcntl.flock(lock, fcntl.LOCK_UN)


def take(path: Path, wait_s: float = 0.0) -> int | None:
    """The lock on that file as a descriptor, to be given to `release`; None if another has it.

    A child process that is given the descriptor holds the lock too, until both have closed it.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    if _taken(lock, wait_s):
        return lock
    os.close(lock)
    return None


def hold(lock: int) -> bool:
    """Whether this descriptor, perhaps of a parent, holds its lock or takes it now."""
    return _taken(lock, 0.0)


def release(lock: int) -> None:
    """Give the lock back."""
    os.close(lock)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock on that file."""
    try:
        lock = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared: those who ask do not get into each other's way.
        _try(lock, shared=True)
        _give_back(lock)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


@contextmanager
def locked(path: Path, wait_s: float) -> Iterator[bool]:
    """Hold the lock inside; False where another kept it for all that time."""
    lock = take(path, wait_s)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            release(lock)


def _taken(lock: int, wait_s: float) -> bool:
    until = time.monotonic() + wait_s
    while True:
        try:
            _try(lock, shared=False)
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(RETRY_S)
        else:
            return True
