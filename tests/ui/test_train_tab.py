"""The Train tab's requests: what each changes, and that nothing that fails is thrown at it."""

import asyncio
import base64
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from leukemia_app.errors import RunError
from leukemia_app.training.augment_kinds import KINDS
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.ui import train_text as text
from leukemia_app.ui.bench import Bench
from leukemia_app.ui.settings_text import NO_PICTURE
from leukemia_app.ui.train import TrainTab
from tests.reviewed_run import make_run
from tests.ui.training_bench import N_PICTURES, check, drawn_pieces, make_bench

SECRET, OTHER = "a" * 43, "b" * 43
NAMES = ("hub", "pictures", "split", "model", "run", "report", "review", "side", "said", "saved")
PARTS: Any = SimpleNamespace(**{name: name for name in NAMES})
SMALL = {"backbone": "baseline_cnn", "head": "plain", "start": "none"}


@pytest.fixture(autouse=True)
def nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobQueue, "_start", lambda *_: None)


def tab_over(folder: Path, bench: Bench) -> TrainTab:
    return TrainTab(bench=bench, uploads=folder / "uploads", max_file_mb=50)


def ask(tab: TrainTab, what: str, *, login: str | None = None, **given: Any) -> dict[str, Any]:
    """All that the request changes, by part, through the guard as on the page."""
    asked = SimpleNamespace(**{"what": what, "owner": SECRET} | given)
    request: Any = SimpleNamespace(username=login)
    answers = list(tab._guarded(PARTS)(request, asked))
    return {part: value for answer in answers for part, value in answer.items()}


def give(tab: TrainTab, **more: Any) -> str:
    """Give a small drawn set as the page would; its id."""
    files = [[piece.name, str(piece.path)] for piece in drawn_pieces(tab.uploads)]
    shown = ask(tab, "give", files=files, **more)
    assert shown["said"] == ""
    newest = max(
        tab.bench.data.checks.root.glob("*/dataset.json"), key=lambda path: path.stat().st_mtime
    )
    return newest.parent.name


@pytest.fixture(scope="module")
def given_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with uploads and a state in which a data set was checked; its id. Do not change."""
    folder = tmp_path_factory.mktemp("tab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobQueue, "_start", lambda *_: None)
        tab = tab_over(folder, make_bench(folder / "state"))
        data = give(tab)
        check(tab.bench, data)
    return folder, data


@pytest.fixture
def data(given_once: tuple[Path, str]) -> str:
    return given_once[1]


@pytest.fixture
def tab(given_once: tuple[Path, str], tmp_path: Path) -> TrainTab:
    """Over a copy in which the data set was checked."""
    shutil.copytree(given_once[0], tmp_path / "copy")
    return tab_over(tmp_path / "copy", make_bench(tmp_path / "copy" / "state"))


@pytest.fixture
def fresh(tmp_path: Path) -> TrainTab:
    return tab_over(tmp_path, make_bench(tmp_path / "state"))


def begin(tab: TrainTab, data: str, **fields: Any) -> str:
    ask(tab, "begin", data=data, fields=SMALL | fields)
    return tab.bench.list_runs(_owner(SECRET))[0].id


def _owner(secret: str) -> str:
    from leukemia_app.training.owners import owner_of_token

    return owner_of_token(secret)


# Opening


def test_a_newcomer_finds_where_to_drop_and_nothing_else(fresh: TrainTab):
    shown = ask(fresh, "open")
    assert "data-take" in shown["pictures"]
    assert text.NO_RUN in shown["run"]
    assert "s-shut" in shown["run"]
    assert text.NO_RUNS in shown["side"]
    assert (shown["said"], shown["saved"], shown["report"]) == ("", None, "")


def test_who_comes_back_finds_what_was_open(tab: TrainTab, data: str):
    run = begin(tab, data)
    shown = ask(tab, "open", data=data, run=run)
    assert f'data-checked="{data}"' in shown["pictures"]
    assert 'data-train="begin"' in shown["model"]
    assert f'data-run="{run}"' in shown["run"]


def test_somebody_else_finds_nothing_and_learns_nothing(tab: TrainTab, data: str):
    run = begin(tab, data)
    for who in ({"owner": OTHER}, {"login": "bob"}):
        shown = ask(tab, "open", data=data, run=run, **who)
        assert "data-take" in shown["pictures"]
        assert text.NO_RUN in shown["run"]
        assert data not in "".join(map(str, shown.values()))
        for what in ("again", "forget", "leak", "plan", "begin"):
            assert "not here any more" in ask(tab, what, data=data, fields=SMALL, **who)["said"]
        for what, value in (("act", "remove"), ("report", ""), ("bundle", ""), ("open-run", run)):
            said = ask(tab, what, run=run, value=value, **who)["said"]
            assert "There is no run" in said


def test_who_logs_in_owns_by_name_whatever_the_browser_says(fresh: TrainTab):
    data = give(fresh, login="ada")
    assert fresh.bench.data.view("login:ada", data).id == data
    assert data in ask(fresh, "open", login="ada", owner=OTHER)["side"]


@pytest.mark.parametrize("owner", ["", "short", None, 7])
def test_a_browser_without_a_key_is_told_to_reload(owner: object, fresh: TrainTab):
    assert "This browser has no key to its runs" in ask(fresh, "open", owner=owner)["said"]


def test_an_unknown_request_changes_nothing(fresh: TrainTab):
    assert ask(fresh, "format-disk") == {}
    assert ask(fresh, "") == {}


# Pictures


def test_a_given_folder_is_a_data_set_that_is_being_checked(fresh: TrainTab):
    data = give(fresh)
    shown = ask(fresh, "open-data", value=data)
    assert 'data-live="1"' in shown["pictures"]
    assert "waiting, number 1 in line" in shown["pictures"]
    assert "s-shut" in shown["model"]
    assert "cells" in shown["side"]


def test_a_file_elsewhere_on_the_server_is_refused_in_words(fresh: TrainTab, tmp_path: Path):
    (tmp_path / "secret.png").write_bytes(b"x")
    fresh.uploads.mkdir()
    shown = ask(fresh, "give", files=[["a/<b>.png", str(tmp_path / "secret.png")]])
    assert "&lt;b&gt;.png did not reach the server" in shown["said"]
    assert 'role="alert"' in shown["said"]
    assert shown.keys() == {"said", "saved"}, "the rest of the page stays"


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"too_large": 3}, "3 files are larger than this server takes: a picture may have 50 MB"),
     ({"too_large": 1, "lost": 2}, "1 file is larger than this server takes and 2 did not reach"),
     ({"lost": 2}, "None of the 2 files reached the server. Look at the connection")],
)  # fmt: skip
def test_files_that_were_not_sent_at_all_are_no_files_that_are_no_pictures(
    fields: dict[str, int], words: str, fresh: TrainTab
):
    assert words in ask(fresh, "give", files=[], fields=fields)["said"]


@pytest.mark.parametrize("files", [None, [], "x"])
def test_giving_nothing_is_said(files: object, fresh: TrainTab):
    assert "None of these files is a picture" in ask(fresh, "give", files=files)["said"]


def test_a_tick_shows_the_check_and_then_what_it_found(fresh: TrainTab):
    data = give(fresh)
    shown = ask(fresh, "tick", data=data, seen="checking")
    assert 'data-live="1"' in shown["pictures"]
    assert "model" not in shown, "a form that somebody may be filling in"
    check(fresh.bench, data)
    shown = ask(fresh, "tick", data=data, seen="checking")
    assert 'data-live="0"' in shown["pictures"]
    assert 'data-train="begin"' in shown["model"]
    assert "pictures" not in ask(fresh, "tick", data=data, seen="")


def test_a_tick_during_the_leak_leaves_the_health_page_alone(tab: TrainTab, data: str):
    shown = ask(tab, "leak", data=data, fields={"start": "none"})
    assert 'data-live="1"' in shown["pictures"]
    shown = ask(tab, "tick", data=data, seen="checking")
    assert "pictures" not in shown
    assert "waiting, number 1 in line" in shown["split"]


def test_checking_again_takes_names_pattern_and_seed(tab: TrainTab, data: str):
    fields = {"aliases": {"normal": "calm"}, "pattern": r"(\d)", "seed": "12"}
    shown = ask(tab, "again", data=data, fields=fields)
    assert 'data-live="1"' in shown["pictures"]
    source = tab.bench.data.view(_owner(SECRET), data).source
    assert (source.aliases, source.pattern, source.seed) == ({"normal": "calm"}, r"(\d)", 12)
    assert source.choice is None


@pytest.mark.parametrize("seed", ["", "-1", "x", "²"])
def test_a_seed_that_is_none_changes_nothing(seed: str, tab: TrainTab, data: str):
    assert ask(tab, "again", data=data, fields={"seed": seed})["said"] == ""
    assert tab.bench.data.view(_owner(SECRET), data).source.seed == 0


def test_a_choice_is_kept(tab: TrainTab, data: str):
    ask(tab, "choice", data=data, value="Original")
    assert tab.bench.data.view(_owner(SECRET), data).source.choice == "Original"


def test_a_failed_check_offers_the_kinds_there_are(fresh: TrainTab):
    data = give(fresh)
    home = fresh.bench.data.view(_owner(SECRET), data).home
    for kind in ("Original", "Segmented"):
        shutil.copytree(home / "pictures" / "cells", home / "two" / kind)
    shutil.rmtree(home / "pictures")
    (home / "two").rename(home / "pictures")
    (home / "status.json").write_text('{"state": "failed", "reason": "Two kinds."}')
    shown = ask(fresh, "open-data", value=data)
    assert "Two kinds." in shown["pictures"]
    assert 'data-train="choice" data-value="Original"' in shown["pictures"]


def test_forgotten_pictures_give_the_drop_zone_back(tab: TrainTab, data: str):
    shown = ask(tab, "forget", data=data)
    assert "data-take" in shown["pictures"]
    assert text.DATA_SETS not in shown["side"]


def test_other_pictures_close_the_data_set(tab: TrainTab, data: str):
    shown = ask(tab, "new-data", data=data)
    assert "data-take" in shown["pictures"]
    assert f'data-value="{data}"' in shown["side"]
    assert "&quot;data&quot;: null" in shown["side"]


# The model


def test_a_plan_follows_what_was_chosen(tab: TrainTab, data: str):
    shown = ask(tab, "plan", data=data, fields=SMALL | {"changes": {"tune_epochs": 2}})
    assert f"of {2 * N_PICTURES}" not in shown["said"]
    assert '<option value="baseline_cnn" selected>' in shown["model"]
    assert 'data-change="tune_epochs" data-changed="1"' in shown["model"]
    assert "s-tiles" not in shown["model"], "what is closed is not computed"
    assert "About" in shown["model"]
    assert shown.keys() == {"said", "saved", "model"}


@pytest.mark.parametrize("fields", [{"backbone": "<alexnet>"}, {"changes": {"seed": -1}},
                                    {"changes": {"data": "/etc"}}, {"preset": "magic"},
                                    {"head": "none"}])  # fmt: skip
def test_a_choice_that_cannot_be_trained_is_said_in_its_place(fields, tab: TrainTab, data: str):
    shown = ask(tab, "plan", data=data, fields=SMALL | fields)
    assert "s-failed" in shown["model"] or "s-failed" in shown["said"]
    assert "<alexnet>" not in "".join(map(str, shown.values()))
    assert tab.bench.list_runs(_owner(SECRET)) == ()


def test_a_setting_that_cannot_be_trained_with_stays_where_it_can_be_put_right(
    tab: TrainTab, data: str
):
    shown = ask(tab, "plan", data=data, fields=SMALL | {"changes": {"seed": -1}})
    assert "“Seed of the training” is -1" in shown["model"]
    assert 'data-resets="seed"' in shown["model"]


def test_a_block_of_another_network_gives_way(tab: TrainTab, data: str):
    fields = SMALL | {"changes": {"tune_from": "conv_dw_9", "tune_epochs": 2}}
    shown = ask(tab, "plan", data=data, fields=fields)
    assert "s-failed" not in shown["model"]
    assert "conv_dw_9" not in shown["model"]
    assert 'data-resets="tune_epochs"' in shown["model"]


def test_an_open_fold_shows_a_picture_of_the_set(tab: TrainTab, data: str):
    shown = ask(tab, "plan", data=data, fields=SMALL | {"folds": ["augment", "other", 3]})
    assert shown["model"].count("s-tiles") == len(KINDS)
    assert "s-prepared" not in shown["model"]
    shown = ask(tab, "plan", data=data, fields=SMALL | {"folds": ["more"]})
    assert shown["model"].count("s-prepared") == 1


def test_a_set_whose_first_picture_cannot_be_read_says_so(tab: TrainTab, data: str):
    view = tab.bench.data.view(_owner(SECRET), data)
    first = (view.health or {})["classes"][0]["shown"][0]
    (view.home / "pictures" / first).write_bytes(b"no picture any more")
    shown = ask(tab, "plan", data=data, fields=SMALL | {"folds": ["augment", "more"]})
    assert "s-tiles" not in shown["model"]
    assert NO_PICTURE in shown["model"]


def test_a_start_that_does_not_fit_gives_way_to_one_that_does(tab: TrainTab, data: str):
    shown = ask(tab, "plan", data=data, fields=SMALL | {"start": "imagenet"})
    assert "s-failed" not in shown["model"]
    assert '<option value="none" selected>' in shown["model"]


def test_a_network_without_a_model_to_adapt_is_trained_quickly(tab: TrainTab, data: str):
    shown = ask(tab, "plan", data=data, fields=SMALL | {"preset": "adapt"})
    assert "s-failed" not in shown["model"]
    assert '<option value="quick" selected>' in shown["model"]
    assert 'value="adapt"' not in shown["model"]


@pytest.mark.parametrize("fields", [None, [], "x", {"changes": [1]}, {"changes": None}])
def test_fields_of_another_kind_are_left_out(fields: object, tab: TrainTab, data: str):
    assert "unexpected" not in ask(tab, "plan", data=data, fields=fields)["said"].lower()


# Runs


def test_a_training_begins_and_is_opened(tab: TrainTab, data: str):
    shown = ask(tab, "begin", data=data, fields=SMALL | {"name": "Ward 7"})
    assert 'data-run="ward-7" data-live="1"' in shown["run"]
    assert "&quot;run&quot;: &quot;ward-7&quot;" in shown["side"]


def test_a_tick_shows_how_far_the_run_is(tab: TrainTab, data: str):
    run = begin(tab, data)
    folder = tab.bench.run_folder(_owner(SECRET), run)
    folder.add_event("epoch", epoch=1, epochs=2, loss=1.0, val_loss=1.2, accuracy=0.5,
                     val_accuracy=0.5, best=True)  # fmt: skip
    shown = ask(tab, "tick", run=run)
    assert f'data-run="{run}"' in shown["run"]
    assert shown["report"] == ""


def test_actions_change_the_run_and_removing_closes_it(tab: TrainTab, data: str):
    run = begin(tab, data)
    assert f"{text.NO_EPOCH}." in ask(tab, "act", run=run, value="stop")["run"]
    assert "nothing that can be done" in ask(tab, "act", run=run, value="paint")["said"]
    shown = ask(tab, "act", run=run, value="remove")
    assert text.NO_RUN in shown["run"]
    assert text.NO_RUNS in shown["side"]


def test_a_report_is_shown_once_and_can_be_saved(tab: TrainTab, data: str):
    run = begin(tab, data)
    folder = tab.bench.run_folder(_owner(SECRET), run)
    (folder.path / "report").mkdir()
    (folder.path / "report" / "report.html").write_text("<p>ä</p>", encoding="utf-8")
    assert ask(tab, "tick", run=run)["report"] == "", "not before the end"
    folder.set_state("done")
    assert "&lt;p&gt;ä&lt;/p&gt;" in ask(tab, "open-run", value=run)["report"]
    assert "report" not in ask(tab, "tick", run=run, seen=f"report:{run}"), "it keeps its place"
    saved = ask(tab, "report", run=run)["saved"]
    assert (saved["name"], saved["type"]) == (f"{run}.html", "text/html")
    assert base64.b64decode(saved["base64"]).decode() == "<p>ä</p>"


def test_what_is_not_made_yet_cannot_be_saved_and_that_is_said(tab: TrainTab, data: str):
    run = begin(tab, data)
    for what in ("report", "bundle"):
        shown = ask(tab, what, run=run)
        assert shown["saved"] is None
        assert "s-failed" in shown["said"]
        assert "reference" not in shown["said"], "no accident"


def test_a_model_is_saved_as_one_zip(tab: TrainTab, data: str, monkeypatch):
    packed = io.BytesIO()
    zipfile.ZipFile(packed, "w").close()
    monkeypatch.setattr("leukemia_app.ui.train.pack", lambda folder: packed.getvalue())
    run = begin(tab, data)
    saved = ask(tab, "bundle", run=run)["saved"]
    assert (saved["name"], saved["type"]) == (f"{run}.zip", "application/zip")
    assert base64.b64decode(saved["base64"]) == packed.getvalue()


# Going through the answers


def test_answers_are_gone_through_saved_and_trained_on_again(fresh: TrainTab):
    make_run(fresh.bench.settings.state_dir, _owner(SECRET))
    shown = ask(fresh, "open", run="ward-7")
    assert "s-review" in shown["review"]
    assert "review" not in ask(fresh, "tick", run="ward-7", seen="report:ward-7")
    value = json.dumps({"file": "normal/4-0.png", "label": "blast"})
    shown = ask(fresh, "review-decide", run="ward-7", value=value)
    assert shown.keys() == {"said", "saved", "review"}, "the report keeps its place"
    assert "1 of 24 decided" in shown["review"]
    saved = ask(fresh, "review-save", run="ward-7")["saved"]
    assert (saved["name"], saved["type"]) == ("ward-7.csv", "text/csv")
    assert b"normal/4-0.png,blast" in base64.b64decode(saved["base64"])
    shown = ask(fresh, "review-again", run="ward-7")
    assert 'data-run="ward-7-2" data-live="1"' in shown["run"]
    assert (shown["report"], shown["review"]) == ("", "")
    assert "There is no run" in ask(fresh, "review", owner=OTHER, run="ward-7")["said"]


# Several runs


def test_runs_are_compared_in_the_place_of_the_one_that_is_open(tab: TrainTab, data: str):
    names = [begin(tab, data) for _ in range(2)]
    shown = ask(tab, "compare", run=names[0], fields={"compared": names})
    assert text.COMPARED in shown["run"]
    assert all(f'data-train="open-run" data-value="{name}"' in shown["run"] for name in names)
    assert "&quot;run&quot;: null" in shown["side"], "no look at the one draws over it"
    assert shown["report"] == ""


@pytest.mark.parametrize("compared", [None, [], ["tiny"], [1, {}], "x"])
def test_one_run_cannot_be_compared(compared: object, fresh: TrainTab):
    assert "takes 2 to 6 runs" in ask(
        fresh, "compare", fields={"compared": compared})["said"]  # fmt: skip


def test_somebody_else_s_run_is_not_compared(tab: TrainTab, data: str):
    names = [begin(tab, data) for _ in range(2)]
    shown = ask(tab, "compare", owner=OTHER, fields={"compared": names})
    assert "takes 2 to 6 runs" in shown["said"]
    assert "run" not in shown


def test_a_run_is_deleted_from_the_comparison(tab: TrainTab, data: str):
    names = [begin(tab, data) for _ in range(3)]
    for name in names:
        ask(tab, "act", run=name, value="stop")
    shown = ask(tab, "compare-remove", value=names[0], fields={"compared": names})
    assert names[0] not in {line.id for line in tab.bench.list_runs(_owner(SECRET))}
    assert text.COMPARED in shown["run"]
    assert f'data-value="{names[0]}"' not in shown["run"]
    shown = ask(tab, "compare-remove", value=names[1], fields={"compared": names[1:]})
    assert text.NO_RUN in shown["run"], "one is left"


# The command line's runs


def from_commands(tab: TrainTab, data: str) -> str:
    name = begin(tab, data)
    (tab.bench.runs.root / name / "owner.json").unlink()
    return name


def visit(tab: TrainTab, what: str, *, listens_on: str, host: str, **given: Any) -> dict[str, Any]:
    """A request with all that says where it comes from."""
    asked = SimpleNamespace(**{"what": what, "owner": SECRET} | given)
    request: Any = SimpleNamespace(
        username=None, headers={"host": host}, client=SimpleNamespace(host="127.0.0.1")
    )
    answers = list(replace(tab, listens_on=listens_on)._guarded(PARTS)(request, asked))
    return {part: value for answer in answers for part, value in answer.items()}


def test_on_a_laptop_runs_of_the_command_line_are_shown_and_stopped(tab: TrainTab, data: str):
    name = from_commands(tab, data)
    at_home = {"listens_on": "127.0.0.1", "host": "localhost:7860"}
    shown = visit(tab, "open", run=name, **at_home)
    assert text.FROM_COMMANDS in shown["side"]
    assert f'data-run="{name}"' in shown["run"]
    assert f"{text.NO_EPOCH}." in visit(tab, "act", run=name, value="stop", **at_home)["run"]


@pytest.mark.parametrize(
    "where", [{"listens_on": "0.0.0.0", "host": "localhost:7860"},  # noqa: S104
              {"listens_on": "127.0.0.1", "host": "smears.example.org"},
              {"listens_on": "", "host": "localhost:7860"}])  # fmt: skip
def test_elsewhere_runs_of_the_command_line_are_nobody_s(where, tab: TrainTab, data: str):
    name = from_commands(tab, data)
    shown = visit(tab, "open", run=name, **where)
    assert text.NO_RUN in shown["run"]
    assert name not in shown["side"].replace(data, "")
    assert "There is no run" in visit(tab, "act", run=name, value="stop", **where)["said"]


# What goes wrong


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_known_error_is_said_as_text(fresh: TrainTab, monkeypatch):
    monkeypatch.setattr(Bench, "list_runs", failing(RunError("No <b>room</b>.")))
    assert "No &lt;b&gt;room&lt;/b&gt;." in ask(fresh, "open")["said"]


def test_an_unknown_error_gets_a_reference_and_no_trace(fresh: TrainTab, monkeypatch, caplog):
    monkeypatch.setattr(Bench, "list_runs", failing(ValueError("secret/path")))
    said = ask(fresh, "open")["said"]
    assert "secret/path" not in said
    assert "secret/path" in caplog.text
    reference = caplog.messages[0].rpartition(" ")[2]
    assert reference in said


# The layout


def laid_out(tab: TrainTab) -> gr.Blocks:
    async def inside_a_loop() -> gr.Blocks:
        # without a running loop Gradio makes loops of its own, and never closes them
        with gr.Blocks(analytics_enabled=False) as page:
            tab.build()
        return page

    return asyncio.run(inside_a_loop())


def test_the_page_is_laid_out_with_one_event_and_its_echo(fresh: TrainTab):
    assert len(laid_out(fresh).fns) == 2


def test_where_training_is_off_the_tab_says_so_and_asks_nothing(fresh: TrainTab):
    settings = fresh.bench.settings
    off = replace(settings, training=replace(settings.training, is_on=False))
    page = laid_out(replace(fresh, bench=replace(fresh.bench, settings=off)))
    assert page.fns == {}
    assert any(text.OFF in str(getattr(part, "value", "")) for part in page.blocks.values())
