"""The course of a training: what its curves say about overfitting, by a stated rule."""

from collections.abc import Sequence
from dataclasses import dataclass

RISE = 0.1
"""The validation loss has risen when it ends this part above its lowest."""
ACCURACY_GAP = 0.1
"""A gap when training accuracy is so much above validation accuracy, as a share of pictures."""
PATIENCE = 2
"""Epochs after the lowest validation loss before a rise says anything."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch as its event told it; None where the event did not say."""

    phase: str
    """`head` on frozen features, or `network` where the backbone learns too."""
    number: int
    """From 1 in each phase."""
    loss: float | None = None
    val_loss: float | None = None
    accuracy: float | None = None
    val_accuracy: float | None = None
    rate: float | None = None
    """Learning rate at the end of the epoch."""
    seconds: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """What the curves say."""

    name: str
    """`overfitting`, `still learning`, `no overfitting seen` or `not known`."""
    sentence: str
    lowest: Epoch | None
    """The epoch with the lowest validation loss."""


def course(epochs: Sequence[Epoch]) -> Course:
    """Judge the last phase that was checked on the validation part.

    Overfitting: the validation loss ends `RISE` or more above its lowest, at least `PATIENCE`
    epochs later, while the training loss fell on; or, at the lowest, training accuracy lies
    `ACCURACY_GAP` or more above validation accuracy. Still learning: the lowest is the last of
    three epochs or more.
    """
    checked = [epoch for epoch in epochs if epoch.val_loss is not None]
    checked = [epoch for epoch in checked if epoch.phase == checked[-1].phase]
    if len(checked) < 2:
        return Course(
            name="not known", sentence=NOT_CHECKED, lowest=checked[0] if checked else None
        )
    lowest = min(checked, key=lambda epoch: (epoch.val_loss or 0.0, epoch.number))
    for judge in (_rise, _gap, _still_learning):
        if (found := judge(checked, lowest)) is not None:
            return found
    apart = ""
    if lowest.accuracy is not None and lowest.val_accuracy is not None:
        apart = f"; there, training and validation accuracy lay {_points(lowest)} points apart"
    return Course(
        name="no overfitting seen",
        sentence=f"No overfitting by our rule: the validation loss was lowest after "
        f"{_named(lowest)} ({lowest.val_loss:.3f}) and ended at {checked[-1].val_loss:.3f}{apart}.",
        lowest=lowest,
    )


NOT_CHECKED = (
    "There is no validation loss over two epochs or more, so overfitting cannot be seen or ruled "
    "out."
)


def _rise(checked: Sequence[Epoch], lowest: Epoch) -> Course | None:
    last = checked[-1]
    least, end = lowest.val_loss or 0.0, last.val_loss or 0.0
    if last.number - lowest.number < PATIENCE or end < least * (1 + RISE):
        return None
    if lowest.loss is not None and last.loss is not None and last.loss >= lowest.loss:
        return None
    return Course(
        name="overfitting",
        sentence=f"Overfitting: after {_named(lowest)} the validation loss rose from "
        f"{least:.3f} to {end:.3f} while the training loss fell on"
        f"{_from_to(lowest.loss, last.loss)}: it began to learn its own pictures by heart.",
        lowest=lowest,
    )


def _gap(checked: Sequence[Epoch], lowest: Epoch) -> Course | None:
    if lowest.accuracy is None or lowest.val_accuracy is None:
        return None
    if lowest.accuracy - lowest.val_accuracy < ACCURACY_GAP:
        return None
    return Course(
        name="overfitting",
        sentence=f"Overfitting: at {_named(lowest)}, the best, training accuracy is "
        f"{_points(lowest)} points above validation accuracy ({100 * lowest.accuracy:.1f} % "
        f"against {100 * lowest.val_accuracy:.1f} %).",
        lowest=lowest,
    )


def _still_learning(checked: Sequence[Epoch], lowest: Epoch) -> Course | None:
    if lowest is not checked[-1] or len(checked) < 3:
        return None
    return Course(
        name="still learning",
        sentence=f"Still learning: the last, {_named(lowest)}, had the lowest validation loss "
        f"({lowest.val_loss:.3f}), so more epochs may help. No overfitting by our rule.",
        lowest=lowest,
    )


def _named(epoch: Epoch) -> str:
    return f"epoch {epoch.number}{' of the head' if epoch.phase == 'head' else ''}"


def _points(epoch: Epoch) -> str:
    gap = (epoch.accuracy or 0.0) - (epoch.val_accuracy or 0.0)
    return f"{100 * abs(gap):.1f}"


def _from_to(first: float | None, last: float | None) -> str:
    return "" if first is None or last is None else f" from {first:.3f} to {last:.3f}"
