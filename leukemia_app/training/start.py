"""Weights that a training starts from."""

import warnings
from pathlib import Path

from leukemia_app.errors import RunError
from leukemia_app.networks.build import Network


def load_start(network: Network, start: str) -> None:
    """Put the start's weights into the backbone; `none` leaves it random.

    Raises:
        RunError: the file is missing or belongs to another backbone.
    """
    kind, _, place = start.partition(":")
    if kind == "none":
        return
    path = Path(place)
    if kind == "bundle":
        path = path / "model.weights.h5"
    if not path.is_file():
        raise RunError(f"{path} is not there; give the weights file that training starts from.")
    try:
        if kind == "file":
            _load_backbone(network, path)
        else:
            _load_backbone_of_bundle(network, path.parent)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise RunError(
            f"{path.name} does not fit the backbone {network.backbone.name}; choose weights that "
            "were made for it."
        ) from error


def _load_backbone(network: Network, path: Path) -> None:
    with warnings.catch_warnings():
        # Keras only warns of layers that the file has not, and leaves them random.
        warnings.simplefilter("error", UserWarning)
        network.backbone.load_weights(path)


def _load_backbone_of_bundle(network: Network, folder: Path) -> None:
    from leukemia_app.bundles.store import verify
    from leukemia_app.bundles.weights import load_network

    parent = load_network(folder, verify(folder))
    network.backbone.set_weights(parent.backbone.get_weights())
