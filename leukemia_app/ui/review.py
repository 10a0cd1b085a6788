"""The review of a run's answers: the confusion table, one picture, what it is, and what was said.

All that the next request needs stands in its button, so the server keeps nothing between two.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from leukemia_app.errors import AppError
from leukemia_app.evaluation import words
from leukemia_app.ui import review_text as text
from leukemia_app.ui.bench import Bench
from leukemia_app.ui.components import safe
from leukemia_app.ui.review_desk import ALL, Cell, ReviewDesk, ReviewView

ASKS = ("review", "review-decide", "review-undo", "review-again", "review-save")
"""What the review's buttons ask for."""
MOST_KEYS = 9


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """What a request of the review comes to: one of these, the others are empty."""

    pane: str = ""
    run: str = ""
    """A training that has begun."""
    table: bytes = b""
    """A file to save."""


def reviewed(bench: Bench, owner: str, run: str, what: str = "review", value: str = "") -> Reviewed:
    """Do what a button of the review asked for; `value` is the button's own.

    What cannot be done is said in the pane, beside the picture that it is about.

    Raises:
        RunError: there is no such run of that owner.
    """
    desk, given = ReviewDesk(bench=bench), _given(value)
    cell, file, label, part = (given.get(name, "") for name in ("cell", "file", "label", "part"))
    done, problem, step = "", "", 0
    try:
        if what == "review-again":
            return Reviewed(run=desk.train_again(owner, run))
        if what == "review-save":
            return Reviewed(table=desk.table(owner, run))
        if what == "review-decide":
            desk.decide(owner, run, file, label)
            done, step = f"{file}: {text.done(label)}", 1
        elif what == "review-undo" and (taken := desk.undo(owner, run)):
            done = f"{taken}: {text.UNDONE}"
            part, cell = _place_with(desk, owner, run, part, cell, taken)
            file = taken
    except AppError as error:
        problem = str(error)
    view = desk.view(owner, run, cell, file, part=part, step=step)
    return Reviewed(pane=review_pane(view, done=done, problem=problem))


def _given(value: str) -> dict[str, str]:
    """The texts in a button's value; what is none is left out."""
    try:
        found = json.loads(value) if value else {}
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: each for name, each in found.items() if isinstance(each, str)}


def _place_with(
    desk: ReviewDesk, owner: str, run: str, part: str, cell: str, file: str
) -> tuple[str, str]:
    """The part and the cell that are open, if that file is in them, else all of both."""
    view = desk.view(owner, run, cell, part=part)
    is_there = view is not None and any(item.file == file for item in view.answers)
    return (part, cell) if is_there else ("", ALL)


def review_pane(view: ReviewView | None, *, done: str = "", problem: str = "") -> str:
    """The whole pane; nothing where a run kept no answers.

    `done` says what was just done, `problem` what could not be.
    """
    if view is None:
        return ""
    failed = f'<div class="s-failed" role="alert"><p>{safe(problem)}</p></div>' if problem else ""
    notes = "".join(f'<p class="s-note">{safe(note)}</p>' for note in view.notes)
    says = f"{done}. {_shown_words(view)}" if done else _shown_words(view)
    return (
        f'<section class="s-step s-review" tabindex="-1" aria-labelledby="t-review-title" '
        f'data-says="{safe(says)}"><h2 id="t-review-title">{safe(text.TITLE)}</h2>'
        f'<p>{safe(text.INTRO)}</p><p class="s-hint">{safe(text.HONEST)}</p>{notes}{_table(view)}'
        f"{failed}{_desk(view)}{_end(view)}</section>"
    )


def _button(
    what: str, words_: str, keys: str = "", *, value: str = "", more: str = "", is_off: bool = False
) -> str:
    """A button; the first of `keys` is shown on it, all of them press it."""
    shown = f'<kbd aria-hidden="true">{safe(_key_name(keys.split()[0]))}</kbd> ' if keys else ""
    shortcuts = f' data-keys="{safe(keys)}"' if keys else ""
    off = " disabled" if is_off else ""
    return (
        f'<button type="button" class="s-quiet" data-train="{safe(what)}" '
        f'data-value="{safe(value)}"{shortcuts}{more}{off}>{shown}{safe(words_)}</button>'
    )


def _key_name(key: str) -> str:
    return {"ArrowLeft": "←", "ArrowRight": "→"}.get(key, key)


def _table(view: ReviewView) -> str:
    heads = "".join(f'<th scope="col">{safe(label)}</th>' for label in view.labels)
    rows = "".join(
        f'<tr><th scope="row">{safe(label)}</th>'
        + "".join(_cell(view, cell, row, column) for column, cell in enumerate(cells))
        + "</tr>"
        for row, (label, cells) in enumerate(zip(view.labels, view.cells, strict=True))
    )
    every = _button(
        "review", text.every(view.parts[view.part], view.n_wrong), value=_value(view, cell=ALL),
        more=_pressed(view.cell == ALL) + ' data-cell="all"',
    )  # fmt: skip
    return (
        f'<div class="s-cells s-scroll"><table aria-label="{safe(text.TABLE_NAME)}">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="s-hint">{safe(text.TABLE.format(part=text.SHOWN[view.part]))}</p>'
        f'<p class="s-acts">{_parts(view)}{every}</p>'
    )


def _parts(view: ReviewView) -> str:
    """A button for each part and for both, where there are two."""
    if len(view.parts) < 3:
        return ""
    return "".join(
        _button("review", f"{words_} ({view.parts[part]:,})",
                value=_value(view, cell=ALL, part=part),
                more=_pressed(view.part == part) + f' data-part="{part}"')
        for part, words_ in text.CHOSEN.items()
    )  # fmt: skip


def _value(view: ReviewView, **given: str) -> str:
    """What a button asks for, in the part that is shown unless it is `given`."""
    return json.dumps({"part": view.part} | given)


def _pressed(is_pressed: bool) -> str:
    return f' aria-pressed="{"true" if is_pressed else "false"}"'


def _cell(view: ReviewView, cell: Cell, row: int, column: int) -> str:
    if not cell.n_pictures:
        return '<td class="s-hint">0</td>'
    kind = "s-hit" if row == column else "s-miss"
    said = text.cell_words(view.labels[row], view.labels[column], cell.n_pictures, cell.n_decided)
    decided = f"<small>{cell.n_decided:,} decided</small>" if cell.n_decided else ""
    value = _value(view, cell=cell.name)
    return (
        f'<td><button type="button" class="{kind}" data-train="review" data-cell="{cell.name}" '
        f'data-value="{safe(value)}" aria-label="{safe(said)}"{_pressed(view.cell == cell.name)}>'
        f"{cell.n_pictures:,}{decided}</button></td>"
    )


def _shown_words(view: ReviewView) -> str:
    item = view.answer
    return (
        f"{text.place(view.at, len(view.answers))}: {item.file}, label {item.label}, the model "
        f"said {item.predicted}, {words.percent(item.probability)}"
    )


def _desk(view: ReviewView) -> str:
    item = view.answer
    decision = view.decisions.get(item.file)
    keys = text.KEYS if view.can_decide else text.KEYS_TO_MOVE
    yours = ""
    if decision is not None:
        yours = f'<p class="s-yours">{safe(text.yours(decision.label, item.label))}</p>'
    return (
        f'<div class="s-review-desk"><figure>{_picture(view)}<figcaption>'
        f"<span>{safe(item.file)}</span></figcaption></figure>"
        f'<div class="s-review-said"><p class="s-hint">'
        f"{safe(text.place(view.at, len(view.answers)))} · {safe(text.PARTS[item.part])}</p>"
        f"<dl><div><dt>Label</dt><dd>{safe(item.label)}</dd></div>"
        f"<div><dt>The model said</dt><dd>{safe(item.predicted)} "
        f"<small>{words.percent(item.probability)}</small></dd></div></dl>{yours}"
        f"{_choices(view)}{_moves(view)}"
        f'<p class="s-hint s-keys">{safe(keys)}</p></div></div>'
    )


def _picture(view: ReviewView) -> str:
    if view.jpeg is None:
        return f'<p class="s-review-blank">{safe(view.problem)}</p>'
    source = f"data:image/jpeg;base64,{base64.b64encode(view.jpeg).decode()}"
    name = f"Picture {text.place(view.at, len(view.answers))}: {view.answer.file}"
    return f'<img src="{source}" alt="{safe(name)}">'


def keys_of(labels: Sequence[str]) -> tuple[str, ...]:
    """A key for each label: its own digit where all are digits, else 1 to 9 in their order."""
    if all(len(label) == 1 and label in "0123456789" for label in labels):
        return tuple(labels)
    return tuple(str(number) if number <= MOST_KEYS else "" for number in range(1, len(labels) + 1))


def _choices(view: ReviewView) -> str:
    if not view.can_decide:
        return ""
    decision = view.decisions.get(view.answer.file)

    def choice(label: str, words_: str, keys: str) -> str:
        chosen = decision is not None and decision.label == label
        value = _value(view, cell=view.cell, file=view.answer.file, label=label)
        return _button("review-decide", words_, keys, value=value, more=_pressed(chosen))

    made = [
        choice(label, label, key)
        for label, key in zip(view.labels, keys_of(view.labels), strict=True)
    ]
    return (
        f'<div class="s-acts" role="group" aria-label="What it is">{"".join(made)}'
        f"{choice('', text.DROP, 'x Delete')}</div>"
    )


def _moves(view: ReviewView) -> str:
    def move(words_: str, keys: str, step: int, is_off: bool) -> str:
        value = _value(view, cell=view.cell, file=view.next_file(step))
        return _button("review", words_, keys, value=value, is_off=is_off)

    here = _value(view, cell=view.cell, file=view.answer.file)
    undo = _button("review-undo", text.UNDO, "u ctrl+z", value=here, is_off=not view.can_undo)
    return (
        '<div class="s-acts" role="group" aria-label="Move">'
        + move(text.BACK, "ArrowLeft k", -1, view.at == 0)
        + move(text.ON, "ArrowRight j", 1, view.at == len(view.answers) - 1)
        + (undo if view.can_decide else "")
        + "</div>"
    )


def _end(view: ReviewView) -> str:
    if not view.can_decide:
        return ""
    made = view.decisions.values()
    n_dropped = sum(not item.label for item in made)
    n_new = sum(bool(item.label) and item.label != view.label_of[item.file] for item in made)
    said = text.decided(len(made), len(view.label_of), n_new, n_dropped)
    acts = ""
    if view.can_train:
        acts += (
            '<button type="button" class="s-button" data-train="review-again">'
            f"{safe(text.AGAIN)}</button>"
        )
    if made:
        acts += _button("review-save", text.SAVE)
    hint = "" if view.can_train else f'<p class="s-hint">{safe(text.NOTHING_YET)}</p>'
    return (
        f'<p class="s-state" data-decided="{len(made)}">{safe(said)}</p>{hint}'
        f'<p class="s-acts">{acts}</p>'
    )
