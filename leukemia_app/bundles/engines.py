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

    @property
    def wants_batches(self) -> bool:
        """Whether it uses all cores by itself and computes many pictures at once faster."""

    def run(
        self, batch: FloatArray, *, beside_others: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Logits (n, n_outputs) and features (n, channels), both float32.

        `batch` is (n, side, side, 3) float32, scaled as the recipe says; features are the
        averages of the backbone's map. `beside_others` says that the caller's other threads keep
        the processor busy: one thread is enough then. The answer does not depend on it.
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


class _Interpreters:
    """Interpreters of one file, opened when they are needed, `most` of them at most."""

    def __init__(self, path: Path, *, threads_each: int, most: int) -> None:
        self.most = most
        self._path = path
        self._threads_each = threads_each
        self._made = 0
        self._lock = Lock()
        self._free: queue.LifoQueue[_Interpreter] = queue.LifoQueue()

    @contextmanager
    def one(self) -> Iterator[_Interpreter]:
        """An interpreter that no other thread uses meanwhile.

        Raises:
            BundleError: the file is not a LiteRT file with the signatures `run` and `explain`, or
                its graph cannot compute what it is given.
        """
        interpreter = self._take()
        try:
            yield interpreter
        except (RuntimeError, ValueError) as error:
            raise BundleError(
                f"{self._path.parent.name}/{self._path.name} cannot compute "
                f"({_first_line(error)}). Export the bundle again."
            ) from error
        finally:
            self._free.put(interpreter)

    def _take(self) -> _Interpreter:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            pass
        with self._lock:
            may_open = self._made < self.most
            self._made += may_open
        return self._open() if may_open else self._free.get()

    def _open(self) -> _Interpreter:
        name = f"{self._path.parent.name}/{self._path.name}"
        try:
            from ai_edge_litert.interpreter import Interpreter  # absent where Keras serves

            interpreter = Interpreter(str(self._path), num_threads=self._threads_each)
            return _Interpreter(
                run=interpreter.get_signature_runner("run"),
                explain=interpreter.get_signature_runner("explain"),
            )
        except ImportError as error:
            raise BundleError(
                f"{name} needs LiteRT, which is not installed here. Install ai-edge-litert."
            ) from error
        except (ValueError, RuntimeError) as error:
            raise BundleError(
                f"{name} cannot be run ({_first_line(error)}). Export the bundle again."
            ) from error


class LiteRtEngine:
    """A LiteRT file on the CPU; TensorFlow is not needed.

    A picture that comes alone gets an interpreter of two threads, and so the shortest wait. Many
    go side by side, each through an interpreter of one thread: no thread waits there for the
    other's half of a layer. They go one by one: LiteRT gains nothing from a batch of 32, but then
    needs 170 to 440 MB more.
    """

    device = "cpu"
    wants_batches = False

    def __init__(self, path: Path, threads: int) -> None:
        """Open the file with room for `threads` threads in all.

        Raises:
            BundleError: the file is not a LiteRT file with the signatures `run` and `explain`.
        """
        self._wide = _Interpreters(path, threads_each=min(threads, 2), most=max(1, threads // 2))
        self._narrow = self._wide
        count = self._wide.most
        if threads > 1:
            self._narrow = _Interpreters(path, threads_each=1, most=threads)
            count += threads
        with self._wide.one():  # a file that cannot be run is refused here
            self.memory_mb = count * LITERT_MEMORY_RATIO * path.stat().st_size / 1e6

    def run(
        self, batch: FloatArray, *, beside_others: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """As `Engine.run`."""
        if len(batch) == 1 and not beside_others:
            answers = [_answer(self._wide, batch[0])]
        elif beside_others or self._narrow.most == 1:
            answers = [_answer(self._narrow, image) for image in batch]
        else:
            with ThreadPoolExecutor(min(self._narrow.most, len(batch))) as pool:
                answers = list(pool.map(partial(_answer, self._narrow), batch))
        return (
            np.concatenate([answer["logits"] for answer in answers]),
            np.concatenate([answer["features"] for answer in answers]),
        )

    def explain(self, image: FloatArray, one_hot: FloatArray) -> FloatArray | None:
        """As `Engine.explain`."""
        with self._wide.one() as interpreter:
            answer = interpreter.run(pictures=image[None])
            explained = interpreter.explain(
                feature_map=answer["feature_map"], one_hot=one_hot[None]
            )
        cam: FloatArray = explained["cam"][0]
        return _of_several_places(cam)


def _first_line(error: Exception) -> str:
    """LiteRT tells of each delegate in a line of its own."""
    return str(error).strip().partition("\n")[0]


def _answer(interpreters: _Interpreters, image: FloatArray) -> dict[str, FloatArray]:
    with interpreters.one() as interpreter:
        answer: dict[str, FloatArray] = interpreter.run(pictures=image[None])
        return answer


class KerasEngine:
    """The network rebuilt in Keras, on a GPU, or on a CPU without LiteRT."""

    wants_batches = True

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

    def run(
        self, batch: FloatArray, *, beside_others: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """As `Engine.run`; `beside_others` changes nothing."""
        with self._scope():
            answer = self._functions.run(batch)
        return answer["logits"].numpy(), answer["features"].numpy()

    def explain(self, image: FloatArray, one_hot: FloatArray) -> FloatArray | None:
        """As `Engine.explain`."""
        with self._scope():
            feature_map = self._functions.run(image[None])["feature_map"]
            explained = self._functions.explain(feature_map, one_hot[None])
        cam: FloatArray = explained["cam"].numpy()[0]
        return _of_several_places(cam)


def _of_several_places(cam: FloatArray) -> FloatArray | None:
    """The map; None of a single place, which says nothing of where."""
    return cam if cam.size > 1 else None
