"""What the Train tab does with the engine: data sets, plans and runs; no Gradio and no layout.

Everything lies in folders and nothing here: a page that is loaded again, another tab and another
server find the same.
"""

import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leukemia_app.bundles.library import Library
from leukemia_app.bundles.spec import Spec
from leukemia_app.data.findings import ONE_CLASS
from leukemia_app.data.groups import check_pattern
from leukemia_app.data.manifest import Manifest, read_manifest
from leukemia_app.errors import AppError, DatasetError, RunError
from leukemia_app.networks.backbones import BACKBONES
from leukemia_app.networks.heads import HEADS
from leukemia_app.settings import Settings
from leukemia_app.training import jobs, runs
from leukemia_app.training.adapt import adapt_config
from leukemia_app.training.config import RunConfig
from leukemia_app.training.costs import best_costs
from leukemia_app.training.data_folder import (
    HEALTH,
    LEAK,
    LEAK_WISH,
    MANIFEST,
    SOURCE,
    DataFolder,
    DataSource,
)
from leukemia_app.training.estimate import Counts, estimate
from leukemia_app.training.job_queue import STATUS, JobQueue
from leukemia_app.training.parts import choose_parts
from leukemia_app.training.presets import Wanted, preset
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.runs import RunLine, RunView
from leukemia_app.training.start import matching_starts
from leukemia_app.ui.intake import Piece, place
from leukemia_app.ui.train_settings import changed

NAME_LENGTH = 60
ADAPT = "adapt"
"""Beside the presets: fits a model to few pictures of another laboratory."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person chose for a training."""

    backbone: str = "mobilenet"
    head: str = "attention"
    start: str = "none"
    preset: str = "quick"
    input: str = "cell"
    name: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the preset's; `recipe.` and `augment.` before a name reach in."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training that could be started, and how long it would take."""

    config: RunConfig
    counts: Counts
    seconds: Mapping[str, float]
    """By phase."""
    basis: str
    """`measured` on this machine, `likened` to what was measured here for other settings, or
    `guessed` for two cores."""


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


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One server's data sets and runs; whose they are is asked with every call."""

    settings: Settings
    library: Library
    with_commands: bool = False
    """Whether runs that the command line began are shown, too."""

    @property
    def can_train(self) -> bool:
        """Whether training is allowed here, and the libraries that it needs are installed."""
        return self.settings.training.is_on and find_spec("keras") is not None

    @property
    def runs(self) -> JobQueue:
        """The line of trainings."""
        return runs.runs_queue(self.settings)

    @property
    def checks(self) -> JobQueue:
        """The line of data checks."""
        return runs.checks_queue(self.settings)

    # ---- data sets ---------------------------------------------------------------------------

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
        name = f"{_id(title)}-{secrets.token_hex(3)}"
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

    def data_sets(self, owner: str) -> tuple[DataView, ...]:
        """Every data set of that owner, the newest first."""
        found = [DataFolder(path=path.parent) for path in self.checks.root.glob(f"*/{SOURCE}")]
        mine = [folder for folder in found if folder.owner() == owner]
        mine.sort(key=lambda folder: -(folder.path / "owner.json").stat().st_mtime)
        views = []
        for folder in mine:
            # One that is damaged must not hide the others.
            with suppress(AppError):
                views.append(self._data_view(folder))
        return tuple(views)

    def data_set(self, owner: str, data_id: str) -> DataView:
        """One data set.

        Raises:
            DatasetError: there is none of that owner with that id.
        """
        return self._data_view(self._data_folder(owner, data_id))

    def check_again(self, owner: str, data_id: str, **changes: Any) -> None:
        """Have a data set checked again, understood otherwise: aliases, choice, pattern, seed.

        Raises:
            DatasetError: there is no such data set, or the pattern is none.
            RunError: it is being checked.
        """
        folder = self._data_folder(owner, data_id)
        if jobs.standing(folder).is_running:
            raise RunError("This data set is being checked; wait until that has ended.")
        if changes.get("pattern"):
            check_pattern(changes["pattern"])
        folder.write_json(SOURCE, replace(folder.source(), **changes).to_dict())
        for name in (HEALTH, LEAK, LEAK_WISH):
            (folder.path / name).unlink(missing_ok=True)
        self.checks.submit(folder, again=True)

    def measure_leak(self, owner: str, data_id: str, start: str) -> None:
        """Have the leak measured on features of a bundle's backbone, or of ImageNet's MobileNet.

        Raises:
            DatasetError: there is no such data set.
            RunError: it is being checked, or the start cannot be used.
        """
        folder = self._data_folder(owner, data_id)
        (folder.path / LEAK).unlink(missing_ok=True)
        folder.write_json(LEAK_WISH, self._leak_wish(start))
        self.checks.submit(folder, again=True)

    def forget_data(self, owner: str, data_id: str) -> None:
        """Delete a data set's pictures and findings; runs that learned from it stay.

        A check that waits or is under way is ended.

        Raises:
            DatasetError: there is no such data set.
            RunError: the check does not end, or the folder cannot be deleted.
        """
        self.checks.remove(self._data_folder(owner, data_id), end=True)

    def _data_folder(self, owner: str, data_id: str) -> DataFolder:
        folder = DataFolder(path=self.checks.root / data_id)
        known = re.fullmatch(r"[a-z0-9][a-z0-9._-]*", data_id) and (folder.path / SOURCE).exists()
        if not known or folder.owner() != owner:
            raise DatasetError("This data set is not here any more. Give the pictures again.")
        return folder

    def _data_view(self, folder: DataFolder) -> DataView:
        now = jobs.standing(folder)
        events, _ = folder.events_from(0)
        told = [event for event in events if event["kind"] != "left out"]
        state = f"queued {self._place(folder)}" if now.is_waiting else now.state
        leak = folder.read_json(LEAK)
        return DataView(
            id=folder.path.name, source=folder.source(), state=state, reason=now.reason,
            doing=told[-1] if told else {}, health=folder.read_json(HEALTH), leak=leak,
            is_measuring=leak is None and (folder.path / LEAK_WISH).exists(), home=folder.path,
        )  # fmt: skip

    def _place(self, folder: DataFolder) -> int:
        waiting = self.checks.waiting()
        return waiting.index(folder.path.name) + 1 if folder.path.name in waiting else 1

    def _leak_wish(self, start: str) -> Mapping[str, Any]:
        """A `LeakWish` as plain values: its module needs the libraries of the training."""
        spec = self._spec_of(start)
        if spec is None:
            return {}
        return {"backbone": spec.network.backbone, "start": self.located(start),
                "side_px": spec.recipe.side_px, "window": spec.recipe.window}  # fmt: skip

    # ---- plans -------------------------------------------------------------------------------

    def starts(self, backbone: str) -> tuple[str, ...]:
        """Every start that fits a backbone, the likely best first."""
        return matching_starts(backbone, self._specs())

    def plan(self, owner: str, data_id: str, wish: Wish, *, measure: bool = False) -> Plan:
        """The settings of a training as wished for, and its time; `measure` takes some steps first.

        Raises:
            DatasetError: there is no such data set, or it has not been checked.
            RunError: a value cannot be trained with.
        """
        manifest = self._manifest(owner, data_id)
        config = changed(
            self._config(manifest, self.checks.root / data_id / MANIFEST, wish), wish.changes
        )
        parts = choose_parts(manifest.rows, config)
        counts = Counts(
            every=len(manifest.rows), learn=len(parts.learn), check=len(parts.check),
            test=len(parts.test),
        )  # fmt: skip
        # Beside the prepared pictures: the run reads it there, to tell the time that is left.
        cache = self.runs.root / "cache"
        basis, costs = best_costs(config, cache, measure=measure)
        return Plan(
            config=config, counts=counts, seconds=estimate(config, counts, costs), basis=basis
        )

    def preset(self, owner: str, data_id: str, wish: Wish) -> RunConfig:
        """The settings as wished for, before any of them was changed.

        Raises:
            DatasetError: as `plan`.
            RunError: as `plan`.
        """
        manifest = self._manifest(owner, data_id)
        return self._config(manifest, self.checks.root / data_id / MANIFEST, wish)

    def begin(self, owner: str, data_id: str, wish: Wish) -> str:
        """Start the training, or put it at the end of the line; its id.

        Raises:
            DatasetError: as `plan`.
            RunError: as `plan`, or training is turned off, or too many wait.
        """
        plan = self.plan(owner, data_id, wish)
        folder = runs.new_run(self.runs, plan.config, owner, n_images=plan.counts.every)
        # Its pictures are in use: they stay for as long as the run.
        (self._data_folder(owner, data_id).path / STATUS).touch()
        return folder.path.name

    def _manifest(self, owner: str, data_id: str) -> Manifest:
        folder = self._data_folder(owner, data_id)
        health = folder.read_json(HEALTH)
        if health is None:
            raise DatasetError("The pictures are still being checked; wait until that has ended.")
        level = str(health["group_level"])
        manifest = read_manifest(folder.pictures, folder.path / MANIFEST, level)
        if len(manifest.labels) < 2:
            raise DatasetError(f"{ONE_CLASS} Give pictures of another class, too.")
        return manifest

    def _config(self, manifest: Manifest, table: Path, wish: Wish) -> RunConfig:
        if wish.backbone not in BACKBONES:
            raise RunError(f"backbone is {wish.backbone!r}; use one of {', '.join(BACKBONES)}.")
        if wish.head not in HEADS:
            raise RunError(f"head is {wish.head!r}; use one of {', '.join(HEADS)}.")
        spec, start = self._spec_of(wish.start), self.located(wish.start)
        name = _id(wish.name or manifest.folder.parent.name)
        if wish.preset == ADAPT:
            if spec is None:
                raise RunError("Choose a model to start from: it is what is adapted.")
            folder = Path(start.removeprefix("bundle:"))
            return adapt_config(spec, folder, manifest, id=name, groups=table)
        fits = spec is not None and spec.recipe.input == wish.input
        return preset(wish.preset, manifest, Wanted(
            id=name, groups=table, backbone=wish.backbone, head=wish.head, start=start,
            input=wish.input, recipe=spec.recipe if spec and fits else None,
        ))  # fmt: skip

    def located(self, start: str) -> str:
        """The start with a bundle's folder in place of its id: a worker knows no library.

        Raises:
            RunError: no bundle of that id can be used.
        """
        kind, _, bundle = start.partition(":")
        if kind != "bundle":
            return start if start in ("imagenet", "none") else "none"
        folder = next((entry.folder for entry in self.library.entries()
                       if entry.id == bundle and entry.problem is None), None)  # fmt: skip
        if folder is None:
            raise RunError(f"There is no usable model {bundle!r} to start from; choose another.")
        return f"bundle:{folder}"

    def _spec_of(self, start: str) -> Spec | None:
        kind, _, bundle = start.partition(":")
        found = (spec for spec in self._specs() if spec.id == bundle)
        return next(found, None) if kind == "bundle" else None

    def _specs(self) -> list[Spec]:
        return [entry.spec for entry in self.library.entries()
                if entry.spec is not None and entry.problem is None]  # fmt: skip

    # ---- runs --------------------------------------------------------------------------------

    def list_runs(self, owner: str) -> tuple[RunLine, ...]:
        """Every run of that owner, the newest first."""
        return runs.list_runs(self.runs.root, owner, with_commands=self.with_commands)

    def run(self, owner: str, run_id: str) -> RunView:
        """One run as it is now.

        Raises:
            RunError: there is none of that owner with that id.
        """
        folder = self.run_folder(owner, run_id)
        return runs.look(folder, runs.read_on(folder))

    def run_folder(self, owner: str, run_id: str) -> RunFolder:
        """The folder of a run.

        Raises:
            RunError: there is none of that owner with that id.
        """
        return runs.find_run(self.runs.root, run_id, owner, with_commands=self.with_commands)

    def act(self, owner: str, run_id: str, action: str) -> None:
        """Stop, resume, finish or remove a run.

        Raises:
            RunError: there is no such run or action, or it cannot be done now.
        """
        folder = self.run_folder(owner, run_id)
        actions = {"stop": self.runs.stop, "resume": self.runs.submit,
                   "finish": self.runs.finish, "remove": self.runs.remove}  # fmt: skip
        if action not in actions:
            raise RunError(f"{action!r} is nothing that can be done with a run.")
        actions[action](folder)


def _title(name: str, pieces: Sequence[Piece]) -> str:
    """What the data set is called: the person's word, else the folder's or the file's."""
    first = pieces[0].name if pieces else ""
    title = " ".join((name or first.split("/")[0]).split())
    return title.removesuffix(".zip")[:NAME_LENGTH] or "my pictures"


def _id(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:NAME_LENGTH] or "my-pictures"
