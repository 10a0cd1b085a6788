"""Sections of a run's report that hold its network against something else."""

from html import escape

from leukemia_app.bundles.spec import Figure
from leukemia_app.evaluation import run_words, words
from leukemia_app.evaluation.baseline_row import INPUTS, TITLES
from leukemia_app.evaluation.measures import NAMES, UNDEFINED, Interval
from leukemia_app.evaluation.run_gallery import Thumbnails
from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.evaluation.tables import (
    Bar,
    Row,
    figure_table,
    note,
    nothing,
    table,
)


def comparison_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """The network beside the controls and the classical baselines, on the same pictures."""
    if results.measured is None:
        return nothing("No picture that was kept back has been answered.")
    metric = run_words.main_metric(results)
    ours = Bar(name="this network", figure=results.measured.overall[metric], is_ours=True)
    made = "".join(
        f'<p class="r-warn">{escape(red.sentence)}</p>' for red in run_words.red_controls(results)
    )
    controls = run_words.controls(results)
    if controls:
        rows = [ours, *(_bar(figure, (figure.note,)) for figure in controls)]
        made += figure_table(rows, name=NAMES[metric], heads=("model",),
                             caption="Controls see only what the name says, on the same split. A "
                             "control near the network is a warning.")  # fmt: skip
    else:
        made += nothing("This run had no controls: what colour, size or background alone reach "
                         "is not known.")  # fmt: skip
    return made + adapting_table(results) + baseline_table(results)


def adapting_table(results: RunResults) -> str:
    """What the start scored on these pictures, and what adapting gained; empty without."""
    rows = run_words.adapting(results)
    if not rows:
        return ""
    return table(
        words.FIGURE_HEADS, [(figure.name, words.figure_cells(figure)) for figure in rows],
        caption="Before and after adapting, on the same kept-back pictures.",
    )  # fmt: skip


def _bar(figure: Figure, cells: tuple[str, ...] = ()) -> Bar:
    found = Interval(value=figure.value, low=figure.low, high=figure.high)
    return Bar(name=run_words.control_name(figure), figure=found, cells=cells)


def baseline_table(results: RunResults) -> str:
    """The classical models of the run with four figures each and the time they took."""
    if not results.baselines or results.measured is None:
        return ""
    metrics = ("accuracy", "balanced_accuracy", "auroc", "macro_f1")
    trained = sum(
        results.seconds.get(phase, 0.0) for phase in ("frozen features", "head", "fine-tuning")
    )
    overall = results.measured.overall
    rows: list[Row] = [
        ("this network", ["the picture", *(overall.get(name, UNDEFINED) for name in metrics),
                          f"{trained:,.0f}" if trained else "–"])
    ]  # fmt: skip
    for row in results.baselines:
        figures = [getattr(row, name) for name in metrics]
        if row.note:
            figures = ["left out", *["–"] * (len(metrics) - 1)]
        took = "–" if row.seconds is None else f"{row.seconds:,.1f}"
        cells = [INPUTS.get(row.features, row.features), *figures, took]
        rows.append((TITLES.get(row.name, row.name), cells))
    notes = dict.fromkeys(row.note for row in results.baselines if row.note)
    heads = ("model", "sees", *(NAMES[name] for name in metrics), "seconds to train")
    return table(
        heads, rows,
        caption="Classical models learned from the same training pictures and are scored on the "
        "same test pictures. AUROC is of probabilities or decision scores.",
    ) + "".join(map(note, notes))  # fmt: skip


def disturbance_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """What disturbed copies and pictures from elsewhere do to the figures."""
    robust = [figure for figure in results.figures if figure.kind == "robustness"]
    others = [figure for figure in results.figures if figure.kind == "scope"]
    if not robust and not others:
        return nothing("This run was not scored on disturbed copies.")
    made = ""
    if robust and results.measured is not None:
        metric = run_words.main_metric(results)
        ours = Bar(name="undisturbed", figure=results.measured.overall[metric], is_ours=True)
        made += f"<p>{escape(run_words.disturbed(results, robust))}</p>"
        made += figure_table([ours, *map(_bar, robust)], name=NAMES[metric])
    if others:
        rows = [
            Bar(name=f"{figure.name}: {figure.part}" if figure.part != "test" else figure.name,
                figure=Interval(value=figure.value, low=figure.low, high=figure.high),
                cells=(f"{figure.n:,}", figure.note))
            for figure in others
        ]  # fmt: skip
        made += figure_table(rows, heads=("pictures", "remark"), name="referred to an expert")
    return made


def elsewhere_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """Figures of other sets and of other splits, as the card has them."""
    rows = [
        figure for figure in results.figures
        if figure.part != "test" and figure.kind in ("result", "control")
    ]  # fmt: skip
    if not rows:
        return ""
    return table(
        words.FIGURE_HEADS, [(figure.name, words.figure_cells(figure)) for figure in rows],
        caption="On other sets, and on other splits of this one.",
    )  # fmt: skip
