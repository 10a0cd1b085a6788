"""All that a training needs to be repeated, as one value."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from leukemia_app.bundles.spec import BUNDLE_ID, GROUP_LEVELS, LABEL_KINDS
from leukemia_app.errors import RunError
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.augment import Augment
from leukemia_app.training.checks import Ranges, check_keys, check_kinds, check_ranges

FORMAT_VERSION = 1
BALANCES = ("class", "group", "none")
SPLITS = ("given", "image")
CONTROLS = ("colour", "size", "background", "cells")
STARTS = ("none", "imagenet")
BASELINES = ("svc", "xgboost", "lda", "ridge_cv", "ridge")
NORMALISATION = "normalisation"
"""In place of a block to tune from: the batch normalisation alone, through the whole network."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "balance": BALANCES, "split": SPLITS, "group_level": GROUP_LEVELS,
    "optimizer": ("adamw", "adam"), "schedule": ("cosine", "plateau"),
    "precision": ("float32", "bfloat16", "auto"),
}  # fmt: skip
DROPOUTS = (0, 0.9)
"""Least and largest `dropout` among the head's arguments."""
NAMED_SETS: Mapping[str, tuple[str, ...]] = {"controls": CONTROLS, "baselines": BASELINES}
RANGES: Ranges = {
    "folds": (0, 100), "seed": (0, 2**32 - 1), "head_epochs": (0, 10_000),
    "feature_copies": (1, 100), "tune_epochs": (0, 10_000), "steps_per_epoch": (1, 1_000_000),
    "batch_size": (1, 1024), "head_rate": (1e-8, 1), "tune_rate": (1e-8, 1),
    "weight_decay": (0, 1), "label_smoothing": (0, 0.5), "average_momentum": (0, 0.99999),
    "patience": (0, 10_000), "answered_error": (0, 1), "sensitivity": (0, 1),
    "head_patience": (0, 10_000), "plateau_patience": (1, 10_000), "plateau_factor": (0.01, 0.99),
    "fraction": (0.01, 1),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class About:
    """What the card says in words."""

    title: str = ""
    summary: str = ""
    label_kind: str = "cell type"
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What each label means."""
    data: Mapping[str, str] = field(default_factory=dict)
    """name, source and licence of the pictures."""
    intended_use: str = "Research and teaching only."
    not_for: str = "Any decision about a patient."
    licence: str = "not stated"
    limits: str = ""
    """What is known to be wrong with data and model."""

    def __post_init__(self) -> None:
        """Refuse what no card can hold."""
        check_kinds(self, "about.")
        for name in ("meanings", "data"):
            _check_texts(getattr(self, name), f"about.{name}")
        if self.label_kind not in LABEL_KINDS:
            raise RunError(
                f"about.label_kind is {self.label_kind!r}; use one of {', '.join(LABEL_KINDS)}."
            )


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What a run trains on, which network, and how; `from_dict(to_dict(x)) == x`."""

    id: str
    """Name of the bundle to be made."""
    data: str
    """Folder of the pictures."""
    groups: str | None
    """CSV with file, label, group and part; None: class folders, split by image."""
    group_level: str
    """What a group is: patient, run or image."""
    labels: tuple[str, ...]
    """In output order; two labels share one output, whose logit speaks for the second."""
    backbone: str
    head: str
    recipe: Recipe
    head_arguments: Mapping[str, Any] = field(default_factory=dict)
    split: str = "given"
    """`given` by the CSV, or `image`: at random by picture, to show what leakage buys."""
    folds: int = 0
    """Number of folds for cross-validation over the train and val parts; 0 for none."""
    fold: int = 0
    """Which fold is kept back."""
    shares: tuple[float, ...] = (0.7, 0.1, 0.2)
    """Of train, val and test where the pictures have no parts, and of the image split."""
    fraction: float = 1.0
    """Share of the training part that is learned from, by group and label."""
    start: str = "none"
    """`none`, `imagenet`, `file:PATH` (backbone weights) or `bundle:FOLDER` (its backbone)."""
    keep_head: bool = False
    """Whether the head starts as the bundle's too, with the outputs of the labels in use."""
    own_statistics: bool = False
    """Whether batch normalisation first takes its statistics from the training pictures."""
    seed: int = 0
    head_epochs: int = 10
    """Epochs of the head on frozen features; 0 starts with the whole network."""
    feature_copies: int = 2
    """Disturbed copies of each training picture whose features are cached for the head."""
    head_patience: int = 0
    """Epochs of the head without a lower validation loss before it stops; 0 trains to the end."""
    tune_epochs: int = 10
    tune_from: str = ""
    """First block of the backbone that is tuned; empty: all; `normalisation`: that alone."""
    steps_per_epoch: int | None = None
    """None: as many as there are training pictures for."""
    batch_size: int = 32
    head_rate: float = 1e-3
    tune_rate: float = 2e-4
    """Highest learning rate of the tuning; it warms up, then goes by `schedule`."""
    optimizer: str = "adamw"
    schedule: str = "cosine"
    """`cosine` falls to a hundredth; `plateau` cuts where the validation loss stands still."""
    plateau_patience: int = 2
    """Epochs that it may stand still."""
    plateau_factor: float = 0.5
    """What a cut leaves of the rate."""
    precision: str = "float32"
    """Of the training's arithmetic; `auto` takes bfloat16 where it is known to be faster. The
    weights and all figures are float32."""
    weight_decay: float = 1e-4
    """With adamw."""
    label_smoothing: float = 0.05
    average_momentum: float = 0.98
    """Of the running average of the weights that is scored and kept; 0 keeps the last weights."""
    frozen_normalisation: bool = True
    """Whether the backbone's batch normalisation keeps its statistics, gain and offset."""
    patience: int = 5
    """Epochs without a lower validation loss before training stops; 0 trains to the end."""
    scope_block: str = ""
    """Block of the backbone whose input says how unlike the training pictures a picture is; empty:
    the feature map. What a long training makes of the map tells its classes and little else."""
    keep_start: bool = False
    """Whether the network as it was before tuning is kept where no epoch has a lower loss."""
    balance: str = "class"
    """How training pictures are drawn: evenly by class, or by class and then group."""
    augment: Augment = field(default_factory=Augment)
    answered_error: float = 0.02
    """Share of wrong answers that the threshold for referring allows on the validation part."""
    sensitivity: float = 0.0
    """Two labels: sensitivity for the second that its threshold keeps on the validation part; 0
    answers with the more probable label."""
    controls: tuple[str, ...] = ()
    """Scored beside the network: colour, size, background, cells."""
    baselines: tuple[str, ...] = ()
    """Classical models on the same split: svc, xgboost, lda, ridge_cv, ridge."""
    outside: str | None = None
    """Folder of pictures that no label fits: they should be referred."""
    external: Mapping[str, str] = field(default_factory=dict)
    """Other laboratories' sets to be scored on: name to folder with class folders."""
    figures_from: tuple[str, ...] = ()
    """Files with figures of other runs (cross-validation, image split) for the card."""
    about: About = field(default_factory=lambda: About())

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        check_kinds(self, "")
        check_ranges(self, RANGES, "")
        self._check_names()
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise RunError(
                    f"{name} is {getattr(self, name)!r}; use one of {', '.join(allowed)}."
                )
        self._check_split()
        self._check_start()

    def _check_split(self) -> None:
        if self.folds == 1:
            raise RunError("folds is 1; use 2 or more, or 0 for none.")
        if not 0 <= self.fold < max(1, self.folds):
            raise RunError(f"fold is {self.fold} of {self.folds}; use 0 to folds - 1.")
        if self.folds and self.schedule == "plateau":
            raise RunError("schedule is 'plateau', but folds leave no validation part to see one "
                           "by; use cosine.")  # fmt: skip
        if (
            len(self.shares) != 3
            or not all(type(share) in (int, float) and 0 < share < 1 for share in self.shares)
            or abs(sum(self.shares) - 1) > 1e-6
        ):
            given = ", ".join(map(str, self.shares))
            raise RunError(f"shares are {given}; use three numbers above 0 that sum to 1.")

    def _check_start(self) -> None:
        if not self.start.startswith(("file:", "bundle:")) and self.start not in STARTS:
            raise RunError(
                f"start is {self.start!r}; use none, imagenet, file:PATH or bundle:FOLDER."
            )
        if self.keep_head and not self.start.startswith("bundle:"):
            raise RunError(f"keep_head is true, but start is {self.start!r}; use bundle:FOLDER.")

    def _check_names(self) -> None:
        if not BUNDLE_ID.fullmatch(self.id):
            raise RunError(f"id is {self.id!r}; use at most 80 lower-case letters, digits and -, "
                           "a letter or digit first.")  # fmt: skip
        if not all(isinstance(label, str) and label for label in self.labels):
            raise RunError(f"labels are {', '.join(map(repr, self.labels))}; give texts.")
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise RunError(
                f"labels are {', '.join(self.labels) or 'none'}; give at least two different ones."
            )
        for field_name, known in NAMED_SETS.items():
            if strange := [name for name in getattr(self, field_name) if name not in known]:
                raise RunError(f"{field_name} has {strange[0]!r}; use {', '.join(known)}.")
        if not isinstance(self.head_arguments, Mapping):
            raise RunError(f"head_arguments is {self.head_arguments!r}; use an object.")
        dropout, (least, most) = self.head_arguments.get("dropout", 0), DROPOUTS
        if type(dropout) not in (int, float) or not least <= dropout <= most:
            raise RunError(f"head_arguments.dropout is {dropout!r}; use {least:g} to {most:g}.")
        _check_texts(self.external, "external")

    @property
    def n_outputs(self) -> int:
        """One output for two labels, else one a label."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as config.json holds them."""
        return {"format_version": FORMAT_VERSION} | asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RunConfig":
        """What `to_dict` described.

        Raises:
            RunError: a key is unknown or missing, or a value cannot be trained with.
            RecipeError: the recipe holds a value that no step understands.
        """
        if not isinstance(values, Mapping):
            raise RunError(f"config is {values!r}; use an object with named settings.")
        values = dict(values)
        version = values.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise RunError(f"config has format_version {version!r}; this version reads "
                           f"{FORMAT_VERSION}.")  # fmt: skip
        check_keys(cls, values, "config")
        if not isinstance(values["recipe"], Mapping):
            raise RunError(f"recipe is {values['recipe']!r}; use an object with named settings.")
        values["recipe"] = Recipe.from_dict(values["recipe"])
        values["augment"] = Augment.from_dict(values.get("augment", {}))
        about = values.get("about", {})
        check_keys(About, about, "about")
        values["about"] = About(**about)
        for name in ("labels", "controls", "baselines", "figures_from", "shares"):
            if name not in values:
                continue
            if not isinstance(values[name], list | tuple):
                raise RunError(f"{name} is {values[name]!r}; use a list.")
            values[name] = tuple(values[name])
        return cls(**values)


def _check_texts(values: Any, where: str) -> None:
    """Refuse what is no object of texts."""
    if not isinstance(values, Mapping) or not all(
        isinstance(text, str) for text in values.values()
    ):
        raise RunError(f"{where} is {values!r}; use an object of texts.")
