"""What a model says about one picture, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer: a label, or `refer` to an expert with the reasons, strongest first."""

    kind: str
    """`label` or `refer`."""
    label: str
    """The top label, also when the decision is to refer."""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScopeScore:
    """How unlike the training pictures this one is; inside when score <= limit."""

    score: float
    limit: float

    @property
    def inside(self) -> bool:
        """Whether the picture is like those the model learned from."""
        return self.score <= self.limit


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One picture, read by one model; `to_dict` is the public JSON."""

    file: str
    model: str
    probabilities: Mapping[str, float]
    """Calibrated, by label in bundle order; they sum to 1."""
    decision: Decision
    scope: ScopeScore | None
    morphology: Mapping[str, Any] | None
    """Measures of the main cell (`imaging.morphology`); None where no cell was found."""
    cells: int | None
    """White cells found by the segmentation; None where none were looked for."""
    remarks: tuple[str, ...]
    """Decoding, quality and preparation remarks, one sentence each."""
    box: tuple[int, int, int, int]
    """top, left, bottom, right of the part the network saw, in picture pixels."""
    ms: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by step: decode, prepare, segment, model, explain, …"""
    device: str = "cpu"
    recipe_digest: str = ""
    bundle_sha256: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        # Not asdict, which copies every number by itself: a tenth of the time of many pictures.
        values = vars(self) | {"decision": dict(vars(self.decision))}
        values["scope"] = None if self.scope is None else {
            "score": self.scope.score, "limit": self.scope.limit, "inside": self.scope.inside,
        }  # fmt: skip
        return values
