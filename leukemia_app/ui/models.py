"""Which models there are: the chooser over the pictures, Model Facts, and the list of all."""

from collections.abc import Sequence

from leukemia_app.bundles.library import Entry
from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.evaluation import words
from leukemia_app.ui import text
from leukemia_app.ui.components import button, dialog, safe


def chooser(entries: Sequence[Entry], chosen: str | None) -> str:
    """The model in use: a list to choose from, one line of facts, and the facts in full."""
    usable = [entry for entry in entries if entry.problem is None]
    spec = next((entry.spec for entry in usable if entry.id == chosen), None)
    if spec is None:
        return f'<div class="s-chooser"><p>{safe(text.NO_MODELS)}.</p></div>'
    options = "".join(
        f'<option value="{safe(entry.id)}"{" selected" if entry.id == chosen else ""}>'
        f"{safe(entry.id)}</option>"
        for entry in usable
    )
    return (
        f'<div class="s-chooser"><label for="s-model">{safe(text.MODEL)}</label>'
        f'<select id="s-model" data-ask="choose" data-wait="{safe(text.LOADING)}" '
        f'autocomplete="off">{options}</select>'
        f'<p class="s-line">{safe(fact_line(spec))}</p>'
        f"{button(text.FACTS, classes='s-quiet', open='s-facts')}</div>"
        f"{dialog('s-facts', spec.title, facts(spec), text.CLOSE)}"
    )


def fact_line(spec: Spec) -> str:
    """What a model reads, its labels, and its main figure with its controls, in one line."""
    parts = [f"reads {words.inputs(spec)}", " ".join(spec.label_names), words.headline(spec)]
    return " · ".join(filter(None, parts))


def facts(spec: Spec) -> str:
    """Model Facts: what for, what not, from which pictures, how good, under which licence."""
    labels = "".join(
        f"<dt>{safe(label.name)}</dt><dd>{safe(label.meaning)}</dd>" for label in spec.labels
    )
    rows = "".join(
        f"<dt>{safe(name)}</dt><dd>{safe(value)}</dd>" for name, value in words.fact_rows(spec)
    )
    return (
        f'<p>{safe(spec.summary)}</p><dl class="s-facts-list">{rows}</dl>'
        f'<h3>{safe(text.LABELS)}</h3><dl class="s-facts-list">{labels}</dl>'
        f"<h3>{safe(text.FIGURES)}</h3>{figures(spec.figures)}"
        f'<h3>{safe(text.COMMAND)}</h3><pre tabindex="0">{safe(text.command(spec))}</pre>'
    )


def figures(measured: Sequence[Figure]) -> str:
    """Every figure with its interval, its pictures and its kind of split."""
    if not measured:
        return f"<p>{safe(text.NO_FIGURES)}</p>"
    heads = "".join(f'<th scope="col">{safe(head)}</th>' for head in words.FIGURE_HEADS)
    rows = "".join(
        f'<tr><th scope="row">{safe(item.name)}</th>'
        + "".join(f"<td>{safe(cell)}</td>" for cell in words.figure_cells(item))
        + "</tr>"
        for item in measured
    )
    return (
        f'<div class="s-scroll" tabindex="0" role="region" aria-label="{safe(text.FIGURES)}">'
        f'<table class="s-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def model_list(entries: Sequence[Entry]) -> str:
    """Every bundle that was found, the unusable ones with the reason."""
    if not entries:
        return (
            f'<div class="s-cards"><h2>{safe(text.NO_MODELS)}</h2>'
            f"<p>{safe(text.NO_MODELS_ADVICE)}</p></div>"
        )
    return f'<div class="s-cards">{"".join(_card(entry) for entry in entries)}</div>'


def _card(entry: Entry) -> str:
    if entry.spec is None or entry.problem is not None:
        return (
            f'<article class="s-card s-broken"><h2>{safe(entry.id)}</h2>'
            f'<p class="s-hint">{safe(entry.origin)} · {safe(text.UNAVAILABLE)}</p>'
            f"<p>{safe(entry.problem or '')}</p></article>"
        )
    spec = entry.spec
    chips = "".join(
        f'<li title="{safe(label.meaning)}">{safe(label.name)}</li>' for label in spec.labels
    )
    said = words.headline(spec)
    figure = "" if said is None else f'<p class="s-figure">{safe(said)}</p>'
    return (
        f'<article class="s-card"><h2>{safe(spec.title)}</h2>'
        f'<p class="s-hint">{safe(entry.id)} · {safe(entry.origin)} · {safe(spec.licence)}</p>'
        f'<p>{safe(spec.summary)}</p><ul class="s-chips">{chips}</ul>{figure}'
        f"<details><summary>{safe(text.MODEL_FACTS)}</summary>{facts(spec)}</details></article>"
    )
