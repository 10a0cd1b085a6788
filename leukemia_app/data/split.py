"""Parts of a data set that share no group."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def fold_groups(
    groups: Sequence[str], labels: Sequence[str], n_folds: int, seed: int
) -> NDArray[np.int64]:
    """Fold number of each picture, (n_images,) int; a group is never parted.

    Groups are dealt out largest first, each to the fold that then holds the fewest pictures of
    the group's most frequent label: classes stay near even in every fold.
    """
    group_ids, group_of = np.unique(groups, return_inverse=True)
    label_ids, label_of = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(group_ids), len(label_ids)), np.int64)
    np.add.at(counts, (group_of, label_of), 1)
    jitter = np.random.default_rng(seed).permutation(len(group_ids))
    held = np.zeros((n_folds, len(label_ids)), np.int64)
    fold_of_group = np.zeros(len(group_ids), np.int64)
    for group in sorted(range(len(group_ids)), key=lambda g: (-counts[g].sum(), jitter[g])):
        main = counts[group].argmax()
        fold = min(range(n_folds), key=lambda f: (held[f, main], held[f].sum()))
        held[fold] += counts[group]
        fold_of_group[group] = fold
    return fold_of_group[group_of]


def split_groups(
    groups: Sequence[str], labels: Sequence[str], fractions: Sequence[float], seed: int
) -> NDArray[np.int64]:
    """Number of the part of each picture, (n_images,) int: part i holds about fractions[i].

    Made of twenty folds joined together; a group is never parted.
    """
    folds = fold_groups(groups, labels, 20, seed)
    ends = np.round(np.cumsum(fractions) / np.sum(fractions) * 20)
    return np.searchsorted(ends, folds, side="right").astype(np.int64)
