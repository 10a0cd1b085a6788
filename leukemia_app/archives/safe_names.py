"""Names that strangers chose, made into paths that every system can hold."""

import re
import unicodedata
from collections.abc import Sequence

MAX_DEPTH = 16
MAX_NAME_BYTES = 120
"""Of one folder or file name in UTF-8; file systems take 143 to 255."""
MAX_SHOWN = 80
MAX_LISTED = 5

_DRIVE = re.compile(r"[A-Za-z]:")
_FORBIDDEN = frozenset('<>:"|?*\\/')
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}
)
"""Windows opens devices under these names, whatever their suffix."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that do not print, or that turn the text around them."""


class UnsafeNameError(ValueError):
    """A name that leads out of the folder it belongs to, or too deep into it."""


def safe_parts(name: str) -> tuple[str, ...]:
    r"""The folders and the file that `name` means, each safe to write; `\` parts them like `/`.

    >>> safe_parts("Pre B/con.bmp")
    ('Pre B', '_con.bmp')

    Raises:
        UnsafeNameError: it is absolute, names a drive, climbs with `..`, is empty, or lies deeper
            than `MAX_DEPTH`.
    """
    slashed = name.replace("\\", "/")
    if slashed.startswith("/") or _DRIVE.match(slashed):
        raise UnsafeNameError("has an absolute path")
    parts = [part for part in slashed.split("/") if part not in ("", ".")]
    if ".." in (part.strip() for part in parts):
        raise UnsafeNameError("has a path that climbs out of the archive (..)")
    if not parts:
        raise UnsafeNameError("has no name")
    if len(parts) > MAX_DEPTH:
        raise UnsafeNameError(f"lies {len(parts)} folders deep; the limit is {MAX_DEPTH}")
    return tuple(safe_name(part) for part in parts)


def safe_name(name: str) -> str:
    """One folder or file name that Linux, macOS and Windows can hold, close to `name`."""
    text = unicodedata.normalize("NFC", name)
    text = "".join("_" if _is_unsafe(character) else character for character in text)
    text = text.strip().rstrip(". ") or "_"
    if text.partition(".")[0].strip().casefold() in _RESERVED:
        text = f"_{text}"
    return _shortened(text)


class Claims:
    """Paths of one folder, each given out once, also where the system ignores case."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._next: dict[str, int] = {}

    def claim(self, parts: Sequence[str]) -> tuple[str, ...]:
        """`parts`, its file numbered where the path is taken: a.bmp becomes a (2).bmp.

        Raises:
            UnsafeNameError: one of its folders is called like a file given out before.
        """
        *folders, name = parts
        above = [path_key(parts[:depth]) for depth in range(1, len(parts))]
        if not self._files.isdisjoint(above):
            raise UnsafeNameError("lies in a folder that is called like a file beside it")
        first = path_key(parts)
        candidate, stem, end = tuple(parts), *_split(name)
        # counted on, not from 2 again: ten thousand copies of one name must not take minutes
        number = self._next.get(first, 1)
        while (key := path_key(candidate)) in self._files or key in self._folders:
            number += 1
            candidate = (*folders, f"{stem} ({number}){end}")
        self._next[first] = number
        self._files.add(key)
        self._folders.update(above)
        return candidate


def path_key(parts: Sequence[str]) -> str:
    """Equal for paths that a system which ignores case takes for one."""
    return unicodedata.normalize("NFC", "/".join(parts).casefold())


def shown(name: str) -> str:
    """`name` for a sentence: no sign that does not print, at most `MAX_SHOWN` characters."""
    text = "".join("?" if unicodedata.category(c) in _UNSEEN else c for c in name)
    return text if len(text) <= MAX_SHOWN else f"…{text[1 - MAX_SHOWN :]}"


def listed(names: Sequence[str]) -> str:
    """The first of `names` for a sentence, and how many more there are."""
    more = len(names) - MAX_LISTED
    text = ", ".join(shown(name) for name in names[:MAX_LISTED])
    return f"{text} and {more:,} more" if more > 0 else text


def counted(number: int, noun: str) -> str:
    """`number` and `noun` for a sentence: 1 picture, 2,000 pictures."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _is_unsafe(character: str) -> bool:
    return character in _FORBIDDEN or unicodedata.category(character) in _UNSEEN


def _split(name: str) -> tuple[str, str]:
    stem, dot, end = name.rpartition(".")
    return (stem, f".{end}") if dot and stem and len(end) <= 8 else (name, "")


def _shortened(name: str) -> str:
    stem, end = _split(name)
    space = MAX_NAME_BYTES - len(end.encode())
    if len(stem.encode()) <= space:
        return name
    # a character may be cut in two at the limit: what is left of it goes
    return stem.encode()[:space].decode(errors="ignore").rstrip(". ") + end
