"""Several runs side by side in the Train tab: curves over each other, figures, what differs."""

from collections.abc import Mapping
from typing import Any

from leukemia_app.errors import AppError
from leukemia_app.evaluation.measures import NAMES
from leukemia_app.evaluation.run_compare import (
    LEAST,
    MOST,
    SHOWN,
    Comparison,
    data_name,
    figure,
    is_told_apart,
    seconds,
)
from leukemia_app.evaluation.run_plots import compared_curves
from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.evaluation.tables import note, table
from leukemia_app.evaluation.words import split_level
from leukemia_app.training.results import gather
from leukemia_app.ui import train_text as text
from leukemia_app.ui.bench import Bench
from leukemia_app.ui.components import safe
from leukemia_app.ui.run_panes import control
from leukemia_app.ui.settings_names import title_of, value_words


def compare_button(n_runs: int) -> str:
    """What asks for a comparison of the runs whose boxes are checked; nothing of one run."""
    if n_runs < LEAST:
        return ""
    between = f"{LEAST} {MOST}"
    asks = control("compare", text.COMPARE, is_off=True, between=between)
    return f'<p class="s-acts">{asks}<span class="s-hint">{safe(text.COMPARE_HINT)}</span></p>'


def compared(bench: Bench, owner: str, names: Any) -> str:
    """The comparison of the owner's runs of these names; `names` come from the page's script.

    Raises:
        RunError: fewer than two runs or more than six are named.
    """
    given = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    found: dict[str, RunResults] = {}
    lost: list[str] = []
    for name in dict.fromkeys(given):
        try:
            found[name] = gather(bench.run_folder(owner, name))
        except AppError as error:
            lost.append(str(error))
    comparison = Comparison(runs=found)
    sets = {view.id: view.source.name for view in bench.data.listed(owner)}
    said = "".join(f'<div class="s-failed"><p>{safe(sentence)}</p></div>' for sentence in lost)
    return said + comparison_pane(comparison, sets)


def comparison_pane(comparison: Comparison, sets: Mapping[str, str] | None = None) -> str:
    """All of it, with a way to each run and a way to delete it.

    `sets` are the names of the visitor's data sets by their folders.
    """
    kind = "s-note" if comparison.is_same_split else "s-failed"
    return (
        f'<div class="s-run s-compared">{_runs(comparison)}'
        f'<div class="{kind}"><p>{safe(comparison.verdict)}</p></div>'
        f"{_curves(comparison)}{_figures(comparison, sets or {})}"
        f"{_differences(comparison)}"
        f"{_settings(comparison)}</div>"
    )


def _runs(comparison: Comparison) -> str:
    items = "".join(
        f'<li><span><strong>{safe(name)}</strong> <span class="s-hint">'
        f"{safe(text.STATES.get(results.state, results.state))}</span></span>"
        f'<span class="s-acts">{control("open-run", text.OPEN, value=name)}'
        f"{control('compare-remove', text.ACTIONS['remove'], value=name, sure=text.SURE['remove'])}"
        "</span></li>"
        for name, results in comparison.runs.items()
    )
    return f'<ul class="s-picked">{items}</ul>'


def _curves(comparison: Comparison) -> str:
    epochs = {name: results.epochs for name, results in comparison.runs.items()}
    plots = [compared_curves(epochs, what, f"compared-{what}") for what in ("loss", "accuracy")]
    drawn = "".join(f"<div>{plot}</div>" for plot in plots if plot)
    return f'<div class="s-curves">{drawn}</div>' if drawn else ""


def _figures(comparison: Comparison, sets: Mapping[str, str]) -> str:
    runs = comparison.runs
    facts = (
        ("network", [f"{each.config['backbone']} + {each.config['head']}"
                     for each in runs.values()]),
        ("pictures", _pictures(comparison, sets)),
        ("split", [split_level(each.level) for each in runs.values()]),
        ("test pictures", [_tested(each) for each in runs.values()]),
        ("time", [text.duration(seconds(each)) if each.seconds else "–" for each in runs.values()]),
    )  # fmt: skip
    figures = [(NAMES[name], [figure(each, name) for each in runs.values()]) for name in SHOWN]
    shown = [each for _, row in figures for each in row if each.value is not None]
    has_all, has_any = (which(each.low is not None for each in shown) for which in (all, any))
    return (
        table((text.COMPARED_FIGURES, *runs), facts)
        + table((text.INTERVAL_95 if has_any else text.FIGURE, *runs), figures)
        + ("" if has_all else note(text.NO_INTERVAL))
    )


def _pictures(comparison: Comparison, sets: Mapping[str, str]) -> list[str]:
    """Each run's data set by its name; by its folder, too, where two are called alike."""
    folders = [data_name(each) for each in comparison.runs.values()]
    called = {folder: sets.get(folder, folder) for folder in folders}
    names = list(called.values())
    return [
        name if names.count(name) == 1 or name == folder else f"{name} ({folder})"
        for folder in folders for name in (called[folder],)
    ]  # fmt: skip


def _tested(results: RunResults) -> str:
    return "–" if results.answers is None else f"{len(results.answers.true):,}"


def _differences(comparison: Comparison) -> str:
    if not comparison.differences:
        return ""
    first, *others = comparison.runs
    rows = [(NAMES[name], found) for name, found in comparison.differences.items()]
    apart = [
        f"{NAMES[name]} of {other}"
        for name, found in comparison.differences.items()
        for other, each in zip(others, found, strict=True) if is_told_apart(each)
    ]  # fmt: skip
    said = text.APART.format(names=", ".join(apart)) if apart else text.NOT_APART
    return table((f"above {first}", *others), rows) + note(f"{said} {text.PAIRED}")


def _settings(comparison: Comparison) -> str:
    if not comparison.settings:
        return note(text.SAME_SETTINGS)
    rows = [(title_of(name), [value_words(name, each) for each in values])
            for name, values in comparison.settings.items()]  # fmt: skip
    return table((text.DIFFERENT_SETTINGS, *comparison.runs), rows)


def remaining(fields: Mapping[str, Any], gone: str) -> list[str]:
    """The runs that were compared, without one."""
    names = fields.get("compared")
    return [name for name in names if name != gone] if isinstance(names, list) else []
