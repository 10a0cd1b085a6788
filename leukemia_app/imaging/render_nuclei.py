"""Outlines of nuclei: round, dented, bent or lobed, as depths in micrometres."""

import numpy as np

from leukemia_app.imaging.picture import FloatArray
from leukemia_app.imaging.render_forms import Form
from leukemia_app.imaging.render_shapes import capsule, cut, join, star, waves

NOWHERE_UM = np.float32(-1e3)
"""Depth of a nucleus that is not there."""


def nucleus_depth(
    y: FloatArray, x: FloatArray, form: Form, radius_um: float, rng: np.random.Generator
) -> FloatArray:
    """How deep each point lies in the nucleus of a cell of that radius round the origin."""
    if form.nucleus == "none":
        return np.full_like(y, NOWHERE_UM)
    turn = float(rng.uniform(0, 2 * np.pi))
    outline = {"lobes": _lobes, "kidney": _kidney}.get(form.nucleus, _oval)
    return outline(y, x, form, radius_um, turn, rng)


def _oval(
    y: FloatArray, x: FloatArray, form: Form, radius: float, turn: float, rng: np.random.Generator
) -> FloatArray:
    """A round body off the middle; an indented one has a dent half of the time."""
    own = radius * float(np.sqrt(form.nc * rng.uniform(0.94, 1.04)))
    off = (radius - own) * float(rng.uniform(0.3, 0.9))
    y = y - np.float32(off * np.sin(turn))
    x = x - np.float32(off * np.cos(turn))
    depth = star(y, x, own, waves(rng, 2, 5, form.wobble))
    if form.nucleus == "indented" and rng.random() < 0.5:
        # The dent faces the wider part of the cytoplasm, where the Golgi zone lies.
        side = turn + np.pi + float(rng.normal(0, 0.4))
        away = own * float(rng.uniform(1.0, 1.25))
        middle_y, middle_x = np.float32(away * np.sin(side)), np.float32(away * np.cos(side))
        dent = star(y - middle_y, x - middle_x, own * 0.35, waves(rng, 2, 3, 0.15))
        depth = cut(depth, dent, 0.25 * own)
    return depth


def _kidney(
    y: FloatArray, x: FloatArray, form: Form, radius: float, turn: float, rng: np.random.Generator
) -> FloatArray:
    """A bent, lobulated band: round bodies along an arc, melted together."""
    half = radius * float(np.sqrt(form.nc)) * float(rng.uniform(0.56, 0.66))
    ring = 0.80 * radius - half
    spread = float(rng.uniform(1.7, 3.3))
    depth = np.full_like(y, NOWHERE_UM)
    for angle in turn + spread * np.array([-0.5, -0.17, 0.17, 0.5]):
        size = half * float(rng.uniform(0.88, 1.1))
        middle_y, middle_x = np.float32(ring * np.sin(angle)), np.float32(ring * np.cos(angle))
        body = star(y - middle_y, x - middle_x, size, waves(rng, 2, 5, form.wobble))
        depth = join(depth, body, 0.25 * half)
    return depth


def _lobes(
    y: FloatArray, x: FloatArray, form: Form, radius: float, turn: float, rng: np.random.Generator
) -> FloatArray:
    """Lobes on an arc round the middle of the cell, joined by filaments."""
    count = int(rng.integers(form.lobes[0], form.lobes[1] + 1))
    own = radius * float(np.sqrt(form.nc / count))
    ring = (0.91 * radius - own) * float(rng.uniform(0.8, 1.0))
    step = 2.25 * own / max(ring, own)
    depth = np.full_like(y, NOWHERE_UM)
    last: tuple[float, float] | None = None
    for index in range(count):
        angle = turn + step * (index - (count - 1) / 2) + float(rng.normal(0, 0.08))
        out = ring * float(rng.uniform(0.85, 1.05))
        middle = (out * float(np.sin(angle)), out * float(np.cos(angle)))
        oval = (2, float(rng.uniform(0.05, 0.2)), float(rng.uniform(0, 2 * np.pi)))
        size = own * float(rng.uniform(0.8, 1.15))
        terms = (oval, *waves(rng, 3, 5, 0.06))
        depth = join(depth, star(y - middle[0], x - middle[1], size, terms), 0.5)
        if last is not None:
            thread = capsule(y, x, (last, middle), float(rng.uniform(0.25, 0.6)))
            depth = join(depth, thread, 0.4)
        last = middle
    return depth
