import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.duplicates import (
    BLOCK,
    SIDE_PX,
    linked_groups,
    near_duplicate_groups,
    signature,
)


def noise(seed, side=32):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def blanked_cell(seed, side=64):
    """A round cell with a texture of its own on black, as segmented sets have it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 160, (7, 7, 3)).astype(np.uint8)
    texture = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    inside = np.zeros((side, side), np.uint8)
    cv2.circle(inside, (side // 2, side // 2), side // 4, 1, -1)
    return np.where(inside[..., None] > 0, np.maximum(texture, 20), 0).astype(np.uint8)


def test_copies_share_the_number_of_the_first_and_others_keep_their_own():
    pictures = np.stack([noise(0), noise(1), noise(0), noise(2)])
    assert near_duplicate_groups(pictures).tolist() == [0, 1, 0, 3]


def test_a_brighter_noisy_copy_is_found():
    first = noise(0)
    copy = np.clip(first * 0.8 + 20 + np.random.default_rng(1).normal(0, 3, first.shape), 0, 255)
    assert near_duplicate_groups(np.stack([first, copy.astype(np.uint8)])).tolist() == [0, 0]


def test_a_copy_at_another_size_is_found():
    first = noise(0, 48)
    copy = cv2.resize(first, (96, 96), interpolation=cv2.INTER_LINEAR)
    found = linked_groups(np.stack([signature(first), signature(copy)]))
    assert found.tolist() == [0, 0]


def test_links_are_passed_on():
    # Directions 20 degrees apart correlate by cos 20 = 0.94; the first and the last, 40 degrees
    # apart, only by cos 40 = 0.77.
    angles = np.radians([0, 20, 40])
    points = np.round(100 * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.int8)
    assert linked_groups(points[[0, 2]]).tolist() == [0, 1]
    assert linked_groups(points).tolist() == [0, 0, 0]


def test_flat_pictures_are_not_taken_for_copies_of_everything():
    flat = np.full((32, 32, 3), 9, np.uint8)
    assert not signature(flat).any()
    pictures = np.stack([flat, noise(1), flat])
    assert near_duplicate_groups(pictures).tolist() == [0, 1, 2]


def test_two_round_cells_of_one_size_on_black_are_not_the_same():
    # The black around them correlates by far more than 0.9; only what is inside counts.
    first, second = blanked_cell(0), blanked_cell(1)
    whole = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert whole > 0.9
    assert near_duplicate_groups(np.stack([first, second])).tolist() == [0, 1]


def test_a_cell_on_black_is_known_again_when_it_is_shifted():
    first = blanked_cell(0)
    moved = np.roll(first, (5, -7), axis=(0, 1))
    assert near_duplicate_groups(np.stack([first, moved])).tolist() == [0, 0]


def test_pictures_in_different_blocks_are_linked():
    rng = np.random.default_rng(0)
    signatures = rng.integers(-127, 128, (BLOCK + 3, 60)).astype(np.int8)
    signatures[BLOCK + 1] = signatures[4]
    found = linked_groups(signatures)
    assert found[BLOCK + 1] == found[4] == 4
    assert len(set(found.tolist())) == BLOCK + 2


def test_a_signature_is_small():
    assert signature(noise(0)).shape == (SIDE_PX * SIDE_PX * 3,)
    assert signature(noise(0)).dtype == np.int8


@given(st.permutations(range(6)))
def test_order_does_not_matter(order):
    kinds = np.array([0, 1, 0, 2, 1, 3])
    signatures = np.stack([signature(noise(kind)) for kind in kinds[order]])
    found = linked_groups(signatures)
    same = found[:, None] == found[None]
    np.testing.assert_array_equal(same, kinds[order][:, None] == kinds[order][None])


def test_no_photograph_is_changed():
    first = noise(0)
    kept = first.copy()
    signature(first)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.slow
def test_cells_of_two_classes_are_never_the_same_on_real_pictures(shared_data):
    files = [path for label in ("all", "hem")
             for path in sorted((shared_data / "cnmc" / label).glob("*.jpg"))[::12]]  # fmt: skip
    pictures = [cv2.imread(str(path)) for path in files]
    found = linked_groups(np.stack([signature(picture) for picture in pictures]))
    labels = np.array([path.parent.name for path in files])
    assert all(len(set(labels[found == number])) == 1 for number in np.unique(found))
