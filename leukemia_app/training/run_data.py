"""What a run works on: its pictures, prepared and dealt to the parts."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from leukemia_app.data.corrections import Change
from leukemia_app.data.manifest import Manifest
from leukemia_app.errors import RunError
from leukemia_app.training.batches import TrainingSet, draw_chances
from leukemia_app.training.config import RunConfig
from leukemia_app.training.corrections import take_along
from leukemia_app.training.costs import best_costs
from leukemia_app.training.estimate import Counts
from leukemia_app.training.events import Report
from leukemia_app.training.parts import Parts, choose_parts, keep_split
from leukemia_app.training.pixels import PixelCache, pictures_of, targets
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.seen import Seen, keep_seen, without_seen


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Everything a run works on."""

    config: RunConfig
    manifest: Manifest
    cache: PixelCache
    parts: Parts
    data: TrainingSet
    changes: tuple[Change, ...] = ()
    """What a person had corrected in these pictures."""
    seen: Seen | None = None
    """What the model that the run starts from had learned from of them."""


def load_run(config: RunConfig, folder: RunFolder, report: Report) -> Loaded:
    """The run's pictures, prepared once, with the same split at every start.

    Raises:
        AppError: data or settings cannot be used, or the pictures are others than before.
    """
    _check_places(config)
    manifest, cache = pictures_of(
        config, folder.path.parent / "cache",
        lambda done, total: report("prepare", done=done, total=total),
    )  # fmt: skip
    for problem in cache.problems:
        report("left out", reason=problem)
    parts, seen = without_seen(choose_parts(cache.rows, config), cache.rows, cache.digests, config)
    keep_seen(folder, seen)
    changes = take_along(folder, config.groups, cache.rows)
    keep_split(folder.path, cache.rows, parts)
    _tell_plan(config, parts, len(manifest.rows), folder.path.parent / "cache", report)
    numbers = targets(cache.rows, config.labels)
    groups = np.array([cache.rows[row].group for row in parts.learn])
    chances = np.zeros(len(numbers))
    chances[parts.learn] = draw_chances(numbers[parts.learn], groups, config.balance)
    data = TrainingSet(
        pixels=cache.pixels, targets=numbers, chances=chances, learn=parts.learn, check=parts.check
    )
    return Loaded(config=config, manifest=manifest, cache=cache, parts=parts, data=data,
                  changes=changes, seen=seen)  # fmt: skip


def _tell_plan(config: RunConfig, parts: Parts, n_rows: int, cache: Path, report: Report) -> None:
    """What the time that is left can be told from."""
    counts = Counts(
        every=n_rows, learn=len(parts.learn), check=len(parts.check), test=len(parts.test)
    )
    _, costs = best_costs(config, cache)
    report("plan", counts=asdict(counts), costs=asdict(costs))


def _check_places(config: RunConfig) -> None:
    """Refuse folders that only the last phase looks into, before hours of training."""
    for name, place in (("outside", config.outside), *config.external.items()):
        if place is not None and not Path(place).is_dir():
            raise RunError(f"{place} ({name}) is not a folder; give the folder of its pictures.")
