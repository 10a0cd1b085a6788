"""The vision transformer knows where a patch lies, at any side."""

import keras
import numpy as np
import pytest

from leukemia_app.networks.vit import PLACES, Positions, vision_transformer


def positions(rows: int) -> Positions:
    """A layer whose table holds the row's number, 0 to 13, in its only channel."""
    layer = Positions()
    layer.build((None, rows, rows, 1))
    table = np.broadcast_to(np.arange(PLACES, dtype="float32")[:, None], (PLACES, PLACES))
    layer.set_weights([table[None, ..., None]])
    return layer


def test_at_the_usual_side_the_table_is_added_as_it_is():
    marked = positions(14)(np.ones((1, 14, 14, 1), "float32"))
    np.testing.assert_array_equal(marked[0, :, 3, 0], 1 + np.arange(14))


def test_at_half_the_side_each_place_gets_what_lies_between_two():
    # Place i of 7 has its centre at 2 i + 1 of 14, between the centres of places 2 i and 2 i + 1.
    marked = positions(7)(np.zeros((1, 7, 7, 1), "float32"))
    np.testing.assert_allclose(marked[0, :, 2, 0], 2 * np.arange(7) + 0.5, atol=1e-5)


@pytest.mark.parametrize(("side_px", "rows"), [(32, 2), (100, 7), (224, 14)])
def test_weights_of_one_side_fit_every_other(side_px: int, rows: int):
    source, other = vision_transformer(64), vision_transformer(side_px)
    other.set_weights(source.get_weights())
    assert other.output.shape == (None, rows, rows, 192)


def test_it_matters_where_a_patch_lies():
    keras.utils.set_random_seed(0)
    network = vision_transformer(32)
    picture = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype("float32")
    swapped = np.concatenate([picture[:, 16:], picture[:, :16]], axis=1)
    ours, theirs = (
        np.asarray(network(pixels, training=False)).mean((1, 2)) for pixels in (picture, swapped)
    )
    assert np.abs(ours - theirs).max() > 1e-3


def test_it_is_read_again_from_a_whole_model(tmp_path):
    network = vision_transformer(48)
    network.save(tmp_path / "vit.keras")
    again = keras.saving.load_model(tmp_path / "vit.keras")
    picture = np.random.default_rng(0).normal(size=(1, 48, 48, 3)).astype("float32")
    np.testing.assert_array_equal(network(picture), again(picture))
