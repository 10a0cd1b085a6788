"""Keras' storage on this machine: weights files under Keras' own names, over loopback."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

APPLICATIONS = {
    "mobilenet": keras.applications.MobileNet,
    "efficientnetb0": keras.applications.EfficientNetB0,
    "vgg16": keras.applications.VGG16,
    "resnet50": keras.applications.ResNet50,
    "inceptionv3": keras.applications.InceptionV3,
}


@dataclass(kw_only=True)
class Storage:
    """What is served, and what was asked for."""

    url: str
    files: dict[str, Path] = field(default_factory=dict)
    """By place below the address."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and place of each request, in order."""


@contextmanager
def storage() -> Iterator[Storage]:
    """A server on loopback that answers 404 where it has no file."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            place = self.path.lstrip("/")
            served.asked.append((self.command, place))
            if place not in served.files:
                self.send_error(404)
                return
            content = served.files[place].read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_GET = do_HEAD = _answer

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Storage(url=f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def as_published(backbone: str, side_px: int, path: Path) -> Path:
    """A file of random weights as Keras publishes them: no top, the format before today's."""
    keras.utils.set_random_seed(11)
    made = APPLICATIONS[backbone](
        include_top=False, weights=None, input_shape=(side_px, side_px, 3)
    )
    rng = np.random.default_rng(11)
    for layer in made.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            values = [rng.uniform(0.5, 1.5, value.shape) for value in layer.get_weights()]
            layer.set_weights(values)
        elif isinstance(layer, keras.layers.Normalization):
            # Mean and variance of ImageNet, as in Keras' own file.
            mean, variance = [0.485, 0.456, 0.406], [0.229**2, 0.224**2, 0.225**2]
            layer.set_weights([np.array(mean), np.array(variance), np.array(1)])
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, made)
    return path


def md5_of(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
