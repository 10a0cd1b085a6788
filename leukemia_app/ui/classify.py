"""The Classify tab: its parts, and what each event of the page does to them."""

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from leukemia_app.errors import AppError
from leukemia_app.ui import text
from leukemia_app.ui.answer import empty_answer, no_models, problem
from leukemia_app.ui.desk import MAX_PICTURES, Desk, Opened, Progress, with_model
from leukemia_app.ui.entrance import drop_zone, foot, gallery, status
from leukemia_app.ui.examples import Shelf
from leukemia_app.ui.models import chooser
from leukemia_app.ui.panes import Drawing, draw_answer, draw_view, save
from leukemia_app.ui.session import Given, Session
from leukemia_app.ui.smear import smear

CONCURRENCY = 2
"""Events that compute at the same time: one for each of two cores."""

log = logging.getLogger(__name__)

Shown = dict[Any, Any]
"""New values by part, as Gradio takes them; parts left out stay."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tab's components."""

    session: gr.State
    chooser: gr.HTML
    drop: gr.HTML
    view: gr.HTML
    gallery: gr.HTML
    status: gr.HTML
    answer: gr.HTML
    smear: gr.HTML
    saved: gr.JSON

    @property
    def outputs(self) -> list[Any]:
        """What an event may change."""
        return [self.session, self.chooser, self.drop, self.view, self.status, self.answer,
                self.smear]  # fmt: skip


Step = Callable[[Parts, Session, gr.EventData], Iterator[Shown]]


@dataclass(frozen=True, kw_only=True)
class ClassifyTab:
    """Events of the tab over a desk; keeps nothing of any visitor."""

    desk: Desk
    shelf: Shelf
    uploads: Path
    """Folder into which Gradio puts uploads; files elsewhere are refused."""
    max_file_mb: float

    def build(self) -> Parts:
        """Lay out the tab inside the Blocks at hand, and connect its events."""
        start = self.desk.start()
        parts = self._laid_out(start)
        reading: dict[str, Any] = {
            "inputs": [parts.session], "outputs": parts.outputs, "show_progress": "hidden",
            "concurrency_limit": CONCURRENCY, "concurrency_id": "reading",
            "api_visibility": "private",
        }  # fmt: skip
        events = [
            parts.drop.give(self._guarded(self.give, parts), trigger_mode="multiple", **reading),
            parts.gallery.example(self._guarded(self.example, parts), **reading),
            parts.chooser.choose(self._guarded(self.choose, parts), **reading),
            parts.answer.choose(self._guarded(self.choose, parts), **reading),
            parts.view.explain(self._guarded(self.explain, parts), **reading),
            parts.smear.pick(self._guarded(self.pick, parts), **reading),
        ]
        for event in events:
            event.then(None, None, None, js="() => { window.smear.idle(); }")
        kept = parts.answer.save(
            self._guarded(self.save, parts), inputs=[parts.session],
            outputs=[parts.saved, parts.status], show_progress="hidden",
            concurrency_limit=CONCURRENCY, concurrency_id="reading", api_visibility="private",
        )  # fmt: skip
        kept.then(None, [parts.saved], None, js="(file) => { window.smear.save(file); }")
        return parts

    def give(self, parts: Parts, session: Session, asked: gr.EventData) -> Iterator[Shown]:
        """Read the pictures that were dropped, pasted or chosen."""
        files = getattr(asked, "files", None)
        given = [self._given(each) for each in files] if isinstance(files, list) else []
        add = getattr(asked, "mode", "new") == "add"
        n = getattr(asked, "n", len(given))
        note = ""
        if isinstance(n, int) and n > MAX_PICTURES:
            note = text.TOO_MANY.format(n=n, limit=MAX_PICTURES, model=session.model)
        yield from self._read(parts, replace(session, note=note), given[:MAX_PICTURES], add=add)

    def example(self, parts: Parts, session: Session, asked: gr.EventData) -> Iterator[Shown]:
        """Read an example, with a model for its kind of picture."""
        chosen = self.shelf.find(getattr(asked, "value", None))
        if chosen is None:
            return
        given = Given(name=chosen.path.name, path=chosen.path, input=chosen.input)
        session = self.desk.for_example(session, chosen.input, chosen.label)
        session = replace(session, note=f"{chosen.caption} {session.note}".strip())
        yield from self._read(parts, session, [given])

    def choose(self, parts: Parts, session: Session, asked: gr.EventData) -> Iterator[Shown]:
        """Take another model, and read the same pictures with it."""
        model = getattr(asked, "value", None)
        known = {entry.id for entry in self.desk.library.entries() if entry.problem is None}
        if model not in known:
            raise AppError(text.GONE.format(model=model))
        session = replace(session, model=model, label=None, note="")
        given = [case.given for case in session.cases]
        if not given:
            yield self._shown(parts, session, None) | {parts.status: status("")}
            return
        opened = session.opened
        yield from self._read(parts, replace(session, cases=()), given, at=opened)

    def explain(self, parts: Parts, session: Session, asked: gr.EventData) -> Iterator[Shown]:
        """Show the map of another class."""
        session = replace(self._with_pictures(session), label=getattr(asked, "value", None))
        opened = self.desk.examine(session)
        if opened is not None:
            spec = self.desk.spec(session.model or "")
            yield {parts.session: session, parts.view: draw_view(opened, spec),
                   parts.status: status("")}  # fmt: skip

    def pick(self, parts: Parts, session: Session, asked: gr.EventData) -> Iterator[Shown]:
        """Open another picture of the row."""
        value = str(getattr(asked, "value", ""))
        session = self._with_pictures(session).opening(int(value) if value.isdecimal() else -1)
        shown = self._shown(parts, session, self.desk.examine(session))
        del shown[parts.smear]  # the page's script moves the mark: a long row is megabytes
        yield shown

    def save(self, parts: Parts, session: Session, asked: gr.EventData) -> Iterator[Shown]:
        """Make a file to keep, and hand it to the browser."""
        session = self._with_pictures(session)
        kind = getattr(asked, "value", "")
        strength = getattr(asked, "strength", 0)
        drawing = Drawing(
            strength=min(1.0, max(0.0, strength / 100)) if isinstance(strength, int) else 0.0,
            outlined=getattr(asked, "outline", True) is True,
        )
        one_smear = getattr(asked, "oneSmear", True) is True
        session = replace(session, one_smear=one_smear)
        opened = self.desk.examine(session) if kind in ("png", "html") else None
        made = save(kind, session, opened, self.desk.spec(session.model or ""), drawing)
        yield {parts.saved: made.to_dict() if made else None, parts.status: status("")}

    def refreshed(self, parts: Parts, session: Session | None) -> Shown:
        """The chooser and the gallery as they are now: what is new appears without a restart."""
        session = with_model(self.desk.library, session)
        shown = {parts.session: session,
                 parts.chooser: chooser(self.desk.library.entries(), session.model)}  # fmt: skip
        if self.shelf.is_changed:  # the first ones came with the page
            shown[parts.gallery] = gallery(self.shelf.examples)
        return shown

    def looked_at(self, parts: Parts, session: Session | None) -> Shown:
        """What changes when the tab is opened: another model where that in use was deleted."""
        now = with_model(self.desk.library, session)
        if now == session:
            return {parts.chooser: gr.skip()}
        return {parts.session: now,
                parts.chooser: chooser(self.desk.library.entries(), now.model)}  # fmt: skip

    def _with_pictures(self, session: Session) -> Session:
        """The session itself; after a while it is empty, and the visitor is told why."""
        if not session.cases:
            raise AppError(text.EXPIRED_ALL.format(minutes=self.desk.keep_minutes))
        return session

    def _read(
        self,
        parts: Parts,
        session: Session,
        given: Sequence[Given],
        *,
        add: bool = False,
        at: int | None = None,
    ) -> Iterator[Shown]:
        for step in self.desk.read(session, given, add=add):
            if isinstance(step, Progress):
                words = text.reading_progress(step.done, step.n, step.seconds_left)
                yield {parts.status: status(words)}
            elif at is None or at == step.session.opened:
                yield self._shown(parts, step.session, step.opened)
            else:
                chosen = step.session.opening(at)
                yield self._shown(parts, chosen, self.desk.examine(chosen))

    def _shown(self, parts: Parts, session: Session, opened: Opened | None) -> Shown:
        entries = self.desk.library.entries()
        labels = self.desk.spec(session.model).label_names if session.model else ()
        shown: Shown = {
            parts.session: session,
            parts.chooser: chooser(entries, session.model),
            parts.drop: self._drop(is_small=bool(session.cases)),
            parts.smear: smear(session, labels),
            parts.status: status(""),
        }
        case = session.open_case
        if opened is not None and session.model:
            spec = self.desk.spec(session.model)
            mismatch = self.desk.mismatch(session, opened)
            shown[parts.view] = draw_view(opened, spec)
            shown[parts.answer] = draw_answer(opened, spec, session, mismatch)
            shown[parts.status] = status(text.spoken(opened.examination.reading))
        elif case is not None and case.failure is not None:
            shown[parts.view] = ""
            shown[parts.answer] = problem(text.FILE_UNREAD, case.failure.message)
        return shown

    def _laid_out(self, start: Session) -> Parts:
        entries = self.desk.library.entries()
        asks = "window.smear.asks(element, trigger, {});"
        session = gr.State(None, time_to_live=60 * self.desk.keep_minutes)
        chosen = _part(chooser(entries, start.model), "chooser", asks.format("['choose']"))
        with gr.Row(elem_id="panes"):
            with gr.Column(elem_id="left", min_width=0):
                drop = _part(
                    self._drop(is_small=False), "drop",
                    "window.smear.drop(element, trigger, upload, ['give']);",
                )  # fmt: skip
                view = _part("", "view", asks.format("['explain']"))
                shelf = _part(gallery(self.shelf.examples), "gallery", asks.format("['example']"))
            with gr.Column(elem_id="right", min_width=0):
                said = _part(status(""), "status", None)
                first = empty_answer() if start.model else no_models()
                answered = _part(first, "answer", asks.format("['choose', 'save']"))
        several = _part("", "smear", asks.format("['pick']"))
        _part(foot(self.desk.keep_minutes), "foot", None)
        saved = gr.JSON(visible="hidden")
        return Parts(
            session=session, chooser=chosen, drop=drop, view=view, gallery=shelf, status=said,
            answer=answered, smear=several, saved=saved,
        )  # fmt: skip

    def _drop(self, *, is_small: bool) -> str:
        return drop_zone(
            limit_mb=self.max_file_mb, max_files=MAX_PICTURES,
            keep_minutes=self.desk.keep_minutes, is_small=is_small,
        )  # fmt: skip

    def _given(self, each: Any) -> Given:
        """One file as the page's script reported it; nothing it says is taken on trust."""
        facts = each if isinstance(each, dict) else {}
        name = Path(str(facts.get("name") or "picture")).name[:200]
        if facts.get("problem") == "too_large":
            return Given(name=name, path=None, problem=text.too_large(self.max_file_mb))
        path = Path(str(facts.get("path") or "")).resolve()
        if not path.is_relative_to(self.uploads.resolve()):
            return Given(name=name, path=None, problem=text.not_sent())
        return Given(name=name, path=path)

    def _guarded(self, step: Step, parts: Parts) -> Callable[..., Iterator[Shown]]:
        """The event's handler: what goes wrong in it is said in the page, never thrown at it."""

        def handler(session: Session | None, asked: gr.EventData) -> Iterator[Shown]:
            try:
                yield from step(parts, session or self.desk.start(), asked)
            except AppError as error:
                yield {parts.status: status(""), parts.answer: problem(text.STOPPED, str(error))}
            except Exception:  # the last resort, so that no visitor sees a stack trace
                reference = secrets.token_hex(3)
                log.exception("unexpected error, reference %s", reference)
                said = text.UNEXPECTED.format(reference=reference)
                yield {parts.status: status(""), parts.answer: problem(text.STOPPED, said)}

        return handler


def _part(value: str, name: str, script: str | None) -> gr.HTML:
    return gr.HTML(value, elem_id=name, js_on_load=script, apply_default_css=False, padding=False)
