"""The self-test's file: read back as written, never unpickled."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.bundles.reference import Reference, served_values
from leukemia_app.errors import BundleError
from leukemia_app.imaging.recipe import Recipe

REFERENCE = Reference(
    pictures=(np.full((3, 4, 3), 7, np.uint8), np.zeros((5, 2, 3), np.uint8)),
    tensors=np.linspace(-1, 1, 2 * 4 * 4 * 3, dtype=np.float32).reshape(2, 4, 4, 3),
    logits=np.array([[0.5], [-2]], np.float32),
    features=np.array([[1, 2], [3, 4]], np.float32),
    served={"labels": ["a", "b"], "temperature": 1.25},
)


def test_it_is_read_back_as_written(tmp_path: Path):
    REFERENCE.save(tmp_path / "reference.npz")
    read = Reference.load(tmp_path / "reference.npz")
    assert read.served == REFERENCE.served
    assert read.n_outputs == 1
    for name in ("tensors", "logits", "features"):
        assert np.array_equal(getattr(read, name), getattr(REFERENCE, name))
    for ours, theirs in zip(read.pictures, REFERENCE.pictures, strict=True):
        assert np.array_equal(ours, theirs)
        assert ours.dtype == np.uint8


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_file_cut_short_is_refused(tmp_path: Path, keep: int):
    path = tmp_path / "reference.npz"
    REFERENCE.save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BundleError, match=rf"{tmp_path.name}/reference\.npz cannot be read"):
        Reference.load(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"logits": np.zeros(2, np.float32)}, r"arrays have \[4, 1, 2\] axes"),
        ({"pictures": ()}, r"arrays have"),
        ({"pictures": (np.zeros((3, 4), np.uint8),)}, r"arrays have"),
        ({"served": []}, "served values are no object"),
    ],
)
def test_arrays_that_no_self_test_can_use_are_refused(changes: dict, said: str):
    with pytest.raises(ValueError, match=said):
        replace(REFERENCE, **changes)


def test_what_decides_an_answer_is_served_and_what_does_not_is_not(make_spec):
    spec = make_spec(recipe=Recipe(input="cell", side_px=64))
    values = served_values(spec)
    assert values["labels"] == ["normal", "early", "pre"]
    assert values["recipe.side_px"] == 64
    assert values["network.head"] == "attention"
    assert {"temperature", "threshold", "positive_threshold", "scope"} < set(values)
    assert served_values(replace(spec, title="Other", seen=("0" * 16,))) == values
