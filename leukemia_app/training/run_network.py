"""A run's network: as training begins with it, and with the best weights so far."""

from pathlib import Path

import keras

from leukemia_app.bundles.store import read_spec
from leukemia_app.bundles.weights import load_network
from leukemia_app.errors import BundleError, RunError
from leukemia_app.networks.build import (
    Network,
    build_network,
    freeze_below,
    freeze_normalisation,
    quicken_normalisation,
)
from leukemia_app.training.adapt import take_head
from leukemia_app.training.batches import assign
from leukemia_app.training.config import NORMALISATION, RunConfig
from leukemia_app.training.engine import BEST, HEAD_BEST
from leukemia_app.training.precision import FLOAT32, computing_in
from leukemia_app.training.run_folder import RunFolder
from leukemia_app.training.start import load_start
from leukemia_app.training.state import load_weights

STATISTICS = "state/statistics.npz"
"""The backbone with the statistics of the training pictures, where the run takes them."""


def started_network(config: RunConfig, policy: str = FLOAT32) -> Network:
    """The network that training begins with, in float32 unless the policy says otherwise."""
    try:
        with computing_in(policy):
            network = build_network(
                config.backbone,
                config.head,
                side_px=config.recipe.side_px,
                n_outputs=config.n_outputs,
                head_arguments=config.head_arguments,
                scope_block=config.scope_block,
            )
    except (TypeError, ValueError) as error:
        raise RunError(
            f"{config.backbone} with the head {config.head} cannot be built for "
            f"{config.recipe.side_px} px and head_arguments {dict(config.head_arguments)} "
            f"({error})."
        ) from error
    load_start(network, config.start)
    if config.keep_head:
        folder = Path(config.start.removeprefix("bundle:"))
        spec = read_spec(folder)
        take_head(network, load_network(folder, spec), spec, config.labels)
    return network


def network_to_train(config: RunConfig, policy: str = FLOAT32) -> Network:
    """The network as training begins with it, what is not to be tuned frozen.

    Raises:
        RunError: it cannot be built or loaded, or has no block of the name to tune from.
    """
    network = started_network(config, policy)
    _freeze(network, config)
    return network


def _freeze(network: Network, config: RunConfig) -> None:
    """Keep what the configuration does not want tuned."""
    if config.frozen_normalisation:
        freeze_normalisation(network.backbone)
    elif config.tune_from != NORMALISATION:
        quicken_normalisation(network.backbone)
    if config.tune_from == NORMALISATION:
        for layer in network.backbone.layers:
            if not isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
        return
    try:
        freeze_below(network, config.tune_from)
    except BundleError as error:
        raise RunError(f"tune_from is {config.tune_from!r}: {error}") from error


def best_network(config: RunConfig, folder: RunFolder) -> Network:
    """The network in float32 with the best weights on disk."""
    network = started_network(config)
    take_best(network, folder)
    return network


def take_best(network: Network, folder: RunFolder) -> None:
    """Give the network the best weights on disk; without any it stays as it started."""
    whole = [(BEST, network.model)]
    parts = [(STATISTICS, network.backbone), (HEAD_BEST, network.head)]
    for name, model in whole if (folder.path / BEST).exists() else parts:
        if (folder.path / name).exists():
            assign(model, load_weights(folder.path / name))
