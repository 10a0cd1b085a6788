"""One of the visitor's own pictures: on its way to the network, and disturbed as in training."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from leukemia_app.errors import AppError
from leukemia_app.imaging.decode import Limits, read_picture
from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.imaging.prepare import prepare
from leukemia_app.training.augment_kinds import strips
from leukemia_app.training.config import RunConfig
from leukemia_app.ui.components import picture_uri
from leukemia_app.ui.train_settings import SETTINGS, changed

MORE, AUGMENT = "more", "augment"
"""The folds of settings, as the page's script calls them: what is closed is not computed."""
STAGE_PX = 112
MOST_PX = 1200
"""A larger picture is shrunk first: what is shown is small."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What is shown of the picture; empty where it cannot be read."""

    stages: tuple[tuple[str, str], ...] = ()
    """Name and address of each stage on its way to the network."""
    strips: Mapping[str, bytes] = field(default_factory=dict)
    """A JPEG file by kind of augmentation."""


def samples(
    path: Path,
    preset: RunConfig,
    changes: Mapping[str, Any],
    folds: frozenset[str],
    limits: Limits,
) -> Samples:
    """The picture in that file as the open folds show it; changes that cannot be are left out."""
    if not folds & {MORE, AUGMENT}:
        return Samples()
    try:
        picture = read_picture(path, limits)
    except AppError:
        return Samples()
    recipe = _shown(preset, changes, "recipe.").recipe
    try:
        prepared = prepare(replace(picture, pixels=thumbnail(picture.pixels, MOST_PX)), recipe)
    except AppError:
        return Samples()
    stages = tuple(
        (stage.name, picture_uri(thumbnail(stage.pixels, STAGE_PX))) for stage in prepared.stages
    )
    how = _shown(preset, changes, "augment.").augment
    return Samples(
        stages=stages if MORE in folds else (),
        strips=strips(prepared.pixels, how) if AUGMENT in folds else {},
    )


def _shown(preset: RunConfig, changes: Mapping[str, Any], within: str) -> RunConfig:
    """With each of those changes that can be made after the ones before."""
    made = preset
    # By the names there are: a stranger may send any number of others.
    for name in SETTINGS:
        if name.startswith(within) and name in changes:
            try:
                made = changed(made, {name: changes[name]})
            except AppError:
                continue
    return made
