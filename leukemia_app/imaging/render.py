"""Drawn pictures of blood cells and smears with their exact truth.

No photograph is shipped with the project; these drawings stand in for them in examples and tests.
Cells are stacked layers that absorb light, seen through a drawn microscope and camera. Shapes
come from one random generator and light and noise from another, so a look never changes a mask.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from leukemia_app.errors import SettingError
from leukemia_app.imaging.picture import BoolArray, Int32Array, UInt8Array
from leukemia_app.imaging.render_blood import (
    Blood,
    is_clear,
    paint_platelets,
    paint_red_cells,
    paint_smudge,
)
from leukemia_app.imaging.render_cells import Place, flanks, paint_cell
from leukemia_app.imaging.render_fields import FIELDS, Mixture
from leukemia_app.imaging.render_film import Circle, Film, photograph
from leukemia_app.imaging.render_forms import FORMS, Form
from leukemia_app.imaging.render_looks import LOOKS, Look
from leukemia_app.imaging.render_tissue import paint_tissue

CELL_VIEW_UM = 32.0
"""Width of a single-cell picture with red cells round it, as in PBC: a red cell fills a quarter."""
BLACK_VIEW_UM = 26.5
"""Width of a single-cell picture on black: 300 px at the scale of C-NMC."""
FIELD_VIEW_UM = 93.0
"""Side of a square field, as in the 4-class ALL set, where a red cell is about 18 of 224 px.

A field of another shape shows the same area: those pictures are camera frames pressed square.
"""

CELLS: Mapping[str, str] = MappingProxyType(
    {
        "all": "lymphoblast: large, little blue cytoplasm, fine chromatin, nucleoli",
        "hem": "normal lymphocyte: smaller, dense clumped chromatin",
        "lymphocyte": "lymphocyte: round dense nucleus, narrow blue cytoplasm",
        "neutrophil": "neutrophil: three to five lobes, pale pink cytoplasm, fine granules",
        "eosinophil": "eosinophil: two or three lobes, orange granules",
        "basophil": "basophil: dark granules that hide the nucleus",
        "monocyte": "monocyte: large, kidney-shaped nucleus, grey-blue cytoplasm",
        "erythroblast": "erythroblast: small round very dense nucleus",
        "ig": "immature granulocyte: large, oval or indented nucleus, purple granules",
        "platelet": "platelet: a small purple granular fragment",
    }
)
"""Single cells that can be drawn, with their meaning."""

LABELS: Mapping[str, str] = MappingProxyType(
    {name: mixture.meaning for name, mixture in FIELDS.items()}
    | {"tissue": "section of tissue, which is no smear: a picture to be refused"}
    | dict(CELLS)
)
"""All that can be drawn, fields and single cells, with their meaning."""

ON_BLACK = ("all", "hem")
"""Labels whose own data set blanks the background."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One drawn picture and its truth.

    `pixels` is (rows, columns, 3) uint8 RGB. `cells` is (rows, columns) int32: 0 background, one
    number a cell, nucleus included; red cells, stray platelets and burst nuclei are background.
    `nucleus` is (rows, columns) bool and lies inside the cells.
    """

    pixels: UInt8Array
    cells: Int32Array
    nucleus: BoolArray
    label: str
    look: str


def draw(
    label: str,
    seed: int,
    look: str | None = None,
    side_px: int | None = None,
    rows_px: int | None = None,
) -> Drawing:
    """One picture of a label in `LABELS`, the same for the same arguments.

    Without `look` the seed chooses one that suits the label; without `side_px`, its width, a
    field has 224, a cell on black 300 and a cell among red cells 256 pixels; without `rows_px`
    it is square, as single cells always are.

    Raises:
        SettingError: an argument has a value that cannot be drawn.
    """
    if label not in LABELS:
        raise SettingError(f"label is {label!r}; use one of {', '.join(LABELS)}.")
    if look is not None and look not in LOOKS:
        raise SettingError(f"look is {look!r}; use one of {', '.join(LOOKS)}.")
    for name, side in (("side_px", side_px), ("rows_px", rows_px)):
        if side is not None and not 32 <= side <= 2048:
            raise SettingError(f"{name} is {side}; use 32 to 2048.")
    if rows_px is not None and label in CELLS:
        raise SettingError(f"rows_px is {rows_px}, but a single cell is square; leave it out.")
    if seed < 0:
        raise SettingError(f"seed is {seed}; use 0 or more.")
    rng = np.random.default_rng(seed)
    if label == "tissue":
        return draw_tissue(LOOKS[look or "section"], side_px or 224, rng, rows_px)
    if label in FIELDS:
        chosen = LOOKS[look or str(rng.choice(FIELDS[label].looks))]
        return draw_field(label, chosen, side_px or 224, rng, rows_px=rows_px)
    on_black = label in ON_BLACK
    chosen = LOOKS[look or ("plum" if on_black else "cream")]
    return draw_cell(label, chosen, side_px or (300 if on_black else 256), rng, on_black)


def draw_cell(
    label: str,
    look: Look,
    side_px: int,
    rng: np.random.Generator,
    black_background: bool = False,
) -> Drawing:
    """One cell of a kind in `CELLS`, near the middle of a square picture; its number is 1.

    With `black_background` all else is black, as in C-NMC, at that data set's scale; else red
    cells lie round it.
    """
    if label not in CELLS:
        raise ValueError(f"label is {label!r}; use one of {', '.join(CELLS)}.")
    _check_side(side_px)
    shapes, camera = rng.spawn(2)
    view_um = BLACK_VIEW_UM if black_background else CELL_VIEW_UM
    film = Film.empty(side_px, side_px, side_px / view_um)
    y, x = view_um / 2 + shapes.uniform(-0.6, 0.6, 2)
    circle = ((float(y), float(x)), _radius(FORMS[label], shapes))
    bleed_um = 0.4 if black_background else 0.0  # C-NMC's masks run inside the border
    place = Place(centre_um=circle[0], radius_um=circle[1], bleed_um=bleed_um)
    paint_cell(film, FORMS[label], place, look, shapes)
    if not black_background:
        blood = Blood(cover=0.6)
        paint_red_cells(film, blood, [circle], shapes)
        paint_platelets(film, blood, look, shapes)
        return _photographed(film, label, look, camera)
    drawing = _photographed(film, label, look, camera)
    alone = np.where((drawing.cells > 0)[..., None], drawing.pixels, 0).astype(np.uint8)
    return replace(drawing, pixels=alone)


def draw_field(
    label: str,
    look: Look,
    side_px: int,
    rng: np.random.Generator,
    n_cells: int | None = None,
    rows_px: int | None = None,
) -> Drawing:
    """A field of a label in `FIELDS`, side_px wide, and as high unless `rows_px` says otherwise.

    `n_cells` counts the white cells that are laid, those cut by the frame included; crowded
    fields may hold fewer. Without it the label's own range is used.
    """
    if label not in FIELDS:
        raise ValueError(f"label is {label!r}; use one of {', '.join(FIELDS)}.")
    mixture = FIELDS[label]
    shapes, camera = rng.spawn(2)
    film = _field_film(side_px, rows_px)
    height, width = film.size_um
    if n_cells is None:
        n_cells = int(shapes.integers(mixture.n_cells[0], mixture.n_cells[1] + 1))
    forms, circles = _laid(film, mixture, n_cells, shapes)
    paint_red_cells(film, mixture.blood, circles, shapes)
    for _ in range(mixture.blood.smudges):
        centre = (float(shapes.uniform(0, height)), float(shapes.uniform(0, width)))
        if is_clear(centre, 7, circles, 1):
            paint_smudge(film, centre, look, shapes)
    for index, (centre, radius) in enumerate(circles):
        place = Place(centre_um=centre, radius_um=radius, walls=flanks(circles, index))
        paint_cell(film, forms[index], place, look, shapes)
    paint_platelets(film, mixture.blood, look, shapes)
    return _photographed(film, label, look, camera)


def draw_tissue(
    look: Look, side_px: int, rng: np.random.Generator, rows_px: int | None = None
) -> Drawing:
    """A section of tissue at the scale of a field; no blood cell, so its truth is empty."""
    shapes, camera = rng.spawn(2)
    film = _field_film(side_px, rows_px)
    paint_tissue(film, look, shapes)
    return _photographed(film, "tissue", look, camera)


def _field_film(side_px: int, rows_px: int | None) -> Film:
    rows_px = side_px if rows_px is None else rows_px
    _check_side(side_px)
    _check_side(rows_px)
    return Film.empty(rows_px, side_px, float(np.sqrt(rows_px * side_px)) / FIELD_VIEW_UM)


def _check_side(side_px: int) -> None:
    if side_px < 32:
        raise ValueError(f"a side is {side_px} px; use 32 or more.")


def _radius(form: Form, rng: np.random.Generator) -> float:
    sd = float(np.clip(rng.normal(), -2, 2))
    return (form.diameter_um + sd * form.diameter_sd_um) / 2


def _laid(
    film: Film, mixture: Mixture, n_cells: int, rng: np.random.Generator
) -> tuple[list[Form], list[Circle]]:
    """Forms and their places, touching at most; fewer than asked where there is no room."""
    height, width = film.size_um
    names, shares = zip(*mixture.cells, strict=True)
    forms: list[Form] = []
    circles: list[Circle] = []
    for name in rng.choice(names, n_cells, p=shares):
        radius = _radius(FORMS[str(name)], rng)
        for _ in range(60):
            centre = (float(rng.uniform(-1, height + 1)), float(rng.uniform(-1, width + 1)))
            if circles and rng.random() < mixture.clustered:
                (y, x), other = circles[-1]
                turn, away = rng.uniform(0, 2 * np.pi), 0.98 * (radius + other)
                centre = (y + float(away * np.sin(turn)), x + float(away * np.cos(turn)))
            if is_clear(centre, radius, circles, 0.96):
                forms.append(FORMS[str(name)])
                circles.append((centre, radius))
                break
    return forms, circles


def _photographed(film: Film, label: str, look: Look, camera: np.random.Generator) -> Drawing:
    cells, nucleus = film.truth()
    pixels = photograph(film, look, camera)
    return Drawing(pixels=pixels, cells=cells, nucleus=nucleus, label=label, look=look.name)
