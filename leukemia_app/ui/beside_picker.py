"""The Compare tab's questions as HTML: which models, what their labels share, which pictures."""

import json
from collections.abc import Sequence

from leukemia_app.bundles.library import Entry
from leukemia_app.errors import SettingError
from leukemia_app.evaluation import words
from leukemia_app.evaluation.compare import LEAST
from leukemia_app.evaluation.label_map import members_of
from leukemia_app.ui import beside_text as text
from leukemia_app.ui import text as page_text
from leukemia_app.ui.beside_desk import Board, are_same
from leukemia_app.ui.components import button, safe
from leukemia_app.ui.examples import Example


def picker(entries: Sequence[Entry], board: Board, suggestion: str, problem: str = "") -> str:
    """Which models, whether their names are hidden, and what their labels share."""
    boxes = "".join(_box(entry, board) for entry in entries)
    blind = (
        f'<label class="s-check b-blind" title="{safe(text.BLIND_HINT)}">'
        f'<input type="checkbox" data-beside="blind"{" checked" if board.blind else ""}> '
        f"{safe(text.BLIND)}<small>{safe(text.BLIND_HINT)}</small></label>"
    )
    note = f'<div class="s-note"><p>{safe(board.note)}</p></div>' if board.note else ""
    few = f'<p class="s-hint">{safe(text.TOO_FEW)}</p>' if len(board.models) < LEAST else ""
    return (
        f'<section class="b-picker"><fieldset><legend>{safe(text.MODELS)} '
        f'<span class="s-hint">{safe(text.PICK_HINT)}</span></legend>'
        f'<div class="b-boxes">{boxes}</div></fieldset>{blind}</section>'
        f"{few}{note}{_map_form(entries, board, suggestion, problem)}"
    )


def _box(entry: Entry, board: Board) -> str:
    spec = entry.spec
    kind = "" if spec is None else words.inputs(spec)
    checked = " checked" if entry.id in board.models else ""
    return (
        f'<label class="b-box"><input type="checkbox" data-beside-model="{safe(entry.id)}"'
        f"{checked}><span>{safe(entry.id)}<small>{safe(kind)}</small></span></label>"
    )


def _map_form(entries: Sequence[Entry], board: Board, suggestion: str, problem: str) -> str:
    names = {
        entry.id: entry.spec.label_names
        for entry in entries
        if entry.spec is not None and entry.id in board.models
    }
    if len(names) < LEAST or (are_same(names) and not board.strangers):
        return ""
    failed = f'<p class="b-problem" role="alert">{safe(problem)}</p>' if problem else ""
    common_of = _typed(board.given_map or suggestion)
    heads = "".join(f'<th scope="col">{safe(head)}</th>' for head in text.MAP_HEADS)
    whose = {
        label: ", ".join(id for id, each in names.items() if label in each)
        for label in dict.fromkeys(label for each in names.values() for label in each)
    } | dict.fromkeys(board.strangers, text.THE_SET)
    rows = "".join(
        f'<tr><th scope="row">{safe(label)}</th><td><input type="text" maxlength="60" '
        f'data-beside-label="{safe(label)}" value="{safe(common_of.get(label, ""))}" '
        f'aria-label="{safe(text.MAP_COMMON.format(label=label))}" list="b-commons" '
        f'autocomplete="off" spellcheck="false"></td><td class="s-hint">'
        f"{safe(models)}</td></tr>"
        for label, models in whose.items()
    )
    commons = "".join(
        f'<option value="{safe(common)}">' for common in dict.fromkeys(common_of.values())
    )
    is_theirs = are_same(names)
    hint = text.MAP_STRANGERS_HINT if is_theirs else text.MAP_HINT
    if suggestion and not board.given_map and not is_theirs:
        hint = f"{text.MAP_SUGGESTED} {hint}"
    is_stated = bool(board.given_map) and not problem
    title = text.MAP_STRANGERS if is_theirs else text.MAP_TITLE
    if is_stated:
        title = text.MAP_STATED.format(given=board.given_map)
    state = "" if is_theirs and board.scored else " open"
    if is_stated:
        state = f' data-beside-map="{safe(board.given_map)}"'
    return (
        f'<details class="b-map"{state}><summary>{safe(title)}</summary>'
        f'<p class="s-hint">{safe(hint)}</p>{failed}'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f'<datalist id="b-commons">{commons}</datalist>'
        f"{button(text.STATE_MAP, beside='state-map')}</details>"
    )


def _typed(given: str) -> dict[str, str]:
    """The common label by label, as they were typed; empty where that cannot be read."""
    try:
        members = members_of(given)
    except SettingError:
        return {}
    return {label: common for common, each in members.items() for label in each}


def drop(limit_mb: float, zip_mb: float, keep_minutes: int, examples: Sequence[Example]) -> str:
    """Where pictures and labelled sets are given."""
    rules = json.dumps({"limitBytes": int(limit_mb * 1e6), "zipBytes": int(zip_mb * 1e6),
                        "sending": page_text.SENDING, "inLine": text.IN_LINE})  # fmt: skip
    shown = "".join(
        f'<li><button type="button" data-beside="example" data-value="{safe(item.name)}" '
        f'title="{safe(item.caption)}"><img src="{item.thumbnail}" alt="{safe(item.caption)}" '
        'draggable="false"></button></li>'
        for item in examples
    )
    gallery = (
        f'<div class="s-gallery b-gallery"><h3>{safe(text.EXAMPLES)}</h3>'
        f'<ul aria-label="{safe(text.EXAMPLES)}">{shown}</ul></div>' if shown else ""
    )  # fmt: skip
    return (
        f'<section class="s-drop b-zone" data-beside-take="{safe(rules)}">'
        f'<p class="s-lead">{safe(text.DROP)}</p><p class="s-hint">{safe(text.DROP_SETS)}</p>'
        '<input type="file" multiple class="s-unseen" tabindex="-1" data-beside-pick="files" '
        f'aria-label="{safe(text.CHOOSE)}">'
        '<input type="file" webkitdirectory class="s-unseen" tabindex="-1" '
        f'data-beside-pick="folder" aria-label="{safe(text.CHOOSE_FOLDER)}">'
        '<input type="file" accept=".zip,application/zip" class="s-unseen" tabindex="-1" '
        f'data-beside-pick="zip" aria-label="{safe(text.CHOOSE_ZIP)}">'
        f'<div class="b-row">{button(text.CHOOSE, **{"beside-opens": "files"})}'
        f"{button(text.CHOOSE_FOLDER, classes='s-quiet', **{'beside-opens': 'folder'})}"
        f"{button(text.CHOOSE_ZIP, classes='s-quiet', **{'beside-opens': 'zip'})}</div>"
        f'<p class="s-hint">{safe(page_text.privacy(keep_minutes))}</p>'
        f'<span class="s-let-go" aria-hidden="true">{safe(text.LET_GO)}</span></section>{gallery}'
    )
