"""One run as it is now, its report, and the list of all."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from leukemia_app.evaluation.learning import Epoch
from leukemia_app.evaluation.run_plots import learning_curves
from leukemia_app.evaluation.words import whole_percent
from leukemia_app.training.job_folder import ENDED
from leukemia_app.training.progress import run_progress
from leukemia_app.training.runs import RunLine, RunView
from leukemia_app.ui import train_text as text
from leukemia_app.ui.components import safe
from leukemia_app.ui.data_sets import DataView
from leukemia_app.ui.settings_names import in_form_words


def control(
    what: str, words: str, *, classes: str = "s-quiet", is_off: bool = False, **data: object
) -> str:
    """A button that asks the Train tab for something; keywords become data attributes.

    `busy` is what it says while the answer is on its way.
    """
    off = " disabled" if is_off else ""
    attributes = "".join(f' data-{key}="{safe(value)}"' for key, value in data.items())
    return (
        f'<button type="button" class="{classes}" data-train="{safe(what)}"{attributes}{off}>'
        f"{safe(words)}</button>"
    )


def progress(words: str, done: float | None) -> str:
    """What is being done and how far it is; None: it cannot be told."""
    value = "" if done is None else f' value="{max(0.0, min(1.0, done)):.3f}"'
    return (
        f'<p class="s-doing"><span>{safe(words)}</span>'
        f'<progress max="1"{value} aria-label="{safe(words)}"></progress></p>'
    )


def run_pane(view: RunView, epochs: Sequence[Epoch], figure: str = "") -> str:
    """Where the run is, its curves, and what can be done with it.

    `figure` is the main one of the model that it made, with its controls.
    """
    line = view.line
    is_live = line.state not in ENDED
    acts = "".join(
        control("act", _action(name, line), value=name, **_said(name)) for name in line.actions
    )
    if line.has_bundle:
        acts += control("bundle", text.SAVE_MODEL) + control("use", text.USE, value=line.id)
    if line.state == "done" and line.has_report:
        acts += control("report", text.SAVE_REPORT)
    return (
        f'<div class="s-run" data-run="{safe(line.id)}" data-live="{int(is_live)}">'
        f'<h3 id="t-run-title">{safe(line.title)}</h3><p class="s-hint">{safe(line.network)} · '
        f"{safe(', '.join(line.labels))}</p>"
        f"{_now(view, epochs)}{_figure(figure)}{_left_out(view)}"
        f'<div class="s-acts">{acts}</div>'
        + (f'<p class="s-hint">{safe(text.FOR_ALL)}</p>' if line.has_bundle else "")
        + f"{_curves(epochs)}</div>"
    )


def _figure(figure: str) -> str:
    if not figure:
        return ""
    return (
        f'<p class="s-figure">{safe(figure)}</p>'
        f'<p class="s-hint">{safe(text.FIGURE_WORDS if text.BESIDE in figure else text.NO_CONTROL)}'
        "</p>"
    )


def _action(name: str, line: RunLine) -> str:
    return text.STOP_FINISHING if name == "stop" and line.is_finishing else text.ACTIONS[name]


def _said(name: str) -> dict[str, Any]:
    """What is asked before an action, and what is said until it is answered."""
    told = {"sure": text.SURE.get(name), "busy": text.BUSY.get(name)}
    return {key: words for key, words in told.items() if words}


def _now(view: RunView, epochs: Sequence[Epoch]) -> str:
    line = view.line
    if line.state in ENDED:
        return _ended(line, epochs)
    if line.place is not None:
        return progress(text.waits(line.place), None)
    how_far, done = run_progress(view.doing, line.state)
    rest = []
    if view.seconds_left is not None:
        rest.append(f"about {text.duration(view.seconds_left)} left")
    if view.best:
        rest.append(_best(view.best))
    if view.memory is not None:
        rest.append(f"{view.memory.memory_mb:,} MB")
    return progress(_doing(line, how_far), done) + f'<p class="s-hint">{safe(" · ".join(rest))}</p>'


def _ended(line: RunLine, epochs: Sequence[Epoch]) -> str:
    said = text.STATES.get(line.state, line.state).capitalize()
    if line.state == "stopped" and not epochs and not line.has_bundle:
        said = text.NO_EPOCH
    reason = f". {safe(in_form_words(line.reason))}" if line.reason else "."
    return f'<p class="s-state">{safe(said)}{reason}</p>'


def _doing(line: RunLine, how_far: str) -> str:
    """The phase and how far it is; of a run that was stopped also that nothing more is trained."""
    state = text.STATES.get(line.state, line.state)
    if not line.is_finishing:
        return f"{state}: {how_far}" if how_far else state
    phase = [] if line.state == "finishing" else [state]
    said = ", ".join([*phase, *filter(None, [how_far])])
    return f"{text.FINISHING}: {said}" if said else text.FINISHING


def _best(best: Mapping[str, Any]) -> str:
    """The epoch whose weights are kept: it is chosen by its loss, not by its accuracy."""
    said, accuracy = f"lowest validation loss in epoch {best['epoch']}", best.get("val_accuracy")
    return said if accuracy is None else f"{said} (accuracy {whole_percent(accuracy)} %)"


def _left_out(view: RunView) -> str:
    if not view.left_out:
        return ""
    items = "".join(f"<li>{safe(sentence)}</li>" for sentence in view.left_out[:50])
    return (
        f'<details class="s-fold"><summary>{len(view.left_out)} could not be used</summary>'
        f'<ul class="s-remarks">{items}</ul></details>'
    )


def _curves(epochs: Sequence[Epoch]) -> str:
    plots = [learning_curves(epochs, what, f"live-{what}") for what in ("loss", "accuracy")]
    drawn = "".join(f"<div>{plot}</div>" for plot in plots if plot)
    return f'<div class="s-curves">{drawn}</div>' if drawn else ""


def report_pane(report: str) -> str:
    """The report in a frame of its own: its script reaches nothing of the page."""
    return (
        f'<div class="s-framed"><h3>{safe(text.REPORT)}</h3>{whole_window()}'
        '<iframe class="s-report" sandbox="allow-scripts" '
        f'title="{safe(text.REPORT)}" srcdoc="{safe(report)}"></iframe></div>'
    )


def in_scheme(page: str, scheme: object) -> str:
    """A whole page of HTML in the colours of the page that frames it: `dark` or `light`."""
    if scheme not in ("dark", "light"):
        return page
    return page.replace('<html lang="en">', f'<html lang="en" class="{scheme}">', 1)


def whole_window() -> str:
    """A button that shows the frame beside it in the whole window; Escape brings the page back."""
    return f'<button type="button" class="s-quiet" data-whole>{safe(text.WHOLE_WINDOW)}</button>'


def side(
    lines: Sequence[RunLine],
    sets: Sequence[DataView],
    data: str | None,
    run: str | None,
    after_runs: str = "",
) -> str:
    """Every run and data set of the visitor, and which of them are open."""
    boxes = len(lines) > 1
    shown_runs = "".join(
        _entry("open-run", line.id, line.title, _state(line), line.id == run, has_box=boxes)
        for line in lines
    )
    shown_sets = "".join(
        _entry("open-data", view.id, view.source.name, _check_state(view), view.id == data)
        for view in sets
    )  # fmt: skip
    place = json.dumps({"data": data, "run": run})
    return (
        f'<nav class="s-side" data-place="{safe(place)}" aria-label="{safe(text.RUNS)}">'
        f"<h3>{safe(text.RUNS)}</h3><ul>{shown_runs}</ul>{after_runs}"
        + ("" if lines else f'<p class="s-hint">{safe(text.NO_RUNS)}</p>')
        + (f"<h3>{safe(text.DATA_SETS)}</h3><ul>{shown_sets}</ul>" if sets else "")
        + "</nav>"
    )


def _state(line: RunLine) -> str:
    state = text.STATES.get(line.state, line.state)
    if line.place is not None and line.state not in ENDED:
        state = text.waits(line.place)
    return f"{state} · {text.FROM_COMMANDS}" if line.is_from_commands else state


def _check_state(view: DataView) -> str:
    if view.state.startswith("queued"):
        return text.waits(int(view.state.split()[-1]))
    state = text.STATES.get(view.state, view.state)
    return f"{state} · {text.given_at(view.given)}"


def _entry(
    what: str, value: str, title: str, state: str, is_open: bool, *, has_box: bool = False
) -> str:
    current = ' aria-current="true"' if is_open else ""
    box = (
        f'<input type="checkbox" data-compared="{safe(value)}" autocomplete="off" '
        f'aria-label="{safe(text.COMPARE)}: {safe(title)}">' if has_box else ""
    )  # fmt: skip
    return (
        f'<li>{box}<button type="button" data-train="{what}" data-value="{safe(value)}"{current}>'
        f'<span>{safe(title)}</span><span class="s-hint">{safe(state)}</span></button></li>'
    )
