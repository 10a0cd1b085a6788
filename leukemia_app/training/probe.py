"""Measure what the parts of a run cost on this machine: `python -m leukemia_app.training.probe`.

Reads a configuration as JSON from standard input, takes a few steps, and writes the costs.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia_app.errors import AppError, ImageError, RunError
from leukemia_app.training.config import RunConfig
from leukemia_app.training.costs import Costs
from leukemia_app.training.worker import ENVIRONMENT

if TYPE_CHECKING:
    from leukemia_app.imaging.picture import UInt8Array

N_PICTURES = 6
"""From all over the data set."""


def main() -> int:
    """Write the costs of the configuration on standard input; 0 well, 2 not."""
    began = time.monotonic()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        config = RunConfig.from_dict(json.loads(sys.stdin.read()))
        costs = probe(config, began)
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(asdict(costs)) + "\n")
    return 0


def probe(config: RunConfig, began: float) -> Costs:
    """The costs of a run, as a few of its pictures and steps show them.

    Raises:
        AppError: what the run itself would be refused for.
    """
    import numpy as np

    from leukemia_app.training.batches import answers_of, disturbed_tensors
    from leukemia_app.training.precision import policy_here
    from leukemia_app.training.run_network import network_to_train
    from leukemia_app.training.schedule import compile_model

    network = network_to_train(config, policy_here(config))
    start_s = time.monotonic() - began
    picture_s, segment_s, pixels = _looked_at(config)
    rows, targets = np.arange(config.batch_size) % len(pixels), np.arange(config.batch_size) % 2
    answers = answers_of(targets, config.n_outputs)
    batch = disturbed_tensors(pixels, rows, config, [0])
    disturb_s = _seconds(lambda: disturbed_tensors(pixels, rows, config, [0]))
    maps = network.backbone.predict_on_batch(batch)
    feature_s = _seconds(lambda: network.backbone.predict_on_batch(batch)) + disturb_s
    compile_model(network.head, config, config.head_rate)
    network.head.train_on_batch(maps, answers)
    head_step_s = _seconds(lambda: network.head.train_on_batch(maps, answers))
    compile_model(network.model, config, config.tune_rate)
    first_step_s = _seconds(lambda: network.model.train_on_batch(batch, answers))
    step_s = _seconds(lambda: network.model.train_on_batch(batch, answers))
    network.model.predict_on_batch(batch)
    answer_s = _seconds(lambda: network.model.predict_on_batch(batch))
    return Costs(
        start_s=start_s, picture_s=picture_s, segment_s=segment_s,
        feature_s=feature_s / len(rows), head_step_s=head_step_s, first_step_s=first_step_s,
        step_s=step_s + 0.5 * disturb_s, answer_s=answer_s / len(rows),
    )  # fmt: skip


def _looked_at(config: RunConfig) -> "tuple[float, float, UInt8Array]":
    """Seconds to prepare a picture and to find its cells, and some pictures as the network's."""
    import numpy as np

    from leukemia_app.data.manifest import read_manifest
    from leukemia_app.imaging.decode import read_picture
    from leukemia_app.imaging.prepare import prepare
    from leukemia_app.imaging.segment import segment

    groups = Path(config.groups) if config.groups else None
    manifest = read_manifest(Path(config.data), groups, config.group_level)
    chosen = manifest.rows[:: max(1, len(manifest.rows) // N_PICTURES)][:N_PICTURES]
    pixels, prepare_s, segment_s = [], [], []
    for row in chosen:
        try:
            began = time.monotonic()
            picture = read_picture(manifest.path(row))
            pixels.append(prepare(picture, config.recipe).pixels)
            prepare_s.append(time.monotonic() - began)
            segment_s.append(_seconds(lambda: segment(picture.pixels, "stain")))  # noqa: B023
        except ImageError:
            continue
    if not pixels:
        raise RunError(f"Not one of {len(chosen)} pictures in {config.data} can be read.")
    return float(np.median(prepare_s)), float(np.median(segment_s)), np.stack(pixels)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
