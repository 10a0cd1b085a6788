"""Contrast of every pair of colours that meets on the page, and no address outside it."""

import re

import pytest

from leukemia_app.ui.theme import CLASS_COLOURS, DARK, LIGHT, class_colour, head, style_sheet

TEXT_PAIRS = [
    ("ink", "ground"), ("ink", "panel"), ("muted", "ground"), ("muted", "panel"),
    ("accent", "ground"), ("accent", "accent-soft"), ("accent-ink", "accent"),
    ("ink", "accent-soft"), ("refer", "refer-ground"), ("ink", "refer-ground"),
    ("refer", "ground"), ("error", "ground"), ("error", "error-ground"), ("ink", "error-ground"),
]  # fmt: skip
GRAPHIC_PAIRS = [
    ("edge", "ground"), ("edge", "panel"), ("bar", "ground"), ("bar", "track"),
    ("accent", "track"), ("refer-line", "refer-ground"), ("ink", "track"),
]  # fmt: skip


def luminance(colour: str) -> float:
    """Relative luminance; source: WCAG 2.2, definition of that name."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("mode", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT_PAIRS)
def test_text_has_contrast_enough(mode, front: str, back: str):
    assert contrast(mode[front], mode[back]) >= 4.5


@pytest.mark.parametrize("mode", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), GRAPHIC_PAIRS)
def test_graphics_have_contrast_enough(mode, front: str, back: str):
    assert contrast(mode[front], mode[back]) >= 3


def test_both_modes_name_the_same_colours():
    assert LIGHT.keys() == DARK.keys()


def test_every_colour_that_the_style_asks_for_is_defined():
    used = set(re.findall(r"var\(--s-([a-z-]+)", style_sheet()))
    assert used - set(LIGHT) <= {"strength", "view-height", "left", "right"}


def test_neighbouring_classes_differ_and_the_round_begins_again():
    assert len(set(CLASS_COLOURS)) == len(CLASS_COLOURS)
    assert class_colour(len(CLASS_COLOURS)) == class_colour(0)


def test_the_head_fetches_nothing():
    assert not re.search(r"https?://|@import|url\(|<link", head())


def test_the_page_s_own_scrollbar_follows_the_mode():
    # The class is on the body, and the root draws the scrollbar.
    assert ":root { color-scheme: light; }" in style_sheet()
    assert ".dark, :root:has(> .dark) { color-scheme: dark; }" in style_sheet()
