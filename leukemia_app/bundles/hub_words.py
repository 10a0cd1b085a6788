"""What the Hub's client raises, in words that say what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from leukemia_app.archives.safe_names import shown
from leukemia_app.errors import BundleError
from leukemia_app.hub_names import HubModel


class HubAwayError(BundleError):
    """The Hub cannot be asked just now: no network, no answer in time, or trouble of its own."""


class NoSuchModelError(BundleError):
    """The Hub has no such repository, or shows it to others only."""


@contextmanager
def hub_errors(model: HubModel) -> Iterator[None]:
    """What the client raises, in words.

    Raises:
        HubAwayError: the Hub cannot be asked just now.
        BundleError: anything else that went wrong.
    """
    try:
        yield
    except BundleError:
        raise
    except Exception as error:
        said = _said(error, model)
        if said is None:
            raise
        raise said from error


def _said(error: Exception, model: HubModel) -> BundleError | None:
    """The error in words; None for what is none of the Hub's."""
    repo = model.repo
    if isinstance(error, GatedRepoError):
        return BundleError(
            f"{repo} is gated: its owners say who may have it. Ask for access on its page, and "
            "give a token of your account in HF_TOKEN."
        )
    if isinstance(error, RepositoryNotFoundError):
        return NoSuchModelError(
            f"The Hub has no model {repo}, or it is private. Look at how it is written; for a "
            "private one give a token that may read it in HF_TOKEN."
        )
    if isinstance(error, RevisionNotFoundError):
        return BundleError(
            f"{repo} has no revision {model.revision!r}. Name a branch, a tag or a commit of it."
        )
    if isinstance(error, HfHubHTTPError):
        return _said_by_status(error, repo)
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        return _said(error.__cause__, model)  # as the client tells of a file that it cannot send
    return _said_of_network(error, repo)


def _said_by_status(error: HfHubHTTPError, repo: str) -> BundleError:
    status = error.response.status_code
    if status in (401, 403):
        return BundleError(
            f"The Hub does not let this be done with {repo} (answer {status}). Give a token that "
            "may in HF_TOKEN: one that reads private models, or one that writes."
        )
    if status in (404, 410):
        return BundleError(
            f"What was asked of {repo} is not there (answer {status}). Ask again; if it goes on, "
            "look at HF_ENDPOINT, and at what stands between here and the Hub."
        )
    if status in (409, 412):
        return BundleError(
            f"{repo} was changed by somebody else meanwhile (answer {status}). Do it again."
        )
    if status == 429:
        return HubAwayError(f"The Hub was asked too often. Wait some minutes, then ask for {repo} "
                            "again.")  # fmt: skip
    if status >= 500:
        return HubAwayError(
            f"The Hub has trouble of its own (answer {status}). Ask for {repo} again later."
        )
    return BundleError(
        f"The Hub refused what was asked of {repo} (answer {status}: "
        f"{(error.server_message or 'no words')[:200]})."
    )


def _said_of_network(error: Exception, repo: str) -> BundleError | None:
    if isinstance(error, OfflineModeIsEnabled):
        return HubAwayError(f"HF_HUB_OFFLINE is set, so the Hub is not asked for {repo}. Unset it.")
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return HubAwayError(f"The Hub did not answer in time about {repo}. Look at the network, "
                            "and ask again.")  # fmt: skip
    if isinstance(error, LocalEntryNotFoundError | httpx2.HTTPError):
        return HubAwayError(
            f"The Hub cannot be reached for {repo}, or the connection broke. Look at the network, "
            "and ask again."
        )
    if isinstance(error, EntryNotFoundError):
        return BundleError(f"A file of {repo} is not on the Hub any more. Pull it again.")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return BundleError(
            f"The disk is full, so {repo} cannot be fetched. Make room where HF_HOME lies."
        )
    if isinstance(error, OSError) and "Consistency check failed" in str(error):
        return HubAwayError(f"A file of {repo} came cut off. Pull it again.")
    if isinstance(error, OSError):
        return BundleError(
            f"It went wrong with {repo} ({error.strerror or error}). Look at the network, and at "
            "who may write where HF_HOME lies."
        )
    if isinstance(error, HFValidationError):
        return BundleError(f"{shown(repo)} cannot be a name on the Hub ({shown(str(error))}).")
    if isinstance(error, ValueError | KeyError | TypeError):
        return HubAwayError(
            f"What answered about {repo} does not speak as the Hub does ({str(error)[:200]}). Look "
            "at HF_ENDPOINT, and at what stands between here and the Hub."
        )
    return None
