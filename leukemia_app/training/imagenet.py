"""ImageNet weights as Keras publishes them: found, downloaded, kept and loaded."""

import hashlib
import os
import queue
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import Request, urlopen

from leukemia_app.bundles.weights import layers_in
from leukemia_app.errors import RunError

if TYPE_CHECKING:
    import keras

    from leukemia_app.networks.build import Network

STORAGE = "https://storage.googleapis.com"
"""Where Keras keeps its files."""
ANSWER_S = 8.0
"""Seconds within which the storage must answer before a download begins."""
STALL_S = 30.0
"""Seconds without a byte after which a download is given up."""
OTHERWISE = "Start from bundle:ID, from file:PATH with weights fetched elsewhere, or from none."

STDDEV_RGB = (0.229, 0.224, 0.225)
"""Source: keras.applications.efficientnet, IMAGENET_STDDEV_RGB."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A weights file of Keras."""

    path: str
    """Its place in the storage; `{side}` stands for one of `sides`."""
    md5: str | None
    """Its digest in 32 hex digits; Keras knows none for MobileNet."""
    sides: tuple[int, ...] = ()
    """Sides of the pictures that a file of its own was trained for; the last serves all others."""

    def place(self, side_px: int) -> str:
        """The place of the file for pictures of that side."""
        if not self.sides:
            return self.path
        return self.path.format(side=side_px if side_px in self.sides else self.sides[-1])


PUBLISHED: Mapping[str, Published] = {
    "mobilenet": Published(
        path="tensorflow/keras-applications/mobilenet/mobilenet_1_0_{side}_tf_no_top.h5",
        md5=None,
        sides=(128, 160, 192, 224),
    ),
    "efficientnetb0": Published(
        path="keras-applications/efficientnetb0_notop.h5",
        md5="50bc09e76180e00e4465e1a485ddc09d",
    ),
    "vgg16": Published(
        path="tensorflow/keras-applications/vgg16/"
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="6d6bbae143d832006294945121d1f1fc",
    ),
    "resnet50": Published(
        path="tensorflow/keras-applications/resnet/"
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="4d473c1dd8becc155b73f8504c6f6626",
    ),
    "inceptionv3": Published(
        path="tensorflow/keras-applications/inception_v3/"
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="bcbd6486424b2319ff4ef7d526e38f63",
    ),
}
"""The file without the classifier, by backbone. Source: keras.applications 3.15."""


def load_imagenet(network: "Network") -> None:
    """Put Keras' ImageNet weights into the backbone; downloaded once, kept as Keras keeps them.

    Raises:
        RunError: there are none for the backbone, or they cannot be had.
    """
    backbone = network.backbone
    if backbone.name not in PUBLISHED:
        listed = ", ".join(PUBLISHED)
        raise RunError(
            f"start is imagenet, but there are no ImageNet weights of {backbone.name}, only of "
            f"{listed}. Start from bundle:ID, file:PATH or none."
        )
    published = PUBLISHED[backbone.name]
    path = _fetched(f"{STORAGE}/{published.place(backbone.input.shape[1])}", published.md5)
    try:
        backbone.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        # A download that was killed leaves a part behind, and not every file has a digest.
        path.unlink()
        raise RunError(
            f"{path.name} was damaged and is removed ({error}). Start the run again: it will be "
            "downloaded anew."
        ) from error
    if backbone.name == "efficientnetb0":
        _scale_input(backbone)


def load_file(backbone: "keras.Model", path: Path) -> None:
    """Put weights from a file, of ours or of Keras, into the backbone.

    EfficientNetB0 as Keras builds it for ImageNet divides its input once more than without; such
    weights keep their meaning.

    Raises:
        OSError, ValueError, KeyError: the file belongs to another network, or to none.
    """
    backbone.load_weights(path)
    if backbone.name == "efficientnetb0" and (
        _is_published(path, PUBLISHED[backbone.name].md5)
        or sum(name.startswith("rescaling") for name in layers_in(path)) > 1
    ):
        _scale_input(backbone)


def _scale_input(backbone: "keras.Model") -> None:
    """Let EfficientNet's input normalisation divide by the roots of ImageNet's deviations, too.

    With ImageNet weights Keras adds a layer that does so, for the sake of the original. A division
    after one by the root of the variance is one by the root of a larger variance: the network
    stays the same function, and every weight behind it learns as it would there.
    """
    import keras

    from leukemia_app.networks.build import renew_constants

    for layer in backbone.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt_variance.assign(keras.ops.multiply(layer.adapt_variance, STDDEV_RGB))
    renew_constants(backbone)


def _fetched(url: str, md5: str | None) -> Path:
    """The file on this disk, where Keras keeps its own.

    Raises:
        RunError: it is not here and cannot be downloaded.
    """
    import keras

    name = url.rpartition("/")[2]
    if not (_keras_home() / "models" / name).is_file():
        _require_answer(url)
    try:
        with _stalls_end():
            path = keras.utils.get_file(
                name, url, cache_dir=_keras_home(), cache_subdir="models", file_hash=md5
            )
    except Exception as error:  # Keras raises bare ones for a download that failed
        raise _not_had(url, error) from error
    return Path(path)


def _require_answer(url: str) -> None:
    """Ask for the file's head; looking up a name alone may otherwise hang for minutes.

    Raises:
        RunError: nothing or an error came back in time.
    """
    answers: queue.Queue[Exception | None] = queue.Queue()

    def ask() -> None:
        try:
            urlopen(Request(url, method="HEAD"), timeout=ANSWER_S).close()  # noqa: S310
        except (OSError, HTTPException) as error:
            answers.put(error)
        else:
            answers.put(None)

    Thread(target=ask, daemon=True).start()
    try:
        problem = answers.get(timeout=ANSWER_S)
    except queue.Empty:
        problem = TimeoutError(f"no answer within {ANSWER_S:g} s")
    if problem is not None:
        raise _not_had(url, problem) from problem


@contextmanager
def _stalls_end() -> Iterator[None]:
    """Within, a connection that brings nothing for `STALL_S` is an error; Keras sets no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _not_had(url: str, error: Exception) -> RunError:
    # URLError puts its own name round the reason; HTTPError, one of its kinds, says it well.
    reason = error.reason if type(error) is URLError else error
    return RunError(f"The ImageNet weights cannot be downloaded from {url} ({reason}). {OTHERWISE}")


def _is_published(path: Path, md5: str | None) -> bool:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return found.hexdigest() == md5


def _keras_home() -> Path:
    """Where Keras keeps downloads, as documented at keras.utils.get_file."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
