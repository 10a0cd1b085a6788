"""Pictures that the start of a run has learned from are found, left out and told of."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.bundles.spec import SEEN_DIGITS, Spec
from leukemia_app.bundles.store import read_spec
from leukemia_app.data.manifest import Row
from leukemia_app.errors import RunError
from leukemia_app.training.bundling import _parents
from leukemia_app.training.config import RunConfig
from leukemia_app.training.parts import Parts
from leukemia_app.training.results import gather
from leukemia_app.training.run import carry_out
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.seen import Seen, keep_seen, kept_seen, start_spec, without_seen
from tests.tiny_runs import LABELS, draw_set, tiny_config

ROWS = tuple(
    Row(file=f"{group}{picture}.png", label="normal", group=group, part="")
    for group in "abcdef" for picture in (0, 1)
)  # fmt: skip
"""Twelve pictures: a and b are learned from, c and d chosen by, e and f scored."""
PARTS = Parts(learn=np.arange(4), check=np.arange(4, 8), test=np.arange(8, 12))
DIGESTS = tuple(f"{number:064x}"[::-1] for number in range(12))


@pytest.fixture
def start(finished_run: Path, tmp_path: Path) -> Path:
    """The bundle of a finished run, of which a test may say what it has seen."""
    return Path(shutil.copytree(finished_run / "bundle", tmp_path / "start"))


def that_saw(start: Path, *rows: int) -> RunConfig:
    path = start / "bundle.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values["seen"] = [DIGESTS[row][:SEEN_DIGITS] for row in rows]
    path.write_text(json.dumps(values), encoding="utf-8")
    return tiny_config(start.parent, start=f"bundle:{start}")


def test_the_whole_group_of_a_seen_picture_is_left_out(start: Path):
    parts, seen = without_seen(PARTS, ROWS, DIGESTS, that_saw(start, 9))
    assert parts.test.tolist() == [10, 11]
    assert seen == Seen(start="tiny", n_test=2, n_check=0)
    assert seen.in_words() == (
        "2 test pictures left out: tiny, which the training started from, or a model before it, "
        "had learned from their groups."
    )


def test_by_picture_only_the_picture_is_left_out(start: Path):
    config = replace(that_saw(start, 9), split="image")
    parts, seen = without_seen(PARTS, ROWS, DIGESTS, config)
    assert parts.test.tolist() == [8, 10, 11]
    assert seen is not None
    assert seen.n_test == 1


def test_seen_validation_pictures_stay_and_are_told_of(start: Path):
    parts, seen = without_seen(PARTS, ROWS, DIGESTS, that_saw(start, 4, 5, 6))
    assert parts.check.tolist() == PARTS.check.tolist()
    assert seen is not None
    assert seen.in_words() == (
        "3 validation pictures had been seen by tiny too: the thresholds, fitted on them, may be "
        "too sure."
    )


def test_training_pictures_may_have_been_seen(start: Path):
    assert without_seen(PARTS, ROWS, DIGESTS, that_saw(start, 0, 1, 2, 3)) == (PARTS, None)


@pytest.mark.parametrize("start", ["none", "imagenet", "file:x.h5"])
def test_another_start_has_seen_nothing_that_is_known(start: str, tmp_path: Path):
    config = tiny_config(tmp_path, start=start)
    assert start_spec(config) is None
    assert without_seen(PARTS, ROWS, DIGESTS, config) == (PARTS, None)


def test_a_test_part_that_was_all_seen_is_no_test(start: Path):
    words = "tiny, which the run starts from, has learned from pictures of every group of the test"
    with pytest.raises(RunError, match=words):
        without_seen(PARTS, ROWS, DIGESTS, that_saw(start, 8, 11))


def test_what_was_found_is_kept_for_the_report(tmp_path: Path):
    folder = RunFolder(path=tmp_path)
    keep_seen(folder, None)
    assert kept_seen(folder) is None
    keep_seen(folder, Seen(start="tiny", n_test=1, n_check=2))
    assert kept_seen(folder) == Seen(start="tiny", n_test=1, n_check=2)
    (tmp_path / "seen.json").write_text('{"stop": 1}')
    assert kept_seen(folder) is None


def test_a_run_from_a_model_that_saw_some_of_it_says_so_everywhere(finished_run, tmp_path):
    # The same pictures, but two patients that the first run learned from are now its test.
    table = draw_set(tmp_path / "set")
    text = table.read_text(encoding="utf-8")
    for label in LABELS:
        text = text.replace(f",{label}0,train", f",{label}0,test")
    table.write_text(text, encoding="utf-8")
    run = RunFolder(path=tmp_path / "runs" / "second")
    run.create(tiny_config(
        tmp_path / "set", id="second", start=f"bundle:{finished_run / 'bundle'}", tune_epochs=0,
    ))  # fmt: skip
    carry_out(run)
    spec, first = read_spec(run.path / "bundle"), read_spec(finished_run / "bundle")
    assert spec.split["parts"]["test"] == {"pictures": 12, "groups": 4}
    assert spec.parents == ("tiny",)
    assert set(first.seen) <= set(spec.seen)  # so a third run knows what the first had seen
    assert "6 test pictures left out: tiny" in spec.data["limits"]
    assert "12 validation pictures had been seen by tiny" in spec.data["limits"]
    assert "6 test pictures left out" in (run.path / "bundle" / "README.md").read_text()
    assert any("6 test pictures left out" in note for note in gather(run).notes)
    assert "6 test pictures left out" in (run.path / "report" / "report.html").read_text()
    rows = (run.path / "split.csv").read_text().splitlines()
    assert sum(row.endswith(",") for row in rows) == 6
    assert {figure.n for figure in spec.figures if figure.part == "test"} == {12}


def test_parents_are_named_by_what_they_are(finished_run: Path, tmp_path: Path):
    parent: Spec = replace(read_spec(finished_run / "bundle"), parents=("grandparent",))
    config = tiny_config(tmp_path)
    assert _parents(replace(config, start="bundle:/x/runs/a/bundle"), parent) == (
        "tiny", "grandparent",
    )  # fmt: skip
    assert _parents(replace(config, start="imagenet"), None) == (
        "baseline_cnn of Keras, learned from ImageNet",
    )
    assert _parents(replace(config, start="file:/home/ada/own.weights.h5"), None) == (
        "own.weights.h5",
    )
    assert _parents(config, None) == ()
