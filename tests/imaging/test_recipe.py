import dataclasses
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.errors import RecipeError
from leukemia_app.imaging import recipe as recipe_module
from leukemia_app.imaging.recipe import CHOICES, Recipe
from tests.strategies import recipes

CELL = Recipe(input="cell", side_px=96, segmentation="stain", crop_margin=0.25)
OTHERS = {
    "input": "field",
    "side_px": 97,
    "colour": "grey",
    "denoise": "median",
    "segmentation": "clahe_otsu",
    "crop_margin": 0.3,
    "blank_background": True,
    "window": 0.9,
    "fit": "pad",
    "interpolation": "bilinear",
    "scaling": "caffe",
    "views": 4,
}


@settings(deadline=None)
@given(recipes())
def test_recipe_survives_its_dict(recipe):
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@settings(deadline=None)
@given(recipes())
def test_recipe_and_digest_survive_json(recipe):
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert again.digest == recipe.digest


@settings(deadline=None)
@given(recipes(), recipes())
def test_digests_are_equal_just_where_recipes_are(one, other):
    assert (one.digest == other.digest) == (one == other)


def test_every_field_is_changed_below():
    assert set(OTHERS) == {item.name for item in dataclasses.fields(Recipe)}


@pytest.mark.parametrize("name", OTHERS)
def test_digest_changes_with_every_field(name):
    assert dataclasses.replace(CELL, **{name: OTHERS[name]}).digest != CELL.digest


def test_digest_changes_with_the_version_of_the_code(monkeypatch):
    before = CELL.digest
    monkeypatch.setattr(recipe_module, "PREPROCESSING_VERSION", 999)
    assert CELL.digest != before


def test_digest_is_the_sha256_of_the_canonical_json():
    # Bundles carry it, so it may not move by accident.
    canonical = (
        '{"recipe":{"blank_background":false,"colour":"rgb","crop_margin":null,"denoise":"none",'
        '"fit":"stretch","input":"cell","interpolation":"area","scaling":"signed_unit",'
        '"segmentation":"none","side_px":96,"views":1,"window":1.0},"version":1}'
    )
    expected = hashlib.sha256(canonical.encode()).hexdigest()
    assert Recipe(input="cell", side_px=96).digest == expected


def test_whole_numbers_give_the_same_digest_as_their_floats():
    whole = Recipe(input="cell", side_px=96, window=1, segmentation="stain", crop_margin=0)
    assert whole == Recipe(
        input="cell", side_px=96, window=1.0, segmentation="stain", crop_margin=0.0
    )
    assert whole.digest == dataclasses.replace(whole, window=1.0, crop_margin=0.0).digest


@pytest.mark.parametrize("name", CHOICES)
def test_unknown_choice_is_refused_with_the_choices(name):
    first = CHOICES[name][0]
    with pytest.raises(RecipeError, match=rf"recipe.{name} is 'x'; use one of {first}"):
        dataclasses.replace(CELL, **{name: "x"})


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("side_px", 31, "use 32 to 1024"),
        ("side_px", 1025, "use 32 to 1024"),
        ("side_px", 96.5, "use 32 to 1024"),
        ("side_px", "96", "use 32 to 1024"),
        ("side_px", None, "use 32 to 1024"),
        ("side_px", True, "use 32 to 1024"),
        ("crop_margin", -0.1, "use 0 to 2, or none"),
        ("crop_margin", 25, "use 0 to 2, or none"),
        ("crop_margin", "0.2", "use 0 to 2, or none"),
        ("crop_margin", float("nan"), "use 0 to 2, or none"),
        ("window", 0, r"use 0\.1 to 1"),
        ("window", 70, r"use 0\.1 to 1"),
        ("window", "all", r"use 0\.1 to 1"),
        ("window", True, r"use 0\.1 to 1"),
        ("blank_background", "no", "use true or false"),
        ("blank_background", 1, "use true or false"),
        ("views", True, "use one of 1, 2, 4, 8"),
        ("views", 4.0, "use one of 1, 2, 4, 8"),
        ("views", [4], "use one of 1, 2, 4, 8"),
        ("fit", None, "use one of stretch, pad, crop"),
    ],
)
def test_value_out_of_range_or_of_another_kind_is_refused(name, value, advice):
    with pytest.raises(RecipeError, match=rf"recipe\.{name} is .*; {advice}"):
        dataclasses.replace(CELL, **{name: value})


@pytest.mark.parametrize("change", [{"crop_margin": 0.1}, {"blank_background": True}])
def test_cropping_and_blanking_need_a_segmentation(change):
    with pytest.raises(RecipeError, match="choose a segmentation method"):
        Recipe(input="cell", side_px=96, **change)


def test_unknown_keys_are_refused_by_name():
    with pytest.raises(RecipeError, match="recipe has unknown keys: blur, sharpen"):
        Recipe.from_dict(CELL.to_dict() | {"sharpen": 1, "blur": 2})


def test_missing_keys_are_refused_by_name():
    with pytest.raises(RecipeError, match="recipe lacks input, side_px"):
        Recipe.from_dict({"colour": "rgb"})


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(OTHERS)), st.none() | st.integers() | st.text()))
def test_nothing_but_a_recipe_error_comes_of_any_values(values):
    try:
        recipe = Recipe.from_dict(values)
    except RecipeError:
        return
    assert len(recipe.digest) == 64
