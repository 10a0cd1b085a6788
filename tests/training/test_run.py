"""A whole run on drawn pictures: from nothing to a bundle with figures that can be served."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from leukemia_app.training import run as module
from leukemia_app.training.config import RunConfig
from leukemia_app.training.run import carry_out
from leukemia_app.training.run_folder import RunFolder, Stopped
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
    assert {"prepare", "features", "head", "step", "epoch", "evaluate"} == set(kinds)
    # two patients of two labels by three pictures, four to a step, in two epochs
    assert kinds.count("step") == 2 * (2 * 2 * N_PICTURES // 4)


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
    assert RunConfig.from_dict(spec.training["config"]) == config
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
    monkeypatch.setattr(module, "build_network", None)
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
     ({"groups": "nowhere.csv"}, DatasetError, r"nowhere.csv cannot be read as a table")],
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
