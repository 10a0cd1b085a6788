"""Several pictures: a row of results of which one is open, and the summary of the smear."""

from collections.abc import Sequence

from leukemia_app.bundles.reading import Reading
from leukemia_app.evaluation import words
from leukemia_app.evaluation.smear import Count, SmearSummary, summarize
from leukemia_app.ui import text
from leukemia_app.ui.components import safe
from leukemia_app.ui.session import Case, Session
from leukemia_app.ui.theme import class_colour

HEADS = (*words.SUMMARY_HEADS[:4], "0 to 100 %", words.SUMMARY_HEADS[4])


def smear(session: Session, labels: Sequence[str]) -> str:
    """The row of results and the summary; nothing for a single picture."""
    if len(session.cases) < 2:
        return ""
    readings = session.readings
    told = _summary(summarize(readings, labels), labels) if len(readings) > 1 else ""
    return (
        f'<section class="s-smear">{_strip(session, labels)}{_failures(session.cases)}{told}'
        "</section>"
    )


def _strip(session: Session, labels: Sequence[str]) -> str:
    tiles = "".join(
        _tile(case, index, labels, is_open=index == session.opened)
        for index, case in enumerate(session.cases)
    )
    return f'<ol class="s-strip" aria-label="{safe(text.STRIP)}">{tiles}</ol>'


def _tile(case: Case, index: int, labels: Sequence[str], *, is_open: bool) -> str:
    image = (
        f'<img src="{case.thumbnail}" alt="" draggable="false">' if case.thumbnail else "<i></i>"
    )
    said, bar, kind = text.UNREAD, "", " s-unread"
    if case.reading is not None:
        said, bar = text.decision_words(case.reading), _top_bar(case.reading, labels)
        kind = " s-referred" if case.reading.decision.kind == "refer" else ""
    current = ' aria-current="true"' if is_open else ""
    name = safe(case.given.name)
    return (
        f'<li><button type="button" class="s-tile{kind}" data-ask="pick" data-value="{index}"'
        f'{current} title="{name}">{image}<span class="s-word">{safe(said)}</span>{bar}'
        f'<span class="s-unseen">, {name}</span></button></li>'
    )


def _top_bar(reading: Reading, labels: Sequence[str]) -> str:
    label = reading.decision.label
    is_decided = reading.decision.kind == "label"
    colour = class_colour(list(labels).index(label)) if is_decided else "var(--s-bar)"
    width = f"{100 * reading.probabilities[label]:.1f}%"
    return (
        f'<span class="s-mini" title="{safe(words.top_class(reading))}">'
        f'<i style="width:{width};background:{colour}"></i></span>'
    )


def _failures(cases: Sequence[Case]) -> str:
    failed = [case for case in cases if case.failure is not None]
    rows = "".join(f"<li>{safe(case.failure.message)}</li>" for case in failed if case.failure)
    if not rows:
        return ""
    title = safe(text.failed_files(len(failed), len(cases)))
    return f'<div class="s-failures" role="alert"><p>{title}</p><ul>{rows}</ul></div>'


def _summary(found: SmearSummary, labels: Sequence[str]) -> str:
    colours = {label: class_colour(index) for index, label in enumerate(labels)}
    rows = "".join(
        _row(count, colours.get(count.label, "transparent"))
        for count in (*found.counts, found.referred)
    )
    heads = "".join(f'<th scope="col">{safe(head)}</th>' for head in HEADS)
    return (
        f'<div class="s-summary"><h2>{safe(text.SUMMARY)}</h2>{_which()}'
        f'<div class="s-together"><p>{safe(words.ONE_SMEAR)} '
        f"{safe(words.summary_sentence(found))}</p>"
        f'<div class="s-scroll" tabindex="0" role="region" aria-label="{safe(text.SUMMARY)}">'
        f'<table class="s-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="s-hint">{safe(words.SUMMARY_NOTE)}</p></div>'
        f'<p class="s-apart">{safe(words.APART)}</p></div>'
    )


def _which() -> str:
    """The reader's word on what the pictures are; the page's script shows what follows from it."""
    radios = "".join(
        f'<label><input type="radio" name="s-smear" data-smear="{value}"{checked}> '
        f"{safe(said)}</label>"
        for value, checked, said in (
            ("one", " checked", text.ONE_SMEAR), ("several", "", text.SEVERAL_SMEARS)
        )
    )  # fmt: skip
    return (
        f'<fieldset class="s-radios"><legend>{safe(text.WHICH_SMEAR)}</legend>{radios}</fieldset>'
    )


def _row(count: Count, colour: str) -> str:
    low, high = count.interval
    span = f"left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"
    return (
        f'<tr><th scope="row"><i class="s-swatch" style="background:{colour}"></i>'
        f"{safe(count.label)}</th><td>{count.k} of {count.n}</td>"
        f"<td>{words.whole_percent(count.share)} %</td>"
        f"<td>{words.whole_percent(low)}–{words.whole_percent(high)} %</td>"
        f'<td class="s-interval" aria-hidden="true"><span style="{span}"></span>'
        f'<b style="left:{100 * count.share:.1f}%"></b></td><td>{count.more_to_halve:,}</td></tr>'
    )
