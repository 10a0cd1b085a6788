"""The gallery's pictures: a folder, with or without a list that describes them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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

    path: Path
    caption: str
    input: str | None
    """`field` or `cell`; None where it is not known."""
    label: str | None
    """What is drawn, in the words of the labels; None for a photograph."""
    thumbnail: str
    """Address of a small picture."""


def find_examples(folder: Path, limits: Limits) -> tuple[Example, ...]:
    """The folder's pictures, as its list says, else by name; unreadable ones are left out.

    Raises:
        SettingError: the folder's list is no list of pictures.
    """
    described = _described(folder)
    found = []
    for facts in described[:MAX_EXAMPLES]:
        path = folder / Path(str(facts["file"])).name
        try:
            small = picture_uri(thumbnail(read_picture(path, limits).pixels, THUMBNAIL_PX))
        except AppError:
            continue  # the gallery is a courtesy: a broken example must not keep the page away
        kind = facts.get("input")
        found.append(
            Example(
                path=path,
                caption=str(facts.get("caption") or text.example_caption(path.stem)),
                input=kind if kind in ("field", "cell") else None,
                label=str(facts["drawn"]) if facts.get("drawn") else None,
                thumbnail=small,
            )
        )
    return tuple(found)


def _described(folder: Path) -> Sequence[Mapping[str, Any]]:
    listed = folder / LIST_FILE
    if not listed.is_file():
        if not folder.is_dir():
            return []
        return [{"file": path.name} for path in sorted(folder.iterdir())
                if path.suffix.lower() in SUFFIXES]  # fmt: skip
    try:
        entries = json.loads(listed.read_text(encoding="utf-8"))
        if not all(isinstance(entry, dict) and "file" in entry for entry in entries):
            raise ValueError("an entry is no object with a file")
    except (ValueError, TypeError, OSError) as error:
        raise SettingError(
            f"{listed} cannot be used ({error}). Give a list of objects with a file each, "
            "or remove it."
        ) from error
    return list(entries)
