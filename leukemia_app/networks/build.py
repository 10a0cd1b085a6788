"""A network is a backbone and a head, built by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from leukemia_app.errors import BundleError
from leukemia_app.networks.backbones import BACKBONES, BLOCKS, SMALLEST_SIDES
from leukemia_app.networks.heads import HEADS


@dataclass(frozen=True, kw_only=True)
class Network:
    """Three views of the same weights.

    `backbone` maps (batch, side, side, 3) scaled pictures to a (batch, rows, columns, channels)
    feature map, `head` maps that to (batch, n_outputs) logits, `model` does both. The backbone's
    `name` is its key in `BACKBONES`.
    """

    backbone: keras.Model
    head: keras.Model
    model: keras.Model


def build_network(
    backbone: str,
    head: str,
    *,
    side_px: int,
    n_outputs: int,
    head_arguments: Mapping[str, Any] | None = None,
) -> Network:
    """A fresh network with random weights; seed Keras before for the same ones.

    Raises:
        BundleError: no backbone or head has that name, or the side is too small for it.
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
    body = BACKBONES[backbone](side_px)
    features = keras.Input(body.output.shape[1:])
    top = keras.Model(
        features, HEADS[head](features, n_outputs, **(head_arguments or {})), name=head
    )
    images = keras.Input((side_px, side_px, 3))
    return Network(backbone=body, head=top, model=keras.Model(images, top(body(images))))


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
    name = network.backbone.name
    if block not in BLOCKS[name]:
        raise BundleError(f"{name} has no block {block!r}; use one of {', '.join(BLOCKS[name])}.")
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
