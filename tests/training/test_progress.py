"""How far a job is: every number says of what."""

from typing import Any

import pytest

from leukemia_app.training.progress import check_progress, run_progress


@pytest.mark.parametrize(
    ("state", "doing", "words", "share"),
    [("preparing", {"kind": "prepare", "done": 8, "total": 1610}, "8 of 1,610 pictures", 8 / 1610),
     ("features", {"kind": "features", "done": 1, "total": 4}, "1 of 4 pictures and disturbed "
      "copies", 0.25),
     ("head", {"kind": "head", "epoch": 2, "epochs": 8}, "epoch 2 of 8 done", 0.25),
     # Four epochs of ten steps: the 17th is the seventh of the second.
     ("fine-tuning", {"kind": "step", "epoch": 2, "epochs": 4, "step": 17, "steps": 40},
      "epoch 2 of 4, its step 7 of 10", 17 / 40),
     ("fine-tuning", {"kind": "step", "epoch": 2, "step": 17, "steps": 40},
      "epoch 2, step 17 of 40 in all", 17 / 40),
     ("fine-tuning", {"kind": "epoch", "epoch": 4, "epochs": 4}, "epoch 4 of 4 done", 1.0),
     ("evaluating", {"kind": "evaluate", "done": 3, "total": 12}, "3 of 12 test pictures", 0.25),
     ("evaluating", {"kind": "baselines", "done": 3, "total": 5}, "3 of 5 classical models", 0.6),
     ("finishing", {"kind": "evaluate", "done": 3, "total": 12}, "3 of 12 test pictures", 0.25),
     ("preparing", {"kind": "prepare", "done": 0, "total": 0}, "0 of 0 pictures", None)],
)  # fmt: skip
def test_a_training_says_how_far_it_is_and_of_what(
    state: str, doing: dict[str, Any], words: str, share: float | None
):
    assert run_progress(doing, state) == (words, share)


@pytest.mark.parametrize(
    ("state", "doing"),
    [("bundling", {"kind": "epoch", "epoch": 8, "epochs": 8}),
     ("evaluating", {"kind": "epoch", "epoch": 8, "epochs": 8}),
     ("fine-tuning", {"kind": "head", "epoch": 8, "epochs": 8}),
     ("starting", {}), ("fine-tuning", {"kind": "check", "val_loss": 1.0})],
)  # fmt: skip
def test_what_an_earlier_state_counted_is_not_told(state: str, doing: dict[str, Any]):
    assert run_progress(doing, state) == ("", None)


@pytest.mark.parametrize(
    ("phase", "words"),
    [("archives", "3 of 12 files of the archives"), ("pictures", "3 of 12 pictures"),
     ("controls", "3 of 12 pictures for the controls"),
     ("thumbnails", "3 of 12 pictures to show"), ("other", "3 of 12 pictures")],
)  # fmt: skip
def test_a_check_says_how_far_it_is_and_of_what(phase: str, words: str):
    doing = {"kind": "prepare", "phase": phase, "done": 3, "total": 12}
    assert check_progress(doing) == (words, 0.25)
    assert check_progress({"kind": "start"}) == ("", None)
