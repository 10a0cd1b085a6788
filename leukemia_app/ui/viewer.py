"""The left pane: the picture under its map and outlines, and what moves them."""

from collections.abc import Sequence
from dataclasses import dataclass

from leukemia_app.evaluation import words
from leukemia_app.imaging.layers import Contours, Line
from leukemia_app.ui import text
from leukemia_app.ui.components import safe


@dataclass(frozen=True, kw_only=True)
class MapView:
    """A Grad-CAM map to be laid over the picture."""

    uri: str
    label: str
    share_inside_cells: float | None
    """Part of the map's heat inside the cells, 0 to 1; None where no cell was found."""


@dataclass(frozen=True, kw_only=True)
class PictureView:
    """One opened picture with everything that is drawn over and under it."""

    name: str
    uri: str
    rows: int
    columns: int
    contours: Contours
    map: MapView | None
    labels: Sequence[str]


def viewer(view: PictureView) -> str:
    """The picture and its controls."""
    n_cells = view.contours.count
    found = "1 white cell" if n_cells == 1 else f"{n_cells} white cells"
    told = safe(f"{view.name}, {found} outlined")
    layers = f'<img class="s-base" draggable="false" src="{view.uri}" alt="{told}">'
    if view.map is not None:
        layers += f'<img class="s-heat" draggable="false" src="{view.map.uri}" alt="">'
    ratio = f"--ratio:{view.columns / view.rows:.4f}"
    return (
        f'<div class="s-view"><div class="s-frame" style="{ratio}">{layers}'
        f"{outlines(view.contours)}</div>"
        f"{_controls(view)}{_map_words(view)}</div>"
    )


def outlines(found: Contours) -> str:
    """Cells as solid and nuclei as dashed lines, over a light edge that shows on any stain."""
    if not found.count:
        return ""
    main, others, nuclei = _path(found.main), _path(found.others), _path(found.nuclei)
    drawn = "".join(
        f'<path class="s-{name}" d="{path}"/>'
        for name, path in (
            ("halo", others + main), ("other", others), ("main", main), ("nucleus", nuclei)
        )
        if path
    )  # fmt: skip
    return (
        f'<svg class="s-outline" viewBox="0 0 {found.columns} {found.rows}" '
        f'preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
    )


def _path(lines: Sequence[Line]) -> str:
    """The lines as one SVG path."""
    return "".join(
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line.tolist()) + "Z" for line in lines
    )


def _controls(view: PictureView) -> str:
    outline = (
        f'<label class="s-check" title="{safe(text.OUTLINE_KEY)}">'
        f'<input type="checkbox" data-outline checked> {safe(text.OUTLINE)}</label>'
        if view.contours.count
        else ""
    )
    if view.map is None:
        return f'<div class="s-controls">{outline}</div>'
    slider = (
        f'<div class="s-slider"><span>{safe(text.PICTURE_END)}</span>'
        f'<input type="range" min="0" max="100" step="5" value="0" data-strength '
        f'aria-label="{safe(text.MAP_STRENGTH)}"><span>{safe(text.MAP_END)}</span></div>'
    )
    radios = "".join(
        f'<label><input type="radio" name="s-map" data-ask="explain" value="{safe(label)}" '
        f'data-wait="{safe(text.MAPPING)}"{" checked" if label == view.map.label else ""}> '
        f"{safe(label)}</label>"
        for label in view.labels
    )
    return (
        f'<div class="s-controls">{slider}{outline}</div>'
        f'<fieldset class="s-radios"><legend>{safe(text.MAP_FOR)}</legend>{radios}</fieldset>'
    )


def _map_words(view: PictureView) -> str:
    if view.map is None:
        said = words.NO_MAP
    elif view.map.share_inside_cells is not None:
        said = text.map_share(view.map.share_inside_cells)
    elif view.contours.count:
        said = text.EMPTY_MAP
    else:
        said = f"{text.NO_CELLS} {words.MAP_HINT}"
    return f'<p class="s-hint">{safe(said)}</p>'
