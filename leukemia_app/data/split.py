"""Parts of a data set that share no group."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def split_groups(
    groups: Sequence[str], labels: Sequence[str], fractions: Sequence[float], seed: int
) -> NDArray[np.int64]:
    """Number of the part of each picture, (n_images,) int64: part i holds about fractions[i].

    Groups are dealt out largest first, each to the part that then has the smallest share of what
    it should hold of the group's most frequent label; the largest part goes first. So a group is
    never parted, and a label with as many groups as there are parts stands in all of them.
    `fractions` are above 0.
    """
    group_ids, group_of = np.unique(groups, return_inverse=True)
    label_ids, label_of = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(group_ids), len(label_ids)), np.int64)
    np.add.at(counts, (group_of, label_of), 1)
    jitter = np.random.default_rng(seed).permutation(len(group_ids))
    wanted = np.asarray(fractions, np.float64)
    held = np.zeros((len(wanted), len(label_ids)), np.int64)
    part_of_group = np.zeros(len(group_ids), np.int64)
    for group in sorted(range(len(group_ids)), key=lambda g: (-counts[g].sum(), jitter[g])):
        main = counts[group].argmax()
        part = np.lexsort((held.sum(1) / wanted, -wanted, held[:, main] / wanted))[0]
        held[part] += counts[group]
        part_of_group[group] = part
    return part_of_group[group_of]


def fold_groups(
    groups: Sequence[str], labels: Sequence[str], n_folds: int, seed: int
) -> NDArray[np.int64]:
    """Fold number of each picture, (n_images,) int64; a group is never parted.

    Each group goes to the fold that then holds the fewest pictures of its most frequent label:
    classes stay near even in every fold.
    """
    return split_groups(groups, labels, [1] * n_folds, seed)
