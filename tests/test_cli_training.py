"""`train` and `evaluate` as a person runs them: exit codes, words, JSON."""

import argparse
import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from leukemia_app import cli_train_config, cli_training
from leukemia_app.bundles.spec import SEEN_DIGITS
from leukemia_app.bundles.store import read_spec
from leukemia_app.data.manifest import read_manifest
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.evaluation import corruptions
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.picture import pixels_digest
from leukemia_app.settings import Settings
from leukemia_app.training import jobs
from leukemia_app.training.config import RunConfig
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import LABELS, N_PICTURES, draw_set, tiny_config

ROOT = Path(__file__).resolve().parents[1]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    draw_set(tmp_path / "set")
    return tmp_path / "set"


@pytest.fixture
def models(finished_run: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """The finished run's pictures, with its bundle among the models."""
    monkeypatch.setenv("LEUKEMIA_MODELS", str(finished_run.parent))
    return finished_run.parents[1] / "set"


def test_the_same_command_on_a_finished_run_prints_its_figures(
    finished_run, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(jobs, "start", None)
    config = tmp_path / "config.json"
    shutil.copy(finished_run / "config.json", config)
    work = Path(shutil.copytree(finished_run, tmp_path / "tiny"))
    data = finished_run.parents[1] / "set"
    code, out, _ = run("train", data, "--config", config, "--out", work, "--json")
    assert code == 0
    figures = json.loads(out)
    assert figures == [vars(item) for item in read_spec(finished_run / "bundle").figures]
    assert json.loads((work / "figures.json").read_text(encoding="utf-8")) == figures
    code, out, _ = run("train", data, "--config", config, "--out", work)
    assert code == 0
    assert "AUROC, cell area alone" in out
    assert "n=12, 4 by patient" in out


def test_a_run_without_a_folder_lies_where_the_page_and_its_models_find_it(
    run, tmp_path, monkeypatch
):
    asked = []

    def refuse(arguments, settings):
        asked.append(arguments)
        raise RunError("Enough.")

    monkeypatch.setenv("LEUKEMIA_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(cli_training, "asked_for", refuse)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "My Cells").mkdir()
    run("train", "My Cells", "--groups", "groups.csv")
    assert asked[0].out == tmp_path / "state" / "runs" / "my-cells"
    assert asked[0].data == tmp_path / "My Cells", "it may go on from another folder"
    assert asked[0].groups == str(tmp_path / "groups.csv")
    run("train", "My Cells", "--out", "here")
    assert (asked[1].out, asked[1].data) == (Path("here"), Path("My Cells"))


def test_another_configuration_is_not_trained_into_the_same_folder(finished_run, run):
    data = finished_run.parents[1] / "set"
    code, _, errors = run(
        "train", data, "--config", finished_run / "config.json", "--out", finished_run, "--seed", 9
    )
    assert code == 2
    assert "holds a run with other settings; use another folder" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--backbone", "vgg99", "--head", "plain"), "backbone is 'vgg99'; use one of baseline_cnn"),
     (("--backbone", "baseline_cnn", "--head", "big"), "head is 'big'; use one of plain"),
     (("--backbone", "baseline_cnn", "--head", "plain", "--start", "web"),
      "start is 'web'; use none, imagenet, file:PATH or bundle:FOLDER"),
     (("--start", "bundle:nobody"), "start is 'bundle:nobody', but no model has that id; there"),
     (("--choice", "Original"), "Original"),
     (("--backbone", "baseline_cnn", "--head", "plain", "--folds", "1"),
      "folds is 1; use 2 or more"),
     (("--backbone", "baseline_cnn", "--head", "plain", "--folds", "0"), "--folds is 0; use 2"),
     (("--backbone", "baseline_cnn", "--head", "plain", "--folds", "-3"), "folds is -3; use 0 to"),
     (("--backbone", "baseline_cnn", "--head", "plain", "--seed", "-1"), "seed is -1; use 0 to"),
     (("--backbone", "baseline_cnn", "--head", "plain", "--groups", "no.csv"),
      "There is no table no.csv"),
     (("--config", "nowhere.json"), "nowhere.json cannot be read as JSON")],
)  # fmt: skip
def test_what_cannot_be_trained_is_told_and_leaves_no_run(arguments, words, run, data, tmp_path):
    code, out, errors = run("train", data, *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert out == ""
    assert errors.startswith("train: ")
    assert words in errors
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [("[1]", "holds no JSON object; give the settings by name"),
     ("{", "cannot be read as JSON"),
     ('{"format_version": 1}', "config lacks"),
     ('{"format_version": 1, "epochs": 3}', "config has unknown keys: epochs")],
)  # fmt: skip
def test_a_configuration_that_cannot_be_used_is_told(text, words, run, data, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(text)
    code, _, errors = run("train", data, "--config", path, "--out", tmp_path / "out")
    assert code == 2
    assert words in errors


def test_a_missing_folder_is_told(run, tmp_path):
    code, _, errors = run("train", tmp_path / "no", "--backbone", "mobilenet", "--head", "plain")
    assert code == 2
    assert "is not a folder; give the folder that holds the classes" in errors
    assert "starts from" not in errors, "nothing is begun"


def test_folds_and_an_image_split_exclude_each_other(run, data):
    with pytest.raises(SystemExit) as ended:
        run("train", data, "--folds", 3, "--image-split")
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("runs/My Run #2", "my-run-2"), ("runs/.hidden", "hidden"), ("runs/ÄÖ", "run"),
     ("x" * 100, "x" * 80), ("runs/all4-mobilenet", "all4-mobilenet")],
)  # fmt: skip
def test_the_name_of_the_folder_becomes_the_name_of_the_model(folder, expected):
    assert cli_train_config.id_of(Path(folder)) == expected


def test_a_run_that_fails_in_its_process_is_told_with_the_reason(run, data, tmp_path):
    path = tmp_path / "config.json"
    config = tiny_config(data, start=f"file:{tmp_path / 'nowhere.weights.h5'}")
    path.write_text(json.dumps(config.to_dict()))
    code, out, errors = run("train", data, "--config", path, "--out", tmp_path / "out")
    assert code == 2
    assert out == ""
    assert "is failed." in errors
    assert "nowhere.weights.h5 is not there; give the weights file" in errors
    assert RunFolder(path=tmp_path / "out").status()["state"] == "failed"


def config_from(data: Path, out: Path, *flags: str, **places: str) -> RunConfig:
    """The run that `train DATA flags` would carry out."""
    parser = argparse.ArgumentParser()
    cli_training.add_commands(parser.add_subparsers())
    arguments = parser.parse_args(["train", str(data), "--out", str(out), *flags])
    asked = cli_train_config.asked_for(arguments, Settings.from_environment(places))
    asked.write_table()
    return asked.config


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """The drawn pictures without their table."""
    draw_set(tmp_path / "plain").unlink()
    return tmp_path / "plain"


def test_without_settings_a_preset_is_fitted_to_the_pictures(plain, tmp_path, capsys):
    made = config_from(plain, tmp_path / "My run", "--preset", "quick", "--backbone",
                       "baseline_cnn", "--head", "plain", "--seed", "7")  # fmt: skip
    assert (made.id, made.backbone, made.head, made.seed) == ("my-run", "baseline_cnn", "plain", 7)
    assert (made.start, made.tune_epochs, made.head_epochs) == ("none", 12, 0)
    assert made.labels == ("blast", "hem")
    told = capsys.readouterr().err
    assert "starts from nothing; --start imagenet" in told
    assert "train: normal is called hem." in told
    rows = read_manifest(plain, Path(made.groups)).rows
    assert len(rows) == 12 * N_PICTURES
    # Nothing is known of groups: the run puts together what looks alike before it deals.
    assert (made.group_level, {row.part for row in rows}) == ("image", {""})
    assert all(row.group == row.file for row in rows)


def test_known_groups_are_named_and_dealt_by_the_run(data, tmp_path):
    table = data / "groups.csv"
    lines = [line.rpartition(",")[0] for line in table.read_text().splitlines()]
    table.write_text("\n".join(lines) + "\n")
    made = config_from(data, tmp_path / "out", "--backbone", "baseline_cnn", "--groups", str(table))
    rows = read_manifest(data, Path(made.groups)).rows
    assert len({row.group for row in rows}) == 12
    assert {row.part for row in rows} == {""}
    assert made.group_level in ("patient", "run")
    assert made.shares == (0.64, 0.16, 0.2)


def test_parts_that_came_with_the_pictures_are_kept(data, tmp_path):
    made = config_from(data, tmp_path / "out", "--backbone", "baseline_cnn")
    rows = read_manifest(data, Path(made.groups)).rows
    given = {line["file"]: line["part"] for line in
             csv.DictReader((data / "groups.csv").read_text().splitlines())}  # fmt: skip
    assert {row.file: row.part for row in rows} == given


def test_a_folder_with_a_run_keeps_its_settings_and_says_what_would_change_them(plain, tmp_path):
    out = tmp_path / "out"
    first = config_from(plain, out, "--preset", "quick", "--backbone", "baseline_cnn")
    RunFolder(path=out).create(first)
    assert config_from(plain, out) == first
    assert config_from(plain, out, "--seed", "3") == replace(first, seed=3)


def test_a_bundle_that_fits_is_started_from_as_it_prepares_its_pictures(
    plain, tmp_path, finished_run, capsys
):
    places = {"LEUKEMIA_MODELS": str(finished_run.parent)}
    found = config_from(plain, tmp_path / "a", "--backbone", "baseline_cnn", **places)
    assert found.start == f"bundle:{finished_run / 'bundle'}"
    spec = read_spec(finished_run / "bundle")
    assert found.recipe == spec.recipe
    assert found.head_epochs > 0
    assert "starts from the features of tiny" in capsys.readouterr().err
    named = config_from(plain, tmp_path / "b", "--backbone", "baseline_cnn", "--start",
                        "bundle:tiny", **places)  # fmt: skip
    assert named.start == found.start
    field = config_from(plain, tmp_path / "c", "--backbone", "baseline_cnn", "--input", "field",
                        **places)  # fmt: skip
    assert (field.start, field.recipe.input) == ("none", "field")


def test_a_model_is_adapted_to_other_pictures(plain, tmp_path, finished_run):
    start = f"bundle:{finished_run / 'bundle'}"
    made = config_from(plain, tmp_path / "a", "--preset", "adapt", "--start", start)
    assert (made.start, made.keep_head, made.tune_from) == (start, True, "normalisation")
    assert made.labels == LABELS
    with pytest.raises(RunError, match="Give --start bundle:ID, the model to adapt"):
        config_from(plain, tmp_path / "b", "--preset", "adapt", "--start", "none")


def test_several_kinds_of_the_same_pictures_are_asked_for(plain, tmp_path):
    for kind in ("Original", "Segmented"):
        shutil.copytree(plain, tmp_path / "both" / kind)
    with pytest.raises(DatasetError, match=r"several kinds .* --choice with one of Original, Seg"):
        config_from(tmp_path / "both", tmp_path / "out")
    made = config_from(tmp_path / "both", tmp_path / "out", "--choice", "Original")
    files = [row.file for row in read_manifest(tmp_path / "both", Path(made.groups)).rows]
    assert len(files) == 12 * N_PICTURES
    assert all(file.startswith("Original/") for file in files)


def test_a_block_to_tune_from_is_one_of_the_settings(plain, tmp_path):
    made = config_from(plain, tmp_path / "out", "--tune-from", "block2_conv")
    assert made.tune_from == "block2_conv"


def test_events_are_printed_as_they_come_and_the_figures_last(
    finished_run, run, tmp_path, monkeypatch
):
    events = list(RunFolder(path=finished_run).events())
    monkeypatch.setattr(jobs, "start", lambda folder: folder.set_state("done"))
    monkeypatch.setattr(jobs, "follow", lambda folder, process: events)
    config = tmp_path / "config.json"
    shutil.copy(finished_run / "config.json", config)
    work = Path(shutil.copytree(finished_run, tmp_path / "tiny"))
    RunFolder(path=work).set_state("stopped")
    data = finished_run.parents[1] / "set"
    code, out, _ = run("train", data, "--config", config, "--out", work, "--events")
    assert code == 0
    *told, last = map(json.loads, out.splitlines())
    assert told == events
    assert last["kind"] == "figures"
    assert last["figures"] == [vars(item) for item in read_spec(finished_run / "bundle").figures]


def test_a_stop_from_the_keyboard_stops_the_worker(run, data, tmp_path, monkeypatch):
    stopped = []

    def interrupted(folder: RunFolder, process: object) -> list[object]:
        folder.add_event("epoch", epoch=3, epochs=8)
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "start", lambda folder: "the process")
    monkeypatch.setattr(jobs, "follow", interrupted)
    monkeypatch.setattr(jobs, "stop", lambda folder, process: stopped.append(process))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(tiny_config(data).to_dict()))
    code, _, errors = run("train", data, "--config", path, "--out", tmp_path / "out")
    assert code == 130
    assert "train: stopped after epoch 3 of 8. The same command goes on from there" in errors
    assert stopped == ["the process"]


def carried_out_here(folder: RunFolder) -> str:
    """The worker's work in this process: starting one for each fold would take minutes."""
    from leukemia_app.training.run import carry_out

    carry_out(folder)
    return "the process"


def test_folds_are_pooled_beside_cell_size(run, data, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "start", carried_out_here)
    monkeypatch.setattr(jobs, "follow", lambda folder, process: [])
    path = tmp_path / "config.json"
    config = tiny_config(data, head_epochs=0, tune_epochs=0)
    path.write_text(json.dumps(config.to_dict()))
    out_folder = tmp_path / "folds"
    code, out, _ = run("train", data, "--config", path, "--out", out_folder, "--folds", 2, "--json")
    assert code == 0
    ours, size, gain, *others = json.loads(out)
    assert ours["part"] == "2-fold cross-validation by patient, pooled"
    # Four patients a label in train and val; the test part's two are never looked at.
    assert (ours["n"], ours["n_groups"]) == (8 * N_PICTURES, 8)
    assert ours["note"].startswith("folds: ")
    assert (size["name"], size["kind"]) == ("AUROC, cell area alone", "control")
    assert size["value"] > 0.9
    assert gain["value"] == pytest.approx(ours["value"] - size["value"])
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert [figure["name"] for figure in others] == ["macro-F1", "balanced accuracy", "accuracy"]
    # three pictures a patient, labels in equal number: both accuracies are one
    assert others[1]["value"] == pytest.approx(others[2]["value"])


def test_an_image_split_is_marked_as_such(run, data, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "start", carried_out_here)
    monkeypatch.setattr(jobs, "follow", lambda folder, process: [])
    path = tmp_path / "config.json"
    config = tiny_config(data, head_epochs=0, tune_epochs=0)
    path.write_text(json.dumps(config.to_dict()))
    code, out, _ = run(
        "train", data, "--config", path, "--out", tmp_path / "split", "--image-split", "--json"
    )
    assert code == 0
    figures = json.loads(out)
    assert [figure["name"] for figure in figures] == [
        "AUROC", "macro-F1", "balanced accuracy", "accuracy",
    ]  # fmt: skip
    for figure in figures:
        assert (figure["part"], figure["kind"]) == ("random image split", "control")
        assert "optimistic" in figure["note"]
    assert not (tmp_path / "split" / "bundle").exists()


def test_evaluate_prints_the_promised_json(run, models, tmp_path):
    table = models / "groups.csv"
    code, out, _ = run(
        "evaluate", models, "--model", "tiny", "--groups", table, "--group-level", "patient",
        "--out", tmp_path / "report", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    assert set(found) == {
        "model", "n", "n_groups", "split", "metrics", "per_class", "confusion", "corruptions",
        "left_out",
    }  # fmt: skip
    assert (found["model"], found["n"], found["n_groups"]) == ("tiny", 4 * N_PICTURES, 4)
    assert found["split"] == {"part": "test", "level": "patient"}
    assert {"accuracy", "balanced_accuracy", "macro_f1", "auroc", "ece", "brier",
            "refer_rate"} <= set(found["metrics"])  # fmt: skip
    assert found["confusion"]["labels"] == list(LABELS)
    assert found["left_out"] == {"seen_in_training": 0, "unreadable": 0}
    assert json.loads((tmp_path / "report" / "evaluation.json").read_text()) == found


def test_evaluate_without_a_table_leaves_out_what_was_learned_from(run, models):
    code, out, _ = run("evaluate", models, "--model", "tiny")
    assert code == 0
    assert f"tiny on {4 * N_PICTURES} pictures of {4 * N_PICTURES} groups" in out
    assert "(part all, by image)" in out
    assert f"{8 * N_PICTURES} left out: seen in training" in out
    for name in ("macro-F1", "AUROC", "balanced accuracy", "expected calibration error",
                 "errors among answered"):  # fmt: skip
        assert any(line.startswith(f"{name}  ") for line in out.splitlines()), name


def test_evaluate_writes_no_note_of_a_library(models):
    done = subprocess.run(
        [sys.executable, "-m", "leukemia_app", "evaluate", str(models), "--model", "tiny"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stderr == ""


def test_evaluate_agrees_with_the_card(run, models, finished_run):
    table = models / "groups.csv"
    _, out, _ = run("evaluate", models, "--model", "tiny", "--groups", table, "--json")
    (auroc,) = [item for item in read_spec(finished_run / "bundle").figures
                if (item.name, item.part) == ("AUROC", "test")]  # fmt: skip
    assert json.loads(out)["metrics"]["auroc"] == {
        "value": auroc.value, "low": auroc.low, "high": auroc.high,
    }  # fmt: skip


def test_evaluate_shows_every_disturbance(run, models, tmp_path, monkeypatch):
    two = ("stain_shift", "grey")
    few = tuple(each for each in corruptions.EVERY if each[0] in two)
    monkeypatch.setattr(corruptions, "EVERY", few)
    small = tmp_path / "small"
    for label in LABELS:
        for patient in (4, 5):
            name = f"{label}/{patient}-0.png"
            (small / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(models / name, small / name)
    code, out, _ = run("evaluate", small, "--model", "tiny", "--corruptions", "--json")
    assert code == 0
    found = json.loads(out)["corruptions"]
    assert set(found) == set(two)
    assert [row["strength"] for row in found["stain_shift"]] == [1, 2, 3, 4, 5]
    assert set(found["grey"][0]) == {"strength", "accuracy", "macro_f1", "auroc", "refer_rate"}
    code, out, _ = run("evaluate", small, "--model", "tiny", "--corruptions")
    assert sum(line.startswith("stain shift") for line in out.splitlines()) == 5

    shutil.rmtree(small / LABELS[0])
    code, out, _ = run("evaluate", small, "--model", "tiny", "--corruptions")
    (head,) = [line for line in out.splitlines() if line.startswith("disturbance")]
    (first, *_) = [line for line in out.splitlines() if line.startswith("stain shift")]
    assert code == 0
    assert head.split() == ["disturbance", "strength", "accuracy", "95", "%", "interval"]
    assert re.match(r"stain shift +1 +[01]\.\d{3} ", first)


def test_an_unreadable_picture_is_named_counted_and_told_by_the_exit_code(run, models, tmp_path):
    copy = Path(shutil.copytree(models, tmp_path / "copy"))
    (copy / "blast" / "4-0.png").write_bytes(b"no picture")
    code, out, errors = run(
        "evaluate", copy, "--model", "tiny", "--groups", copy / "groups.csv", "--json"
    )
    assert code == 1
    found = json.loads(out)
    assert found["left_out"] == {"seen_in_training": 0, "unreadable": 1}
    assert found["n"] == 4 * N_PICTURES - 1
    assert "evaluate: left out: 4-0.png" in errors


def test_no_readable_picture_at_all_is_an_error(run, models, tmp_path):
    for label in LABELS:
        (tmp_path / "bad" / label).mkdir(parents=True)
        (tmp_path / "bad" / label / "1.png").write_bytes(b"no picture")
    code, out, errors = run("evaluate", tmp_path / "bad", "--model", "tiny")
    assert code == 2
    assert out == ""
    assert "Not one of the 2 pictures in" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--model", "none"), "No model has the id 'none'; there are:"),
     (("--model", "tiny", "--groups", "no.csv"), "There is no table no.csv"),
     (("--model", "tiny", "--groups", "groups.csv", "--part", "final"),
      "has no picture in part 'final' with one of the labels normal, blast")],
)  # fmt: skip
def test_what_cannot_be_scored_is_told(arguments, words, run, models, monkeypatch):
    monkeypatch.chdir(models)
    code, out, errors = run("evaluate", ".", *arguments)
    assert code == 2
    assert out == ""
    assert errors.startswith("evaluate: ")
    assert words in errors


def test_a_table_without_parts_is_scored_whole(run, models, tmp_path):
    table = tmp_path / "groups.csv"
    lines = (models / "groups.csv").read_text().splitlines()
    table.write_text("\n".join(line.rpartition(",")[0] for line in lines))
    _, out, _ = run("evaluate", models, "--model", "tiny", "--groups", table, "--json")
    found = json.loads(out)
    assert found["split"] == {"part": "all", "level": "run"}
    assert (found["n"], found["n_groups"]) == (4 * N_PICTURES, 4)


def test_a_set_of_other_labels_alone_is_told(run, models, tmp_path):
    (tmp_path / "set" / "other").mkdir(parents=True)
    shutil.copy(models / "blast" / "4-0.png", tmp_path / "set" / "other" / "1.png")
    code, _, errors = run("evaluate", tmp_path / "set", "--model", "tiny")
    assert code == 2
    assert "has no picture with one of the labels normal, blast" in errors


def test_pictures_of_other_labels_are_no_part_of_the_score(run, models, tmp_path):
    copy = Path(shutil.copytree(models, tmp_path / "copy"))
    (copy / "other").mkdir()
    shutil.copy(copy / "blast" / "4-0.png", copy / "other" / "1.png")
    _, out, _ = run("evaluate", copy, "--model", "tiny", "--json")
    assert json.loads(out)["n"] == 4 * N_PICTURES


def test_the_pictures_left_out_are_known_by_their_pixels(finished_run):
    spec = read_spec(finished_run / "bundle")
    with (finished_run.parents[1] / "set" / "groups.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    digests = {
        pixels_digest(read_picture(finished_run.parents[1] / "set" / row["file"]))[:SEEN_DIGITS]
        for row in rows if row["part"] != "test"
    }  # fmt: skip
    assert set(spec.seen) == digests
