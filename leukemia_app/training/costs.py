"""What the parts of a run cost: guessed for two processor cores, or measured on this machine."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from leukemia_app.errors import RunError
from leukemia_app.networks.backbones import BLOCKS
from leukemia_app.training.config import NORMALISATION, RunConfig
from leukemia_app.training.precision import BFLOAT16, choose_policy, processor_flags

PROBE = "leukemia_app.training.probe"
PROBE_SECONDS = 600.0
SIDE_PX, BATCH = 224, 32
"""What the table of paces is for."""
BFLOAT16_GAIN = 0.55
"""Share of the time that 16 bits leave of a step where they are taken at all."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds that the parts of a run take."""

    start_s: float
    """Until the process has loaded its libraries and built the network."""
    picture_s: float
    """To decode and prepare a picture."""
    segment_s: float
    """To find the cells in one."""
    feature_s: float
    """To disturb a picture and have the backbone look at it."""
    head_step_s: float
    first_step_s: float
    """Of tuning: the network is translated for the machine."""
    step_s: float
    """Of tuning, each later one."""
    answer_s: float
    """To have the network answer for a picture, one view."""

    def at_pace(self, factor: float) -> "Costs":
        """The same where the network takes `factor` times as long; reading pictures does not."""
        return replace(
            self, feature_s=self.feature_s * factor, head_step_s=self.head_step_s * factor,
            first_step_s=self.first_step_s * factor, step_s=self.step_s * factor,
            answer_s=self.answer_s * factor,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds of a backbone on two cores, with an input of `SIDE_PX`."""

    look_s: float
    """To look at a picture."""
    learn_s: float
    """To learn from one with every block: to look, and the way back."""
    first_step_s: float
    """To translate the network for training."""


PACES: Mapping[str, Pace] = {
    "baseline_cnn": Pace(look_s=0.009, learn_s=0.040, first_step_s=2),
    "mobilenet": Pace(look_s=0.011, learn_s=0.050, first_step_s=7),
    "efficientnetb0": Pace(look_s=0.014, learn_s=0.096, first_step_s=20),
    "vgg16": Pace(look_s=0.150, learn_s=0.51, first_step_s=7),
    "resnet50": Pace(look_s=0.045, learn_s=0.30, first_step_s=25),
    "inceptionv3": Pace(look_s=0.023, learn_s=0.11, first_step_s=25),
    "vit": Pace(look_s=0.009, learn_s=0.026, first_step_s=6),
}
"""Source: steps of 16 pictures of 128 px in float32 with AdamW, TensorFlow 2.21 on two cores of an
AMD EPYC: processor time over both, scaled by the side squared, held against the time by the clock
on a quiet machine where that is known."""
HEAD_STEPS_S: Mapping[str, float] = {"plain": 0.004, "attention": 0.02}
"""Seconds of a step of the head, with a batch of `BATCH` maps of an input of `SIDE_PX`."""
DISTURB_S = 0.004
"""To disturb a picture of `SIDE_PX`."""


CLASSICAL_S: Mapping[str, tuple[float, float]] = {
    "svc": (0.0, 1.7e-6), "xgboost": (1.2e-3, 0.0), "lda": (1.0e-3, 0.0),
    "ridge_cv": (0.0, 0.9e-6), "ridge": (0.3e-3, 0.0),
}  # fmt: skip
"""Seconds of a classical model on pixels and on features, for each picture that it learns from and
for each pair of them. Source: runs of 1,759 and 4,612 pictures on the same machine."""


def guessed_costs(config: RunConfig, flags: Set[str] | None = None) -> Costs:
    """What such a run costs on two cores, from the table; `flags` are the processor's own."""
    pace, area = PACES[config.backbone], (config.recipe.side_px / SIDE_PX) ** 2
    flags = processor_flags() if flags is None else flags
    # A graphics processor is known to the run's own process alone; it is faster than any guess.
    is_16_bit = choose_policy(config.precision, config.backbone, flags) == BFLOAT16
    gain = BFLOAT16_GAIN if is_16_bit else 1.0
    look_s, back_s = pace.look_s * area, (pace.learn_s - pace.look_s) * area
    learn_s = gain * (look_s + tuned_part(config) * back_s)
    return Costs(
        start_s=10, picture_s=0.02, segment_s=0.1,
        feature_s=gain * look_s + DISTURB_S * area,
        head_step_s=HEAD_STEPS_S[config.head] * area * config.batch_size / BATCH,
        first_step_s=pace.first_step_s,
        # Pictures are disturbed in a thread of its own while the network learns.
        step_s=config.batch_size * (learn_s + 0.5 * DISTURB_S * area), answer_s=look_s,
    )  # fmt: skip


def tuned_part(config: RunConfig) -> float:
    """Share of the backbone's blocks that a step of tuning goes back through."""
    blocks = BLOCKS[config.backbone]
    if config.tune_from in ("", NORMALISATION) or config.tune_from not in blocks:
        return 1.0
    return 1 - blocks.index(config.tune_from) / len(blocks)


def best_costs(config: RunConfig, cache: Path, *, measure: bool = False) -> tuple[str, Costs]:
    """The costs of such a run, and what they rest on.

    `measured` on this machine, now where `measure` says so; `likened` to what was measured here
    for other settings; or `guessed` for two cores.

    Raises:
        RunError: as `measured_costs`.
    """
    known = measured_costs(config, cache) if measure else known_costs(config, cache)
    if known is not None:
        return "measured", known
    likened = likened_costs(config, cache)
    return ("likened", likened) if likened else ("guessed", guessed_costs(config))


def known_costs(config: RunConfig, cache: Path) -> Costs | None:
    """What was measured on this machine for such a run; None where nothing was."""
    return _kept(_file(config, cache), "measured")


def likened_costs(config: RunConfig, cache: Path) -> Costs | None:
    """The guess, corrected by what runs with other settings were measured to take here.

    None where nothing was measured on this machine.
    """
    factors = [measured.step_s / guessed.step_s for measured, guessed in _all_kept(cache)]
    return guessed_costs(config).at_pace(median(factors)) if factors else None


def _all_kept(cache: Path) -> Iterator[tuple[Costs, Costs]]:
    """What was measured here, each beside what was guessed before."""
    for path in sorted(cache.glob(f"costs-{_machine()}-*.json")):
        measured, guessed = _kept(path, "measured"), _kept(path, "guessed")
        if measured is not None and guessed is not None:
            yield measured, guessed


def _kept(path: Path, what: str) -> Costs | None:
    try:
        return Costs(**json.loads(path.read_text(encoding="utf-8"))[what])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def measured_costs(config: RunConfig, cache: Path) -> Costs:
    """The costs of such a run, kept in `cache`; the first time a process takes a few steps.

    That takes half a minute, for large networks minutes.

    Raises:
        RunError: the network cannot be built, or the pictures cannot be read.
    """
    if (costs := known_costs(config, cache)) is not None:
        return costs
    cache.mkdir(parents=True, exist_ok=True)
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            [sys.executable, "-m", PROBE],
            input=json.dumps(config.to_dict()), capture_output=True, text=True,
            timeout=PROBE_SECONDS, env=os.environ | {"PYTHONPATH": path}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RunError(
            f"Three steps of {config.backbone} took over {PROBE_SECONDS:.0f} s on this machine; "
            "use a smaller side of the input or a smaller batch."
        ) from error
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise RunError(f"The time cannot be estimated: {words[-1] if words else done.returncode}")
    costs = Costs(**json.loads(done.stdout.splitlines()[-1]))
    draft = _file(config, cache).with_suffix(f".{os.getpid()}.part")
    both = {"measured": asdict(costs), "guessed": asdict(guessed_costs(config))}
    draft.write_text(json.dumps(both), encoding="utf-8")
    draft.replace(_file(config, cache))
    return costs


def _file(config: RunConfig, cache: Path) -> Path:
    """Where the costs of such runs on this machine are kept."""
    same = [
        config.data, config.recipe.to_dict(), config.backbone,
        config.head, dict(config.head_arguments), config.batch_size, config.tune_from,
        config.frozen_normalisation, config.precision, config.optimizer,
    ]  # fmt: skip
    return cache / f"costs-{_machine()}-{_digest(same)}.json"


def _machine() -> str:
    return _digest([platform.node(), os.cpu_count()])


def _digest(values: list[object]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
