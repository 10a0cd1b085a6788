"""Data sets, plans and runs of the Train tab: everyone's own, and nothing kept in memory."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from leukemia_app.errors import AppError, DatasetError, RunError
from leukemia_app.training import jobs, locks
from leukemia_app.training.costs import guessed_costs, known_costs
from leukemia_app.training.data_folder import DataFolder
from leukemia_app.training.job_queue import JobQueue
from leukemia_app.ui import data_sets
from leukemia_app.ui.bench import Bench, Wish
from leukemia_app.ui.intake import Piece
from tests import light_worker
from tests.tiny_runs import LABELS
from tests.ui.training_bench import ADA, BOB, N_PICTURES, check, drawn_pieces, make_bench

SMALL = Wish(backbone="baseline_cnn", head="plain", start="none")


@pytest.fixture(autouse=True)
def nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobQueue, "_start", lambda *_: None)


@pytest.fixture(scope="module")
def checked_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with a data set of Ada's that was checked. Do not change."""
    state = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobQueue, "_start", lambda *_: None)
        bench = make_bench(state / "state")
        check(bench, bench.data.take_in(ADA, drawn_pieces(state / "uploads"), ""))
    return state / "state"


@pytest.fixture
def bench(checked_once: Path, tmp_path: Path) -> Bench:
    """A bench of its own over a copy of the data set that was checked."""
    shutil.copytree(checked_once, tmp_path / "state")
    return make_bench(tmp_path / "state")


@pytest.fixture
def data(bench: Bench) -> str:
    (view,) = bench.data.listed(ADA)
    return view.id


@pytest.fixture
def empty(tmp_path: Path) -> Bench:
    return make_bench(tmp_path / "empty")


def give(bench: Bench, tmp_path: Path, owner: str = ADA, name: str = "") -> str:
    path = tmp_path / "1.png"
    path.write_bytes(b"x")
    return bench.data.take_in(owner, [Piece(name="My set/all/1.png", path=path)], name)


# Data sets


def test_what_is_taken_in_waits_to_be_checked(empty: Bench, tmp_path: Path):
    data = give(empty, tmp_path)
    view = empty.data.view(ADA, data)
    assert data.startswith("my-set-")
    assert (view.source.name, view.state) == ("My set", "queued 1")
    assert (view.health, view.leak, view.is_measuring) == (None, None, False)
    assert (view.home / "pictures" / "My set" / "all" / "1.png").read_bytes() == b"x"
    assert list((empty.settings.state_dir / "intake").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "title"),
    [("  Ward \n 7 ", "Ward 7"), ("cells.zip", "cells"), ("x" * 99, "x" * 60), ("…", "…")],
)
def test_a_data_set_is_called_as_its_owner_says(name, title, empty: Bench, tmp_path: Path):
    assert empty.data.view(ADA, give(empty, tmp_path, name=name)).source.name == title


def test_the_same_folder_twice_is_two_data_sets_the_newest_first(empty: Bench, tmp_path: Path):
    first, second = give(empty, tmp_path), give(empty, tmp_path)
    assert {view.id for view in empty.data.listed(ADA)} == {first, second}
    assert empty.data.view(ADA, second).state == "queued 2"


def test_what_cannot_be_taken_in_leaves_nothing_behind(empty: Bench, tmp_path: Path):
    with pytest.raises(DatasetError, match="None of these files"):
        empty.data.take_in(ADA, [Piece(name="x.txt", path=tmp_path)], "")
    assert empty.data.listed(ADA) == ()
    assert list((empty.settings.state_dir / "intake").glob("*")) == []


@pytest.mark.parametrize(("limits", "said"), [({"is_on": False}, "turned off"),
                                              ({"queue": 0}, "line is full")])  # fmt: skip
def test_a_line_that_takes_no_more_keeps_no_pictures(limits, said, tmp_path: Path):
    bench = make_bench(tmp_path / "state", **limits)
    if "queue" in limits:
        give(bench, tmp_path)
    n_before = len(bench.data.listed(ADA))
    with pytest.raises(RunError, match=said):
        give(bench, tmp_path)
    assert len(bench.data.listed(ADA)) == n_before
    assert len(list((tmp_path / "state" / "datasets").glob("*/dataset.json"))) == n_before


def test_a_full_disk_is_said_and_nothing_is_kept(empty: Bench, tmp_path: Path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device", "1.png")

    monkeypatch.setattr(data_sets, "place", refuse)
    with pytest.raises(RunError, match="No space left on device"):
        give(empty, tmp_path)
    assert empty.data.listed(ADA) == ()


def test_a_data_set_of_somebody_else_is_not_here(bench: Bench, data: str):
    asks: list[Any] = [
        lambda owner: bench.data.view(owner, data),
        lambda owner: bench.data.check_again(owner, data),
        lambda owner: bench.measure_leak(owner, data, "none"),
        lambda owner: bench.data.forget(owner, data), lambda owner: bench.plan(owner, data, SMALL),
        lambda owner: bench.begin(owner, data, SMALL),
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(DatasetError, match="This data set is not here any more"):
            ask(BOB)
    assert bench.data.listed(BOB) == ()
    assert bench.data.view(ADA, data).health is not None


@pytest.mark.parametrize("data_id", ["", ".", "..", "../datasets/{}", "{}/", "/etc", "{}\0", "x"])
def test_an_id_that_leads_elsewhere_is_not_here(data_id: str, bench: Bench, data: str):
    with pytest.raises(DatasetError, match="not here any more"):
        bench.data.view(ADA, data_id.format(data))


def test_a_checked_set_tells_its_health(bench: Bench, data: str):
    view = bench.data.view(ADA, data)
    assert view.state == "done"
    assert view.health is not None
    assert view.health["n_read"] == 2 * N_PICTURES


def test_checking_again_changes_what_is_meant_and_forgets_what_was_found(bench: Bench, data: str):
    folder = bench.data.view(ADA, data).home
    (folder / "leak.json").write_text("{}")
    bench.data.check_again(
        ADA, data, aliases={"normal": "other"}, seed=7, pattern=r"(\d)", choice="x"
    )
    view = bench.data.view(ADA, data)
    assert (view.source.aliases, view.source.seed) == ({"normal": "other"}, 7)
    assert (view.source.pattern, view.source.choice) == (r"(\d)", "x")
    assert (view.health, view.leak, view.state) == (None, None, "queued 1")
    assert view.source.name == "cells"


def test_a_pattern_that_is_none_is_refused_and_the_last_check_stays(bench: Bench, data: str):
    check(bench, data)
    with pytest.raises(DatasetError, match="is no regular expression"):
        bench.data.check_again(ADA, data, pattern="(Im[0-9")
    view = bench.data.view(ADA, data)
    assert view.health is not None
    assert view.source.pattern is None


def test_other_names_are_in_the_next_health(bench: Bench, data: str):
    bench.data.check_again(ADA, data, aliases={"normal": "calm"})
    check(bench, data)
    health = bench.data.view(ADA, data).health
    assert health is not None
    assert {item["label"] for item in health["classes"]} == {"calm", "blast"}


def test_what_is_being_checked_is_left_alone(bench: Bench, data: str):
    folder = bench.data.view(ADA, data).home
    lock = locks.take(folder / jobs.LOCK)
    assert lock is not None
    try:
        with pytest.raises(RunError, match=r"is being checked|under way"):
            bench.data.check_again(ADA, data)
    finally:
        locks.release(lock)
    assert bench.data.view(ADA, data).health is not None


def test_the_leak_is_wished_for_and_waits(bench: Bench, data: str):
    bench.measure_leak(ADA, data, "none")
    view = bench.data.view(ADA, data)
    assert (view.is_measuring, view.leak, view.state) == (True, None, "queued 1")
    assert view.health is not None
    assert json.loads((view.home / "leak_wish.json").read_text()) == {}


def test_forgotten_pictures_are_gone(bench: Bench, data: str):
    home = bench.data.view(ADA, data).home
    bench.data.forget(ADA, data)
    assert bench.data.listed(ADA) == ()
    assert not home.exists()


@pytest.mark.parametrize("is_running", [False, True])
def test_pictures_can_be_forgotten_before_their_check_has_ended(
    is_running: bool, bench: Bench, data: str, monkeypatch: pytest.MonkeyPatch
):
    bench.data.check_again(ADA, data)
    folder = DataFolder(path=bench.data.view(ADA, data).home)
    folder.write_json("work.json", {"seconds": 600})
    with light_worker.instead(monkeypatch):
        if is_running:
            jobs.start(folder)
            light_worker.wait_until(lambda: folder.status()["state"] == "fine-tuning")
        bench.data.forget(ADA, data)
    assert bench.data.listed(ADA) == ()
    assert not folder.path.exists()


# Plans


def test_a_plan_counts_its_pictures_and_guesses_its_time(bench: Bench, data: str):
    plan = bench.plan(ADA, data, SMALL)
    assert plan.counts.every == 2 * N_PICTURES
    assert plan.counts.learn + plan.counts.check + plan.counts.test == plan.counts.every
    assert plan.counts.learn > plan.counts.check > 0
    assert plan.basis == "guessed"
    assert sum(plan.seconds.values()) > 0
    assert plan.config.backbone == "baseline_cnn"
    assert plan.config.data == str(bench.data.view(ADA, data).home / "pictures")


def test_one_class_alone_cannot_be_planned(bench: Bench, tmp_path: Path):
    pieces = [piece for piece in drawn_pieces(tmp_path / "more") if f"/{LABELS[0]}/" in piece.name]
    alone = bench.data.take_in(ADA, pieces, "alone")
    check(bench, alone)
    with pytest.raises(DatasetError, match=r"one class only; .* Give pictures of another class"):
        bench.plan(ADA, alone, SMALL)


def test_what_was_measured_here_is_where_a_run_reads_it(bench: Bench, data: str, monkeypatch):
    config = bench.plan(ADA, data, SMALL).config
    costs = guessed_costs(config).at_pace(2)
    done = SimpleNamespace(returncode=0, stdout=json.dumps(vars(costs)), stderr="")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: done)
    assert bench.plan(ADA, data, SMALL, measure=True).basis == "measured"
    status = bench.data.view(ADA, data).home / "status.json"
    os.utime(status, (0, 0))
    run = bench.begin(ADA, data, SMALL)
    assert status.stat().st_mtime > 0, "pictures in use do not grow old"
    folder = bench.run_folder(ADA, run)
    assert known_costs(folder.config(), folder.path.parent / "cache") == costs
    other = bench.plan(ADA, data, replace(SMALL, head="attention"))
    assert other.basis == "likened"


def test_changes_reach_the_recipe_and_the_augmentation(bench: Bench, data: str):
    changes = {"tune_epochs": 2, "recipe.side_px": 32, "augment.flip": False, "baselines": ["lda"]}
    config = bench.plan(ADA, data, Wish(**{**vars(SMALL), "changes": changes})).config
    assert (config.tune_epochs, config.recipe.side_px, config.augment.flip) == (2, 32, False)
    assert config.baselines == ("lda",)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("colour", 1, "'colour' is no setting"), ("about.title", "x", "is no setting"),
     ("recipe.side_px", "wide", "side_px"), ("tune_epochs", -1, "tune_epochs"),
     ("tune_epochs", "two", "tune_epochs"), ("recipe.what", 1, "what"),
     ("baselines", "svc", "baselines"), ("baselines", ["magic"], "baselines")],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_refused(name, value, said, bench: Bench, data: str):
    wish = Wish(**{**vars(SMALL), "changes": {name: value}})
    with pytest.raises(AppError, match=said):
        bench.plan(ADA, data, wish)


@pytest.mark.parametrize("name", ["data", "groups", "id", "start", "outside", "external",
                                  "figures_from", "labels", "split"])  # fmt: skip
def test_no_setting_of_the_page_reaches_other_files(name: str, bench: Bench, data: str):
    wish = Wish(**{**vars(SMALL), "changes": {name: "/etc"}})
    with pytest.raises(RunError, match=f"'{name}' is no setting"):
        bench.begin(ADA, data, wish)


def test_an_unknown_network_is_refused_with_those_there_are(bench: Bench, data: str):
    with pytest.raises(RunError, match=r"backbone is 'alexnet'; use one of .*baseline_cnn"):
        bench.plan(ADA, data, Wish(backbone="alexnet"))


def test_a_start_that_is_not_there_is_refused(bench: Bench, data: str):
    with pytest.raises(RunError, match="no usable model 'gone' to start from"):
        bench.plan(ADA, data, Wish(backbone="baseline_cnn", start="bundle:gone"))


def test_adapting_needs_a_model(bench: Bench, data: str):
    with pytest.raises(RunError, match="Choose a model to start from"):
        bench.plan(ADA, data, Wish(preset="adapt", start="none"))


def test_a_start_names_no_path_on_the_server(bench: Bench):
    assert bench.located("file:/etc/passwd") == "none"


def test_what_is_not_checked_yet_cannot_be_planned(empty: Bench, tmp_path: Path):
    with pytest.raises(DatasetError, match="still being checked"):
        empty.plan(ADA, give(empty, tmp_path), SMALL)


# Runs


def test_a_training_waits_in_line_and_is_its_owners_alone(bench: Bench, data: str):
    first = bench.begin(ADA, data, Wish(**{**vars(SMALL), "name": "Ward 7"}))
    second = bench.begin(ADA, data, SMALL)
    assert first == "ward-7"
    assert [(line.id, line.place) for line in bench.list_runs(ADA)] == [(second, 2), (first, 1)]
    assert bench.run(ADA, first).line.state == "queued"
    assert bench.list_runs(BOB) == ()
    for ask in (bench.run, bench.run_folder, lambda *who: bench.act(*who, "remove")):
        with pytest.raises(RunError, match="There is no run 'ward-7' of yours"):
            ask(BOB, first)


def test_a_zip_cannot_bring_more_pictures_than_are_allowed(bench: Bench, data: str):
    strict = make_bench(bench.settings.state_dir, images=2 * N_PICTURES - 1)
    with pytest.raises(RunError, match="24 pictures, and 23 are allowed"):
        strict.begin(ADA, data, SMALL)
    assert strict.list_runs(ADA) == ()


def test_a_run_is_stopped_and_removed(bench: Bench, data: str):
    run = bench.begin(ADA, data, SMALL)
    bench.act(ADA, run, "stop")
    assert bench.run(ADA, run).line.state == "stopped"
    bench.act(ADA, run, "resume")
    assert bench.run(ADA, run).line.state == "queued"
    bench.act(ADA, run, "remove")
    assert bench.list_runs(ADA) == ()


def test_what_cannot_be_done_with_a_run_is_refused(bench: Bench, data: str):
    run = bench.begin(ADA, data, SMALL)
    with pytest.raises(RunError, match="'paint' is nothing that can be done with a run"):
        bench.act(ADA, run, "paint")
    with pytest.raises(RunError, match="stop it first"):
        bench.act(ADA, run, "finish")
