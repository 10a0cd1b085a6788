"""Head training the notebook way against cached features: same network, pictures and split.

    python -m benchmarks.head_training DATA --groups CSV --weights FILE [--epochs 20] [--side 192]
                                       [--xla]

The notebook way is `image_dataset_from_directory`, a frozen MobileNet and `fit`: every epoch
decodes every picture and runs the backbone again. Ours prepares each picture once, runs the
backbone once and trains the head on what it saw. Both train average pooling, dropout and one dense
layer with Adam at 0.001 on undisturbed pictures of `train`, and are scored on `val` every epoch.
Each way runs in a process of its own; libraries are loaded before its clock starts, and its peak
memory is the process's. The network with the lowest validation loss is kept, in both.

A notebook that leaves `compile` alone trains through XLA, which convolutions on a CPU do not gain
from. So that the ratio is not XLA's, it is off unless `--xla` asks for what such a notebook gets.
"""

import argparse
import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCH = 32


def notebook(data: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """The seconds of `fit`, and the best validation accuracy of any epoch's network."""
    import keras

    keras.utils.set_random_seed(0)
    start = time.perf_counter()
    train, val = (
        keras.utils.image_dataset_from_directory(
            data / part, image_size=(chosen.side, chosen.side), batch_size=BATCH, shuffle=shuffle,
            seed=0, verbose=False,
        )
        for part, shuffle in (("train", True), ("val", False))
    )  # fmt: skip
    body = keras.applications.MobileNet(
        include_top=False, weights=None, input_shape=(chosen.side, chosen.side, 3)
    )
    body.load_weights(chosen.weights)
    body.trainable = False
    images = keras.Input((chosen.side, chosen.side, 3))
    features = body(keras.layers.Rescaling(1 / 127.5, -1)(images), training=False)
    pooled = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling2D()(features))
    model = keras.Model(images, keras.layers.Dense(len(train.class_names))(pooled))
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"],
        jit_compile="auto" if chosen.xla else False,
    )  # fmt: skip
    history = model.fit(train, validation_data=val, epochs=chosen.epochs, verbose=0).history
    best = history["val_loss"].index(min(history["val_loss"]))
    return {"seconds": time.perf_counter() - start, "val_accuracy": history["val_accuracy"][best]}


def ours(data: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """The seconds from the files to the trained head, and the kept head's validation accuracy."""
    import keras

    from leukemia_app.imaging.recipe import Recipe
    from leukemia_app.training.augment import Augment
    from leukemia_app.training.config import RunConfig
    from leukemia_app.training.engine import Training, features_of, train_head
    from leukemia_app.training.run_data import load_run
    from leukemia_app.training.run_folder import RunFolder
    from leukemia_app.training.run_network import started_network

    still = dict.fromkeys(
        ("rotation_degrees", "zoom", "shift", "stain_probability", "grey_probability",
         "brightness", "blur_sigma_px", "jpeg_quality", "noise_sd", "bar_probability"), 0,
    )  # fmt: skip
    labels = sorted(path.name for path in (data / "train").iterdir())
    with tempfile.TemporaryDirectory() as home:
        config = RunConfig(
            id="head", data=str(data), groups=str(data / "groups.csv"), group_level="run",
            labels=tuple(labels), backbone="mobilenet", head="plain", batch_size=BATCH,
            recipe=Recipe(input="field", side_px=chosen.side), start=f"file:{chosen.weights}",
            head_epochs=chosen.epochs, feature_copies=1, head_rate=1e-3, label_smoothing=0,
            head_patience=chosen.epochs, optimizer="adam", balance="none",
            augment=Augment(flip=False, **still),
        )  # fmt: skip
        keras.utils.set_random_seed(config.seed)
        start = time.perf_counter()
        folder = RunFolder(path=Path(home) / "run")
        folder.create(config)
        loaded = load_run(config, folder, folder.add_event)
        training = Training(
            network=started_network(config), config=config, data=loaded.data, folder=folder.path,
            report=folder.add_event, should_stop=folder.should_stop,
        )  # fmt: skip
        prepared = time.perf_counter()
        features = features_of(training)
        seen = time.perf_counter()
        train_head(training, features)
        ended = time.perf_counter()
        best = [event for event in folder.events() if event["kind"] == "head" and event["best"]]
    return {
        "seconds": ended - start, "val_accuracy": best[-1]["val_accuracy"],
        "preparing_s": prepared - start, "features_s": seen - prepared, "head_s": ended - seen,
    }  # fmt: skip


def lay_out(data: Path, groups: Path, into: Path) -> None:
    """Copy `train` and `val` as notebooks have them, with the table that our way reads.

    One test picture comes along, because a run wants a test part; nobody looks at it.
    """
    with groups.open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    test = next(row for row in rows if row["part"] == "test")
    lines = ["file,label,group,part"]
    for row in [*(row for row in rows if row["part"] != "test"), test]:
        name = f"{row['part']}/{row['label']}/{Path(row['file']).name}"
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / row["file"], into / name)
        lines.append(f"{name},{row['label']},{row['group']},{row['part']}")
    (into / "groups.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Run both ways one after the other and print the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--groups", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--xla", action="store_true", help="the notebook as Keras compiles it")
    parser.add_argument("--way", choices=("notebook", "ours"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.way:
        found = {"notebook": notebook, "ours": ours}[chosen.way](chosen.data, chosen)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps(found | {"peak_mb": peak_mb}) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        lay_out(chosen.data, chosen.groups, Path(folder))
        results = {way: _run(way, Path(folder), chosen) for way in ("ours", "notebook")}
    for way, found in results.items():
        sys.stdout.write(f"{way}: " + ", ".join(f"{k} {v:.3f}" for k, v in found.items()) + "\n")
    ratio = results["notebook"]["seconds"] / results["ours"]["seconds"]
    sys.stdout.write(f"{ratio:.1f} times faster\n")


def _run(way: str, data: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "benchmarks.head_training", str(data), "--groups",
        str(data / "groups.csv"), "--weights", str(chosen.weights.resolve()), "--epochs",
        str(chosen.epochs), "--side", str(chosen.side), "--way", way,
        *(["--xla"] if chosen.xla else []),
    ]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
