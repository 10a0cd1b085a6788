"""What the Models tab shows of the Hub: where to pull from, what came of it, where to push to."""

from collections.abc import Sequence

from leukemia_app.bundles.hub import Progress
from leukemia_app.bundles.hub_source import read_source
from leukemia_app.bundles.library import Entry
from leukemia_app.bundles.store import bundle_sha256
from leukemia_app.ui import hub_text as text
from leukemia_app.ui.components import button, safe
from leukemia_app.ui.hub_start import Wish
from leukemia_app.ui.text import OTHER_NAME

HASH_DIGITS = 12


def pull_zone(limit_mb: int) -> str:
    """Where a repository of the Hub is named."""
    return (
        '<section class="m-zone m-pull" aria-labelledby="m-pull-title">'
        f'<h3 id="m-pull-title">{safe(text.PULL)}</h3>'
        f'<p class="s-hint">{safe(text.PULL_HINT)}</p>'
        f'<form class="m-row" data-models-pull="{safe(text.ASKING)}">'
        f"<label>{safe(text.REPO)} {_field('m-repo', text.REPO_SHAPE, 400)}</label>"
        f"<label>{safe(OTHER_NAME)} {_field('m-pull-name', '', 80)}</label>"
        f'<button type="submit" class="s-button">{safe(text.PULL_BUTTON)}</button></form>'
        f'<p class="s-hint">{safe(text.pull_checks(limit_mb))}</p></section>'
    )


def progress_note(progress: Progress) -> str:
    """How far a pull is, in words and as a bar."""
    bar = ""
    if progress.phase == "fetching" and progress.total_bytes:
        bar = (f'<progress max="{progress.total_bytes}" value="{progress.n_bytes}" '
               f'aria-label="{safe(text.PULL)}"></progress>')  # fmt: skip
    return f'<p class="m-note" role="status">{safe(text.fetching(progress))} {bar}</p>'


def wishes(listed: Sequence[Wish]) -> str:
    """What came of the repositories that are fetched at the start; nothing where there are none."""
    if not listed:
        return ""
    rows = "".join(
        f"<li{' class=m-failed' if wish.has_failed else ''}><b>{safe(wish.model)}</b> "
        f"{safe(wish.said)}</li>"
        for wish in listed
    )
    return f'<section class="m-start"><h2>{safe(text.AT_START)}</h2><ul>{rows}</ul></section>'


def push_form(model: str) -> str:
    """Where a card's model is sent from."""
    field = _field(f"m-push-{model}", text.REPO_SHAPE, 200)
    return (
        f'<details class="m-push"><summary>{safe(text.PUSH)}</summary>'
        f'<p class="s-hint">{safe(text.PUSH_HINT)}</p><p class="m-row">'
        f"<label>{safe(text.REPO)} {field}</label>"
        f"{_push(text.PUSH_BUTTON, value=model)}</p></details>"
    )


def overwrite_note(problem: str, model: str, repo: str) -> str:
    """What is in the way of a push, with a second click that goes on."""
    again = _push(text.OVERWRITE, value=model, repo=repo, overwrite="yes")
    return f'<div class="m-note" role="alert"><p>{safe(problem)}</p><p>{again}</p></div>'


def whereabouts(entry: Entry) -> str:
    """Where a model is from, its size, its hash and its self-test, in one line."""
    source = read_source(entry.folder)
    try:
        parts = [
            f"{source}" if source else "",
            f"{entry.size_bytes / 1e6:.1f} MB",
            f"sha256 {bundle_sha256(entry.folder)[:HASH_DIGITS]}…",
        ]
    except OSError:  # it is being deleted
        return ""
    if entry.problem is None:
        parts.append(text.TESTED)
    return f'<p class="s-hint m-where">{safe(" · ".join(filter(None, parts)))}</p>'


def _push(words: str, **data: str) -> str:
    return button(words, classes="s-quiet", models="push", wait=text.PUSHING, **data)


def _field(name: str, placeholder: str, longest: int) -> str:
    return (
        f'<input type="text" id="{safe(name)}" maxlength="{longest}" autocomplete="off" '
        f'placeholder="{safe(placeholder)}" autocapitalize="none" spellcheck="false">'
    )
