"""Colours, sizes and fonts of the page, for light and dark."""

from collections.abc import Mapping
from importlib.resources import files

import gradio as gr

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

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


def smear_theme() -> gr.themes.Base:
    """System fonts and slate greys for Gradio's own parts; nothing is fetched from elsewhere."""
    theme = gr.themes.Base(
        primary_hue="violet", secondary_hue="slate", neutral_hue="slate",
        font=FONT, font_mono=MONO, text_size="md", radius_size="sm", spacing_size="sm",
    )  # fmt: skip
    return theme.set(
        body_background_fill=LIGHT["ground"], body_background_fill_dark=DARK["ground"],
        body_text_color=LIGHT["ink"], body_text_color_dark=DARK["ink"],
        body_text_color_subdued=LIGHT["muted"], body_text_color_subdued_dark=DARK["muted"],
        background_fill_primary=LIGHT["ground"], background_fill_primary_dark=DARK["ground"],
        border_color_primary=LIGHT["line"], border_color_primary_dark=DARK["line"],
        color_accent=LIGHT["accent"], block_border_width="0px", block_padding="0px",
        block_background_fill="transparent", block_background_fill_dark="transparent",
        block_shadow="none", layout_gap="12px",
    )  # fmt: skip


def class_colour(index: int) -> str:
    """The colour of the class at this place of the bundle's order."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def style_sheet() -> str:
    """The page's CSS: the colours of both modes as variables, then the rules."""
    light = "".join(f"--s-{name}: {value};" for name, value in LIGHT.items())
    dark = "".join(f"--s-{name}: {value};" for name, value in DARK.items())
    return f":root {{{light}}} .dark {{{dark}}}\n{_asset('page.css')}"


def head() -> str:
    """What the page's head needs: its style and script, inline, so that nothing is fetched."""
    return f"<style>{style_sheet()}</style><script>{_asset('page.js')}</script>"


def _asset(name: str) -> str:
    return files("leukemia_app.ui").joinpath("assets", name).read_text(encoding="utf-8")
