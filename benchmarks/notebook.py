"""The notebook way, in a process of its own: load the model, resize by hand, `model.predict`.

    python -m benchmarks.notebook BUNDLE [--onnx FILE] PICTURE…

Prints a line after the first answer, then JSON with the times of a warm answer and of all pictures.
Network and weights are the bundle's own. What a notebook leaves out is left out here too: turned
and 16-bit pictures, quality, cells, calibration, scope, refusal.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WARM_PICTURES = 50


def read(file: str, side_px: int) -> NDArray[np.float32]:
    """One picture as notebooks read it, (side, side, 3) float32 from -1 to 1."""
    picture = cv2.cvtColor(cv2.imread(file), cv2.COLOR_BGR2RGB)
    return cv2.resize(picture, (side_px, side_px)).astype(np.float32) / np.float32(127.5) - 1


def main() -> None:
    """Time one picture cold and warm, then all of them in one call."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--onnx", type=Path, help="write the model there as well")
    parser.add_argument("files", nargs="+")
    chosen = parser.parse_args()

    from leukemia_app.bundles.store import read_spec
    from leukemia_app.bundles.weights import load_network

    spec = read_spec(chosen.bundle)
    model, side_px = load_network(chosen.bundle, spec).model, spec.recipe.side_px
    model.predict(read(chosen.files[0], side_px)[None], verbose=0)
    sys.stdout.write("first answer\n")
    sys.stdout.flush()
    warm_s = []
    for file in chosen.files[:WARM_PICTURES]:
        started = time.perf_counter()
        model.predict(read(file, side_px)[None], verbose=0)
        warm_s.append(time.perf_counter() - started)
    started = time.perf_counter()
    tensors = np.stack([read(file, side_px) for file in chosen.files])
    model.predict(tensors, batch_size=32, verbose=0)
    many_s = time.perf_counter() - started
    if chosen.onnx:
        model.export(chosen.onnx, format="onnx", verbose=False)
    sys.stdout.write(json.dumps({"warm_s": float(np.median(warm_s)), "many_s": many_s}) + "\n")


if __name__ == "__main__":
    main()
