"""The Models tab: its parts, and what each request of the page does to them."""

import base64
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.oauth import OAUTH_CLIENT_ID
from gradio.utils import get_space

from leukemia_app.bundles.hub_client import Hub
from leukemia_app.bundles.library import Entry, Library
from leukemia_app.bundles.pack import pack
from leukemia_app.bundles.store import CARD_FILE
from leukemia_app.bundles.unpack import add_bundle, added_folder, remove_bundle
from leukemia_app.errors import AppError, BundleError
from leukemia_app.settings import Settings
from leukemia_app.training.owners import sits_here
from leukemia_app.training.start import runs_that_start_from
from leukemia_app.ui import text
from leukemia_app.ui.components import safe
from leukemia_app.ui.desk import with_model
from leukemia_app.ui.hub_desk import HubDesk
from leukemia_app.ui.hub_panes import progress_note, pull_zone, wishes
from leukemia_app.ui.hub_start import Wishes
from leukemia_app.ui.import_pane import ImportPane, ImportParts
from leukemia_app.ui.import_panes import import_zone
from leukemia_app.ui.intake import pieces_of
from leukemia_app.ui.models import add_zone, chooser, model_list, ways_in
from leukemia_app.ui.session import Session

MAX_CARD_CHARACTERS = 20_000
TELL_S = 0.4
"""How often a pull tells how far it is."""

log = logging.getLogger(__name__)

Shown = dict[Any, Any]
"""New values by part, as Gradio takes them; parts left out stay."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tab's components."""

    hub: gr.HTML
    zone: gr.HTML
    wishes: gr.HTML
    said: gr.HTML
    listed: gr.HTML
    saved: gr.JSON
    bring: ImportParts


@dataclass(frozen=True, kw_only=True)
class ModelsTab:
    """Events of the tab over a library; keeps nothing of any visitor."""

    settings: Settings
    library: Library
    uploads: Path
    """Folder into which Gradio puts uploads; files elsewhere are refused."""
    listens_on: str
    """Address of the server."""
    wishes: Wishes = field(default_factory=Wishes)
    """What is fetched from the Hub at the start."""

    @property
    def desk(self) -> HubDesk:
        """The Hub as visitors may use it."""
        return HubDesk(settings=self.settings, library=self.library, listens_on=self.listens_on)

    @property
    def importing(self) -> ImportPane:
        """The way in for Keras checkpoints."""
        return ImportPane(
            settings=self.settings, library=self.library, uploads=self.uploads,
            may_change=self.may_change,
            hub=lambda request: Hub(token=self.desk.token(request, None)),
        )  # fmt: skip

    def build(self) -> Parts:
        """Lay out the tab inside the Blocks at hand."""
        hub = _part("", "m-hub", "window.smearModels.connect(trigger, ['ask', 'pull']);")
        if can_sign_in():
            gr.LoginButton()
        zone = _part("", "m-add")
        asked_for = _part("", "m-wishes")
        said = _part("", "m-said")
        bring = self.importing.build()
        # What a visitor may do is known when the page is asked for.
        listed = _part(model_list(self.library.entries()), "models")
        return Parts(hub=hub, zone=zone, wishes=asked_for, said=said, listed=listed,
                     saved=gr.JSON(visible="hidden"), bring=bring)  # fmt: skip

    def connect(self, parts: Parts, session: gr.State, model_chooser: gr.HTML) -> None:
        """Connect the tab's events, which change the list of models in use too."""

        def redrawn(visitor: Session | None, request: gr.Request) -> Shown:
            return self.listed(parts, request, None) | self._chosen(visitor, session, model_chooser)

        others = [parts.listed, parts.wishes, session, model_chooser]
        self.importing.connect(parts.bring, session, redrawn, others)
        # A pull may take minutes, and does not keep others from the rest.
        for ask, handler, queue in (
            (parts.hub.ask, self._guarded(parts, session, model_chooser), "models"),
            (parts.hub.pull, self._guarded_pull(parts, session, model_chooser), "hub"),
        ):
            event = ask(
                handler, inputs=[session], show_progress="hidden", concurrency_limit=1,
                outputs=[parts.said, parts.wishes, parts.listed, parts.saved, session,
                         model_chooser],
                concurrency_id=queue, api_visibility="private",
            )  # fmt: skip
            event.then(
                None, [parts.saved], None, js="(file) => { window.smearModels.answered(file); }"
            )

    def shown(
        self, parts: Parts, request: gr.Request, signed_in: gr.OAuthToken | None = None
    ) -> Shown:
        """The tab as it is now for that visitor."""
        limit_mb = self.settings.model_mb
        zones = pull_zone(limit_mb) + add_zone(limit_mb) + import_zone(limit_mb)
        zone = ways_in(zones) if self.may_change(request) else ""
        return {parts.zone: zone} | self.listed(parts, request, signed_in)

    def listed(
        self, parts: Parts, request: gr.Request, signed_in: gr.OAuthToken | None = None
    ) -> Shown:
        """Which models are here, and what that visitor may do with them."""
        entries = self.library.entries()
        own = {entry.id: _card_text(entry) for entry in entries if self._is_own(entry)}
        listed = model_list(
            entries, own=own, may_change=self.may_change(request),
            may_push=self.desk.may_push(request, signed_in),
        )  # fmt: skip
        return {parts.listed: listed, parts.wishes: wishes(self.wishes.listed)}

    def may_change(self, request: gr.Request) -> bool:
        """Whether who asks may add and delete models, which everybody here sees."""
        if self.settings.add_models != "auto":
            return self.settings.add_models == "on"
        client = request.client.host if request.client else None
        return sits_here(self.listens_on, request.headers, client)

    def _is_own(self, entry: Entry) -> bool:
        homes = (self.settings.own_models, self.settings.pulled_models)
        return added_folder(entry, homes) is not None

    def _answer(
        self, parts: Parts, asked: gr.EventData, request: gr.Request,
        signed_in: gr.OAuthToken | None,
    ) -> Shown:  # fmt: skip
        actions: Mapping[str, Callable[[gr.EventData], Shown]] = {
            "add": lambda asked: {parts.said: _note(self._add(asked))},
            "remove": lambda asked: {parts.said: _note(self._remove(_words(asked, "value")))},
            "pack": lambda asked: {parts.said: "", parts.saved: self._pack(_words(asked, "value"))},
            "push": lambda asked: {parts.said: self._push(asked, request, signed_in)},
        }
        what = _words(asked, "what")
        if what not in actions:
            return {}
        if what in ("add", "remove") and not self.may_change(request):
            raise BundleError(text.MAY_NOT_CHANGE)
        shown = {parts.saved: None} | actions[what](asked)
        return shown | self.listed(parts, request, signed_in)

    def _pulled(
        self, parts: Parts, asked: gr.EventData, request: gr.Request,
        signed_in: gr.OAuthToken | None,
    ) -> Iterator[Shown]:  # fmt: skip
        """Pull a model, telling how far it is."""
        if not self.may_change(request):
            raise BundleError(text.MAY_NOT_CHANGE)
        token = self.desk.token(request, signed_in)
        told = 0.0
        for said in self.desk.pulled(_words(asked, "repo"), _words(asked, "name"), token):
            if isinstance(said, str):
                yield {parts.said: _note(said)} | self.listed(parts, request, signed_in)
            elif said.phase != "fetching" or time.monotonic() - told > TELL_S:
                told = time.monotonic()
                yield {parts.said: progress_note(said)}

    def _push(
        self, asked: gr.EventData, request: gr.Request, signed_in: gr.OAuthToken | None
    ) -> str:
        return self.desk.pushed(
            self._entry(_words(asked, "value")), _words(asked, "repo"),
            self.desk.token(request, signed_in), overwrite=_words(asked, "overwrite") == "yes",
        )  # fmt: skip

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
        remove_bundle(entry, self.settings.own_models, self.settings.pulled_models)
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

        def handler(
            session: Session | None, request: gr.Request, asked: gr.EventData,
            signed_in: gr.OAuthToken | None = None,
        ) -> Shown:  # fmt: skip
            try:
                shown = self._answer(parts, asked, request, signed_in)
            except Exception as error:  # noqa: BLE001 no visitor sees a stack trace; it is logged
                shown = {parts.said: _told(error), parts.saved: None}
            return shown | self._chosen(session, session_part, model_chooser)

        return handler

    def _guarded_pull(
        self, parts: Parts, session_part: gr.State, model_chooser: gr.HTML
    ) -> Callable[..., Iterator[Shown]]:
        """The same for pulling, which tells how far it is."""

        def handler(
            session: Session | None, request: gr.Request, asked: gr.EventData,
            signed_in: gr.OAuthToken | None = None,
        ) -> Iterator[Shown]:  # fmt: skip
            try:
                yield from self._pulled(parts, asked, request, signed_in)
            except Exception as error:  # noqa: BLE001 as above
                yield {parts.said: _told(error)}
            yield {parts.saved: None} | self._chosen(session, session_part, model_chooser)

        return handler

    def _chosen(
        self, session: Session | None, session_part: gr.State, model_chooser: gr.HTML
    ) -> Shown:
        session = with_model(self.library, session)
        return {session_part: session,
                model_chooser: chooser(self.library.entries(), session.model)}  # fmt: skip


def _card_text(entry: Entry) -> str:
    """The README that came with a bundle, cut short; a stranger wrote it."""
    try:
        with (entry.folder / CARD_FILE).open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_CARD_CHARACTERS)
    except OSError:
        return ""


def _words(asked: gr.EventData, name: str) -> str:
    value = getattr(asked, name, None)
    return value.strip()[:400] if isinstance(value, str) else ""


def can_sign_in() -> bool:
    """Whether this is a Space that lets its visitors sign in."""
    return get_space() is not None and OAUTH_CLIENT_ID is not None


def _told(error: Exception) -> str:
    """What went wrong, in words; what nobody foresaw is logged, and told by a reference."""
    if isinstance(error, AppError):
        return _problem(str(error))
    reference = secrets.token_hex(3)
    log.error("unexpected error, reference %s", reference, exc_info=error)
    return _problem(text.UNEXPECTED.format(reference=reference))


def _note(sentence: str) -> str:
    return f'<p class="m-note" role="status">{safe(sentence)}</p>'


def _problem(sentence: str) -> str:
    return (
        f'<div class="s-failed" role="alert"><h2>{safe(text.STOPPED)}</h2>'
        f"<p>{safe(sentence)}</p></div>"
    )


def _part(value: str, name: str, script: str | None = None) -> gr.HTML:
    return gr.HTML(value, elem_id=name, js_on_load=script, apply_default_css=False, padding=False)
