"""What a training must remember so that going on equals never having stopped."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import keras
import numpy as np

from leukemia_app.errors import RunError
from leukemia_app.imaging.picture import FloatArray


@dataclass(kw_only=True)
class Progress:
    """Counters of one phase; on disk they change only at the end of an epoch."""

    epoch: int = 0
    """Epochs that are done."""
    step: int = 0
    best_loss: float = float("inf")
    best_epoch: int = 0
    rate_factor: float = 1.0
    """What plateaus have left of the learning rate."""
    lowest_loss: float = float("inf")
    """Validation loss that the next epochs must fall below, or the rate is cut."""
    level_epochs: int = 0
    """Epochs in which it did not."""
    average: list[FloatArray] = field(default_factory=list)
    """Running average of all weights, in the model's order."""


def seed_states(model: keras.Model) -> list[keras.Variable]:
    """The random states of every dropout and the like; not part of a weights file."""
    return [generator.state for layer in model._flatten_layers() for generator in _seeds(layer)]


def _seeds(layer: keras.layers.Layer) -> list[keras.random.SeedGenerator]:
    return list(getattr(layer, "_seed_generators", []))


def save_state(folder: Path, model: keras.Model, progress: Progress) -> None:
    """Write weights, optimizer, random states and counters; the last two epochs are kept."""
    draft = folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    variables = model.variables + model.optimizer.variables + seed_states(model)
    named = chain(
        ((f"v{number}", value) for number, value in enumerate(variables)),
        ((f"a{number}", value) for number, value in enumerate(progress.average)),
    )
    _write(draft / "arrays.npz", named)
    counters = {name: value for name, value in vars(progress).items() if name != "average"}
    counters["n_average"] = len(progress.average)
    (draft / "progress.json").write_text(json.dumps(counters), encoding="utf-8")
    done = folder / f"{progress.epoch:04d}"
    shutil.rmtree(done, ignore_errors=True)
    draft.replace(done)
    for old in sorted(folder.glob("[0-9]*"))[:-2]:
        shutil.rmtree(old)


def _write(path: Path, named: Iterable[tuple[str, Any]]) -> None:
    """As `np.savez`, but one array at a time: together they are three times the network."""
    with ZipFile(path, "w") as archive:
        for name, value in named:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(value), allow_pickle=False)


def load_state(folder: Path, model: keras.Model) -> Progress | None:
    """Put the newest whole state into the model and its optimizer; None where there is none.

    Raises:
        RunError: the state cannot be read, or belongs to another network.
    """
    found = sorted(path for path in folder.glob("[0-9]*") if (path / "progress.json").exists())
    if not found:
        return None
    variables = model.variables + model.optimizer.variables + seed_states(model)
    try:
        counters = json.loads((found[-1] / "progress.json").read_text(encoding="utf-8"))
        path = found[-1] / "arrays.npz"
        # Opened here: NumPy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            for number, variable in enumerate(variables):
                variable.assign(arrays[f"v{number}"])
            average = [arrays[f"a{number}"] for number in range(counters.pop("n_average"))]
        return Progress(**counters, average=average)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise RunError(
            f"{found[-1]} cannot be read ({error}). Remove this folder to go on from the epoch "
            "before, or from the start where there is none."
        ) from error


def save_weights(path: Path, weights: list[FloatArray]) -> None:
    """Write a list of arrays in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name("draft.npz")
    np.savez(draft, *weights)
    draft.replace(path)


def load_weights(path: Path) -> list[FloatArray]:
    """Read what `save_weights` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return [arrays[f"arr_{number}"] for number in range(len(arrays.files))]
