"""A comparison of models in sentences, the same on the page, in the report and in a terminal."""

from collections.abc import Mapping, Sequence

import numpy as np

from leukemia_app.archives.safe_names import counted
from leukemia_app.evaluation import words
from leukemia_app.evaluation.compare import DIFFERED, Comparison, Pair
from leukemia_app.evaluation.measures import NAMES

INPUTS: Mapping[str, str] = {"field": "a field", "cell": "one cell"}


def verdict(comparison: Comparison) -> str:
    """Which pictures the figures are of, and who agrees how often."""
    if not comparison.n:
        return "No picture is left that none of the models learned from, so nothing is compared."
    level = comparison.split.get("level", "image")
    groups = "" if level == "image" else f" of {counted(comparison.n_groups, level)}"
    part = comparison.split.get("part", "all")
    where = "" if part == "all" else f" of the {part} part"
    same = agreeing(comparison)
    return (
        f"{counted(len(comparison.models), 'model')} on the same "
        f"{counted(comparison.n, 'picture')}{groups}{where}, {words.split_level(level)}. "
        f"All name the same top class for {same:,} of them "
        f"({words.percent(same / comparison.n)})."
    )


def agreeing(comparison: Comparison) -> int:
    """Pictures of which every model names the same top class."""
    said = np.stack([model.answers.predicted for model in comparison.models.values()])
    return int((said == said[0]).all(0).sum())


def remarks(comparison: Comparison) -> tuple[str, ...]:
    """What limits the comparison: labels that meet through a map, inputs, pictures left out."""
    return tuple(
        filter(
            None,
            (
                _few(comparison),
                _level(comparison),
                _labels(comparison),
                _inputs(comparison),
                *_left_out(comparison),
            ),
        )
    )


FEW = 20
"""Pictures under which curves would only look like knowledge."""
LEVELS: Mapping[str, str] = {
    "image": "Image-level: which pictures are of one patient is not known, and patients whom a "
    "model learned from may be among these. The figures are optimistic.",
    "run": "By run: a row of consecutive frames, a slide, or what a table names counts as one "
    "group, a stand-in for patients.",
    "patient": "By patient: all pictures of a patient count as one group.",
}


def _level(comparison: Comparison) -> str:
    return LEVELS[comparison.split.get("level", "image")] if comparison.n else ""


def _few(comparison: Comparison) -> str:
    if not 0 < comparison.n < FEW:
        return ""
    return (
        f"{counted(comparison.n, 'picture')} are few: the figures hardly mean anything, and curves "
        "are left out."
    )


def _labels(comparison: Comparison) -> str:
    if not comparison.labels.is_stated:
        return ""
    merged = [
        id for id, model in comparison.models.items()
        if comparison.labels.merges(model.spec.label_names)
    ]  # fmt: skip
    said = f"The labels meet as you stated: {comparison.labels.in_words()}."
    if merged:
        said += (
            f" Probabilities of {words.together(merged)} are summed; "
            f"{'its' if len(merged) == 1 else 'their'} answer is the greatest sum."
        )
    return said


def _inputs(comparison: Comparison) -> str:
    found: dict[str, list[str]] = {}
    for id, model in comparison.models.items():
        found.setdefault(model.spec.recipe.input, []).append(id)
    return inputs_words(found)


def inputs_words(ids_by_input: Mapping[str, Sequence[str]]) -> str:
    """That models of two kinds of input get the picture each in its own way; empty for one kind."""
    if len(ids_by_input) < 2:
        return ""
    said = "; ".join(f"{words.together(ids)} {'reads' if len(ids) == 1 else 'read'} {INPUTS[kind]}"
                     for kind, ids in ids_by_input.items())  # fmt: skip
    return f"{said}. Each gets the picture in its own way, and is at home with its own kind only."


def _left_out(comparison: Comparison) -> list[str]:
    made = []
    if comparison.n_left_out:
        whose = [f"{id} from {model.seen:,}" for id, model in comparison.models.items()
                 if model.seen]  # fmt: skip
        by_group = comparison.split.get("level", "image") != "image"
        rest = ", or from others of their groups" if by_group else ""
        made.append(
            f"{counted(comparison.n_left_out, 'picture')} left out, because a model had learned "
            f"from them{rest} ({', '.join(whose)})."
        )
    if comparison.unmapped:
        listed = ", ".join(f"“{label}” {n:,}" for label, n in comparison.unmapped.items())
        made.append(f"Left out, because no model has an answer for the label: {listed}.")
    if comparison.unreadable:
        made.append(f"{counted(len(comparison.unreadable), 'file')} could not be read.")
    return made


def pair(found: Pair, n_pairs: int) -> str:
    """Two models against each other, in two sentences or three."""
    raised = f", raised for {n_pairs} pairs" if n_pairs > 1 else ""
    return (
        f"{found.first} alone is right on {counted(found.counts.only_first, 'picture')}, "
        f"{found.other} alone on {found.counts.only_other:,} (McNemar’s exact test, "
        f"{chance(found.p_holm)}{raised}). {_apart(found)}"
    )


def _apart(found: Pair) -> str:
    told = [NAMES[name] for name in found.told_apart()]
    agreed = [NAMES[name] for name, each in found.differences.items()
              if each.value and each.low is None]  # fmt: skip
    said = []
    if told:
        said.append(f"They differ in {words.together(told)}: there the interval of the difference "
                    "does not hold zero.")  # fmt: skip
    if agreed:
        said.append(f"The difference in {words.together(agreed)} has no interval: all samples "
                    "agree, or there are too few groups to draw from.")  # fmt: skip
    if said:
        return " ".join(said)
    has_any = any(each.low is not None for each in found.differences.values())
    why = "Every interval of the differences holds zero" if has_any else (
        "No figure shows a difference")  # fmt: skip
    return f"{why}: these pictures do not tell the two apart."


def chance(p: float) -> str:
    """A p-value in words, never as zero."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def many(comparison: Comparison) -> str:
    """How many comparisons were made, and what that does to their intervals."""
    n_pairs = len(comparison.pairs)
    if not n_pairs:
        return ""
    n = n_pairs * len(DIFFERED)
    return (
        f"{counted(n_pairs, 'pair')} by {len(DIFFERED)} figures are {n} differences, each with its "
        "own 95 % interval unless all samples agree: of twenty that are no difference, one leaves "
        "out zero by chance. "
        "McNemar’s test takes pictures as independent; the intervals draw whole groups."
    )
