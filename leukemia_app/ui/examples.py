"""The gallery's pictures: a folder, with or without a list that describes them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from leukemia_app.errors import AppError, SettingError
from leukemia_app.imaging.decode import Limits, read_picture
from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.ui import text
from leukemia_app.ui.components import picture_uri

LIST_FILE = "examples.json"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
MAX_EXAMPLES = 24
THUMBNAIL_PX = 96


@dataclass(frozen=True, kw_only=True)
class Example:
    """One picture of the gallery."""

    name: str
    """Its path inside the folder of examples, with `/`."""
    path: Path
    caption: str
    input: str | None
    """`field` or `cell`; None where it is not known."""
    label: str | None
    """What is drawn, in the words of the labels; None for a photograph."""
    thumbnail: str
    """Address of a small picture."""


class Shelf:
    """The examples that visitors find; others may take their place while the page is served."""

    def __init__(self, examples: Sequence[Example]) -> None:
        """Begin with these."""
        self._first = tuple(examples)
        self.examples = self._first

    @property
    def is_changed(self) -> bool:
        """Whether others stand here than at the start."""
        return self.examples is not self._first

    def find(self, name: object) -> Example | None:
        """The example of this name, the first ones included: a page may be older than the shelf."""
        known = (*self.examples, *self._first)
        return next((each for each in known if each.name == name), None)


def find_examples(folder: Path, limits: Limits) -> tuple[Example, ...]:
    """The folder's pictures, as its list says, else by name; unreadable ones are left out.

    Raises:
        SettingError: the folder's list is no list of pictures.
    """
    return read_examples(folder, described(folder, _pictures_below(folder)), limits)


def described(folder: Path, pictures: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Facts about each example, `file` among them: the folder's list, else some of `pictures`.

    Where there are more than the gallery holds they are taken at even distances, so that every
    subfolder has its share.

    Raises:
        SettingError: the folder's list is no list of pictures.
    """
    listed = folder / LIST_FILE
    if not listed.is_file():
        n = min(MAX_EXAMPLES, len(pictures))
        return [{"file": pictures[at * len(pictures) // n]} for at in range(n)]
    try:
        entries = json.loads(listed.read_text(encoding="utf-8"))
        if not all(isinstance(entry, dict) and "file" in entry for entry in entries):
            raise ValueError("an entry is no object with a file")
    except (ValueError, TypeError, OSError) as error:
        raise SettingError(
            f"{listed} cannot be used ({error}). Give a list of objects with a file each, "
            "or remove it."
        ) from error
    inside = [entry for entry in entries if is_inside(str(entry["file"]))]
    return inside[:MAX_EXAMPLES]


def read_examples(
    folder: Path, entries: Sequence[Mapping[str, Any]], limits: Limits
) -> tuple[Example, ...]:
    """The examples that `described` told of; what cannot be read is left out."""
    found = []
    for facts in entries:
        name = str(facts["file"])
        try:
            small = thumbnail(read_picture(folder / name, limits).pixels, THUMBNAIL_PX)
        except AppError:
            continue  # the gallery is a courtesy: a broken example must not keep the page away
        kind = facts.get("input")
        found.append(
            Example(
                name=name,
                path=folder / name,
                caption=str(facts.get("caption") or text.example_caption(name)),
                input=kind if kind in ("field", "cell") else None,
                label=str(facts["drawn"]) if facts.get("drawn") else None,
                thumbnail=picture_uri(small),
            )
        )
    return tuple(found)


def is_inside(name: str) -> bool:
    """Whether a path that a list names stays in the list's folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and ":" not in name


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name, and not hidden."""
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _pictures_below(folder: Path) -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(filter(is_picture, names))
