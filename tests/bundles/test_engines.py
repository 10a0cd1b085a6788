"""LiteRT and Keras give the same answers, to one caller or to many at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.bundles.engines import LITERT_FILE, Engine, KerasEngine, LiteRtEngine
from leukemia_app.bundles.store import read_spec
from leukemia_app.errors import BundleError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=["written", "written_binary"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def litert(folder: Path) -> Engine:
    return LiteRtEngine(folder / LITERT_FILE, threads=2)


@pytest.fixture(scope="module")
def by_keras(folder: Path) -> Engine:
    return KerasEngine(folder, read_spec(folder))


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(2).uniform(-1, 1, (5, 32, 32, 3)).astype(np.float32)


SLOPE_ROUNDED = 5e-4
"""Half a float16 step of a value: the head's constants, such as its slope, are stored so."""


def test_both_engines_give_the_same_answers(litert, by_keras, batch):
    for ours, theirs in zip(litert.run(batch), by_keras.run(batch), strict=True):
        assert ours.dtype == theirs.dtype == np.float32
        assert ours == pytest.approx(theirs, rel=SLOPE_ROUNDED, abs=SLOPE_ROUNDED)
    logits, features = litert.run(batch)
    assert len(logits) == len(features) == 5
    assert features.shape[1] == 256
    assert np.ptp(logits, axis=0).min() > 1e-3  # a network that always says the same proves little


def test_both_engines_give_the_same_map(litert, by_keras, batch):
    n_outputs = litert.run(batch)[0].shape[1]
    for one_hot in np.eye(n_outputs, dtype=np.float32):
        ours, theirs = (each.explain(batch[0], one_hot) for each in (litert, by_keras))
        assert ours.shape == theirs.shape == (2, 2)
        assert (ours >= 0).all()
        assert ours == pytest.approx(theirs, rel=SLOPE_ROUNDED, abs=1e-5)


def test_the_map_of_the_opposite_is_that_of_the_negative_gradient(litert, batch):
    # Grad-CAM before its ReLU changes sign with the score, so the two maps never overlap
    n_outputs = litert.run(batch)[0].shape[1]
    one_hot = np.eye(n_outputs, dtype=np.float32)[0]
    for_it, against_it = (litert.explain(batch[0], sign * one_hot) for sign in (1, -1))
    assert (for_it * against_it == 0).all()
    assert (for_it + against_it).any()


def test_grad_cam_of_a_plain_head_is_its_class_activation_map(written_binary: Path, batch):
    # score = sum_k w_k * mean_ij(A_ijk) + b, so the slope is w_k / n_places everywhere and the
    # map is relu(sum_k w_k A_ijk) / n_places: gradient-free, from the weights
    # Source: Selvaraju et al. 2017, section 3.1
    from leukemia_app.bundles.weights import load_network

    network = load_network(written_binary, read_spec(written_binary))
    feature_map = network.backbone.predict_on_batch(batch[:1])[0]
    kernel = network.head.get_layer("logits").kernel.numpy()[:, 0]
    expected = np.maximum(feature_map @ kernel, 0) / feature_map[..., 0].size
    engine = LiteRtEngine(written_binary / LITERT_FILE, threads=1)
    assert engine.explain(batch[0], np.ones(1, np.float32)) == pytest.approx(expected, rel=1e-3)


def test_a_batch_gives_the_same_numbers_as_its_pictures_alone(litert, by_keras, batch):
    for engine, tolerance in ((litert, 0), (by_keras, 1e-5)):
        together = engine.run(batch)
        alone = [engine.run(batch[number : number + 1]) for number in range(len(batch))]
        for index, values in enumerate(together):
            singles = np.concatenate([each[index] for each in alone])
            assert values == pytest.approx(singles, rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_sixteen_threads_never_get_each_others_answers(written: Path, threads: int):
    engine = LiteRtEngine(written / LITERT_FILE, threads)
    images = np.random.default_rng(4).uniform(-1, 1, (16, 32, 32, 3)).astype(np.float32)
    one_hot = np.eye(3, dtype=np.float32)[1]
    expected = [(*engine.run(image[None]), engine.explain(image, one_hot)) for image in images]

    def ask(number: int) -> bool:
        for _ in range(10):
            beside = bool(number % 2)
            ran = engine.run(images[[number]], beside_others=beside)
            answer = (*ran, engine.explain(images[number], one_hot))
            same = map(np.array_equal, answer, expected[number])
            if not all(same):
                return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(16)))


def test_a_large_batch_is_shared_among_interpreters(written: Path, batch):
    alone, shared = (LiteRtEngine(written / LITERT_FILE, threads) for threads in (1, 6))
    for ours, theirs in zip(alone.run(batch), shared.run(batch), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)
    # 3 interpreters of two threads for single pictures, 6 of one thread for many
    assert shared.memory_mb == pytest.approx(9 * alone.memory_mb)


def test_an_answer_does_not_depend_on_who_else_is_at_work(litert, by_keras, batch):
    for engine in (litert, by_keras):
        for ours, theirs in zip(
            engine.run(batch), engine.run(batch, beside_others=True), strict=True
        ):
            assert (ours == theirs).all()


def test_the_engines_say_where_they_compute(litert, by_keras):
    assert litert.device == by_keras.device == "cpu"
    assert litert.memory_mb > 0
    assert by_keras.memory_mb > 0


def test_a_file_that_is_not_litert_is_refused(tmp_path: Path):
    (tmp_path / LITERT_FILE).write_bytes(b"not a network")
    with pytest.raises(BundleError, match=rf"{tmp_path.name}/model\.tflite cannot be run.*again"):
        LiteRtEngine(tmp_path / LITERT_FILE, threads=1)


def test_a_litert_answer_needs_neither_tensorflow_nor_keras(written: Path):
    code = f"""
import sys
from pathlib import Path
import leukemia_app.bundles.predictor
from leukemia_app.bundles.device import find_device
from leukemia_app.bundles.library import Library
from leukemia_app.imaging.picture import Picture
import numpy as np
library = Library([("own", Path({str(written.parent)!r}))], find_device("cpu"), 500, 2)
pixels = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
examination = library.predictor("small").examine(Picture(pixels=pixels, name="noise"))
assert examination.explanation is not None
print(sorted({{"tensorflow", "keras", "h5py"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
