"""The colours of the page and of reports, for light and dark."""

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "ground": "#ffffff",
    "panel": "#f5f7f9",
    "line": "#d5dbe2",
    "edge": "#7d8896",
    "ink": "#1b2430",
    "muted": "#4f5b6a",
    "accent": "#5b4b9a",
    "accent-ink": "#ffffff",
    "accent-soft": "#efecf8",
    "bar": "#7a8698",
    "track": "#e9edf1",
    "refer": "#7a4a00",
    "refer-line": "#b87800",
    "refer-ground": "#fff5df",
    "error": "#a01d17",
    "error-ground": "#fdeeed",
}
DARK: Mapping[str, str] = {
    "ground": "#11161d",
    "panel": "#19212b",
    "line": "#2e3946",
    "edge": "#76828f",
    "ink": "#e6ebf1",
    "muted": "#a9b4c1",
    "accent": "#b4a7f0",
    "accent-ink": "#17122b",
    "accent-soft": "#292442",
    "bar": "#808d9d",
    "track": "#242e39",
    "refer": "#f2bd58",
    "refer-line": "#d79a2b",
    "refer-ground": "#302712",
    "error": "#ff9f97",
    "error-ground": "#361b1b",
}
CLASS_COLOURS = ("#0072B2", "#E69F00", "#56B4E9", "#D55E00", "#CC79A7", "#F0E442", "#009E73",
                 "#999999")  # fmt: skip
"""Okabe & Ito (2008), ordered so that neighbours differ most; grey closes the round."""


def class_colour(index: int) -> str:
    """The colour of the class at this place of the bundle's order."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def variables(colours: Mapping[str, str]) -> str:
    """The colours as CSS variables: `--s-ink: #1b2430;` and the others."""
    return "".join(f"--s-{name}: {value};" for name, value in colours.items())
