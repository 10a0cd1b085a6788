"""Tables as text: numbers to the right, words to the left, nothing of a stranger as markup."""

from leukemia_app.evaluation.measures import UNDEFINED, Interval
from leukemia_app.evaluation.tables import (
    Bar,
    ends_words,
    figure_table,
    interval_words,
    note,
    nothing,
    pairs,
    side_by_side,
    table,
)

FIGURE = Interval(value=0.5, low=0.25, high=0.75)


def test_figures_are_told_with_three_decimals_and_their_interval():
    assert interval_words(FIGURE) == "0.500 (0.250–0.750)"
    assert interval_words(Interval(value=0.5, low=None, high=None)) == "0.500"
    assert interval_words(UNDEFINED) == "not defined"
    assert ends_words(UNDEFINED) == "–"


def test_what_rounds_to_zero_has_no_minus():
    almost = Interval(value=-0.0002, low=-0.0004, high=0.25)
    assert interval_words(almost) == "0.000 (0.000–0.250)"
    assert ends_words(Interval(value=0.0, low=-0.25, high=-0.0)) == "−0.250 to 0.000"


def test_a_figure_stands_at_its_place_on_the_track():
    drawn = figure_table([Bar(name="x", figure=FIGURE)])
    assert '<i style="left:25.00%;width:50.00%"></i><b style="left:50.00%"></b>' in drawn
    assert "<td>0.500</td><td>0.250–0.750</td>" in drawn


def test_our_figure_is_carried_down_all_rows():
    ours = Bar(name="ours", figure=Interval(value=0.9, low=None, high=None), is_ours=True)
    drawn = figure_table([ours, Bar(name="other", figure=FIGURE), Bar(name="no", figure=UNDEFINED)])
    assert drawn.count('<s style="left:90.00%"></s>') == 3
    assert drawn.count('class="r-ours"') == 1
    assert "<td>not defined</td><td>–</td>" in drawn


def test_a_figure_outside_zero_to_one_stays_on_the_track():
    drawn = figure_table([Bar(name="x", figure=Interval(value=-0.1, low=-0.2, high=1.2))])
    assert 'style="left:0.00%;width:100.00%"' in drawn


def test_columns_of_words_stand_to_the_left():
    drawn = table(("name", "seen", "value"), [("a", ["pixels", FIGURE]), ("b", ["", "12 %"])])
    assert drawn.count('<td class="r-words">') == 0
    drawn = table(("name", "seen", "value"), [("a", ["pixels", FIGURE])])
    assert '<th scope="col" class="r-words">seen</th><th scope="col">value</th>' in drawn
    assert "<td>0.500<small>0.250–0.750</small></td>" in drawn


def test_cells_that_a_row_lacks_are_empty():
    rows = [Bar(name="ours", figure=FIGURE, is_ours=True),
            Bar(name="b", figure=FIGURE, cells=("words", "12"))]  # fmt: skip
    drawn = figure_table(rows, heads=("said", "n"))
    assert drawn.count('<td class="r-words"></td><td></td>') == 1
    assert '<td class="r-words">words</td><td>12</td>' in drawn


def test_nothing_becomes_markup():
    bad = "<script>&"
    for drawn in (
        table((bad, bad), [(bad, [bad])], caption=bad), pairs([(bad, bad)]), note(bad),
        nothing(bad), figure_table([Bar(name=bad, figure=FIGURE, cells=(bad,))], heads=(bad,)),
    ):  # fmt: skip
        assert "<script>" not in drawn
        assert "&lt;script&gt;&amp;" in drawn


def test_pairs_without_words_are_left_out():
    assert pairs([("a", ""), ("b", "c")]).count("<dt>") == 1


def test_pieces_stand_side_by_side():
    assert side_by_side("a", "b") == '<div class="r-pair"><div>a</div><div>b</div></div>'


def test_a_wide_table_can_be_scrolled_by_keyboard_and_has_a_name():
    assert 'tabindex="0" role="group" aria-label="what"' in table(("what", "n"), [])
