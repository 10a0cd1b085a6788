"""A network's weights as a file: rounded, written, read again; needs Keras when called."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.reference import REFERENCE_FILE, Reference
from leukemia_app.bundles.spec import Spec
from leukemia_app.bundles.weights_file import check_weights_file
from leukemia_app.errors import BundleError

if TYPE_CHECKING:
    from leukemia_app.networks.build import Network

WEIGHTS_FILE = "model.weights.h5"
LAYER_GROUPS = ("layers", "model_weights")
"""Where Keras puts layers: today, and in a whole model of the format before; else at the top."""


def load_network(folder: Path, spec: Spec) -> "Network":
    """The bundle's network with its weights, to serve, to explain or to train on; needs Keras.

    Raises:
        BundleError: the weights do not fit the network that the bundle names, or are more than
            arrays of numbers.
    """
    from leukemia_app.networks.build import build_network

    if not spec.network.is_rebuildable:
        raise BundleError(
            f"{spec.id} was imported from a checkpoint: it has a graph to be asked, and no network "
            "that could be built again. Start from another model."
        )
    check_weights_file(folder / WEIGHTS_FILE)
    n_outputs = Reference.load(folder / REFERENCE_FILE).n_outputs
    try:
        network = build_network(
            spec.network.backbone,
            spec.network.head,
            side_px=spec.recipe.side_px,
            n_outputs=n_outputs,
            head_arguments=spec.network.head_arguments,
            scope_block=spec.scope.block if spec.scope else "",
        )
        network.model.load_weights(folder / WEIGHTS_FILE)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise BundleError(
            f"{folder.name}/{WEIGHTS_FILE} does not fit {spec.network.backbone} with the head "
            f"{spec.network.head} ({error}). Get the bundle again."
        ) from error
    return network


def round_weights(network: "Network") -> None:
    """Round the weights to the nearest float16 values, in place; the variables stay float32.

    Halves the files. Do it before anything is measured, so that the figures are those of the
    network that is served. A serving file holds batch normalisation folded into the convolution
    before it: what is rounded is the folded kernel and offset. What is beyond float16's range is
    left as it is. A second time changes nothing.
    """
    from keras.layers import BatchNormalization

    folded: set[int] = set()
    for part in (network.backbone, network.head):
        convolutions = _convolutions_before(part)
        for layer in part.layers:
            if isinstance(layer, BatchNormalization):
                _round_normalisation(layer, convolutions.get(layer.name))
                folded |= {id(variable) for variable in layer.variables}
    scales = _scales_before(network.backbone)
    for variable in network.model.variables:
        values = variable.numpy()
        if id(variable) not in folded and values.dtype == np.float32:
            scale = scales.get(id(variable), np.float32(1))
            rounded = _half(values * scale) / scale
            if np.isfinite(rounded).all():
                variable.assign(rounded)


def _convolutions_before(part: Any) -> dict[str, Any]:
    """By name of a batch normalisation: the convolution whose output it alone reads."""
    from keras.layers import BatchNormalization, Conv2D, DepthwiseConv2D, InputLayer
    from keras.tree import flatten

    layers = [layer for layer in part.layers if not isinstance(layer, InputLayer)]
    readers = Counter(id(tensor) for layer in layers for tensor in flatten(layer.input))
    made_by = {id(layer.output): layer for layer in layers}
    found = {}
    for layer in layers:
        if isinstance(layer, BatchNormalization) and readers[id(layer.input)] == 1:
            before = made_by.get(id(layer.input))
            if isinstance(before, Conv2D | DepthwiseConv2D):
                found[layer.name] = before
    return found


def _scales_before(part: Any) -> dict[int, np.float32]:
    """By id of the first kernel: the factor of the pictures, where the network has one inside.

    EfficientNet divides by 255; that is folded into its first convolution, too.
    """
    from keras.layers import Conv2D, Rescaling

    scale = None
    for layer in part.layers:
        if isinstance(layer, Rescaling) and np.ndim(layer.scale) == 0:
            scale = np.float32(layer.scale)
        elif isinstance(layer, Conv2D):
            return {} if scale is None else {id(layer.kernel): scale}
    return {}


def _round_normalisation(layer: Any, convolution: Any | None) -> None:
    """Make what is left of a batch normalisation, folded, float16 values.

    With gain g, offset b, mean m and variance v, g (x - m) / sqrt(v + e) + b stays what it is for
    x' = s x, s = |g| / sqrt(v + e), m' = s m and v' = g^2 - e. So the convolution takes s, the
    normalisation keeps the sign, and v' is x's new variance but for e: training can go on from
    here. g is at least sqrt(e), so that v' is not negative.
    """
    mean, variance = (
        variable.numpy().astype(np.float64)
        for variable in (layer.moving_mean, layer.moving_variance)
    )
    gain = layer.gamma.numpy().astype(np.float64) if layer.scale else np.ones_like(mean)
    offset = layer.beta.numpy().astype(np.float64) if layer.center else np.zeros_like(mean)
    scale = np.abs(gain) / np.sqrt(variance + layer.epsilon)
    if convolution is not None and _took(convolution, scale):
        mean = (mean * scale).astype(np.float32).astype(np.float64)
        gain = np.where(gain < 0, -1, 1) * np.maximum(np.abs(gain), np.sqrt(layer.epsilon) * 1.001)
        variance = (gain**2 - layer.epsilon).astype(np.float32).astype(np.float64)
    bias: NDArray[np.float32] | float = 0.0
    if convolution is not None and convolution.use_bias:
        bias = _half(convolution.bias.numpy())
    deviation = np.sqrt(variance + layer.epsilon)
    slope = _half(gain / deviation) if layer.scale else gain / deviation
    shift = slope * (bias - mean)
    values = (slope * deviation, _half(offset + shift) - shift, mean, variance)
    for variable, new in zip(
        (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance), values, strict=True
    ):
        # What float32 cannot tell apart stays, so that a second time changes nothing.
        if variable is not None and not np.allclose(variable.numpy(), new, rtol=1e-6, atol=1e-9):
            variable.assign(new)


def _took(convolution: Any, scale: NDArray[np.float64]) -> bool:
    """Multiply a convolution's channels, unless that changes nothing or leaves float16's range."""
    from keras.layers import DepthwiseConv2D

    kernel = convolution.kernel.numpy()
    if isinstance(convolution, DepthwiseConv2D):  # (rows, columns, channels, copies of each)
        scaled = _half(kernel * scale.reshape(kernel.shape[2:]))
    else:
        scaled = _half(kernel * scale)
    if np.allclose(scale, 1, rtol=0, atol=1e-6) or not np.isfinite(scaled).all():
        return False
    convolution.kernel.assign(scaled)
    if convolution.use_bias:
        convolution.bias.assign(_half(convolution.bias.numpy() * scale))
    return True


def _half(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float32)


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
