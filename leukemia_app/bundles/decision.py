"""From logits to an answer: a label, or a referral with its reasons. Pure."""

import numpy as np

from leukemia_app.bundles.reading import Decision, ScopeScore
from leukemia_app.bundles.spec import Spec
from leukemia_app.errors import BundleError
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.imaging.quality import Quality


def to_probabilities(logits: FloatArray, temperature: float) -> FloatArray:
    """Calibrated probabilities, (n_images, n_labels) float32, rows sum to 1.

    `logits` is (n_images, n_labels), put through softmax(logits / temperature), or
    (n_images, 1), the log odds of the second of two labels. No temperature changes the order of
    the labels.
    Source: Guo et al. 2017, arXiv 1706.04599.

    Raises:
        BundleError: the network gave values that are not finite.
    """
    if not np.isfinite(logits).all():
        raise BundleError(
            "The model answered with values that are not numbers. Check the bundle with "
            "`models check`, or use another model."
        )
    scaled = logits.astype(np.float64) / temperature
    if scaled.shape[1] == 1:
        scaled = np.concatenate([np.zeros_like(scaled), scaled], axis=1)
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: FloatArray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def decide(
    probabilities: FloatArray,
    spec: Spec,
    scope: ScopeScore | None,
    quality: Quality,
    n_cells: int | None,
) -> Decision:
    """The top label, or a referral with every reason for it, strongest first.

    `probabilities` is (n_labels,) float32. Of two labels the second is the answer from
    `spec.positive_threshold` on. Reasons: out of scope, quality, no cell, low probability.
    """
    reasons = []
    if scope is not None and not scope.inside:
        reasons.append(
            "This picture is unlike those the model learned from "
            f"(distance {scope.score:.2f}, limit {scope.limit:.2f})."
        )
    reasons += [finding.sentence for finding in quality.findings if finding.refer]
    if n_cells == 0:
        reasons.append("No white cell was found in the picture.")
    top = float(probabilities.max())
    if top < spec.threshold:
        reasons.append(
            f"The highest probability, {100 * top:.1f} %, is below the "
            f"{100 * spec.threshold:.1f} % from which this model answers."
        )
    kind = "refer" if reasons else "label"
    return Decision(kind=kind, label=_top_label(probabilities, spec), reasons=tuple(reasons))


def _top_label(probabilities: FloatArray, spec: Spec) -> str:
    if len(spec.labels) == 2:
        cut = 0.5 if spec.positive_threshold is None else spec.positive_threshold
        return spec.label_names[int(probabilities[1] >= cut)]
    return spec.label_names[int(np.argmax(probabilities))]
