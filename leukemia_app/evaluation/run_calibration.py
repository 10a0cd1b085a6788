"""Sections of a run's report on trust: calibration, and coverage against risk."""

import json
from collections.abc import Sequence
from html import escape

from leukemia_app.evaluation import run_words, words
from leukemia_app.evaluation.curves import Coverage, coverage_risk, reliability
from leukemia_app.evaluation.measures import (
    NAMES,
    UNDEFINED,
    Answers,
    Interval,
    draws_of,
    figure_interval,
)
from leukemia_app.evaluation.run_gallery import Thumbnails
from leukemia_app.evaluation.run_plots import coverage_plot, reliability_plot
from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.evaluation.tables import (
    Bar,
    Row,
    figure_table,
    note,
    nothing,
    side_by_side,
    table,
)

REFERRED = tuple(step / 100 for step in range(91))
"""Shares of pictures that the slider can refer."""
SHOWN_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
BINS_SHOWN = 10


def calibration_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """The reliability curve and calibration figures, before and after temperature scaling."""
    if results.answers is None or results.measured is None:
        return nothing("No picture that was kept back has been answered.")
    overall, before = results.measured.overall, results.probabilities_before
    rows = [Bar(name=f"{NAMES[name]}{', after' if before is not None else ''}",
                figure=overall.get(name, UNDEFINED), is_ours=False)
            for name in ("ece", "brier")]  # fmt: skip
    error: Interval | None = None
    if before is not None:
        unscaled = Answers(**{**vars(results.answers), "probabilities": before})
        draws = draws_of(unscaled)
        found = {name: figure_interval(unscaled, name, draws) for name in ("ece", "brier")}
        error = found["ece"]
        rows = [
            row
            for name, after in zip(("ece", "brier"), rows, strict=True)
            for row in (Bar(name=f"{NAMES[name]}, before", figure=found[name]), after)
        ]
    told = run_words.calibration(results, error, overall.get("ece", UNDEFINED))
    bins = reliability(results.answers.true, results.answers.probabilities, BINS_SHOWN)
    numbers = table(
        ("top probability", "pictures", "mean", "right"),
        [(f"{100 * each.low:.0f}–{100 * each.high:.0f} %",
          [f"{each.n:,}", f"{each.top:.3f}", f"{each.right:.3f}"]) for each in bins],
    )  # fmt: skip
    foot = (
        f"The calibration error has 15 bins, the plot and the table {BINS_SHOWN}; bars at the foot "
        "of the plot show how many pictures lie in each. Whiskers are Wilson intervals, as if "
        "pictures were independent: they are too short where groups are few."
    )
    return f"<p>{escape(told)}</p>" + side_by_side(
        reliability_plot(results.answers, before, f"{id}-reliability", BINS_SHOWN),
        figure_table(rows) + numbers + note(foot),
    )


def coverage_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """Wrong answers against referrals by class, a slider that refers, and the table."""
    answers = results.answers
    if answers is None or not len(answers.true):
        return nothing("No picture that was kept back has been answered.")
    points = coverage_risk(answers.true, answers.predicted, answers.probabilities, REFERRED)
    shown = [point for point in points if point.referred in SHOWN_SHARES]
    heads = ("referred at most", *(f"{100 * each.referred:.0f} %" for each in shown))
    rows: list[Row] = [
        ("top probability from", [f"{each.threshold:.3f}" for each in shown]),
        ("answered", [f"{sum(each.n_answered):,}" for each in shown]),
        ("wrong, all pictures", [_risk(each.risk) for each in shown]),
        *(
            (f"wrong, {label}", [_risk(each.class_risk(number)) for each in shown])
            for number, label in enumerate(results.labels)
        ),
    ]
    return f"<p>{escape(run_words.coverage(points))}</p>" + side_by_side(
        coverage_plot(points, results.labels, f"{id}-coverage"),
        refer_slider(points, results.labels, id)
        + table(heads, rows, caption="Wrong answers among the answered; by class: among its "
                "answered pictures.")
        + note("Pictures are referred in the order of their top probability alone, the least "
                "sure first."),
    )  # fmt: skip


def _risk(value: float | None) -> str:
    return "–" if value is None else words.percent(value)


def refer_slider(points: Sequence[Coverage], labels: Sequence[str], id: str) -> str:
    """A slider for the share to refer; `run_report.js` fills in the numbers. Not printed."""
    data = [
        {"referred": round(1 - each.coverage, 4), "from": round(each.threshold, 4),
         "answered": each.n_answered, "wrong": each.n_wrong}
        for each in points
    ]  # fmt: skip
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td></td><td></td><td></td></tr>'
        for label in ("all pictures", *labels)
    )
    return (
        f'<div class="r-refer" hidden data-points="{escape(json.dumps(data))}">'
        f'<label for="{escape(id)}-refer">Refer the least sure <output>10</output> %</label>'
        f'<input type="range" id="{escape(id)}-refer" min="0" max="{len(points) - 1}" value="10">'
        '<p class="r-told" aria-live="polite"></p>'
        '<div class="r-wide"><table class="r-table"><thead><tr><th scope="col">label</th>'
        '<th scope="col">answered</th><th scope="col">wrong</th><th scope="col">share wrong</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div></div>"
    )
