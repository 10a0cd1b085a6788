"""Examples from a data set of the Hugging Face Hub, fetched while the page is already served."""

import glob
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import get_cached_repo_tree, snapshot_download
from huggingface_hub.errors import CachedRepoTreeNotFoundError

from leukemia_app.errors import AppError, SettingError
from leukemia_app.hub_names import HubDataset
from leukemia_app.imaging.decode import Limits
from leukemia_app.ui.examples import (
    LIST_FILE,
    Example,
    Shelf,
    described,
    is_picture,
    read_examples,
)

MAX_BYTES = 50_000_000
"""What the pictures of one data set may take together."""
ALWAYS_THERE = ".gitattributes"
"""Every repository has it; the client warns of a request that no file answers."""
WORKERS = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Hub:
    """Where the Hub is and what was fetched is kept; None: as its client's own variables say."""

    endpoint: str | None = None
    cache: Path | None = None


def stock(shelf: Shelf, dataset: HubDataset, limits: Limits, hub: Hub = Hub()) -> None:
    """Put the data set's examples on the shelf; where that fails it stays, and the log says why."""
    try:
        shelf.examples = fetch_examples(dataset, limits, hub)
    except (AppError, OSError, ValueError, httpx2.HTTPError, CachedRepoTreeNotFoundError) as error:
        log.warning(
            "LEUKEMIA_EXAMPLES: the data set %s@%s gave no examples, so the shipped ones stay: %s",
            dataset.repo, dataset.revision, " ".join(str(error).split()),
        )  # fmt: skip
    else:
        log.info("%d examples from the data set %s", len(shelf.examples), dataset.repo)


def fetch_examples(dataset: HubDataset, limits: Limits, hub: Hub = Hub()) -> tuple[Example, ...]:
    """The examples of a data set, of at most `MAX_BYTES`; without a network those in the cache.

    Nothing but its list and the pictures chosen is fetched.

    Raises:
        SettingError: the list is none, or there is no picture that can be read.
        OSError, HTTPError: the data set can neither be reached nor is it in the cache.
    """

    def snapshot(revision: str, names: Sequence[str]) -> Path:
        patterns = [glob.escape(name) for name in names]
        return Path(
            snapshot_download(
                dataset.repo, repo_type="dataset", revision=revision, allow_patterns=patterns,
                cache_dir=hub.cache, endpoint=hub.endpoint, max_workers=WORKERS,
            )
        )  # fmt: skip

    folder = snapshot(dataset.revision, [LIST_FILE, ALWAYS_THERE])
    commit = folder.name
    tree = get_cached_repo_tree(
        dataset.repo, repo_type="dataset", revision=commit, cache_dir=hub.cache
    )
    sizes = {file.path: file.size for file in tree if is_picture(file.path)}
    entries = _affordable(described(folder, sorted(sizes)), sizes, limits.max_bytes)
    found: tuple[Example, ...] = ()
    if entries:
        names = [str(entry["file"]) for entry in entries]
        found = read_examples(snapshot(commit, names), entries, limits)
    if not found:
        raise SettingError("it holds no picture that can be read.")
    return found


def _affordable(
    entries: Sequence[Mapping[str, Any]], sizes: Mapping[str, int], largest: int
) -> list[Mapping[str, Any]]:
    """Entries whose file is there and small enough, until all together would be too large."""
    kept, left = [], MAX_BYTES
    for entry in entries:
        size = sizes.get(str(entry["file"]))
        if size is not None and size <= min(largest, left):
            kept.append(entry)
            left -= size
    return kept
