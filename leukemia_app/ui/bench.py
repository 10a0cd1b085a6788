"""What the Train tab does with the engine: plans and runs; no Gradio and no layout.

Everything lies in folders and nothing here: a page that is loaded again, another tab and another
server find the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leukemia_app.bundles.library import Library
from leukemia_app.bundles.spec import Spec
from leukemia_app.data.manifest import Manifest
from leukemia_app.errors import RunError
from leukemia_app.networks.backbones import BACKBONES
from leukemia_app.networks.heads import HEADS
from leukemia_app.settings import Settings
from leukemia_app.training import runs
from leukemia_app.training.adapt import adapt_config
from leukemia_app.training.config import RunConfig
from leukemia_app.training.costs import best_costs
from leukemia_app.training.data_folder import MANIFEST
from leukemia_app.training.estimate import Counts, estimate
from leukemia_app.training.job_queue import STATUS, JobQueue
from leukemia_app.training.parts import choose_parts
from leukemia_app.training.presets import EFFORTS, Wanted, preset
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.runs import RunLine, RunView
from leukemia_app.training.start import matching_starts
from leukemia_app.ui.data_sets import DataSets, id_of
from leukemia_app.ui.train_settings import changed

ADAPT = "adapt"
"""Beside the presets: fits a model to few pictures of another laboratory."""
BUNDLE = "bundle:"
"""How a start begins that is a model."""


def presets_of(starts: Sequence[str]) -> tuple[str, ...]:
    """The presets where a network has these starts: only a model can be adapted."""
    return (*EFFORTS, *([ADAPT] if any(start.startswith(BUNDLE) for start in starts) else []))


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
    def data(self) -> DataSets:
        """Its data sets."""
        return DataSets(settings=self.settings)

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
        manifest = self.data.manifest(owner, data_id)
        config = changed(self._config(manifest, wish), wish.changes)
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
        return self._config(self.data.manifest(owner, data_id), wish)

    def begin(self, owner: str, data_id: str, wish: Wish) -> str:
        """Start the training, or put it at the end of the line; its id.

        Raises:
            DatasetError: as `plan`.
            RunError: as `plan`, or training is turned off, or too many wait.
        """
        plan = self.plan(owner, data_id, wish)
        folder = runs.new_run(self.runs, plan.config, owner, n_images=plan.counts.every)
        # Its pictures are in use: they stay for as long as the run.
        (self.data.folder(owner, data_id).path / STATUS).touch()
        return folder.path.name

    def measure_leak(self, owner: str, data_id: str, start: str) -> None:
        """Have the leak measured on features of a bundle's backbone, or of ImageNet's MobileNet.

        Raises:
            DatasetError: there is no such data set.
            RunError: it is being checked, or the start cannot be used.
        """
        self.data.measure_leak(owner, data_id, self._leak_wish(start))

    def _config(self, manifest: Manifest, wish: Wish) -> RunConfig:
        if wish.backbone not in BACKBONES:
            raise RunError(f"backbone is {wish.backbone!r}; use one of {', '.join(BACKBONES)}.")
        if wish.head not in HEADS:
            raise RunError(f"head is {wish.head!r}; use one of {', '.join(HEADS)}.")
        spec, start = self._spec_of(wish.start), self.located(wish.start)
        home = manifest.folder.parent
        name, table = id_of(wish.name or home.name), home / MANIFEST
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

    def _leak_wish(self, start: str) -> Mapping[str, Any]:
        """A `LeakWish` as plain values: its module needs the libraries of the training."""
        spec = self._spec_of(start)
        if spec is None:
            return {}
        return {"backbone": spec.network.backbone, "start": self.located(start),
                "side_px": spec.recipe.side_px, "window": spec.recipe.window}  # fmt: skip

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
