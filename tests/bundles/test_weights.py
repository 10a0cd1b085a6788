"""Weights as a file: half the size, and nothing lost."""

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from leukemia_app.bundles.store import read_spec
from leukemia_app.bundles.weights import (
    WEIGHTS_FILE,
    layers_in,
    load_network,
    round_weights,
    save_weights,
)
from leukemia_app.errors import BundleError
from leukemia_app.networks.build import Network, build_network


@pytest.fixture
def network() -> Network:
    keras.utils.set_random_seed(1)
    return build_network("baseline_cnn", "plain", side_px=32, n_outputs=2)


def values_of(network: Network) -> list[np.ndarray]:
    return [variable.numpy() for variable in network.model.weights]


def disturb_normalisation(network: Network, seed: int = 0) -> None:
    """Statistics, gains of either sign and offsets as training leaves them."""
    draw = np.random.default_rng(seed)
    for part in (network.backbone, network.head):
        for layer in part.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                n = layer.moving_mean.shape
                if layer.scale:
                    layer.gamma.assign(draw.normal(0, 1, n))
                if layer.center:
                    layer.beta.assign(draw.normal(0, 0.3, n))
                layer.moving_mean.assign(draw.normal(0, 0.5, n))
                layer.moving_variance.assign(draw.uniform(1e-4, 2, n))


def folded(convolution, normalisation) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and offset as an exporter folds them."""
    scale = normalisation.gamma.numpy() / np.sqrt(
        normalisation.moving_variance.numpy() + np.float32(normalisation.epsilon)
    )
    bias = convolution.bias.numpy() if convolution.use_bias else 0
    offset = normalisation.beta.numpy() + scale * (bias - normalisation.moving_mean.numpy())
    kernel = convolution.kernel.numpy()
    if isinstance(convolution, keras.layers.DepthwiseConv2D):
        scale = scale.reshape(kernel.shape[2:])
    return kernel * scale, offset


def nearly_half(values: np.ndarray) -> bool:
    """Whether float32 arithmetic alone keeps them from being float16 values."""
    return np.allclose(values, values.astype(np.float16).astype(np.float32), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("backbone", "head"),
    [("baseline_cnn", "plain"), ("mobilenet", "attention"), ("resnet50", "plain")],
)
def test_rounding_moves_answers_little_and_what_is_served_less(backbone: str, head: str):
    keras.utils.set_random_seed(1)
    network = build_network(backbone, head, side_px=32, n_outputs=2)
    disturb_normalisation(network)
    pictures = np.random.default_rng(2).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)
    before = network.model(pictures, training=False).numpy()
    round_weights(network)
    once = values_of(network)
    # float16 keeps 11 bits, 5e-4 of a weight; tens of layers add up
    after = network.model(pictures, training=False).numpy()
    assert np.abs(before - after).max() < 0.03 * (1 + np.abs(before).max())
    layers = {layer.name: layer for layer in network.backbone.layers}
    pairs = [
        (before, layer) for layer in layers.values()
        if isinstance(layer, keras.layers.BatchNormalization)
        and isinstance(before := layers.get(layer.input._keras_history.operation.name),
                       keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    ]  # fmt: skip
    assert len(pairs) >= 4
    for convolution, normalisation in pairs:
        assert all(nearly_half(values) for values in folded(convolution, normalisation))
    round_weights(network)
    assert all((old == new).all() for old, new in zip(once, values_of(network), strict=True))


def test_a_rounded_network_learns_on_as_it_would_have(network: Network):
    # In training, batch statistics take the place of the stored ones: the answers stay the same
    # there, too, because the kernel's new scale falls out again and the gain is what it was.
    disturb_normalisation(network)
    for layer in network.backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(np.where(layer.gamma < 0, -0.5, 1.5))
            layer.moving_variance.assign(np.full(layer.gamma.shape, 0.3))
    pictures = np.random.default_rng(2).uniform(-1, 1, (16, 32, 32, 3)).astype(np.float32)
    before = network.backbone(pictures, training=True).numpy()
    round_weights(network)
    after = network.backbone(pictures, training=True).numpy()
    # Values are about 1; with gains of 1 instead they would be half a unit away.
    assert np.abs(before - after).mean() < 0.01 < 0.3 < np.abs(before).mean()


def convolved_and_normalised(*, joined: bool, **normalisation: bool) -> Network:
    pictures = keras.Input((8, 8, 3))
    convolved = keras.layers.Conv2D(4, 3, padding="same")(pictures)
    features = keras.layers.BatchNormalization(**normalisation)(convolved)
    if joined:
        features = keras.layers.Add()([convolved, features])
    body = keras.Model(pictures, features)
    given = keras.Input((8, 8, 4))
    pooled = keras.layers.GlobalAveragePooling2D()(given)
    top = keras.Model(given, keras.layers.Dense(2)(pooled))
    return Network(backbone=body, head=top, model=keras.Model(pictures, top(body(pictures))))


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("joined", [False, True])
def test_a_normalisation_of_any_kind_keeps_its_meaning(joined: bool, scale: bool, center: bool):
    # InceptionV3 has no gains; a convolution that others read too must not be scaled.
    network = convolved_and_normalised(joined=joined, scale=scale, center=center)
    disturb_normalisation(network)
    given = np.random.default_rng(2).uniform(-1, 1, (2, 8, 8, 3)).astype(np.float32)
    before = network.model(given, training=False).numpy()
    round_weights(network)
    assert np.allclose(before, network.model(given, training=False), rtol=0.01, atol=0.01)
    once = values_of(network)
    round_weights(network)
    assert all((old == new).all() for old, new in zip(once, values_of(network), strict=True))


def test_a_kernel_beyond_float16_is_left_as_it_is(network: Network):
    kernel = network.head.weights[0]
    kernel.assign(np.full(kernel.shape, 70000.123, np.float32))
    round_weights(network)
    assert (kernel.numpy() == np.float32(70000.123)).all()


@pytest.mark.parametrize("rounded", [True, False])
def test_weights_are_read_back_bit_for_bit(network: Network, tmp_path: Path, rounded: bool):
    if rounded:
        round_weights(network)
    path = tmp_path / "any.weights.h5"
    save_weights(network, path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    other = build_network("baseline_cnn", "plain", side_px=32, n_outputs=2)
    other.model.load_weights(path)
    for old, new in zip(values_of(network), values_of(other), strict=True):
        assert new.dtype == old.dtype
        assert (old == new).all()


def test_rounded_weights_take_half_the_space(network: Network, tmp_path: Path):
    save_weights(network, tmp_path / "full.weights.h5")
    round_weights(network)
    save_weights(network, tmp_path / "half.weights.h5")
    full, half = ((tmp_path / f"{name}.weights.h5").stat().st_size for name in ("full", "half"))
    assert half < 0.6 * full


def test_a_bundles_network_is_built_again_with_its_weights(written: Path):
    network = load_network(written, read_spec(written))
    assert network.model.output.shape == (None, 3)


# Keras warns of every part it misses before it refuses the whole.
@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_weights_of_another_network_are_refused(bundle: Path, network: Network):
    save_weights(network, bundle / WEIGHTS_FILE)
    with pytest.raises(
        BundleError, match=r"small/model\.weights\.h5 does not fit baseline_cnn with .* attention"
    ):
        load_network(bundle, read_spec(bundle))


def test_the_optimizer_of_a_trained_network_is_left_out(network: Network, tmp_path: Path):
    network.model.compile("adam", "mse")
    network.model.train_on_batch(np.zeros((1, 32, 32, 3), "float32"), np.zeros((1, 2), "float32"))
    save_weights(network, tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert sorted(file) == ["layers", "vars"]


def with_counters() -> Network:
    """A network whose backbone counts: a number, as EfficientNet's input does, and a table."""

    class Counters(keras.layers.Layer):
        def build(self, _):
            for name, shape in (("one", ()), ("table", (2, 3))):
                self.add_weight(shape=shape, dtype="int64", trainable=False, name=name)

        def call(self, pictures):
            return pictures

    images = keras.Input((8, 8, 3))
    backbone = keras.Model(images, Counters()(images))
    head = keras.Model(images, keras.layers.Dense(2)(images))
    return Network(backbone=backbone, head=head, model=keras.Model(images, head(backbone(images))))


def test_whole_numbers_stay_as_they_are_and_of_their_kind(tmp_path: Path):
    first, second = with_counters(), with_counters()
    # 2049 is the first whole number that float16 lacks; 2**40 is beyond float32's, too.
    counts = [np.array(2**40 + 1), np.array([[1, 2048, 2049], [0, -5, 2**40 + 1]])]
    first.backbone.set_weights(counts)
    round_weights(first)
    save_weights(first, tmp_path / "any.weights.h5")
    second.model.load_weights(tmp_path / "any.weights.h5")
    for expected, found in zip(counts, second.backbone.get_weights(), strict=True):
        assert found.dtype == np.int64
        assert (found == expected).all()
    with h5py.File(tmp_path / "any.weights.h5") as file:
        kinds: dict[str, str] = {}
        file.visititems(
            lambda name, item: kinds.update(
                {name: str(item.dtype)} if hasattr(item, "dtype") else {}
            )
        )
    assert sorted(kinds.values()) == ["float16", "float32", "int64", "int64"]


def test_the_layers_in_a_file_are_named_in_either_format(tmp_path: Path):
    small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="first")])
    small.save_weights(tmp_path / "now.weights.h5")
    with h5py.File(tmp_path / "whole.h5", "w") as file:
        file.create_group("model_weights").create_group("first")
    with h5py.File(tmp_path / "before.h5", "w") as file:
        file.create_group("first")
    assert layers_in(tmp_path / "now.weights.h5") == ("dense",)
    assert layers_in(tmp_path / "whole.h5") == layers_in(tmp_path / "before.h5") == ("first",)
    (tmp_path / "no.h5").write_bytes(b"no weights")
    with pytest.raises(OSError, match="file signature not found"):
        layers_in(tmp_path / "no.h5")
