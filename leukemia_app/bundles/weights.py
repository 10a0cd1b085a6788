"""A network's weights as a file: rounded, written, read again; needs Keras when called."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.reference import REFERENCE_FILE, Reference
from leukemia_app.bundles.spec import Spec
from leukemia_app.errors import BundleError

if TYPE_CHECKING:
    from leukemia_app.networks.build import Network

WEIGHTS_FILE = "model.weights.h5"
LAYER_GROUPS = ("layers", "model_weights")
"""Where Keras puts layers: today, and in a whole model of the format before; else at the top."""


def load_network(folder: Path, spec: Spec) -> "Network":
    """The bundle's network with its weights, to serve, to explain or to train on; needs Keras.

    Raises:
        BundleError: the weights do not fit the network that the bundle names.
    """
    from leukemia_app.networks.build import build_network

    n_outputs = Reference.load(folder / REFERENCE_FILE).n_outputs
    try:
        network = build_network(
            spec.network.backbone,
            spec.network.head,
            side_px=spec.recipe.side_px,
            n_outputs=n_outputs,
            head_arguments=spec.network.head_arguments,
        )
        network.model.load_weights(folder / WEIGHTS_FILE)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise BundleError(
            f"{folder.name}/{WEIGHTS_FILE} does not fit {spec.network.backbone} with the head "
            f"{spec.network.head} ({error}). Get the bundle again."
        ) from error
    return network


def round_weights(network: "Network") -> None:
    """Round every kernel to the nearest float16 value, in place; the variables stay float32.

    Halves the stored weights. Do it before anything is measured, so that the figures are those
    of the network that is served. Vectors (offsets, normalisation) are left as they are, and so
    is any kernel beyond float16's range.
    """
    for variable in network.model.variables:
        values = variable.numpy()
        if values.ndim >= 2 and values.dtype == np.float32:
            with np.errstate(over="ignore"):
                rounded = values.astype(np.float16).astype(np.float32)
            if np.isfinite(rounded).all():
                variable.assign(rounded)


def save_weights(network: "Network", path: Path) -> None:
    """Write the weights as Keras weights; kernels that are float16 values are stored so.

    Nothing is lost: Keras reads them back into float32 variables of the same values.
    """
    import h5py

    full = path.with_name(f".{path.name.removesuffix('.weights.h5')}.part.weights.h5")
    network.model.save_weights(full)
    # The newer layout of HDF5 1.10 needs a kilobyte less for each of some 300 arrays.
    with h5py.File(full) as source, h5py.File(path, "w", libver=("v110", "v110")) as target:
        target.attrs.update(source.attrs)

        def copy(name: str, item: Any) -> None:
            # Keras writes the optimizer of a network that was trained: twice the weights again.
            if name.split("/")[0] == "optimizer":
                return
            if isinstance(item, h5py.Group):
                target.require_group(name).attrs.update(item.attrs)
            elif item.ndim < 2:
                target.create_dataset(name, data=item[()])
            else:
                values = _halved(item[()])
                target.create_dataset(
                    name, data=values, chunks=values.shape, compression="gzip", shuffle=True
                )

        source.visititems(copy)
    full.unlink()


def layers_in(path: Path) -> tuple[str, ...]:
    """Names of the layers in a weights file of Keras, of today's format or the one before.

    Raises:
        OSError: the file is no HDF5 file.
    """
    import h5py

    with h5py.File(path) as file:
        return tuple(next((file[name] for name in LAYER_GROUPS if name in file), file))


def _halved(values: NDArray[Any]) -> NDArray[Any]:
    """The same values as float16 where that loses nothing."""
    if not np.issubdtype(values.dtype, np.floating):
        return values
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    return half if np.array_equal(half.astype(values.dtype), values) else values
