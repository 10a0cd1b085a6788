"""The models that LEUKEMIA_HUB_MODELS names, fetched in the background of the served page."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from leukemia_app.bundles.hub import Pulls
from leukemia_app.bundles.hub_words import HubAwayError
from leukemia_app.bundles.library import Library
from leukemia_app.errors import AppError
from leukemia_app.hub_names import HubModel
from leukemia_app.ui import hub_text as text

PAUSES_S = (60.0, 300.0, 1800.0)
"""Until those that the Hub could not be asked for are tried again, in seconds."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One repository, and what has come of it."""

    model: HubModel
    said: str = text.WAITING
    has_failed: bool = False
    may_come: bool = False
    """Whether it failed because the Hub could not be asked."""


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

    def fetch(
        self, pulls: Pulls, library: Library, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Pull one after the other; the log tells how many failed, the page why.

        Where the Hub cannot be asked, it is asked again after each of `PAUSES_S`.
        """
        self._fetch_all(self.listed, pulls, library)
        for pause_s in PAUSES_S:
            if missed := [wish for wish in self.listed if wish.may_come]:
                for wish in missed:
                    self._put(replace(wish, said=f"{wish.said} {text.again_in(pause_s)}"))
                sleep(pause_s)
                self._fetch_all(missed, pulls, library)

    def _fetch_all(self, wanted: Sequence[Wish], pulls: Pulls, library: Library) -> None:
        for wish in wanted:
            self._put(self._fetched(Wish(model=wish.model), pulls, library))
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
            is_away = isinstance(error, HubAwayError)
            return replace(wish, said=str(error), has_failed=True, may_come=is_away)
        except Exception:  # the page must not lose its other models over one
            log.exception("LEUKEMIA_HUB_MODELS: unexpected error")
            return replace(wish, said=text.LOST, has_failed=True)
        return replace(wish, said=text.pulled(done, wish.model))

    def _put(self, wish: Wish) -> None:
        with self._lock:
            self._listed[wish.model.repo] = wish
