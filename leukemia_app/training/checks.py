"""Refuse settings of the wrong kind or size, by name and with the value that was given."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from math import isfinite
from typing import Any

from leukemia_app.errors import RunError

Ranges = Mapping[str, tuple[float, float]]
"""Least and largest value of each setting that is a number."""
KINDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    int | None: "a whole number or null",
    str | None: "a text or null",
}
"""What to write for each plain kind of field."""


def check_keys(kind: type, values: Any, where: str) -> None:
    """Refuse what is no object, keys that `kind` has not, and needed ones that are missing."""
    if not isinstance(values, Mapping):
        raise RunError(f"{where} is {values!r}; use an object with named settings.")
    if unknown := sorted(set(values) - {item.name for item in fields(kind)}):
        raise RunError(f"{where} has unknown keys: {', '.join(unknown)}.")
    needed = {item.name for item in fields(kind)
              if item.default is MISSING and item.default_factory is MISSING}  # fmt: skip
    if missing := sorted(needed - set(values)):
        raise RunError(f"{where} lacks {', '.join(missing)}.")


def check_kinds(spec: Any, where: str) -> None:
    """Refuse a field of a plain kind whose value is of another; whole numbers are numbers too."""
    for item in fields(spec):
        value = getattr(spec, item.name)
        if item.type in KINDS and not _is_of_kind(value, item.type):
            raise RunError(f"{where}{item.name} is {value!r}; use {KINDS[item.type]}.")


def _is_of_kind(value: Any, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and isfinite(value)
    return isinstance(value, kind)


def check_ranges(spec: Any, ranges: Ranges, where: str) -> None:
    """Refuse a number outside its range; null is left to `check_kinds`."""
    for name, (least, most) in ranges.items():
        value = getattr(spec, name)
        if value is not None and not least <= value <= most:
            raise RunError(f"{where}{name} is {value}; use {least:g} to {most:g}.")
