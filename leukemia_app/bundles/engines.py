"""What runs a network: LiteRT from a file, or Keras; both give the same answers."""

import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np

from leukemia_app.bundles.reference import REFERENCE_FILE, Reference
from leukemia_app.bundles.spec import Spec
from leukemia_app.bundles.weights import load_network
from leukemia_app.errors import BundleError
from leukemia_app.imaging.picture import FloatArray

LITERT_FILE = "model.tflite"

LITERT_MEMORY_RATIO = 3.2
"""Memory of an interpreter over its file's size; 2.7 MobileNet, 3.1 EfficientNetB0."""
KERAS_MEMORY_RATIO = 6.0
"""Memory of a Keras engine over its float32 weights; 5.5 MobileNet, 3.9 EfficientNetB0."""


class Engine(Protocol):
    """Runs one network, for many threads at once."""

    @property
    def device(self) -> str:
        """`cpu` or `gpu`."""

    @property
    def memory_mb(self) -> float:
        """Memory that the engine may take, estimated from the size of its file."""

    def run(self, batch: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logits (n, n_outputs) and features (n, channels), both float32.

        `batch` is (n, side, side, 3) float32, scaled as the recipe says; features are the
        averages of the backbone's map.
        """

    def explain(self, image: FloatArray, one_hot: FloatArray) -> FloatArray | None:
        """Grad-CAM of one output, (rows, columns) float32, 0 or more; None where there is none.

        `image` is (side, side, 3) float32, `one_hot` (n_outputs,) float32 weighs the logits.
        """


@dataclass(frozen=True, kw_only=True)
class _Interpreter:
    """One LiteRT interpreter; it serves one thread at a time."""

    run: Any
    explain: Any


class LiteRtEngine:
    """A LiteRT file on the CPU; TensorFlow is not needed.

    One interpreter uses two threads at most; where there are more, further interpreters are made
    when several pictures are asked for at once. Pictures go in one by one: LiteRT gains nothing
    from a batch of 32, but then needs 170 to 440 MB more.
    """

    device = "cpu"

    def __init__(self, path: Path, threads: int) -> None:
        """Open the file with room for `threads` threads in all.

        Raises:
            BundleError: the file is not a LiteRT file with the signatures `run` and `explain`.
        """
        self._path = path
        self._threads_each = min(threads, 2)
        self._most = max(1, threads // 2)
        self._made = 1
        self._lock = Lock()
        self._free: queue.LifoQueue[_Interpreter] = queue.LifoQueue()
        self._free.put(self._open())
        self.memory_mb = self._most * LITERT_MEMORY_RATIO * path.stat().st_size / 1e6

    def run(self, batch: FloatArray) -> tuple[FloatArray, FloatArray]:
        """As `Engine.run`."""
        if self._most == 1 or len(batch) == 1:
            answers = [self._run_one(image) for image in batch]
        else:
            with ThreadPoolExecutor(min(self._most, len(batch))) as pool:
                answers = list(pool.map(self._run_one, batch))
        return (
            np.concatenate([answer["logits"] for answer in answers]),
            np.concatenate([answer["features"] for answer in answers]),
        )

    def explain(self, image: FloatArray, one_hot: FloatArray) -> FloatArray | None:
        """As `Engine.explain`."""
        with self._interpreter() as interpreter:
            answer = interpreter.run(pictures=image[None])
            explained = interpreter.explain(
                feature_map=answer["feature_map"], one_hot=one_hot[None]
            )
        cam: FloatArray = explained["cam"][0]
        return cam

    def _run_one(self, image: FloatArray) -> dict[str, FloatArray]:
        with self._interpreter() as interpreter:
            answer: dict[str, FloatArray] = interpreter.run(pictures=image[None])
            return answer

    @contextmanager
    def _interpreter(self) -> Iterator[_Interpreter]:
        """An interpreter that no other thread uses meanwhile."""
        interpreter = self._take()
        try:
            yield interpreter
        finally:
            self._free.put(interpreter)

    def _take(self) -> _Interpreter:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            pass
        with self._lock:
            may_open = self._made < self._most
            self._made += may_open
        return self._open() if may_open else self._free.get()

    def _open(self) -> _Interpreter:
        from ai_edge_litert.interpreter import Interpreter  # absent where Keras serves

        name = f"{self._path.parent.name}/{self._path.name}"
        try:
            interpreter = Interpreter(str(self._path), num_threads=self._threads_each)
            return _Interpreter(
                run=interpreter.get_signature_runner("run"),
                explain=interpreter.get_signature_runner("explain"),
            )
        except ValueError as error:
            raise BundleError(
                f"{name} cannot be run ({error}). Export the bundle again."
            ) from error


class KerasEngine:
    """The network rebuilt in Keras, on a GPU, or on a CPU without LiteRT."""

    def __init__(self, folder: Path, spec: Spec, device: str = "cpu") -> None:
        """Build the network on `device` (`cpu` or `gpu`), load its weights, compile it.

        Raises:
            BundleError: the weights do not fit the network that the bundle names.
        """
        import keras

        from leukemia_app.bundles.device import compute_exactly
        from leukemia_app.bundles.export import serving_functions

        compute_exactly()
        self.device = device
        self._scope = partial(keras.device, f"{device}:0")
        side_px = spec.recipe.side_px
        n_outputs = Reference.load(folder / REFERENCE_FILE).n_outputs
        with self._scope():
            network = load_network(folder, spec)
            self._functions = serving_functions(network, side_px, n_outputs)
            # The first call compiles for a second or more: here, and not in someone's reading.
            self.run(np.zeros((1, side_px, side_px, 3), np.float32))
        self.memory_mb = KERAS_MEMORY_RATIO * network.model.count_params() * 4 / 1e6

    def run(self, batch: FloatArray) -> tuple[FloatArray, FloatArray]:
        """As `Engine.run`."""
        with self._scope():
            answer = self._functions.run(batch)
        return answer["logits"].numpy(), answer["features"].numpy()

    def explain(self, image: FloatArray, one_hot: FloatArray) -> FloatArray | None:
        """As `Engine.explain`."""
        with self._scope():
            feature_map = self._functions.run(image[None])["feature_map"]
            explained = self._functions.explain(feature_map, one_hot[None])
        cam: FloatArray = explained["cam"].numpy()[0]
        return cam
