"""Which models there are: the chooser over the pictures, Model Facts, and the list of all."""

import json
from collections.abc import Mapping, Sequence

from leukemia_app.bundles.library import Entry
from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.evaluation import words
from leukemia_app.ui import text
from leukemia_app.ui.components import button, dialog, safe
from leukemia_app.ui.hub_panes import push_form, whereabouts


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
        f"<dt>{safe(label.name)}</dt>"
        f"<dd>{safe(label.meaning if label.meaning != label.name else '')}</dd>"
        for label in spec.labels
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


def add_zone(limit_mb: int) -> str:
    """Where the zip of a model is dropped or chosen, and how it shall be called."""
    rules = json.dumps(
        {"limitBytes": limit_mb * 1_000_000, "tooLarge": text.model_too_large(limit_mb),
         "sending": text.SENDING_MODEL, "testing": text.TESTING_MODEL, "lost": text.not_sent()}
    )  # fmt: skip
    return (
        f'<section class="s-drop m-zone" data-models-take="{safe(rules)}" '
        f'aria-labelledby="m-title"><h3 id="m-title">{safe(text.ADD_MODEL)}</h3>'
        f'<p class="s-hint">{safe(text.ADD_MODEL_HINT)}</p>'
        '<input type="file" accept=".zip,application/zip" class="s-unseen" tabindex="-1" '
        f'data-models-pick aria-label="{safe(text.CHOOSE_ZIP)}">'
        f'<div class="m-row"><label>{safe(text.OTHER_NAME)} <input type="text" id="m-name" '
        'maxlength="80" autocomplete="off" autocapitalize="none" spellcheck="false"></label>'
        f"{button(text.CHOOSE_ZIP, **{'opens-models': ''})}</div>"
        f'<p class="s-hint">{safe(text.model_checks(limit_mb))}</p>'
        f'<p class="m-progress" role="status" aria-live="polite"></p>'
        f'<span class="s-let-go" aria-hidden="true">{safe(text.LET_GO_MODEL)}</span></section>'
    )


def ways_in(zones: str) -> str:
    """The ways in for a model under one heading, with a word on which one to take."""
    return (
        f'<div class="m-lead"><h2>{safe(text.BRING)}</h2><p class="s-hint">{safe(text.BRING_HINT)}'
        f'</p></div><div class="m-ways">{zones}</div>'
    )


def model_list(
    entries: Sequence[Entry], own: Mapping[str, str] | None = None, *, may_change: bool = False,
    may_push: bool = False,
) -> str:  # fmt: skip
    """Every bundle that was found, the unusable ones with the reason.

    `own` holds the card of each bundle that was added here, by its id: a stranger's words.
    `may_change` says whether those may be deleted, `may_push` whether any may be sent to the Hub.
    """
    own = own or {}
    if not entries:
        return (
            f'<div class="s-cards"><h2>{safe(text.NO_MODELS)}</h2>'
            f"<p>{safe(text.NO_MODELS_ADVICE)}</p></div>"
        )
    cards = "".join(
        _card(entry, own.get(entry.id), _acts(
            entry, may_delete=may_change and entry.id in own, may_push=may_push
        ))
        for entry in entries
    )  # fmt: skip
    return f'<h2 class="m-here">{safe(text.MODELS_HERE)}</h2><div class="s-cards">{cards}</div>'


def _acts(entry: Entry, *, may_delete: bool, may_push: bool) -> str:
    acts = ""
    if entry.problem is None:
        acts += button(text.DOWNLOAD_MODEL, classes="s-quiet", models="pack", value=entry.id)
    if may_delete:
        acts += button(text.DELETE_MODEL, classes="s-quiet", models="remove", value=entry.id,
                       sure=text.sure_to_delete(entry.id))  # fmt: skip
    if entry.origin == "trained here":
        acts += f'<span class="s-hint">{safe(text.GOES_WITH_RUN)}</span>'
        acts += button(text.OPEN_RUN, classes="s-quiet", **{"open-run": entry.folder.parent.name})
    push = push_form(entry.id) if may_push and entry.problem is None else ""
    return (f'<p class="m-acts">{acts}</p>' if acts else "") + push


def _card(entry: Entry, came_with: str | None, acts: str) -> str:
    if entry.spec is None or entry.problem is not None:
        return (
            f'<article class="s-card s-broken"><h3>{safe(entry.id)}</h3>'
            f'<p class="s-hint">{safe(entry.origin)} · {safe(text.UNAVAILABLE)}</p>'
            f"<p>{safe(entry.problem or '')}</p>{acts}</article>"
        )
    spec = entry.spec
    chips = "".join(
        f'<li title="{safe(label.meaning)}">{safe(label.name)}</li>' for label in spec.labels
    )
    said = words.headline(spec)
    figure = "" if said is None else f'<p class="s-figure">{safe(said)}</p>'
    written = "" if not came_with else (
        f"<details><summary>{safe(text.CAME_WITH)}</summary>"
        f'<pre tabindex="0">{safe(came_with)}</pre></details>'
    )  # fmt: skip
    return (
        f'<article class="s-card"><h3>{safe(spec.title)}</h3>'
        f'<p class="s-hint">{safe(entry.id)} · {safe(entry.origin)} · '
        f"{safe(text.licence(spec.licence))}</p>"
        f"{whereabouts(entry)}<p>{safe(spec.summary)}</p>"
        f'<ul class="s-chips">{chips}</ul>{figure}'
        f"<details><summary>{safe(text.MODEL_FACTS)}</summary>{facts(spec)}</details>"
        f"{written}{acts}</article>"
    )
