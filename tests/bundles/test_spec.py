"""What bundle.json may hold: nothing that breaks the server, the page or the card later."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.bundles.card import card
from leukemia_app.bundles.spec import MAX_DEPTH, Spec
from leukemia_app.errors import BundleError
from tests.readings import spec_of

Change = Callable[[dict[str, Any]], object]


def values_of(change: Change) -> dict[str, Any]:
    """What a bundle.json holds, after `change` of it."""
    values: dict[str, Any] = json.loads(json.dumps(spec_of().to_dict()))
    change(values)
    return values


def nested(levels: int) -> list[Any]:
    """A list in a list in a list…"""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_a_spec_is_the_same_after_a_round_trip():
    assert Spec.from_dict(spec_of().to_dict()) == spec_of()


@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, 490, 100_000])
def test_values_nested_too_deep_are_refused(levels: int):
    # bundle.json itself and `training` are the first two levels
    values = values_of(lambda v: v["training"].update(x=nested(levels)))
    words = r"bundle\.json: training is nested more than 20 levels deep\. Get the model again"
    with pytest.raises(BundleError, match=words):
        Spec.from_dict(values)


def test_values_nested_as_deep_as_may_be_are_taken():
    values = values_of(lambda v: v["training"].update(x=nested(MAX_DEPTH - 2)))
    assert Spec.from_dict(values).training["x"] == nested(18)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda v: v.update(title="evil \ud800"), "title"),
        (lambda v: v["labels"][1].update(meaning="\udfff"), "labels"),
        (lambda v: v["training"].update(x=[{"y": "\ud800"}]), "training"),
        (lambda v: v["training"].update({"\ud800": 1}), "training"),
        (lambda v: v["split"].update(level="\ud800"), "split"),
        (lambda v: v["split"]["parts"].update({"\ud800": {"pictures": 1, "groups": 1}}), "split"),
        (lambda v: v["network"].update(head_arguments={"x": "\ud800"}), "network"),
        (lambda v: v["network"].update(backbone_arguments={"\ud800": 1}), "network"),
        (lambda v: v["recipe"].update({"\ud800": 1}), "recipe"),
        (lambda v: v.update({"\ud800": 1}), "a key"),
        (lambda v: v.update(format_version="\ud800"), "format_version"),
    ],
)
def test_text_that_cannot_be_written_is_refused(change: Change, named: str):
    words = rf"bundle\.json: {named} holds '.*\\ud.*', which is no text.* Get the model again"
    with pytest.raises(BundleError, match=words) as caught:
        Spec.from_dict(values_of(change))
    assert str(caught.value).encode()


@pytest.mark.parametrize(
    "number",
    [10**4000, -(10**4000), 1e13, float("nan"), float("-inf")],
    ids=["4,000 digits", "minus 4,000 digits", "too large", "not a number", "minus infinity"],
)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda v, number: v.update(temperature=number), "temperature"),
        (lambda v, number: v["scope"].update(limit=number), "scope"),
        (lambda v, number: v["figures"][0].update(low=number), "figures"),
        (lambda v, number: v["figures"][0].update(n=number), "figures"),
        (lambda v, number: v["training"].update(seed=number), "training"),
        (lambda v, number: v["network"].update(head_arguments={"x": [number]}), "network"),
        (lambda v, number: v["recipe"].update(side_px=number), "recipe"),
        (lambda v, number: v.update(format_version=number), "format_version"),
    ],
)
def test_numbers_beyond_any_use_are_refused(change: Callable[..., None], named: str, number: float):
    words = rf"bundle\.json: {named} holds \S+, and numbers go to 1e\+12 here\. Get the model"
    with pytest.raises(BundleError, match=words) as caught:
        Spec.from_dict(values_of(lambda v: change(v, number)))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("sizes", [{}, {"pictures": 1}, {"groups": 1}, {"pictures": 1.5}])
def test_a_part_has_pictures_and_groups(sizes: dict[str, Any]):
    values = values_of(lambda v: v["split"].update(parts={"train": sizes}))
    with pytest.raises(BundleError, match=r"split\.parts\.train counts no pictures and groups"):
        Spec.from_dict(values)


@pytest.mark.parametrize("name", ["low", "high"])
def test_an_interval_has_both_ends_or_none(name: str):
    values = values_of(lambda v: v["figures"][0].update({name: None}))
    words = "figures: 'macro-F1' has one end of an interval alone; give low and high, or neither"
    with pytest.raises(BundleError, match=words):
        Spec.from_dict(values)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)  # fmt: skip


@given(field=st.sampled_from(["training", "split", "title", "figures"]), value=ANY_JSON)
def test_what_is_taken_can_be_shown_and_written(field: str, value: Any):
    def change(values: dict[str, Any]) -> None:
        if isinstance(values[field], dict):
            values[field]["x"] = value
        else:
            values[field] = value

    try:
        spec = Spec.from_dict(values_of(change))
    except BundleError:
        return
    assert card(spec).encode()
    assert json.dumps(spec.to_dict(), ensure_ascii=False, allow_nan=False).encode()
