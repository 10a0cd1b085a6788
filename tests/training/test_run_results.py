"""What is gathered from a run's folder: whole, half done, older, damaged."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukemia_app.bundles.store import read_spec, write_figures
from leukemia_app.errors import RunError
from leukemia_app.evaluation.words import headline
from leukemia_app.training.results import (
    ANSWERS_FILE,
    BASELINES_FILE,
    EVALUATION_FILE,
    PREDICTIONS_FILE,
    SPLIT_FILE,
    epochs_of,
    gather,
    read_baselines,
)
from leukemia_app.training.run import carry_out
from leukemia_app.training.run_folder import RunFolder
from tests.made_results import baseline_of
from tests.tiny_runs import LABELS, draw_set, tiny_config
from tests.training.test_run import stopped


@pytest.fixture
def copied(finished_run: Path, tmp_path: Path) -> Path:
    """A run that is done, to be spoilt; its pictures stay where they are."""
    folder = tmp_path / "runs" / "tiny"
    shutil.copytree(finished_run, folder, ignore=shutil.ignore_patterns("cache"))
    return folder


def gathered(folder: Path):
    return gather(RunFolder(path=folder))


def begun(folder: Path, **changes: Any) -> RunFolder:
    """A run of which nothing but its configuration is there."""
    draw_set(folder / "set")
    run = RunFolder(path=folder / "runs" / "tiny")
    run.create(tiny_config(folder / "set", **changes))
    return run


def test_a_finished_run_is_gathered_whole(finished_run: Path):
    results = gathered(finished_run)
    assert (results.state, results.part, results.level) == ("done", "the test part", "patient")
    assert results.labels == LABELS
    assert results.notes == ()
    # two test patients of two labels with three pictures each
    assert {name: (size.pictures, size.groups) for name, size in results.parts.items()} == {
        "training": (12, 4), "validation": (12, 4), "test": (12, 4),
    }  # fmt: skip
    assert results.parts["test"].by_label == {"normal": 6, "blast": 6}
    assert results.torn_groups == ()
    assert results.seen_in_training == 0
    assert [epoch.phase for epoch in results.epochs] == ["head", "network", "network"]
    assert all(epoch.val_loss is not None for epoch in results.epochs)
    assert results.seconds["fine-tuning"] > 0


def test_answers_are_those_of_the_served_bundle(finished_run: Path):
    results = gathered(finished_run)
    assert results.answers is not None
    assert results.answers.files[0] == "normal/4-0.png"
    assert results.answers.groups[0] == "normal4"
    assert len(results.predictions) == 12
    figures = {figure.name: figure for figure in read_spec(finished_run / "bundle").figures
               if figure.part == "test" and figure.kind == "result"}  # fmt: skip
    assert results.measured is not None
    assert results.measured.overall["auroc"].value == figures["AUROC"].value
    wrong = (results.answers.true != results.answers.predicted).mean()
    assert figures["accuracy"].value == pytest.approx(1 - wrong)


def test_predictions_are_ordered_and_filed_by_cell(finished_run: Path):
    results = gathered(finished_run)
    keys = [(item.is_right, item.label_probability) for item in results.predictions]
    assert keys == sorted(keys)
    assert sum(map(len, results.cells.values())) == 12
    for (label, predicted), items in results.cells.items():
        row, column = LABELS.index(label), LABELS.index(predicted)
        assert len(items) == results.confusion[row, column]


def test_a_run_that_has_only_begun_is_gathered_with_what_is_missing(tmp_path: Path):
    results = gather(begun(tmp_path))
    assert results.state == "queued"
    assert results.answers is None
    assert results.epochs == ()
    assert results.parts == {}
    assert results.notes == (
        "The run has no predictions yet, so there are no figures of pictures.",
    )


def test_a_run_of_an_older_version_is_read_by_its_logits(copied: Path):
    # Before answers and split were kept there were logits with row numbers, and the bundle.
    for name in (ANSWERS_FILE, EVALUATION_FILE, SPLIT_FILE):
        (copied / name).unlink()
    old = gathered(copied)
    assert old.answers is not None
    assert old.answers.files[0] == "normal/4-0.png"
    assert len(old.predictions) == 12
    assert any("no answers of the model as it is served" in note for note in old.notes)
    card = {figure.name: figure.value for figure in read_spec(copied / "bundle").figures
            if figure.part == "test"}  # fmt: skip
    assert old.measured is not None
    assert old.measured.overall["refer_rate"].value == card["referred"]
    assert old.parts["training"].pictures == 12
    assert old.torn_groups is None


def test_logits_alone_give_the_network_s_own_answers(copied: Path):
    shutil.rmtree(copied / "bundle")
    for name in (ANSWERS_FILE, EVALUATION_FILE):
        (copied / name).unlink()
    results = gathered(copied)
    with np.load(copied / PREDICTIONS_FILE) as arrays:
        logits = arrays["test_logits"][:, 0]
    assert results.answers is not None
    # one logit speaks for the second label: 1 / (1 + e^-x)
    assert results.answers.probabilities[:, 1] == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-6)
    assert not results.answers.referred.any()
    assert results.probabilities_before is None


def test_pictures_that_moved_leave_predictions_without_names(copied: Path):
    for name in (ANSWERS_FILE, EVALUATION_FILE, SPLIT_FILE):
        (copied / name).unlink()
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"data": str(copied / "gone")}))
    results = gathered(copied)
    assert results.answers is None
    assert any("can no longer be read" in note for note in results.notes)
    assert results.figures


def test_labels_that_changed_are_noticed(copied: Path):
    for name in (ANSWERS_FILE, EVALUATION_FILE):
        (copied / name).unlink()
    text = (copied / SPLIT_FILE).read_text().replace("4-0.png,normal,", "4-0.png,blast,")
    (copied / SPLIT_FILE).write_text(text)
    results = gathered(copied)
    assert results.answers is None
    assert any("changed since the run" in note for note in results.notes)


def test_a_damaged_bundle_or_report_is_a_note(copied: Path):
    (copied / "bundle" / "bundle.json").write_text("{")
    (copied / EVALUATION_FILE).write_text("[")
    (copied / PREDICTIONS_FILE).write_bytes(b"no")
    results = gathered(copied)
    assert results.spec is None
    assert results.answers is None
    assert any("bundle cannot be read" in note for note in results.notes)
    assert any("predictions.npz cannot be read" in note for note in results.notes)


def test_a_folder_without_a_run_is_refused(tmp_path: Path):
    with pytest.raises(RunError, match=r"config\.json"):
        gathered(tmp_path)


def test_a_torn_group_is_found(copied: Path):
    text = (copied / SPLIT_FILE).read_text().replace("normal4,test", "normal4,train", 1)
    (copied / SPLIT_FILE).write_text(text)
    assert gathered(copied).torn_groups == ("normal4",)


def test_an_epoch_that_was_begun_again_counts_as_it_ended():
    events = [
        {"kind": "epoch", "epoch": 1, "loss": 0.9, "val_loss": 0.8, "rate": 0.1},
        {"kind": "head", "epoch": 1, "loss": 2},
        {"kind": "epoch", "epoch": 1, "loss": 0.7, "val_loss": 0.6, "accuracy": None},
        {"kind": "epoch", "epoch": "two"},
        {"kind": "step", "epoch": 1, "loss": 5},
    ]
    head, network = epochs_of(events)
    assert (head.phase, head.loss, head.val_loss) == ("head", 2, None)
    assert (network.loss, network.val_loss, network.accuracy) == (0.7, 0.6, None)


def test_pauses_are_no_work(tmp_path: Path):
    run = begun(tmp_path)
    # 5 s of the head, a night, 2 s of steps, a clock that was set back
    lines = [(0, "head"), (5, "head"), (40_000, "step"), (40_002, "step"), (39_000, "step")]
    text = "".join(json.dumps({"time": time, "kind": kind}) + "\n" for time, kind in lines)
    (run.path / "events.jsonl").write_text(text)
    assert gather(run).seconds == {"head": 5, "fine-tuning": 2}


def test_what_was_left_out_is_told_once(tmp_path: Path):
    run = begun(tmp_path)
    for _ in range(2):
        run.add_event("left out", reason="x.png is broken.")
    assert gather(run).left_out == ("x.png is broken.",)


def test_a_fold_and_a_random_split_say_what_they_are(tmp_path: Path):
    fold = gather(begun(tmp_path / "a", folds=3, fold=1))
    assert (fold.part, fold.level) == ("fold 2 of 3", "patient")
    image = gather(begun(tmp_path / "b", split="image"))
    assert image.level == "image"


def data_check(folder: Path, **changes: Any) -> None:
    """What a data check leaves beside the table of groups."""
    figure = {"value": 0.9, "low": 0.8, "high": 1.0}
    control = {"name": "size", "seen": "the size of the cell", "verdict": "red", "n_test": 12,
               "n_test_groups": 4, "auroc": figure, "macro_f1": figure}  # fmt: skip
    unknown = {"name": "background", "seen": "the background", "verdict": "open"}
    health = {"group_level": "patient", "controls": [control, unknown]} | changes
    (folder / "set" / "health.json").write_text(json.dumps(health))
    leak = {"group_level": "patient", "sentence": "Much."} | changes
    (folder / "set" / "leak.json").write_text(json.dumps(leak))


def test_the_data_check_s_controls_and_leak_are_taken_over(tmp_path: Path):
    run = begun(tmp_path)
    assert gather(run).leak is None
    data_check(tmp_path)
    results = gather(run)
    (figure,) = results.figures
    assert (figure.name, figure.value) == ("AUROC, cell area alone", 0.9)
    assert results.leak is not None
    assert results.leak["sentence"] == "Much."


def test_a_stopped_run_s_model_and_report_name_the_same_controls(tmp_path: Path):
    run = stopped(tmp_path, "epoch", head_epochs=0)
    data_check(tmp_path)
    carry_out(run, finish=True)
    spec = read_spec(run.path / "bundle")
    assert (headline(spec) or "").endswith(" · size alone 0.900")
    assert gather(run).figures == spec.figures
    # Of a model that was made without them nothing else is told beside it.
    write_figures(run.path / "bundle", [each for each in spec.figures if each.kind == "result"])
    assert {each.kind for each in gather(run).figures} == {"result"}


def test_a_data_check_of_another_split_says_nothing_of_this_one(tmp_path: Path):
    run = begun(tmp_path, folds=3)
    data_check(tmp_path)
    assert gather(run).leak is None
    other = begun(tmp_path / "other")
    data_check(tmp_path / "other", group_level="run")
    assert gather(other).figures == ()
    data_check(tmp_path / "other", controls=[{"name": "size"}])
    assert gather(other).figures == ()


def test_a_bundle_s_own_controls_come_first(finished_run: Path):
    names = {figure.name for figure in gathered(finished_run).figures if figure.kind == "control"}
    assert names == {"AUROC, colour histogram alone", "AUROC, cell area alone"}


def test_baselines_are_read_and_strange_ones_are_not(tmp_path: Path):
    run = begun(tmp_path)
    assert read_baselines(run) == ()
    rows = (baseline_of("svc"), baseline_of("xgboost", "missing"))
    run.write_json(BASELINES_FILE, [row.to_dict() for row in rows])
    assert read_baselines(run) == rows
    run.write_json(BASELINES_FILE, [{"name": "svc", "unknown": 1}])
    assert read_baselines(run) == ()
