"""Hypothesis strategies for what many rooms take."""

import numpy as np
from hypothesis import strategies as st

from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.recipe import CHOICES, Recipe


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any recipe that is allowed, small enough to be quick."""
    chosen = {name: draw(st.sampled_from(allowed)) for name, allowed in CHOICES.items()}
    finds_cells = chosen["segmentation"] != "none"
    return Recipe(
        **chosen,
        side_px=draw(st.integers(32, 64)),
        window=draw(st.floats(0.1, 1)),
        crop_margin=draw(st.none() | st.floats(0, 2)) if finds_cells else None,
        blank_background=draw(st.booleans()) if finds_cells else False,
    )


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """A drawn picture of 16 to 48 px a side: noise, a blob that may stand for a cell, or even."""
    rows, columns = draw(st.integers(16, 48)), draw(st.integers(16, 48))
    kind = draw(st.sampled_from(("noise", "blob", "even")))
    generator = np.random.default_rng(draw(st.integers(0, 1_000)))
    pixels = np.full((rows, columns, 3), (235, 215, 225), np.uint8)
    if kind == "noise":
        pixels = generator.integers(0, 256, pixels.shape, dtype=np.uint8)
    elif kind == "blob":
        row, column = generator.integers(0, rows), generator.integers(0, columns)
        away = np.hypot(*np.ogrid[-row : rows - row, -column : columns - column])
        pixels[away < min(rows, columns) / 3] = (90, 50, 140)
    return Picture(pixels=pixels, name=f"{kind}.png")
