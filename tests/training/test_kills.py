"""A real training, killed at random moments, ends as one that was left alone."""

import hashlib
import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.bundles.store import read_spec
from leukemia_app.training import jobs
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import draw_set, tiny_config

KILLS = int(os.environ.get("RANDOM_KILLS", "2"))
"""Give a large number to look for rare faults."""


def kept_weights(run: RunFolder) -> str:
    """Digest of the arrays that were kept; the file itself holds the time of day."""
    digest = hashlib.sha256()
    with np.load(run.path / "best" / "weights.npz") as arrays:
        for name in sorted(arrays.files):
            digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def carried_on(run: RunFolder) -> float:
    """Seconds that a worker needed to bring the run to its end."""
    began = time.monotonic()
    process = jobs.start(run)
    process.wait()
    assert run.status()["state"] == "done", (run.status(), (run.path / "output.txt").read_text())
    return time.monotonic() - began


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_if_nothing_had_happened(tmp_path: Path):
    draw_set(tmp_path / "set")
    config = tiny_config(tmp_path / "set")
    whole, killed = (RunFolder(path=tmp_path / name / "run") for name in ("whole", "killed"))
    whole.create(config)
    killed.create(config)
    whole_s = carried_on(whole)
    chance = random.Random(KILLS)  # noqa: S311 moments, no secrets
    for _ in range(KILLS):
        process = jobs.start(killed)
        # Early enough to hit even a run that has the same time before it as the whole one had.
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 0.6 * whole_s))
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert not jobs.is_running(killed)
        assert jobs.standing(killed).state in ("interrupted", "done")
        assert killed.config() == config
    carried_on(killed)
    assert kept_weights(killed) == kept_weights(whole)
    assert read_spec(killed.path / "bundle").labels == read_spec(whole.path / "bundle").labels
    assert "evaluate" in [event["kind"] for event in killed.events()]
    # The run that was left alone was not touched.
    assert whole.status()["state"] == "done"
