"""One run, its report and the list: what is said in every state, and no markup of strangers."""

import json
import re
import time
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from leukemia_app.evaluation.learning import Epoch
from leukemia_app.training.job_folder import ENDED
from leukemia_app.training.memory import Pulse
from leukemia_app.training.runs import Curves, RunLine, RunView
from leukemia_app.ui import train_text as text
from leukemia_app.ui.run_panes import (
    control,
    in_scheme,
    progress,
    report_pane,
    run_pane,
    side,
)
from tests.ui.test_train_panes import HOSTILE, view_of, words_of

LINE = RunLine(
    id="ward-7", title="Ward 7", state="fine-tuning", reason="", time=0.0, made=0.0,
    is_finishing=False, place=None, network="mobilenet + attention", labels=("hem", "all"),
    data="cells", actions=("stop",), has_bundle=False, has_report=False,
)  # fmt: skip
VIEW = RunView(
    line=LINE, doing={}, head=Curves(values={}), tune=Curves(values={}), best=None, left_out=(),
    memory=None, started=None, seconds_left=None,
)  # fmt: skip


def pane(line: dict[str, Any] | None = None, **changes: Any) -> str:
    return run_pane(replace(VIEW, line=replace(LINE, **(line or {})), **changes), ())


def offered(html: str) -> list[str]:
    """What the buttons ask for, with the action where there are several."""
    found = re.findall(r'data-train="([^"]*)"(?: data-value="([^"]*)")?', html)
    return [value if what == "act" else what for what, value in found]


@pytest.mark.parametrize(
    ("doing", "words", "value"),
    [({"kind": "step", "epoch": 2, "epochs": 5, "step": 3, "steps": 10},
      ": epoch 2 of 5, its step 1 of 2", "0.300"),
     ({"kind": "epoch", "epoch": 2, "epochs": 8}, ": epoch 2 of 8 done", "0.250"),
     ({}, "tuning the network", None)],
)  # fmt: skip
def test_a_run_says_how_far_it_is(doing, words, value):
    html = pane(doing=doing)
    assert words in words_of(html)
    assert 'data-live="1"' in html
    bar = re.search(r"<progress[^>]*>", html)
    assert bar is not None
    assert re.findall(r'value="([^"]*)"', bar[0]) == ([value] if value else [])


def test_a_run_says_its_time_best_epoch_and_memory():
    said = words_of(pane(
        seconds_left=300.0, best={"epoch": 3, "val_accuracy": 0.412},
        memory=Pulse(time=0.0, memory_mb=1234, peak_mb=2000, free_mb=None),
    ))  # fmt: skip
    assert "about 5 min left" in said
    # The epoch is chosen by its loss: an earlier one may have the higher accuracy.
    assert "lowest validation loss in epoch 3 (accuracy 41 %)" in said
    assert "1,234 MB" in said


def test_a_best_epoch_without_an_accuracy_is_named_without_one():
    said = words_of(pane(best={"epoch": 3, "val_accuracy": None}))
    assert "lowest validation loss in epoch 3" in said
    assert "accuracy" not in said


def test_a_run_that_is_being_stopped_says_so_on_its_button():
    assert f'data-value="stop" data-busy="{text.BUSY["stop"]}"' in pane()
    assert "data-busy" not in pane({"state": "stopped", "actions": ("resume", "remove")})


@pytest.mark.parametrize(
    ("state", "words"),
    [("finishing", text.FINISHING), ("bundling", f"{text.FINISHING}: making the model"),
     ("evaluating", f"{text.FINISHING}: scoring, 3 of 43 test pictures")],
)  # fmt: skip
def test_a_stopped_run_that_is_made_a_model_says_both(state: str, words: str):
    doing = {"kind": "evaluate", "done": 3, "total": 43} if state == "evaluating" else {}
    html = pane({"state": state, "is_finishing": True}, doing=doing)
    assert words_of(html).count(words) == 1
    assert text.STOP_FINISHING in words_of(html)
    assert offered(html) == ["stop"]


def test_a_run_that_was_stopped_before_it_learned_anything_says_why_there_is_no_model():
    line = {"state": "stopped", "actions": ("resume", "remove")}
    assert text.NO_EPOCH in words_of(pane(line))
    assert "It had 60 minutes." in words_of(pane(line | {"reason": "It had 60 minutes."}))
    epochs = [Epoch(phase="head", number=1, loss=1.0)]
    learned = run_pane(replace(VIEW, line=replace(LINE, **line)), epochs)
    assert text.NO_EPOCH not in words_of(learned)
    assert text.NO_EPOCH not in words_of(pane(line | {"has_bundle": True}))
    assert text.NO_EPOCH not in words_of(pane({"state": "failed"}))


def test_the_title_of_a_run_can_name_its_pane():
    assert '<h3 id="t-run-title">Ward 7</h3>' in pane()


def test_the_figure_of_a_model_stands_with_its_controls_or_says_that_there_are_none():
    figure = "AUROC 0.987 (0.95–1.00) by patient · colour alone 0.981"
    said = words_of(run_pane(VIEW, (), figure))
    assert figure in said
    assert text.FIGURE_WORDS in said
    alone = words_of(run_pane(VIEW, (), "AUROC 0.987 by patient"))
    assert text.NO_CONTROL in alone
    assert text.NO_CONTROL not in words_of(run_pane(VIEW, ()))
    assert "<script" not in run_pane(VIEW, (), HOSTILE)


def test_a_failed_run_says_why_in_the_words_of_the_form():
    said = words_of(pane({"state": "failed", "reason": "Start anew with a lower tune_rate."}))
    assert "Failed. Start anew with a lower “Learning rate of tuning”." in said


def test_a_run_that_waits_says_its_place():
    html = pane({"state": "queued", "place": 2})
    assert "waiting, number 2 in line" in words_of(html)
    assert 'data-live="1"' in html


@pytest.mark.parametrize("state", ENDED)
def test_a_run_that_has_ended_says_why_and_is_not_looked_at_again(state: str):
    html = pane({"state": state, "reason": "It had 60 minutes.", "has_bundle": True})
    assert 'data-live="0"' in html
    assert f"{text.STATES[state].capitalize()}. It had 60 minutes." in words_of(html)
    assert "<progress" not in html


def test_a_model_can_be_saved_and_used_and_that_all_see_it_is_said():
    html = pane({"state": "done", "has_bundle": True, "has_report": True, "actions": ("remove",)})
    assert offered(html) == ["remove", "bundle", "use", "report"]
    assert 'data-train="use" data-value="ward-7"' in html
    assert text.FOR_ALL in words_of(html)
    without = pane({"state": "failed", "actions": ("resume", "finish", "remove")})
    assert offered(without) == ["resume", "finish", "remove"]
    assert text.FOR_ALL not in words_of(without)


def test_deleting_is_asked_about_first():
    html = pane({"state": "done", "actions": ("remove",)})
    assert f'data-sure="{text.SURE["remove"]}"' in html
    assert "data-sure" not in pane()


def test_what_could_not_be_used_is_listed_up_to_fifty():
    html = pane(left_out=tuple(f"{number}.png is broken." for number in range(60)))
    assert "60 could not be used" in words_of(html)
    assert html.count("<li>") == 50


def test_curves_are_drawn_once_there_are_epochs():
    epochs = [Epoch(phase="network", number=number, loss=1.0 / number, val_loss=1.1 / number,
                    accuracy=0.5, val_accuracy=0.5) for number in (1, 2)]  # fmt: skip
    html = run_pane(VIEW, epochs)
    assert "live-loss" in html
    assert "live-accuracy" in html
    assert "<svg" not in run_pane(VIEW, ())


def test_the_report_is_whole_and_in_a_frame_that_reaches_nothing():
    html = report_pane(f"<p>{HOSTILE}</p>")
    assert HOSTILE not in html
    (page,) = re.findall(r'srcdoc="([^"]*)"', html)
    assert unescape(page) == f"<p>{HOSTILE}</p>"
    assert re.findall(r'sandbox="([^"]*)"', html) == ["allow-scripts"]


def test_the_list_names_everything_and_marks_what_is_open():
    other = replace(LINE, id="other", title="Other", place=1, state="queued")
    html = side((LINE, other), (view_of(),), "cells-1", "ward-7")
    assert re.findall(r'data-value="([^"]*)" aria-current', html) == ["ward-7", "cells-1"]
    assert "Other waiting, number 1 in line" in words_of(html)
    assert "Ward 7 tuning the network" in words_of(html)
    (place,) = re.findall(r'data-place="([^"]*)"', html)
    assert json.loads(unescape(place)) == {"data": "cells-1", "run": "ward-7"}


def test_a_check_that_waits_says_its_place_in_the_list():
    html = side((), (view_of(state="queued 2", health=None),), None, None)
    assert "cells waiting, number 2 in line" in words_of(html)


def test_pictures_that_are_called_alike_are_told_apart_by_when_they_were_given(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    # 1 h 2 min and 25 h 3 min after 1 January 1970.
    first, second = view_of(id="a", given=3720.0), view_of(id="b", given=90180.0)
    said = words_of(side((), (second, first), None, None))
    assert "cells done · given 1970-01-02 01:03 cells done · given 1970-01-01 01:02" in said


def test_an_empty_list_says_so():
    html = side((), (), None, None)
    assert text.NO_RUNS in words_of(html)
    assert "<li>" not in html


def test_hostile_names_stay_text():
    line = dict.fromkeys(("id", "title", "reason", "network", "data"), HOSTILE)
    for html in (
        pane({**line, "labels": (HOSTILE,), "has_bundle": True}, left_out=(HOSTILE,)),
        pane({**line, "state": "failed"}), report_pane(HOSTILE),
        side((replace(LINE, **line),), (view_of(id=HOSTILE),), HOSTILE, HOSTILE),
        control(HOSTILE, HOSTILE, value=HOSTILE), progress(HOSTILE, 0.5),
    ):  # fmt: skip
        assert "<script" not in html
        assert 'alert(1)"' not in html.replace("&quot;", "")


# Comparing, and the command line's runs


def test_boxes_stand_before_runs_where_there_are_two_and_not_before_pictures():
    one = LINE
    assert "data-compared" not in side([one], [], None, None)
    html = side([one, replace(one, id="second")], [], None, None, "<p>Compare</p>")
    assert html.count('type="checkbox"') == 2
    assert "<p>Compare</p>" in html


def test_a_run_of_the_command_line_says_so_in_every_state():
    for state in ("done", "queued"):
        one = replace(LINE, state=state, place=1 if state == "queued" else None)
        assert text.FROM_COMMANDS not in side([one], [], None, None)
        assert text.FROM_COMMANDS in side([replace(one, is_from_commands=True)], [], None, None)


def test_a_framed_page_takes_the_colours_of_the_page_round_it():
    page = '<!doctype html>\n<html lang="en"><head></head><body></body></html>'
    assert '<html lang="en" class="dark">' in in_scheme(page, "dark")
    assert '<html lang="en" class="light">' in in_scheme(page, "light")
    for scheme in (None, HOSTILE, 3, ["dark"]):
        assert in_scheme(page, scheme) == page
