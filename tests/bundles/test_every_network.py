"""Every network becomes a bundle that LiteRT answers and explains as Keras does, and reloads.

The plain network with either head is in the bundles `written` and `written_binary`.
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest

from leukemia_app.bundles.engines import LITERT_FILE, LiteRtEngine
from leukemia_app.bundles.export import serving_functions
from leukemia_app.bundles.spec import NetworkSpec
from leukemia_app.bundles.store import TOLERANCE, read_spec, verify, write_bundle
from leukemia_app.bundles.weights import load_network
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.networks.backbones import BACKBONES, SCALINGS
from leukemia_app.networks.build import Network, build_network
from leukemia_app.networks.heads import HEADS
from tests.bundles.conftest import drawn_picture, spec_of

FOUR = ("normal", "early", "pre", "pro")
TWO = ("normal", "blast")


MAP_TOLERANCE = 0.03
"""Of the peak. A network of noise has maps that are small differences of large sums, and LiteRT
holds the products of its gradients' path as float16. Trained ones differ by less than 1e-3."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network, as small as it can be with more than one place in its map."""

    backbone: str
    head: str
    side_px: int
    labels: tuple[str, ...]

    @property
    def n_outputs(self) -> int:
        return 1 if self.labels == TWO else len(self.labels)


# Converting takes 5 to 25 s of a core each, whatever the side: so one head for each backbone.
CASES = (
    Case(backbone="mobilenet", head="attention", side_px=64, labels=FOUR),
    Case(backbone="efficientnetb0", head="plain", side_px=64, labels=TWO),
    Case(backbone="vgg16", head="attention", side_px=64, labels=TWO),
    Case(backbone="resnet50", head="plain", side_px=64, labels=FOUR),
    Case(backbone="inceptionv3", head="attention", side_px=107, labels=FOUR),
    Case(backbone="vit", head="attention", side_px=32, labels=TWO),
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """The network as it was made, and its bundle."""

    case: Case
    network: Network
    folder: Path


def noise(case: Case, n: int) -> np.ndarray:
    """In the range that the backbone is fed, (n, side, side, 3) float32."""
    low, high = {"none": (0, 255), "caffe": (-124, 151)}.get(SCALINGS[case.backbone], (-1, 1))
    shape = (n, case.side_px, case.side_px, 3)
    return np.random.default_rng(2).uniform(low, high, shape).astype(np.float32)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case.backbone}-{case.head}")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    case: Case = request.param
    keras.utils.set_random_seed(3)
    network = build_network(
        case.backbone, case.head, side_px=case.side_px, n_outputs=case.n_outputs
    )
    rng = np.random.default_rng(5)
    for variable in network.model.trainable_variables:
        if len(variable.shape) == 1:  # offsets and gains start all alike
            variable.assign(np.asarray(variable) + rng.normal(0, 0.1, variable.shape))
    # Statistics as training leaves them: with those of a fresh network little reaches the end.
    for part in (network.backbone, network.head):
        for layer in part.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0
    network.model(noise(case, n=8), training=True)
    spec = spec_of(
        case.labels,
        label_kind="binary" if case.labels == TWO else "cell type",
        network=NetworkSpec(backbone=case.backbone, head=case.head),
        recipe=Recipe(input="cell", side_px=case.side_px, scaling=SCALINGS[case.backbone]),
    )
    folder = tmp_path_factory.mktemp("networks") / case.backbone
    write_bundle(folder, spec, network, None, [drawn_picture(seed).pixels for seed in (1, 2)])
    return Written(case=case, network=network, folder=folder)


@pytest.fixture(scope="module")
def pictures(made: Written) -> np.ndarray:
    """Two of noise, (2, side, side, 3) float32."""
    return noise(made.case, n=2)


@pytest.fixture(scope="module")
def feature_maps(made: Written, pictures: np.ndarray) -> np.ndarray:
    """What Keras' backbone makes of the pictures, (2, 2, 2, channels) float32."""
    return np.asarray(made.network.backbone(pictures, training=False))


@pytest.fixture(scope="module")
def litert(made: Written) -> LiteRtEngine:
    return LiteRtEngine(made.folder / LITERT_FILE, threads=1)


def is_close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether two answers differ by at most the self-test's tolerance of the largest value."""
    return bool(np.abs(ours - theirs).max() <= TOLERANCE * np.abs(theirs).max())


def test_every_backbone_and_every_head_is_covered():
    assert {case.backbone for case in CASES} | {"baseline_cnn"} == set(BACKBONES)
    assert {case.head for case in CASES} == set(HEADS)
    assert {case.labels for case in CASES} == {TWO, FOUR}


def test_litert_answers_as_keras_does(made, litert, pictures, feature_maps):
    expected = np.asarray(made.network.head(feature_maps, training=False))
    logits, features = litert.run(pictures)
    assert logits.shape == (2, made.case.n_outputs)
    assert is_close(logits, expected)
    assert is_close(features, feature_maps.mean((1, 2)))
    assert np.ptp(expected, axis=0).max() > 0  # one that always says the same proves little


def test_litert_explains_as_keras_does(made, litert, pictures, feature_maps):
    case = made.case
    functions = serving_functions(made.network, case.side_px, case.n_outputs)
    maps = []
    for one_hot in np.eye(case.n_outputs, dtype=np.float32):
        for sign in (1, -1):
            ours = litert.explain(pictures[0], sign * one_hot)
            theirs = functions.explain(feature_maps[:1], sign * one_hot[None])["cam"].numpy()[0]
            assert ours.shape == theirs.shape == (2, 2)
            maps.append((ours, theirs))
    peak = max(theirs.max() for _, theirs in maps)
    assert peak > 0
    assert max(np.abs(ours - theirs).max() for ours, theirs in maps) <= MAP_TOLERANCE * peak


def test_the_written_bundle_gives_the_same_network_again(made, pictures, feature_maps):
    again = load_network(made.folder, verify(made.folder))
    for ours, theirs in zip(again.model.weights, made.network.model.weights, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    np.testing.assert_array_equal(again.backbone(pictures, training=False), feature_maps)


def test_the_weights_are_stored_in_half_their_size(made):
    # Kernels are float16 values; what else there is, vectors, takes little.
    n_weights = made.network.model.count_params()
    assert (made.folder / "model.weights.h5").stat().st_size < 2.3 * n_weights + 1e6
    assert read_spec(made.folder).network.backbone == made.case.backbone
