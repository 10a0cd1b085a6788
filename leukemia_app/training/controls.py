"""What the classes are told apart by without a look at the cells, on the split that will be used.

A logistic regression learns from the training part and is scored on the test part. It needs no
network: the background is described by its colours and by how rough it is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from leukemia_app.data.findings import spread
from leukemia_app.data.health import Control, Measure, Problem
from leukemia_app.data.manifest import Row
from leukemia_app.data.split import fold_groups
from leukemia_app.evaluation.controls import (
    BINS,
    cell_area,
    colour_histogram,
    linear_probabilities,
)
from leukemia_app.evaluation.evaluate import figure
from leukemia_app.evaluation.measures import Answers
from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.imaging.picture import BoolArray, FloatArray, Picture, UInt8Array
from leukemia_app.imaging.segment import Segmentation, segment
from leukemia_app.training.reading import PictureReader

SEEN: Mapping[str, str] = {
    "colour": "a colour histogram",
    "size": "the size of the cell",
    "background": "the background",
}
"""What alone each control looks at."""
MEANING: Mapping[str, str] = {
    "colour": "if that is stain, light or camera and not the cells, a model learns it instead of "
    "them, and fails on pictures from elsewhere",
    "size": "a model has learned no more than size, or magnification, until it beats this figure "
    "clearly",
    "background": "the pictures of a class share slide, session or camera, and a model may learn "
    "these instead of the cells",
}
"""Why a control that works is bad news."""
RED_VALUE, RED_LOW = 0.8, 0.65
"""AUROC above which a control is red, if its interval begins above the second: far above 0.5, the
chance level. Whatever a network reaches there may be owed to what the control sees."""
AMBER_LOW = 0.5
MAX_PICTURES = 1500
"""Finding cells takes 0.03 to 0.1 s a picture; this many make the intervals narrow enough."""
FOLDS = 5
NONE = Measure(value=None, low=None, high=None)
LONGEST_PX = 384
"""Longer pictures are shrunk to this first."""
BACKGROUND_MARGIN = 0.02
"""Rim of the cells that is no background, as a part of the longer side: it has their outline."""
LEAST_BACKGROUND = 0.02
"""Part of a picture that must be background to be looked at."""
LEAST_SEEN = 0.5
"""Share of the pictures on which a control must see something to be scored."""
SIGMAS_PX = (0.0, 1.0, 2.0, 4.0)
BLACK = 8
N_LOOK = 3 * BINS + 3 * len(SIGMAS_PX)


def measure_controls(
    reader: PictureReader, rows: Sequence[Row]
) -> tuple[tuple[Control, ...], tuple[Problem, ...]]:
    """The controls on the train and test parts of `rows`, and files that cannot be read any more.

    No control where fewer than two classes stand in both parts. Of many pictures, `MAX_PICTURES`
    are looked at, evenly over classes, parts and groups.

    Raises:
        Stopped: somebody asked for an end.
    """
    chosen = (*_scored(rows, "train"), *_scored(rows, "test"))
    if not _can_be_scored(chosen):
        return (), ()
    values: list[Mapping[str, FloatArray]] = []
    kept: list[Row] = []
    problems: list[Problem] = []
    made = reader.each([row.file for row in chosen], lambda _, picture: seen_of(picture),
                       "prepare", phase="controls")  # fmt: skip
    for row, found in zip(chosen, made, strict=True):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            values.append(found)
            kept.append(row)
    if not _can_be_scored(kept):
        return (), tuple(problems)
    controls = tuple(
        score_control(name, kept, np.stack([found[name] for found in values])) for name in SEEN
    )
    return controls, tuple(problems)


def _can_be_scored(rows: Sequence[Row]) -> bool:
    """Whether the same two classes or more stand in both parts."""
    learn, test = ({row.label for row in rows if row.part == part} for part in ("train", "test"))
    return learn == test and len(test) > 1


def _scored(rows: Sequence[Row], part: str) -> tuple[Row, ...]:
    """Pictures of a part, by class evenly over groups, so many that all parts stay in the limit."""
    wanted = min(1.0, MAX_PICTURES / max(1, sum(row.part in ("train", "test") for row in rows)))
    mine = [row for row in rows if row.part == part]
    chosen: list[Row] = []
    for label in sorted({row.label for row in mine}):
        of_label = [row for row in mine if row.label == label]
        chosen += spread(of_label, max(1, round(wanted * len(of_label))))
    return tuple(chosen)


def seen_of(picture: Picture) -> dict[str, FloatArray]:
    """What each control may see of a picture, by name; NaN where there is nothing to see."""
    pixels = np.ascontiguousarray(thumbnail(picture.pixels, LONGEST_PX))
    cells = segment(pixels, "stain")
    area = cell_area(cells) if cells.main else np.full(1, np.nan, np.float32)
    return {
        "colour": colour_histogram(pixels),
        "size": area,
        "background": background_look(pixels, cells),
    }


def background_look(pixels: UInt8Array, segmentation: Segmentation) -> FloatArray:
    """Colours and roughness of what is not cell, (N_LOOK,) float32; NaN where there is too little.

    The share of pixels in 16 equal bins of each channel, then mean, deviation and 90th percentile
    of the logarithm of the luminance's gradient after Gaussian blurs of `SIGMAS_PX`. What an
    earlier segmentation made black is no background: its outline is the cell's.
    """
    black = cv2.inRange(pixels, (0, 0, 0), (BLACK, BLACK, BLACK)) > 0
    outside = _away_from((segmentation.cells > 0) | black)
    if outside.mean() < LEAST_BACKGROUND:
        return np.full(N_LOOK, np.nan, np.float32)
    colours = [np.bincount(pixels[..., channel][outside] // BINS, minlength=BINS)
               for channel in range(3)]  # fmt: skip
    shares = np.concatenate(colours) / np.count_nonzero(outside)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rough = np.concatenate([_roughness(grey, sigma, outside) for sigma in SIGMAS_PX])
    return np.concatenate([shares, rough]).astype(np.float32)


def _away_from(cells: BoolArray) -> BoolArray:
    side = 2 * max(1, round(BACKGROUND_MARGIN * max(cells.shape))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(cells.astype(np.uint8), kernel) == 0)


def _roughness(grey: FloatArray, sigma_px: float, where: BoolArray) -> NDArray[np.floating]:
    smooth = cv2.GaussianBlur(grey, (0, 0), sigma_px) if sigma_px else grey
    steps = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    values = np.log1p(steps[where])
    return np.array([values.mean(), values.std(), np.percentile(values, 90)])


def score_control(name: str, rows: Sequence[Row], values: FloatArray) -> Control:
    """How well `values` (n_rows, n_values) tell the classes of `rows` apart, train against test.

    Rows of NaN, where nothing was seen, get the mean of the training part.
    """
    labels = sorted({row.label for row in rows})
    true = np.array([labels.index(row.label) for row in rows])
    is_test: NDArray[np.bool_] = np.array([row.part == "test" for row in rows], bool)
    groups = tuple(row.group for row in rows if row.part == "test")
    known: NDArray[np.bool_] = np.logical_not(np.isnan(values).any(axis=1))
    seen_share = float(known.mean())
    if seen_share < LEAST_SEEN or not known[~is_test].any():
        return _open(name, is_test, groups, seen_share)
    filled = np.where(known[:, None], values, values[known & ~is_test].mean(0)).astype(np.float32)
    test = [row for row in rows if row.part == "test"]
    answers = _answers(
        true[is_test], linear_probabilities(filled[~is_test], true[~is_test], filled[is_test]), test
    )
    found = {
        each: Measure(**vars(figure(answers, each)))
        for each in ("auroc", "balanced_accuracy", "macro_f1")
    }
    least_groups = _least_groups(test)
    across = NONE if least_groups > 1 else _across(filled, true, rows)
    judged = verdict(found["auroc"], least_groups)
    if across.value is not None:
        judged = verdict(across, _least_groups(rows))
    return Control(
        name=name, seen=SEEN[name], verdict=judged,
        sentence=_sentence(name, judged, found["auroc"], across), n_learn=int((~is_test).sum()),
        n_test=len(groups), n_test_groups=len(set(groups)), across=across, **found,
    )  # fmt: skip


def _least_groups(rows: Sequence[Row]) -> int:
    """Groups of the class that has the fewest."""
    pairs = {(row.label, row.group) for row in rows}
    return min(Counter(label for label, _ in pairs).values())


def _across(values: FloatArray, true: NDArray[np.int64], rows: Sequence[Row]) -> Measure:
    """AUROC in cross-validation by group; not defined where a class has one group only."""
    folds = min(FOLDS, _least_groups(rows))
    if folds < 2:
        return NONE
    fold = fold_groups([row.group for row in rows], [row.label for row in rows], folds, 0)
    found = np.zeros((len(rows), int(true.max()) + 1), np.float32)
    for number in range(folds):
        kept = fold == number
        if set(true[~kept]) != set(true):
            return NONE
        found[kept] = linear_probabilities(values[~kept], true[~kept], values[kept])
    return Measure(**vars(figure(_answers(true, found, rows), "auroc")))


def _answers(true: NDArray[np.int64], probabilities: FloatArray, rows: Sequence[Row]) -> Answers:
    return Answers(
        true=true, predicted=probabilities.argmax(1), probabilities=probabilities,
        referred=np.zeros(len(true), bool), groups=tuple(row.group for row in rows),
    )  # fmt: skip


def verdict(auroc: Measure, least_groups: int) -> str:
    """`red`, `amber` or `clear`, by the constants above; `open` where nothing can be said.

    `least_groups` is how many test groups the class with the fewest has. With two or more an
    interval is missing only where all bootstrap samples agree, as on a perfect score.
    """
    if auroc.value is None:
        return "open"
    if auroc.low is None and least_groups < 2:
        return "amber" if auroc.value > RED_VALUE else "open"
    low = auroc.value if auroc.low is None else auroc.low
    if auroc.value > RED_VALUE and low > RED_LOW:
        return "red"
    return "amber" if low > AMBER_LOW else "clear"


def _sentence(name: str, judged: str, auroc: Measure, across: Measure) -> str:
    told = SEEN[name][0].upper() + SEEN[name][1:]
    figures = f"AUROC {_words(auroc)}"
    if across.value is not None:
        figures += f" on few test groups, {_words(across)} in cross-validation by group"
    elif auroc.low is None and judged in ("amber", "open"):
        figures += "; too few groups for an interval"
    if judged == "red":
        return f"{told} alone tells the classes apart ({figures}): {MEANING[name]}."
    if judged == "amber":
        return f"{told} alone does better than chance ({figures}). A model should beat it by far."
    if judged == "open":
        return f"{told} alone: {figures}, so that it cannot be told from chance."
    return f"{told} alone is not shown to tell the classes apart ({figures}; chance is 0.5)."


def _words(measure: Measure) -> str:
    if measure.low is None or measure.high is None:
        return f"{measure.value:.2f}"
    return f"{measure.value:.2f} ({measure.low:.2f}–{measure.high:.2f})"


def _open(
    name: str, is_test: NDArray[np.bool_], groups: Sequence[str], seen_share: float
) -> Control:
    what = "no cell was found" if name == "size" else "there is no background"
    if name == "background":
        what += ", or an earlier segmentation made it black,"
    return Control(
        name=name, seen=SEEN[name], verdict="open",
        sentence=f"Not measured: {what} in {1 - seen_share:.0%} of the pictures.",
        n_learn=int((~is_test).sum()), n_test=len(groups), n_test_groups=len(set(groups)),
        auroc=NONE, balanced_accuracy=NONE, macro_f1=NONE, across=NONE,
    )  # fmt: skip
