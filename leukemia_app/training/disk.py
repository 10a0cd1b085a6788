"""Room on the disk, looked for before much is written."""

import shutil
from pathlib import Path

from leukemia_app.errors import RunError

SPARE_BYTES = 50_000_000
"""What stays free for everything small that a run writes."""


def require_space(folder: Path, size_bytes: int) -> None:
    """Refuse to begin a file of that size in `folder` where it will not fit.

    A file that is mapped into memory would otherwise end the process without a word.

    Raises:
        RunError: the disk has not enough room.
    """
    free_bytes = shutil.disk_usage(folder).free
    if size_bytes + SPARE_BYTES > free_bytes:
        raise RunError(
            f"{folder} needs {(size_bytes + SPARE_BYTES) / 1e6:.0f} MB, and {free_bytes / 1e6:.0f} "
            "MB are free. Make room, or put the run on another disk."
        )
