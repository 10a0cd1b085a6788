"""A network is a backbone and a head, built by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras

from leukemia_app.errors import BundleError
from leukemia_app.networks.backbones import BACKBONES, BLOCKS, SMALLEST_SIDES
from leukemia_app.networks.heads import HEADS


@dataclass(frozen=True, kw_only=True)
class Network:
    """Views of the same weights.

    `backbone` maps (batch, side, side, 3) scaled pictures to a (batch, rows, columns, channels)
    feature map, `head` maps that to (batch, n_outputs) logits, `model` does both. The backbone's
    `name` is its key in `BACKBONES`.
    """

    backbone: keras.Model
    head: keras.Model
    model: keras.Model
    scope_block: str = ""
    """Block whose input tells how unlike the training pictures a picture is; `""`: the map."""

    @cached_property
    def look(self) -> keras.Model:
        """Pictures to the feature map and to the features of the scope, (batch, n_features)."""
        body, block = self.backbone, self.scope_block
        told = body.get_layer(block).input if block else body.output
        pooling = keras.layers.GlobalAveragePooling2D if len(told.shape) == 4 else (
            keras.layers.GlobalAveragePooling1D)  # fmt: skip
        average = pooling(name="scope")(told)
        return keras.Model(body.input, [body.output, average], name="look")


def build_network(
    backbone: str,
    head: str,
    *,
    side_px: int,
    n_outputs: int,
    head_arguments: Mapping[str, Any] | None = None,
    scope_block: str = "",
) -> Network:
    """A fresh network with random weights; seed Keras before for the same ones.

    `scope_block` is one of the backbone's `BLOCKS`: what enters it is averaged into the features
    that tell how unlike the training pictures a picture is; `""` averages the feature map.

    Raises:
        BundleError: no backbone, head or block has that name, or the side is too small for it.
    """
    if backbone not in BACKBONES:
        raise BundleError(f"backbone is {backbone!r}; use one of {', '.join(BACKBONES)}.")
    if head not in HEADS:
        raise BundleError(f"head is {head!r}; use one of {', '.join(HEADS)}.")
    if side_px < SMALLEST_SIDES[backbone]:
        raise BundleError(
            f"{backbone} needs pictures of {SMALLEST_SIDES[backbone]} px or more, but "
            f"recipe.side_px is {side_px}; raise it, or choose another backbone."
        )
    _check_block(backbone, scope_block)
    body = BACKBONES[backbone](side_px)
    features = keras.Input(body.output.shape[1:])
    top = keras.Model(
        features, HEADS[head](features, n_outputs, **(head_arguments or {})), name=head
    )
    images = keras.Input((side_px, side_px, 3))
    return Network(
        backbone=body, head=top, model=keras.Model(images, top(body(images))),
        scope_block=scope_block,
    )  # fmt: skip


def _check_block(backbone: str, block: str) -> None:
    if block and block not in BLOCKS[backbone]:
        listed = ", ".join(BLOCKS[backbone])
        raise BundleError(f"{backbone} has no block {block!r}; use one of {listed}.")


def freeze_normalisation(model: keras.Model) -> None:
    """Fix every batch normalisation: its statistics stay, its gain and offset are not trained.

    Small batches of one laboratory's pictures would otherwise move the statistics.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


NORMALISATION_MOMENTUM = 0.9
"""Keras' 0.99 lags behind weights that are kept as a running average: a deep network scored on
such statistics answers at chance for its first thousand steps."""


def quicken_normalisation(model: keras.Model) -> None:
    """Have the statistics of every batch normalisation follow the weights quickly."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = NORMALISATION_MOMENTUM


def freeze_below(network: Network, block: str) -> None:
    """Keep the backbone as it is below a block, one of `BLOCKS`; `""` keeps nothing.

    Batch normalisation below then uses its stored statistics in training, too. Nothing that was
    frozen before is set free.

    Raises:
        BundleError: the backbone has no block of that name.
    """
    if not block:
        return
    _check_block(network.backbone.name, block)
    # Layers are listed by their distance from the map, and a block has a single way in: all that
    # is listed before its first layer lies below it.
    for layer in network.backbone.layers:
        if layer.name == block:
            return
        layer.trainable = False


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Give `target` the weights of `source`, which has the same layers at any side.

    Raises:
        ValueError: the layers differ.
    """
    target.set_weights(source.get_weights())
    renew_constants(target)


def renew_constants(model: keras.Model) -> None:
    """Let each layer compute with the weights that it was given last.

    Keras' input normalisation, as of EfficientNet, keeps a copy of its weights and goes on with
    that when they are assigned from outside.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
