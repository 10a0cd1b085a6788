"""What a description says of a network without Keras, and what is no classifier of pictures."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("h5py")

from leukemia_app.bundles import checkpoint_child
from leukemia_app.bundles.checkpoint_spec import guesses, spec_of
from leukemia_app.errors import BundleError
from tests.bundles.hostile_checkpoints import (
    chain,
    h5_file,
    keras_file,
    layer,
    plain,
    start,
    weights,
)


def facts_of(folder: Path, config: Any, loss: Any = None) -> dict[str, Any]:
    config = {**config, "compile_config": {"loss": loss}}
    order = {"max_bytes": 10**8, "spec": None}
    path = keras_file(folder / "model.keras", config)
    return checkpoint_child._done(order, path, folder)["facts"]


def ending(*last: Any) -> Any:
    return chain(*plain()[:3], *last)


def dense(units: int, activation: str) -> Any:
    return layer("Dense", "d", units=units, activation=activation)


@pytest.mark.parametrize(
    ("last", "loss", "activation", "n_classes"),
    [
        ([dense(3, "softmax")], None, "softmax", 3),
        ([dense(3, "linear"), layer("Softmax", "s", axis=-1)], None, "softmax", 3),
        ([dense(3, "linear"), layer("Activation", "a", activation="softmax"),
          layer("Dropout", "drop", rate=0.5)], None, "softmax", 3),
        ([dense(1, "sigmoid")], "binary_crossentropy", "sigmoid", 2),
        ([dense(1, "linear")], {"class_name": "BinaryCrossentropy", "config": {}},
         "none: logits", 2),
        ([dense(4, "linear")], None, "none: logits", 4),
    ],
)  # fmt: skip
def test_the_last_activation_is_found(
    tmp_path: Path, last: Any, loss: Any, activation: str, n_classes: int
):
    facts = facts_of(tmp_path, ending(*last), loss)
    assert (facts["activation"], facts["n_classes"]) == (activation, n_classes)


@pytest.mark.parametrize(
    ("config", "loss", "words"),
    [
        (ending(dense(1, "linear")), "mse", "which is an estimate of an amount"),
        (ending(dense(1, "linear")), None, "gives 1 number by linear"),
        (ending(dense(3, "linear")), "mean_squared_error", "trained for mean_squared_error"),
        (ending(dense(3, "relu")), None, "gives 3 numbers by relu"),
        (ending(dense(1, "softmax")), None, "gives 1 number by softmax"),
        (ending(dense(3, "sigmoid")), None, "its 3 outputs are sigmoids"),
        (
            ending(dense(3, "linear"), layer("UnitNormalization", "u")),
            None,
            "does not end in a layer with one value a class",
        ),
        (chain(start(12), dense(2, "softmax")), None, "Numbers in a table"),
        (chain(start(32, 32, 32, 1), dense(2, "softmax")), None, "pictures have rows"),
        (chain(start(32, 32, 4), *plain()[1:]), None, "takes 4 channels"),
        (chain(start(8, 8, 3), *plain()[1:]), None, "takes pictures of 8 × 8 px"),
        (chain(*plain()[1:]), None, "does not say what it takes"),
    ],
)
def test_what_is_no_classifier_of_pictures_is_refused_in_words(
    tmp_path: Path, config: Any, loss: Any, words: str
):
    with pytest.raises(BundleError, match=words) as refused:
        facts_of(tmp_path, config, loss)
    assert str(refused.value).startswith("model.keras is not taken: ")


@pytest.mark.parametrize(("key", "words"), [("input_layers", "2 inputs"),
                                            ("output_layers", "2 outputs")])  # fmt: skip
def test_several_inputs_or_outputs_are_refused(tmp_path: Path, key: str, words: str):
    config = {"class_name": "Functional", "config": {
        "name": "net", "layers": [start(), dense(2, "softmax")],
        "input_layers": [["images", 0, 0]], "output_layers": [["d", 0, 0]]}}  # fmt: skip
    config["config"][key] = [["images", 0, 0], ["d", 0, 0]]
    with pytest.raises(BundleError, match=f"has {words} in net"):
        facts_of(tmp_path, config)


def test_a_description_without_weights_is_refused(tmp_path: Path):
    path = h5_file(tmp_path / "m.h5", chain(*plain()), lambda file: file.clear())
    with pytest.raises(BundleError, match=r"m\.h5 is not taken: it describes .* no weights"):
        checkpoint_child._done({"max_bytes": 10**8, "spec": None}, path, tmp_path)


@pytest.mark.parametrize(
    ("name", "scaling"),
    [("mobilenetv2_1.00_224", "signed_unit"), ("vgg16", "caffe"), ("resnet50", "caffe"),
     ("resnet50v2", "signed_unit"), ("densenet121", "torch"), ("efficientnetb0", "none"),
     ("my_net", "unit")],
)  # fmt: skip
def test_the_scaling_is_guessed_from_names(tmp_path: Path, name: str, scaling: str):
    config = chain(*plain())
    config["config"]["name"] = name
    assert facts_of(tmp_path, config)["scaling"] == scaling


def test_a_rescaling_inside_leaves_the_pixels_as_they_are(tmp_path: Path):
    config = chain(start(), layer("Rescaling", "r", scale=0.0039), *plain()[1:])
    config["config"]["name"] = "vgg16"
    assert facts_of(tmp_path, config)["scaling"] == "none"


def test_a_free_size_is_asked_and_fits_the_recipe(tmp_path: Path):
    config = chain(layer("InputLayer", "i", batch_shape=[None, None, None, 1]), *plain()[1:])
    checkpoint = facts_of(tmp_path, config)
    assert checkpoint["side_px"] is None
    from leukemia_app.bundles.checkpoint_facts import CheckpointFacts

    del checkpoint["side_px"], checkpoint["n_classes"]
    facts = CheckpointFacts(**checkpoint)
    spec = spec_of(facts, guesses(facts))
    assert (spec.recipe.side_px, spec.recipe.colour, spec.recipe.scaling) == (224, "grey", "none")
    assert spec.network.backbone_arguments["scaling"] == "unit"
    assert spec.temperature == 1
    assert weights()
