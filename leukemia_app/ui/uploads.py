"""Where visitors' pictures lie while they are needed, and that they do not stay."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "leukemia-app-uploads-"


@contextmanager
def uploads_folder() -> Iterator[Path]:
    """A folder of this process alone, where Gradio puts uploads; it goes when the server stops."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        yield Path(folder)


def sweep_leftovers(keep_s: float, root: Path | None = None, now: float | None = None) -> None:
    """Delete what servers that were killed left behind, once it is older than `keep_s` seconds.

    `root` and `now` default to the system's folder for temporary files and the present time.
    """
    deadline = (time.time() if now is None else now) - keep_s
    for folder in (root or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        # ages before anything is deleted, which makes the folders above young again
        inside = [folder, *sorted(folder.rglob("*"))]
        old = [path for path in inside if _changed_at(path) < deadline]
        for path in reversed(old):  # what lies inside comes first
            with suppress(OSError):  # another server's, or just gone
                if path.is_dir() and not path.is_symlink():
                    path.rmdir()
                else:
                    path.unlink()


def keep_room(folder: Path, free_bytes: int) -> None:
    """Delete the oldest uploads while all take more than half of the room that there is for them.

    So that a flood of files costs those who sent it theirs, and nobody the disk. `free_bytes` are
    left on it now.
    """
    found = sorted((_changed_at(path), path) for path in folder.rglob("*") if path.is_file())
    sizes = [_size(path) for _, path in found]
    taken = sum(sizes)
    too_much = taken - (taken + free_bytes) // 2
    for (_, path), size in zip(found, sizes, strict=True):
        if too_much <= 0:
            return
        path.unlink(missing_ok=True)
        too_much -= size


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _changed_at(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return float("inf")
