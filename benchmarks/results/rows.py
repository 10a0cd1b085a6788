"""The rows of the table of results, as data: what is trained on what, how, and what it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leukemia_app.training.config import RunConfig

SPLITS = ("group", "image")
"""By patient or run, as the set's table deals them; and picture by picture, at random."""
SCRATCH = "none"


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Pictures below the data folder, with their table of groups."""

    name: str
    title: str
    groups: str
    """CSV in the data folder: file, label, group, part."""
    group_level: str
    labels: tuple[str, ...]
    input: str
    window: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One network and its training, for every set and split."""

    name: str
    backbone: str
    head: str
    start: str
    """`imagenet`, `bundle:ID` or `none`."""
    side_px: int
    settings: Mapping[str, Any]
    """Of a run, where the preset `balanced` says otherwise."""
    minutes: Mapping[str, float]
    """About, on two quiet cores, by set, with the split by group."""
    words: str
    """How it is trained, for the table."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run: a plan on a set with a split."""

    data: DataSet
    plan: Plan
    split: str

    @property
    def name(self) -> str:
        """Name of its run and of its file."""
        return f"{self.data.name}-{self.plan.name}-{self.split}"

    @property
    def minutes(self) -> float:
        """About, on two quiet cores; a random split makes no bundle, which saves some."""
        return self.plan.minutes[self.data.name] * (1.0 if self.split == "group" else 0.7)


@dataclass(frozen=True, kw_only=True)
class AdaptRow:
    """One run that adapts a bundle to another laboratory's few pictures."""

    seed: int
    data: str = "bcisc"
    start: str = "bundle:pbc-mobilenet"
    minutes: float = 2.0

    @property
    def name(self) -> str:
        """Name of its run and of its file."""
        return f"{self.data}-adapt-{self.seed}"


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """A figure that somebody else published."""

    data: str
    network: str
    figure: str
    split: str
    source: str
    nearest: str
    """Plan of ours that comes nearest."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where everything lies."""

    data: Path
    weights: Path
    """MobileNet's ImageNet weights; where the file is missing Keras downloads them."""
    out: Path
    models: Path
    page: Path


CNMC = DataSet(
    name="cnmc", title="C-NMC 2019: one cell on black, leukemic or normal", input="cell",
    groups="cnmc_groups.csv", group_level="patient", labels=("hem", "all"), window=0.7,
)  # fmt: skip
ALL4 = DataSet(
    name="all4", title="4-class ALL set: fields of view, benign and three subtypes", input="field",
    groups="all4_groups.csv", group_level="run", labels=("Benign", "Early", "Pre", "Pro"),
)  # fmt: skip
DATA_SETS = (CNMC, ALL4)

TUNED: Mapping[str, Any] = {
    "head_epochs": 12, "feature_copies": 1, "tune_epochs": 6, "steps_per_epoch": 50,
    "tune_rate": 1e-4, "tune_from": "", "average_momentum": 0.98,
}  # fmt: skip
SMALL: Mapping[str, Any] = {"tune_epochs": 2, "steps_per_epoch": 25, "fraction": 0.5}
BY_HAND = ("svc", "xgboost", "lda", "ridge_cv", "ridge")

PLANS = (
    Plan(
        name="mobilenet-attention", backbone="mobilenet", head="attention", start="imagenet",
        side_px=128, settings=TUNED, minutes={"cnmc": 8, "all4": 5},
        words="head on frozen features, then 300 steps of the whole network",
    ),
    Plan(
        name="baselines", backbone="mobilenet", head="plain", start="imagenet", side_px=128,
        settings={"head_epochs": 20, "feature_copies": 1, "tune_epochs": 0, "baselines": BY_HAND},
        minutes={"cnmc": 7, "all4": 4}, words="head on frozen features alone",
    ),
    Plan(
        name="mobilenet-plain", backbone="mobilenet", head="plain", start="imagenet",
        side_px=128, settings=TUNED, minutes={"cnmc": 8, "all4": 5},
        words="head on frozen features, then 300 steps of the whole network",
    ),
    Plan(
        name="baseline-cnn", backbone="baseline_cnn", head="plain", start=SCRATCH, side_px=200,
        settings={"tune_epochs": 6, "steps_per_epoch": 50}, minutes={"cnmc": 9, "all4": 6},
        words="300 steps from scratch",
    ),
    Plan(
        name="efficientnetb0-attention", backbone="efficientnetb0", head="attention",
        start="bundle:pbc-efficientnetb0", side_px=96, settings=TUNED,
        minutes={"cnmc": 8, "all4": 5},
        words="head on frozen features, then 300 steps of the whole network",
    ),
    *(
        Plan(
            name=f"{backbone}-scratch", backbone=backbone, head="plain", start=SCRATCH,
            side_px=side_px, settings={**SMALL, "tune_rate": rate},
            minutes={"cnmc": minutes, "all4": minutes * 0.7},
            words="50 steps on half the training part: shows that it works, no more",
        )
        for backbone, side_px, rate, minutes in (
            ("vgg16", 64, 1e-4, 7), ("resnet50", 64, 1e-3, 4), ("inceptionv3", 128, 1e-3, 5),
            ("vit", 128, 3e-4, 3),
        )
    ),
)  # fmt: skip

ROWS: tuple[Row | AdaptRow, ...] = (
    *(Row(data=data, plan=plan, split=split)
      for plan in PLANS for data in DATA_SETS for split in SPLITS),
    *(AdaptRow(seed=seed) for seed in range(3)),
)  # fmt: skip
"""In the order in which they are carried out: the most telling first."""

MATEEN = "https://github.com/MateenMalik22/Leukemia-Cell-Classification-using-Deep-Learning"
MITHHSSS = "https://github.com/mithhsss/lukemia-detection"
BY_PICTURE = "by picture: the files name no patient"
MUSKAAN = "https://github.com/afridamuskaan777/LEUKEMIA-CELL-CLASSIFICATION"
NO_PATIENTS = "a validation part; patients are not spoken of"
QUOTED = (
    Quoted(data="cnmc", network="ResNet50, ImageNet start, cropped to the cell", figure="89.87 %",
           split="80 to 20, by picture", source=MUSKAAN, nearest="resnet50-scratch"),
    Quoted(data="cnmc", network="EfficientNetB0 with attention", figure="94.06 %",
           split=NO_PATIENTS, source=MITHHSSS, nearest="efficientnetb0-attention"),
    *(
        Quoted(data="all4", network=network, figure=figure, split=BY_PICTURE, source=MATEEN,
               nearest=nearest)
        for network, figure, nearest in (
            ("VGG16, ImageNet start", "96.32 %", "vgg16-scratch"),
            ("ResNet50, ImageNet start", "99.85 %", "resnet50-scratch"),
            ("EfficientNetB0, ImageNet start", "99.82 %", "efficientnetb0-attention"),
            ("vision transformer", "92.33 %", "vit-scratch"),
        )
    ),
)  # fmt: skip


def config_of(row: Row, places: Places) -> "RunConfig":
    """The settings of a row's run: the preset `balanced`, and what the plan changes. Needs Keras.

    Nothing is chosen by the validation part, so that both splits train for as long.

    Raises:
        AppError: the pictures or their table cannot be read.
    """
    from leukemia_app.data.manifest import read_manifest
    from leukemia_app.imaging.recipe import Recipe
    from leukemia_app.networks.backbones import SCALINGS
    from leukemia_app.training.presets import Wanted, preset

    data, plan = row.data, row.plan
    table = places.data / data.groups
    manifest = read_manifest(places.data / data.name, table, data.group_level)
    recipe = Recipe(
        input=data.input, side_px=plan.side_px, window=data.window,
        scaling=SCALINGS[plan.backbone],
    )  # fmt: skip
    made = preset("balanced", manifest, Wanted(
        id=row.name, groups=table, backbone=plan.backbone, head=plan.head,
        start=start_of(plan.start, places), input=data.input, recipe=recipe,
    ))  # fmt: skip
    changed = {"labels": data.labels, "controls": (), "patience": 0, "head_patience": 0,
               "keep_start": False, **plan.settings}  # fmt: skip
    return replace(made, **changed)


def start_of(start: str, places: Places) -> str:
    """The start as a run's settings name it."""
    if start == "imagenet" and places.weights.is_file():
        return f"file:{places.weights}"
    return start


def waits_for(row: Row | AdaptRow, places: Places) -> str:
    """What a row needs and is not there yet, in a sentence; empty where it can be carried out."""
    start = row.start if isinstance(row, AdaptRow) else row.plan.start
    folder = places.data / (row.data if isinstance(row, AdaptRow) else row.data.name)
    if not folder.is_dir():
        return f"{folder} is not there: see data.md."
    kind, _, model = start.partition(":")
    if kind == "bundle" and not (places.models / model / "bundle.json").is_file():
        return f"The model {model} to start from is not there yet."
    return ""
