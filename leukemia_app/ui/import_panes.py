"""The way in for Keras checkpoints as HTML: what was found, what is asked, what it said."""

import json
from collections.abc import Mapping, Sequence

from leukemia_app.bundles.checkpoint import Draft
from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
from leukemia_app.bundles.checkpoint_spec import Answers
from leukemia_app.bundles.checkpoint_words import bound_words, fact_rows, resized_words
from leukemia_app.bundles.reading import Reading
from leukemia_app.evaluation import words
from leukemia_app.imaging.picture import Picture
from leukemia_app.ui import import_text as text
from leukemia_app.ui.components import button, picture_uri, safe

FOUND_ROWS = 4
"""Facts that the file itself says; the rest stand in the form."""


def import_zone(limit_mb: int) -> str:
    """Where a checkpoint is chosen."""
    rules = json.dumps({
        "limitBytes": limit_mb * 1_000_000, "tooLarge": text.too_large(limit_mb),
        "sending": text.SENDING, "opening": text.OPENING, "building": text.BUILDING,
        "keeping": text.KEEPING, "lost": text.LOST, "stale": text.STALE,
    })  # fmt: skip
    return (
        f'<section class="m-zone m-pull i-zone" data-import="{safe(rules)}" '
        'aria-labelledby="i-title">'
        f'<h3 id="i-title">{safe(text.TITLE)}</h3><p class="s-hint">{safe(text.HINT)}</p>'
        '<input type="file" accept=".keras,.h5,.hdf5,.zip" class="s-unseen" tabindex="-1" '
        f'data-import-pick aria-label="{safe(text.CHOOSE)}">'
        f'<div class="m-row">{button(text.CHOOSE, **{"import": "pick"})}'
        f'<form class="m-row" data-import-hub><label>{safe(text.HUB)} '
        '<input type="text" name="repo" maxlength="200" autocomplete="off" '
        'autocapitalize="none" spellcheck="false" placeholder="owner/name"></label>'
        f'<button type="submit" class="s-quiet">{safe(text.LOOK)}</button></form></div>'
        f'<p class="s-hint">{safe(text.CHECKS)}</p>'
        '<p class="i-progress" role="status" aria-live="polite"></p></section>'
    )


def looked(
    facts: CheckpointFacts, answers: Answers, tried: str = "", sent: Mapping[str, str] | None = None
) -> str:
    """What was found in a checkpoint, and a form with the answers so far for the rest.

    `sent` are texts of the form that could not be used; they stand in it again, to be mended.
    """
    rows = "".join(
        f"<dt>{safe(name)}</dt><dd>{safe(said)}</dd>"
        for name, said in fact_rows(facts, answers)[:FOUND_ROWS]
    )
    return (
        f'<section class="i-found" aria-labelledby="i-found"><h2 id="i-found">{safe(text.FOUND)}'
        f'</h2><dl class="s-facts-list">{rows}</dl><p class="s-hint">'
        f"{safe(bound_words(facts.held))}</p>"
        f"<h2>{safe(text.ASKED)}</h2>"
        f'<p class="s-hint">{safe(text.GUESSES)} {safe(_why(facts))}</p>'
        f'<p class="s-hint">{safe(text.RESIZED.format(how=_resized(facts, answers)))}</p>'
        f"{_form(facts, vars(answers) | _lines(answers) | dict(sent or {}))}{tried}</section>"
    )


def trial(draft: Draft, pictures: Sequence[Picture], readings: Sequence[Reading]) -> str:
    """What a draft says of drawn pictures, and whether it shall be kept."""
    cells = "".join(
        f'<figure><img src="{picture_uri(picture.pixels)}" alt="{safe(picture.name)}">'
        f"<figcaption>{safe(picture.name)}<ul>{_bars(reading.probabilities)}</ul></figcaption>"
        "</figure>"
        for picture, reading in zip(pictures, readings, strict=True)
    )
    no_map = "" if draft.has_map else f'<p class="s-hint">{safe(text.NO_MAP)}</p>'
    return (
        f'<h2 id="i-tried" tabindex="-1">{safe(text.TRIED)}</h2>'
        f'<p class="s-hint">{safe(text.TRIED_HINT)}</p><div class="i-tried">{cells}</div>{no_map}'
        f'<p class="m-acts">{button(text.KEEP, **{"import": "keep"})}'
        f"{button(text.FORGET, classes='s-quiet', **{'import': 'forget'})}"
        '<span class="i-stale" role="status"></span></p>'
    )


def _bars(probabilities: Mapping[str, float]) -> str:
    top = sorted(probabilities.items(), key=lambda item: -item[1])[:5]
    return "".join(
        f'<li><span>{safe(name)}</span><meter min="0" max="1" value="{value:.4f}">'
        f"</meter><span>{safe(words.percent(value))}</span></li>"
        for name, value in top
    )


def _why(facts: CheckpointFacts) -> str:
    labels = f"Labels are from {facts.labels_from}." if facts.labels else ""
    return f"Scaling: {facts.scaling_why}. {labels}".strip()


def _resized(facts: CheckpointFacts, answers: Answers) -> str:
    if _is_fixed(facts):
        return resized_words(facts, answers)
    return text.TO_SIDE


def _is_fixed(facts: CheckpointFacts) -> bool:
    """Whether the network takes one size and no other."""
    return facts.side_px is not None and not facts.backbone


def _lines(answers: Answers) -> dict[str, str]:
    return {"labels": "\n".join(answers.labels)}


def _form(facts: CheckpointFacts, values: Mapping[str, object]) -> str:
    own = bool(facts.backbone)
    fields = (
        _labels(str(values["labels"]), min(8, facts.n_classes + 1)),
        _labelled(text.SHOWS, _select("input", text.INPUTS, values["input"])),
        "" if own else _labelled(
            text.SCALING, _select("scaling", text.SCALING_WORDS, values["scaling"])),
        "" if own or facts.channels == 1 else _labelled(
            text.COLOUR, _select("colour", text.COLOURS, values["colour"])),
        "" if _is_fixed(facts) else _labelled(
            text.SIZE, _input("side_px", values["side_px"], "number")),
        _labelled(text.NAME, _input("id", values["id"])),
        _labelled(text.MODEL_TITLE, _input("title", values["title"])),
        _labelled(text.LICENCE, _input("licence", values["licence"])),
        _labelled(text.SOURCE, _input("source", values["source"])),
    )  # fmt: skip
    return (
        f'<form class="i-form" data-import-form>{"".join(fields)}'
        f'<p class="m-acts"><button type="submit" class="s-button">{safe(text.TRY)}</button>'
        f"{button(text.FORGET, classes='s-quiet', **{'import': 'forget'})}</p>"
        '<p class="i-progress" aria-hidden="true"></p></form>'
    )


def _labels(lines: str, rows: int) -> str:
    """The names of the classes, typed, pasted, or taken from a file that the page itself reads."""
    area = (
        f'<textarea name="labels" rows="{rows}" spellcheck="false" autocomplete="off">'
        f"{safe(lines)}</textarea>"
    )
    return (
        f'<div class="i-labels">{_labelled(text.LABELS, area)}'
        '<input type="file" accept=".txt,text/plain" class="s-unseen" tabindex="-1" '
        f'data-import-labels aria-label="{safe(text.LABELS_FILE)}">'
        f"{button(text.LABELS_FILE, classes='s-quiet', **{'import': 'labels'})}</div>"
    )


def _labelled(name: str, control: str) -> str:
    return f"<label><span>{safe(name)}</span>{control}</label>"


def _input(name: str, value: object, kind: str = "text") -> str:
    bounds = ' min="32" max="1024"' if kind == "number" else ' maxlength="200"'
    return f'<input type="{kind}" name="{name}" value="{safe(value)}"{bounds} autocomplete="off">'


def _select(name: str, choices: Mapping[str, str], chosen: object) -> str:
    options = "".join(
        f'<option value="{safe(key)}"{" selected" if key == chosen else ""}>{safe(said)}</option>'
        for key, said in choices.items()
    )
    return f'<select name="{name}" autocomplete="off">{options}</select>'
