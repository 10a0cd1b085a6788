"""The spec of an imported model: what a person answered, and plainly what nobody measured. Pure."""

import re
from dataclasses import dataclass

from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
from leukemia_app.bundles.checkpoint_network import COLOURS, SCALINGS
from leukemia_app.bundles.spec import IMPORTED, Label, NetworkSpec, Spec
from leukemia_app.errors import BundleError
from leukemia_app.imaging.recipe import Recipe

DEFAULT_THRESHOLD = 0.8
"""Without calibration a network's probabilities are mostly too high, so that half is no majority.

Source: Guo et al. 2017, arXiv 1706.04599. It is a guess until it is measured, and says so.
"""
UNKNOWN_SIDE = 224
FIT, INTERPOLATION = "stretch", "bilinear"
"""As Keras' own readers of folders resize; no checkpoint says how it was done."""
MAX_TITLE = 80
NOT_MEASURED = (
    "Nothing was measured here: not how often it is right, not whether its probabilities match "
    "frequencies, and not which pictures are unlike those it learned from. It refers under a top "
    f"probability of {100 * DEFAULT_THRESHOLD:.0f} %, a cautious guess, and for the quality of the "
    "picture. Measure it with `evaluate` on labelled pictures that it has not learned from."
)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a checkpoint does not say, as a person says it."""

    id: str
    title: str
    labels: tuple[str, ...]
    """In the order of the outputs; for a single one: (negative, positive)."""
    side_px: int
    scaling: str
    """One of `SCALINGS`."""
    colour: str = "rgb"
    """`rgb`, or `bgr` as OpenCV reads pictures."""
    input: str = "field"
    """What a picture shows: a `field` of many cells, or one `cell`."""
    licence: str = "not stated"
    source: str = ""
    """Where the checkpoint is from, in words."""


def guesses(facts: CheckpointFacts, *, id: str | None = None) -> Answers:
    """The likely answers; a person looks at them before anything is kept."""
    stem = re.sub(r"(\.weights)?\.(keras|h5|hdf5|zip)$", "", facts.file, flags=re.IGNORECASE)
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:60] or "imported"
    labels = facts.labels or tuple(f"class {number + 1}" for number in range(facts.n_classes))
    if not facts.labels and facts.n_outputs == 1:
        labels = ("negative", "positive")
    return Answers(
        id=id or name, title=" ".join(stem.split())[:MAX_TITLE] or name, labels=labels,
        side_px=facts.side_px or UNKNOWN_SIDE, scaling=facts.scaling,
    )  # fmt: skip


def spec_of(facts: CheckpointFacts, answers: Answers) -> Spec:
    """The spec of the model, still without its files.

    Raises:
        BundleError: an answer does not fit the checkpoint.
    """
    _check(facts, answers)
    grey = facts.channels == 1
    own = bool(facts.backbone)
    two = len(answers.labels) == 2
    source = f" ({answers.source})" if answers.source else ""
    kind = "binary" if two else "cell type" if answers.input == "cell" else "field subtype"
    network = NetworkSpec(
        backbone=facts.backbone, head=facts.head
    ) if own else NetworkSpec(
        backbone=IMPORTED, head=IMPORTED,
        backbone_arguments={"scaling": answers.scaling, "colour": answers.colour,
                            "channels": facts.channels, "activation": facts.activation}
        | sides_within(facts),
    )  # fmt: skip
    return Spec(
        id=answers.id, title=answers.title,
        summary=f"Imported from {facts.file}{source}, saved by Keras {facts.keras_version}. "
                "How good it is was not measured here.",
        labels=tuple(Label(name=name, meaning=_whose_word(facts, answers))
                     for name in answers.labels),
        label_kind=kind, network=network,
        recipe=Recipe(
            input=answers.input, side_px=answers.side_px, colour="grey" if grey else "rgb",
            scaling=answers.scaling if own else "none", fit=FIT, interpolation=INTERPOLATION,
        ),
        temperature=1.0, threshold=DEFAULT_THRESHOLD, scope=None, figures=(),
        data={"name": "not stated", "limits": NOT_MEASURED},
        split={}, licence=answers.licence,
        intended_use="Trying out a model of others, beside those whose figures are known.",
        not_for="Anything that rests on its answer.",
        parents=(),
        training={"command": f"imported from {facts.file}"},
        versions={"Keras that saved it": facts.keras_version}, files={},
    )  # fmt: skip


def _whose_word(facts: CheckpointFacts, answers: Answers) -> str:
    """Who calls the classes so, in the place of what that means."""
    if answers.labels != guesses(facts).labels:
        return "as given at import; its meaning is not stated"
    if facts.labels:
        return f"as {facts.labels_from} calls it; its meaning is not stated"
    return "a placeholder: nobody named this class"


def sides_within(facts: CheckpointFacts) -> dict[str, int]:
    """Rows and columns of a network whose pictures are no squares: it resizes a square itself."""
    if facts.rows is None or facts.columns is None or facts.rows == facts.columns:
        return {}
    return {"rows": facts.rows, "columns": facts.columns}


def _check(facts: CheckpointFacts, answers: Answers) -> None:
    n_labels = len(answers.labels)
    if n_labels != facts.n_classes:
        given = f"{n_labels} label is" if n_labels == 1 else f"{n_labels} labels are"
        raise BundleError(
            f"{facts.file} tells {facts.n_classes} classes apart, and {given} given: "
            f"{', '.join(answers.labels)}. Name each class, in the network's order."
        )
    if answers.scaling not in SCALINGS or answers.colour not in COLOURS:
        raise BundleError(
            f"scaling is {answers.scaling!r} and colour {answers.colour!r}; use one of "
            f"{', '.join(SCALINGS)}, and one of {', '.join(COLOURS)}."
        )
    if facts.side_px not in (None, answers.side_px) and not facts.backbone:
        raise BundleError(
            f"{facts.file} takes pictures of {facts.side_px} px and no other; {answers.side_px} "
            "is given."
        )
    if facts.backbone and (answers.scaling, answers.colour) != (facts.scaling, "rgb"):
        raise BundleError(
            f"{facts.file} holds weights of {facts.backbone}, which is made for the scaling "
            f"{facts.scaling} and the colour rgb; leave both as they are."
        )
