"""The functions that are served, and their file for LiteRT; needs TensorFlow."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from leukemia_app.errors import BundleError
from leukemia_app.networks.build import Network


@dataclass(frozen=True, kw_only=True)
class ServingFunctions:
    """What every engine runs, as compiled functions of one network.

    `run` maps `pictures`, (n, side, side, 3) float32 scaled pictures, to `logits` (n, n_outputs),
    `features` (n, n_features), which tell how unlike the training pictures they are, and
    `feature_map`, (n, rows, columns, channels). `explain` maps one `feature_map` and `one_hot`
    (1, n_outputs) to `cam` (1, rows, columns), 0 or more.
    """

    run: Callable[..., dict[str, Any]]
    explain: Callable[..., dict[str, Any]]


def serving_functions(network: Network, side_px: int, n_outputs: int) -> ServingFunctions:
    """The network as it is served, dropout off.

    Grad-CAM takes the map that `run` gave, so that a file for LiteRT holds the backbone once:
    with a second one each loaded model needs 12 to 16 MB more.
    Source: Selvaraju et al. 2017, arXiv 1610.02391.

    Raises:
        BundleError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise BundleError(
            f"Keras runs on {keras.backend.backend()}, but models are exported and served by "
            "TensorFlow. Set KERAS_BACKEND=tensorflow."
        )
    map_shape = network.backbone.output.shape[1:]
    pictures_like = tf.TensorSpec([None, side_px, side_px, 3], tf.float32, name="pictures")
    map_like = tf.TensorSpec([1, *map_shape], tf.float32, name="feature_map")
    one_hot_like = tf.TensorSpec([1, n_outputs], tf.float32, name="one_hot")

    def run(pictures: Any) -> dict[str, Any]:
        feature_map, features = network.look(pictures, training=False)
        return {
            "logits": network.head(feature_map, training=False),
            "features": features,
            "feature_map": feature_map,
        }

    def explain(feature_map: Any, one_hot: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            tape.watch(feature_map)
            score = tf.reduce_sum(network.head(feature_map, training=False) * one_hot)
        slope = tape.gradient(score, feature_map)  # (1, rows, columns, channels)
        weights = tf.reduce_mean(slope, axis=[1, 2], keepdims=True)
        return {"cam": tf.nn.relu(tf.reduce_sum(weights * feature_map, axis=-1))}

    return ServingFunctions(
        run=tf.function(run, input_signature=[pictures_like]),
        explain=tf.function(explain, input_signature=[map_like, one_hot_like]),
    )


def export_litert(
    network: Network, side_px: int, n_outputs: int, path: Path, *, halved: bool = True
) -> None:
    """Write the network to `path` as a LiteRT file with the signatures `run` and `explain`.

    The file holds float16, which LiteRT widens when it opens the file: after `round_weights` no
    weight loses anything, only constants such as a slope are rounded. A network with weights
    beyond float16's range gets float32, and every one where `halved` is not set.

    Raises:
        BundleError: LiteRT cannot express the network.
    """
    functions = serving_functions(network, side_px, n_outputs)
    archive = keras.export.ExportArchive()
    archive.track(network.look)
    archive.track(network.head)
    archive.add_endpoint("run", functions.run)
    archive.add_endpoint("explain", functions.explain)
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=["run", "explain"]
        )
        if halved and _fits_float16(network):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        try:
            content = converter.convert()
        except ConverterError as error:
            raise BundleError(
                f"{path.name} cannot be made, since LiteRT lacks an operation of the network; "
                f"write that layer with simpler ones: {error}"
            ) from error
    path.write_bytes(content)


def _fits_float16(network: Network) -> bool:
    largest = np.finfo(np.float16).max
    return all(np.abs(values).max(initial=0) <= largest for values in network.model.get_weights())
