"""Names of classes that lie beside a checkpoint, read as a stranger's words."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leukemia_app.errors import BundleError

MAX_BYTES = 200_000
MAX_LABELS = 200
MAX_LABEL = 60
"""Characters of one name."""
TEXT_FILES = ("labels.txt", "class_names.txt", "classes.txt", "label.txt")
JSON_FILES = ("labels.json", "class_names.json", "class_indices.json", "id2label.json",
              "config.json")  # fmt: skip
LABEL_FILES = frozenset({*TEXT_FILES, *JSON_FILES} - {"config.json"})
_NUMBERED = re.compile(r"(\d{1,4})[\s:,;.)]+(\S.*)")


def found_labels(folder: Path, config: Any) -> tuple[tuple[str, ...], str]:
    """Names of the classes in the order of the outputs, and the file that they stood in.

    `config` is the checkpoint's own description, which may hold them too. Files that cannot be
    read, or hold something else, are passed over: the names are asked for anyway.
    """
    for name in (*TEXT_FILES, *JSON_FILES):
        content = _read(folder / name)
        if content is None:
            continue
        labels = of_lines(content) if name in TEXT_FILES else of_json(_parsed(content))
        if labels:
            return labels, name
    return of_json(config), "config.json" if of_json(config) else ""


def of_lines(text: str) -> tuple[str, ...]:
    r"""One name a line; numbers in front, as of Teachable Machine, are taken away.

    >>> of_lines("0 normal\n1 blast\n")
    ('normal', 'blast')
    """
    return _usable(list(plain_lines(text)))


def plain_lines(text: str) -> tuple[str, ...]:
    """The same names as they stand, usable or not: who wrote them is told what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    if all(found and int(found[1]) == at for at, found in enumerate(numbered)):
        lines = [found[2] for found in numbered if found]
    return tuple(" ".join(line.split()) for line in lines)


def read_labels(path: Path) -> tuple[str, ...]:
    """The names in a file that somebody named: one a line, or JSON by its suffix.

    Raises:
        BundleError: it holds none that can be used.
    """
    content = _read(path) or ""
    is_json = path.suffix.lower() == ".json"
    labels = of_json(_parsed(content)) if is_json else of_lines(content)
    if not labels:
        raise BundleError(
            f"{path.name} holds no labels; write one name a line, all different, each of at most "
            f"{MAX_LABEL} characters."
        )
    return labels


def of_json(values: Any) -> tuple[str, ...]:
    """Names in a list, by number, or each with its number; also under `id2label` or `labels`."""
    if isinstance(values, Mapping):
        for key in ("id2label", "label2id", "labels", "class_names", "classes", "class_indices"):
            if found := of_json(values.get(key)):
                return found
        return _usable(_by_number(values))
    return _usable(values if isinstance(values, list) else [])


def _by_number(values: Mapping[Any, Any]) -> list[Any]:
    """{"0": "normal", …} or {"normal": 0, …} in the order of the numbers."""
    for pairs in (values.items(), [(number, name) for name, number in values.items()]):
        try:
            by_number = {int(number): name for number, name in pairs
                         if not isinstance(number, bool | float)}  # fmt: skip
        except (TypeError, ValueError):
            continue
        if len(by_number) == len(values) and sorted(by_number) == list(range(len(values))):
            return [by_number[number] for number in range(len(values))]
    return []


def _usable(names: list[Any]) -> tuple[str, ...]:
    if not 2 <= len(names) <= MAX_LABELS or not all(isinstance(name, str) for name in names):
        return ()
    clean = tuple(" ".join(name.split()) for name in names)
    fits = all(0 < len(name) <= MAX_LABEL and name.isprintable() for name in clean)
    return clean if fits and len(set(clean)) == len(clean) else ()


def _read(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
