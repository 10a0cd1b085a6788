"""A network is a backbone and a head, built by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from leukemia_app.errors import BundleError
from leukemia_app.networks.backbones import BACKBONES
from leukemia_app.networks.heads import HEADS


@dataclass(frozen=True, kw_only=True)
class Network:
    """Three views of the same weights.

    `backbone` maps (batch, side, side, 3) scaled pictures to a (batch, rows, columns, channels)
    feature map, `head` maps that to (batch, n_outputs) logits, `model` does both.
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
        BundleError: no backbone or head has that name.
    """
    if backbone not in BACKBONES:
        raise BundleError(f"backbone is {backbone!r}; use one of {', '.join(BACKBONES)}.")
    if head not in HEADS:
        raise BundleError(f"head is {head!r}; use one of {', '.join(HEADS)}.")
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
