"""The classical models of a run: on small pixels and on frozen features of the run's own split."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from leukemia_app.evaluation.baseline_row import Baseline
from leukemia_app.evaluation.baselines import MissingBaseline, measure_baseline, small_pixels
from leukemia_app.evaluation.measures import UNDEFINED
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.training.parts import Parts
from leukemia_app.training.pixels import PixelCache
from leukemia_app.training.results import BASELINES_FILE, read_baselines
from leukemia_app.training.run_folder import RunFolder, Stopped

Features = Callable[[NDArray[np.int64]], FloatArray]
"""Frozen features (n, n_features) of the pictures with these row numbers."""


def run_baselines(
    folder: RunFolder,
    names: Sequence[str],
    cache: PixelCache,
    parts: Parts,
    targets: NDArray[np.int64],
    features: Features,
) -> None:
    """Fit and score each on pixels and on features, writing report/baselines.json row by row.

    They learn from the same pictures as the network and are scored on the same test part. A row
    that is there already is not computed again; one whose package is missing says so.

    Raises:
        Stopped: somebody asked for an end; the rows so far are on disk.
        RunError: the file cannot be written.
    """
    # One that was left out may have its package by now.
    done = {(row.name, row.features): row for row in read_baselines(folder) if not row.note}
    wanted = [(name, kind) for kind in ("pixels", "frozen") for name in names]
    groups = [cache.rows[row].group for row in parts.test]
    inputs: dict[str, FloatArray] = {}
    both = np.concatenate([parts.learn, parts.test])
    for number, (name, kind) in enumerate(wanted):
        if folder.should_stop():
            raise Stopped
        if (name, kind) not in done:
            if kind not in inputs:
                # Row by row: all prepared pictures together may be more than the memory holds.
                inputs = {kind: small_pixels(cache.pixels[row] for row in both)
                          if kind == "pixels" else features(both)}  # fmt: skip
            values, n_learn = inputs[kind], len(parts.learn)
            try:
                done[name, kind] = measure_baseline(
                    name, kind, (values[:n_learn], targets[parts.learn]),
                    (values[n_learn:], targets[parts.test]), groups,
                )  # fmt: skip
            except MissingBaseline as error:
                done[name, kind] = _left_out(name, kind, str(error))
            folder.write_json(BASELINES_FILE, [row.to_dict() for row in done.values()])
        folder.add_event(
            "baselines", done=number + 1, total=len(wanted), name=name, features=kind,
            note=done[name, kind].note,
        )  # fmt: skip


def _left_out(name: str, kind: str, why: str) -> Baseline:
    return Baseline(
        name=name, features=kind, accuracy=UNDEFINED, balanced_accuracy=UNDEFINED,
        auroc=UNDEFINED, macro_f1=UNDEFINED, seconds=None, note=why,
    )  # fmt: skip
