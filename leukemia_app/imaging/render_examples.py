"""The drawn pictures of the folder `examples`, and how to draw each of them again."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from leukemia_app.imaging.render import Drawing, draw


@dataclass(frozen=True, kw_only=True)
class ExampleRow:
    """One picture of the folder, as examples.json lists it."""

    file: str
    drawn: str
    """The label that was drawn: the truth, whatever a model says."""
    input: str
    """What it shows, as in a recipe: `field` or `cell`."""
    look: str
    seed: int
    size: tuple[int, int]
    """Rows and columns, in pixels."""
    caption: str
    """One sentence that says it is drawn, and what."""
    masks: str | None = None
    """The file with its truth; None where it is not shipped, since the seed draws it again."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def drawing(self) -> Drawing:
        """The picture and its truth, drawn now."""
        rows, columns = self.size
        rows_px = rows if self.input == "field" else None
        return draw(self.drawn, self.seed, self.look, side_px=columns, rows_px=rows_px)


FRAME = (240, 320)
"""Rows and columns of a microscope camera's 4 to 3 frame."""


def _field(file: str, drawn: str, look: str, seed: int, caption: str) -> ExampleRow:
    return ExampleRow(
        file=file, drawn=drawn, input="field", look=look, seed=seed, size=FRAME, caption=caption
    )


def _cell(file: str, drawn: str, look: str, seed: int, caption: str) -> ExampleRow:
    side = 300 if look == "plum" else 224
    return ExampleRow(
        file=file, drawn=drawn, input="cell", look=look, seed=seed, size=(side, side),
        caption=caption,
    )  # fmt: skip


EXAMPLES = (
    _field("field-benign-pale.png", "Benign", "pale", 11,
           "Drawn, not photographed: a marrow field of class Benign, haematogones among mature "
           "cells."),
    _field("field-early-violet.png", "Early", "violet", 11,
           "Drawn, not photographed: a marrow field of class Early, early pre-B lymphoblasts."),
    _field("field-early-bench.png", "Early", "bench", 11,
           "Drawn, not photographed: the same field of class Early in another laboratory's stain."),
    _field("field-pre-blue.png", "Pre", "blue", 14,
           "Drawn, not photographed: a crowded marrow field of class Pre, pre-B lymphoblasts."),
    _field("field-pro-rose.png", "Pro", "rose", 15,
           "Drawn, not photographed: a marrow field of class Pro, pro-B lymphoblasts."),
    _field("field-blood-cream.png", "blood", "cream", 15,
           "Drawn, not photographed: a field of blood with mature cells only, a class that is "
           "not among Benign, Early, Pre and Pro."),
    _cell("cell-all-1.png", "all", "plum", 22,
          "Drawn, not photographed: a single cell of class all, a lymphoblast, on black."),
    _cell("cell-all-2.png", "all", "plum", 24,
          "Drawn, not photographed: another single cell of class all, a lymphoblast, on black."),
    _cell("cell-hem-1.png", "hem", "plum", 22,
          "Drawn, not photographed: a single cell of class hem, a normal lymphocyte, on black."),
    _cell("cell-hem-2.png", "hem", "plum", 24,
          "Drawn, not photographed: another single cell of class hem, a normal lymphocyte, on "
          "black."),
    _cell("cell-neutrophil.png", "neutrophil", "cream", 22,
          "Drawn, not photographed: a neutrophil among red cells."),
    _cell("cell-lymphocyte.png", "lymphocyte", "cream", 27,
          "Drawn, not photographed: a lymphocyte among red cells."),
    _cell("cell-eosinophil.png", "eosinophil", "cream", 24,
          "Drawn, not photographed: an eosinophil among red cells."),
    _field("refuse-unfocused.png", "Early", "unfocused", 41,
           "Drawn, not photographed, to be refused: a field of class Early, dark and out of "
           "focus."),
    _field("refuse-tissue.png", "tissue", "section", 42,
           "Drawn, not photographed, to be refused: a section of tissue, which is no smear."),
)  # fmt: skip
"""Every picture of the folder; seeds were chosen by eye, never by what a model says."""


def examples_json() -> str:
    """What examples.json holds: a list of rows, in the order of the page."""
    return json.dumps([row.to_dict() for row in EXAMPLES], indent=2) + "\n"


def draw_examples() -> Iterator[tuple[ExampleRow, Drawing]]:
    """Each row of the folder with its picture and truth, drawn now."""
    for row in EXAMPLES:
        yield row, row.drawing()
