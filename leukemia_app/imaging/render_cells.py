"""White cells, erythroblasts and platelets, painted on the film with their exact masks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leukemia_app.imaging.picture import BoolArray, FloatArray
from leukemia_app.imaging.render_film import Circle, Film, Point
from leukemia_app.imaging.render_forms import Form
from leukemia_app.imaging.render_looks import Look, Triple
from leukemia_app.imaging.render_nuclei import nucleus_depth
from leukemia_app.imaging.render_shapes import coverage, cut, grain, spots, star, waves

SOFT_UM = 0.25
"""Width over which a membrane goes from nothing to full: the cell's edge slopes."""
MEMBRANE_UM = 0.35
"""Least cytoplasm between a nucleus and the border of its cell."""

Wall = tuple[float, float, float]
"""A neighbour's flank: unit normal (y, x) out of this cell, and its distance in micrometres."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a cell lies and how large it is."""

    centre_um: Point
    radius_um: float
    walls: tuple[Wall, ...] = ()
    bleed_um: float = 0.0
    """How far the stain reaches beyond the mask, where a mask was cut inside the cell."""


@dataclass(frozen=True, kw_only=True)
class _Anatomy:
    """One cell on its part of the grid; every array is (rows, columns) float32, micrometres.

    `y` and `x` count from the cell's middle; `body` and `core` are depths in cell and nucleus.
    """

    y: FloatArray
    x: FloatArray
    body: FloatArray
    core: FloatArray
    px_per_um: float


def paint_cell(film: Film, form: Form, place: Place, look: Look, rng: np.random.Generator) -> None:
    """Add one cell to the film and give it the next number; outside the film, nothing.

    Where another cell lies already, the new one lies beneath it and is not in the mask.
    """
    found = film.around(place.centre_um, place.radius_um * 1.45 + 0.5)
    if found is None:
        return
    span, y, x = found
    sway = np.float32(0.05 * place.radius_um)
    scale = 0.5 * place.radius_um * film.px_per_um
    y = y + sway * grain(y.shape, scale, rng)
    x = x + sway * grain(x.shape, scale, rng)
    body = _body(y, x, form, place, rng)
    core = nucleus_depth(y, x, form, place.radius_um, rng)
    core = np.minimum(core, body - np.float32(MEMBRANE_UM))
    free: BoolArray = (body > 0) & (film.cells[span] == 0)
    film.cells[span][free] = film.cells.max() + 1
    film.nucleus[span][free & (core > 0)] = True
    stained = body + np.float32(place.bleed_um)
    cell = _Anatomy(y=y, x=x, body=stained, core=core, px_per_um=film.px_per_um)
    density = _cytoplasm(cell, form, look, rng) * (1 - _vacuoles(cell, form, rng))[..., None]
    share = coverage(core, SOFT_UM)[..., None]
    density = density * (1 - 0.75 * share) + _chromatin(cell, form, look, rng) * share
    film.density[span] += density * np.float32(rng.lognormal(0, 0.12))
    film.thickness[span] += 1.2 * coverage(stained - 0.3, 1.2)


def flanks(circles: Sequence[Circle], index: int) -> tuple[Wall, ...]:
    """Where a cell presses against its neighbours: one wall for each that it nearly touches.

    The wall of two circles is their radical line, so both cells end at the same one.
    """
    (y, x), radius = circles[index]
    walls: list[Wall] = []
    for other, ((other_y, other_x), other_radius) in enumerate(circles):
        away = math.hypot(other_y - y, other_x - x)
        if other == index or not 0 < away < 1.08 * (radius + other_radius):
            continue
        distance = (away**2 + radius**2 - other_radius**2) / (2 * away)
        walls.append(((other_y - y) / away, (other_x - x) / away, distance))
    return tuple(walls)


def _body(
    y: FloatArray, x: FloatArray, form: Form, place: Place, rng: np.random.Generator
) -> FloatArray:
    frayed = form.ragged * float(rng.exponential())
    terms = waves(rng, 2, 7, form.wobble) + waves(rng, 8, 18, frayed)
    depth = star(y, x, place.radius_um, terms)
    for normal_y, normal_x, distance in place.walls:
        beyond = y * np.float32(normal_y) + x * np.float32(normal_x) - np.float32(distance)
        depth = cut(depth, beyond, 0.8)
    return depth


def _chromatin(cell: _Anatomy, form: Form, look: Look, rng: np.random.Generator) -> FloatArray:
    """Optical density of the nucleus as if it filled the grid, (rows, columns, 3)."""
    shape, scale = cell.core.shape, cell.px_per_um
    texture = 1 + form.fine * (grain(shape, 0.2 * scale, rng) + grain(shape, 0.4 * scale, rng))
    texture += form.clump * np.tanh(2.2 * grain(shape, 0.6 * scale, rng))
    texture += 0.06 * grain(shape, 2.5 * scale, rng)
    pale_spots = np.clip(grain(shape, 0.4 * scale, rng) - 1, 0, 2)
    texture -= form.open * float(rng.lognormal(-0.1, 0.45)) * pale_spots
    texture += form.rim * np.exp(-((cell.core / np.float32(0.35)) ** 2))
    texture *= 0.9 + 0.1 * coverage(cell.core - 0.8, 1.6)
    density = texture[..., None] * np.array(look.nucleus, np.float32)
    count = int(rng.integers(form.nucleoli[0], form.nucleoli[1] + 1))
    pale = _rounds(cell, cell.core > 1, count, (0.5, 1.05), rng)[..., None]
    density = density * (1 - 0.35 * pale) + 0.25 * pale * np.array(look.azure, np.float32)
    result: FloatArray = np.maximum(density, 0).astype(np.float32) * np.float32(form.density)
    return result


def _cytoplasm(cell: _Anatomy, form: Form, look: Look, rng: np.random.Generator) -> FloatArray:
    """Optical density of the cell but for its nucleus, granules included."""
    blue = float(np.clip(form.basophilia + rng.normal(0, 0.08), 0, 1))
    base = blue * np.array(look.azure, np.float32) + (1 - blue) * np.array(look.eosin, np.float32)
    strength = 1 + 0.10 * grain(cell.body.shape, 0.4 * cell.px_per_um, rng)
    strength += 0.10 * grain(cell.body.shape, 1.2 * cell.px_per_um, rng)
    strength += (0.15 + 0.25 * blue) * np.exp(-((cell.body / np.float32(0.5)) ** 2))
    strength *= 1 - 0.10 * np.exp(-((cell.core / np.float32(0.8)) ** 2))
    layer = coverage(cell.body, SOFT_UM) * strength * np.float32(form.cytoplasm)
    return base * layer[..., None] + _granules(cell, form, look, rng)


def _granules(cell: _Anatomy, form: Form, look: Look, rng: np.random.Generator) -> FloatArray:
    """Optical density of granules, (rows, columns, 3)."""
    if form.granules == "none":
        return np.zeros((*cell.body.shape, 3), np.float32)
    colour, radius_um, strength, over = _granule_kind(form.granules, look)
    room = coverage(cell.body - 0.35, 0.4) * (1 - (1 - over) * coverage(cell.core, SOFT_UM))
    laid = spots(room, form.granules_per_um2, radius_um, cell.px_per_um, rng)
    result: FloatArray = laid[..., None] * np.array(colour, np.float32) * np.float32(strength)
    return result


def _granule_kind(kind: str, look: Look) -> tuple[Triple, float, float, float]:
    """Colour, radius in micrometres, strength, and how many lie over the nucleus, 0 to 1."""
    return {
        "neutrophil": (look.azurophil_granule, 0.12, 0.28, 0.3),
        "eosinophil": (look.eosinophil_granule, 0.28, 0.42, 0.15),
        "basophil": (look.basophil_granule, 0.34, 0.52, 0.9),
        "azurophil": (look.azurophil_granule, 0.17, 0.65, 0.4),
    }[kind]


def _vacuoles(cell: _Anatomy, form: Form, rng: np.random.Generator) -> FloatArray:
    """Share of the cytoplasm that is missing, (rows, columns) 0 to 0.7."""
    room = (cell.body > 0.8) & (cell.core < -0.3)
    count = int(rng.integers(form.vacuoles[0], form.vacuoles[1] + 1))
    return np.float32(0.7) * _rounds(cell, room, count, (0.2, 0.6), rng)


def _rounds(
    cell: _Anatomy,
    room: BoolArray,
    count: int,
    radii_um: tuple[float, float],
    rng: np.random.Generator,
) -> FloatArray:
    """Coverage by `count` soft round bodies whose middles lie in `room`."""
    covered = np.zeros_like(cell.body)
    inside = np.argwhere(room)
    for _ in range(count if len(inside) else 0):
        row, column = inside[int(rng.integers(len(inside)))]
        y, x = cell.y - cell.y[row, column], cell.x - cell.x[row, column]
        round_body = star(y, x, float(rng.uniform(*radii_um)), waves(rng, 2, 3, 0.12))
        covered = np.maximum(covered, coverage(round_body, 0.6))
    return covered
