"""Settings to begin with: quick, balanced or thorough, fitted to the pictures at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukemia_app.data.manifest import Manifest
from leukemia_app.data.split import SHARES
from leukemia_app.errors import RunError
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.augment import Augment
from leukemia_app.training.config import BASELINES, RunConfig

LEAST_STEPS, BATCH = 16, 32
"""An epoch of a small data set repeats its pictures, each time disturbed otherwise."""
HEAD_STEPS = 600
"""What a head needs in all, however few steps an epoch has; they take milliseconds each."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What a preset spends."""

    words: str
    """For the person who chooses; of a network that starts from features."""
    scratch_words: str
    """The same of a network that starts from nothing."""
    largest_side_px: int
    n_features: int
    """Disturbed pictures whose features the head learns from, about."""
    tune_epochs: int
    """Of a network that starts from features somebody else's pictures gave it."""
    tuned_part: float
    """Share of its blocks, from the end, that are tuned."""
    most_steps: int
    """Of an epoch of tuning."""
    scratch_epochs: int
    """Of a network that starts from nothing."""
    extras: bool
    """Whether every control and the classical models are scored, too."""


EFFORTS: Mapping[str, Effort] = {
    "quick": Effort(
        words="A first answer: a new head on known features, and little tuning.",
        scratch_words="A first answer: the whole network learns from nothing, for a short time.",
        largest_side_px=160, n_features=1500, tune_epochs=8, tuned_part=1 / 3,
        most_steps=40, scratch_epochs=12, extras=False,
    ),
    "balanced": Effort(
        words="What most people want: a new head, then the whole network.",
        scratch_words="What most people want: the whole network learns from nothing.",
        largest_side_px=224, n_features=6000, tune_epochs=12, tuned_part=1,
        most_steps=200, scratch_epochs=40, extras=False,
    ),
    "thorough": Effort(
        words="For a figure to publish: longer, with every control and the classical models.",
        scratch_words="For a figure to publish: all is learned from nothing, longer, with every "
        "control and the classical models.",
        largest_side_px=299, n_features=12_000, tune_epochs=40, tuned_part=1,
        most_steps=1000, scratch_epochs=120, extras=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person chose beside the preset."""

    id: str
    """Of the bundle to be made."""
    groups: Path | None
    """The manifest's table, if it has one."""
    backbone: str
    head: str
    start: str = "none"
    input: str = "cell"
    """What a picture shows: one `cell`, or a `field` of many."""
    recipe: Recipe | None = None
    """That of the bundle to start from: what a backbone has learned holds for pictures that are
    prepared likewise. None: one for the backbone."""


def preset(name: str, manifest: Manifest, wanted: Wanted) -> RunConfig:
    """The settings of a preset for the pictures of a manifest. Needs Keras.

    Raises:
        RunError: the preset, the backbone or a value is unknown.
    """
    from leukemia_app.networks.backbones import BLOCKS, SCALINGS, SIDES

    if name not in EFFORTS:
        raise RunError(f"preset is {name!r}; use one of {', '.join(EFFORTS)}.")
    if wanted.backbone not in BLOCKS:
        raise RunError(f"backbone is {wanted.backbone!r}; use one of {', '.join(BLOCKS)}.")
    effort, blocks = EFFORTS[name], BLOCKS[wanted.backbone]
    recipe = wanted.recipe or Recipe(
        input=wanted.input, side_px=min(SIDES[wanted.backbone], effort.largest_side_px),
        scaling=SCALINGS[wanted.backbone],
    )  # fmt: skip
    n_learn = _n_learn(manifest)
    first = round(len(blocks) * (1 - effort.tuned_part))
    phases = (
        _from_nothing(effort) if wanted.start == "none"
        else _from_features(effort, n_learn, blocks[first] if first else "")
    )  # fmt: skip
    return RunConfig(
        id=wanted.id, data=str(manifest.folder),
        groups=str(wanted.groups) if wanted.groups else None, group_level=manifest.group_level,
        labels=manifest.labels, backbone=wanted.backbone, head=wanted.head, start=wanted.start,
        recipe=recipe, shares=SHARES, precision="auto", batch_size=BATCH,
        balance=_balance(manifest), augment=_augment(recipe), controls=_controls(recipe, effort),
        steps_per_epoch=min(effort.most_steps, max(LEAST_STEPS, n_learn // BATCH)),
        baselines=BASELINES if effort.extras else (), **phases,
    )  # fmt: skip


def _n_learn(manifest: Manifest) -> int:
    """Pictures to learn from, about: the split may not be made yet."""
    given = len(manifest.part("train"))
    return given or max(1, round(len(manifest.rows) * SHARES[0]))


def _from_features(effort: Effort, n_learn: int, tune_from: str) -> dict[str, Any]:
    head_epochs = min(150, max(20, HEAD_STEPS // max(1, n_learn // BATCH)))
    return {
        "head_epochs": head_epochs, "head_patience": head_epochs // 4,
        "feature_copies": min(8, max(1, round(effort.n_features / n_learn))),
        "tune_epochs": effort.tune_epochs, "tune_from": tune_from, "tune_rate": 1e-4,
        "average_momentum": 0.9 if effort.tune_epochs <= 10 else 0.98, "patience": 5,
        "keep_start": True,
    }  # fmt: skip


def _from_nothing(effort: Effort) -> dict[str, Any]:
    return {
        "head_epochs": 0, "tune_epochs": effort.scratch_epochs, "tune_rate": 1e-3,
        "frozen_normalisation": False, "patience": max(5, effort.scratch_epochs // 4),
        "average_momentum": 0.95,
    }  # fmt: skip


def _balance(manifest: Manifest) -> str:
    """By patient or run where some have many pictures, so that no one of them drowns the rest."""
    n_groups = len({row.group for row in manifest.rows})
    return "group" if 1 < n_groups < len(manifest.rows) else "class"


def _augment(recipe: Recipe) -> Augment:
    if recipe.input == "field":
        return Augment()
    # One cell fills the picture: there is no scale bar, and its size may be what tells.
    return Augment(bar_probability=0, zoom=0.06, black_border=recipe.blank_background)


def _controls(recipe: Recipe, effort: Effort) -> tuple[str, ...]:
    if effort.extras:
        return ("colour", "size", "background", "cells")
    return ("colour", "size") if recipe.input == "cell" else ("colour", "background")
