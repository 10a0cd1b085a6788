"""Pictures that the model a run starts from has learned from: they prove nothing of the run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leukemia_app.archives.safe_names import counted
from leukemia_app.bundles.spec import SEEN_DIGITS, Spec
from leukemia_app.bundles.store import read_spec
from leukemia_app.data.manifest import Row
from leukemia_app.errors import RunError
from leukemia_app.training.config import RunConfig
from leukemia_app.training.job_folder import JobFolder
from leukemia_app.training.parts import Parts

SEEN_FILE = "seen.json"
"""Of a run's folder, where the model that it starts from had seen some of its pictures."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How many pictures of the kept-back parts the start, or a parent of it, had learned from."""

    start: str
    """Id of the bundle."""
    n_test: int
    """Pictures left out of the test part: those seen, and the others of their groups."""
    n_check: int
    """Pictures of the validation part that were seen; they stay."""

    def in_words(self) -> str:
        """What follows for the figures."""
        said = []
        if self.n_test:
            said.append(
                f"{counted(self.n_test, 'test picture')} left out: {self.start}, which the "
                "training started from, or a model before it, had learned from their groups."
            )
        if self.n_check:
            said.append(
                f"{counted(self.n_check, 'validation picture')} had been seen by {self.start} "
                "too: the thresholds, fitted on them, may be too sure."
            )
        return " ".join(said)


def start_spec(config: RunConfig) -> Spec | None:
    """The bundle that the run starts from; None for another start.

    Raises:
        BundleError: its bundle.json cannot be read.
    """
    kind, _, place = config.start.partition(":")
    return read_spec(Path(place)) if kind == "bundle" else None


def without_seen(
    parts: Parts, rows: Sequence[Row], digests: Sequence[str], config: RunConfig
) -> tuple[Parts, Seen | None]:
    """The parts without test pictures whose group the start learned from; None: it saw none.

    `digests` are those of the pixels of `rows`. Where the split is by picture, so is this.

    Raises:
        RunError: not one test picture is left.
        BundleError: the start cannot be read.
    """
    spec = start_spec(config)
    if spec is None or not spec.seen:
        return parts, None
    known = frozenset(spec.seen)
    is_seen = np.array([digest[:SEEN_DIGITS] in known for digest in digests], bool)
    by_file = config.split == "image"
    groups = np.array([row.file if by_file else row.group for row in rows])
    fresh = parts.test[~np.isin(groups[parts.test], groups[parts.test][is_seen[parts.test]])]
    found = Seen(start=spec.id, n_test=len(parts.test) - len(fresh),
                 n_check=_count(is_seen, parts.check))  # fmt: skip
    if not found.in_words():
        return parts, None
    if not len(fresh):
        raise RunError(
            f"{spec.id}, which the run starts from, has learned from pictures of every group of "
            "the test part, so no figure of this run could be believed. Start from another model, "
            "or keep other pictures back for the test."
        )
    return replace(parts, test=fresh), found


def keep_seen(folder: JobFolder, seen: Seen | None) -> None:
    """Write it down for the report.

    Raises:
        RunError: it cannot be written.
    """
    if seen is not None:
        folder.write_json(SEEN_FILE, asdict(seen))


def kept_seen(folder: JobFolder) -> Seen | None:
    """What `keep_seen` wrote; None where there is nothing that can be read."""
    values: Any = folder.read_json(SEEN_FILE)
    try:
        return None if values is None else Seen(**values)
    except TypeError:
        return None


def _count(is_seen: NDArray[np.bool_], part: NDArray[np.int64]) -> int:
    return int(is_seen[part].sum())
