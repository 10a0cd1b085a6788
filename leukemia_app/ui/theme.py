"""Sizes and fonts of the page, and its colours as one style, for light and dark."""

from importlib.resources import files

import gradio as gr

from leukemia_app.evaluation.colours import CLASS_COLOURS as CLASS_COLOURS
from leukemia_app.evaluation.colours import DARK as DARK
from leukemia_app.evaluation.colours import LIGHT as LIGHT
from leukemia_app.evaluation.colours import class_colour as class_colour
from leukemia_app.evaluation.colours import variables
from leukemia_app.evaluation.compare_report import compare_script, compare_style
from leukemia_app.evaluation.run_report import fragment_style

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
STYLES = (
    "page.css",
    "train.css",
    "settings.css",
    "compare.css",
    "review.css",
    "models.css",
    "import.css",
    "beside.css",
)
SCRIPTS = (
    "page.js",
    "train.js",
    "settings.js",
    "compare.js",
    "review.js",
    "import.js",
    "models.js",
    "beside.js",
)
"""In the order in which they stand in the page's head."""
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


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


def style_sheet() -> str:
    """The page's CSS: the colours of both modes as variables, then the rules."""
    rules = "".join(map(_asset, STYLES)) + fragment_style() + compare_style()
    return f":root {{{variables(LIGHT)}}} .dark {{{variables(DARK)}}}\n{rules}"


def head() -> str:
    """What the page's head needs: its style and script, inline, so that nothing is fetched."""
    script = "".join(map(_asset, SCRIPTS)) + compare_script()
    return f"<style>{style_sheet()}</style><script>{script}</script>"


def _asset(name: str) -> str:
    return files("leukemia_app.ui").joinpath("assets", name).read_text(encoding="utf-8")
