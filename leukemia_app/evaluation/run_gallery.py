"""Pictures of a report: those of each confusion cell, and the most wrong ones first."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from leukemia_app.evaluation import words
from leukemia_app.evaluation.run_results import Prediction, RunResults
from leukemia_app.evaluation.tables import whole_table

PER_CELL = 12
"""Pictures shown of one cell of the confusion table."""
MOST_WRONG = 24
LEAST_SURE = 8
"""Right answers shown, where fewer are wrong."""
Thumbnails = Mapping[str, bytes]
"""Small JPEG files by the name of the picture's file."""


def chosen(results: RunResults) -> tuple[Prediction, ...]:
    """The predictions whose pictures a report shows, each once, the most wrong first."""
    some = [item for items in results.cells.values() for item in items[:PER_CELL]]
    wanted = {item.number for item in (*most_wrong(results), *some)}
    return tuple(item for item in results.predictions if item.number in wanted)


def most_wrong(results: RunResults) -> tuple[Prediction, ...]:
    """The wrong answers, the surest first; then a few right ones that were least sure."""
    wrong = [item for item in results.predictions if not item.is_right][:MOST_WRONG]
    right = [item for item in results.predictions if item.is_right]
    return tuple(wrong + right[: max(0, LEAST_SURE - len(wrong))])


def confusion_table(results: RunResults, id: str) -> str:
    """Counts with the share of the row; each cell that holds pictures leads to them."""
    counts = results.confusion
    heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in results.labels)
    rows = ""
    for row, label in enumerate(results.labels):
        whole = int(counts[row].sum())
        cells = "".join(
            _cell(results, row, column, int(counts[row, column]), whole, id)
            for column in range(len(results.labels))
        )
        rows += (
            f'<tr><th scope="row">{escape(label)}</th>{cells}<td class="r-sum">{whole:,}</td></tr>'
        )
    called = "".join(f"<td>{int(total):,}</td>" for total in counts.sum(0))
    return whole_table(
        f'<th scope="col">label</th>{heads}<th scope="col">pictures</th>',
        f'{rows}<tr class="r-total"><th scope="row">called so</th>{called}'
        f"<td>{int(counts.sum()):,}</td></tr>",
        "Confusion table",
        caption="Rows: the data set’s label. Columns: what the model said. Each cell: pictures, "
        "and their share of the row.",
        kind="r-confusion",
    )


def _cell(results: RunResults, row: int, column: int, n: int, whole: int, id: str) -> str:
    kind = "r-hit" if row == column else "r-miss"
    if not n:
        return '<td class="r-none">0</td>'
    share = n / whole
    said = f"{results.labels[row]} called {results.labels[column]}: {n} pictures"
    return (
        f'<td class="{kind}" style="--share:{share:.3f}">'
        f'<a href="#{_place(id, row, column)}" aria-label="{escape(said)}">{n:,}'
        f"<small>{100 * share:.1f} %</small></a></td>"
    )


def _place(id: str, row: int, column: int) -> str:
    return f"{escape(id)}-cell-{row}-{column}"


def galleries(results: RunResults, thumbnails: Thumbnails, id: str) -> str:
    """The pictures of each cell that holds any, closed until its cell is chosen."""
    made = []
    for row, label in enumerate(results.labels):
        for column, predicted in enumerate(results.labels):
            items = results.cells.get((label, predicted), ())
            if items:
                shown = items[:PER_CELL]
                more = f", {len(shown)} shown" if len(items) > len(shown) else ""
                order = "least sure first" if row == column else "surest first"
                made.append(
                    f'<details class="r-cell"><summary>{escape(label)} called {escape(predicted)}: '
                    f"{len(items):,} {pictures(len(items))}{more}, {order}</summary>"
                    f'<div id="{_place(id, row, column)}" tabindex="-1">'
                    f"{gallery(shown, thumbnails)}</div></details>"
                )
    return "".join(made)


def pictures(n: int) -> str:
    """The word behind that number."""
    return "picture" if n == 1 else "pictures"


def gallery(items: Sequence[Prediction], thumbnails: Thumbnails) -> str:
    """Pictures side by side, each with label, answer and group; a grey field where none is had."""
    return f'<ul class="r-gallery">{"".join(_item(item, thumbnails) for item in items)}</ul>'


def _item(item: Prediction, thumbnails: Thumbnails) -> str:
    small = thumbnails.get(item.file)
    picture = '<span class="r-blank">picture not found</span>'
    if small is not None:
        picture = f'<img src="data:image/jpeg;base64,{base64.b64encode(small).decode()}" alt="">'
    said = (
        f"<b>{escape(item.label)}</b>, called {escape(item.predicted)} {_percent(item.probability)}"
        if not item.is_right
        else f"<b>{escape(item.label)}</b>, called so {_percent(item.probability)}"
    )
    referred = ""
    if item.referred:
        referred = f'<em title="{escape(item.reason)}">referred</em>'
    # A picture without a group is its own.
    group = "" if item.group == item.file else f" · {escape(item.group)}"
    return (
        f"<li>{picture}<p>{said} {referred}</p>"
        f'<p class="r-file">{escape(item.file)}{group}</p></li>'
    )


def _percent(value: float) -> str:
    # The sign must not stand alone on the next line.
    return words.percent(value).replace(" ", "\N{NO-BREAK SPACE}")
