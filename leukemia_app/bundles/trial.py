"""The first opening of a stranger's bundle, in a process of its own: what it breaks is only that.

LiteRT reads a graph as it stands, and some that are made up end the process that opens them. Used
as `python -m leukemia_app.bundles.trial FOLDER SECONDS MEGABYTES`.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia_app.bundles.sandbox import Bounds, bound_this_process, run_child
from leukemia_app.errors import AppError, BundleError

if TYPE_CHECKING:
    from leukemia_app.bundles.engines import Engine
    from leukemia_app.bundles.reference import Reference
    from leukemia_app.bundles.spec import Spec

SECONDS = 60
MEMORY_MB = 4000
"""Of addresses; VGG16, the largest network that is known here, takes half of it."""
SAID_BYTES = 4000
PASSED, REFUSED = 0, 3


def try_out(folder: Path, *, seconds: float = SECONDS, memory_mb: int = MEMORY_MB) -> None:
    """Verify the bundle in `folder`, run its self-test and a map, all in a child process.

    Raises:
        BundleError: it does not pass, or it breaks the process, takes too long or too much memory.
    """
    done = run_child(
        "leukemia_app.bundles.trial",
        [str(folder.resolve()), str(int(seconds)), str(int(memory_mb))],
        seconds=seconds,
    )
    if done.code is None:
        raise BundleError(
            f"{folder.name} is not taken: its self-test did not end within {seconds:.0f} s."
        )
    if done.code == PASSED:
        return
    if done.code == REFUSED:
        raise BundleError(done.said[:SAID_BYTES])
    raise BundleError(
        f"{folder.name} is not taken: its files broke the process that tried them ({done.how}). "
        "They are damaged, or made to do harm. Get the model again from who made it."
    )


def main(arguments: list[str]) -> int:
    """Try the bundle that the first argument names; what is wrong goes to standard output."""
    folder = Path(arguments[0])
    _limit_this_process(seconds=int(arguments[1]), memory_mb=int(arguments[2]))
    try:
        _try(folder)
    except AppError as error:
        said = str(error)
    except MemoryError:
        said = f"{folder.name} is not taken: its self-test needs more memory than it may have."
    except Exception as error:  # noqa: BLE001 a stranger's file may break any step
        said = f"{folder.name} is not taken: its files cannot be used ({_first_line(error)})."
    else:
        return PASSED
    sys.stdout.buffer.write(said.encode("utf-8")[:SAID_BYTES])
    return REFUSED


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0][:200]
    return text or type(error).__name__


def _limit_this_process(seconds: int, memory_mb: int) -> None:
    """Bound time, memory, files and the network by the system, where it can."""
    bound_this_process(Bounds(seconds=seconds, memory_mb=memory_mb))


def _try(folder: Path) -> None:
    from leukemia_app.bundles.graph import check_graph
    from leukemia_app.bundles.reference import REFERENCE_FILE, Reference
    from leukemia_app.bundles.store import self_test, verify
    from leukemia_app.bundles.weights import WEIGHTS_FILE
    from leukemia_app.bundles.weights_file import check_weights_file

    spec = verify(folder)
    if spec.network.is_rebuildable:
        check_weights_file(folder / WEIGHTS_FILE)
    check_graph(folder)
    engine = _engine(folder, spec)
    self_test(folder, engine)
    reference = Reference.load(folder / REFERENCE_FILE)
    _check_outputs(folder, spec, reference)
    _check_scope(folder, spec, reference)
    _check_map(folder, engine, reference)


def _engine(folder: Path, spec: "Spec") -> "Engine":
    """The engine of a processor: LiteRT, or Keras where that is missing."""
    from leukemia_app.bundles.device import Machine
    from leukemia_app.bundles.engines import LITERT_FILE, KerasEngine, LiteRtEngine

    if Machine.here().has_litert or not spec.network.is_rebuildable:
        return LiteRtEngine(folder / LITERT_FILE, threads=1)
    return KerasEngine(folder, spec)


def _check_outputs(folder: Path, spec: "Spec", reference: "Reference") -> None:
    """Its spec, its reference and its recipe must speak of one network."""
    n_labels, side_px = len(spec.labels), spec.recipe.side_px
    outputs = {n_labels, 1} if n_labels == 2 else {n_labels}
    n_pictures = len(reference.pictures)
    counts = {len(reference.tensors), len(reference.logits), len(reference.features)}
    fits = (
        reference.n_outputs in outputs
        and n_pictures > 0
        and counts == {n_pictures}
        and reference.tensors.shape[1:] == (side_px, side_px, 3)
    )
    if not fits:
        raise BundleError(
            f"{folder.name}: reference.npz does not fit bundle.json: {n_labels} labels at "
            f"{side_px} px, and answers of shape {reference.logits.shape} for tensors of shape "
            f"{reference.tensors.shape}. Get the bundle again."
        )


def _check_scope(folder: Path, spec: "Spec", reference: "Reference") -> None:
    import numpy as np

    from leukemia_app.bundles.scope import Scope

    if spec.scope is None:
        return
    scores = Scope.load(folder / spec.scope.file).score(reference.features)
    if scores.shape != (len(reference.features),) or not np.isfinite(scores).all():
        raise BundleError(
            f"{folder.name}/{spec.scope.file} gives no score for a reference picture. Get the "
            "bundle again."
        )


def _check_map(folder: Path, engine: "Engine", reference: "Reference") -> None:
    import numpy as np

    for one_hot in np.eye(reference.n_outputs, dtype=np.float32):
        cam = engine.explain(reference.tensors[0], one_hot)
        if cam is not None and (cam.ndim != 2 or not np.isfinite(cam).all()):
            raise BundleError(
                f"{folder.name}/model.tflite draws no map of a reference picture (shape "
                f"{cam.shape}). Get the bundle again."
            )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
