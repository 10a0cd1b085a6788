"""The plots of a run, each a piece of SVG or HTML that the report and the page show alike."""

from collections.abc import Mapping, Sequence

import numpy as np

from leukemia_app.evaluation.axes import (
    DASHES,
    Axis,
    Frame,
    Key,
    axis_over,
    key,
    place_axis,
    share_axis,
    share_axis_from,
    svg,
)
from leukemia_app.evaluation.colours import CLASS_COLOURS, class_colour
from leukemia_app.evaluation.curves import (
    Coverage,
    precision_recall_curve,
    reliability,
    roc_curve,
)
from leukemia_app.evaluation.intervals import wilson_interval
from leukemia_app.evaluation.learning import Epoch, course
from leukemia_app.evaluation.measures import Answers
from leukemia_app.imaging.picture import FloatArray

TRAINING = "stroke: var(--s-bar); stroke-dasharray: 5 3"
VALIDATION = "stroke: var(--s-accent); stroke-width: 2.2"
OVERALL = "stroke: var(--s-ink); stroke-width: 2.2"
BEFORE = "stroke: var(--s-bar); stroke-dasharray: 5 3"
AFTER = "stroke: var(--s-accent); stroke-width: 2.2"
DIAGONAL = "stroke: var(--s-edge); stroke-width: 1; stroke-dasharray: 2 3"
MOST_POINTS = 400
"""A curve over thousands of pictures is thinned to so many points: the eye sees no difference."""


def class_style(number: int, *, alone: bool = False) -> str:
    """Colour and dashes of the class at this place of the bundle's order; no dashes if alone."""
    colour = f"stroke: {class_colour(number)}"
    # Where the colours begin again, the dashes are others.
    dashes = DASHES[(number + number // len(CLASS_COLOURS)) % len(DASHES)]
    return colour if alone else f"{colour}; stroke-dasharray: {dashes}"


def learning_curves(epochs: Sequence[Epoch], what: str, id: str) -> str:
    """Training and validation `what` (`loss` or `accuracy`) over the epochs; empty without any.

    The head's epochs stand before the whole network's, parted by a line.
    """
    trained = _points(epochs, what)
    checked = _points(epochs, f"val_{what}")
    if not trained and not checked:
        return ""
    values = [value for _, value in (*trained, *checked)]
    y = share_axis_from("accuracy", values) if what == "accuracy" else axis_over("loss", values)
    frame = Frame(x=place_axis("epoch", [str(epoch.number) for epoch in epochs]), y=y)
    n_head = sum(epoch.phase == "head" for epoch in epochs)
    body = frame.grid()
    if 0 < n_head < len(epochs):
        body += frame.parting(n_head + 0.5, "head", "whole network")
    for points, style in ((trained, TRAINING), (checked, VALIDATION)):
        # The two phases measure the loss on other pictures: no line joins them.
        for phase in (points[: _count(points, n_head)], points[_count(points, n_head) :]):
            body += frame.line(phase, style)
            if len(phase) < 3:
                body += frame.dots(phase, _fill(style), 3.5)
    lowest = course(epochs).lowest
    if lowest is not None:
        body += frame.dots([(epochs.index(lowest) + 1, getattr(lowest, f"val_{what}") or 0)],
                           "fill: var(--s-accent)", 4.5)  # fmt: skip
    title = f"{what.capitalize()} by epoch"
    told = f"{title}: training {_from_to(trained)}, validation {_from_to(checked)}."
    validation = "validation; dot: lowest validation loss" if lowest else "validation"
    return svg(id, title, told, body) + key(
        [Key(words=words, style=style)
         for words, style, points in (("training", TRAINING, trained),
                                      (validation, VALIDATION, checked)) if points]
    )  # fmt: skip


def _points(epochs: Sequence[Epoch], name: str) -> list[tuple[float, float]]:
    found = []
    for place, epoch in enumerate(epochs, 1):
        value = getattr(epoch, name)
        if value is not None:
            found.append((float(place), float(value)))
    return found


def _count(points: Sequence[tuple[float, float]], last: int) -> int:
    return sum(place <= last for place, _ in points)


def _from_to(points: Sequence[tuple[float, float]]) -> str:
    return f"from {points[0][1]:.3f} to {points[-1][1]:.3f}" if points else "not measured"


def compared_curves(runs: Mapping[str, Sequence[Epoch]], what: str, id: str) -> str:
    """Validation `what` of several runs over each other, by the name of each; empty without any."""
    points = {name: _points(epochs, f"val_{what}") for name, epochs in runs.items()}
    points = {name: found for name, found in points.items() if found}
    if not points:
        return ""
    values = [value for found in points.values() for _, value in found]
    y = share_axis_from("validation accuracy", values) if what == "accuracy" else axis_over(
        "validation loss", values)  # fmt: skip
    longest = max(map(len, runs.values()))
    frame = Frame(x=place_axis("epoch, the head’s before the network’s",
                               [str(place + 1) for place in range(longest)]), y=y)  # fmt: skip
    styles = {name: class_style(number) for number, name in enumerate(points)}
    body = frame.grid() + "".join(
        frame.line(found, styles[name], cased=True) + frame.dots(found[-1:], _fill(styles[name]))
        for name, found in points.items()
    )
    told = "; ".join(f"{name} ends at {found[-1][1]:.3f}" for name, found in points.items())
    title = f"Validation {what} of {len(points)} runs"
    keys = [Key(words=name, style=style, cased=True) for name, style in styles.items()]
    return svg(id, title, f"{title}: {told}.", body) + key(keys)


def _fill(style: str) -> str:
    return style.replace("stroke:", "fill:", 1)


def shown_classes(labels: Sequence[str]) -> Sequence[tuple[int, str]]:
    """Number and name of the classes whose curves are drawn: of two, the second says it all."""
    return list(enumerate(labels))[1:] if len(labels) == 2 else list(enumerate(labels))


def roc_plot(answers: Answers, labels: Sequence[str], id: str) -> str:
    """ROC curve of each class against the rest, with a dot where the model decides."""
    frame = Frame(x=share_axis("1 − specificity"), y=share_axis("sensitivity"))
    body, keys = frame.grid() + frame.line([(0, 0), (1, 1)], DIAGONAL), []
    for number, label in shown_classes(labels):
        positive = answers.true == number
        if positive.all() or not positive.any():
            continue
        curve = roc_curve(positive, answers.probabilities[:, number])
        style = class_style(number, alone=len(labels) == 2)
        body += frame.line(thinned(curve.x, curve.y), style, cased=True)
        called = answers.predicted == number
        decided = (float(called[~positive].mean()), float(called[positive].mean()))
        body += frame.dots([decided], _fill(style), 4.5)
        keys.append(Key(words=label, style=style, cased=True))
    told = f"Sensitivity against 1 - specificity for {_listed([entry.words for entry in keys])}."
    return svg(id, "ROC curves", told, body) + key(keys)


def precision_recall_plot(answers: Answers, labels: Sequence[str], id: str) -> str:
    """Precision against recall of each class; dotted, its prevalence, which guessing reaches."""
    frame = Frame(x=share_axis("recall (sensitivity)"), y=share_axis("precision (PPV)"))
    body, keys = frame.grid(), []
    for number, label in shown_classes(labels):
        positive = answers.true == number
        if not positive.any():
            continue
        curve = precision_recall_curve(positive, answers.probabilities[:, number])
        style = class_style(number, alone=len(labels) == 2)
        share = float(positive.mean())
        faint = f"stroke: {class_colour(number)}; stroke-width: 1; stroke-dasharray: 1 4"
        body += frame.line([(0, share), (1, share)], faint)
        body += frame.line(thinned(curve.x, curve.y), style, cased=True)
        keys.append(Key(words=label, style=style, cased=True))
    told = f"Precision against recall for {_listed([entry.words for entry in keys])}."
    return svg(id, "Precision-recall curves", told, body) + key(keys)


def thinned(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """The points of a curve, corners kept: those in the middle of a straight run are left out."""
    if len(x) > 2:
        turn = (np.diff(x)[1:] * np.diff(y)[:-1]) != (np.diff(x)[:-1] * np.diff(y)[1:])
        kept = np.concatenate([[True], turn, [True]])
        x, y = x[kept], y[kept]
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).astype(int))
    return [(float(x[place]), float(y[place])) for place in chosen]


def reliability_plot(answers: Answers, before: FloatArray | None, id: str, n_bins: int = 10) -> str:
    """Accuracy against top probability in equally wide bins; below, how many pictures lie in each.

    `before` are the probabilities before temperature scaling, where there was any. Whiskers are
    95 % Wilson intervals, as if pictures were independent.
    """
    frame = Frame(x=share_axis("top probability"), y=share_axis("right answers"))
    bins = reliability(answers.true, answers.probabilities, n_bins)
    most = max(each.n for each in bins)
    body = frame.grid() + frame.line([(0, 0), (1, 1)], DIAGONAL)
    for each in bins:
        (left, bottom), (right, top) = frame.at(each.low, 0), frame.at(
            each.high, 0.25 * each.n / most)  # fmt: skip
        body += (f'<rect class="r-count" x="{left + 1:.1f}" y="{top:.1f}" '
                 f'width="{right - left - 2:.1f}" height="{bottom - top:.1f}"/>')  # fmt: skip
    keys = []
    if before is not None:
        points = [(each.top, each.right) for each in reliability(answers.true, before, n_bins)]
        body += frame.line(points, BEFORE) + frame.dots(points, "fill: var(--s-bar)", 3)
        keys.append(Key(words="before temperature scaling", style=BEFORE))
    points = [(each.top, each.right) for each in bins]
    ends = [(each.top, *wilson_interval(round(each.right * each.n), each.n)) for each in bins]
    body += frame.whiskers(ends, "stroke: var(--s-accent); stroke-width: 1")
    body += frame.line(points, AFTER) + frame.dots(points, "fill: var(--s-accent)")
    words = "after temperature scaling" if before is not None else "as the network answers"
    keys.append(Key(words=words, style=AFTER))
    told = "Share of right answers by top probability; on the diagonal the two agree."
    return svg(id, "Reliability", told, body) + key(keys)


def coverage_plot(points: Sequence[Coverage], labels: Sequence[str], id: str) -> str:
    """Wrong answers among the answered pictures against the share referred, by class and in all."""
    lines = {"all pictures": [(1 - each.coverage, each.risk) for each in points]}
    for number, label in enumerate(labels):
        lines[label] = [(1 - each.coverage, each.class_risk(number)) for each in points]
    known = {name: [(x, y) for x, y in line if y is not None] for name, line in lines.items()}
    highest = [y for line in known.values() for _, y in line]
    x = Axis(label="referred, %", low=0, high=0.9, ticks=(0, 0.2, 0.4, 0.6, 0.8), percent=True)
    frame = Frame(x=x, y=axis_over("wrong among answered", highest, percent=True))
    body, keys = frame.grid(), []
    for number, label in enumerate(labels):
        body += frame.line(known[label], class_style(number), cased=True)
        keys.append(Key(words=label, style=class_style(number), cased=True))
    body += frame.line(known["all pictures"], OVERALL)
    keys.insert(0, Key(words="all pictures", style=OVERALL))
    told = "Wrong answers among the answered pictures, as more of the least sure are referred."
    return svg(id, "Coverage against risk", told, body) + key(keys)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
