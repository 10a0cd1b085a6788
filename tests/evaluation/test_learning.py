"""The rule for overfitting, case by case."""

import pytest

from leukemia_app.evaluation.learning import Epoch, course


def epochs(*rows: tuple[float, float], phase: str = "network") -> list[Epoch]:
    """Epochs of (training loss, validation loss)."""
    return [Epoch(phase=phase, number=number, loss=loss, val_loss=val_loss)
            for number, (loss, val_loss) in enumerate(rows, 1)]  # fmt: skip


def test_a_rising_validation_loss_under_a_falling_training_loss_is_overfitting():
    # 0.50 -> 0.55 is a rise of 10 %, two epochs after the lowest
    found = course(epochs((0.9, 0.7), (0.6, 0.5), (0.4, 0.52), (0.2, 0.55)))
    assert found.name == "overfitting"
    assert found.lowest is not None
    assert found.lowest.number == 2
    assert "after epoch 2 the validation loss rose from 0.500 to 0.550" in found.sentence
    assert "from 0.600 to 0.200" in found.sentence


@pytest.mark.parametrize(
    "rows",
    [
        # a rise of 8 % only
        ((0.9, 0.7), (0.6, 0.5), (0.4, 0.52), (0.2, 0.54)),
        # one epoch after the lowest says nothing
        ((0.9, 0.7), (0.6, 0.5), (0.4, 0.9)),
        # the training loss rose too: a disturbed training, not one by heart
        ((0.9, 0.7), (0.6, 0.5), (0.7, 0.6), (0.8, 0.9)),
    ],
)
def test_what_is_no_overfitting_by_the_rule(rows):
    found = course(epochs(*rows))
    assert found.name == "no overfitting seen"
    assert f"({0.5:.3f}) and ended at {rows[-1][1]:.3f}." in found.sentence


def test_a_gap_in_accuracy_is_overfitting():
    # 98 % against 85 % at the lowest: 13 points, the rule says 10
    rows = [Epoch(phase="network", number=number, loss=0.1, val_loss=0.5 + number / 100,
                  accuracy=0.98, val_accuracy=0.85) for number in (1, 2)]  # fmt: skip
    found = course(rows)
    assert found.name == "overfitting"
    assert "13.0 points above validation accuracy (98.0 % against 85.0 %)" in found.sentence


def test_a_small_gap_in_accuracy_is_told():
    rows = [Epoch(phase="network", number=number, loss=0.1, val_loss=0.5 + number / 100,
                  accuracy=0.9, val_accuracy=0.88) for number in (1, 2)]  # fmt: skip
    assert "lay 2.0 points apart" in course(rows).sentence


def test_the_lowest_at_the_end_is_still_learning():
    found = course(epochs((0.9, 0.7), (0.6, 0.5), (0.4, 0.4)))
    assert (found.name, found.lowest and found.lowest.number) == ("still learning", 3)


def test_the_head_on_frozen_features_is_not_mixed_with_the_network():
    rows = epochs((0.9, 0.1), (0.8, 0.1), (0.7, 0.2), phase="head") + epochs((0.6, 0.5), (0.5, 0.6))
    found = course(rows)
    assert found.lowest is not None
    assert (found.lowest.phase, found.lowest.number) == ("network", 1)


@pytest.mark.parametrize("rows", [[], epochs((0.5, 0.4)), [Epoch(phase="head", number=1, loss=1)]])
def test_without_two_checked_epochs_nothing_is_known(rows):
    assert course(rows).name == "not known"
