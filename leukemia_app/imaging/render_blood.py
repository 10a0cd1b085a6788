"""What lies round the white cells: red cells, platelets, smudged nuclei, stain deposits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leukemia_app.imaging.picture import FloatArray, Int32Array
from leukemia_app.imaging.render_film import Circle, Film, Point
from leukemia_app.imaging.render_looks import Look
from leukemia_app.imaging.render_shapes import coverage, grain, star, waves

RED_CELL_UM = 7.5
"""Diameter of a red cell on a dried film."""


@dataclass(frozen=True, kw_only=True)
class Blood:
    """How the red cells of a field lie and look."""

    cover: float = 0.35
    """Share of the free area that red cells would cover if none overlapped."""
    pallor: float = 0.8
    """0 no pale middle, 1 a middle almost as clear as glass."""
    rouleaux: float = 0.1
    """Share of red cells that stick in rows."""
    crenated: float = 0.03
    """Share with a scalloped border."""
    platelets_per_mm2: float = 600.0
    smudges: int = 0
    """Burst nuclei without a border: pink, and not cells."""
    deposits_per_mm2: float = 300.0
    """Grains of precipitated stain."""


def paint_red_cells(
    film: Film, blood: Blood, taken: Sequence[Circle], rng: np.random.Generator
) -> None:
    """Fill the film with red cells that mostly keep clear of the circles in `taken`."""
    height, width = film.size_um
    wanted = blood.cover * (height + 8) * (width + 8) / (np.pi * (RED_CELL_UM / 2) ** 2)
    placed: list[Circle] = []
    heading = 0.0
    # The tries are bounded: a crowded field simply takes fewer red cells.
    for _ in range(int(wanted * 8)):
        if len(placed) >= wanted:
            break
        centre = (float(rng.uniform(-4, height + 4)), float(rng.uniform(-4, width + 4)))
        spacing = 0.97 if rng.random() < 0.85 else 0.6
        heading += float(rng.normal(0, 0.35))
        if placed and rng.random() < blood.rouleaux:
            centre = _next_in_row(placed[-1], heading, rng)
            spacing = 0.5
        radius = RED_CELL_UM / 2 * float(rng.normal(1, 0.06))
        if is_clear(centre, radius, taken, 0.97) and is_clear(centre, radius, placed, spacing):
            placed.append((centre, radius))
    for centre, radius in placed:
        _paint_red_cell(film, centre, radius, blood, rng)


def _next_in_row(last: Circle, heading: float, rng: np.random.Generator) -> Point:
    (y, x), radius = last
    away = radius * float(rng.uniform(1.05, 1.6))
    return y + away * float(np.sin(heading)), x + away * float(np.cos(heading))


def is_clear(centre: Point, radius: float, others: Sequence[Circle], share: float) -> bool:
    """Whether a circle keeps `share` of the touching distance from each of the others."""
    return all(
        math.hypot(centre[0] - y, centre[1] - x) > share * (radius + other)
        for (y, x), other in others
    )


def _paint_red_cell(
    film: Film,
    centre: Point,
    radius: float,
    blood: Blood,
    rng: np.random.Generator,
) -> None:
    found = film.around(centre, radius * 1.4)
    if found is None:
        return
    span, y, x = found
    terms = waves(rng, 2, 4, 0.035)
    if rng.random() < blood.crenated:
        order, height = int(rng.integers(9, 14)), float(rng.uniform(0.02, 0.05))
        terms += ((order, height, float(rng.uniform(0, 2 * np.pi))), *waves(rng, 7, 13, 0.02))
    depth = star(y, x, radius, terms)
    away = np.hypot(y - 0.1 * radius * rng.normal(), x - 0.1 * radius * rng.normal())
    along = np.clip(away / (depth + np.hypot(y, x)), 0, 1).astype(np.float32)
    pallor = float(np.clip(rng.normal(blood.pallor, 0.3), 0, 1.1))
    layer = _red_cell_profile(along, pallor, float(rng.uniform(0.3, 0.52)))
    layer *= coverage(depth, 0.35)
    layer *= np.float32(rng.lognormal(0, 0.12))
    film.red[span] = _settled(film.red[span], layer)


def _settled(below: FloatArray, above: FloatArray) -> FloatArray:
    """Haemoglobin of two red cells that overlap: they flatten where they lie on each other."""
    return np.maximum(below, above) + np.float32(0.45) * np.minimum(below, above)


def _red_cell_profile(along: FloatArray, pallor: float, width: float) -> FloatArray:
    """Thickness from the middle (0) to the border (1), about 1 at its thickest.

    A dried cell lies flatter than the living biconcave disc: a level ring with a soft dip of
    `width` radii.
    """
    ring = np.sqrt(np.maximum(1 - np.float32(0.75) * along**6, 0)) * (0.85 + 0.15 * along)
    dip = coverage(np.float32(width) - along, 0.42)
    result: FloatArray = ring * (1 - np.float32(0.72 * pallor) * dip)
    return result


def paint_platelets(film: Film, blood: Blood, look: Look, rng: np.random.Generator) -> None:
    """Scatter small platelets and grains of stain over the film, clear of its white cells."""
    height, width = film.size_um
    area_mm2 = height * width / 1e6
    for _ in range(int(rng.poisson(blood.platelets_per_mm2 * area_mm2))):
        centre = (float(rng.uniform(0, height)), float(rng.uniform(0, width)))
        radius = float(rng.uniform(0.9, 1.7))
        # A platelet on a red cell looks like a parasite in it: rare in life, and rare here.
        if _free(film, centre, radius, film.cells) and (
            _free(film, centre, radius, film.red) or rng.random() < 0.1
        ):
            _paint_platelet(film, centre, radius, look, rng)
    for _ in range(int(rng.poisson(blood.deposits_per_mm2 * area_mm2))):
        centre = (float(rng.uniform(0, height)), float(rng.uniform(0, width)))
        found = film.around(centre, 1.5)
        if found is not None and _free(film, centre, 0.5, film.cells):
            span, y, x = found
            speck = coverage(star(y, x, float(rng.uniform(0.15, 0.4))), 0.3)[..., None]
            film.density[span] += 0.7 * speck * np.array(look.nucleus, np.float32)


def _free(film: Film, centre: Point, radius: float, layer: FloatArray | Int32Array) -> bool:
    """Whether a layer of the film is empty round a point."""
    found = film.around(centre, radius)
    return found is not None and not layer[found[0]].any()


def _paint_platelet(
    film: Film, centre: Point, radius: float, look: Look, rng: np.random.Generator
) -> None:
    found = film.around(centre, radius * 1.6)
    if found is None:
        return
    span, y, x = found
    depth = star(y, x, radius, waves(rng, 2, 6, 0.08))
    body = coverage(depth, 0.4)
    inner = coverage(depth - 0.5, 0.9)
    inner *= np.clip(0.6 + 0.35 * grain(y.shape, 0.3 * film.px_per_um, rng), 0, 2)
    film.density[span] += (0.5 * body)[..., None] * np.array(look.azure, np.float32)
    film.density[span] += (0.7 * inner)[..., None] * np.array(look.azurophil_granule, np.float32)


def paint_smudge(film: Film, centre: Point, look: Look, rng: np.random.Generator) -> None:
    """A burst nucleus: a pink, frayed stain without a border of its own."""
    radius = float(rng.uniform(6, 9.5))
    found = film.around(centre, radius * 1.8)
    if found is None:
        return
    span, y, x = found
    px_per_um = film.px_per_um
    y = y + 0.9 * grain(y.shape, 1.6 * px_per_um, rng) + 0.25 * grain(y.shape, 0.4 * px_per_um, rng)
    x = x + 0.9 * grain(x.shape, 1.6 * px_per_um, rng) + 0.25 * grain(x.shape, 0.4 * px_per_um, rng)
    depth = star(y, x, radius, waves(rng, 2, 6, 0.09))
    strength = 1 + 0.12 * grain(y.shape, 0.4 * px_per_um, rng)
    strength += 0.2 * grain(y.shape, 1.5 * px_per_um, rng)
    colour = 0.55 * np.array(look.eosin, np.float32) + 0.18 * np.array(look.nucleus, np.float32)
    film.density[span] += np.maximum(coverage(depth - 1, 2.0) * strength, 0)[..., None] * colour
