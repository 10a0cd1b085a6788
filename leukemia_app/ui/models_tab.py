"""The Models tab: its parts, and what each request of the page does to them."""

import base64
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from leukemia_app.bundles.library import Entry, Library
from leukemia_app.bundles.pack import pack
from leukemia_app.bundles.store import CARD_FILE
from leukemia_app.bundles.unpack import add_bundle, remove_bundle
from leukemia_app.errors import AppError, BundleError
from leukemia_app.settings import Settings
from leukemia_app.training.owners import sits_here
from leukemia_app.training.start import runs_that_start_from
from leukemia_app.ui import text
from leukemia_app.ui.components import safe
from leukemia_app.ui.intake import pieces_of
from leukemia_app.ui.models import add_zone, chooser, model_list
from leukemia_app.ui.session import Session

MAX_CARD_CHARACTERS = 20_000

log = logging.getLogger(__name__)

Shown = dict[Any, Any]
"""New values by part, as Gradio takes them; parts left out stay."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tab's components."""

    hub: gr.HTML
    zone: gr.HTML
    said: gr.HTML
    listed: gr.HTML
    saved: gr.JSON


@dataclass(frozen=True, kw_only=True)
class ModelsTab:
    """Events of the tab over a library; keeps nothing of any visitor."""

    settings: Settings
    library: Library
    uploads: Path
    """Folder into which Gradio puts uploads; files elsewhere are refused."""
    listens_on: str
    """Address of the server."""

    def build(self) -> Parts:
        """Lay out the tab inside the Blocks at hand."""
        hub = _part("", "m-hub", "window.smearModels.connect(trigger, ['ask']);")
        zone = _part("", "m-add")
        said = _part("", "m-said")
        # What a visitor may do is known when the page is asked for.
        listed = _part(model_list(self.library.entries()), "models")
        return Parts(hub=hub, zone=zone, said=said, listed=listed,
                     saved=gr.JSON(visible="hidden"))  # fmt: skip

    def connect(self, parts: Parts, session: gr.State, model_chooser: gr.HTML) -> None:
        """Connect the tab's events, which change the list of models in use too."""
        event = parts.hub.ask(
            self._guarded(parts, session, model_chooser), inputs=[session],
            outputs=[parts.said, parts.listed, parts.saved, session, model_chooser],
            show_progress="hidden", concurrency_limit=1, concurrency_id="models",
            api_visibility="private",
        )  # fmt: skip
        event.then(None, [parts.saved], None, js="(file) => { window.smearModels.answered(file); }")

    def shown(self, parts: Parts, request: gr.Request) -> Shown:
        """The tab as it is now for that visitor."""
        may_change = self.may_change(request)
        zone = add_zone(self.settings.model_mb) if may_change else ""
        return {parts.zone: zone, parts.listed: self._listed(may_change)}

    def may_change(self, request: gr.Request) -> bool:
        """Whether who asks may add and delete models, which everybody here sees."""
        if self.settings.add_models != "auto":
            return self.settings.add_models == "on"
        client = request.client.host if request.client else None
        return sits_here(self.listens_on, request.headers, client)

    def _listed(self, may_change: bool) -> str:
        entries = self.library.entries()
        own = {entry.id: _card_text(entry) for entry in entries if self._is_own(entry)}
        return model_list(entries, own=own, may_change=may_change)

    def _is_own(self, entry: Entry) -> bool:
        return entry.folder.parent == self.settings.own_models

    def _answer(self, parts: Parts, asked: gr.EventData, request: gr.Request) -> Shown:
        actions: Mapping[str, Callable[[gr.EventData], Shown]] = {
            "add": lambda asked: {parts.said: _note(self._add(asked))},
            "remove": lambda asked: {parts.said: _note(self._remove(_words(asked, "value")))},
            "pack": lambda asked: {parts.said: "", parts.saved: self._pack(_words(asked, "value"))},
        }
        what = _words(asked, "what")
        if what not in actions:
            return {}
        may_change = self.may_change(request)
        if what != "pack" and not may_change:
            raise BundleError(text.MAY_NOT_CHANGE)
        shown = {parts.saved: None} | actions[what](asked)
        return shown | {parts.listed: self._listed(may_change)}

    def _add(self, asked: gr.EventData) -> str:
        pieces = pieces_of(getattr(asked, "files", None), self.uploads)
        if len(pieces) != 1:
            raise BundleError(text.ONE_ZIP)
        path = pieces[0].path
        try:
            added = add_bundle(
                path, self.settings.own_models, self.library.entries(),
                max_bytes=self.settings.model_mb * 1_000_000, name=_words(asked, "name") or None,
            )  # fmt: skip
        finally:
            path.unlink(missing_ok=True)
        return text.added(added.id, is_new=added.is_new)

    def _remove(self, model: str) -> str:
        entry = self._entry(model)
        if users := runs_that_start_from(entry.folder, self.settings.state_dir / "runs"):
            raise BundleError(text.in_use(model, users[0]))
        remove_bundle(entry, self.settings.own_models)
        return text.removed(model)

    def _pack(self, model: str) -> dict[str, str]:
        made = pack(self._entry(model).folder)
        return {"name": f"{model}.zip", "type": "application/zip",
                "base64": base64.b64encode(made).decode()}  # fmt: skip

    def _entry(self, model: str) -> Entry:
        found = next((entry for entry in self.library.entries() if entry.id == model), None)
        if found is None:
            raise BundleError(text.GONE.format(model=model))
        return found

    def _guarded(
        self, parts: Parts, session_part: gr.State, model_chooser: gr.HTML
    ) -> Callable[..., Shown]:
        """The event's handler: what goes wrong in it is said in the page, never thrown at it."""

        def handler(session: Session | None, request: gr.Request, asked: gr.EventData) -> Shown:
            try:
                shown = self._answer(parts, asked, request)
            except AppError as error:
                shown = {parts.said: _problem(str(error)), parts.saved: None}
            except Exception:  # the last resort, so that no visitor sees a stack trace
                reference = secrets.token_hex(3)
                log.exception("unexpected error, reference %s", reference)
                said = text.UNEXPECTED.format(reference=reference)
                shown = {parts.said: _problem(said), parts.saved: None}
            session = self._with_model(session)
            drawn = chooser(self.library.entries(), session.model)
            return shown | {session_part: session, model_chooser: drawn}

        return handler

    def _with_model(self, session: Session | None) -> Session:
        """The session with a model that is here: the one in use may just have been deleted."""
        session = session or Session()
        usable = {entry.id for entry in self.library.entries() if entry.problem is None}
        if session.model in usable:
            return session
        model = self.library.default("field") or self.library.default("cell")
        return replace(session, model=model)


def _card_text(entry: Entry) -> str:
    """The README that came with a bundle, cut short; a stranger wrote it."""
    try:
        with (entry.folder / CARD_FILE).open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_CARD_CHARACTERS)
    except OSError:
        return ""


def _words(asked: gr.EventData, name: str) -> str:
    value = getattr(asked, name, None)
    return value.strip()[:200] if isinstance(value, str) else ""


def _note(sentence: str) -> str:
    return f'<p class="m-note" role="status">{safe(sentence)}</p>'


def _problem(sentence: str) -> str:
    return (
        f'<div class="s-failed" role="alert"><h2>{safe(text.STOPPED)}</h2>'
        f"<p>{safe(sentence)}</p></div>"
    )


def _part(value: str, name: str, script: str | None = None) -> gr.HTML:
    return gr.HTML(value, elem_id=name, js_on_load=script, apply_default_css=False, padding=False)
