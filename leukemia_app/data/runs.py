"""Where a numbered sequence of pictures changes its look: another slide, session or patient.

Source: the cuts are made by binary segmentation (Scott and Knott 1974) with a penalty of the form
of the Schwarz criterion (Yao 1988). The constants were set on two sets whose groups are known; see
`PENALTY`.
"""

import heapq

import cv2
import numpy as np
from numpy.typing import NDArray

from leukemia_app.imaging.picture import UInt8Array

LOOK_SIDE_PX = 64
N_LOOK = 17
PENALTY = 3.0
"""A cut must gain this many times the noise times the logarithm of the length: smaller values cut
patients apart, larger ones join them. Measured on sets whose groups are known, in ../shared/data,
as the share of test pictures whose patient is in training too, for penalties of 1, 2 and 3: on
C-NMC 0.40, 0.23 and 0.16 (a split by image: 1.00), on the 4-class set 0.70, 0.36 and 0.15. The
adjusted Rand index is highest below that, with 0.64 at 2 and 0.34 at 3 on C-NMC; but a patient on
two sides does more harm than two in one group."""
SHORTEST_RUN = 8
LEAST_RUNS = 6
"""A series is cut into this many at least: with fewer, no split holds its class in every part."""
LAGS = (1, 2, 3, 4)
"""Distances at which neighbours are compared: frames of one field often come in twos or threes."""
LEAST_CORRELATION = 0.1
N_SHUFFLES = 199
_FAR = 4.0
"""Robust deviations from the median beyond which a value counts no more."""


def look_of(pixels: UInt8Array) -> NDArray[np.float32]:
    """Colour and sharpness of a picture, (N_LOOK,) float32.

    `pixels` is (rows, columns, 3) uint8 RGB. Lab percentiles, means and deviations, then the
    logarithm of the Laplacian's variance at full and at half size.
    """
    small = cv2.resize(pixels, (LOOK_SIDE_PX, LOOK_SIDE_PX), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    sharp = [np.log1p(cv2.Laplacian(values, cv2.CV_32F).var()) for values in (grey, half)]
    parts = (np.percentile(lab, (5, 50, 95), axis=0).ravel(), lab.mean(0), lab.std(0), sharp)
    return np.concatenate(parts).astype(np.float32)


def runs_of(looks: NDArray[np.float32]) -> NDArray[np.int64] | None:
    """The run of each picture of a sequence, (n,) int64 from 0 in order; None: order says nothing.

    `looks` is (n, n_values), in the order of the sequence.
    """
    if len(looks) < 2 * SHORTEST_RUN:
        return None
    values = _standardized(looks.astype(np.float64))
    if not _is_ordered(values):
        return None
    noise = min(float(((values[lag:] - values[:-lag]) ** 2).sum(1).mean()) / 2 for lag in LAGS)
    starts = np.zeros(len(values), np.int64)
    starts[_cuts(values, PENALTY * noise * np.log(len(values)))] = 1
    return np.cumsum(starts)


def _standardized(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column in robust deviations from its median, far values drawn in."""
    low, middle, high = np.percentile(values, (25, 50, 75), axis=0)
    deviation = (high - low) / 1.349  # of a normal distribution
    return np.asarray(np.clip((values - middle) / (deviation + 1e-6), -_FAR, _FAR))


def _is_ordered(values: NDArray[np.float64]) -> bool:
    """Whether neighbours are more alike than in any of `N_SHUFFLES` random orders."""
    rng = np.random.default_rng(0)
    found = _correlation(values)
    if found < LEAST_CORRELATION:
        return False
    return all(_correlation(rng.permutation(values)) < found for _ in range(N_SHUFFLES))


def _correlation(values: NDArray[np.float64]) -> float:
    """The largest correlation between pictures that are one of `LAGS` apart."""
    off = values - values.mean(0)
    total = float((off**2).sum())
    if total == 0:
        return 0.0
    return max(float((off[lag:] * off[:-lag]).sum()) / total for lag in LAGS)


def _cuts(values: NDArray[np.float64], penalty: float) -> list[int]:
    """Where runs start, the first apart: the best cut of all, then the next, while they gain."""
    sums = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    cuts: list[int] = []
    open_runs = [_best_cut(sums, 0, len(values))]
    while open_runs:
        loss, cut, start, stop = heapq.heappop(open_runs)
        if cut < 0 or (-loss < penalty and len(cuts) + 1 >= LEAST_RUNS):
            break
        cuts.append(cut)
        heapq.heappush(open_runs, _best_cut(sums, start, cut))
        heapq.heappush(open_runs, _best_cut(sums, cut, stop))
    return cuts


def _best_cut(sums: NDArray[np.float64], start: int, stop: int) -> tuple[float, int, int, int]:
    """Minus the gain of the best cut of a run, where it is (-1: too short), and the run."""
    if stop - start < 2 * SHORTEST_RUN:
        return 0.0, -1, start, stop
    at = np.arange(start + SHORTEST_RUN, stop - SHORTEST_RUN + 1)
    left, right, whole = sums[at] - sums[start], sums[stop] - sums[at], sums[stop] - sums[start]
    gain = (
        (left**2).sum(1) / (at - start)
        + (right**2).sum(1) / (stop - at)
        - (whole**2).sum() / (stop - start)
    )  # what two means explain more than one, as a sum of squares
    best = int(gain.argmax())
    return -float(gain[best]), int(at[best]), start, stop
