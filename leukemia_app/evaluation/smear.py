"""Several pictures of one smear: how many got each label, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

from leukemia_app.bundles.reading import Reading
from leukemia_app.evaluation.intervals import pictures_to_halve, wilson_interval

REFERRED = "refer to an expert"


@dataclass(frozen=True, kw_only=True)
class Count:
    """`k` of `n` pictures: the share, its 95 % Wilson interval, and what would narrow it."""

    label: str
    k: int
    n: int

    @property
    def share(self) -> float:
        """The part, 0 to 1."""
        return self.k / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % interval, 0 to 1, for pictures that are independent."""
        return wilson_interval(self.k, self.n)

    @property
    def more_to_halve(self) -> int:
        """Further pictures that halve the interval if the share stays."""
        return pictures_to_halve(self.k, self.n)


@dataclass(frozen=True, kw_only=True)
class SmearSummary:
    """What the pictures of one smear say together."""

    counts: tuple[Count, ...]
    """Decided labels among the answered pictures, in bundle order; empty where all refer."""
    referred: Count
    """Pictures left to an expert, among all that were read."""

    @property
    def commonest(self) -> Count | None:
        """The label with most pictures, the first of equals; None where all refer."""
        return max(self.counts, key=lambda count: count.k, default=None)


def summarize(readings: Sequence[Reading], labels: Sequence[str]) -> SmearSummary:
    """Counts over the readings of one model with these labels.

    Raises:
        ValueError: there is no reading.
    """
    if not readings:
        raise ValueError("no reading was given; a summary needs at least one.")
    decided = [reading.decision.label for reading in readings if reading.decision.kind == "label"]
    counts = tuple(
        Count(label=label, k=decided.count(label), n=len(decided)) for label in labels if decided
    )
    referred = Count(label=REFERRED, k=len(readings) - len(decided), n=len(readings))
    return SmearSummary(counts=counts, referred=referred)
