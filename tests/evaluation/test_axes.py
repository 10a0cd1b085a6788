"""Plots as text: places worked by hand, and words that cannot become markup."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.evaluation.axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Frame,
    Key,
    axis_over,
    key,
    place_axis,
    share_axis,
    share_axis_from,
    svg,
)


def frame() -> Frame:
    return Frame(x=share_axis("across"), y=share_axis("up"))


def test_corners_and_middle_lie_where_the_frame_has_them():
    assert frame().at(0, 0) == (LEFT, HEIGHT - BOTTOM)
    assert frame().at(1, 1) == pytest.approx((WIDTH - RIGHT, TOP))
    middle = (LEFT + (WIDTH - LEFT - RIGHT) / 2, TOP + (HEIGHT - TOP - BOTTOM) / 2)
    assert frame().at(0.5, 0.5) == pytest.approx(middle)


def test_values_outside_lie_on_the_ends():
    assert frame().at(-3, 2) == pytest.approx((LEFT, TOP))


def test_an_axis_over_values_has_round_ticks_up_to_the_greatest():
    # 0.86 * 1.05 = 0.903, a fifth is 0.1806: the next round step is 0.2
    axis = axis_over("loss", [0.3, 0.86])
    assert axis.ticks == (0, 0.2, 0.4, 0.6, 0.8)
    assert axis.high == pytest.approx(0.903)
    # 37 * 1.05 = 38.85, a fifth 7.77: the next is 10
    assert axis_over("loss", [37]).ticks == (0, 10, 20, 30)


@given(st.lists(st.floats(0, 1e6), max_size=9))
def test_an_axis_holds_its_values_and_has_two_to_six_ticks(values: list[float]):
    axis = axis_over("loss", values)
    assert axis.high >= max([*values, 0])
    assert 2 <= len(axis.ticks) <= 6
    assert axis.ticks[-1] <= axis.high + 1e-9


def test_a_share_axis_begins_at_the_ten_under_the_least_or_at_nothing():
    # 0.9156 less two hundredths is 0.8956: from 80 %, in steps of 5
    axis = share_axis_from("accuracy", [0.9156, 0.94])
    assert (axis.low, axis.high) == (0.8, 1)
    assert [axis.mark(tick) for tick in axis.ticks] == ["80", "85", "90", "95", "100"]
    # 0.51 less two hundredths is under one half
    assert share_axis_from("accuracy", [0.51, 0.9]).low == 0


def test_places_carry_names_of_at_most_nine():
    axis = place_axis("epoch", [str(number) for number in range(1, 21)])
    assert [axis.mark(tick) for tick in axis.ticks] == ["1", "4", "7", "10", "13", "16", "19"]
    assert place_axis("epoch", ["1"]).part(1) == 0.5


def test_a_plot_is_a_picture_with_title_and_description():
    drawn = svg("p", "A <title>", "What & why.", frame().grid())
    root = ET.fromstring(drawn)  # noqa: S314 (our own text)
    title, description = (child.text for child in list(root)[:2])
    assert (title, description) == ("A <title>", "What & why.")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "p-t p-d"


def test_every_piece_is_whole_markup():
    pieces = (
        frame().line([(0, 0), (1, 1)], "stroke: red", cased=True)
        + frame().dots([(0.5, 0.5)], "fill: red")
        + frame().parting(0.5, "before <", "after &")
        + frame().whiskers([(0.5, 0.2, 0.8)], "stroke: red")
    )
    root = ET.fromstring(f"<g>{pieces}</g>")  # noqa: S314
    # casing, line, dot, the parting line with two words, one whisker
    assert len(list(root)) == 7
    assert frame().line([], "stroke: red") == ""


def test_a_key_names_each_line():
    drawn = key([Key(words="a & b", style="stroke: red"),
                 Key(words="c", style="stroke: blue", cased=True)])  # fmt: skip
    root = ET.fromstring(drawn)  # noqa: S314
    assert ["".join(item.itertext()) for item in root] == ["a & b", "c"]
    assert drawn.count("r-casing") == 1


def test_an_axis_shows_shares_as_per_cent():
    assert Axis(label="x", low=0, high=1, ticks=(0.05,), percent=True).mark(0.05) == "5"
