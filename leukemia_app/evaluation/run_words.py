"""What a run's figures say, in sentences: one for each plot of its report."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leukemia_app.bundles.spec import Figure
from leukemia_app.evaluation import words
from leukemia_app.evaluation.curves import Coverage
from leukemia_app.evaluation.measures import NAMES, Interval
from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.evaluation.tables import interval_words
from leukemia_app.evaluation.words import group_word

RED_MARGIN = 0.05
"""A control is red from so little under the network's figure on."""
CALIBRATED = 0.02
"""Mean top probability and accuracy agree up to so much."""
INTERVALS = (
    "Intervals are 95 % percentile intervals of a bootstrap that draws whole {level}s within "
    "classes, 1,000 times. Where a class has a single {level}, or no sample differs, none is given."
)
KEPT_BY_LOSS = "The weights with the lowest validation loss were kept."
KEPT_LAST = "The weights of the last epoch were kept: no patience was set."
OTHER_PICTURES = (
    "Training loss and accuracy are measured while learning, on disturbed copies; validation on "
    "pictures as they are. So training may look worse than validation, and a gap is told late "
    "rather than early."
)
RULE = (
    "Our rule: overfitting is a validation loss that ends 10 % or more above its lowest, two "
    "epochs later or more, while the training loss falls on; or training accuracy 10 points or "
    "more above validation accuracy."
)


@dataclass(frozen=True, kw_only=True)
class Red:
    """A control that comes close to the network, and what that means."""

    name: str
    sentence: str


def main_metric(results: RunResults) -> str:
    """The figure that speaks for the model first: its name in `measures.FIGURES`."""
    return "auroc" if len(results.labels) == 2 else "macro_f1"


def groups_words(results: RunResults) -> str:
    """How many pictures in how many groups the figures are of."""
    if results.answers is None:
        return "no pictures"
    n, n_groups = len(results.answers.true), len(set(results.answers.groups))
    return f"{n:,} pictures" + (
        "" if results.level == "image" else f" in {n_groups:,} {group_word(results.level)}s"
    )


def headline(results: RunResults) -> str:
    """The main figure with what is needed to believe it."""
    if results.measured is None:
        return "There is no figure yet: no picture that was kept back has been answered."
    name = main_metric(results)
    split = "split by image, so optimistic"
    if results.level != "image":
        split = f"split by {results.level}"
    return (
        f"{_capital(NAMES[name])} {_with_interval(results.measured.overall[name])} on "
        f"{results.part}: {groups_words(results)}, {split}."
    )


def _with_interval(figure: Interval) -> str:
    said = interval_words(figure)
    return said.replace("(", "(95 % interval ") if "(" in said else f"{said} (no interval)"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def caution(results: RunResults) -> str:
    """What the split is worth, where it is worth little."""
    if results.level == "image":
        return (
            "The split is by image, so pictures of one patient may stand on both sides: every "
            "figure here is optimistic. Give patients or slides, and train again."
        )
    if results.level == "run":
        return (
            "Groups are rows of consecutive frames, slides or what the table names, a stand-in for "
            "patients: two of them may share one."
        )
    return ""


def controls(results: RunResults) -> tuple[Figure, ...]:
    """The controls of the part that the main figure is of, by the main figure."""
    begins = f"{NAMES[main_metric(results)]}, "
    return tuple(
        figure
        for figure in results.figures
        if figure.kind == "control" and figure.part == "test" and figure.name.startswith(begins)
    )


def adapting(results: RunResults) -> tuple[Figure, ...]:
    """What the bundle scored before it was adapted to these pictures, and what that gained."""
    return tuple(figure for figure in results.figures if figure.name.endswith(" adapting"))


def control_name(figure: Figure) -> str:
    """What a control sees, without the metric before it."""
    return figure.name.partition(", ")[2] or figure.name


def red_controls(results: RunResults) -> tuple[Red, ...]:
    """The controls that come within `RED_MARGIN` of the network, or above it."""
    if results.measured is None:
        return ()
    ours = results.measured.overall[main_metric(results)].value
    if ours is None:
        return ()
    return tuple(
        Red(
            name=control_name(figure),
            sentence=f"{_capital(control_name(figure))} reaches {figure.value:.3f}, the network "
            f"{ours:.3f}: {_meaning(figure.name)}",
        )
        for figure in controls(results)
        if figure.value is not None and figure.value >= ours - RED_MARGIN
    )


def _meaning(name: str) -> str:
    if "colour" in name:
        return (
            "colour tells the classes apart as well, or nearly, so these pictures cannot show that "
            "the network looks at the cells."
        )
    if "background" in name and "background blanked" not in name:
        return (
            "the background gives the class away, as when each class was photographed in sessions "
            "of its own."
        )
    if "cell area" in name or "size" in name:
        return "the size of the cell says nearly as much as the network."
    return "it sees as much as the network needs."


def learning(results: RunResults) -> str:
    """What the curves say, and which weights were kept."""
    found = results.course
    kept = KEPT_LAST if not results.config.get("patience") else KEPT_BY_LOSS
    return f"{found.sentence} {kept}" if found.name != "not known" else found.sentence


def confusions(results: RunResults) -> str:
    """The commonest mix-up."""
    counts = results.confusion
    wrong = counts - np.diag(np.diag(counts))
    n, n_wrong = int(counts.sum()), int(wrong.sum())
    if not n:
        return "No picture was answered."
    if not n_wrong:
        return f"All {n:,} pictures got the data set’s label."
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return (
        f"{n_wrong:,} of {n:,} pictures did not get the data set’s label. The commonest mix-up is "
        f"“{results.labels[row]}” called “{results.labels[column]}”: {wrong[row, column]:,} of "
        f"{counts[row].sum():,}."
    )


def ranking(results: RunResults) -> str:
    """The spread of the classes' AUROC."""
    if results.measured is None:
        return ""
    known = {
        label: figures["auroc"].value
        for label, figures in results.measured.per_class.items()
        if figures["auroc"].value is not None
    }
    if not known:
        return "No class has pictures on both sides, so nothing can be ranked."
    if len(results.labels) == 2:
        label = results.labels[1]
        return (
            f"Of two classes one curve says all: it is of “{label}”. The dot is where the model "
            "decides."
        )
    if len({f"{value:.3f}" for value in known.values()}) == 1:
        value = next(iter(known.values()))
        return (
            f"AUROC of one class against the rest is {value:.3f} for each, to three decimals. Dots "
            "are where the model decides."
        )
    low, high = min(known, key=lambda each: known[each] or 0), max(
        known, key=lambda each: known[each] or 0)  # fmt: skip
    return (
        f"AUROC of one class against the rest runs from {known[low]:.3f} (“{low}”) to "
        f"{known[high]:.3f} (“{high}”). Dots are where the model decides."
    )


def calibration(results: RunResults, before: Interval | None, after: Interval) -> str:
    """Whether probabilities mean what they say; `before` and `after` are the calibration error."""
    if results.answers is None:
        return ""
    answers = results.answers
    top = float(answers.probabilities.max(1).mean())
    right = float((answers.probabilities.argmax(1) == answers.true).mean())
    if abs(top - right) <= CALIBRATED:
        said = "On average, probabilities mean what they say"
    elif top > right:
        said = "The model is too sure: it is right less often than it says"
    else:
        said = "The model is not sure enough: it is right more often than it says"
    said += f" (mean top probability {top:.3f}, top class right {right:.3f})."
    if before is not None and before.value is not None and after.value is not None:
        said += (
            f" A temperature of {results.temperature:.2f}, fitted on the validation part, took the "
            f"calibration error here from {before.value:.3f} to {after.value:.3f}."
        )
    return said


def coverage(points: Sequence[Coverage]) -> str:
    """What referring a tenth buys."""
    first = points[0]
    tenth = min(points, key=lambda each: abs(each.referred - 0.1))
    if first.risk is None or tenth.risk is None:
        return ""
    if first.risk == 0:
        return "No answer was wrong, so there is nothing to gain by referring here."
    return (
        f"With every picture answered, {words.percent(first.risk)} of the answers are wrong; with "
        f"the least sure {100 * tenth.referred:.0f} % referred, {words.percent(tenth.risk)}."
    )


def disturbed(results: RunResults, shown: Sequence[Figure]) -> str:
    """Which disturbance costs most."""
    known = [(figure.value, figure) for figure in shown if figure.value is not None]
    if not known or results.measured is None:
        return ""
    least, worst = min(known, key=lambda pair: pair[0])
    metric = main_metric(results)
    undisturbed = results.measured.overall[metric].value
    if undisturbed is not None and f"{least:.3f}" == f"{undisturbed:.3f}":
        return f"No disturbance changes {NAMES[metric]} by a thousandth."
    against = "" if undisturbed is None else f", {undisturbed:.3f} undisturbed"
    return (
        f"{_capital(control_name(worst))} costs most: {NAMES[metric]} {least:.3f}{against}. Copies "
        "of the same test pictures were disturbed; the network was not trained again."
    )


def torn(results: RunResults) -> str:
    """Whether a group stands on two sides."""
    if results.torn_groups is None:
        return ""
    noun = group_word(results.level)
    if not results.torn_groups:
        return f"No {noun} has pictures in two parts: checked on every picture."
    return (
        f"{len(results.torn_groups):,} {noun}s have pictures in two parts, so figures are "
        f"too good: {', '.join(results.torn_groups[:5])}"
        f"{' and others' if len(results.torn_groups) > 5 else ''}."
    )


def twins(results: RunResults) -> str:
    """Test pictures that the network learned from under another name."""
    if results.seen_in_training is None:
        return ""
    if not results.seen_in_training:
        return "No test picture has the very pixels of one that the network learned from."
    return (
        f"{results.seen_in_training:,} test pictures have the very pixels of ones that the network "
        "learned from; they were left out of every figure."
    )
