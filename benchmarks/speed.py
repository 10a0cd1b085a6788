"""The notebook way against ours, cold and warm, one picture and many; ONNX Runtime as the limit.

    python -m benchmarks.speed [--model ID] [--n 500] [--onnx]

Pictures are drawn, so that anybody can repeat it. `--onnx` needs `pip install onnx onnxruntime
tf2onnx`. Prints Markdown. Ours does more: decoding of every format, quality, cells and their
measures, calibration, scope, the decision; `--no-cells` leaves out the cells.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from leukemia_app import api
from leukemia_app.bundles.predictor import Predictor
from leukemia_app.imaging.decode import encode_png, read_picture
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.render import draw

LABELS = ("Benign", "Early", "Pre", "Pro")
WARM_REPEATS = 30


def drawn_files(folder: Path, n: int) -> list[str]:
    """`n` pictures; from the fortieth on they repeat under other names."""
    made = [encode_png(draw(LABELS[seed % 4], seed).pixels) for seed in range(min(n, 40))]
    files = [folder / f"{number:05d}.png" for number in range(n)]
    for number, path in enumerate(files):
        path.write_bytes(made[number % len(made)])
    return [str(path) for path in files]


def seconds(work: Callable[[], object]) -> float:
    """How long one call took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median_ms(work: Callable[[], object]) -> float:
    """Milliseconds of a call in the middle of many."""
    work()
    return 1000 * float(np.median([seconds(work) for _ in range(WARM_REPEATS)]))


def notebook(bundle: Path, files: Sequence[str], onnx: Path | None) -> dict[str, float]:
    """Cold, warm and many, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.notebook", str(bundle), *files]
    if onnx is not None:
        command += ["--onnx", str(onnx)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as process:  # fmt: skip
        lines = iter(process.stdout or ())
        next(lines)
        cold_s = time.perf_counter() - started
        *_, last = lines
    found: dict[str, float] = json.loads(last)
    return {"cold_s": cold_s} | found


def ours_cold_s(model: str, file: str) -> float:
    """From the start of the command to its end, one picture."""
    command = [sys.executable, "-m", "leukemia_app", "classify", file, "--model", model, "--json"]
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True))


def exhaust(results: Iterable[object]) -> None:
    """Read a stream to its end."""
    for _ in results:
        pass


def model_part(predictor: Predictor, files: Sequence[str], onnx: Path | None) -> list[list[str]]:
    """Rows for the network alone: ours, and ONNX Runtime on the same tensors."""
    tensors = np.stack(
        [prepare(read_picture(Path(file)), predictor.spec.recipe).tensor for file in files]
    )
    one = tensors[:1]
    engines: dict[str, Callable[[np.ndarray], object]] = {"ours, LiteRT": predictor.engine.run}
    if onnx is not None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = predictor.threads
        session = onnxruntime.InferenceSession(str(onnx), options)
        name = session.get_inputs()[0].name
        engines["ONNX Runtime"] = lambda batch: session.run(None, {name: batch})
    return [
        [f"network alone, {engine}", "–", f"{median_ms(lambda run=run: run(one)):.1f} ms",
         f"{len(tensors) / seconds(lambda run=run: run(tensors)):.0f} a second"]
        for engine, run in engines.items()
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--onnx", action="store_true")
    chosen = parser.parse_args()
    library = api.open_library()
    predictor = api.load(chosen.model, library)
    entry = next(entry for entry in library.entries() if entry.id == predictor.spec.id)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        files = drawn_files(Path(folder), chosen.n)
        onnx = Path(folder) / "model.onnx" if chosen.onnx else None
        theirs = notebook(entry.folder, files, onnx)
        cold_s = ours_cold_s(predictor.spec.id, files[0])
        rows = [
            [
                "notebook, `model.predict`",
                f"{theirs['cold_s']:.1f} s",
                f"{1000 * theirs['warm_s']:.0f} ms",
                f"{chosen.n / theirs['many_s']:.0f} a second",
            ]
        ]
        for name, measure in (("ours, with cells", True), ("ours, `--no-cells`", False)):
            picture = read_picture(Path(files[0]))
            one_ms = median_ms(
                lambda measure=measure, picture=picture: predictor.read([picture], measure=measure)
            )
            many_s = seconds(
                lambda measure=measure: exhaust(api.classify(files, predictor, measure=measure))
            )
            rows.append([name, f"{cold_s:.1f} s" if measure else "–", f"{one_ms:.0f} ms",
                         f"{chosen.n / many_s:.0f} a second"])  # fmt: skip
        rows += model_part(predictor, files, onnx)
    heads = ["way", "first answer from process start", "warm answer", f"{chosen.n} pictures"]
    lines = [heads, ["---"] * 4, *rows]
    sys.stdout.write("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")


if __name__ == "__main__":
    main()
