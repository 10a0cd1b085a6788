"""Readings as files for other programs: JSON and CSV. Pure: values in, text out."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leukemia_app.bundles.reading import Reading

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins so is a formula to a spreadsheet; file names come from strangers.

Source: OWASP, CSV Injection.
"""
CSV_HEADS_AFTER = ("scope score", "scope limit", "cells", "reasons", "remarks", "error")


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A file that could not be read, and why."""

    file: str
    kind: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in the place of a reading's."""
        return {"file": self.file, "error": {"kind": self.kind, "message": self.message}}


def results_json(results: Sequence[Reading | Unread]) -> str:
    """One array, one object a file, in the order given."""
    return json.dumps([result.to_dict() for result in results], indent=2, ensure_ascii=False) + "\n"


def results_csv(results: Sequence[Reading | Unread], labels: Sequence[str]) -> str:
    """One row a file: decision, a column a label with its probability, scope, and remarks.

    Cells that a spreadsheet would run as formulas get an apostrophe in front.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")  # RFC 4180
    heads = [f"probability {label}" for label in labels]
    writer.writerow(map(harmless, ["file", "model", "decision", "label", *heads, *CSV_HEADS_AFTER]))
    for result in results:
        writer.writerow(map(harmless, _csv_row(result, labels)))
    return file.getvalue()


def harmless(cell: object) -> str:
    """A cell's text; one that a spreadsheet would run as a formula gets an apostrophe in front."""
    text = "" if cell is None else str(cell)
    # a number is written by us and may be negative; text is a stranger's
    if isinstance(cell, str) and text.startswith(FORMULA_SIGNS):
        return "'" + text
    return text


def _csv_row(result: Reading | Unread, labels: Sequence[str]) -> list[object]:
    if isinstance(result, Unread):
        return [result.file, *[""] * (len(labels) + 8), f"{result.kind}: {result.message}"]
    scope = result.scope
    return [
        result.file,
        result.model,
        result.decision.kind,
        result.decision.label,
        *(f"{result.probabilities[label]:.6f}" for label in labels),
        None if scope is None else round(scope.score, 6),
        None if scope is None else round(scope.limit, 6),
        result.cells,
        " ".join(result.decision.reasons),
        " ".join(result.remarks),
        "",
    ]
