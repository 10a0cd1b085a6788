"""Which files lie in a folder: pictures, tables, and what is passed over."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leukemia_app.data.ignored import OTHER, TABLE_SUFFIX, reason_to_ignore, suffix_of
from leukemia_app.errors import DatasetError

LINKS = "links, which are not followed"
CLOSED = "folders that may not be read"
NO_TEXT = "files whose names are no text"


@dataclass(frozen=True, kw_only=True)
class FolderFiles:
    """The files below a folder; paths from there on, with forward slashes, in order."""

    pictures: tuple[str, ...]
    tables: tuple[str, ...]
    ignored: Mapping[str, int]
    """All others, counted by kind."""


def files_in(folder: Path) -> FolderFiles:
    """The files anywhere below `folder`, by their names; none is opened.

    A link to a folder is not followed, nor one to a file that leads out.

    Raises:
        DatasetError: `folder` is none.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; give the folder that holds the pictures.")
    home = folder.resolve()
    pictures, tables = [], []
    ignored: Counter[str] = Counter()

    def count_closed(error: OSError) -> None:
        ignored[CLOSED] += 1

    for above, folders, names in os.walk(home, onerror=count_closed):
        here = Path(above)
        ignored[LINKS] += sum((here / name).is_symlink() for name in folders)
        for name in names:
            parts = (*here.relative_to(home).parts, name)
            reason = reason_to_ignore(parts) or _trouble(home, here / name)
            if reason:
                ignored[reason] += 1
            elif suffix_of(name) == TABLE_SUFFIX:
                tables.append("/".join(parts))
            else:
                pictures.append("/".join(parts))
    return FolderFiles(pictures=tuple(sorted(pictures)), tables=tuple(sorted(tables)),
                       ignored=dict(sorted((+ignored).items())))  # fmt: skip


def _trouble(home: Path, path: Path) -> str:
    """Why a picture is not taken from where it is, or an empty text."""
    try:
        str(path.relative_to(home)).encode()
    except UnicodeEncodeError:
        return NO_TEXT
    if path.is_symlink() and not (path.resolve().is_relative_to(home) and path.is_file()):
        return LINKS
    return "" if path.is_file() else OTHER
