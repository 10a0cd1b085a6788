"""How long the answer to one picture takes alone, and beside a training that keeps every core busy.

    python -m benchmarks.beside [--n 30]

The picture is a drawn example, read by the model that ships first, warm. The training is a
MobileNet from random weights, in a worker as the page starts it. It is stopped at the end.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from benchmarks.drawn import LABELS, draw_folders
from leukemia_app import classify, load
from leukemia_app.bundles.predictor import Predictor
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.settings import SHIPPED
from leukemia_app.training import jobs
from leukemia_app.training.config import RunConfig
from leukemia_app.training.run_folder import RunFolder


def timed(predictor: Predictor, picture: Path, n: int) -> list[float]:
    """Milliseconds of each of `n` answers."""
    found = []
    for _ in range(n):
        began = time.perf_counter()
        list(classify([picture], predictor))
        found.append(1000 * (time.perf_counter() - began))
    return found


def training(folder: Path) -> RunFolder:
    """A run that would train for days."""
    groups = draw_folders(folder / "set", {"train": 16, "val": 2, "test": 1}, 160)
    run = RunFolder(path=folder / "runs" / "beside")
    run.create(RunConfig(
        id="beside", data=str(folder / "set"), groups=str(groups), group_level="image",
        labels=LABELS, backbone="mobilenet", head="plain",
        recipe=Recipe(input="field", side_px=128), head_epochs=0, tune_epochs=10_000,
        frozen_normalisation=False, patience=0,
    ))  # fmt: skip
    return run


def main() -> None:
    """Time one picture before, beside and after a training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=30)
    chosen = parser.parse_args()
    picture, predictor = sorted((SHIPPED / "examples").glob("*.png"))[0], load()
    timed(predictor, picture, 5)
    found = {"alone": timed(predictor, picture, chosen.n)}
    with tempfile.TemporaryDirectory() as folder:
        run = training(Path(folder))
        process = jobs.start(run)
        try:
            while not any(event["kind"] == "step" for event in run.events()):
                if process.poll() is not None:
                    sys.exit(f"the training ended: {run.status()}")
                time.sleep(0.2)
            found["beside a training"] = timed(predictor, picture, chosen.n)
        finally:
            jobs.stop(run, process)
    found["alone again"] = timed(predictor, picture, chosen.n)
    middle = {name: statistics.median(times) for name, times in found.items()}
    for name, times in found.items():
        sys.stdout.write(f"{name}: {middle[name]:.1f} ms, at most {max(times):.0f} ms\n")
    ratio = middle["beside a training"] / min(middle["alone"], middle["alone again"])
    sys.stdout.write(f"{ratio:.2f} times its time alone\n")


if __name__ == "__main__":
    main()
