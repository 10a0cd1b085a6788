"""The steps before a run: the pictures and their health, the split, the model."""

import json
from collections.abc import Mapping, Sequence

from leukemia_app.data.leaks import alone_words
from leukemia_app.data.manifest import SUFFIXES
from leukemia_app.evaluation import words
from leukemia_app.networks.backbones import BACKBONES
from leukemia_app.networks.heads import HEADS
from leukemia_app.training.job_folder import ENDED
from leukemia_app.training.presets import EFFORTS
from leukemia_app.training.progress import check_progress
from leukemia_app.ui import text as page_text
from leukemia_app.ui import train_text as text
from leukemia_app.ui.bench import Plan, Wish, presets_of
from leukemia_app.ui.components import safe
from leukemia_app.ui.data_sets import DataView
from leukemia_app.ui.run_panes import control, progress, whole_window
from leukemia_app.ui.settings_names import in_form_words
from leukemia_app.ui.settings_panes import Form, settings_folds

ACCEPTED = ",".join((*SUFFIXES, ".zip", ".csv"))


def step(number: int, title: str, body: str, *, is_open: bool = True) -> str:
    """One of the four steps; one that is not its turn yet stands back."""
    kind = "s-step" if is_open else "s-step s-shut"
    return (
        f'<section class="{kind}" aria-labelledby="t-step-{number}">'
        f'<h2 id="t-step-{number}"><span aria-hidden="true">{number}</span>{safe(title)}</h2>'
        f"{body}</section>"
    )


def drop_step(limit_mb: float, zip_mb: float) -> str:
    """Nothing was given yet: what to drop, and what happens to it."""
    limits = json.dumps({
        "sending": text.SENDING, "limitBytes": int(limit_mb * 1_000_000),
        "zipBytes": int(zip_mb * 1_000_000),
    })  # fmt: skip
    return step(1, text.PICTURES, (
        f'<div class="s-drop" data-take="{safe(limits)}">'
        '<input type="file" webkitdirectory multiple class="s-unseen" tabindex="-1" '
        f'data-pick="folder" aria-label="{safe(text.CHOOSE_FOLDER)}">'
        f'<input type="file" multiple accept="{ACCEPTED}" class="s-unseen" tabindex="-1" '
        f'data-pick="files" aria-label="{safe(text.CHOOSE_FILES)}">'
        f'<p class="s-lead">{safe(text.DROP)}</p><p class="s-hint">{safe(text.DROP_OR)}</p>'
        f'<p class="s-acts"><button type="button" class="s-button" data-opens="folder">'
        f"{safe(text.CHOOSE_FOLDER)}</button>"
        f'<button type="button" class="s-quiet" data-opens="files">{safe(text.CHOOSE_FILES)}'
        f'</button></p><p class="s-hint">{safe(page_text.FORMATS)}, up to {limit_mb:g} MB each; '
        f"zips up to {zip_mb:,.0f} MB.</p>"
        f'<p class="s-hint">{safe(text.PRIVACY)}</p></div>'
    ))  # fmt: skip


def data_step(view: DataView, health_page: str, choices: Sequence[str]) -> str:
    """The pictures that were given: how far the check is, or what it found."""
    body = f'<div data-checked="{safe(view.id)}" data-live="{int(view.state not in ENDED)}">'
    name = f'<p class="s-lead">{safe(view.source.name)}</p>'
    if view.state not in ENDED and view.health is None:
        body += name + progress(_doing(view), check_progress(view.doing)[1])
    elif view.health is None:
        body += f'{name}<div class="s-failed"><p>{safe(view.reason)}</p></div>{_choices(choices)}'
    else:
        body += (
            f'<div class="s-framed">{name}{whole_window()}'
            f'<iframe class="s-report s-health" sandbox title="{safe(view.source.name)}" '
            f'srcdoc="{safe(health_page)}"></iframe></div>{_aliases(view)}'
        )
    acts = control("new-data", text.OTHER)
    if view.state in ENDED:
        acts += control("again", text.CHECK_AGAIN)
    acts += control("forget", text.FORGET, sure=text.SURE["forget"])
    return step(1, text.PICTURES, f'{body}<p class="s-acts">{acts}</p></div>')


def _doing(view: DataView) -> str:
    if view.state.startswith("queued"):
        return text.waits(int(view.state.split()[-1]))
    words = text.MEASURING if view.is_measuring and view.health else text.CHECKING
    how_far, _ = check_progress(view.doing)
    return f"{words}: {how_far}" if how_far else f"{words}…"


def _choices(choices: Sequence[str]) -> str:
    if not choices:
        return ""
    buttons = "".join(control("choice", choice, value=choice) for choice in choices)
    return f'<p>{safe(text.CHOICE)}</p><p class="s-acts">{buttons}</p>'


def _aliases(view: DataView) -> str:
    """A field for the name of every raw label."""
    health = view.health or {}
    rows = [
        (raw, view.source.aliases.get(raw, str(item["label"])))
        for item in health["classes"] for raw in item["raw_labels"]
    ]  # fmt: skip
    rows += [(raw, "") for raw, label in view.source.aliases.items() if not label]
    fields = "".join(
        f'<label class="s-field"><span>{safe(raw)}</span>'
        f'<input type="text" data-alias="{safe(raw)}" value="{safe(label)}" maxlength="80"></label>'
        for raw, label in rows
    )
    renamed = [
        f"“{raw}” as “{label}”" for raw, label in rows
        if label != raw and raw not in view.source.aliases
    ]  # fmt: skip
    told = ""
    if renamed:
        told = f"<p>{safe(text.RENAMED.format(names=words.together(renamed)))}</p>"
    return (
        f'{told}<details class="s-fold"><summary>{safe(text.ALIASES)}</summary>'
        f'<div class="s-fields">{fields}</div></details>'
    )


def split_step(view: DataView) -> str:
    """How the pictures are split and by what; the leak, once measured."""
    health = view.health
    fields = (
        f'<div class="s-fields"><label class="s-field"><span>{safe(text.PATTERN)}</span>'
        f'<input type="text" data-source="pattern" maxlength="200" spellcheck="false" '
        f'value="{safe(view.source.pattern or "")}" placeholder="{safe(text.PATTERN_HINT)}">'
        f'</label><label class="s-field"><span>{safe(text.SEED)}</span><input type="number" '
        f'data-source="seed" min="0" step="1" value="{view.source.seed}"></label></div>'
    )
    if health is None:
        # A pattern that failed the check can be mended; else there is nothing to say yet.
        if view.state not in ENDED or not view.source.pattern:
            return step(2, text.SPLIT, "", is_open=False)
        acts = control("again", text.SPLIT_AGAIN)
        return step(2, text.SPLIT, f'{fields}<p class="s-acts">{acts}</p>')
    level = str(health["group_level"])
    by = f"{words.split_level(level).capitalize()}. {text.BY_RUN if level == 'run' else ''}"
    said = f"<p>{safe(by.strip())} {safe(health['balance'])}</p>"
    acts = control("again", text.SPLIT_AGAIN)
    alone = alone_words(health.get("split", {}).get("alone", ()), level)
    said += f'<p class="s-note">{safe(alone)}</p>' if alone else ""
    leak = ""
    if view.is_measuring:
        leak = progress(_doing(view), None)
    elif view.leak is not None:
        leak = f'<p class="s-note">{safe(view.leak["sentence"])}</p>'
    elif level != "image":
        acts += control("leak", text.LEAK)
        leak = f'<p class="s-hint">{safe(text.LEAK_WORDS)}</p>'
    return step(
        2, text.SPLIT,
        f'{said}{fields}{leak}<p class="s-acts">{acts}</p>',
    )  # fmt: skip


def model_step(
    view: DataView | None,
    wish: Wish,
    starts: Sequence[str],
    plan: Plan | None,
    problem: str,
    form: Form | None = None,
) -> str:
    """What is trained and how, and how long it will take; `form` are the settings in full."""
    if view is None or view.health is None:
        return step(3, text.MODEL, "", is_open=False)
    fields = (
        _choice("backbone", text.BACKBONE, {name: name for name in BACKBONES}, wish.backbone)
        + _choice("head", text.HEAD, {name: text.HEADS.get(name, name) for name in HEADS},
                  wish.head)
        + _choice("start", text.START, {start: start for start in starts}, wish.start)
        + _choice("input", text.INPUT, text.INPUTS, wish.input)
        + _choice("preset", text.PRESET, {name: name for name in presets_of(starts)}, wish.preset)
        + f'<label class="s-field"><span>{safe(text.NAME)}</span><input type="text" '
        f'data-plan="name" maxlength="60" value="{safe(wish.name)}"></label>'
    )  # fmt: skip
    said = f'<p class="s-hint">{safe(_effort_words(wish))}</p>'
    acts = control("begin", text.BEGIN, classes="s-button", is_off=bool(problem))
    if problem:
        said += f'<div class="s-failed"><p>{safe(in_form_words(problem))}</p></div>'
    if plan is not None:
        said += _time(plan)
        if plan.basis != "measured":
            acts += control("measure", text.MEASURE, busy=text.MEASURING_TIME)
    return step(
        3, text.MODEL,
        f'<div class="s-fields">{fields}</div>{said}{settings_folds(form) if form else ""}'
        f'<p class="s-acts">{acts}</p>',
    )  # fmt: skip


def _effort_words(wish: Wish) -> str:
    effort = EFFORTS.get(wish.preset)
    if effort is None:
        return text.ADAPT_WORDS
    return effort.scratch_words if wish.start == "none" else effort.words


def _choice(name: str, title: str, options: Mapping[str, str], chosen: str) -> str:
    shown = "".join(
        f'<option value="{safe(value)}"{" selected" if value == chosen else ""}>{safe(words_)}'
        "</option>"
        for value, words_ in options.items()
    )
    return (
        f'<label class="s-field"><span>{safe(title)}</span>'
        f'<select data-plan="{name}" autocomplete="off">{shown}</select></label>'
    )


def _time(plan: Plan) -> str:
    total = sum(plan.seconds.values())
    each = ", ".join(
        f"{text.STATES.get(phase, phase)} {text.duration(seconds)}"
        for phase, seconds in plan.seconds.items() if seconds >= 1
    )  # fmt: skip
    how = text.BASES[plan.basis]
    return (
        f"<p><strong>About {safe(text.duration(total))}</strong> "
        f'<span class="s-hint">({safe(how)}): {safe(each)}. {plan.counts.learn:,} pictures to '
        f"learn from, {plan.counts.check:,} to stop by, {plan.counts.test:,} to be scored on."
        "</span></p>"
    )
