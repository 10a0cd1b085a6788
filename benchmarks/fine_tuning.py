"""Tuning a whole network the notebook way against ours: seconds an epoch, and peak memory.

    python -m benchmarks.fine_tuning [mobilenet vgg16 resnet50] [--side 128] [--pictures 320]
                                     [--epochs 3] [--rounds 2] [--precision auto]

The notebook way is `image_dataset_from_directory`, Keras' augmentation layers and `fit`. Ours is
the phase of a run: pictures prepared once, disturbed a batch ahead, the running average of the
weights, scored on the validation part, state and best weights on disk after every epoch. Both train
every weight from random ones with Adam on batches of the same size and score the same validation
part. Each way runs in a process of its own, in turns; its first epoch, in which TensorFlow plans
the step, is told apart and counts in no ratio. Pictures are drawn: accuracies would say nothing.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

NETWORKS = ("mobilenet", "vgg16", "resnet50")
BATCH = 16
PICTURE_PX = 224


def notebook(data: Path, network: str, chosen: argparse.Namespace) -> list[float]:
    """Seconds of each epoch of `fit`, its validation with it."""
    import keras

    keras.utils.set_random_seed(0)
    train, val = (
        keras.utils.image_dataset_from_directory(
            data / part, image_size=(chosen.side, chosen.side), batch_size=BATCH, shuffle=shuffle,
            seed=0, label_mode="binary", verbose=False,
        )
        for part, shuffle in (("train", True), ("val", False))
    )  # fmt: skip
    build, module = {
        "mobilenet": (keras.applications.MobileNet, keras.applications.mobilenet),
        "vgg16": (keras.applications.VGG16, keras.applications.vgg16),
        "resnet50": (keras.applications.ResNet50, keras.applications.resnet50),
    }[network]
    images = keras.Input((chosen.side, chosen.side, 3))
    features = images
    for layer in (
        keras.layers.RandomFlip(), keras.layers.RandomRotation(0.5), keras.layers.RandomZoom(0.1),
        keras.layers.RandomTranslation(0.05, 0.05), keras.layers.RandomContrast(0.1),
    ):  # fmt: skip
        features = layer(features)
    body = build(include_top=False, weights=None, input_shape=(chosen.side, chosen.side, 3))
    features = body(module.preprocess_input(features))
    pooled = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling2D()(features))
    model = keras.Model(images, keras.layers.Dense(1)(pooled))
    model.compile(
        optimizer=keras.optimizers.Adam(1e-4),
        loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"],
    )  # fmt: skip
    marks = [time.perf_counter()]
    clock = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: marks.append(time.perf_counter())
    )
    model.fit(train, validation_data=val, epochs=chosen.epochs + 1, verbose=0, callbacks=[clock])
    return [after - before for before, after in pairwise(marks)]


def ours(data: Path, network: str, chosen: argparse.Namespace) -> list[float]:
    """Seconds of each epoch of a run's tuning, its validation and its state with it."""
    import keras

    from benchmarks.drawn import LABELS
    from leukemia_app.imaging.recipe import Recipe
    from leukemia_app.networks.backbones import SCALINGS
    from leukemia_app.training.config import RunConfig
    from leukemia_app.training.engine import Training, fine_tune
    from leukemia_app.training.precision import policy_here
    from leukemia_app.training.run_data import load_run
    from leukemia_app.training.run_folder import RunFolder
    from leukemia_app.training.run_network import network_to_train

    recipe = Recipe(input="field", side_px=chosen.side, scaling=SCALINGS[network])
    with tempfile.TemporaryDirectory() as home:
        config = RunConfig(
            id="tuning", data=str(data), groups=str(data / "groups.csv"), group_level="image",
            labels=LABELS, backbone=network, head="plain", recipe=recipe, batch_size=BATCH,
            head_epochs=0, tune_epochs=chosen.epochs + 1, tune_rate=1e-4, optimizer="adam",
            patience=0, frozen_normalisation=False, precision=chosen.precision,
        )  # fmt: skip
        keras.utils.set_random_seed(config.seed)
        folder = RunFolder(path=Path(home) / "run")
        folder.create(config)
        loaded = load_run(config, folder, folder.add_event)
        fine_tune(Training(
            network=network_to_train(config, policy_here(config)), config=config,
            data=loaded.data, folder=folder.path, report=folder.add_event,
            should_stop=folder.should_stop,
        ))  # fmt: skip
        return [event["seconds"] for event in folder.events() if event["kind"] == "epoch"]


WAYS = {"notebook": notebook, "ours": ours}


def main() -> None:
    """Run both ways in turns and print their ratio for each network."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=NETWORKS, choices=(*NETWORKS, []))
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--pictures", type=int, default=320, help="to train on; a quarter checks")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.way:
        seconds = WAYS[chosen.way](chosen.data, chosen.networks[0], chosen)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": peak_mb}) + "\n")
        return
    from benchmarks.drawn import draw_folders

    with tempfile.TemporaryDirectory() as folder:
        half = chosen.pictures // 2
        # A run wants a test part, which nobody looks at here.
        counts = {"train": half, "val": max(1, half // 4), "test": 1}
        draw_folders(Path(folder), counts, PICTURE_PX)
        for network in chosen.networks:
            _compare(network, Path(folder), chosen)


def _compare(network: str, data: Path, chosen: argparse.Namespace) -> None:
    results: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(chosen.rounds):
        for way, found in results.items():
            found.append(_run(way, network, data, chosen))
    epoch_s, peak_mb = {}, {}
    for way, found in results.items():
        epoch_s[way] = statistics.median(s for one in found for s in one["seconds"][1:])
        peak_mb[way] = max(one["peak_mb"] for one in found)
        first_s = statistics.median(one["seconds"][0] for one in found)
        sys.stdout.write(
            f"{network}, {way}: {epoch_s[way]:.1f} s an epoch, {first_s:.1f} s the first, "
            f"{peak_mb[way]:.0f} MB at most\n"
        )
    sys.stdout.write(
        f"{network}: {epoch_s['notebook'] / epoch_s['ours']:.2f} times as fast, "
        f"{peak_mb['ours'] / peak_mb['notebook']:.2f} of the memory\n"
    )
    sys.stdout.flush()


def _run(way: str, network: str, data: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.fine_tuning", network, "--way", way,
               "--data", str(data)]  # fmt: skip
    for name in ("side", "epochs", "precision"):
        command += [f"--{name}", str(getattr(chosen, name))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
