"""A checkpoint's facts and the bounds of its opening in words, for the page and the commands."""

from collections.abc import Sequence

from leukemia_app.bundles.checkpoint_facts import LOGITS, CheckpointFacts
from leukemia_app.bundles.checkpoint_network import SCALINGS
from leukemia_app.bundles.checkpoint_spec import (
    FIT,
    INTERPOLATION,
    Answers,
    guesses,
    sides_within,
)
from leukemia_app.bundles.input_words import FITS, side_words
from leukemia_app.bundles.sandbox import ALL_BOUNDS


def fact_rows(facts: CheckpointFacts, answers: Answers) -> tuple[tuple[str, str], ...]:
    """Name and words of each fact, with what was guessed where the file is silent."""
    size = "any size" if facts.side_px is None else f"{facts.rows} × {facts.columns} px"
    colour = "grey" if facts.channels == 1 else "colour"
    own = f", this app's {facts.backbone} with {facts.head} head" if facts.backbone else ""
    if answers.labels == guesses(facts).labels:
        named = (f"from {facts.labels_from}" if facts.labels
                 else "not in the file; give their names, in the network's order")  # fmt: skip
    else:
        named = "as given"
    return (
        ("File", f"{facts.file}: {facts.kind}, Keras {facts.keras_version}{own}"),
        ("Network", f"{facts.n_layers} layers, {facts.n_parameters:,} weights"),
        ("Takes", f"pictures in {colour}, {size}"),
        ("Gives", f"{facts.n_outputs} value{'' if facts.n_outputs == 1 else 's'}, "
                  f"{activation_words(facts)}"),
        ("Labels", f"{', '.join(answers.labels)} ({named})"),
        ("Size", f"{answers.side_px} px"
                 + (" (a guess: it takes any)" if facts.side_px is None else "")
                 + f"; a picture is {resized_words(facts, answers)}"),
        ("Scaling", f"{answers.scaling}: {SCALINGS[answers.scaling]}"
                    + (f" (a guess: {facts.scaling_why})"
                       if answers.scaling == facts.scaling else "")),
        ("Colours", "blue, green, red" if answers.colour == "bgr" else "red, green, blue"),
        ("Shows", "one cell" if answers.input == "cell" else "a field of many cells"),
    )  # fmt: skip


def resized_words(facts: CheckpointFacts, answers: Answers) -> str:
    """How a picture of any shape is brought to the network's size."""
    told = f"{FITS[FIT]} to {side_words(answers.side_px, INTERPOLATION)}"
    if sides := sides_within(facts):
        told += f", and in the network to {sides['rows']} × {sides['columns']} px"
    return told


def activation_words(facts: CheckpointFacts) -> str:
    """What stands behind the network's last values."""
    if facts.activation == LOGITS:
        return "logits without an activation"
    return f"through {facts.activation}"


def bound_words(held: Sequence[str]) -> str:
    """Which bounds held while the checkpoint was open, and which this system does not give."""
    missing = [bound for bound in ALL_BOUNDS if bound not in held]
    said = f"Opened in a process of its own, with bounds on: {', '.join(held)}."
    if missing:
        said += f" Not on this system: {', '.join(missing)}."
    return said
