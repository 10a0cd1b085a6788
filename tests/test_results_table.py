"""The table of results keeps what is finished, goes on where it was, and says what is open."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.results import rows as data
from benchmarks.results.page import page
from benchmarks.results.rows import (
    AdaptRow,
    DataSet,
    Places,
    Plan,
    Row,
    config_of,
    waits_for,
)
from benchmarks.results.running import carry_out, finished
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import LABELS, draw_set

ROOT = Path(__file__).resolve().parents[1]
DEADLINE_S = 120
N_EPOCHS = 4


def places_in(folder: Path) -> Places:
    return Places(data=folder, weights=folder / "none.h5", out=folder / "out",
                  models=folder / "models", page=folder / "results.md")  # fmt: skip


def tiny_row(**settings: Any) -> Row:
    drawn = DataSet(name="set", title="drawn cells", groups="set/groups.csv", labels=LABELS,
                    group_level="patient", input="cell")  # fmt: skip
    plan = Plan(
        name="tiny", backbone="baseline_cnn", head="plain", start="none", side_px=32,
        settings={"tune_epochs": 1, "steps_per_epoch": 3, "batch_size": 4, **settings},
        minutes={"set": 1}, words="three steps",
    )  # fmt: skip
    return Row(data=drawn, plan=plan, split="group")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    draw_set(tmp_path / "set")
    return places_in(tmp_path)


@pytest.mark.slow
def test_a_finished_row_is_kept_with_figures_and_proof(places: Places):
    row = tiny_row(baselines=("ridge",))
    assert finished(row.name, places.out) is None
    facts = carry_out(row, places)
    assert finished("set-tiny-group", places.out) == json.loads(json.dumps(facts))
    # Two labels, two test patients of each, three pictures of each patient.
    assert (facts["n_test"], facts["n_groups"]) == (12, 4)
    assert set(facts["figures"]) == {"accuracy", "balanced_accuracy", "macro_f1", "auroc"}
    assert facts["proof"] == {"reloads": True, "classifies": True, "explains": True}
    assert [(each["name"], each["features"]) for each in facts["baselines"]] == [
        ("ridge", "pixels"), ("ridge", "frozen")
    ]  # fmt: skip
    assert facts["seconds"] > 0


class Killed(BaseException):
    """Ends a run as SIGKILL does: nobody has a last word."""


class Cut(RunFolder):
    """A run whose process is gone once it has told of its first epoch."""

    def add_event(self, kind: str, **numbers: object) -> None:
        super().add_event(kind, **numbers)
        if kind == "epoch":
            raise Killed


def epochs(folder: RunFolder) -> list[int]:
    return [event["epoch"] for event in folder.events() if event["kind"] == "epoch"]


@pytest.mark.slow
def test_a_row_that_was_killed_goes_on_with_its_last_epoch(places: Places):
    from leukemia_app.training.run import carry_out as carry_out_run

    row = tiny_row(tune_epochs=N_EPOCHS)
    folder = Cut(path=places.out / row.name)
    folder.create(config_of(row, places))
    with pytest.raises(Killed):
        carry_out_run(folder)
    assert (folder.status()["state"], epochs(folder)) == ("fine-tuning", [1])
    assert finished(row.name, places.out) is None
    carry_out(row, places)
    assert epochs(folder) == list(range(1, N_EPOCHS + 1))
    assert finished(row.name, places.out) is not None


def test_a_row_that_a_crash_cut_short_is_open(tmp_path: Path):
    kept = tmp_path / "rows" / "set-tiny-group.json"
    kept.parent.mkdir()
    kept.write_text('{"format_version": 1, "na', encoding="utf-8")
    assert finished("set-tiny-group", tmp_path) is None
    kept.write_text('{"format_version": 0}', encoding="utf-8")
    assert finished("set-tiny-group", tmp_path) is None


def test_a_row_waits_for_its_model_and_its_pictures(tmp_path: Path):
    places = places_in(tmp_path)
    row = AdaptRow(seed=0)
    assert waits_for(row, places) == f"{tmp_path / 'bcisc'} is not there: see data.md."
    (tmp_path / "bcisc").mkdir()
    assert "The model pbc-mobilenet to start from" in waits_for(row, places)
    (tmp_path / "models" / "pbc-mobilenet").mkdir(parents=True)
    (tmp_path / "models" / "pbc-mobilenet" / "bundle.json").touch()
    assert waits_for(row, places) == ""


def test_every_row_has_a_name_of_its_own_and_every_published_figure_a_row_beside_it():
    names = [row.name for row in data.ROWS]
    assert len(set(names)) == len(names)
    assert {f"{each.data}-{each.nearest}-group" for each in data.QUOTED} <= set(names)


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def network_row(split: str) -> dict[str, Any]:
    names = ("accuracy", "balanced_accuracy", "auroc", "macro_f1")
    figures = {name: interval(0.5 + number / 10) for number, name in enumerate(names)}
    return {
        "kind": "network", "name": f"cnmc-baselines-{split}", "data": "cnmc", "split": split,
        "plan": "baselines", "level": "patient", "backbone": "mobilenet", "head": "plain",
        "side_px": 96, "words": "as it was", "n_test": 1425, "n_groups": 17, "figures": figures,
        "seconds": 120.0,
        "baselines": [{"name": "svc", "features": "pixels", **figures, "seconds": 4.25, "note": ""},
                      {"name": "xgboost", "features": "pixels", "note": "not installed"}],
        "proof": {"reloads": True, "classifies": True, "explains": False},
    }  # fmt: skip


@pytest.fixture
def lines() -> Iterator[list[str]]:
    adapted = {"kind": "adapt", "name": "bcisc-adapt-1", "n_known": 94, "n_test": 40,
               "n_groups": 14, "seconds": 60.0, "figures": {
                   f"{figure}{when}": interval(0.5) for figure in ("accuracy", "macro_f1")
                   for when in ("_before", "", "_gained")}}  # fmt: skip
    made = page([network_row("group"), adapted], {"all4-vit-scratch-group": "no start"}, 90)
    return made.splitlines()


FIGURES = "0.500 (0.400–0.600) | 0.600 (0.500–0.700) | 0.700 (0.600–0.800) | 0.800 (0.700–0.900)"


@pytest.mark.parametrize(
    "line",
    [
        # 180 s are 0.05 hours, which are told as 0.1.
        "2 of 3 rows are finished; they took 0.1 hours. The others may take 90 minutes.",
        "Kept back by patient: 1,425 pictures of 17 groups.",
        "| **`mobilenet` plain**, 96 px, ImageNet start, as it was "
        f"| by patient | {FIGURES} | 2 min |",
        "|  | by picture | open |  |  |  |  |",
        f"| SVC (RBF kernel), pixels at 32 × 32 | by patient | {FIGURES} | 4.2 s |",
        "| XGBClassifier, pixels at 32 × 32 | by patient | left out |  |  |  |  |",
        "| 1 | 94 | 40 in 14 groups | " + " | ".join(["0.500 (0.400–0.600)"] * 6) + " | 1 min |",
        "| `mobilenet` plain | cnmc | yes | yes | yes | no |",
        "| all4-vit-scratch-group | no start |",
    ],
)
def test_the_page_has_the_line(line: str, lines: list[str]):
    assert line in lines


def test_a_published_accuracy_stands_beside_ours_in_its_unit():
    row = network_row("image") | {"name": "all4-vit-scratch-image", "data": "all4"}
    (line,) = [line for line in page([row], {}, 0).splitlines() if "| 92.33 % |" in line]
    assert "| `vit-scratch` | 50.0 (40.0–60.0) | open |" in line


def test_an_undefined_figure_is_not_a_number():
    row = network_row("group")
    row["figures"]["auroc"] = {"value": None, "low": None, "high": None}
    assert "| not defined |" in page([row], {}, 0)


def test_a_pattern_that_no_row_has_is_told():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.table", "--only", "nonesuch"],
        cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no row has 'nonesuch' in its name" in done.stderr
