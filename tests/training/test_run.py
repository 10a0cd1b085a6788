"""A whole run on drawn pictures: from nothing to a bundle with figures that can be served."""

import csv
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from leukemia_app.bundles.decision import to_probabilities
from leukemia_app.bundles.device import find_device
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.spec import SEEN_DIGITS, Spec
from leukemia_app.bundles.store import read_spec
from leukemia_app.errors import DatasetError, ImageError, RunError
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.picture import pixels_digest
from leukemia_app.training import events
from leukemia_app.training import run as module
from leukemia_app.training.config import RunConfig
from leukemia_app.training.run import carry_out
from leukemia_app.training.run_folder import RunFolder, Stopped
from leukemia_app.training.run_network import network_to_train
from leukemia_app.training.state import load_weights
from tests.tiny_runs import LABELS, N_PICTURES, draw_set, tiny_config


@pytest.fixture(scope="module")
def spec(finished_run: Path) -> Spec:
    return read_spec(finished_run / "bundle")


def states(folder: Path) -> list[str]:
    return [event["kind"] for event in RunFolder(path=folder).events()]


def test_a_finished_run_says_so(finished_run):
    assert RunFolder(path=finished_run).status()["state"] == "done"
    kinds = states(finished_run)
    assert {"prepare", "plan", "features", "head", "step", "epoch", "evaluate"} == set(kinds)
    # two patients of two labels by three pictures, four to a step, in two epochs
    n_steps = 2 * (2 * 2 * N_PICTURES // 4)
    *_, last = (event for event in RunFolder(path=finished_run).events() if event["kind"] == "step")
    assert (last["step"], last["steps"]) == (n_steps, n_steps)


def test_scoring_counts_test_pictures_while_their_disturbed_copies_are_read(finished_run):
    told = [(event["done"], event["total"]) for event in RunFolder(path=finished_run).events()
            if event["kind"] == "evaluate"]  # fmt: skip
    total = told[0][1]
    assert told[-1] == (total, total)
    assert len(told) > 1
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_each_epoch_tells_the_memory_that_was_held(finished_run):
    told = [event for event in RunFolder(path=finished_run).events()
            if event["kind"] in ("head", "epoch")]  # fmt: skip
    assert len(told) == 3
    assert all(event["memory_mb"] > 100 for event in told)


def test_what_only_the_training_needs_is_cleared_away(finished_run):
    left = {path.name for path in finished_run.iterdir()}
    assert left == {"best", "bundle", "config.json", "events.jsonl", "manifest.csv", "report",
                    "split.csv", "status.json"}  # fmt: skip


def test_the_split_is_kept_with_the_run(finished_run):
    with (finished_run / "split.csv").open(newline="", encoding="utf-8") as lines:
        found = list(csv.DictReader(lines))
    data = finished_run.parents[1] / "set"
    assert found == list(csv.DictReader((data / "groups.csv").read_text().splitlines()))


def test_its_bundle_is_listed_and_answers(finished_run):
    library = Library([("run", finished_run.parent)], find_device("cpu"), 500, 1)
    (entry,) = library.entries()
    assert (entry.id, entry.problem) == ("tiny", None)
    data = finished_run.parents[1] / "set"
    pictures = [read_picture(path) for path in sorted(data.glob("*/4-0.png"))]
    readings = library.predictor("tiny").read(pictures)
    assert all(set(reading.probabilities) == set(LABELS) for reading in readings)


def test_the_bundle_answers_as_the_trained_network_did(finished_run, spec):
    with np.load(finished_run / "report" / "predictions.npz") as saved:
        rows, logits = saved["test_rows"], saved["test_logits"]
    expected = to_probabilities(logits, spec.temperature)
    config = RunFolder(path=finished_run).config()
    lines = Path(config.groups).read_text().splitlines()[1:]
    paths = [Path(config.data) / lines[row].split(",")[0] for row in rows]
    library = Library([("run", finished_run)], find_device("cpu"), 500, 1)
    readings = library.predictor("tiny").read([read_picture(path) for path in paths])
    served = [[reading.probabilities[label] for label in LABELS] for reading in readings]
    np.testing.assert_allclose(served, expected, atol=2e-3)


def test_every_figure_says_its_part_its_groups_and_its_kind(spec):
    found = {(figure.name, figure.part): figure for figure in spec.figures}
    auroc = found["AUROC", "test"]
    assert (auroc.n, auroc.n_groups, auroc.group_level) == (4 * N_PICTURES, 4, "patient")
    # No interval where every drawn sample gives the same value.
    known = auroc.low is not None
    assert auroc.low <= auroc.value <= auroc.high if known else auroc.high is None
    assert {figure.kind for figure in spec.figures} == {"result", "robustness", "control", "scope"}
    sensitivity = found["sensitivity", "test"]
    assert sensitivity.note == "for blast, at the threshold chosen on the validation part"
    assert ("AUROC, colour histogram alone", "test") in found
    assert ("AUROC, cell area alone", "test") in found
    assert ("AUROC, stain shift, strength 2", "test") in found
    assert ("referred, stain shift, strength 2", "test") in found
    outside = found["referred", "outside: pictures that no label fits"]
    assert (outside.n, outside.kind) == (4, "scope")
    # The other set is the same folder: what was learned from is left out of it.
    assert found["AUROC", "elsewhere"].n == 4 * N_PICTURES
    assert found["AUROC", "elsewhere"].group_level == "image"


def test_the_large_cells_of_the_drawn_blasts_give_the_class_away(spec):
    (size,) = [item for item in spec.figures if item.name == "AUROC, cell area alone"]
    assert size.value > 0.9


def test_the_bundle_says_how_it_was_made(finished_run, spec):
    config = RunFolder(path=finished_run).config()
    # Folders of this machine say nothing elsewhere: their last names stay.
    assert RunConfig.from_dict(spec.training["config"]) == replace(
        config, data=Path(config.data).name, groups=Path(config.groups).name,
        outside=Path(config.outside).name,
        external={name: Path(place).name for name, place in config.external.items()},
    )  # fmt: skip
    assert spec.training["seed"] == config.seed
    assert spec.split == {
        "level": "patient",
        "parts": {name: {"pictures": 4 * N_PICTURES, "groups": 4}
                  for name in ("train", "validation", "test")},
    }  # fmt: skip
    assert {"keras", "numpy", "pillow"} <= set(spec.versions)
    assert any(name.startswith("opencv") for name in spec.versions)
    assert spec.positive_threshold is not None
    assert spec.parents == ()


def test_the_bundle_knows_what_it_learned_from_and_not_the_test_part(finished_run, spec):
    data = finished_run.parents[1] / "set"
    seen = set(spec.seen)
    for label in LABELS:
        for patient in range(6):
            digest = pixels_digest(read_picture(data / label / f"{patient}-1.png"))
            assert (digest[:SEEN_DIGITS] in seen) == (patient < 4)


def test_the_card_holds_the_figures(finished_run):
    text = (finished_run / "bundle" / "README.md").read_text(encoding="utf-8")
    assert "## Controls: what else gives the class away" in text
    assert "Answers blast from a probability of" in text


def test_a_finished_run_is_not_carried_out_again(finished_run, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(finished_run, tmp_path / "tiny"))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    monkeypatch.setattr(module, "load_run", None)
    carry_out(RunFolder(path=folder))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def carried_out(folder: Path, config: RunConfig) -> RunFolder:
    run = RunFolder(path=folder)
    run.create(config)
    carry_out(run)
    return run


def kept_weights(run: RunFolder) -> str:
    weights = load_weights(run.path / "best" / "weights.npz")
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()


def test_a_run_stopped_in_its_first_epoch_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    # The head's dropout has drawn by then: its random state must be remembered with its weights.
    draw_set(tmp_path / "set")
    config = tiny_config(tmp_path / "set", folds=2)
    whole = carried_out(tmp_path / "whole", config)
    broken = RunFolder(path=tmp_path / "broken")
    broken.create(config)
    add_event = RunFolder.add_event

    def stop_at_the_second_step(self: RunFolder, kind: str, **numbers: Any) -> None:
        add_event(self, kind, **numbers)
        if kind == "step" and numbers["step"] == 2:
            (self.path / "stop").touch()

    with monkeypatch.context() as patch:
        patch.setattr(events, "LEAST_SECONDS", 0)
        patch.setattr(RunFolder, "add_event", stop_at_the_second_step)
        with pytest.raises(Stopped):
            carry_out(broken)
    assert states(broken.path).count("step") == 2
    (broken.path / "stop").unlink()
    carry_out(broken)
    assert kept_weights(broken) == kept_weights(whole)
    assert states(broken.path).count("head") == 1
    assert not (broken.path / "bundle").exists()


def test_a_fold_keeps_its_logits_and_makes_no_bundle(tmp_path):
    draw_set(tmp_path / "set")
    config = tiny_config(tmp_path / "set", folds=2, fold=1, head_epochs=0, tune_epochs=0)
    run = carried_out(tmp_path / "fold", config)
    with np.load(run.path / "report" / "predictions.npz") as saved:
        # four of eight patients, one output, never one of the test part
        assert saved["test_logits"].shape == (4 * N_PICTURES, 1)
        assert set(saved.files) == {"test_rows", "test_logits", "test_targets"}
    assert not (run.path / "bundle").exists()
    assert run.status()["state"] == "done"


def stopped(folder: Path, when: str, **changes: Any) -> RunFolder:
    """A run over drawn pictures that was stopped at the first event of that kind."""
    if not (folder / "set").exists():
        draw_set(folder / "set")
    run = RunFolder(path=folder / "runs" / "early")
    run.create(tiny_config(folder / "set", **changes))
    add_event = RunFolder.add_event

    def stop_there(self: RunFolder, kind: str, **numbers: Any) -> None:
        add_event(self, kind, **numbers)
        if kind == when:
            (self.path / "stop").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "add_event", stop_there)
        with pytest.raises(Stopped):
            carry_out(run)
    (run.path / "stop").unlink()
    return run


def test_the_best_so_far_becomes_a_bundle_and_the_run_can_still_go_on(tmp_path):
    run = stopped(tmp_path, "epoch", head_epochs=0)
    carry_out(run, finish=True)
    assert run.status()["state"] == "stopped"
    assert run.status()["has_bundle"] is True
    assert states(run.path).count("epoch") == 1
    early = read_spec(run.path / "bundle")
    assert {figure.part for figure in early.figures} == {"test"}
    with np.load(run.path / "report" / "predictions.npz") as saved:
        expected = to_probabilities(saved["test_logits"], early.temperature)
    assert answers_of(run, expected) == pytest.approx(expected, abs=2e-3)
    carry_out(run)
    assert run.status()["state"] == "done"
    assert states(run.path).count("epoch") == 2
    final = read_spec(run.path / "bundle")
    assert final.files != early.files
    assert {figure.kind for figure in final.figures} > {"result"}
    whole = carried_out(tmp_path / "whole", run.config())
    assert kept_weights(run) == kept_weights(whole)


def answers_of(run: RunFolder, like: np.ndarray) -> np.ndarray:
    """Probabilities of the test pictures as the bundle serves them."""
    config = run.config()
    lines = (run.path / "split.csv").read_text(encoding="utf-8").splitlines()
    files = [row["file"] for row in csv.DictReader(lines) if row["part"] == "test"]
    library = Library([("run", run.path)], find_device("cpu"), 500, 1)
    readings = library.predictor("tiny").read([read_picture(Path(config.data) / f) for f in files])
    assert len(readings) == len(like)
    return np.array([[reading.probabilities[label] for label in LABELS] for reading in readings])


def test_a_head_alone_can_be_finished_too(tmp_path):
    run = stopped(tmp_path, "head", head_epochs=2)
    carry_out(run, finish=True)
    assert run.status()["has_bundle"] is True
    assert not (run.path / "best" / "weights.npz").exists()


def test_a_run_that_learned_nothing_says_so(tmp_path):
    run = stopped(tmp_path, "features")
    with pytest.raises(RunError, match=r"nothing has been learned\. Resume the run"):
        carry_out(run, finish=True)
    run.write_json("config.json", replace(run.config(), folds=2).to_dict())
    with pytest.raises(RunError, match="A fold or a random image split is for its figures alone"):
        carry_out(run, finish=True)


def test_a_run_whose_head_alone_is_trained_makes_a_bundle(tmp_path):
    draw_set(tmp_path / "set")
    config = tiny_config(tmp_path / "set", head_epochs=3, head_patience=2, tune_epochs=0,
                         baselines=("ridge",))  # fmt: skip
    run = carried_out(tmp_path / "run", config)
    assert run.status()["state"] == "done"
    assert read_spec(run.path / "bundle").id == "tiny"
    rows = json.loads((run.path / "report" / "baselines.json").read_text())
    assert [(row["name"], row["features"]) for row in rows] == [("ridge", "pixels"),
                                                                ("ridge", "frozen")]  # fmt: skip


def test_sixteen_bits_train_and_thirty_two_are_served(tmp_path):
    draw_set(tmp_path / "set")
    config = tiny_config(tmp_path / "set", precision="bfloat16")
    run = carried_out(tmp_path / "runs" / "early", config)
    assert keras.config.dtype_policy().name == "float32"
    kept = load_weights(run.path / "best" / "weights.npz")
    assert all(weights.dtype == np.float32 for weights in kept)
    with np.load(run.path / "report" / "predictions.npz") as saved:
        expected = to_probabilities(
            saved["test_logits"], read_spec(run.path / "bundle").temperature
        )
    assert answers_of(run, expected) == pytest.approx(expected, abs=2e-3)


def test_pictures_that_changed_under_a_run_are_told(tmp_path):
    run = stopped(tmp_path, "epoch", head_epochs=0)
    table = tmp_path / "set" / "groups.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(line for line in lines if not line.startswith("blast/0-1")) + "\n")
    with pytest.raises(RunError, match=r"1 were added, taken away or moved .* first blast/0-1.png"):
        carry_out(run)
    table.write_text("\n".join(lines) + "\n")
    carry_out(run)
    assert run.status()["state"] == "done"


@pytest.mark.parametrize("name", ["block2_conv", "normalisation"])
def test_what_lies_below_stays_as_it_started(name, tmp_path):
    config = tiny_config(tmp_path, tune_from=name)
    network = network_to_train(config)
    tuned = {variable.path for variable in network.backbone.trainable_variables}
    if name == "normalisation":
        assert tuned
        assert all("gamma" in path or "beta" in path for path in tuned)
    else:
        assert not any("block1_conv" in path for path in tuned)
        assert any("block2_conv" in path for path in tuned)
    assert network.head.trainable_variables


def test_a_block_that_the_backbone_has_not_is_refused(tmp_path):
    config = tiny_config(tmp_path, tune_from="block9")
    with pytest.raises(RunError, match=r"tune_from is 'block9': .* use one of block1_conv"):
        network_to_train(config)


def refused(tmp_path: Path, **changes: Any) -> RunFolder:
    if not (tmp_path / "set").exists():
        draw_set(tmp_path / "set")
    folder = RunFolder(path=tmp_path / "run")
    folder.create(replace(tiny_config(tmp_path / "set"), **changes))
    return folder


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [({"outside": "nowhere"}, RunError, r"nowhere \(outside\) is not a folder"),
     ({"external": {"site B": "nowhere"}}, RunError, r"nowhere \(site B\) is not a folder"),
     ({"head_arguments": {"depth": 3}}, RunError,
      r"baseline_cnn with the head plain cannot be built for 32 px and head_arguments "
      r"\{'depth': 3\}"),
     ({"start": "file:nowhere.weights.h5"}, RunError, r"nowhere.weights.h5 is not there; give"),
     ({"labels": ("normal", "other")}, RunError, r"No picture of other is in the training part"),
     ({"data": "nowhere"}, DatasetError, r"nowhere is not a folder"),
     ({"groups": "nowhere.csv"}, DatasetError, r"There is no table .*nowhere.csv")],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_before_any_training(changes, error, message, tmp_path):
    with pytest.raises(error, match=message):
        carry_out(refused(tmp_path, **changes))
    assert "step" not in states(tmp_path / "run")


def test_a_picture_deleted_during_the_training_is_told_by_name(finished_run, tmp_path):
    # Prepared pictures are kept, but the controls look at the original ones.
    work = Path(shutil.copytree(finished_run.parents[1], tmp_path / "work"))
    run = RunFolder(path=work / "runs" / "tiny")
    config = replace(run.config(), data=str(work / "set"), groups=str(work / "set" / "groups.csv"))
    run.write_json("config.json", config.to_dict())
    run.set_state("evaluating")
    add_event = RunFolder.add_event

    def lose_a_picture(self: RunFolder, kind: str, **numbers: Any) -> None:
        add_event(self, kind, **numbers)
        if kind == "evaluate":
            (work / "set" / "blast" / "0-0.png").unlink(missing_ok=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "add_event", lose_a_picture)
        with pytest.raises(ImageError, match=r"0-0.png is not there"):
            carry_out(run)


def test_figures_of_runs_that_have_not_ended_are_asked_for(finished_run, tmp_path):
    from leukemia_app.training.scoring import _figures_of

    path = tmp_path / "figures.json"
    with pytest.raises(RunError, match=r"figures.json \(figures_from\) holds no figures .* end"):
        _figures_of(path)
    path.write_text('[{"name": "AUROC"}]')
    with pytest.raises(RunError, match="holds no figures"):
        _figures_of(path)
    figures = [vars(item) for item in read_spec(finished_run / "bundle").figures]
    path.write_text(json.dumps(figures))
    assert [vars(item) for item in _figures_of(path)] == figures
