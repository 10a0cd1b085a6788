"""Draws what the desk found: the open picture's two panes, and its files to keep."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from leukemia_app.bundles.spec import Spec
from leukemia_app.evaluation.illustrate import illustrate
from leukemia_app.evaluation.report import Illustrated, html_report
from leukemia_app.evaluation.results import results_csv, results_json
from leukemia_app.imaging.decode import encode_png
from leukemia_app.imaging.layers import contours, heat_layer
from leukemia_app.imaging.morphology import describe
from leukemia_app.imaging.overlay import heat_overlay, outline, thumbnail
from leukemia_app.imaging.picture import UInt8Array
from leukemia_app.ui import text
from leukemia_app.ui.answer import Shown, Suggestion, answer
from leukemia_app.ui.components import picture_uri
from leukemia_app.ui.desk import Mismatch, Opened
from leukemia_app.ui.session import Session
from leukemia_app.ui.viewer import MapView, PictureView, viewer

VIEW_PX = 720
STAGE_PX = 192


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A file made for the visitor, to be handed to the browser; nothing lies on disk."""

    name: str
    type: str
    content: bytes

    def to_dict(self) -> dict[str, str]:
        """As the page's script takes it."""
        encoded = base64.b64encode(self.content).decode()
        return {"name": self.name, "type": self.type, "base64": encoded}


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How the picture is to be drawn into a PNG, as the visitor sees it."""

    strength: float
    """How much of the map covers the picture, 0 to 1."""
    outlined: bool


def draw_view(opened: Opened, spec: Spec) -> str:
    """The left pane."""
    examined = opened.examination
    rows, columns = opened.picture.pixels.shape[:2]
    shown = None
    if examined.explanation is not None:
        shown = MapView(
            uri=picture_uri(heat_layer(examined.explanation.heat)),
            label=examined.explanation.label,
            share_inside_cells=examined.explanation.share_inside_cells,
        )
    return viewer(
        PictureView(
            name=opened.picture.name,
            uri=picture_uri(thumbnail(opened.picture.pixels, VIEW_PX)),
            rows=rows,
            columns=columns,
            contours=contours(examined.segmentation),
            map=shown,
            labels=spec.label_names,
        )
    )


def draw_answer(
    opened: Opened, spec: Spec, session: Session, mismatch: Mismatch | None = None
) -> str:
    """The right pane; where the picture does not fit the model, another one is offered."""
    suggestion = None
    if mismatch is not None:
        suggestion = Suggestion(why=text.wrong_kind(mismatch.expects), model=mismatch.suited)
    stages = tuple(
        (stage.name, picture_uri(thumbnail(stage.pixels, STAGE_PX)))
        for stage in opened.examination.prepared.stages
    )
    shown = Shown(phrases=phrases(opened), stages=stages, suggestion=suggestion, note=session.note)
    return answer(opened.examination.reading, spec, shown)


def phrases(opened: Opened) -> tuple[str, ...]:
    """The main cell in a haematologist's words; nothing where no cell was found."""
    main = opened.examination.segmentation.main
    measured = (cell for cell in opened.examination.measures if cell.number == main)
    return next((describe(cell) for cell in measured), ())


def save(
    kind: str, session: Session, opened: Opened | None, spec: Spec, drawing: Drawing
) -> Saved | None:
    """The file of this kind (`json`, `csv`, `png`, `html`); None where there is nothing to keep."""
    results = [case.result for case in session.cases]
    name = _file_name(session)
    if kind == "json":
        made = results_json(results).encode()
        return Saved(name=f"{name}.json", type="application/json", content=made)
    if kind == "csv":
        # the mark tells spreadsheets that the text is UTF-8
        made = results_csv(results, spec.label_names).encode("utf-8-sig")
        return Saved(name=f"{name}.csv", type="text/csv", content=made)
    if kind == "png" and opened is not None:
        made = encode_png(drawn(opened, opened.picture.pixels, drawing))
        stem = _stem(opened.picture.name)
        return Saved(name=f"{stem}.png", type="image/png", content=made)
    if kind == "html":
        made = _report(session, opened, spec).encode()
        return Saved(name=f"{name}.html", type="text/html", content=made)
    return None


def drawn(opened: Opened, pixels: UInt8Array, drawing: Drawing) -> UInt8Array:
    """The picture under its map and outlines, at the size of `pixels`."""
    examined = opened.examination
    if examined.explanation is not None and drawing.strength > 0:
        pixels = heat_overlay(pixels, examined.explanation.heat, drawing.strength)
    if drawing.outlined and examined.segmentation.count:
        pixels = outline(pixels, examined.segmentation)
    return pixels


def _report(session: Session, opened: Opened | None, spec: Spec) -> str:
    made_at = datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z")
    shown = _illustrated(session, opened)
    return html_report(shown, spec, made_at=made_at, one_smear=session.one_smear)


def _illustrated(session: Session, opened: Opened | None) -> Sequence[Illustrated]:
    if len(session.cases) != 1 or opened is None:
        return [
            Illustrated(result=case.result, thumbnail=_png_of(case.thumbnail))
            for case in session.cases
        ]
    return [illustrate(opened.picture, opened.examination)]


def _png_of(uri: str) -> bytes | None:
    return base64.b64decode(uri.partition(",")[2]) if uri else None


def _file_name(session: Session) -> str:
    if len(session.cases) == 1:
        return _stem(session.cases[0].given.name)
    return f"{'smear-' if session.one_smear else ''}{len(session.cases)}-pictures"


def _stem(name: str) -> str:
    stem = name.rpartition(".")[0] or name
    return "".join(letter if letter.isalnum() or letter in "-_ " else "-" for letter in stem)[:80]
