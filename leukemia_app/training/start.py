"""Weights that a training starts from."""

import json
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia_app.bundles.spec import Spec
from leukemia_app.bundles.store import SPEC_FILE, verify
from leukemia_app.bundles.weights import load_network
from leukemia_app.errors import RunError
from leukemia_app.training.imagenet import PUBLISHED, load_file, load_imagenet

if TYPE_CHECKING:
    from leukemia_app.networks.build import Network

FindBundle = Callable[[str], Path]
"""The folder of the bundle with that id; raises an AppError where there is none."""


def load_start(network: "Network", start: str, find_bundle: FindBundle | None = None) -> None:
    """Put the start's weights into the backbone; `none` leaves it random.

    `start` is `none`, `imagenet`, `file:PATH` with weights of the backbone, or `bundle:` with a
    bundle's folder or, where `find_bundle` is given, its id.

    Raises:
        RunError: the weights are missing, cannot be downloaded, or belong to another backbone.
        BundleError: the bundle is damaged.
    """
    kind, _, place = start.partition(":")
    if start == "none":
        return
    if start == "imagenet":
        load_imagenet(network)
    elif kind == "file" and place:
        _load_file(network, Path(place))
    elif kind == "bundle" and place:
        _load_bundle(network, _folder_of(place, find_bundle))
    else:
        raise RunError(f"start is {start!r}; use none, imagenet, file:PATH or bundle:ID.")


def matching_starts(backbone: str, specs: Iterable[Spec]) -> tuple[str, ...]:
    """Every start that fits a backbone, the likely best first.

    Bundles of the same backbone in the order given, then ImageNet where Keras has weights, then
    none. A file always fits that was made for it, but only its owner knows.
    """
    bundles = [f"bundle:{spec.id}" for spec in specs if spec.network.backbone == backbone]
    return (*bundles, *(["imagenet"] if backbone in PUBLISHED else []), "none")


def runs_that_start_from(bundle: Path, runs: Path) -> tuple[str, ...]:
    """Names of the runs in a folder that are not done and begin with that bundle's weights."""
    found = []
    for config in sorted(runs.glob("*/config.json")):
        try:
            start = json.loads(config.read_text(encoding="utf-8")).get("start")
            state = json.loads((config.parent / "status.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, AttributeError):
            continue
        if start == f"bundle:{bundle}" and state.get("state") != "done":
            found.append(config.parent.name)
    return tuple(found)


def _load_file(network: "Network", path: Path) -> None:
    if not path.is_file():
        raise RunError(f"{path} is not there; give the weights file that training starts from.")
    try:
        with warnings.catch_warnings():
            # Keras only warns of layers that the file has not, and leaves them random.
            warnings.simplefilter("error", UserWarning)
            load_file(network.backbone, path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise RunError(
            f"{path.name} does not fit the backbone {network.backbone.name}; choose weights that "
            "were made for it."
        ) from error


def _folder_of(place: str, find_bundle: FindBundle | None) -> Path:
    """The folder of a bundle that is named by its folder or by its id."""
    folder = Path(place)
    # Any folder may happen to have the name of a bundle.
    if find_bundle is not None and not (folder / SPEC_FILE).is_file():
        return find_bundle(place)
    if not folder.is_dir():
        raise RunError(
            f"{place} is not there; give the folder of the bundle to start from. A model that was "
            "deleted must be added again first."
        )
    return folder


def _load_bundle(network: "Network", folder: Path) -> None:
    from leukemia_app.networks.build import copy_weights

    spec = verify(folder)
    name = network.backbone.name
    if spec.network.backbone != name:
        raise RunError(
            f"The bundle {spec.id} has the backbone {spec.network.backbone}, but the run trains "
            f"{name}; choose a bundle with the same one."
        )
    copy_weights(load_network(folder, spec).backbone, network.backbone)
