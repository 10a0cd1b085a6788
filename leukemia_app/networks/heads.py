"""Heads: from a feature map to logits. Adding one is a function and a line.

Keras is imported where a head is built: the page and the command line list names without it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

DROPOUT = 0.3
"""Share of the features that a head leaves out at each step of training."""


def plain(
    features: "keras.KerasTensor", n_outputs: int, dropout: float = DROPOUT
) -> "keras.KerasTensor":
    """Global average, dropout, one dense layer: (batch, rows, columns, channels) to logits."""
    import keras

    pooled = keras.layers.GlobalAveragePooling2D()(features)  # (batch, channels)
    pooled = keras.layers.Dropout(dropout)(pooled)
    return _logits(pooled, n_outputs)


def attention(
    features: "keras.KerasTensor",
    n_outputs: int,
    dropout: float = DROPOUT,
    channels: int = 128,
    heads: int = 4,
) -> "keras.KerasTensor":
    """Self-attention over the places of the map, then average and one dense layer.

    The map is projected to `channels` first, so that the head stays small; each place may then
    look at every other. (batch, rows, columns, channels) to (batch, n_outputs) logits.
    Source: Vaswani et al. 2017, arXiv 1706.03762.
    """
    import keras

    rows, columns = features.shape[1:3]
    tokens = keras.layers.Conv2D(channels, 1)(features)  # (batch, rows, columns, channels)
    tokens = keras.layers.Reshape((rows * columns, channels))(tokens)  # (batch, tokens, channels)
    attend = keras.layers.MultiHeadAttention(heads, channels // heads)
    tokens = keras.layers.Add()([tokens, attend(tokens, tokens)])
    # Statistics follow quickly: the kept weights are a running average, and lagging ones spoil it.
    tokens = keras.layers.BatchNormalization(momentum=0.9)(tokens)
    # Leaky ReLU written out: LiteRT has no gradient of the layer, and Grad-CAM needs one.
    tokens = keras.ops.maximum(tokens, 0.2 * tokens)
    tokens = keras.layers.Dropout(dropout)(tokens)
    pooled = keras.layers.GlobalAveragePooling1D()(tokens)  # (batch, channels)
    return _logits(pooled, n_outputs)


def _logits(pooled: "keras.KerasTensor", n_outputs: int) -> "keras.KerasTensor":
    import keras

    # float32 also where a run computes the rest in 16 bits: the loss would lose its small steps.
    return keras.layers.Dense(n_outputs, dtype="float32", name="logits")(pooled)


HEADS: Mapping[str, Callable[..., "keras.KerasTensor"]] = {"plain": plain, "attention": attention}
