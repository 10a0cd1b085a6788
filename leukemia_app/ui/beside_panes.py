"""The Compare tab's answers as HTML: the columns, the votes, the figures."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from leukemia_app.bundles.predictor import Examination
from leukemia_app.bundles.spec import Spec
from leukemia_app.evaluation import compare_report, words
from leukemia_app.evaluation.compare_words import INPUTS, inputs_words
from leukemia_app.imaging.layers import contours, heat_layer
from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.ui import beside_text as text
from leukemia_app.ui import text as page_text
from leukemia_app.ui.beside_desk import (
    LETTERS,
    Board,
    Scored,
    Seen,
    is_disturbed,
    seconds_disturbed,
)
from leukemia_app.ui.beside_work import Progress
from leukemia_app.ui.components import button, items, picture_uri, safe
from leukemia_app.ui.viewer import outlines

VIEW_PX = 420


def empty() -> str:
    """What the pane teaches before anything was given."""
    points = "".join(
        f"<li><strong>{safe(title)}</strong><span>{safe(said)}</span></li>"
        for title, said in text.EMPTY_POINTS
    )
    return (
        f'<section class="s-answer s-empty"><h2>{safe(text.EMPTY_TITLE)}</h2>'
        f'<ul class="s-points">{points}</ul></section>'
    )


# ---- one picture ------------------------------------------------------------------------------


def strip(board: Board) -> str:
    """Several pictures as small ones, the open one marked; nothing for one alone."""
    if len(board.tiles) < 2:
        return ""
    made = ""
    for number, tile in enumerate(board.tiles):
        here = ' aria-current="true"' if number == board.opened else ""
        # A name or a mark would tell the reader what to vote for.
        name = text.BLIND_PICTURE.format(at=number + 1, n=len(board.tiles)) if board.blind else (
            tile.given.name)  # fmt: skip
        same = None if board.blind else tile.same_top
        mark = "" if same is None else "=" if same else "≠"
        said = {None: "", True: text.SAME, False: text.DIFFERENT}[same]
        small = f'<img src="{tile.thumbnail}" alt="">' if tile.thumbnail else "…"
        made += (
            f'<li><button type="button" data-beside="pick" data-value="{number}"{here} '
            f'title="{safe(tile.problem or f"{name} {said}".strip())}" '
            f'aria-label="{safe(f"{name} {said}")}">{small}'
            f'<span class="b-mark{" b-differ" if mark == "≠" else ""}">'
            f"{safe('!' if tile.problem else mark)}</span></button></li>"
        )
    return f'<ol class="b-strip" aria-label="{safe(text.STRIP)}">{made}</ol>'


def columns(board: Board, seen: Seen, specs: Mapping[str, Spec], sizes: Mapping[str, int]) -> str:
    """The open picture and each model's answer, a column each, the same rows side by side."""
    ids = board.order
    names = dict(zip(ids, map(str, ids), strict=True))
    if not board.is_told:
        names = {id: text.LETTER.format(letter=LETTERS[at]) for at, id in enumerate(ids)}
    found = seen.examinations
    told = board.is_told
    answers = [_decision(found[id], with_reasons=told) for id in ids]
    rows = [_maps(ids, names, seen), _row(text.ANSWER, answers)]
    rows += _bars(ids, seen, specs)
    if board.is_told:
        inputs = [f"<td>{safe(INPUTS[specs[id].recipe.input])}</td>" for id in ids]
        taken = [f"<td>{safe(_takes(found[id], sizes[id]))}</td>" for id in ids]
        rows += [_row(text.INPUT, inputs), _row(text.TAKES, taken)]
    heads = "".join(f'<th scope="col">{safe(names[id])}</th>' for id in ids)
    said = _sentences(board, seen, specs) if told else ""
    here = text.BLIND_PICTURE.format(at=board.opened + 1, n=len(board.tiles))
    name = seen.picture.name if told else here
    return (
        f'<section class="b-columns">{said}<div class="b-wide" tabindex="0" role="region" '
        f'aria-label="{safe(text.EMPTY_TITLE)}"><table class="b-table" style="--n:{len(ids)}">'
        f'<thead><tr><th scope="col">{safe(name)}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{_vote(board)}{tally(board)}</section>"
    )


def _row(name: str, cells: Sequence[str], classes: str = "") -> str:
    kind = f' class="{classes}"' if classes else ""
    return f'<tr{kind}><th scope="row">{safe(name)}</th>{"".join(cells)}</tr>'


def _maps(ids: Sequence[str], names: Mapping[str, str], seen: Seen) -> str:
    pixels = seen.picture.pixels
    rows, columns = pixels.shape[:2]
    uri = picture_uri(thumbnail(pixels, VIEW_PX))
    ratio = f"--ratio:{columns / rows:.4f}"
    first = seen.examinations[ids[0]]
    slider = (
        f'<div class="s-slider"><span>{safe(page_text.PICTURE_END)}</span>'
        '<input type="range" min="0" max="100" step="5" value="50" data-beside-strength '
        f'aria-label="{safe(page_text.MAP_STRENGTH)}"><span>{safe(page_text.MAP_END)}</span></div>'
    )
    cells = ""
    for id in ids:
        examined = seen.examinations[id]
        heat, said = "", words.NO_MAP
        if examined.explanation is not None:
            layer = picture_uri(heat_layer(examined.explanation.heat))
            heat = f'<img class="s-heat" src="{layer}" alt="">'
            share = examined.explanation.share_inside_cells
            said = f"Map for {examined.explanation.label}"
            if share is not None:
                said += f", {words.whole_percent(share)} % of it {text.INSIDE}"
        cells += (
            f'<td><div class="s-frame" style="{ratio}"><img class="s-base" src="{uri}" '
            f'alt="{safe(f"{names[id]}: {said}")}">{heat}</div>'
            f'<p class="s-hint">{safe(said)}</p></td>'
        )
    return (
        f'<tr class="b-maps"><th scope="row"><div class="s-frame" style="{ratio}">'
        f'<img class="s-base" src="{uri}" alt="">'
        f"{outlines(contours(first.segmentation))}</div>{slider}</th>{cells}</tr>"
    )


def _decision(examined: Examination, *, with_reasons: bool) -> str:
    reading = examined.reading
    chance = words.percent(reading.probabilities[reading.decision.label])
    if reading.decision.kind == "refer":
        return (
            f'<td class="b-refer"><strong>{safe(words.REFER)}</strong>'
            f"{items(reading.decision.reasons, 's-reasons') if with_reasons else ''}"
            f"<p>{safe(words.top_class(reading))}</p></td>"
        )
    return f"<td><strong>{safe(reading.decision.label)}</strong> {safe(chance)}</td>"


def _bars(ids: Sequence[str], seen: Seen, specs: Mapping[str, Spec]) -> list[str]:
    """A row a common label; one row of every model's own labels where nothing is shared."""
    if seen.beside is None:
        cells = [
            f"<td>{''.join(_bar(p, _outside(seen, id), name) for name, p in _own(seen, id))}</td>"
            for id in ids
        ]
        return [_row(text.OWN_LABELS, cells)]
    rows = []
    most = seen.beside.apart.label if seen.beside.apart and not seen.beside.same_top else ""
    for place, label in enumerate(seen.beside.labels.labels):
        cells = [
            f"<td>{_bar(float(seen.beside.answers[id].probabilities[place]), _outside(seen, id))}"
            "</td>"
            for id in ids
        ]
        name = f"{label} · {text.DIFFER_MOST}" if label == most else label
        rows.append(_row(name, cells, "b-most" if label == most else "b-bars"))
    return rows


def _own(seen: Seen, id: str) -> list[tuple[str, float]]:
    chances = seen.examinations[id].reading.probabilities
    return sorted(chances.items(), key=lambda item: -item[1])


def _outside(seen: Seen, id: str) -> bool:
    scope = seen.examinations[id].reading.scope
    return scope is not None and not scope.inside


def _bar(value: float, is_outside: bool, name: str = "") -> str:
    grey = ' class="b-bar b-grey"' if is_outside else ' class="b-bar"'
    label = f"<em>{safe(name)}</em>" if name else ""
    hint = f' title="{safe(text.OUTSIDE)}"' if is_outside else ""
    return (
        f'<div{grey}{hint}>{label}<i><b style="width:{100 * value:.2f}%"></b></i>'
        f"<span>{100 * value:.1f}</span></div>"
    )


def _takes(examined: Examination, size_bytes: int) -> str:
    reading = examined.reading
    return (f"{sum(reading.ms.values()):.0f} ms on {reading.device.upper()} · "
            f"{size_bytes / 1e6:.1f} MB")  # fmt: skip


def _sentences(board: Board, seen: Seen, specs: Mapping[str, Spec]) -> str:
    if seen.beside is None:
        return f'<p class="b-said">{safe(text.NOT_COMPARED)}</p>'
    kinds: dict[str, list[str]] = {}
    for id in board.order:
        kinds.setdefault(specs[id].recipe.input, []).append(id)
    said = [*seen.beside.sentences(), inputs_words(kinds)]
    return f'<p class="b-said" role="status">{safe(" ".join(filter(None, said)))}</p>'


def _vote(board: Board) -> str:
    if not board.blind:
        return ""
    if board.is_told:
        vote = board.votes[-1] if board.votes else None
        if vote is None:
            return ""
        said = text.VOTED_NONE if vote.chosen is None else text.VOTED.format(model=vote.chosen)
        told = ", ".join(f"{LETTERS[at]} is {id}" for at, id in enumerate(vote.shown))
        said = f"{said} {text.NAMES.format(names=told)}"
        following = board.opened + 1
        onward = "" if following >= len(board.tiles) else button(
            text.NEXT, classes="s-button s-small", beside="pick", value=str(following)
        )  # fmt: skip
        return f'<p class="b-said" role="status">{safe(said)} {onward}</p>'
    asks = "".join(
        button(text.VOTE_FOR.format(letter=LETTERS[at]), classes="s-button s-small",
               beside="vote", value=LETTERS[at])
        for at in range(len(board.order))
    )  # fmt: skip
    none = button(text.NONE_OF_THEM, classes="s-quiet", beside="vote", value="none")
    return (
        f'<div class="b-vote" role="group" aria-label="{safe(text.VOTE)}">'
        f"<strong>{safe(text.VOTE)}</strong>{asks}{none}</div>"
    )


def tally(board: Board) -> str:
    """How often each model was trusted most; nothing before the first vote."""
    if not board.votes or not board.is_told:
        return ""
    shown = Counter(id for vote in board.votes for id in vote.shown)
    won = Counter(vote.chosen for vote in board.votes)
    rows = "".join(
        f'<tr><th scope="row">{safe(id)}</th><td>{won[id]}</td><td>{n}</td></tr>'
        for id, n in sorted(shown.items(), key=lambda item: -won[item[0]])
    )
    rows += (f'<tr><th scope="row">{safe(text.NONE_OF_THEM)}</th><td>{won[None]}</td>'
             f"<td>{len(board.votes)}</td></tr>")  # fmt: skip
    heads = "".join(f'<th scope="col">{safe(head)}</th>' for head in text.TALLY_HEADS)
    return (
        f'<div class="b-tally"><h3>{safe(text.TALLY)}</h3><table class="r-table"><thead><tr>{heads}'
        f"</tr></thead><tbody>{rows}</tbody></table>"
        f"{button(text.SAVE_VOTES, classes='s-quiet', beside='save', value='votes')}</div>"
    )


# ---- a labelled set ---------------------------------------------------------------------------


def working(progress: Progress, name: str, *, disturbed: bool) -> str:
    """How far the scoring is, and a way to stop it."""
    if progress.done:
        said = text.progress(
            progress.done, progress.total, progress.seconds_left, disturbed=disturbed
        )
        bar = f'<progress max="{progress.total}" value="{progress.done}"></progress>'
    else:
        said, bar = text.SCORING.format(name=name), "<progress></progress>"
    return (
        f'<section class="s-answer b-working"><p>{safe(said)}</p>{bar}'
        f"{button(text.STOP, classes='s-quiet', beside='stop')}</section>"
    )


def ready() -> str:
    """That the set at hand can be scored with the models that are chosen."""
    return (
        f'<div class="s-note" role="status"><p>{safe(text.HERE)} '
        f"{button(text.SCORE, beside='again')}</p></div>"
    )


def stopped(board: Board, *, is_stale: bool) -> str:
    """That a scoring was stopped, as the visitor wanted; what was there before stands again."""
    if board.scored is None:
        again = f" {button(text.SCORE, beside='again')}" if board.pieces else ""
        return f'<div class="s-note" role="status"><p>{safe(text.STOPPED)}{again}</p></div>'
    was_again = is_stale or is_disturbed(board.scored)
    said = text.STOPPED_AGAIN if was_again else text.STOPPED_DISTURBED
    return (
        f'<div class="s-note" role="status"><p>{safe(said)}</p></div>'
        f"{scored_pane(board.scored, board, is_stale=is_stale)}"
    )


def scored_pane(scored: Scored, board: Board, *, is_stale: bool) -> str:
    """The comparison with its report's sections, and what can be done with it."""
    found = scored.comparison
    more = ""
    # On other models they would stand under figures that are none of theirs.
    if not is_disturbed(scored) and found.n and not is_stale:
        hint = text.DISTURB_HINT.format(time=text.duration(seconds_disturbed(scored)))
        more = (
            f'<div class="b-row">{button(text.DISTURB, classes="s-quiet", beside="disturb")}'
            f'<span class="s-hint">{safe(hint)}</span></div>'
        )
    again = ""
    if is_stale:
        said = text.OTHERS_CHOSEN.format(models=words.together(tuple(found.models)))
        again = (f'<div class="s-note"><p>{safe(said)}</p>'
                 f'<p>{button(text.AGAIN, beside="again")}</p></div>')  # fmt: skip
    saves = "".join(button(name, classes="s-quiet", beside="save", value=kind)
                    for kind, name in text.SAVES)  # fmt: skip
    command = text.COMMAND.format(options=_options(scored))
    return (
        f'<section class="b-scored r-report">{again}<h2>{safe(scored.name)}</h2>'
        f"{compare_report.lead(found)}{more}"
        f'<div class="s-downloads" role="group" aria-label="{safe(page_text.DOWNLOADS)}">{saves}'
        f"</div>{compare_report.sections(found, scored.thumbnails, {})}"
        f'<p class="s-hint">{safe(command)}</p></section>'
    )


def _options(scored: Scored) -> str:
    found = scored.comparison
    options = f"--models {','.join(found.models)}"
    if found.labels.is_stated:
        options += f" --map {shlex.quote(found.labels.in_words())}"
    return options + (" --corruptions" if is_disturbed(scored) else "")
