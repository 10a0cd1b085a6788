"""The Train tab: its parts, and what each request of the page does to them."""

import base64
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from leukemia_app.bundles.pack import pack
from leukemia_app.bundles.store import read_spec
from leukemia_app.data.layouts import discover
from leukemia_app.errors import AppError, DatasetError, RunError
from leukemia_app.evaluation.health_report import health_report
from leukemia_app.evaluation.words import headline
from leukemia_app.training.data_folder import MANIFEST
from leukemia_app.training.job_folder import ENDED
from leukemia_app.training.results import epochs_of
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.runs import read_on
from leukemia_app.ui import text as page_text
from leukemia_app.ui import train_text as text
from leukemia_app.ui.asked import Asked, asked_of
from leukemia_app.ui.bench import Bench, Plan
from leukemia_app.ui.compare_pane import compare_button, compared, remaining
from leukemia_app.ui.components import safe
from leukemia_app.ui.data_sets import DataView
from leukemia_app.ui.intake import pieces_of, refuse_unsent
from leukemia_app.ui.review import ASKS, reviewed
from leukemia_app.ui.run_panes import in_scheme, report_pane, run_pane, side
from leukemia_app.ui.seen import seen_by
from leukemia_app.ui.settings_form import form_of, wish_of
from leukemia_app.ui.settings_names import in_form_words
from leukemia_app.ui.train_panes import data_step, drop_step, model_step, split_step, step

CONCURRENCY = 8
"""Requests at the same time: they read files, and wait for other processes."""
NOT_SENT: Mapping[str, str] = {"too_large": "files over the largest size",
                               "lost": "files that did not reach the server"}  # fmt: skip
"""Files that the page's script reports and does not send, by what it calls them."""
REPORT_FILE = "report/report.html"

log = logging.getLogger(__name__)

Shown = dict[Any, Any]
"""New values by part, as Gradio takes them; parts left out stay."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tab's components."""

    hub: gr.HTML
    pictures: gr.HTML
    split: gr.HTML
    model: gr.HTML
    run: gr.HTML
    report: gr.HTML
    review: gr.HTML
    side: gr.HTML
    said: gr.HTML
    saved: gr.JSON

    @property
    def outputs(self) -> list[Any]:
        """What an event may change."""
        return [self.pictures, self.split, self.model, self.run, self.report, self.review,
                self.side, self.said, self.saved]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrainTab:
    """Events of the tab over a bench; keeps nothing of any visitor."""

    bench: Bench
    uploads: Path
    """Folder into which Gradio puts uploads; files elsewhere are refused."""
    max_file_mb: float
    listens_on: str = ""
    """Address that the server listens on; without one it is taken for one that others reach."""

    def build(self) -> Parts:
        """Lay out the tab inside the Blocks at hand, and connect its events."""
        hub = _part("", "t-hub", "window.smearTrain.connect(element, trigger, upload, ['ask']);")
        if not self.bench.can_train:
            off = _part(f'<p class="s-lead">{safe(text.OFF)}</p>', "t-off", None)
            return Parts(hub=hub, pictures=off, split=off, model=off, run=off, report=off,
                         review=off, side=off, said=off,
                         saved=gr.JSON(visible="hidden"))  # fmt: skip
        with gr.Row(elem_id="t-panes"):
            with gr.Column(elem_id="t-main", min_width=0):
                said = _part("", "t-said", None)
                pictures = _part(self._drop(), "t-pictures", None)
                split = _part(step(2, text.SPLIT, "", is_open=False), "t-split", None)
                model = _part(step(3, text.MODEL, "", is_open=False), "t-model", None)
                run = _part(self._no_run(), "t-run", None)
                report = _part("", "t-report", None)
                review = _part("", "t-review", None)
            with gr.Column(elem_id="t-aside", min_width=0):
                aside = _part("", "t-side", None)
        parts = Parts(
            hub=hub,
            pictures=pictures,
            split=split,
            model=model,
            run=run,
            report=report,
            review=review,
            side=aside,
            said=said,
            saved=gr.JSON(visible="hidden"),
        )
        event = hub.ask(
            self._guarded(parts), outputs=parts.outputs, show_progress="hidden",
            trigger_mode="multiple", concurrency_limit=CONCURRENCY, concurrency_id="training",
            api_visibility="private",
        )  # fmt: skip
        event.then(None, [parts.saved], None, js="(file) => { window.smearTrain.answered(file); }")
        return parts

    def _answer(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        steps: Mapping[str, Callable[[Parts, Asked], Iterator[Shown]]] = {
            "open": self._open, "open-data": self._open_data, "open-run": self._open_run,
            "new-data": self._new_data, "give": self._give, "again": self._again,
            "choice": self._again, "forget": self._forget, "leak": self._leak, "plan": self._plan,
            "measure": self._plan, "begin": self._begin, "act": self._act, "tick": self._tick,
            "report": self._save_report, "bundle": self._save_bundle,
            "compare": self._compare, "compare-remove": self._compare,
            **dict.fromkeys(ASKS, self._review),
        }  # fmt: skip
        if asked.what in steps:
            yield {parts.said: "", parts.saved: None} | _merged(steps[asked.what](parts, asked))

    # ---- what the page shows -----------------------------------------------------------------

    def _open(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        """Where the visitor left: the data set and the run that were open, if they are there."""
        yield self._data(parts, asked) | self._run(parts, asked) | self._aside(parts, asked)

    def _open_data(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        asked = replace(asked, data=asked.value)
        yield self._data(parts, asked) | self._aside(parts, asked)

    def _open_run(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        # Models lists those of all: a run that is somebody else's is not left unsaid.
        self.bench.run_folder(asked.owner, asked.value)
        asked = replace(asked, run=asked.value)
        yield self._run(parts, asked) | self._aside(parts, asked)

    def _new_data(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        asked = replace(asked, data="")
        yield self._data(parts, asked) | self._aside(parts, asked)

    def _tick(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        """What moves by itself; forms that somebody may be filling in stay as they are."""
        shown = self._aside(parts, asked)
        if asked.run:
            shown |= self._run(parts, asked)
        if asked.data and "checking" in asked.seen:
            view = self.bench.data.view(asked.owner, asked.data)
            if view.state in ENDED:
                shown |= self._data(parts, asked)
            elif view.health is None:
                shown[parts.pictures] = self._pictures(asked, view)
            else:
                # The leak is being measured: what the check found stays as it is.
                shown[parts.split] = split_step(view)
        yield shown

    def _data(self, parts: Parts, asked: Asked) -> Shown:
        view = self._view(asked)
        if view is None:
            return {
                parts.pictures: self._drop(),
                parts.split: step(2, text.SPLIT, "", is_open=False),
                parts.model: step(3, text.MODEL, "", is_open=False),
            }
        return {parts.pictures: self._pictures(asked, view), parts.split: split_step(view),
                parts.model: self._model(asked, view, measure=False)}  # fmt: skip

    def _view(self, asked: Asked) -> DataView | None:
        try:
            return self.bench.data.view(asked.owner, asked.data) if asked.data else None
        except DatasetError:
            return None

    def _pictures(self, asked: Asked, view: DataView) -> str:
        page, choices = "", tuple[str, ...]()
        if view.health is not None:
            thumbs = {file: (view.home / place).read_bytes()
                      for file, place in view.health["thumbs"].items()}  # fmt: skip
            made = time.strftime(
                "%Y-%m-%d %H:%M", time.localtime((view.home / MANIFEST).stat().st_mtime)
            )
            page = health_report(view.health, thumbs, made_at=made, leak=view.leak)
            page = in_scheme(page, asked.fields.get("scheme"))
        elif view.state == "failed":
            choices = self._choices(view)
        return data_step(view, page, choices)

    def _choices(self, view: DataView) -> tuple[str, ...]:
        try:
            return discover(view.home / view.source.pictures).choices
        except DatasetError:
            return ()

    def _model(self, asked: Asked, view: DataView, *, measure: bool) -> str:
        wish = wish_of(self.bench, asked.fields)
        plan: Plan | None = None
        problem = ""
        starts = self.bench.starts(wish.backbone)
        if view.health is not None:
            try:
                plan = self.bench.plan(asked.owner, view.id, wish, measure=measure)
            except AppError as error:
                problem = str(error)
        form = form_of(self.bench, asked.owner, view, wish, asked.fields.get("folds"))
        return model_step(view, wish, starts, plan, problem, form)

    def _run(self, parts: Parts, asked: Asked) -> Shown:
        try:
            view = self.bench.run(asked.owner, asked.run) if asked.run else None
        except AppError:
            view = None
        if view is None:
            return {parts.run: self._no_run(), parts.report: "", parts.review: ""}
        folder = self.bench.run_folder(asked.owner, asked.run)
        epochs = epochs_of(read_on(folder).events)
        figure = _main_figure(folder) if view.line.has_bundle and not view.line.place else ""
        shown: Shown = {parts.run: step(4, text.RUN, run_pane(view, epochs, figure))}
        report = folder.path / REPORT_FILE
        if report.exists() and view.line.state in ENDED:
            if f"report:{asked.run}" not in asked.seen:
                page = in_scheme(report.read_text(encoding="utf-8"), asked.fields.get("scheme"))
                shown[parts.report] = report_pane(page)
                shown[parts.review] = reviewed(self.bench, asked.owner, asked.run).pane
        else:
            shown |= {parts.report: "", parts.review: ""}
        return shown

    def _drop(self) -> str:
        return drop_step(self.max_file_mb, self.bench.settings.zip_mb)

    def _no_run(self) -> str:
        return step(4, text.RUN, f'<p class="s-hint">{safe(text.NO_RUN)}</p>', is_open=False)

    def _aside(self, parts: Parts, asked: Asked) -> Shown:
        lines, sets = self.bench.list_runs(asked.owner), self.bench.data.listed(asked.owner)
        # What is gone, or somebody else's, is open no more.
        data = asked.data if asked.data in {view.id for view in sets} else None
        run = asked.run if asked.run in {line.id for line in lines} else None
        return {parts.side: side(lines, sets, data, run, compare_button(len(lines)))}

    # ---- what the page asks for --------------------------------------------------------------

    def _give(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        pieces = pieces_of(asked.files, self.uploads)
        unsent = {
            name: n for name in NOT_SENT if isinstance(n := asked.fields.get(name), int) and n > 0
        }
        refuse_unsent(pieces, unsent.get("too_large", 0), unsent.get("lost", 0), self.max_file_mb,
                      self.bench.settings.zip_mb)  # fmt: skip
        taken = self.bench.data.take_in(
            asked.owner, pieces, asked.value,
            not_sent={NOT_SENT[name]: n for name, n in unsent.items()},
        )  # fmt: skip
        asked = replace(asked, data=taken)
        yield self._data(parts, asked) | self._aside(parts, asked)

    def _again(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        changes: dict[str, Any] = {}
        if asked.what == "choice":
            changes["choice"] = asked.value
        aliases = asked.fields.get("aliases")
        if isinstance(aliases, dict):
            changes["aliases"] = {str(raw): str(label) for raw, label in aliases.items()}
        if "pattern" in asked.fields:
            changes["pattern"] = str(asked.fields["pattern"]) or None
        seed = str(asked.fields.get("seed", ""))
        if seed.isdecimal():
            changes["seed"] = int(seed[:9])
        self.bench.data.check_again(asked.owner, asked.data, **changes)
        yield self._data(parts, asked) | self._aside(parts, asked)

    def _forget(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        self.bench.data.forget(asked.owner, asked.data)
        asked = replace(asked, data="")
        yield self._data(parts, asked) | self._aside(parts, asked)

    def _leak(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        self.bench.measure_leak(asked.owner, asked.data, str(asked.fields.get("start") or ""))
        yield self._data(parts, asked)

    def _plan(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        view = self.bench.data.view(asked.owner, asked.data)
        yield {parts.model: self._model(asked, view, measure=asked.what == "measure")}

    def _begin(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        run = self.bench.begin(asked.owner, asked.data, wish_of(self.bench, asked.fields))
        asked = replace(asked, run=run)
        yield self._run(parts, asked) | self._aside(parts, asked)

    def _act(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        self.bench.act(asked.owner, asked.run, asked.value)
        if asked.value == "remove":
            asked = replace(asked, run="")
        yield self._run(parts, asked) | self._aside(parts, asked)

    def _review(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        done = reviewed(self.bench, asked.owner, asked.run, asked.what, asked.value)
        if done.run:
            asked = replace(asked, run=done.run)
            yield self._run(parts, asked) | self._aside(parts, asked)
        elif done.table:
            yield {parts.saved: _file(f"{asked.run}.csv", "text/csv", done.table)}
        else:
            yield {parts.review: done.pane}

    def _compare(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        """Several runs in the place of the one that is open."""
        names = remaining(asked.fields, asked.value)
        if asked.what == "compare-remove":
            self.bench.act(asked.owner, asked.value, "remove")
        shown = self._no_run()
        if asked.what == "compare" or len(names) > 1:
            shown = step(4, text.COMPARED, compared(self.bench, asked.owner, names))
        asked = replace(asked, run="")
        yield self._aside(parts, asked) | {
            parts.run: shown, parts.report: "", parts.review: "",
        }  # fmt: skip

    def _save_report(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        path = self.bench.run_folder(asked.owner, asked.run).path / REPORT_FILE
        if not path.is_file():
            raise RunError(f"{asked.run} has no report yet; wait until it is done.")
        yield {parts.saved: _file(f"{asked.run}.html", "text/html", path.read_bytes())}

    def _save_bundle(self, parts: Parts, asked: Asked) -> Iterator[Shown]:
        folder = self.bench.run_folder(asked.owner, asked.run)
        made = pack(folder.path / "bundle")
        yield {parts.saved: _file(f"{asked.run}.zip", "application/zip", made)}

    # ---- the way in --------------------------------------------------------------------------

    def _guarded(self, parts: Parts) -> Callable[..., Iterator[Shown]]:
        """The event's handler: what goes wrong in it is said in the page, never thrown at it."""

        def handler(request: gr.Request, given: gr.EventData) -> Iterator[Shown]:
            try:
                tab = replace(self, bench=seen_by(self.bench, request, self.listens_on))
                yield from tab._answer(parts, asked_of(given, request.username))
            except AppError as error:
                yield {parts.said: _problem(in_form_words(str(error))), parts.saved: None}
            except Exception:  # the last resort, so that no visitor sees a stack trace
                reference = secrets.token_hex(3)
                log.exception("unexpected error, reference %s", reference)
                said = page_text.UNEXPECTED.format(reference=reference)
                yield {parts.said: _problem(said), parts.saved: None}

        return handler


def _merged(answers: Iterator[Shown]) -> Shown:
    return {part: value for answer in answers for part, value in answer.items()}


def _main_figure(folder: RunFolder) -> str:
    """The model's main figure with its controls; empty while it has none."""
    try:
        return headline(read_spec(folder.path / "bundle")) or ""
    except AppError:
        return ""


def _problem(sentence: str) -> str:
    return (
        f'<div class="s-failed" role="alert"><h2>{safe(text.STOPPED)}</h2>'
        f"<p>{safe(sentence)}</p></div>"
    )


def _file(name: str, kind: str, content: bytes) -> dict[str, str]:
    return {"name": name, "type": kind, "base64": base64.b64encode(content).decode()}


def _part(value: str, name: str, script: str | None) -> gr.HTML:
    return gr.HTML(value, elem_id=name, js_on_load=script, apply_default_css=False, padding=False)
