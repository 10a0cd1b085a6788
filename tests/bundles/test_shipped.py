"""Every shipped bundle is what it was when it was written, on both engines."""

from pathlib import Path

import numpy as np
import pytest

from leukemia_app.bundles.engines import LITERT_FILE, Engine, KerasEngine, LiteRtEngine
from leukemia_app.bundles.reference import REFERENCE_FILE, Reference
from leukemia_app.bundles.store import read_spec, self_test, verify

MODELS = Path(__file__).resolve().parents[2] / "models"
SHIPPED = sorted(path.parent for path in MODELS.glob("*/bundle.json"))
MOST_BYTES = 100_000_000

pytestmark = pytest.mark.skipif(not SHIPPED, reason="models/ holds no bundle yet")


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda path: path.name)
def folder(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(scope="module")
def litert(folder: Path) -> Engine:
    return LiteRtEngine(folder / LITERT_FILE, threads=2)


@pytest.fixture(scope="module")
def by_keras(folder: Path) -> Engine:
    return KerasEngine(folder, read_spec(folder))


def test_its_files_are_those_that_were_written(folder: Path):
    assert verify(folder).id == folder.name


@pytest.mark.parametrize("engine", ["litert", "by_keras"])
def test_it_passes_its_self_test_on_both_engines(
    folder: Path, engine: str, request: pytest.FixtureRequest
):
    assert self_test(folder, request.getfixturevalue(engine)).n_pictures >= 2


def test_both_engines_give_the_same_answers(folder: Path, litert: Engine, by_keras: Engine):
    tensors = Reference.load(folder / REFERENCE_FILE).tensors
    noise = np.random.default_rng(0).normal(0, np.ptp(tensors) / 20, tensors.shape)
    batch = np.concatenate([tensors, (tensors + noise).astype(np.float32)])
    for ours, theirs in zip(litert.run(batch), by_keras.run(batch), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-3)


def test_both_engines_give_the_same_map(folder: Path, litert: Engine, by_keras: Engine):
    reference = Reference.load(folder / REFERENCE_FILE)
    for one_hot in np.eye(reference.n_outputs, dtype=np.float32):
        ours, theirs = (each.explain(reference.tensors[0], one_hot) for each in (litert, by_keras))
        assert ours == pytest.approx(theirs, abs=1e-3 * max(float(theirs.max()), 1e-6))


def test_all_together_are_small_enough_to_ship():
    sizes = [path.stat().st_size for folder in SHIPPED for path in folder.iterdir()]
    assert sum(sizes) < MOST_BYTES
