"""A run that is done, without any training: drawn pictures, a split, and answers made by hand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leukemia_app.data.manifest import Row, read_manifest, write_manifest
from leukemia_app.training.data_folder import MANIFEST, SOURCE, DataFolder, DataSource
from leukemia_app.training.results import PREDICTIONS_FILE
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import LABELS, draw_set, tiny_config

WRONG = {"normal/4-0.png": 3.0, "blast/5-2.png": -1.0, "normal/2-1.png": 2.0}
"""Logits for blast where they are wrong: two test pictures and a validation picture, of which the
first is the most wrong, then the validation picture. All others are right, 4 off zero."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """The folders of both."""

    run: RunFolder
    data: DataFolder
    rows: tuple[Row, ...]


def make_run(state: Path, owner: str = "") -> Made:
    """A data set `cells` and a run `ward-7` that learned from it, below a state folder."""
    data = DataFolder(path=state / "datasets" / "cells")
    draw_set(data.path / "pictures")
    table = data.path / "pictures" / "groups.csv"
    rows = tuple(sorted(read_manifest(data.path / "pictures", table).rows,
                        key=lambda row: row.file))  # fmt: skip
    table.unlink()
    write_manifest(data.path / MANIFEST, rows)
    data.write_json(SOURCE, DataSource(name="cells").to_dict())
    run = RunFolder(path=state / "runs" / "ward-7")
    config = tiny_config(data.path / "pictures", id="ward-7", groups=str(data.path / MANIFEST))
    run.write_json("config.json", config.to_dict())
    for folder in (data, run):
        folder.write_json("owner.json", {"owner": owner})
        folder.set_state("done")
    write_manifest(run.path / "split.csv", rows)
    _write_answers(run, rows)
    (run.path / "report" / "report.html").write_text("<p>Report.</p>", encoding="utf-8")
    return Made(run=run, data=data, rows=rows)


def _write_answers(run: RunFolder, rows: tuple[Row, ...]) -> None:
    found = {}
    for name, part in (("check", "val"), ("test", "test")):
        numbers = [number for number, row in enumerate(rows) if row.part == part]
        right = [4.0 if rows[number].label == LABELS[1] else -4.0 for number in numbers]
        logits = [WRONG.get(rows[number].file, logit)
                  for number, logit in zip(numbers, right, strict=True)]  # fmt: skip
        found[f"{name}_rows"] = np.array(numbers)
        found[f"{name}_logits"] = np.array(logits, np.float32)[:, None]
        found[f"{name}_targets"] = np.array([LABELS.index(rows[n].label) for n in numbers])
    (run.path / "report").mkdir()
    np.savez(run.path / PREDICTIONS_FILE, allow_pickle=False, **found)
