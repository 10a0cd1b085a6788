"""The way in for Keras checkpoints: its parts, and what each request of the page does to them."""

import logging
import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from leukemia_app.bundles.checkpoint import (
    Draft,
    accept,
    discard,
    example_pictures,
    inspect,
    make_draft,
    try_on_examples,
)
from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
from leukemia_app.bundles.checkpoint_labels import plain_lines
from leukemia_app.bundles.checkpoint_spec import Answers, guesses
from leukemia_app.bundles.hub_client import Hub
from leukemia_app.bundles.library import Library
from leukemia_app.errors import AppError, BundleError
from leukemia_app.settings import Settings
from leukemia_app.ui import import_text, text
from leukemia_app.ui.components import safe
from leukemia_app.ui.import_panes import looked, trial
from leukemia_app.ui.intake import pieces_of
from leukemia_app.ui.session import Session

MAX_ANSWER = 20_000
"""Characters of one field of the form: 200 labels are long."""

log = logging.getLogger(__name__)

Shown = dict[Any, Any]
"""New values by part, as Gradio takes them; parts left out stay."""
Redraw = Callable[[Session | None, gr.Request], Shown]
"""Draws the rest of the page anew, where a model came."""


@dataclass(frozen=True, kw_only=True)
class Bringing:
    """One visitor's checkpoint on its way in."""

    path: Path
    """In a folder of the uploads, which are deleted by age."""
    facts: CheckpointFacts
    guessed: Answers
    """What stands for a field that is left empty."""
    answers: Answers
    """Those of the draft where there is one, else of the last one, else the guesses."""
    draft: Draft | None = None


@dataclass(frozen=True, kw_only=True)
class ImportParts:
    """The pane's components."""

    hub: gr.HTML
    form: gr.HTML
    bringing: gr.State


@dataclass(frozen=True, kw_only=True)
class ImportPane:
    """Events of the pane; keeps nothing of any visitor."""

    settings: Settings
    library: Library
    uploads: Path
    may_change: Callable[[gr.Request], bool]
    """Whether who asks may add models."""
    hub: Callable[[gr.Request], Hub] = lambda request: Hub(token=False)
    """By whose token the Hub is asked; a stranger must not see what the server's owner may."""

    def build(self) -> ImportParts:
        """Lay out the pane inside the Blocks at hand; the zone that begins it stands elsewhere."""
        hub = gr.HTML("", elem_id="i-hub", apply_default_css=False, padding=False,
                      js_on_load="window.smearImport.connect(trigger, ['ask']);")  # fmt: skip
        form = gr.HTML("", elem_id="i-form", apply_default_css=False, padding=False)
        return ImportParts(hub=hub, form=form, bringing=gr.State(None))

    def connect(
        self, parts: ImportParts, session: gr.State, redraw: Redraw, others: list[Any]
    ) -> None:
        """Connect the events; `redraw` gives the components `others` anew where a model came."""
        event = parts.hub.ask(
            self._guarded(parts, redraw), inputs=[parts.bringing, session], show_progress="hidden",
            outputs=[parts.form, parts.bringing, *others], concurrency_limit=1,
            concurrency_id="import", api_visibility="private",
        )  # fmt: skip
        event.then(None, None, None, js="() => { window.smearImport.answered(); }")

    def _guarded(self, parts: ImportParts, redraw: Redraw) -> Callable[..., Shown]:
        """The handler: what goes wrong in it is said in the page, never thrown at it."""

        def handler(
            bringing: Bringing | None, session: Session | None, request: gr.Request,
            asked: gr.EventData,
        ) -> Shown:  # fmt: skip
            def drawn() -> Shown:
                return redraw(session, request)

            try:
                return self._answer(parts, drawn, bringing, request, asked)
            except Exception as error:  # noqa: BLE001 no visitor sees a stack trace; it is logged
                bringing = _untried(bringing)
                shown = _problem(error) + _again(bringing, getattr(asked, "fields", None))
                return {parts.form: shown, parts.bringing: bringing}

        return handler

    def _answer(
        self, parts: ImportParts, drawn: Callable[[], Shown],
        bringing: Bringing | None, request: gr.Request, asked: gr.EventData,
    ) -> Shown:  # fmt: skip
        if not self.may_change(request):
            raise BundleError(text.MAY_NOT_CHANGE)
        what = getattr(asked, "what", None)
        if what == "look":
            found = self._looked(asked, self.hub(request))
            _forget(bringing)
            return {parts.form: looked(found.facts, found.answers), parts.bringing: found}
        if bringing is None:
            raise BundleError(import_text.NOTHING)
        if what == "try":
            tried, said = self._tried(bringing, getattr(asked, "fields", None))
            return {parts.form: looked(tried.facts, tried.answers, said), parts.bringing: tried}
        if what == "keep":
            said = self._kept(bringing, getattr(asked, "fields", None))
            return {parts.form: _note(said), parts.bringing: None} | drawn()
        _forget(bringing)
        return {parts.form: _note(import_text.FORGOTTEN), parts.bringing: None}

    def _looked(self, asked: gr.EventData, hub: Hub) -> Bringing:
        repo = str(getattr(asked, "repo", "") or "").strip()[:200]
        max_bytes = self.settings.model_mb * 1_000_000
        folder = Path(tempfile.mkdtemp(prefix="import-", dir=self.uploads))
        try:
            path = self._fetched(repo, folder, hub) if repo else self._uploaded(asked, folder)
            facts = inspect(path, max_bytes=max_bytes)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        answers = guesses(facts)
        if repo:
            answers = replace(answers, source=f"Hugging Face Hub, {repo}")
        return Bringing(path=path, facts=facts, guessed=answers, answers=answers)

    def _uploaded(self, asked: gr.EventData, folder: Path) -> Path:
        pieces = pieces_of(getattr(asked, "files", None), self.uploads)
        if len(pieces) != 1:
            raise BundleError(import_text.NOTHING)
        # Gradio gave the file a folder of its own; its name is a stranger's, made safe there.
        return pieces[0].path.rename(folder / pieces[0].path.name)

    def _fetched(self, repo: str, folder: Path, hub: Hub) -> Path:
        from leukemia_app.bundles.hub import fetch_checkpoint
        from leukemia_app.hub_names import parse_checkpoint

        try:
            model, file = parse_checkpoint(repo)
        except ValueError as error:
            raise BundleError(f"{repo} is no repository of the Hub; use {error}.") from error
        max_bytes = self.settings.model_mb * 1_000_000
        target = folder / model.repo.rpartition("/")[2]
        return fetch_checkpoint(model, file, target, max_bytes=max_bytes, hub=hub)

    def _tried(self, bringing: Bringing, fields: Any) -> tuple[Bringing, str]:
        answers = _answers(bringing.guessed, fields)
        if bringing.draft is not None:
            discard(bringing.draft)
        home = self.settings.own_models
        home.mkdir(parents=True, exist_ok=True)
        draft = make_draft(
            bringing.path, bringing.facts, answers, home,
            max_bytes=self.settings.model_mb * 1_000_000,
        )  # fmt: skip
        said = trial(draft, example_pictures(draft.spec.recipe.input), try_on_examples(draft))
        return replace(bringing, answers=answers, draft=draft), said

    def _kept(self, bringing: Bringing, fields: Any) -> str:
        """List the model that was tried; what the page holds must be what was tried."""
        draft = bringing.draft
        if draft is None or _answers(bringing.guessed, fields) != bringing.answers:
            raise BundleError(import_text.STALE)
        accept(draft, self.settings.own_models, self.library.entries())
        _forget(bringing)
        return import_text.kept(draft.spec.id)


def _answers(guessed: Answers, fields: Any) -> Answers:
    """The form's fields over the guesses; nothing that they say is taken on trust.

    Raises:
        BundleError: a field holds what cannot be used.
    """
    texts = _texts(fields)
    known: dict[str, Any] = {
        key: texts[key] for key in ("id", "title", "scaling", "colour", "input", "licence",
                                    "source") if texts.get(key)
    }  # fmt: skip
    if labels := plain_lines(texts.get("labels", "")):
        known["labels"] = labels
    if side := texts.get("side_px"):
        if not side.isascii() or not side.isdigit() or len(side) > 4:
            raise BundleError(f"{import_text.SIZE} is {side!r}; write a whole number.")
        known["side_px"] = int(side)
    return replace(guessed, **known)


def _texts(fields: Any) -> dict[str, str]:
    """The form's fields as the page sent them, cut to what may be told again."""
    given = fields if isinstance(fields, dict) else {}
    return {
        str(key): value.strip()[:MAX_ANSWER] for key, value in given.items()
        if isinstance(value, str)
    }  # fmt: skip


def _untried(bringing: Bringing | None) -> Bringing | None:
    """The checkpoint without its draft: after an error nothing that was tried is shown."""
    if bringing is None or bringing.draft is None:
        return bringing
    discard(bringing.draft)
    return replace(bringing, draft=None)


def _forget(bringing: Bringing | None) -> None:
    if bringing is None:
        return
    if bringing.draft is not None:
        discard(bringing.draft)
    shutil.rmtree(bringing.path.parent, ignore_errors=True)


def _again(bringing: Bringing | None, fields: Any) -> str:
    if bringing is None:
        return ""
    return looked(bringing.facts, bringing.answers, sent=_texts(fields))


def _note(sentence: str) -> str:
    return f'<p class="m-note" role="status">{safe(sentence)}</p>'


def _problem(error: Exception) -> str:
    said = str(error)
    if not isinstance(error, AppError):
        reference = secrets.token_hex(3)
        log.error("unexpected error, reference %s", reference, exc_info=error)
        said = text.UNEXPECTED.format(reference=reference)
    return (
        f'<div class="s-failed" role="alert"><h2>{safe(text.STOPPED)}</h2><p>{safe(said)}</p></div>'
    )
