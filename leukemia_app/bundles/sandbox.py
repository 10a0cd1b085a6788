"""A child process for a stranger's file: what bounds it, and which of the bounds hold here."""

import ctypes
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH")
"""Of the environment: nothing that is secret."""
SAID_BYTES = 4_000_000

TIME, MEMORY, FILE_SIZE, NETWORK, WRITING = (
    "time", "memory", "size of written files", "no network", "writes to its own folder alone",
)  # fmt: skip
ALL_BOUNDS = (TIME, MEMORY, FILE_SIZE, NETWORK, WRITING)
"""What may hold, in the words of the page; the last two are up to the system."""

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES = 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE = 1, 2
_WRITES = _WRITE_FILE | 0x1FF0
"""Writing, and making and removing files, folders, links and devices of every kind."""
_REFER = 0x2000
"""Moving files between folders: forbidden unless named, which the first version cannot."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a child may take."""

    seconds: float
    """On the clock."""
    memory_mb: int
    """Of addresses."""
    written_mb: int = 0
    """Of one file."""
    processor_s: int | None = None
    """Of all cores together; None: what two cores have in that time."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a child ended."""

    code: int | None
    """Its exit code, negative for a signal; None where it was ended for taking too long."""
    said: str
    """What it wrote to standard output."""

    @property
    def how(self) -> str:
        """The exit code in words."""
        if self.code is None:
            return "too slow"
        return f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"


def run_child(
    module: str,
    arguments: Sequence[str],
    *,
    seconds: float,
    given: str = "",
    folder: Path | None = None,
) -> Ended:
    """Run `python -m module` with a bare environment; `given` goes to its standard input.

    `folder` is its home and its place for temporary files. The child bounds itself by
    `bound_this_process`, before it opens anything.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments], input=given.encode(),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds,
            env=environment(folder), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Ended(code=None, said="")
    said = done.stdout[:SAID_BYTES].decode("utf-8", errors="replace").strip()
    return Ended(code=done.returncode, said=said)


def environment(folder: Path | None = None) -> dict[str, str]:
    """The environment of a child at home in `folder`: what Python needs, and nothing secret."""
    home = {} if folder is None else dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), str(folder))
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    # The app may run from a folder that Python does not search by itself.
    return kept | home | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "KERAS_BACKEND":
                   "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}  # fmt: skip


def bound_this_process(bounds: Bounds, *, folder: Path | None = None) -> tuple[str, ...]:
    """Bound this process for good, and stand back behind others; the bounds that hold.

    `folder` is where it may write; None: nowhere. Call it before threads are started: a process
    of several cannot leave the network.
    """
    held = [TIME]  # the one who waits ends the process, on every system
    held += _bound_resources(bounds)
    is_cut_off = _leave_network()
    is_confined = _confine_writes(folder)
    if is_cut_off:
        held.append(NETWORK)
    if is_confined:
        held.append(WRITING)
    with suppress(OSError, AttributeError):
        os.nice(10)
    return tuple(held)


def _bound_resources(bounds: Bounds) -> list[str]:
    try:
        import resource
    except ImportError:  # Windows
        return []
    held = []
    processor_s = bounds.processor_s or 2 * int(bounds.seconds) + 1
    for what, most, name in (
        (resource.RLIMIT_CPU, processor_s, None),
        (resource.RLIMIT_AS, bounds.memory_mb * 1_000_000, MEMORY),
        (resource.RLIMIT_FSIZE, bounds.written_mb * 1_000_000, FILE_SIZE),
        (resource.RLIMIT_CORE, 0, None),
    ):
        # macOS knows some limits and sets none.
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
            held += [name] if name else []
    return held


def _leave_network() -> bool:
    """Move into a network without any device; needs Linux, and its leave to make namespaces."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    # Root may do the first; everybody else only within users of their own, where that is allowed.
    return any(libc.unshare(flags) == 0 for flags in (_NEW_NETWORK, _NEW_USER | _NEW_NETWORK))


def _confine_writes(folder: Path | None) -> bool:
    """Write below `folder` alone and start no program, by Linux's Landlock where it is on.

    Source: Linux kernel documentation, userspace-api/landlock.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    writes = _WRITES | (_REFER if version > 1 else 0)
    handled = struct.pack("<Q", writes | _EXECUTE)
    ruleset = libc.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return False
    try:
        for place, rights in ((folder, writes), (Path(os.devnull), _WRITE_FILE)):
            if place is not None and not _allow(libc, ruleset, place, rights):
                return False
        return bool(libc.syscall(_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, place: Path, rights: int) -> bool:
    handle = os.open(place, os.O_PATH)
    try:
        rule = struct.pack("<Qi", rights, handle)
        return bool(libc.syscall(_ADD_RULE, ruleset, 1, rule, 0) == 0)
    finally:
        os.close(handle)
