"""The right pane: the decision in words, the bars, the cell's measures, the downloads."""

from collections.abc import Mapping
from dataclasses import dataclass

from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import Spec
from leukemia_app.evaluation import words
from leukemia_app.ui import text
from leukemia_app.ui.components import button, items, safe
from leukemia_app.ui.theme import class_colour

DOWNLOADS = (("json", "JSON"), ("csv", "CSV"), ("png", "PNG"), ("html", "Report"))


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Why the model does not fit the picture, and one that may; offered, never taken silently."""

    why: str
    model: str | None
    """None where no model for that kind of picture is there."""


def empty_answer() -> str:
    """What the pane teaches before any picture was given."""
    points = "".join(
        f"<li><strong>{safe(title)}</strong><span>{safe(words)}</span></li>"
        for title, words in text.EMPTY_POINTS
    )
    return (
        f'<section class="s-answer s-empty"><h2>{safe(text.EMPTY_ANSWER)}</h2>'
        f'<ul class="s-points">{points}</ul></section>'
    )


def no_models() -> str:
    """What the pane says where nothing can answer."""
    return problem(text.NO_MODELS, text.NO_MODELS_ADVICE)


def problem(title: str, advice: str) -> str:
    """A failure in words: what happened, and what to do."""
    return (
        f'<section class="s-answer"><div class="s-decision s-failed" role="alert">'
        f"<h2>{safe(title)}</h2><p>{safe(advice)}</p></div></section>"
    )


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the pane shows beside the reading itself."""

    phrases: tuple[str, ...] = ()
    """The main cell in words."""
    stages: tuple[tuple[str, str], ...] = ()
    """Name and address of each preprocessing stage, in order."""
    suggestion: Suggestion | None = None
    note: str = ""
    """What the page did of itself and owns up to."""


def answer(reading: Reading, spec: Spec, shown: Shown) -> str:
    """The whole pane for one reading."""
    outside = reading.scope is not None and not reading.scope.inside
    found = bars(reading, spec, greyed=outside) + morphology(reading, shown.phrases)
    if outside:
        summary = f"<summary>{safe(text.SHOW_ANYWAY)}</summary>"
        found = f'<details class="s-fold">{summary}{found}</details>'
    parts = [
        f'<div class="s-note"><p>{safe(shown.note)}</p></div>' if shown.note else "",
        _suggested(shown.suggestion),
        decision(reading, spec, outside=outside),
        found,
        _remarks(reading),
        _stages(shown.stages),
        _foot(reading),
    ]
    return f'<section class="s-answer" aria-label="Answer">{"".join(parts)}</section>'


def decision(reading: Reading, spec: Spec, *, outside: bool) -> str:
    """The decision in words, a referral with its reasons."""
    label, chance = reading.decision.label, reading.probabilities[reading.decision.label]
    if reading.decision.kind == "refer":
        top = "" if outside else f"<p>{safe(words.top_class(reading))}</p>"
        return (
            f'<div class="s-decision s-refer"><h2>{safe(words.REFER)}</h2>'
            f"{items(reading.decision.reasons, 's-reasons')}{top}</div>"
        )
    meaning = meanings(spec).get(label, "")
    return (
        f'<div class="s-decision"><h2>{safe(label)} '
        f'<span class="s-chance">{safe(words.percent(chance))}</span></h2>'
        f"<p>{safe(text.top_meaning(meaning))}</p></div>"
    )


def bars(reading: Reading, spec: Spec, *, greyed: bool) -> str:
    """One row a class on a fixed scale from 0 to 100, highest first, with the threshold."""
    order = list(reading.probabilities)
    ranked = sorted(order, key=lambda name: -reading.probabilities[name])
    rows = "".join(_bar(name, order.index(name), reading, spec) for name in ranked)
    grey = " s-greyed" if greyed else ""
    threshold, mark = "", ""
    if spec.threshold > 0:
        threshold = f' style="--threshold:{100 * spec.threshold:.1f}%"'
        word = text.threshold(spec.threshold, is_fitted=bool(spec.figures))
        mark = (
            f'<thead><tr><td></td><td class="s-mark" title="{safe(text.THRESHOLD_HINT)}">'
            f"<span>{safe(word)}</span></td><td>%</td></tr></thead>"
        )
    cut = text.cut_words(spec)
    said = f'<p class="s-hint">{safe(cut)}</p>' if cut else ""
    return (
        f'<table class="s-bars{grey}"{threshold}><caption class="s-unseen">'
        f"{safe(text.BARS_CAPTION)}</caption>{mark}<tbody>{rows}</tbody></table>{said}"
    )


def _bar(name: str, index: int, reading: Reading, spec: Spec) -> str:
    value = 100 * reading.probabilities[name]
    meaning = meanings(spec).get(name, name)
    small = f"<small>{safe(meaning)}</small>" if meaning != name else ""
    top = ' class="s-top"' if name == reading.decision.label else ""
    return (
        f'<tr{top}><th scope="row"><i class="s-swatch" style="background:{class_colour(index)}">'
        f"</i>{safe(name)}</th>"
        f'<td class="s-track"><span style="width:{value:.2f}%"></span>{small}</td>'
        f'<td class="s-number">{value:.1f}</td></tr>'
    )


def morphology(reading: Reading, phrases: tuple[str, ...]) -> str:
    """The main cell's measures in words and numbers; says so where no cell was found."""
    if reading.morphology is None:
        body = f"<p>{safe(words.NO_MEASURES)}</p>"
    else:
        numbers = "".join(
            f"<div><dt>{safe(name)}</dt><dd>{safe(value)}</dd></div>"
            for name, value in words.measures(reading.morphology)
        )
        said = words.sentence(phrases)
        body = f'<p>{safe(said)}</p><dl class="s-measures">{numbers}</dl>'
    return f'<div class="s-block"><h3>{safe(words.cells_title(reading))}</h3>{body}</div>'


def meanings(spec: Spec) -> Mapping[str, str]:
    """What each label means, by its name."""
    return {label.name: label.meaning for label in spec.labels}


def downloads(names: tuple[tuple[str, str], ...] = DOWNLOADS) -> str:
    """The buttons that save what is shown."""
    made = "".join(
        button(name, classes="s-quiet", ask="save", value=kind, wait=text.SAVING)
        for kind, name in names
    )
    return f'<div class="s-downloads" role="group" aria-label="{safe(text.DOWNLOADS)}">{made}</div>'


def _suggested(suggestion: Suggestion | None) -> str:
    if suggestion is None:
        return ""
    act = ""
    if suggestion.model is not None:
        act = button(
            text.read_with(suggestion.model), classes="s-button s-small", ask="choose",
            value=suggestion.model, wait=text.READING,
        )  # fmt: skip
    return f'<div class="s-note"><p>{safe(suggestion.why)}</p>{act}</div>'


def _remarks(reading: Reading) -> str:
    if not reading.remarks:
        return ""
    found = items(tuple(reading.remarks), "s-remarks")
    return f'<div class="s-block"><h3>{safe(text.REMARKS)}</h3>{found}</div>'


def _stages(stages: tuple[tuple[str, str], ...]) -> str:
    shown = "".join(
        f'<li><button type="button" data-enlarge="{safe(name)}">'
        f'<img src="{uri}" alt="{safe(name)}" draggable="false"></button>'
        f'<span aria-hidden="true">{safe(name)}</span></li>'
        for name, uri in stages
    )
    return (
        f'<div class="s-block"><h3>{safe(text.STAGES)}</h3><ol class="s-stages">{shown}</ol></div>'
    )


def _foot(reading: Reading) -> str:
    facts = (
        f'<p class="s-facts"><span>{safe(reading.file)}</span> · {safe(words.seconds(reading))}</p>'
    )
    return f'<div class="s-foot">{facts}{downloads()}</div>'
