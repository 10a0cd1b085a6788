"""Many pictures against the bare network, turn by turn, so that a load beside them falls on both.

    python -m benchmarks.bulk [FOLDER] [--model ID] [--n 1000] [--rounds 3] [--cells]

The bare network is LiteRT with the bundle's file, as many threads, and tensors that lie ready. The
command line is measured from its start to its end. Without FOLDER the pictures are drawn. Prints
Markdown: the best round of each; CPU time counts all threads.
"""

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.speed import drawn_files, exhaust
from leukemia_app import api
from leukemia_app.bundles.engines import LITERT_FILE
from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.prepare import prepare

TENSORS = 128
"""Made ready for the bare network, and run over and over."""


def cost(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of the processor with children, that one call took."""

    def used_s() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(each.ru_utime + each.ru_stime for each in both)

    started, used = time.perf_counter(), used_s()
    work()
    return time.perf_counter() - started, used_s() - used


def linked(folder: Path, files: list[str], n: int) -> None:
    """Fill the folder with `n` names for the files, over and over."""
    for number, file in zip(range(n), itertools.cycle(files), strict=False):
        (folder / f"{number:05d}{Path(file).suffix}").symlink_to(Path(file).resolve())


def works(model: str | None, folder: Path, cells: bool) -> dict[str, Callable[[], object]]:
    """What is compared, by the name it is printed under; each reads all pictures of the folder."""
    from ai_edge_litert.interpreter import Interpreter

    library = api.open_library()
    predictor = api.load(model, library)
    entry = next(entry for entry in library.entries() if entry.id == predictor.spec.id)
    files = api.picture_files([folder])
    ready = [prepare(read_picture(file), predictor.spec.recipe).tensor for file in files[:TENSORS]]
    tensors = np.stack([ready[number % len(ready)] for number in range(TENSORS)])
    bare = Interpreter(str(entry.folder / LITERT_FILE), num_threads=predictor.threads)
    run = bare.get_signature_runner("run")
    command = [sys.executable, "-m", "leukemia_app", "classify", str(folder), "--json",
               "--model", predictor.spec.id, *([] if cells else ["--no-cells"])]  # fmt: skip

    def many(once: Callable[[np.ndarray], object]) -> None:
        for start in range(0, len(files), TENSORS):
            once(tensors[: min(TENSORS, len(files) - start)])

    return {
        "bare network": lambda: many(lambda part: [run(pictures=one[None]) for one in part]),
        "our engine": lambda: many(predictor.engine.run),
        "`api.classify`": lambda: exhaust(api.classify(files, predictor, measure=cells)),
        "command line": lambda: subprocess.run(command, check=True, capture_output=True),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", action="store_true")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)  # as the command line and the page do
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as drawn, tempfile.TemporaryDirectory() as pictures:
        files = list(map(str, api.picture_files([chosen.folder]))) if chosen.folder else \
            drawn_files(Path(drawn), 40)  # fmt: skip
        linked(Path(pictures), files, chosen.n)
        compared = works(chosen.model, Path(pictures), chosen.cells)
        rounds = [{name: cost(work) for name, work in compared.items()}
                  for _ in range(chosen.rounds)]  # fmt: skip
    rows = [["way", "pictures a second", "of the bare network", "CPU ms a picture"], ["---"] * 4]
    best_s, best_cpu_s = ({name: min(each[name][part] for each in rounds) for name in compared}
                          for part in (0, 1))  # fmt: skip
    for name in compared:
        rows.append([name, f"{chosen.n / best_s[name]:.0f}",
                     f"{best_s['bare network'] / best_s[name]:.2f}",
                     f"{1000 * best_cpu_s[name] / chosen.n:.1f}"])  # fmt: skip
    sys.stdout.write("\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n")


if __name__ == "__main__":
    main()
