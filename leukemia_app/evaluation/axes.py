"""Plots as SVG text: a frame with two axes, lines, points and words. Pure; colours come by CSS.

Every plot is a picture for screen readers: it has a title, and its description is a sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, isfinite, log10

WIDTH, HEIGHT = 420.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 14.0, 22.0, 46.0
DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 2 1 2 1 2", "12 3", "1 2", "3 6")
"""One a class: colour alone tells classes apart for nobody who sees few of them."""
TICK_PX = 5.0
LEAST_HEIGHT = 1e-6
LEAST_START = 0.5


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What an axis runs over, and how it is named and marked."""

    label: str
    low: float
    high: float
    ticks: tuple[float, ...]
    percent: bool = False
    """Whether its marks are shares shown as per cent."""
    marks: tuple[str, ...] = ()
    """What stands at each tick, where it is not the tick's own number."""

    def part(self, value: float) -> float:
        """Where on the axis a value lies, 0 to 1; values outside lie on its ends."""
        part = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, part))

    def mark(self, value: float) -> str:
        """The text at a tick."""
        if self.marks:
            return self.marks[self.ticks.index(value)]
        return f"{100 * value:g}" if self.percent else f"{value:g}"


def share_axis(label: str) -> Axis:
    """An axis from 0 to 1, marked in per cent."""
    return Axis(label=f"{label}, %", low=0, high=1, ticks=(0, 0.2, 0.4, 0.6, 0.8, 1), percent=True)


def axis_over(label: str, values: Sequence[float], *, percent: bool = False) -> Axis:
    """An axis from 0 to a little above the greatest value, with round ticks.

    Values that are no numbers do not count.
    """
    known = [value for value in values if isfinite(value)]
    high = max([*known, 0.0]) * 1.05
    # Nothing but zeros, as a loss of what was learned by heart, needs no axis of its own.
    high = high if high > LEAST_HEIGHT else 1.0
    return _axis(label, 0.0, min(1.0, high) if percent else high, percent)


def share_axis_from(label: str, values: Sequence[float]) -> Axis:
    """An axis in per cent to 100, from the ten under the least value, or from 0 if that is low."""
    low = floor(10 * min([1.0, *values]) - 0.2) / 10
    low = low if low >= LEAST_START else 0.0
    return _axis(label, low, 1.0, percent=True)


def _axis(label: str, low: float, high: float, percent: bool) -> Axis:
    step = _round_step((high - low) / 5)
    # Sums of tenths carry dust in the last digits.
    n_steps = int((high - low) / step + 1e-9)
    ticks = [float(f"{low + number * step:.9g}") for number in range(n_steps + 1)]
    return Axis(label=f"{label}, %" if percent else label, low=low, high=high, ticks=tuple(ticks),
                percent=percent)  # fmt: skip


def _round_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return float(
        next(factor for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9)) * power
    )


def place_axis(label: str, names: Sequence[str]) -> Axis:
    """An axis over places 1, 2, 3 …, such as epochs, with the names of at most nine of them."""
    n = len(names)
    step = max(1, -(-(n - 1) // 8))
    shown = range(0, n, step)
    # A single place stands in the middle.
    margin = 0.0 if n > 1 else 0.5
    return Axis(
        label=label, low=1 - margin, high=n + margin, ticks=tuple(at + 1.0 for at in shown),
        marks=tuple(names[at] for at in shown),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where the points of a plot lie on its sheet."""

    x: Axis
    y: Axis
    height: float = HEIGHT

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a value on the sheet, in its units."""
        across = LEFT + self.x.part(x) * (WIDTH - LEFT - RIGHT)
        return across, self.height - BOTTOM - self.y.part(y) * (self.height - TOP - BOTTOM)

    def grid(self) -> str:
        """Grid, marks and the names of the axes."""
        (left, bottom), (right, top) = self.at(self.x.low, self.y.low), self.at(
            self.x.high, self.y.high)  # fmt: skip
        drawn = [
            f'<path class="r-grid" d="M{left:.1f} {self.at(self.x.low, tick)[1]:.1f}H{right:.1f}"/>'
            f'<text class="r-mark" x="{left - 7:.1f}" y="{self.at(self.x.low, tick)[1] + 4:.1f}" '
            f'text-anchor="end">{self.y.mark(tick)}</text>'
            for tick in self.y.ticks
        ]
        for tick in self.x.ticks:
            across = self.at(tick, self.y.low)[0]
            drawn.append(
                f'<path class="r-axis" d="M{across:.1f} {bottom:.1f}v{TICK_PX:g}"/>'
                f'<text class="r-mark" x="{across:.1f}" y="{bottom + 18:.1f}" '
                f'text-anchor="middle">{self.x.mark(tick)}</text>'
            )
        drawn.append(
            f'<path class="r-axis" d="M{left:.1f} {top:.1f}V{bottom:.1f}H{right:.1f}"/>'
            f'<text class="r-name" x="{(left + right) / 2:.1f}" y="{self.height - 8:.1f}" '
            f'text-anchor="middle">{escape(self.x.label)}</text>'
            f'<text class="r-name" transform="translate(14 {(top + bottom) / 2:.1f}) rotate(-90)" '
            f'text-anchor="middle">{escape(self.y.label)}</text>'
        )
        return "".join(drawn)

    def line(
        self, points: Sequence[tuple[float, float]], style: str, *, cased: bool = False
    ) -> str:
        """A line through the points; `cased` gives pale colours an edge that can be seen."""
        if not points:
            return ""
        path = "M" + "L".join(
            f"{across:.1f} {down:.1f}" for across, down in (self.at(*point) for point in points)
        )
        casing = f'<path class="r-casing" d="{path}"/>' if cased else ""
        return f'{casing}<path class="r-line" d="{path}" style="{style}"/>'

    def dots(self, points: Sequence[tuple[float, float]], style: str, radius: float = 3.5) -> str:
        """A dot at each point."""
        return "".join(
            f'<circle class="r-dot" cx="{across:.1f}" cy="{down:.1f}" r="{radius:g}" '
            f'style="{style}"/>'
            for across, down in (self.at(*point) for point in points)
        )

    def parting(self, x: float, before: str, after: str) -> str:
        """A thin line over the whole height, with what lies before and after it above it."""
        (across, bottom), (_, top) = self.at(x, self.y.low), self.at(x, self.y.high)
        return (
            f'<path class="r-guide" d="M{across:.1f} {bottom:.1f}V{top - 16:.1f}"/>'
            f'<text class="r-mark" x="{across - 6:.1f}" y="{top - 8:.1f}" text-anchor="end">'
            f'{escape(before)}</text><text class="r-mark" x="{across + 6:.1f}" '
            f'y="{top - 8:.1f}">{escape(after)}</text>'
        )

    def whiskers(self, bars: Sequence[tuple[float, float, float]], style: str) -> str:
        """An upright line at each x from the second to the third value."""
        drawn = ""
        for x, low, high in bars:
            (across, bottom), (_, top) = self.at(x, low), self.at(x, high)
            drawn += (f'<path class="r-line" d="M{across:.1f} {bottom:.1f}V{top:.1f}" '
                      f'style="{style}"/>')  # fmt: skip
        return drawn


def svg(
    id: str, title: str, description: str, body: str, *, height: float = HEIGHT,
    width: float = WIDTH,
) -> str:  # fmt: skip
    """A whole plot; `id` is unique on its page, `body` is drawn already."""
    return (
        f'<svg class="r-plot" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{escape(id)}-t {escape(id)}-d" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{escape(id)}-t">{escape(title)}</title>'
        f'<desc id="{escape(id)}-d">{escape(description)}</desc>{body}</svg>'
    )


@dataclass(frozen=True, kw_only=True)
class Key:
    """One entry of a plot's key."""

    words: str
    style: str
    cased: bool = False
    """Whether its line has an edge."""


CASING = '<path class="r-casing" d="M1 4H27"/>'


def key(entries: Sequence[Key]) -> str:
    """The key of a plot as a list: a piece of each line with its words."""
    items = "".join(
        f'<li><svg viewBox="0 0 28 8" width="28" height="8" aria-hidden="true">'
        f'{CASING if entry.cased else ""}<path class="r-line" d="M1 4H27" '
        f'style="{entry.style}"/></svg>{escape(entry.words)}</li>'
        for entry in entries
    )
    return f'<ul class="r-key">{items}</ul>'
