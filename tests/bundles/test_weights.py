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


def test_rounding_moves_kernels_by_at_most_half_a_float16_step(network: Network):
    before = values_of(network)
    round_weights(network)
    for old, new in zip(before, values_of(network), strict=True):
        assert new.dtype == np.float32
        # 11 significant bits: half a step is 2^-11 of the value; 2^-25 below the normal range
        assert np.allclose(old, new, rtol=2**-11, atol=2**-25)
        if old.ndim == 1:
            assert (old == new).all()


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
