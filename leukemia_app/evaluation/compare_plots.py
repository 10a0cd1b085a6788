"""The plots of a comparison: models over each other, each with the same line everywhere. Pure."""

from collections.abc import Mapping, Sequence
from html import escape

from leukemia_app.evaluation.axes import (
    Axis,
    Frame,
    Key,
    axis_over,
    key,
    share_axis,
    share_axis_from,
    svg,
)
from leukemia_app.evaluation.compare import Comparison
from leukemia_app.evaluation.curves import Coverage, reliability, roc_curve
from leukemia_app.evaluation.measures import NAMES
from leukemia_app.evaluation.run_plots import DIAGONAL, class_style, shown_classes, thinned

N_BINS = 10
STRENGTHS = (0, 1, 2, 3, 4, 5)
REFERRED = Axis(label="referred, %", low=0, high=0.9, ticks=(0, 0.2, 0.4, 0.6, 0.8), percent=True)


def model_styles(ids: Sequence[str]) -> Mapping[str, str]:
    """Colour and dashes of each model, by the order they were chosen."""
    return {id: class_style(number) for number, id in enumerate(ids)}


def model_key(ids: Sequence[str]) -> str:
    """The key that all plots of a comparison share."""
    return key([Key(words=id, style=style, cased=True) for id, style in model_styles(ids).items()])


def roc_plots(comparison: Comparison, id: str) -> list[str]:
    """ROC curves of the models over each other, one plot a class; of two, the second says it."""
    labels, styles = comparison.labels.labels, model_styles(list(comparison.models))
    made = []
    for number, label in shown_classes(labels):
        frame = Frame(x=share_axis("1 − specificity"), y=share_axis("sensitivity"))
        body = frame.grid() + frame.line([(0, 0), (1, 1)], DIAGONAL)
        drawn = 0
        for name, model in comparison.models.items():
            positive = model.answers.true == number
            if positive.all() or not positive.any():
                continue
            curve = roc_curve(positive, model.answers.probabilities[:, number])
            body += frame.line(thinned(curve.x, curve.y), styles[name], cased=True)
            called = model.answers.predicted == number
            decided = (float(called[~positive].mean()), float(called[positive].mean()))
            body += frame.dots([decided], _fill(styles[name]), 4.5)
            drawn += 1
        if drawn:
            told = f"Sensitivity against 1 - specificity for “{label}”, {drawn} models."
            made.append(titled(f"“{label}”", svg(f"{id}-{number}", f"ROC of {label}", told, body)))
    return made


def reliability_plot(comparison: Comparison, id: str) -> str:
    """Right answers against top probability of the models over each other."""
    styles = model_styles(list(comparison.models))
    frame = Frame(x=share_axis("top probability"), y=share_axis("right answers"))
    body = frame.grid() + frame.line([(0, 0), (1, 1)], DIAGONAL)
    for name, model in comparison.models.items():
        bins = reliability(model.answers.true, model.answers.probabilities, N_BINS)
        points = [(each.top, each.right) for each in bins]
        body += frame.line(points, styles[name], cased=True)
        body += frame.dots(points, _fill(styles[name]))
    told = "Share of right answers by top probability; on the diagonal the two agree."
    return svg(id, "Reliability", told, body)


def coverage_plots(
    points: Mapping[str, Sequence[Coverage]], labels: Sequence[str], id: str
) -> list[str]:
    """Wrong answers against the share referred, of all pictures and of each class; a plot each."""
    styles = model_styles(list(points))
    made = []
    for number, label in enumerate((None, *labels)):
        lines = {
            name: [
                (1 - each.coverage, risk)
                for each in found
                if (risk := each.risk if label is None else each.class_risk(number - 1)) is not None
            ]
            for name, found in points.items()
        }
        highest = [risk for line in lines.values() for _, risk in line]
        frame = Frame(x=REFERRED, y=axis_over("wrong among answered", highest, percent=True))
        body = frame.grid() + "".join(
            frame.line(line, styles[name], cased=True) for name, line in lines.items()
        )
        title = "all pictures" if label is None else f"“{label}”"
        told = f"Wrong answers among the answered as more are referred, {title}."
        made.append(titled(title, svg(f"{id}-{number}", f"Coverage, {title}", told, body)))
    return made


def robustness_plots(comparison: Comparison, figure: str, id: str) -> list[str]:
    """A figure of each model against the strength of each disturbance; 0 is undisturbed."""
    styles = model_styles(list(comparison.models))
    first = next(iter(comparison.models.values()))
    every = {
        corruption: {
            name: _by_strength(model.figure(figure).value, model.disturbed[corruption], figure)
            for name, model in comparison.models.items()
        }
        for corruption in first.disturbed
    }
    # One scale for all, or equal falls would look unequal.
    values = [value for lines in every.values() for line in lines.values() for _, value in line]
    frame = Frame(
        x=Axis(label="strength", low=0, high=5, ticks=STRENGTHS),
        y=share_axis_from(NAMES[figure], values),
    )
    made = []
    for number, (corruption, lines) in enumerate(every.items()):
        body = frame.grid() + "".join(
            frame.line(line, styles[name], cased=True) + frame.dots(line, _fill(styles[name]), 3)
            for name, line in lines.items()
        )
        title = corruption.replace("_", " ").replace("jpeg", "JPEG")
        ends = "; ".join(f"{name} {line[-1][1]:.3f}" for name, line in lines.items() if line)
        told = f"{NAMES[figure]} under {title}; at the greatest strength {ends}."
        made.append(titled(title, svg(f"{id}-{number}", f"Under {title}", told, body)))
    return made


def _by_strength(
    undisturbed: float | None, rows: Sequence[Mapping[str, object]], figure: str
) -> list[tuple[float, float]]:
    found = [] if undisturbed is None else [(0.0, undisturbed)]
    for row in rows:
        value, strength = row[figure], row["strength"]
        if isinstance(value, Mapping) and value["value"] is not None:
            found.append((float(str(strength)), float(value["value"])))
    return found


def titled(title: str, plot: str) -> str:
    """A plot of several under its own name."""
    return f"<figure><figcaption>{escape(title)}</figcaption>{plot}</figure>"


def _fill(style: str) -> str:
    return style.replace("stroke:", "fill:", 1)
