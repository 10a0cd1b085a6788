"""All that a training needs to be repeated, as one value."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from leukemia_app.errors import RunError
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.augment import Augment

FORMAT_VERSION = 1
BALANCES = ("class", "group", "none")
SPLITS = ("given", "image")


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
    licence: str = "apache-2.0"
    limits: str = ""
    """What is known to be wrong with data and model."""


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
    start: str = "none"
    """`none`, `file:PATH` (backbone weights) or `bundle:FOLDER` (a bundle's backbone)."""
    seed: int = 0
    head_epochs: int = 10
    """Epochs of the head on frozen features; 0 starts with the whole network."""
    feature_copies: int = 2
    """Disturbed copies of each training picture whose features are cached for the head."""
    tune_epochs: int = 10
    steps_per_epoch: int | None = None
    """None: as many as there are training pictures for."""
    batch_size: int = 32
    head_rate: float = 1e-3
    tune_rate: float = 2e-4
    """Highest learning rate of the whole network; it warms up, then falls along a cosine."""
    weight_decay: float = 1e-4
    label_smoothing: float = 0.05
    average_momentum: float = 0.98
    """Of the running average of the weights that is scored and kept; 0 keeps the last weights."""
    frozen_normalisation: bool = True
    """Whether the backbone's batch normalisation keeps its statistics, gain and offset."""
    patience: int = 5
    """Epochs without a lower validation loss before training stops; 0 trains to the end."""
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
    outside: str | None = None
    """Folder of pictures that no label fits: they should be referred."""
    external: Mapping[str, str] = field(default_factory=dict)
    """Other laboratories' sets to be scored on: name to folder with class folders."""
    figures_from: tuple[str, ...] = ()
    """Files with figures of other runs (cross-validation, image split) for the card."""
    about: About = field(default_factory=lambda: About())

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise RunError(f"labels are {self.labels}; give at least two different ones.")
        if self.balance not in BALANCES:
            raise RunError(f"balance is {self.balance!r}; use one of {', '.join(BALANCES)}.")
        if self.split not in SPLITS:
            raise RunError(f"split is {self.split!r}; use one of {', '.join(SPLITS)}.")
        if self.folds and not (self.folds > 1 and 0 <= self.fold < self.folds):
            raise RunError(f"fold is {self.fold} of {self.folds}; use 0 to folds - 1.")
        if self.batch_size < 1 or self.tune_epochs < 0 or self.head_epochs < 0:
            raise RunError("batch_size, head_epochs and tune_epochs must not be negative.")
        if not self.start.startswith(("file:", "bundle:")) and self.start != "none":
            raise RunError(f"start is {self.start!r}; use none, file:PATH or bundle:FOLDER.")

    @property
    def n_outputs(self) -> int:
        """One output for two labels, else one a label."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as config.json holds them."""
        return {"format_version": FORMAT_VERSION} | asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RunConfig":
        """What `to_dict` described; unknown keys are refused by name."""
        values = dict(values)
        version = values.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise RunError(f"config has format_version {version!r}; this version reads "
                           f"{FORMAT_VERSION}.")  # fmt: skip
        if unknown := sorted(set(values) - {item.name for item in fields(cls)}):
            raise RunError(f"config has unknown keys: {', '.join(unknown)}.")
        values["labels"] = tuple(values["labels"])
        values["recipe"] = Recipe.from_dict(values["recipe"])
        values["augment"] = Augment.from_dict(values.get("augment", {}))
        about = values.get("about", {})
        if unknown := sorted(set(about) - {item.name for item in fields(About)}):
            raise RunError(f"config: about has unknown keys: {', '.join(unknown)}.")
        values["about"] = About(**about)
        for name in ("controls", "figures_from"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)
