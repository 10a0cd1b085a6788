"""The comparison in the page: what it shows, and that no name of a stranger is markup."""

import re
from dataclasses import replace
from html import unescape

from leukemia_app.evaluation.run_compare import SHOWN, Comparison, figure
from leukemia_app.ui import train_text as text
from leukemia_app.ui.compare_pane import compare_button, comparison_pane, remaining
from tests.made_results import results_of, unfinished

HOSTILE = '"><script>alert(1)</script>'


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_one_run_has_nothing_to_be_compared_with():
    assert compare_button(1) == ""
    assert "disabled" in compare_button(2), "until boxes are checked"
    assert 'data-between="2 6"' in compare_button(2)


def test_the_runs_stand_side_by_side_with_curves_figures_and_settings():
    first = results_of()
    other = replace(first, config=first.config | {"tune_epochs": 9, "augment": {"zoom": 0.3}})
    html = comparison_pane(Comparison(runs={"one": first, "two": other}))
    said = words_of(html)
    assert "All were scored on the same 12 test pictures" in said
    assert "Validation loss of 2 runs" in said
    assert "balanced accuracy" in said
    assert "above one two accuracy 0.000" in said
    assert text.NOT_APART in said
    assert "Epochs of tuning 4 9" in said
    assert "Zoom: strength 0.1 0.3" in said
    for name in ("one", "two"):
        assert f'data-train="open-run" data-value="{name}"' in html
        assert f'data-train="compare-remove" data-value="{name}"' in html
    assert html.count("data-sure=") == 2


def test_figures_without_an_interval_say_why():
    first = results_of()
    said = words_of(comparison_pane(Comparison(runs={"one": first, "two": first})))
    assert text.INTERVAL_95 in said
    assert (text.NO_INTERVAL in said) == any(
        found.value is not None and found.low is None
        for found in (figure(first, name) for name in SHOWN)
    )
    measured = replace(first.measured, overall={
        name: replace(found, low=None, high=None) for name, found in first.measured.overall.items()
    })  # fmt: skip
    bare = replace(first, measured=measured)
    said = words_of(comparison_pane(Comparison(runs={"one": bare, "two": bare})))
    assert text.INTERVAL_95 not in said
    assert text.NO_INTERVAL in said


def test_pictures_go_by_their_name_and_by_their_folder_where_two_are_called_alike():
    made = [replace(results_of(), config=results_of().config | {"data": f"/s/{name}/pictures"})
            for name in ("cells-1", "cells-2", "gone-3")]  # fmt: skip
    comparison = Comparison(runs=dict(zip("abc", made, strict=True)))
    said = words_of(comparison_pane(comparison, {"cells-1": "cells", "cells-2": "my cells"}))
    assert "pictures cells my cells gone-3" in said
    said = words_of(comparison_pane(comparison, {"cells-1": "cells", "cells-2": "cells"}))
    assert "pictures cells (cells-1) cells (cells-2) gone-3" in said


def test_a_run_with_labels_corrected_by_hand_says_so():
    other = replace(results_of(), corrected="By hand: 1 test picture relabelled.")
    said = words_of(comparison_pane(Comparison(runs={"one": results_of(), "two": other})))
    assert "two: By hand: 1 test picture relabelled." in said


def test_on_another_split_the_pane_warns_and_ranks_nothing():
    first = results_of()
    other = replace(first, level="image")
    html = comparison_pane(Comparison(runs={"one": first, "two": other}))
    assert 'class="s-failed"' in html
    assert "Do not rank them" in words_of(html)
    assert "above one" not in words_of(html)


def test_runs_that_differ_in_nothing_say_so_and_one_without_figures_is_named():
    html = comparison_pane(Comparison(runs={"one": results_of(), "two": unfinished()}))
    assert "two has no figures" in words_of(html)
    assert text.SAME_SETTINGS in words_of(html)


def test_names_and_settings_of_strangers_stay_text():
    first = results_of()
    config = first.config | {"start": HOSTILE, "backbone": HOSTILE, "data": HOSTILE}
    other = replace(first, config=config, state=HOSTILE)
    html = comparison_pane(Comparison(runs={"one": first, HOSTILE: other}))
    assert "<script" not in html


def test_what_is_deleted_is_compared_no_more():
    assert remaining({"compared": ["a", "b", "c"]}, "b") == ["a", "c"]
    assert remaining({"compared": "x"}, "b") == []
    assert remaining({}, "") == []
