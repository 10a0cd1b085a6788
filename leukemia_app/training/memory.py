"""How much memory a worker holds and how much is left, written down every few seconds."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from leukemia_app.training.job_folder import JobFolder

PULSE = "pulse.json"
MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """A worker's sign of life."""

    time: float
    """Seconds since 1970."""
    memory_mb: int
    """What the process holds."""
    peak_mb: int
    """The most that it has held."""
    free_mb: int | None
    """What the machine, or the container, can still give; None where it does not tell."""

    def in_words(self) -> str:
        """One sentence on memory."""
        left = "" if self.free_mb is None else f", and {self.free_mb:,} MB were free"
        return f"It last held {self.memory_mb:,} MB of memory{left}."


def feel_pulse(root: Path = Path("/")) -> Pulse | None:
    """This process's pulse; None where the system has no /proc. `root` is for tests."""
    try:
        status = _kilobytes(root / "proc/self/status")
        machine = _kilobytes(root / "proc/meminfo")
    except OSError:
        return None
    free = [
        value for value in (_machine_free(machine), *_container_free(root)) if value is not None
    ]
    return Pulse(
        time=round(time.time(), 1),
        memory_mb=status.get("VmRSS", 0) * 1024 // MB,
        peak_mb=status.get("VmHWM", 0) * 1024 // MB,
        free_mb=min(free) // MB if free else None,
    )


def write_pulse(folder: JobFolder, pulse: Pulse) -> None:
    """Write it down for those who watch.

    Raises:
        RunError: it cannot be written.
    """
    folder.write_json(PULSE, asdict(pulse))


def last_pulse(folder: JobFolder) -> Pulse | None:
    """The last one written down; None where there is none that can be read."""
    values = folder.read_json(PULSE)
    try:
        return None if values is None else Pulse(**values)
    except TypeError:
        return None


def _kilobytes(path: Path) -> dict[str, int]:
    """The lines `name:  number kB` of a file of /proc."""
    found = {}
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB":
            found[name] = int(words[0])
    return found


def _machine_free(machine: dict[str, int]) -> int | None:
    if "MemAvailable" not in machine:
        return None
    return (machine["MemAvailable"] + machine.get("SwapFree", 0)) * 1024


def _container_free(root: Path) -> list[int | None]:
    """What control groups of both versions still give; files that can be dropped count as free."""
    groups = root / "sys/fs/cgroup"
    return [
        _group_free(groups / "memory.max", groups / "memory.stat", ("anon", "shmem")),
        _group_free(
            groups / "memory/memory.limit_in_bytes", groups / "memory/memory.stat",
            ("total_rss", "total_shmem"),
        ),
    ]  # fmt: skip


def _group_free(limit: Path, stat: Path, held: tuple[str, ...]) -> int | None:
    try:
        most = int(limit.read_text(encoding="ascii"))
        words = (line.split() for line in stat.read_text(encoding="ascii").splitlines())
        counts = {name: int(value) for name, value in words}
    except (OSError, ValueError):
        # No such group, or `max`: no limit.
        return None
    return max(0, most - sum(counts.get(name, 0) for name in held))
