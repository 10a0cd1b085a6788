"""Tables of a report as HTML text: plain ones, pairs, and figures with their place from 0 to 1."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from leukemia_app.evaluation.measures import Interval

NOT_DEFINED = "not defined"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One row of a table of figures."""

    name: str
    figure: Interval
    is_ours: bool = False
    """Whether the row is the network's, which the others are held against."""
    cells: tuple[str, ...] = ()
    """What stands behind the figure, in the order of the table's last heads."""


def value_words(figure: Interval) -> str:
    """A figure with three decimals."""
    return NOT_DEFINED if figure.value is None else _signed(figure.value)


def ends_words(figure: Interval) -> str:
    """The ends of its interval; a dash where there is none."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    # A dash beside a minus cannot be read.
    low = _signed(figure.low)
    return f"{low}{' to ' if low.startswith('−') else '–'}{_signed(figure.high)}"


def _signed(value: float) -> str:
    # Adding zero takes the sign off what rounds to it.
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")


def interval_words(figure: Interval) -> str:
    """A figure with its interval in brackets, where it has one."""
    ends = ends_words(figure)
    return value_words(figure) if ends == "–" else f"{value_words(figure)} ({ends})"


Cell = str | Interval
"""A figure shows its interval in small letters under its value."""
Row = tuple[str, Sequence[Cell]]
"""A row's name and the cells after it."""


def table(heads: Sequence[str], rows: Iterable[Row], *, caption: str = "") -> str:
    """A table whose first column names the row; texts are escaped, numbers stand to the right."""
    rows = list(rows)
    kinds = [_kind([cells[at] for _, cells in rows]) for at in range(len(heads) - 1)]
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td{kind}>{_cell(cell)}</td>" for cell, kind in zip(cells, kinds, strict=True))
        + "</tr>"
        for name, cells in rows
    )
    top = "".join(
        f'<th scope="col"{kind}>{escape(head)}</th>'
        for head, kind in zip(heads, ["", *kinds], strict=True)
    )
    return whole_table(top, body, caption or heads[0], caption=caption)


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    ends = ends_words(cell)
    return value_words(cell) + ("" if ends == "–" else f"<small>{ends}</small>")


def whole_table(top: str, body: str, name: str, *, caption: str = "", kind: str = "") -> str:
    """Heads and rows, drawn already, as a table that scrolls where there is no room for it."""
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="r-wide" tabindex="0" role="group" aria-label="{escape(name)}">'
        f'<table class="r-table {kind}">{said}<thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names with their words, one pair a row; pairs without words are left out."""
    body = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(words)}</dd></div>"
        for name, words in rows
        if words
    )
    return f'<dl class="r-pairs">{body}</dl>'


def figure_table(
    rows: Sequence[Bar], *, heads: Sequence[str] = (), caption: str = "", name: str = "figure"
) -> str:
    """Figures from 0 to 1 under each other: name, a dot on its interval, value, interval, rest.

    Where a row is ours among others, a thin line carries its place down all rows.
    """
    ours = next((row.figure.value for row in rows if row.is_ours), None)
    kinds = [_kind([row.cells[at] for row in rows if at < len(row.cells) and row.cells[at]])
             for at in range(len(heads))]  # fmt: skip
    body = "".join(_figure_row(row, ours, kinds) for row in rows)
    scale = '<span class="r-scale"><i>0</i><i>0.5</i><i>1</i></span>'
    top = (
        f'<th scope="col">{escape(name)}</th><th aria-hidden="true">{scale}</th>'
        '<th scope="col">value</th><th scope="col">95 % interval</th>'
        + "".join(
            f'<th scope="col"{kind}>{escape(head)}</th>'
            for head, kind in zip(heads, kinds, strict=True)
        )
    )
    return whole_table(top, body, caption or name, caption=caption, kind="r-figures")


def _kind(cells: Sequence[Cell]) -> str:
    """Columns of words stand to the left, of numbers to the right."""
    n_words = sum(isinstance(cell, str) and any(map(str.isalpha, cell)) for cell in cells)
    return ' class="r-words"' if 2 * n_words > len(cells) else ""


def _figure_row(row: Bar, ours: float | None, kinds: Sequence[str]) -> str:
    kind = ' class="r-ours"' if row.is_ours else ""
    cells = (*row.cells, *[""] * (len(kinds) - len(row.cells)))
    rest = "".join(
        f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(cells, kinds, strict=True)
    )
    return (
        f'<tr{kind}><th scope="row">{escape(row.name)}</th>'
        f'<td class="r-track" aria-hidden="true">{_track(row.figure, ours)}</td>'
        f"<td>{value_words(row.figure)}</td><td>{ends_words(row.figure)}</td>{rest}</tr>"
    )


def _track(figure: Interval, ours: float | None) -> str:
    drawn = "" if ours is None else f'<s style="left:{_place(ours)}"></s>'
    if figure.value is None:
        return f"<span>{drawn}</span>"
    if figure.low is not None and figure.high is not None:
        width = 100 * (min(1.0, figure.high) - max(0.0, figure.low))
        drawn += f'<i style="left:{_place(figure.low)};width:{width:.2f}%"></i>'
    return f'<span>{drawn}<b style="left:{_place(figure.value)}"></b></span>'


def _place(value: float) -> str:
    return f"{100 * min(1.0, max(0.0, value)):.2f}%"


def side_by_side(*parts: str) -> str:
    """Pieces beside each other where there is room, else under each other."""
    return f'<div class="r-pair">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


def note(text: str) -> str:
    """A remark in small letters."""
    return f'<p class="r-note">{escape(text)}</p>'


def nothing(text: str) -> str:
    """What stands where there is nothing to show."""
    return f'<p class="r-empty">{escape(text)}</p>'
