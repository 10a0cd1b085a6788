"""A section of tissue, drawn to be refused: it is stained, it has nuclei, and it is no smear."""

import numpy as np

from leukemia_app.imaging.render_blood import is_clear
from leukemia_app.imaging.render_film import Circle, Film, Point
from leukemia_app.imaging.render_looks import Look
from leukemia_app.imaging.render_shapes import coverage, grain, star, waves


def paint_tissue(film: Film, look: Look, rng: np.random.Generator) -> None:
    """Fill the film with fibres and glands, as haematoxylin and eosin show them."""
    height, width = film.size_um
    _paint_fibres(film, look, rng)
    glands: list[Circle] = []
    for _ in range(40):
        centre = (float(rng.uniform(0, height)), float(rng.uniform(0, width)))
        radius = float(rng.uniform(14, 21))
        if is_clear(centre, radius + 3, glands, 1):
            glands.append((centre, radius))
            _paint_gland(film, centre, radius, look, rng)
    for _ in range(round(height * width / 160)):
        centre = (float(rng.uniform(0, height)), float(rng.uniform(0, width)))
        if is_clear(centre, 2, glands, 1):
            _paint_nucleus(film, centre, (1.3, 3.6), float(rng.normal(0.4, 0.5)), look, rng)


def _paint_fibres(film: Film, look: Look, rng: np.random.Generator) -> None:
    rows, columns = film.cells.shape
    along = grain((rows, max(1, columns // 6)), 0.9 * film.px_per_um, rng)
    streaks = np.repeat(along, 7, axis=1)[:, :columns]
    broad = grain((rows, columns), 5 * film.px_per_um, rng)
    shift = (broad * 1.5 * film.px_per_um).astype(np.int64)
    row = np.clip(np.arange(rows)[:, None] + shift, 0, rows - 1)
    wavy = streaks[row, np.arange(columns)[None]]
    strength = np.clip(0.55 + 0.22 * wavy + 0.12 * broad, 0.05, 1.4)
    film.density[:] += strength[..., None] * np.array(look.eosin, np.float32)


def _paint_gland(
    film: Film, centre: Point, radius: float, look: Look, rng: np.random.Generator
) -> None:
    found = film.around(centre, radius * 1.4)
    if found is None:
        return
    span, y, x = found
    depth = star(y, x, radius, waves(rng, 2, 5, 0.08))
    inside = coverage(depth, 1.0)[..., None]
    lumen = coverage(depth - 0.62 * radius, 2.0)[..., None]
    wall = 0.55 * np.array(look.eosin, np.float32) + 0.08 * np.array(look.nucleus, np.float32)
    film.density[span] = film.density[span] * (1 - inside) + inside * (1 - 0.95 * lumen) * wall
    count = round(2 * np.pi * radius * 0.78 / 3.7)
    for index in range(count):
        turn = 2 * np.pi * index / count + float(rng.normal(0, 0.05))
        out = radius * float(rng.normal(0.74, 0.04))
        place = (centre[0] + out * float(np.sin(turn)), centre[1] + out * float(np.cos(turn)))
        _paint_nucleus(film, place, (1.7, 3.0), turn, look, rng)


def _paint_nucleus(
    film: Film,
    centre: Point,
    halves_um: tuple[float, float],
    turn: float,
    look: Look,
    rng: np.random.Generator,
) -> None:
    """An oval of half width and half length `halves_um`, its long axis turned by `turn`."""
    found = film.around(centre, halves_um[1] * 1.4)
    if found is None:
        return
    span, y, x = found
    along = x * np.float32(np.cos(turn)) + y * np.float32(np.sin(turn))
    across = y * np.float32(np.cos(turn)) - x * np.float32(np.sin(turn))
    half = halves_um[0] * float(rng.lognormal(0, 0.1))
    pressed = along * np.float32(halves_um[0] / halves_um[1])
    depth = star(across, pressed, half, waves(rng, 2, 4, 0.06))
    texture = 0.85 + 0.15 * grain(y.shape, 0.4 * film.px_per_um, rng)
    texture += 0.2 * np.exp(-((depth / np.float32(0.3)) ** 2))
    share = coverage(depth, 0.3)[..., None]
    strength = np.float32(rng.lognormal(-0.1, 0.2))
    stain = (texture * strength)[..., None] * np.array(look.nucleus, np.float32)
    film.density[span] = film.density[span] * (1 - 0.7 * share) + share * stain
