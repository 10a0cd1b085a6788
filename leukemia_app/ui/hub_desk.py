"""Pulling from the Hub and pushing to it in the page: whose token counts, and who may."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import gradio as gr

from leukemia_app.bundles.hub import Progress, Pulled, Pulls
from leukemia_app.bundles.hub_client import Hub
from leukemia_app.bundles.hub_push import WouldOverwriteError, push
from leukemia_app.bundles.library import Entry, Library
from leukemia_app.errors import BundleError
from leukemia_app.hub_names import HubModel, parse_model
from leukemia_app.settings import Settings
from leukemia_app.training.owners import sits_here
from leukemia_app.training.start import runs_that_start_from
from leukemia_app.ui import hub_text as text
from leukemia_app.ui.components import safe
from leukemia_app.ui.hub_panes import overwrite_note

Come = Progress | Pulled | Exception


@dataclass(frozen=True, kw_only=True)
class HubDesk:
    """The Hub as this server's visitors may use it; keeps nothing of any visitor."""

    settings: Settings
    library: Library
    listens_on: str

    def pulls(self, token: str | bool | None = None) -> Pulls:
        """Where models go, and who asks the Hub for them; None: who runs this server."""
        return Pulls(
            home=self.settings.pulled_models, max_bytes=self.settings.model_mb * 1_000_000,
            hub=Hub(token=token), may_replace=self._not_in_use,
        )  # fmt: skip

    def token(self, request: gr.Request, signed_in: gr.OAuthToken | None) -> str | bool | None:
        """Who asks the Hub: the visitor who signed in; None the server's owner; False nobody.

        The owner's token is for those alone who sit at this machine, or who log in where
        LEUKEMIA_ADD_MODELS trusts them; where it is off, for nobody.
        """
        if signed_in is not None:
            return str(signed_in.token)
        if self.settings.add_models == "off":  # a proxy without headers looks like this machine
            return False
        client = request.client.host if request.client else None
        is_trusted = self.settings.add_models == "on" and bool(self.settings.logins)
        return None if is_trusted or sits_here(self.listens_on, request.headers, client) else False

    def may_push(self, request: gr.Request, signed_in: gr.OAuthToken | None) -> bool:
        """Whether who asks has an account on the Hub to send models to."""
        return self.token(request, signed_in) is not False

    def pulled(self, repo: str, name: str, token: str | bool | None) -> Iterator[Progress | str]:
        """Pull a model, saying how far it is and at last what came of it.

        It goes on where nobody listens any more.

        Raises:
            AppError: it cannot be pulled.
        """
        model = named(repo)
        come: SimpleQueue[Come] = SimpleQueue()

        def pull() -> None:
            try:
                come.put(self.pulls(token).pull(
                    model, self.library.entries(), name=name or None, told=come.put
                ))  # fmt: skip
            except Exception as error:  # noqa: BLE001 raised again by the one who listens
                come.put(error)

        Thread(target=pull, daemon=True, name="pull").start()
        while True:
            said = come.get()
            if isinstance(said, Exception):
                raise said
            if isinstance(said, Pulled):
                yield text.pulled(said, model)
                return
            yield said

    def pushed(self, entry: Entry, repo: str, token: str | bool | None, *, overwrite: bool) -> str:
        """Send a model to the Hub; HTML that says what came of it, or asks about what is there.

        Raises:
            AppError: it cannot be sent.
        """
        if token is False:
            raise BundleError(text.MAY_NOT_PUSH)
        if entry.problem is not None:
            raise BundleError(f"The model {entry.id} cannot be sent: {entry.problem}")
        hub = Hub(token=token)
        try:
            done = push(entry.folder, repo, hub=hub, overwrite=overwrite)
        except WouldOverwriteError as error:
            return overwrite_note(str(error), entry.id, repo)
        said = text.pushed(entry.id, done.address, done.commit, is_new=done.is_new)
        return f'<p class="m-note" role="status">{safe(said)}</p>'

    def _not_in_use(self, folder: Path) -> None:
        if users := runs_that_start_from(folder, self.settings.state_dir / "runs"):
            raise BundleError(text.needed(users[0]))


def named(repo: str) -> HubModel:
    """The repository that a visitor named.

    Raises:
        BundleError: it cannot be one.
    """
    try:
        return parse_model(repo)
    except ValueError as error:
        raise BundleError(text.NO_REPO) from error
