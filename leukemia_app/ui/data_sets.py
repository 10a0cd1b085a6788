"""The data sets of the Train tab: take in, check, look at, delete; no Gradio and no layout."""

import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leukemia_app.data.findings import ONE_CLASS
from leukemia_app.data.groups import check_pattern
from leukemia_app.data.manifest import Manifest, read_manifest
from leukemia_app.errors import AppError, DatasetError, RunError
from leukemia_app.settings import Settings
from leukemia_app.training import jobs, runs
from leukemia_app.training.data_folder import (
    HEALTH,
    LEAK,
    LEAK_WISH,
    MANIFEST,
    SOURCE,
    DataFolder,
    DataSource,
)
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.ui.intake import Piece, place

NAME_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class DataView:
    """A data set as it is now."""

    id: str
    source: DataSource
    state: str
    reason: str
    doing: Mapping[str, Any]
    """Numbers of the last event that says how far the check is."""
    health: Mapping[str, Any] | None
    leak: Mapping[str, Any] | None
    is_measuring: bool
    """Whether the leak is asked for and not measured yet."""
    home: Path
    given: float
    """When it was given, in seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class DataSets:
    """One server's data sets; whose they are is asked with every call."""

    settings: Settings

    @property
    def checks(self) -> JobQueue:
        """The line of data checks."""
        return runs.checks_queue(self.settings)

    def take_in(
        self,
        owner: str,
        pieces: Sequence[Piece],
        name: str,
        *,
        not_sent: Mapping[str, int] | None = None,
    ) -> str:
        """Lay uploaded files out as a data set of that owner and have it checked; its id.

        Raises:
            DatasetError: there is nothing to learn from.
            RunError: training is turned off, too many wait, or the disk is full.
        """
        title = _title(name, pieces)
        name = f"{id_of(title)}-{secrets.token_hex(3)}"
        draft = DataFolder(path=self.settings.state_dir / "intake" / name)
        try:
            taken = place(pieces, draft.path, self.settings.training.images)
            ignored = dict(taken.ignored) | dict(not_sent or {})
            source = DataSource(name=title, source="uploaded", ignored=ignored)
            draft.write_json(SOURCE, source.to_dict())
            draft.write_json("owner.json", {"owner": owner})
            self.checks.root.mkdir(parents=True, exist_ok=True)
            draft.path.rename(self.checks.root / name)
        except OSError as error:
            raise RunError(
                f"The pictures cannot be kept ({error.strerror or error}). Make room on the "
                "server's disk, then give them again."
            ) from error
        finally:
            shutil.rmtree(draft.path, ignore_errors=True)
        try:
            self.checks.submit(DataFolder(path=self.checks.root / name))
        except RunError:
            shutil.rmtree(self.checks.root / name, ignore_errors=True)
            raise
        return name

    def listed(self, owner: str) -> tuple[DataView, ...]:
        """Every data set of that owner, the newest first."""
        found = [DataFolder(path=path.parent) for path in self.checks.root.glob(f"*/{SOURCE}")]
        mine = [folder for folder in found if folder.owner() == owner]
        mine.sort(key=lambda folder: -_given(folder))
        views = []
        for folder in mine:
            # One that is damaged must not hide the others.
            with suppress(AppError):
                views.append(self._view(folder))
        return tuple(views)

    def view(self, owner: str, data_id: str) -> DataView:
        """One data set.

        Raises:
            DatasetError: there is none of that owner with that id.
        """
        return self._view(self.folder(owner, data_id))

    def check_again(self, owner: str, data_id: str, **changes: Any) -> None:
        """Have a data set checked again, understood otherwise: aliases, choice, pattern, seed.

        Raises:
            DatasetError: there is no such data set, or the pattern is none.
            RunError: it is being checked.
        """
        folder = self.folder(owner, data_id)
        if jobs.standing(folder).is_running:
            raise RunError("This data set is being checked; wait until that has ended.")
        if changes.get("pattern"):
            check_pattern(changes["pattern"])
        folder.write_json(SOURCE, replace(folder.source(), **changes).to_dict())
        for name in (HEALTH, LEAK, LEAK_WISH):
            (folder.path / name).unlink(missing_ok=True)
        self.checks.submit(folder, again=True)

    def measure_leak(self, owner: str, data_id: str, wish: Mapping[str, Any]) -> None:
        """Have the leak measured; the wish is a `LeakWish` as plain values.

        Raises:
            DatasetError: there is no such data set.
            RunError: it is being checked.
        """
        folder = self.folder(owner, data_id)
        (folder.path / LEAK).unlink(missing_ok=True)
        folder.write_json(LEAK_WISH, wish)
        self.checks.submit(folder, again=True)

    def forget(self, owner: str, data_id: str) -> None:
        """Delete a data set's pictures and findings; runs that learned from it stay.

        A check that waits or is under way is ended.

        Raises:
            DatasetError: there is no such data set.
            RunError: the check does not end, or the folder cannot be deleted.
        """
        self.checks.remove(self.folder(owner, data_id), end=True)

    def manifest(self, owner: str, data_id: str) -> Manifest:
        """The pictures of a data set with their labels and groups.

        Raises:
            DatasetError: there is no such data set, it has not been checked, or it has one class.
        """
        folder = self.folder(owner, data_id)
        health = folder.read_json(HEALTH)
        if health is None:
            raise DatasetError("The pictures are still being checked; wait until that has ended.")
        level = str(health["group_level"])
        manifest = read_manifest(folder.pictures, folder.path / MANIFEST, level)
        if len(manifest.labels) < 2:
            raise DatasetError(f"{ONE_CLASS} Give pictures of another class, too.")
        return manifest

    def folder(self, owner: str, data_id: str) -> DataFolder:
        """The folder of a data set.

        Raises:
            DatasetError: there is none of that owner with that id.
        """
        folder = DataFolder(path=self.checks.root / data_id)
        known = re.fullmatch(r"[a-z0-9][a-z0-9._-]*", data_id) and (folder.path / SOURCE).exists()
        if not known or folder.owner() != owner:
            raise DatasetError("This data set is not here any more. Give the pictures again.")
        return folder

    def _view(self, folder: DataFolder) -> DataView:
        now = jobs.standing(folder)
        events, _ = folder.events_from(0)
        told = [event for event in events if event["kind"] != "left out"]
        state = f"queued {self._place(folder)}" if now.is_waiting else now.state
        leak = folder.read_json(LEAK)
        return DataView(
            id=folder.path.name, source=folder.source(), state=state, reason=now.reason,
            doing=told[-1] if told else {}, health=folder.read_json(HEALTH), leak=leak,
            is_measuring=leak is None and (folder.path / LEAK_WISH).exists(), home=folder.path,
            given=_given(folder),
        )  # fmt: skip

    def _place(self, folder: DataFolder) -> int:
        waiting = self.checks.waiting()
        return waiting.index(folder.path.name) + 1 if folder.path.name in waiting else 1


def _given(folder: DataFolder) -> float:
    """When it was given: nothing writes this file again."""
    return (folder.path / "owner.json").stat().st_mtime


def _title(name: str, pieces: Sequence[Piece]) -> str:
    """What the data set is called: the person's word, else the folder's or the file's."""
    first = pieces[0].name if pieces else ""
    title = " ".join((name or first.split("/")[0]).split())
    return title.removesuffix(".zip")[:NAME_LENGTH] or "my pictures"


def id_of(title: str) -> str:
    """The title as part of a folder's name: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:NAME_LENGTH] or "my-pictures"
