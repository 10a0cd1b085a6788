"""Files that come with a data set but are no part of it, and under which name they are counted."""

from collections.abc import Sequence

from leukemia_app.data.manifest import SUFFIXES

TABLE_SUFFIX = ".csv"
SYSTEM = "system files of macOS or Windows"
HIDDEN = "hidden files"
ARCHIVES = "archives inside the data"
OTHER = "other files"

_SYSTEM_FOLDERS = frozenset(
    {"__macosx", "$recycle.bin", "system volume information", "@eadir", "lost+found"}
)
_SYSTEM_FILES = frozenset(
    {".ds_store", ".localized", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini"}
)
_ARCHIVE_SUFFIXES = frozenset(
    {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".cab", ".iso"}
)
_FOREIGN_PICTURES = frozenset(
    {".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".dcm", ".svs", ".ndpi", ".mrxs", ".czi",
     ".nd2", ".lif", ".psd", ".raw", ".npy", ".mat"}
)  # fmt: skip


def reason_to_ignore(parts: Sequence[str]) -> str:
    """What the file at the path `parts` is counted as; empty for a picture or a table.

    It goes by names alone, folders included: a picture in a hidden folder is hidden.
    """
    folders = [part.casefold() for part in parts[:-1] if part not in (".", "..")]
    name = parts[-1].casefold()
    if name.startswith("._") or name in _SYSTEM_FILES or _SYSTEM_FOLDERS.intersection(folders):
        return SYSTEM
    if name.startswith((".", "~$")) or any(folder.startswith(".") for folder in folders):
        return HIDDEN
    suffix = suffix_of(name)
    if suffix == TABLE_SUFFIX or suffix in SUFFIXES:
        return ""
    if suffix in _ARCHIVE_SUFFIXES:
        return ARCHIVES
    if suffix in _FOREIGN_PICTURES:
        return f"{suffix} pictures, which are not read"
    return OTHER


def suffix_of(name: str) -> str:
    """The end of a file name from its last dot on, in lower case; empty where it has none."""
    stem, dot, end = name.rpartition(".")
    return f".{end}".casefold() if dot and stem else ""
