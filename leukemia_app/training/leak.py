"""What a random split by picture would promise too much, measured on frozen features.

The same classifier on the same features, cross-validated twice: with pictures dealt to the folds
one by one, and group by group. What the first has more comes from knowing the groups already.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leukemia_app.data.groups import group_word
from leukemia_app.data.health import Measure, Problem
from leukemia_app.data.manifest import Row
from leukemia_app.data.split import fold_groups
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.evaluation.controls import linear_probabilities
from leukemia_app.evaluation.intervals import each_once
from leukemia_app.evaluation.measures import (
    FIGURES,
    Answers,
    Sampled,
    draws_of,
    figure_interval,
    interval_of,
)
from leukemia_app.imaging.picture import FloatArray, Picture
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.networks.backbones import BACKBONES, SCALINGS, SIDES
from leukemia_app.training.checks import check_keys, check_kinds, check_ranges
from leukemia_app.training.data_folder import LEAK_WISH
from leukemia_app.training.job_folder import Stopped
from leukemia_app.training.reading import PictureReader
from leukemia_app.training.start import FindBundle, load_start

BATCH = 32
Averages = Callable[[FloatArray], FloatArray]
"""(n, side, side, 3) to (n, channels), both float32."""
RANGES = {"side_px": (0, 1024), "window": (0.1, 1), "folds": (2, 20), "seed": (0, 2**32 - 1)}


@dataclass(frozen=True, kw_only=True)
class LeakWish:
    """Which features the leak is to be measured on: leak_wish.json."""

    backbone: str = "mobilenet"
    start: str = "imagenet"
    """Weights, as a training's: `imagenet`, `file:PATH` or `bundle:ID`."""
    side_px: int = 0
    """Side of the network's input; 0 is the one the backbone was made for."""
    window: float = 1.0
    """Side of the central square that is looked at, as a part of the shorter side."""
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        check_kinds(self, "")
        check_ranges(self, RANGES, "")
        if self.backbone not in BACKBONES:
            raise RunError(f"backbone is {self.backbone!r}; use one of {', '.join(BACKBONES)}.")
        if self.start == "none":
            raise RunError("start is 'none': random features say nothing. Use imagenet, "
                           "file:PATH or bundle:ID.")  # fmt: skip

    @property
    def recipe(self) -> Recipe:
        """How pictures become the network's input."""
        return Recipe(
            input="field", side_px=self.side_px or SIDES[self.backbone], window=self.window,
            scaling=SCALINGS[self.backbone],
        )  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "LeakWish":
        """What `dataclasses.asdict` made of one.

        Raises:
            RunError: a key is unknown, or a value cannot be used.
        """
        check_keys(cls, values, LEAK_WISH)
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Leak:
    """AUROC of one classifier on frozen features, by two kinds of split; macro-AUROC over classes.

    Intervals are 95 %, by bootstrap over groups.
    """

    wish: LeakWish
    group_level: str
    n_pictures: int
    n_groups: int
    """Both of the train and val parts, over which is cross-validated."""
    folds: int
    image: Measure
    """Pictures dealt to the folds one by one: image-level, optimistic."""
    group: Measure
    gain: Measure
    """What the first has more than the second, on the same bootstrap samples."""
    test: Measure | None
    """Learned from train and val, scored on the test part; None without one."""
    n_test: int
    n_test_groups: int
    problems: tuple[Problem, ...]
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as leak.json holds them."""
        return asdict(self)


def measure_leak(
    reader: PictureReader,
    rows: Sequence[Row],
    wish: LeakWish,
    *,
    group_level: str,
    average: Averages | None = None,
) -> Leak:
    """Frozen features of the pictures, and what each kind of split makes of them.

    `average` is what `averages` gave for the same wish; it is made where it is not given.

    Raises:
        DatasetError: no groups are known, too few for two folds, or no picture can be read.
        RunError: the start's weights are missing or do not fit.
        Stopped: somebody asked for an end.
    """
    check_groups(rows, group_level)
    average = average or averages(wish)
    features: list[FloatArray] = []
    kept: list[Row] = []
    problems: list[Problem] = []
    for some, tensors in _batches(reader, rows, wish.recipe, problems):
        features.append(average(np.stack(tensors)))
        kept += some
    if not kept:
        raise DatasetError(f"Not one picture can be read. {problems[0].reason}")
    return compare_splits(
        kept, np.concatenate(features), wish, group_level=group_level, problems=problems,
        should_stop=reader.should_stop,
    )  # fmt: skip


def check_groups(rows: Sequence[Row], group_level: str) -> None:
    """Refuse data on which the two splits would be the same.

    Raises:
        DatasetError: no groups are known, or a class has one only.
    """
    if group_level == "image":
        raise DatasetError(
            "No patient, slide or run is known, so there is no second split to compare with. Name "
            "the groups by a table or by a pattern over the file names."
        )
    for label in sorted({row.label for row in rows}):
        groups = {row.group for row in rows if row.label == label and row.part != "test"}
        if len(groups) < 2:
            raise DatasetError(
                f"{label} has {len(groups)} groups outside the test part; the leak is measured "
                "with two or more of each class."
            )


def compare_splits(
    rows: Sequence[Row],
    features: FloatArray,
    wish: LeakWish,
    *,
    group_level: str,
    problems: Sequence[Problem] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> Leak:
    """The leak on features (n_rows, n_features) float32 that are there already.

    Raises:
        DatasetError: too few groups are left for two folds.
        Stopped: somebody asked for an end.
    """
    check_groups(rows, group_level)
    labels = sorted({row.label for row in rows})
    true = np.array([labels.index(row.label) for row in rows], np.int64)
    is_test: NDArray[np.bool_] = np.array([row.part == "test" for row in rows], bool)
    known = np.flatnonzero(~is_test)
    mine = [rows[int(number)] for number in known]
    folds = min(wish.folds, _least_groups(mine))
    answers = {}
    for name, units in (
        ("image", [row.file for row in mine]),
        ("group", [row.group for row in mine]),
    ):
        fold = fold_groups(units, [row.label for row in mine], folds, wish.seed)
        found = _out_of_fold(features[known], true[known], fold, should_stop)
        answers[name] = _answers(true[known], found, mine)
    by_image, by_group, gain = _compared(answers["image"], answers["group"])
    test = None
    test_rows = [row for row in rows if row.part == "test"]
    if len({row.label for row in test_rows}) == len(labels):
        found = linear_probabilities(features[known], true[known], features[is_test])
        test = _auroc(_answers(true[is_test], found, test_rows))
    return Leak(
        wish=wish, group_level=group_level, n_pictures=len(mine),
        n_groups=len({row.group for row in mine}), folds=folds, image=by_image,
        group=by_group, gain=gain, test=test, n_test=len(test_rows),
        n_test_groups=len({row.group for row in test_rows}), problems=tuple(problems),
        sentence=_sentence(by_image, by_group, gain, group_level),
    )  # fmt: skip


def _least_groups(rows: Sequence[Row]) -> int:
    groups: dict[str, set[str]] = {}
    for row in rows:
        groups.setdefault(row.label, set()).add(row.group)
    return min(len(mine) for mine in groups.values())


def _out_of_fold(
    features: FloatArray,
    true: NDArray[np.int64],
    fold: NDArray[np.int64],
    should_stop: Callable[[], bool],
) -> FloatArray:
    """Probabilities of each picture by a classifier that learned from the other folds."""
    found = np.zeros((len(true), int(true.max()) + 1), np.float32)
    for number in np.unique(fold):
        if should_stop():
            raise Stopped
        kept = fold == number
        found[kept] = linear_probabilities(features[~kept], true[~kept], features[kept])
    return found


def _answers(true: NDArray[np.int64], probabilities: FloatArray, rows: Sequence[Row]) -> Answers:
    return Answers(
        true=true, predicted=probabilities.argmax(1), probabilities=probabilities,
        referred=np.zeros(len(true), bool), groups=tuple(row.group for row in rows),
    )  # fmt: skip


def _auroc(answers: Answers) -> Measure:
    return Measure(**vars(figure_interval(answers, "auroc", draws_of(answers))))


def _compared(by_image: Answers, by_group: Answers) -> tuple[Measure, Measure, Measure]:
    """AUROC of both and their difference, in pairs on the same samples of groups."""
    draws = draws_of(by_group)
    each = [figure_interval(answers, "auroc", draws) for answers in (by_image, by_group)]
    once = each_once(len(by_group.true))
    (first,), (second,) = (
        FIGURES["auroc"](Sampled(answers, once)) for answers in (by_image, by_group)
    )
    sampled = [FIGURES["auroc"](Sampled(answers, draws)) for answers in (by_image, by_group)]
    gain = interval_of(float(first - second), sampled[0] - sampled[1], draws)
    made = [Measure(**vars(found)) for found in (*each, gain)]
    return made[0], made[1], made[2]


def _sentence(by_image: Measure, by_group: Measure, gain: Measure, level: str) -> str:
    told = (
        f"On frozen features a random split by picture promises AUROC {_words(by_image)}, the "
        f"split by {level} {_words(by_group)}"
    )
    if gain.low is None or gain.value is None:
        return f"{told}; the groups are too few or too alike to say more."
    if gain.low > 0:
        seen = f"{group_word(level)}s that were seen before"
        return f"{told}: {gain.value:.3f} of the first comes from {seen}."
    return f"{told}: no difference beyond chance."


def _words(measure: Measure) -> str:
    if measure.value is None:
        return "not defined"
    if measure.low is None or measure.high is None:
        return f"{measure.value:.3f}"
    return f"{measure.value:.3f} ({measure.low:.3f}–{measure.high:.3f})"


def averages(wish: LeakWish, find_bundle: FindBundle | None = None) -> Averages:
    """What turns scaled pictures (n, side, side, 3) into averages of the backbone's map.

    Raises:
        RunError: the start's weights are missing or do not fit.
    """
    import keras

    from leukemia_app.networks.build import build_network

    network = build_network(wish.backbone, "plain", side_px=wish.recipe.side_px, n_outputs=1)
    load_start(network, wish.start, find_bundle)
    average = keras.layers.GlobalAveragePooling2D()(network.backbone.output)
    model = keras.Model(network.backbone.input, average)
    return lambda batch: np.asarray(model.predict_on_batch(batch), np.float32)


def _batches(
    reader: PictureReader, rows: Sequence[Row], recipe: Recipe, problems: list[Problem]
) -> Iterator[tuple[list[Row], list[FloatArray]]]:
    """Readable rows and their prepared pictures, some at a time; the rest goes to `problems`."""

    def tensor(_: str, picture: Picture) -> FloatArray:
        return prepare(picture, recipe).tensor

    some: list[Row] = []
    tensors: list[FloatArray] = []
    made = reader.each([row.file for row in rows], tensor, "features")
    for row, item in zip(rows, made, strict=True):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        some.append(row)
        tensors.append(item)
        if len(some) == BATCH:
            yield some, tensors
            some, tensors = [], []
    if some:
        yield some, tensors
