"""A small vision transformer of plain layers, to be trained from scratch."""

import keras
from keras import ops

PATCH_PX = 16
WIDTH = 192
ATTENTION_HEADS = 3
N_BLOCKS = 6
"""Half of ViT-Ti: there are no weights to start from, and thousands of pictures, not millions."""
PLACES = 14
"""Rows and columns of the table of positions: the places of a picture of 224 px."""


@keras.saving.register_keras_serializable(package="leukemia_app")
class Positions(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Adds a learned vector to each place of a (batch, rows, columns, channels) map.

    The table has 14 by 14 places and is interpolated bilinearly for maps of another size, so
    weights that were learned at one side of the picture fit every other.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """One table for all sizes, drawn as small random numbers."""
        self.table = self.add_weight(
            name="table",
            shape=(1, PLACES, PLACES, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def call(self, features: keras.KerasTensor) -> keras.KerasTensor:
        """The map with its places marked, of the same shape."""
        size = tuple(features.shape[1:3])
        table = ops.convert_to_tensor(self.table)  # (1, 14, 14, channels)
        if size != (PLACES, PLACES):
            table = ops.image.resize(table, size)  # (1, rows, columns, channels)
        return features + ops.cast(table, features.dtype)


def vision_transformer(side_px: int) -> keras.Model:
    """Six pre-norm transformer blocks over patches of 16 px, width 192, 3 attention heads.

    (batch, side, side, 3) in -1..1 to (batch, side/16, side/16, 192).
    Source: Dosovitskiy et al. 2021, arXiv 2010.11929, half as deep as Touvron et al. 2021
    (arXiv 2012.12877) have it in DeiT-Ti.
    """
    images = keras.Input((side_px, side_px, 3))
    features = keras.layers.Conv2D(
        WIDTH, PATCH_PX, strides=PATCH_PX, padding="same", name="patches"
    )(images)  # (batch, rows, columns, channels)
    features = Positions(name="positions")(features)
    rows, columns = features.shape[1:3]
    tokens = keras.layers.Reshape((rows * columns, WIDTH), name="tokens")(features)
    for number in range(1, N_BLOCKS + 1):
        tokens = _block(tokens, f"block{number}")
    tokens = keras.layers.LayerNormalization(epsilon=1e-6, name="norm")(tokens)
    features = keras.layers.Reshape((rows, columns, WIDTH), name="map")(tokens)
    return keras.Model(images, features, name="vit")


def _block(tokens: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Self-attention, then two dense layers, each added to what came in; shapes stay."""
    normed = keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm1")(tokens)
    attended = keras.layers.MultiHeadAttention(
        ATTENTION_HEADS, WIDTH // ATTENTION_HEADS, name=f"{name}_attention"
    )(normed, normed)
    tokens = keras.layers.Add(name=f"{name}_add1")([tokens, attended])
    normed = keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm2")(tokens)
    wide = keras.layers.Dense(4 * WIDTH, activation="gelu", name=f"{name}_dense1")(normed)
    narrow = keras.layers.Dense(WIDTH, name=f"{name}_dense2")(wide)
    return keras.layers.Add(name=f"{name}_add2")([tokens, narrow])
