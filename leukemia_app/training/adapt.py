"""Adapt a bundle to a laboratory with few pictures of its own: its head and its normalisation."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.decision import to_probabilities
from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.data.manifest import Manifest, Row
from leukemia_app.errors import RunError
from leukemia_app.evaluation.evaluate import Answers, Interval, interval
from leukemia_app.evaluation.measures import NAMES
from leukemia_app.evaluation.metrics import accuracy, balanced_accuracy, macro_auroc, macro_f1
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.training.augment import Augment
from leukemia_app.training.config import NORMALISATION, About, RunConfig

if TYPE_CHECKING:
    from leukemia_app.networks.build import Network

MOST_PICTURES = 100
"""That are learned from and chosen by; the rest is kept back for the figures."""
LEAST_TEST = 0.3
"""Part that is kept back at least."""
LEAST_A_LABEL = 5
"""Groups of a label below which no part has enough of it."""
Value = Callable[[Answers, NDArray[np.int64]], float | None]
VALUES: Mapping[str, Value] = {
    "accuracy": lambda answers, chosen: _of_labels(accuracy, answers, chosen),
    "balanced_accuracy": lambda answers, chosen: _of_labels(balanced_accuracy, answers, chosen),
    "macro_f1": lambda answers, chosen: _of_labels(macro_f1, answers, chosen),
    "auroc": lambda answers, chosen: macro_auroc(
        answers.true[chosen], answers.probabilities[chosen]
    ),
}
"""Figures of the answers of chosen pictures."""


def _of_labels(
    metric: Callable[..., float | None], answers: Answers, chosen: NDArray[np.int64]
) -> float | None:
    return metric(answers.true[chosen], answers.predicted[chosen], answers.n_classes)


def adapt_config(
    spec: Spec, bundle: Path, manifest: Manifest, *, id: str, groups: Path | None
) -> RunConfig:
    """The settings of a run that adapts the bundle in a folder to the pictures of a manifest.

    The new bundle answers with the labels that the pictures have, and no others.

    Raises:
        RunError: a label is none of the bundle's, or has too few pictures.
    """
    labels = _labels(spec, manifest)
    most = min(MOST_PICTURES / len(manifest.rows), 1 - LEAST_TEST)
    return RunConfig(
        id=id, data=str(manifest.folder), groups=str(groups) if groups else None,
        group_level=manifest.group_level, labels=labels, backbone=spec.network.backbone,
        head=spec.network.head, head_arguments=spec.network.head_arguments, recipe=spec.recipe,
        start=f"bundle:{bundle}", keep_head=True, own_statistics=True,
        shares=(0.8 * most, 0.2 * most, 1 - most), fraction=_fraction(manifest),
        head_epochs=20, head_patience=6, feature_copies=8, head_rate=3e-4,
        tune_epochs=12, tune_from=NORMALISATION, frozen_normalisation=False, tune_rate=1e-3,
        patience=0, steps_per_epoch=16, average_momentum=0.95, answered_error=0.05,
        # The stain to adapt to is that of the pictures: disturbing it much would hide it.
        augment=Augment(bar_probability=0, stain_gain_sd=0.08, stain_offset_sd=0.02,
                        grey_probability=0, brightness=0.1, blur_sigma_px=0.8, jpeg_quality=60,
                        noise_sd=4, black_border=spec.recipe.blank_background),
        about=_about(spec, labels, len(manifest.rows)),
    )  # fmt: skip


def _fraction(manifest: Manifest) -> float:
    """Share of the training part that is learned from, where the pictures come with their parts."""
    given = len(manifest.part("train"))
    return min(1.0, max(0.01, 0.8 * MOST_PICTURES / given)) if given else 1.0


def _labels(spec: Spec, manifest: Manifest) -> tuple[str, ...]:
    known = spec.label_names
    if strange := sorted(set(manifest.labels) - set(known)):
        raise RunError(
            f"{strange[0]} is no label of {spec.id}, which has {', '.join(known)}. Give its "
            "pictures one of these labels, or leave them out."
        )
    groups = {label: {row.group for row in manifest.rows if row.label == label}
              for label in manifest.labels}  # fmt: skip
    for label, found in groups.items():
        if len(found) < LEAST_A_LABEL:
            raise RunError(
                f"{label} has pictures of {len(found)} groups only; give {LEAST_A_LABEL} or more, "
                "or leave the label out."
            )
    if len(groups) < 2:
        raise RunError(f"All pictures are {', '.join(groups)}; give two labels or more.")
    return tuple(label for label in known if label in groups)


def _about(spec: Spec, labels: Sequence[str], n_pictures: int) -> About:
    lost = [name for name in spec.label_names if name not in labels]
    limits = (
        f"Adapted from {spec.id}: it learned from at most {MOST_PICTURES} of {n_pictures} pictures."
    )
    if lost:
        limits += f" It has no answer for {', '.join(lost)}: the pictures had none."
    return About(
        title=f"{spec.title}, adapted", summary=spec.summary, label_kind=spec.label_kind,
        meanings={label.name: label.meaning for label in spec.labels if label.name in labels},
        intended_use=spec.intended_use, not_for=spec.not_for, licence=spec.licence, limits=limits,
    )  # fmt: skip


def take_head(network: "Network", parent: "Network", spec: Spec, labels: Sequence[str]) -> None:
    """Start the head as the parent's, with the outputs of these labels.

    Raises:
        RunError: the heads differ, or a label is none of the parent's.
    """
    if strange := sorted(set(labels) - set(spec.label_names)):
        raise RunError(f"{strange[0]} is no label of {spec.id}: keep_head cannot be.")
    *body, kernel, bias = parent.head.get_weights()
    places = [spec.label_names.index(label) for label in labels]
    try:
        network.head.set_weights([*body, _outputs(kernel, places), _outputs(bias[None], places)[0]])
    except ValueError as error:
        raise RunError(
            f"keep_head is true, but the head of {spec.id} is another one ({spec.network.head}, "
            f"{dict(spec.network.head_arguments)}); use the same, or keep_head false."
        ) from error


def _outputs(values: FloatArray, places: Sequence[int]) -> FloatArray:
    """Columns for the labels at these places; of two labels one column, theirs apart.

    A sole column of the parent speaks for its second label, so its first has none: zero.
    """
    if values.shape[1] == 1:
        values = np.concatenate([np.zeros_like(values), values], axis=1)
    chosen = values[:, list(places)]
    return chosen[:, 1:] - chosen[:, :1] if len(places) == 2 else chosen


def before_and_after(
    config: RunConfig, rows: Sequence[Row], before: FloatArray, after: FloatArray, *, start_id: str
) -> tuple[Figure, ...]:
    """Figures of kept-back pictures by the bundle `start_id` as it was, and what adapting gained.

    `before` and `after` are logits (n, n_outputs) of the pictures of `rows`. The gain is
    bootstrapped in pairs: both are scored on the same drawn groups.
    """
    old, new = (_answers(config, rows, logits) for logits in (before, after))
    names = ("accuracy", "balanced_accuracy", "auroc" if config.n_outputs == 1 else "macro_f1")
    found = []
    for name in names:
        value = VALUES[name]

        def gain(_: Answers, chosen: NDArray[np.int64], value: Value = value) -> float | None:
            first, second = value(old, chosen), value(new, chosen)
            return None if first is None or second is None else second - first

        was = interval(old, value)
        found.append(_figure(f"{NAMES[name]} before adapting", was, old, config, "control",
                             f"by {start_id}, among these labels"))  # fmt: skip
        found.append(_figure(f"{NAMES[name]} gained by adapting", interval(new, gain), new, config,
                             "result", "paired bootstrap"))  # fmt: skip
    return tuple(found)


def _answers(config: RunConfig, rows: Sequence[Row], logits: FloatArray) -> Answers:
    probabilities = to_probabilities(logits, 1)
    return Answers(
        true=np.array([config.labels.index(row.label) for row in rows]),
        predicted=probabilities.argmax(1), probabilities=probabilities,
        referred=np.zeros(len(rows), bool), groups=tuple(row.group for row in rows),
    )  # fmt: skip


def _figure(
    name: str, ends: Interval, answers: Answers, config: RunConfig, kind: str, note: str
) -> Figure:
    return Figure(
        name=name, value=ends.value, low=ends.low, high=ends.high, part="test",
        n=len(answers.true), n_groups=len(set(answers.groups)), group_level=config.group_level,
        kind=kind, note=note,
    )  # fmt: skip
