"""What LiteRT cannot express is refused in words."""

from pathlib import Path

import keras
import numpy as np
import pytest

from leukemia_app.bundles.engines import LiteRtEngine
from leukemia_app.bundles.export import export_litert
from leukemia_app.errors import BundleError
from leukemia_app.networks.backbones import BLOCKS
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


def test_a_file_gives_the_features_of_the_scope_s_block(tmp_path: Path):
    block = BLOCKS["baseline_cnn"][2]
    made = build_network("baseline_cnn", "plain", side_px=32, n_outputs=2, scope_block=block)
    export_litert(made, 32, 2, tmp_path / "model.tflite", halved=False)
    pictures = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
    logits, features = LiteRtEngine(tmp_path / "model.tflite", threads=1).run(pictures)
    np.testing.assert_allclose(logits, made.model.predict(pictures, verbose=0), atol=1e-4)
    np.testing.assert_allclose(features, np.asarray(made.look(pictures)[1]), atol=1e-4)
    assert features.shape[1] != made.backbone.output.shape[-1]
