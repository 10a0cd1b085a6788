import numpy as np

from leukemia_app.data.duplicates import near_duplicate_groups


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)


def test_copies_share_the_number_of_the_first_and_others_keep_their_own():
    pictures = np.stack([noise(0), noise(1), noise(0), noise(2)])
    assert near_duplicate_groups(pictures).tolist() == [0, 1, 0, 3]


def test_a_brighter_noisy_copy_is_found():
    first = noise(0)
    copy = np.clip(first * 0.8 + 20 + np.random.default_rng(1).normal(0, 3, first.shape), 0, 255)
    assert near_duplicate_groups(np.stack([first, copy.astype(np.uint8)])).tolist() == [0, 0]


def test_links_are_passed_on():
    # A and C correlate by less than 0.99, but each with B by more: 0.5 of the change either way.
    base, change = noise(0).astype(float) / 2 + 64, noise(3).astype(float) / 2 - 64
    chain = [np.clip(base + share * change, 0, 255).astype(np.uint8) for share in (0, 0.12, 0.24)]
    assert near_duplicate_groups(np.stack([chain[0], chain[2]])).tolist() == [0, 1]
    assert near_duplicate_groups(np.stack(chain)).tolist() == [0, 0, 0]


def test_flat_pictures_are_not_taken_for_copies_of_everything():
    pictures = np.stack([np.full((32, 32, 3), 9, np.uint8), noise(1)])
    assert near_duplicate_groups(pictures).tolist() == [0, 1]
