"""Every setting that can be changed in the Train tab: its words, its bounds, and its choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leukemia_app.errors import RunError
from leukemia_app.networks.backbones import BLOCKS, SMALLEST_SIDES
from leukemia_app.networks.heads import DROPOUT
from leukemia_app.training import augment, config
from leukemia_app.training.augment_kinds import KINDS
from leukemia_app.training.config import NORMALISATION, RunConfig
from leukemia_app.ui import settings_text as text

BASELINES = "baselines"
TUNE_FROM = "tune_from"
SIDE = "recipe.side_px"
WIDTHS: Mapping[str, tuple[float, float]] = {
    SIDE: (32, 1024), "recipe.window": (0.1, 1), "recipe.crop_margin": (0, 2),
    "head_arguments.dropout": config.DROPOUTS,
}  # fmt: skip
"""Least and largest value of the numbers that have no table of their own."""
DEFAULTS: Mapping[str, Any] = {"head_arguments.dropout": DROPOUT}
"""Of settings that a configuration may leave out."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting. Without choices it is a switch or a number, as its value is."""

    name: str
    """In `RunConfig`; `recipe.` and `augment.` before a name reach in."""
    title: str
    choices: Mapping[str, str] = field(default_factory=dict)
    """What each value is called."""
    step: float = 1
    unit: str = ""
    hint: str = ""
    empty: str = ""
    """What no number means, where there may be none."""
    is_broad: bool = False
    """Whether its choices need the room of two fields."""


GROUPS: Mapping[str, tuple[Setting, ...]] = {
    text.PICTURE: (
        Setting(name=SIDE, title="Side of the input", step=16, unit="px",
                hint="More shows more, and takes longer."),
        Setting(name="recipe.colour", title="Colour", choices=text.COLOURS),
        Setting(name="recipe.denoise", title="Noise correction", choices=text.DENOISE),
        Setting(name="recipe.segmentation", title="Segmentation", choices=text.SEGMENTATION),
        Setting(name="recipe.crop_margin", title="Crop to the cell, room round it", step=0.05,
                empty="no crop: keep the scale",
                hint="Needs a segmentation."),
        Setting(name="recipe.blank_background", title="Background black",
                hint="Needs a segmentation."),
        Setting(name="recipe.window", title="Central part kept", step=0.05, unit="of the side"),
        Setting(name="recipe.fit", title="Where a picture is not square", choices=text.FITS),
        Setting(name="recipe.views", title="Views averaged for an answer", choices=text.VIEWS,
                hint="Turned and mirrored. More is slower in use."),
    ),
    text.NETWORK: (
        Setting(name=TUNE_FROM, title="Tuned from this block on", is_broad=True),
        Setting(name="frozen_normalisation", title="Keep the normalisation as it came",
                hint="Off for a network that starts from nothing."),
        Setting(name="head_arguments.dropout", title="Dropout before the answer", step=0.05),
        Setting(name="precision", title="Arithmetic", choices=text.PRECISIONS),
    ),
    text.TRAINING: (
        Setting(name="head_epochs", title="Epochs of the head", hint="0 trains all at once."),
        Setting(name="head_rate", title="Learning rate of the head", step=0.0001),
        Setting(name="head_patience", title="Patience of the head", unit="epochs",
                hint="0 trains to the end."),
        Setting(name="feature_copies", title="Disturbed copies for the head",
                hint="Of each picture."),
        Setting(name="tune_epochs", title="Epochs of tuning",
                hint="0 leaves the network as it is."),
        Setting(name="tune_rate", title="Learning rate of tuning", step=0.00001),
        Setting(name="patience", title="Patience of tuning", unit="epochs",
                hint="0 trains to the end."),
        Setting(name="steps_per_epoch", title="Steps of an epoch", empty="each picture once"),
        Setting(name="batch_size", title="Batch", unit="pictures"),
        Setting(name="optimizer", title="Optimizer", choices=text.OPTIMIZERS),
        Setting(name="weight_decay", title="Weight decay", step=0.0001, hint="With AdamW."),
        Setting(name="label_smoothing", title="Label smoothing", step=0.01),
        Setting(name="schedule", title="Learning rate over time", choices=text.SCHEDULES),
        Setting(name="plateau_patience", title="Epochs before a cut"),
        Setting(name="plateau_factor", title="A cut leaves, of the rate", step=0.05),
        Setting(name="average_momentum", title="Averaging of the weights", step=0.01,
                hint="0 keeps the last ones."),
    ),
    text.DATA: (
        Setting(name="balance", title="Weights of classes and patients", choices=text.BALANCES,
                is_broad=True),
        Setting(name="fraction", title="Part of the pictures learned from", step=0.05,
                hint="Less memory and time; what is scored stays whole."),
        Setting(name="seed", title="Seed of the training", hint="The split’s stands in step 2."),
    ),
}  # fmt: skip
"""By heading, in the order of the page; the augmentation has a fold of its own."""
BORDER = Setting(name="augment.black_border", title=text.BORDER)
SETTINGS: Mapping[str, Setting] = {
    setting.name: setting for group in GROUPS.values() for setting in group
} | {
    f"augment.{name}": Setting(name=f"augment.{name}", title=words, step=step)
    for fields in KINDS.values() for name in fields
    for words, step in (text.STRENGTHS[name],)
} | {BORDER.name: BORDER}  # fmt: skip
"""Every setting by its name; `baselines`, a list, stands beside them."""


def limits_of(name: str, backbone: str) -> tuple[float, float] | None:
    """Least and largest value of a number; None of what has none."""
    at, _, inner = name.rpartition(".")
    if name == SIDE:
        return (SMALLEST_SIDES.get(backbone, WIDTHS[SIDE][0]), WIDTHS[SIDE][1])
    ranges = augment.RANGES if at == "augment" else config.RANGES
    return WIDTHS.get(name) or ranges.get(inner)


def choices_of(setting: Setting, backbone: str) -> Mapping[str, str]:
    """What the setting may be, by value; the blocks are the backbone's."""
    if setting.name != TUNE_FROM:
        return setting.choices
    blocks = BLOCKS.get(backbone, ())
    return (
        {"": text.WHOLE_NETWORK}
        | {block: text.block(block, number, len(blocks)) for number, block in enumerate(blocks)
           if number}
        | {NORMALISATION: text.NORMALISATION}
    )  # fmt: skip


def value_of(values: Mapping[str, Any], name: str) -> Any:
    """The setting in a configuration as plain values."""
    at, _, inner = name.rpartition(".")
    within = values[at] if at else values
    return within.get(inner, DEFAULTS.get(name))


def kept_changes(changes: Mapping[str, Any], backbone: str) -> dict[str, Any]:
    """Without a block of another backbone, which was chosen before this one was."""
    fits = choices_of(SETTINGS[TUNE_FROM], backbone)
    return {name: value for name, value in changes.items()
            if name != TUNE_FROM or value in fits}  # fmt: skip


def changed(made: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """The configuration with settings changed by name.

    Raises:
        RunError: one may not be changed here, or cannot be trained with.
        RecipeError: a picture cannot be prepared so.
    """
    values = made.to_dict()
    for name, value in changes.items():
        # Others name files, and those of other visitors lie on the same disk.
        if name not in SETTINGS and name != BASELINES:
            raise RunError(f"{name!r} is no setting of a training that can be changed here.")
        at, _, inner = name.rpartition(".")
        (values[at] if at else values)[inner] = value
    return RunConfig.from_dict(values)
