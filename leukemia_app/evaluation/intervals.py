"""Intervals for measured shares, and how many more pictures would narrow them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


def wilson_interval(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Ends of the interval for a share of `k` among `n` independent cases, both 0 to 1.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209–212.

    >>> wilson_interval(3, 20)  # 15 %, 5 to 36 %
    (0.0523..., 0.3604...)

    Raises:
        ValueError: `n` is below 1, `k` outside 0 to n, or `level` outside 0 to 1.
    """
    if n < 1 or not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share; use 0 to n of at least 1.")
    centre, half = _wilson(k / n, n, _quantile(level))
    # k of 0 and of n give the ends exactly, which rounding would miss
    low = 0.0 if k == 0 else max(0.0, centre - half)
    high = 1.0 if k == n else min(1.0, centre + half)
    return low, high


def pictures_to_halve(k: int, n: int, level: float = 0.95) -> int:
    """How many more pictures halve the width of `wilson_interval(k, n)` if the share stays.

    Raises:
        ValueError: as `wilson_interval`.
    """
    wilson_interval(k, n, level)
    share, z = k / n, _quantile(level)
    goal = _wilson(share, n, z)[1] / 2
    enough = 2 * n
    while _wilson(share, enough, z)[1] > goal:
        enough *= 2
    short = enough // 2
    while enough - short > 1:
        middle = (short + enough) // 2
        if _wilson(share, middle, z)[1] > goal:
            short = middle
        else:
            enough = middle
    return enough - n


def _quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; use more than 0 and less than 1, such as 0.95.")
    return NormalDist().inv_cdf((1 + level) / 2)


def _wilson(share: float, n: int, z: float) -> tuple[float, float]:
    """Centre and half width of the interval before its ends are held to 0 and 1."""
    shrink = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / shrink
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    return centre, half


def group_draws(
    groups: Sequence[str], strata: Sequence[object], n_draws: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Picture numbers of bootstrap samples that draw whole groups, with replacement.

    Groups are drawn within strata (a group's most frequent one, as a rule its class), so that no
    class vanishes from a sample.
    Source: Davison & Hinkley 1997, Bootstrap Methods and their Application, section 3.8.
    """
    members, by_stratum = _strata(groups, strata)
    for drawn in _drawn_groups(by_stratum, n_draws, seed):
        yield np.concatenate([members[group] for group in drawn])


def _drawn_groups(
    by_stratum: Sequence[NDArray[np.int64]], n_draws: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    for _ in range(n_draws):
        yield np.concatenate([rng.choice(some, len(some)) for some in by_stratum])


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """The samples of `group_draws` as counts: what is summed over pictures is summed by group."""

    group_of: NDArray[np.int64]
    """Group number of each picture, (n_pictures,)."""
    counts: NDArray[np.float64]
    """How often each sample drew each group, (n_draws, n_groups)."""
    varies: bool
    """Whether each stratum has two groups or more: what never varies would look certain."""

    def sums(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum over each sample's pictures of `values` (n_pictures, …): (n_draws, …)."""
        by_group = np.zeros((self.counts.shape[1], *values.shape[1:]))
        np.add.at(by_group, self.group_of, values)
        summed = self.counts @ by_group.reshape(len(by_group), -1)
        return summed.reshape(len(self.counts), *values.shape[1:])

    def interval(self, values: NDArray[np.float64]) -> tuple[float, float] | None:
        """Ends of the 95 % percentile interval of a figure of each sample, (n_draws,).

        NaN stands for undefined; None as in `bootstrap_interval`.
        """
        known = values[~np.isnan(values)]
        if not self.varies or not len(known) or len(known) < 0.95 * len(values):
            return None
        low, high = np.percentile(known, (2.5, 97.5))
        return float(low), float(high)


def resample(
    groups: Sequence[str], strata: Sequence[object], n_draws: int = 1000, seed: int = 0
) -> Resampled:
    """The samples that `group_draws` makes of the same arguments, as counts of groups."""
    group_of = np.unique(groups, return_inverse=True)[1]
    by_stratum = _strata(groups, strata)[1]
    n_groups = int(group_of.max()) + 1
    counts = np.stack(
        [np.bincount(drawn, minlength=n_groups) for drawn in
         _drawn_groups(by_stratum, n_draws, seed)]
    )  # fmt: skip
    varies = min(map(len, by_stratum)) > 1
    return Resampled(group_of=group_of, counts=counts.astype(np.float64), varies=varies)


def each_once(n_pictures: int) -> Resampled:
    """Every picture once, as the only sample: what gives the figure itself."""
    return Resampled(group_of=np.zeros(n_pictures, np.int64), counts=np.ones((1, 1)), varies=False)


def _strata(
    groups: Sequence[str], strata: Sequence[object]
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Picture numbers of each group, and group numbers of each stratum."""
    group_ids, group_of = np.unique(groups, return_inverse=True)
    _, stratum_of = np.unique(np.asarray(strata), return_inverse=True)
    members = [np.flatnonzero(group_of == group) for group in range(len(group_ids))]
    main = np.array([np.bincount(stratum_of[rows]).argmax() for rows in members])
    return members, [np.flatnonzero(main == stratum) for stratum in np.unique(main)]


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float | None],
    groups: Sequence[str],
    strata: Sequence[object],
    n_draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Ends of the 95 % percentile interval of `statistic(picture numbers)` over group samples.

    None where the statistic is undefined in more than a twentieth of the samples, or where a
    stratum has only one group to draw from: what never varies would look certain.
    """
    if min(map(len, _strata(groups, strata)[1]), default=0) < 2:
        return None
    values = [statistic(rows) for rows in group_draws(groups, strata, n_draws, seed)]
    known = [value for value in values if value is not None]
    if len(known) < 0.95 * n_draws:
        return None
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)
