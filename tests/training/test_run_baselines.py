"""The classical models of a run: on its own split, row by row, stopped and gone on with."""

from pathlib import Path

import numpy as np
import pytest

from leukemia_app.data.manifest import Row
from leukemia_app.training import baselines as module
from leukemia_app.training.baselines import run_baselines
from leukemia_app.training.parts import Parts
from leukemia_app.training.pixels import PixelCache
from leukemia_app.training.results import BASELINES_FILE, read_baselines
from leukemia_app.training.run_folder import RunFolder, Stopped
from tests.tiny_runs import LABELS, drawn_cell

N = 24


@pytest.fixture
def cache() -> PixelCache:
    """Drawn cells of two labels in turn, two pictures a group."""
    pixels = np.stack([drawn_cell(number % 2, number) for number in range(N)])
    rows = tuple(
        Row(file=f"{number}.png", label=LABELS[number % 2], group=f"g{number // 4}-{number % 2}")
        for number in range(N)
    )
    return PixelCache(rows=rows, pixels=pixels, digests=("",) * N, problems=())


PARTS = Parts(learn=np.arange(12), check=np.zeros(0, np.int64), test=np.arange(12, N))
TARGETS = np.arange(N) % 2


def features(rows: np.ndarray) -> np.ndarray:
    """Frozen features that say nothing."""
    return np.random.default_rng(0).normal(0, 1, (len(rows), 5)).astype(np.float32)


def run(folder: Path, cache: PixelCache, names=("ridge", "svc"), seen=features) -> RunFolder:
    work = RunFolder(path=folder)
    run_baselines(work, names, cache, PARTS, TARGETS, seen)
    return work


def test_each_is_fitted_on_pixels_and_on_features(tmp_path: Path, cache: PixelCache):
    rows = read_baselines(run(tmp_path, cache))
    assert [(row.name, row.features) for row in rows] == [
        ("ridge", "pixels"), ("svc", "pixels"), ("ridge", "frozen"), ("svc", "frozen"),
    ]  # fmt: skip
    # large cells against small ones are told from the pixels, from noise they are not
    assert rows[0].accuracy.value == 1
    assert rows[2].accuracy.value < 1


def test_each_end_is_an_event(tmp_path: Path, cache: PixelCache):
    events = list(run(tmp_path, cache, ("ridge",)).events())
    assert [(event["kind"], event["done"], event["total"]) for event in events] == [
        ("baselines", 1, 2), ("baselines", 2, 2),
    ]  # fmt: skip


def test_rows_that_are_there_are_not_computed_again(tmp_path: Path, cache: PixelCache):
    work = run(tmp_path, cache)
    before = (tmp_path / BASELINES_FILE).read_text()

    def never(rows: np.ndarray) -> np.ndarray:
        raise AssertionError("features were asked for again")

    run(tmp_path, cache, seen=never)
    assert (tmp_path / BASELINES_FILE).read_text() == before
    assert len(list(work.events())) == 8


def test_a_stop_keeps_the_rows_so_far(tmp_path: Path, cache: PixelCache, monkeypatch):
    asked = iter([False, True])
    monkeypatch.setattr(RunFolder, "should_stop", lambda self: next(asked))
    with pytest.raises(Stopped):
        run(tmp_path, cache)
    assert len(read_baselines(RunFolder(path=tmp_path))) == 1


def test_a_missing_package_leaves_a_word_and_the_others_go_on(
    tmp_path: Path, cache: PixelCache, monkeypatch: pytest.MonkeyPatch
):
    ordinary = module.measure_baseline

    def missing(name: str, *rest):
        if name == "xgboost":
            raise module.MissingBaseline("Install it.")
        return ordinary(name, *rest)

    monkeypatch.setattr(module, "measure_baseline", missing)
    rows = read_baselines(run(tmp_path, cache, ("xgboost", "ridge")))
    assert [row.note for row in rows] == ["Install it.", "", "Install it.", ""]
    assert rows[0].accuracy.value is None
    # once the package is there, only its rows are computed
    monkeypatch.setattr(module, "measure_baseline", lambda name, *rest: ordinary("svc", *rest))
    again = read_baselines(run(tmp_path, cache, ("xgboost", "ridge")))
    assert [row.note for row in again] == [""] * 4
