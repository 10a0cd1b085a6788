"""A process whose processor plays three devices: `replicas_child.py FOLDER N_DEVICES DROPOUT`.

Tunes the tiny network on the drawn pictures, from the newest state in the folder on, and prints
the losses of the steps and the figures of the epochs, then the kept weights' digest.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3",
               "TF_DETERMINISTIC_OPS": "1"}  # fmt: skip
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import tensorflow as tf

from leukemia_app.training.engine import fine_tune
from tests.tiny_runs import tiny_config
from tests.training.tiny_training import sha256, training_of

N_EPOCHS = 3


def main() -> None:
    """Tune, and print a line of JSON."""
    folder, n_devices, dropout = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        processor, [tf.config.LogicalDeviceConfiguration()] * 3
    )
    found: list[float] = []

    def report(kind: str, **numbers: Any) -> None:
        if kind == "step":
            found.append(numbers["loss"])
        if kind == "epoch":
            found.extend((numbers["accuracy"], numbers["val_loss"]))

    config = tiny_config(
        folder, tune_epochs=N_EPOCHS, patience=0, head_arguments={"dropout": dropout}
    )
    training = replace(
        training_of(config, folder, report),
        devices=tuple(f"CPU:{number}" for number in range(n_devices)),
    )
    kept = fine_tune(training)
    np.savez(folder / "kept.npz", *kept)
    sys.stdout.write(json.dumps({"found": found, "sha256": sha256(kept)}) + "\n")


if __name__ == "__main__":
    main()
