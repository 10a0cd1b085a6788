"""The Compare tab: its parts, and what each request of the page does to them."""

import base64
import csv
import io
import json
import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import gradio as gr

from leukemia_app.errors import AppError, DatasetError, UnknownLabelsError
from leukemia_app.evaluation.compare import LEAST, answers_csv, figures_csv
from leukemia_app.evaluation.compare_report import compare_report
from leukemia_app.evaluation.label_map import sayable
from leukemia_app.evaluation.results import harmless
from leukemia_app.ui import beside_panes as panes
from leukemia_app.ui import beside_picker
from leukemia_app.ui import beside_text as text
from leukemia_app.ui import text as page_text
from leukemia_app.ui.answer import problem
from leukemia_app.ui.beside_desk import BesideDesk, Board, Scored, votes_csv_rows
from leukemia_app.ui.entrance import status
from leukemia_app.ui.examples import Shelf
from leukemia_app.ui.intake import pieces_of
from leukemia_app.ui.session import Given

CONCURRENCY = 2
"""Requests at the same time that read pictures."""
LONGEST_MAP = 2000

log = logging.getLogger(__name__)

Shown = dict[Any, Any]
"""New values by part, as Gradio takes them; parts left out stay."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tab's components."""

    board: gr.State
    hub: gr.HTML
    picker: gr.HTML
    said: gr.HTML
    strip: gr.HTML
    pane: gr.HTML
    saved: gr.JSON

    @property
    def outputs(self) -> list[Any]:
        """What an event may change."""
        return [self.board, self.picker, self.said, self.strip, self.pane, self.saved]


@dataclass(frozen=True, kw_only=True)
class BesideTab:
    """Events of the tab over a desk; keeps nothing of any visitor."""

    desk: BesideDesk
    shelf: Shelf
    uploads: Path
    """Folder into which Gradio puts uploads; files elsewhere are refused."""
    max_file_mb: float
    zip_mb: float

    def build(self) -> Parts:
        """Lay out the tab inside the Blocks at hand, and connect its events."""
        start = self.desk.start()
        board = gr.State(start, time_to_live=60 * self.desk.keep_minutes)
        hub = _part("", "b-hub", "window.smearBeside.connect(element, trigger, upload, "
                    "['ask', 'score', 'stop']);")  # fmt: skip
        picker = _part(self._picker(start), "b-picker", None)
        _part(beside_picker.drop(self.max_file_mb, self.zip_mb, self.desk.keep_minutes,
                         self.shelf.examples), "b-give", None)  # fmt: skip
        parts = Parts(
            board=board, hub=hub, picker=picker,
            said=_part(status(""), "b-status", None), strip=_part("", "b-pictures", None),
            pane=_part(panes.empty(), "b-pane", None), saved=gr.JSON(visible="hidden"),
        )  # fmt: skip
        common: dict[str, Any] = {
            "inputs": [board], "outputs": parts.outputs, "show_progress": "hidden",
            "api_visibility": "private",
        }  # fmt: skip
        done = "(file) => { window.smearBeside.answered(file); }"
        asked = hub.ask(
            self._guarded(self._answer, parts), trigger_mode="multiple",
            concurrency_limit=CONCURRENCY, concurrency_id="reading", **common,
        )  # fmt: skip
        asked.then(None, [parts.saved], None, js=done)
        # One at a time: a set of thousands must not take every core from those who read one.
        scoring = hub.score(self._guarded(self._score, parts), concurrency_limit=1,
                            concurrency_id="scoring", **common)  # fmt: skip
        scoring.then(None, [parts.saved], None, js=done)
        stopped = hub.stop(
            self.stopped, [board], [parts.pane, parts.said],
            cancels=[scoring], show_progress="hidden", queue=False, api_visibility="private",
        )  # fmt: skip
        stopped.then(None, None, None, js="() => { window.smearBeside.answered(null); }")
        return parts

    def stopped(self, board: Board | None) -> tuple[str, str]:
        """The pane and the status after a stop: what was scored before stands again."""
        board = board or self.desk.start()
        is_stale = board.scored is not None and _is_stale(board.scored, board)
        return panes.stopped(board, is_stale=is_stale), status("")

    def refreshed(self, parts: Parts, board: Board | None) -> Shown:
        """The models as they are now: what is new can be chosen without a restart."""
        before = board if board is not None and board.models else self.desk.start()
        board = self.desk.chosen(before, before.models, before.given_map, before.blind)
        shown: Shown = {parts.board: board, parts.picker: self._picker(board)}
        if board.models == before.models:
            return {**shown, parts.board: before}
        # One was deleted: its column must not stand there as if it could be asked again.
        if board.scored is not None:
            return shown | {parts.pane: self._scored_pane(board)}
        board = replace(board, tiles=())
        return shown | {parts.board: board, parts.pane: panes.empty(), parts.strip: ""}

    # ---- what is asked -------------------------------------------------------------------------

    def _answer(self, parts: Parts, board: Board, asked: gr.EventData) -> Iterator[Shown]:
        what = _words(asked, "what")
        value = _words(asked, "value")
        if what == "choose":
            models = getattr(asked, "models", None)
            named = [each for each in models if isinstance(each, str)] if isinstance(models, list) \
                else []  # fmt: skip
            board = self.desk.chosen(board, named, _words(asked, "map")[:LONGEST_MAP],
                                     getattr(asked, "blind", False) is True)  # fmt: skip
            if getattr(asked, "stated", False) is True and not board.given_map:
                yield {parts.picker: self._picker(board, text.MAP_EMPTY), parts.said: status("")}
            else:
                yield from self._arranged(parts, board)
        elif what == "give":
            yield from self._given(parts, board, asked)
        elif what == "example":
            chosen = self.shelf.find(value)
            if chosen is not None:
                given = Given(name=chosen.path.name, path=chosen.path, input=chosen.input)
                yield from self._read(parts, self.desk.shown(board, [given]))
        elif what == "pick":
            board = self.desk.opening(board, int(value) if value.isdecimal() else -1)
            yield {parts.board: board, parts.pane: self._pane(board), parts.said: status(""),
                   parts.strip: panes.strip(board)}  # fmt: skip
        elif what == "vote":
            board = self.desk.voted(board, value)
            yield {parts.board: board, parts.pane: self._pane(board), parts.said: status("")}
        elif what == "save":
            yield {parts.saved: _file(value, board), parts.said: status("")}

    def _arranged(self, parts: Parts, board: Board) -> Iterator[Shown]:
        """Other models, another map, or blind: the same pictures are read anew."""
        try:
            self.desk.labels(board)
        except AppError as error:
            yield {parts.picker: self._picker(board, str(error)), parts.said: status("")}
            return
        shown = {parts.board: board, parts.picker: self._picker(board), parts.said: status("")}
        if board.scored is not None:
            yield shown | {parts.pane: self._scored_pane(board)}
        elif board.tiles and len(board.models) >= LEAST:
            yield shown
            yield from self._read(parts, board)
        elif board.pieces and len(board.models) >= LEAST:
            yield shown | {parts.pane: panes.ready()}
        else:
            yield shown | {parts.pane: panes.empty(), parts.strip: ""}

    def _given(self, parts: Parts, board: Board, asked: gr.EventData) -> Iterator[Shown]:
        pieces = pieces_of(getattr(asked, "files", None), self.uploads)
        lost = getattr(asked, "lost", 0)
        if not pieces:
            raise DatasetError(page_text.not_sent() if lost else text.NOTHING)
        is_set = any("/" in piece.name for piece in pieces) or any(
            piece.name.lower().endswith(".zip") for piece in pieces
        )
        if is_set:
            board = replace(board, pieces=tuple(pieces), tiles=(), scored=None, strangers=(),
                            note="")  # fmt: skip
            yield {parts.board: board, parts.picker: self._picker(board), parts.strip: "",
                   parts.said: status("")}  # fmt: skip
            return
        given = [Given(name=Path(piece.name).name[:200], path=piece.path) for piece in pieces]
        yield from self._read(parts, self.desk.shown(board, given))

    def _read(self, parts: Parts, board: Board) -> Iterator[Shown]:
        """The open picture in columns, then every other one as a small one."""
        if len(board.models) < LEAST:
            raise AppError(text.TOO_FEW)
        yield {parts.said: status(text.READING.format(n=len(board.models)))}
        yield {parts.board: board, parts.picker: self._picker(board), parts.pane: self._pane(board),
               parts.strip: panes.strip(board), parts.said: status("")}  # fmt: skip
        if len(board.tiles) < 2:
            return
        for number, tiled in self.desk.tiled(board):
            board = tiled
            if number % 4 == 0 or number == len(board.tiles):
                is_last = number == len(board.tiles)
                said = "" if is_last else page_text.reading_progress(number, len(board.tiles), None)
                yield {parts.board: board, parts.strip: panes.strip(board),
                       parts.said: status(said)}  # fmt: skip

    def _score(self, parts: Parts, board: Board, asked: gr.EventData) -> Iterator[Shown]:
        """Score the models on the labelled set, telling how far it is."""
        if not board.pieces:
            raise DatasetError(text.LOST.format(minutes=self.desk.keep_minutes))
        if self.desk.labels(board) is None:
            raise DatasetError(text.MAP_FIRST)
        disturbed = getattr(asked, "disturbed", False) is True
        name = board.pieces[0].name.partition("/")[0]
        try:
            for step in self.desk.scoring(board, disturbed=disturbed):
                if isinstance(step, Scored):
                    strange = sayable(step.comparison.unmapped)
                    board = replace(board, scored=step, strangers=strange)
                    yield {parts.board: board, parts.pane: self._scored_pane(board),
                           parts.picker: self._picker(board), parts.said: status("")}  # fmt: skip
                else:
                    yield {parts.pane: panes.working(step, name, disturbed=disturbed),
                           parts.said: status("…")}  # fmt: skip
        except UnknownLabelsError as error:
            board = replace(board, strangers=sayable(error.labels))
            said = problem(page_text.STOPPED, f"{error} {text.WITHOUT_LABELS}")
            yield {parts.board: board, parts.picker: self._picker(board), parts.pane: said,
                   parts.said: status("")}  # fmt: skip
        except DatasetError as error:
            raise DatasetError(f"{error} {text.WITHOUT_LABELS}") from error

    # ---- what is shown -------------------------------------------------------------------------

    def _picker(self, board: Board, problem: str = "") -> str:
        return beside_picker.picker(
            self.desk.entries(), board, self.desk.suggestion(board), problem
        )

    def _pane(self, board: Board) -> str:
        if not board.tiles:
            return panes.empty()
        sizes = {entry.id: entry.size_bytes for entry in self.desk.entries()}
        return panes.columns(board, self.desk.seen(board), self.desk.specs(board.models), sizes)

    def _scored_pane(self, board: Board) -> str:
        assert board.scored is not None  # noqa: S101 asked for only then
        is_stale = _is_stale(board.scored, board)
        return panes.scored_pane(board.scored, board, is_stale=is_stale)

    def _guarded(
        self, step: Callable[[Parts, Board, gr.EventData], Iterator[Shown]], parts: Parts
    ) -> Callable[..., Iterator[Shown]]:
        """The event's handler: what goes wrong in it is said in the page, never thrown at it."""

        def handler(board: Board | None, asked: gr.EventData) -> Iterator[Shown]:
            board = board or self.desk.start()

            def failed(said: str) -> Shown:
                kept = "" if board.scored is None else self._scored_pane(board)
                return {parts.said: status(""),
                        parts.pane: problem(page_text.STOPPED, said) + kept}  # fmt: skip

            try:
                for shown in step(parts, board, asked):
                    yield {parts.saved: None} | shown
            except AppError as error:
                yield failed(str(error))
            except Exception:  # the last resort, so that no visitor sees a stack trace
                reference = secrets.token_hex(3)
                log.exception("unexpected error, reference %s", reference)
                yield failed(page_text.UNEXPECTED.format(reference=reference))

        return handler


def _is_stale(scored: Scored, board: Board) -> bool:
    """Whether other models, or another map, were chosen since."""
    found = scored.comparison
    stated = found.labels.in_words() if found.labels.is_stated else ""
    return (tuple(found.models), stated) != (board.models, board.given_map)


def _words(asked: gr.EventData, name: str) -> str:
    value = getattr(asked, name, None)
    return value if isinstance(value, str) else ""


def _file(kind: str, board: Board) -> dict[str, str] | None:
    """The file of this kind, as the page's script takes it; None where there is nothing to keep."""
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M")
    if kind == "votes" and board.votes:
        rows = io.StringIO()
        csv.writer(rows, lineterminator="\r\n").writerows(
            map(harmless, row) for row in votes_csv_rows(board.votes)
        )
        return _saved(f"votes-{stamp}.csv", "text/csv", rows.getvalue().encode("utf-8-sig"))
    if board.scored is None:
        return None
    found, name = board.scored.comparison, f"comparison-{stamp}"
    if kind == "json":
        text_json = json.dumps(found.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        return _saved(f"{name}.json", "application/json", text_json.encode())
    if kind in ("figures", "answers"):
        made = figures_csv(found) if kind == "figures" else answers_csv(found)
        return _saved(f"{name}-{kind}.csv", "text/csv", made.encode("utf-8-sig"))
    if kind == "html":
        made_at = datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z")
        scored = board.scored
        page = compare_report(found, scored.thumbnails, data=scored.name, made_at=made_at)
        return _saved(f"{name}.html", "text/html", page.encode())
    return None


def _saved(name: str, type: str, content: bytes) -> dict[str, str]:
    return {"name": name, "type": type, "base64": base64.b64encode(content).decode()}


def _part(value: str, name: str, script: str | None) -> gr.HTML:
    return gr.HTML(value, elem_id=name, js_on_load=script, apply_default_css=False, padding=False)
