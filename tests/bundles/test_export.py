"""What LiteRT cannot express is refused in words."""

from pathlib import Path

import keras
import pytest

from leukemia_app.bundles.export import export_litert
from leukemia_app.errors import BundleError
from leukemia_app.networks.build import Network, build_network


@pytest.fixture(scope="module")
def network() -> Network:
    return build_network("baseline_cnn", "plain", side_px=32, n_outputs=2)


def test_a_layer_whose_gradient_litert_lacks_is_refused(network: Network, tmp_path: Path):
    features = keras.Input(network.backbone.output.shape[1:])
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.LeakyReLU()(features))
    head = keras.Model(features, keras.layers.Dense(2)(pooled))
    leaky = Network(backbone=network.backbone, head=head, model=network.model)
    with pytest.raises(BundleError, match=r"model\.tflite cannot be made.*LeakyReluGrad"):
        export_litert(leaky, 32, 2, tmp_path / "model.tflite")
    assert list(tmp_path.iterdir()) == []


def test_another_keras_backend_is_refused(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(BundleError, match=r"Keras runs on jax.*KERAS_BACKEND=tensorflow"):
        export_litert(network, 32, 2, tmp_path / "model.tflite")
