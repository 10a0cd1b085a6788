"""The models that LEUKEMIA_HUB_MODELS names, fetched in the background of the served page."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from leukemia_app.bundles.hub import Pulls
from leukemia_app.bundles.library import Library
from leukemia_app.errors import AppError
from leukemia_app.hub_names import HubModel
from leukemia_app.ui import hub_text as text

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One repository, and what has come of it."""

    model: HubModel
    said: str = text.WAITING
    has_failed: bool = False


class Wishes:
    """What is fetched at the start; safe for many threads."""

    def __init__(self, models: Sequence[HubModel] = ()) -> None:
        """Wish for these repositories."""
        self._lock = threading.Lock()
        self._listed = {model.repo: Wish(model=model) for model in models}

    @property
    def listed(self) -> tuple[Wish, ...]:
        """Each as it is now."""
        with self._lock:
            return tuple(self._listed.values())

    def fetch(self, pulls: Pulls, library: Library) -> None:
        """Pull one after the other; the log tells how many failed, the page why."""
        for wish in self.listed:
            self._put(self._fetched(wish, pulls, library))
        n_failed = sum(wish.has_failed for wish in self.listed)
        level = logging.WARNING if n_failed else logging.INFO
        log.log(level, "LEUKEMIA_HUB_MODELS: %d of %d models are here",
                len(self.listed) - n_failed, len(self.listed))  # fmt: skip

    def _fetched(self, wish: Wish, pulls: Pulls, library: Library) -> Wish:
        try:
            done = pulls.pull(
                wish.model, library.entries(),
                told=lambda progress: self._put(replace(wish, said=text.fetching(progress))),
            )  # fmt: skip
        except AppError as error:
            return replace(wish, said=str(error), has_failed=True)
        except Exception:  # the page must not lose its other models over one
            log.exception("LEUKEMIA_HUB_MODELS: unexpected error")
            return replace(wish, said=text.LOST, has_failed=True)
        return replace(wish, said=text.pulled(done, wish.model))

    def _put(self, wish: Wish) -> None:
        with self._lock:
            self._listed[wish.model.repo] = wish
