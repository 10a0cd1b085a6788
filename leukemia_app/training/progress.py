"""How far a job is, in words: what is counted, and of how many."""

from collections.abc import Mapping
from typing import Any

Doing = Mapping[str, Any]
"""The last event that says how far a job is; empty before the first."""
STATES: Mapping[str, str] = {
    "prepare": "preparing", "features": "features", "head": "head", "step": "fine-tuning",
    "epoch": "fine-tuning", "evaluate": "evaluating", "baselines": "evaluating",
}  # fmt: skip
"""The state that each kind of event is told in; while a model is made of the best so far any is."""
NOUNS: Mapping[str, str] = {
    "prepare": "pictures", "features": "pictures and disturbed copies",
    "evaluate": "test pictures", "baselines": "classical models",
}  # fmt: skip
PHASES: Mapping[str, str] = {
    "archives": "files of the archives", "pictures": "pictures",
    "controls": "pictures for the controls", "thumbnails": "pictures to show",
}  # fmt: skip
"""What a data check counts, by phase."""


def run_progress(doing: Doing, state: str) -> tuple[str, float | None]:
    """How far a training is in its state, and as a share; nothing where the state is a later one.

    A share is None where it cannot be told.
    """
    kind = doing.get("kind", "")
    if state != "finishing" and STATES.get(kind) != state:
        return "", None
    if kind in NOUNS and "total" in doing:
        return _counted(doing, NOUNS[kind])
    if kind == "step" and "steps" in doing:
        return _step(doing)
    if kind in ("head", "epoch") and "epochs" in doing:
        done, total = doing["epoch"], doing["epochs"]
        return f"epoch {done:,} of {total:,} done", done / max(1, total)
    return "", None


def check_progress(doing: Doing) -> tuple[str, float | None]:
    """How far a data check is, and as a share; nothing before it has counted something."""
    if "total" not in doing:
        return "", None
    return _counted(doing, PHASES.get(doing.get("phase", ""), "pictures"))


def _counted(doing: Doing, noun: str) -> tuple[str, float | None]:
    done, total = doing["done"], doing["total"]
    return f"{done:,} of {total:,} {noun}", done / total if total else None


def _step(doing: Doing) -> tuple[str, float]:
    """Steps are counted over all epochs, and told within theirs."""
    step, steps, epoch = doing["step"], max(1, doing["steps"]), doing["epoch"]
    epochs = doing.get("epochs")
    if not epochs:
        return f"epoch {epoch:,}, step {step:,} of {steps:,} in all", step / steps
    in_epoch = steps // epochs
    at = step - (epoch - 1) * in_epoch
    return f"epoch {epoch:,} of {epochs:,}, its step {at:,} of {in_epoch:,}", step / steps
