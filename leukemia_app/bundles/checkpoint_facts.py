"""What can be known of a stranger's checkpoint before it is run, and what must be asked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from leukemia_app.bundles.checkpoint_layers import MAX_REACH
from leukemia_app.bundles.checkpoint_plan import Plan, answering_width, with_logits
from leukemia_app.errors import BundleError

SOFTMAX, SIGMOID, LOGITS = "softmax", "sigmoid", "none: logits"
_REGRESSION = ("mse", "mean_squared_error", "mae", "mean_absolute_error", "huber", "log_cosh",
               "mape", "msle", "mean_absolute_percentage_error", "meansquarederror",
               "meanabsoluteerror")  # fmt: skip
_SCALING_BY_NAME = (
    ("efficientnet", "none"), ("convnext", "none"), ("mobilenet_3", "none"),
    ("mobilenet", "signed_unit"), ("inception", "signed_unit"), ("xception", "signed_unit"),
    ("nasnet", "signed_unit"), ("resnet50v2", "signed_unit"), ("resnet101v2", "signed_unit"),
    ("resnet", "caffe"), ("vgg", "caffe"), ("densenet", "torch"), ("conv_dw_", "signed_unit"),
    ("expanded_conv", "signed_unit"), ("conv5_block3", "caffe"), ("block5_conv3", "caffe"),
)  # fmt: skip
"""Parts of names that keras.applications give, and what those networks were made for."""


@dataclass(frozen=True, kw_only=True)
class CheckpointFacts:
    """A checkpoint as the child process found it; every text in it is a stranger's."""

    file: str
    kind: str
    keras_version: str
    rows: int | None
    """None: any number; it is asked for."""
    columns: int | None
    channels: int
    n_outputs: int
    activation: str
    """What made the network's last values probabilities; it is taken off and put on again here."""
    n_layers: int
    n_parameters: int
    labels: tuple[str, ...]
    """As found, as many as there are classes; empty where none were."""
    labels_from: str
    scaling: str
    """The likely one."""
    scaling_why: str
    backbone: str = ""
    head: str = ""
    """Of this app's own networks, of which the file holds weights alone; else empty."""
    held: tuple[str, ...] = ()
    """The bounds that held while the file was open."""

    @property
    def n_classes(self) -> int:
        """One an output, or two for a single one."""
        return max(2, self.n_outputs)

    @property
    def side_px(self) -> int | None:
        """Side of the square that the pictures are made; None where it is to be asked."""
        return None if self.rows is None or self.columns is None else max(self.rows, self.columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"n_classes": self.n_classes, "side_px": self.side_px}


def answer_of(plan: Plan, loss: Any, file: str) -> tuple[Plan, str, int]:
    """The plan that ends in logits, what stood after them, and their number.

    Raises:
        BundleError: the network does not choose one of several classes.
    """
    cut, activation = with_logits(plan)
    width = answering_width(cut)
    if width is None:
        raise BundleError(
            f"{file} is not taken: it does not end in a layer with one value a class (Dense, or a "
            "convolution that is averaged). Classifiers of pictures are read."
        )
    name = _loss_name(loss)
    if activation in ("linear", "softmax", "sigmoid") and width > 1:
        if activation == "sigmoid":
            raise BundleError(
                f"{file} is not taken: its {width} outputs are sigmoids, each a question of its "
                "own. Networks that choose one class are read: softmax, or a single sigmoid."
            )
        if activation == "softmax" or name not in _REGRESSION:
            return cut, SOFTMAX if activation == "softmax" else LOGITS, width
    if width == 1 and activation == "sigmoid":
        return cut, SIGMOID, 1
    if width == 1 and activation == "linear" and "binary" in name:
        return cut, LOGITS, 1
    raise BundleError(
        f"{file} is not taken: it gives {width} {'number' if width == 1 else 'numbers'} by "
        f"{activation}{f', trained for {name}' if name.isidentifier() else ''}, which is an "
        "estimate of an amount and no choice of a class."
    )


def _loss_name(loss: Any) -> str:
    if isinstance(loss, Mapping):
        inner = loss.get("config")
        if loss.get("class_name") in ("function", None) and isinstance(inner, str):
            return inner.lower()
        loss = loss.get("class_name")
    return loss.lower()[:60] if isinstance(loss, str) else ""


def side_of(shape: Sequence[int | None] | None, file: str) -> tuple[int | None, int | None, int]:
    """Rows, columns and channels of the pictures that a network takes; None: any number.

    Raises:
        BundleError: it takes no pictures.
    """
    if shape is None:
        raise BundleError(
            f"{file} is not taken: it does not say what it takes, as a network that was never "
            "used. Call it on a picture before it is saved."
        )
    if len(shape) != 3:
        raise BundleError(
            f"{file} is not taken: it takes an input of the shape {tuple(shape)}, and pictures "
            "have rows, columns and channels. Numbers in a table, text and sound are not read here."
        )
    rows, columns, channels = shape
    if channels not in (1, 3):
        raise BundleError(
            f"{file} is not taken: it takes {channels} channels at the end of its input {shape}; "
            "pictures in colour (3) or grey (1) are read."
        )
    for length in (rows, columns):
        if length is not None and not 32 <= length <= MAX_REACH:
            raise BundleError(
                f"{file} is not taken: it takes pictures of {rows} × {columns} px; 32 to "
                f"{MAX_REACH} are read."
            )
    return rows, columns, channels


def likely_scaling(plan: Plan) -> tuple[str, str]:
    """How the network most likely wants its pixels, and why that is thought."""
    kinds = [layer.kind for layer in plan.every_layer() if layer.inner is None]
    first = next((at for at, kind in enumerate(kinds) if "Conv" in kind or kind == "Dense"),
                 len(kinds))  # fmt: skip
    inside = [kind for kind in kinds[:first] if kind in ("Rescaling", "Normalization")]
    if inside:
        return "none", f"a {inside[0]} layer inside the network scales the pixels itself"
    names = [plan.name.lower(), *(layer.name.lower() for layer in plan.every_layer())]
    for part, scaling in _SCALING_BY_NAME:
        if any(part in name for name in names):
            return scaling, f"its layers are called as those of networks with “{part}”"
    return "unit", "most small networks are trained on pixels from 0 to 1; the file does not say"
