"""Every word of the review of a run's answers, in one place."""

from collections.abc import Mapping

TITLE = "Go through the answers"
INTRO = (
    "A wrong answer may be a wrong label. Look at each picture, say what it is, and train again: "
    "the same settings on the same parts, so that the figures compare."
)
HONEST = (
    "Labels of test pictures that are changed after a model was seen make the next figures on them "
    "optimistic. The report and the model’s card will say how many were."
)
TABLE_NAME = "Answers by label"
TABLE = "Rows: the data set’s label. Columns: what the model said. {part}"
SHOWN: Mapping[str, str] = {
    "": "Pictures of the test part and of the validation part.",
    "test": "The test part alone.",
    "val": "The validation part alone.",
}
CHOSEN: Mapping[str, str] = {"": "Test and validation", "test": "Test part",
                             "val": "Validation part"}  # fmt: skip
UNDONE = "undone"
DROP, UNDO, BACK, ON = "Drop it", "Undo", "Previous", "Next"
AGAIN = "Train again"
SAVE = "Save the corrections (CSV)"
NOTHING_YET = "Once a label is changed or a picture dropped, the training can be done again."
KEYS = (
    "Keys, while the pointer or the focus is here: a digit chooses its label, x or Delete drops, "
    "u or Ctrl-Z undoes, arrows or j and k move."
)
KEYS_TO_MOVE = "Keys, while the pointer or the focus is here: arrows or j and k move."
PARTS = {"test": "test part", "val": "validation part"}
GONE = (
    "The pictures of this run are not among yours on this server (deleted, or given to the command "
    "line), so nothing can be relabelled here. On the command line, data check with --corrections "
    "and a table does the same."
)
ANEW = (
    "The pictures were checked again since this run and are split otherwise now. Training again "
    "keeps to the parts of this run."
)
UNREADABLE = "This picture cannot be shown any more."


def every(n: int, n_wrong: int) -> str:
    """What the button says that opens every picture."""
    return f"All {n:,}, the most wrong first ({n_wrong:,} wrong)"


def place(at: int, n: int) -> str:
    """Which picture of how many is shown."""
    return f"{at + 1:,} of {n:,}"


def cell_words(label: str, predicted: str, n: int, n_decided: int) -> str:
    """What a cell of the table holds."""
    return f"{label} called {predicted}: {n:,} picture{'' if n == 1 else 's'}" + (
        f", {n_decided:,} decided" if n_decided else ""
    )


def decided(n: int, n_all: int, n_new: int, n_dropped: int) -> str:
    """How far somebody is."""
    kept = n - n_new - n_dropped
    return f"{n:,} of {n_all:,} decided: {n_new:,} relabelled, {n_dropped:,} dropped, {kept:,} kept"


def done(label: str) -> str:
    """What was just decided."""
    return f"is {label}" if label else "dropped"


def yours(decision: str, label: str) -> str:
    """What was decided about the picture that is shown."""
    if not decision:
        return "You dropped it."
    return "You kept its label." if decision == label else f"You said: {decision}."
