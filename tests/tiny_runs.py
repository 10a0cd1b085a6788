"""Runs so small that they end in seconds: drawn pictures of 32 px and the plain network."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import numpy as np

from leukemia_app.imaging.decode import encode_png
from leukemia_app.imaging.picture import UInt8Array
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.training.augment import Augment
from leukemia_app.training.config import RunConfig

SIDE_PX = 32
LABELS = ("normal", "blast")
PARTS = ("train", "train", "val", "val", "test", "test")
"""Part of each patient of a label, in order."""
N_PICTURES = 3
"""Pictures of each patient."""


def drawn_cell(label: int, seed: int) -> UInt8Array:
    """A violet cell on pink with grain, (48, 48, 3): a blast is large, a normal one small."""
    rng = np.random.default_rng([label, seed])
    pixels = np.full((48, 48, 3), (232, 208, 216), np.uint8)
    centre = (int(rng.integers(20, 28)), int(rng.integers(20, 28)))
    cv2.circle(pixels, centre, 8 + 6 * label, (150, 110, 190), -1, cv2.LINE_AA)
    cv2.circle(pixels, centre, 5 + 6 * label, (90, 50, 140), -1, cv2.LINE_AA)
    grain = rng.normal(0, 5, pixels.shape)
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def draw_set(folder: Path) -> Path:
    """Draw a data set of two labels with six patients each, and its table of groups."""
    lines = ["file,label,group,part"]
    for number, label in enumerate(LABELS):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for patient, part in enumerate(PARTS):
            for picture in range(N_PICTURES):
                file = f"{label}/{patient}-{picture}.png"
                pixels = drawn_cell(number, 100 * patient + picture)
                (folder / file).write_bytes(encode_png(pixels))
                lines.append(f"{file},{label},{label}{patient},{part}")
    table = folder / "groups.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def tiny_config(data: Path, **changes: Any) -> RunConfig:
    """A run over `draw_set(data)` with a head phase and two epochs of three steps."""
    values: dict[str, Any] = {
        "id": "tiny", "data": str(data), "groups": str(data / "groups.csv"),
        "group_level": "patient", "labels": LABELS, "backbone": "baseline_cnn", "head": "plain",
        "recipe": Recipe(input="cell", side_px=SIDE_PX), "head_epochs": 1, "feature_copies": 1,
        "tune_epochs": 2, "batch_size": 4, "tune_rate": 1e-3, "frozen_normalisation": False,
        "augment": Augment(jpeg_quality=0),
    }  # fmt: skip
    return RunConfig(**(values | changes))


def finish_tiny_run(folder: Path) -> Path:
    """Draw pictures, train on them, bundle and score: the folder of the run."""
    from leukemia_app.training.run import carry_out
    from leukemia_app.training.run_folder import RunFolder

    draw_set(folder / "set")
    for number in range(4):
        path = folder / "outside" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (48, 48, 3)).astype(np.uint8)
        path.write_bytes(encode_png(noise))
    run = RunFolder(path=folder / "runs" / "tiny")
    run.create(
        tiny_config(
            folder / "set", sensitivity=0.9, balance="group", outside=str(folder / "outside"),
            external={"elsewhere": str(folder / "set")}, controls=("colour", "size"),
        )
    )  # fmt: skip
    carry_out(run)
    return run.path
