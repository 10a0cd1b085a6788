import subprocess
import sys

import keras
import numpy as np
import pytest

from leukemia_app.errors import BundleError
from leukemia_app.networks.backbones import BACKBONES, BLOCKS, SCALINGS, SIDES, SMALLEST_SIDES
from leukemia_app.networks.build import (
    Network,
    build_network,
    copy_weights,
    freeze_below,
    freeze_normalisation,
    quicken_normalisation,
)
from leukemia_app.networks.heads import HEADS

EVERY_NETWORK = [(backbone, head) for backbone in BACKBONES for head in HEADS]
TWO_BY_TWO = dict.fromkeys(BACKBONES, 64) | {"baseline_cnn": 32, "vit": 32, "inceptionv3": 107}
"""The side that leaves two by two places: attention has nothing to learn from a single one."""
LOSSES = {
    1: keras.losses.BinaryCrossentropy(from_logits=True),
    4: keras.losses.CategoricalCrossentropy(from_logits=True),
}
"""By the number of outputs: two labels share one."""


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)


def smallest(backbone: str, head: str = "plain", n_outputs: int = 2) -> Network:
    return build_network(backbone, head, side_px=SMALLEST_SIDES[backbone], n_outputs=n_outputs)


@pytest.mark.parametrize(("backbone", "head"), EVERY_NETWORK)
@pytest.mark.parametrize("n_outputs", [1, 4])
def test_every_network_learns_with_every_weight(backbone, head, n_outputs):
    side_px = TWO_BY_TWO[backbone]
    network = build_network(backbone, head, side_px=side_px, n_outputs=n_outputs)
    model = network.model
    pictures = np.random.default_rng(0).normal(size=(4, side_px, side_px, 3)).astype("float32")
    assert network.backbone.output.shape[1:3] == (2, 2)
    assert model.output.shape == (None, n_outputs)
    # Eagerly, since compiling a step of the larger ones takes half a minute.
    model.compile(keras.optimizers.SGD(1.0), LOSSES[n_outputs], run_eagerly=True)
    before = [np.asarray(weight).copy() for weight in model.trainable_weights]
    assert np.isfinite(model.train_on_batch(pictures, np.eye(4, dtype="float32")[:, :n_outputs]))
    stuck = [
        weight.path
        for weight, old in zip(model.trainable_weights, before, strict=True)
        # A key's bias shifts all scores of a query alike: softmax takes no notice of it.
        if np.array_equal(np.asarray(weight), old) and "key/bias" not in weight.path
    ]
    assert stuck == []


@pytest.mark.parametrize("head", HEADS)
def test_the_model_is_its_backbone_followed_by_its_head(head):
    network = smallest("baseline_cnn", head)
    pictures = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")
    features = network.backbone(pictures, training=False)
    np.testing.assert_allclose(
        network.head(features, training=False),
        network.model(pictures, training=False),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_saved_weights_bring_back_the_same_answers(head, tmp_path):
    first, second = (smallest("baseline_cnn", head) for _ in range(2))
    pictures = np.random.default_rng(1).normal(size=(2, 32, 32, 3)).astype("float32")
    first.model.save_weights(tmp_path / "model.weights.h5")
    second.model.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(
        first.model.predict_on_batch(pictures), second.model.predict_on_batch(pictures)
    )


@pytest.mark.parametrize("table", [SCALINGS, SIDES, SMALLEST_SIDES, BLOCKS])
def test_every_table_knows_every_backbone(table):
    assert set(table) == set(BACKBONES)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_backbone_has_its_name_its_blocks_and_a_map_at_its_smallest_side(backbone):
    body = smallest(backbone).backbone
    _, rows, columns, channels = body.output.shape
    names = [layer.name for layer in body.layers]
    assert body.name == backbone
    assert rows == columns >= 1
    assert channels >= 192
    places = [names.index(block) for block in BLOCKS[backbone]]
    assert places == sorted(places)
    assert all(body.layers[place].weights for place in places)
    before = [layer for layer in body.layers[: places[0]] if layer.weights]
    assert all(isinstance(layer, keras.layers.Normalization) for layer in before)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_all_before_a_block_is_frozen_and_nothing_else(backbone):
    network = smallest(backbone)
    body = network.backbone
    for block in BLOCKS[backbone]:
        freeze_below(network, block)
        # The part of the graph that the block's input is computed by.
        below = keras.Model(body.input, body.get_layer(block).input).layers
        assert not any(layer.trainable for layer in below)
        above = [layer.name for layer in body.layers if not layer.trainable]
        assert set(above) == {layer.name for layer in below}


def test_a_backbone_without_keras_is_only_listed():
    code = (
        "import sys, leukemia_app.networks.backbones, leukemia_app.networks.heads; "
        "print('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(("backbone", "head"), [("baseline_cnn", "plain"), ("vit", "attention")])
def test_logits_are_float32_where_the_rest_has_16_bits(policy, backbone, head):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        network = smallest(backbone, head)
    finally:
        keras.config.set_dtype_policy(before)
    logits = network.model(np.ones((1, 32, 32, 3), "float32"), training=False)
    assert network.backbone.output.dtype == policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert np.isfinite(logits).all()


def test_plain_head_on_equal_places_is_one_dense_layer():
    # Every place holds (1, 2): the average is (1, 2), whatever the size of the map.
    network = build_network("baseline_cnn", "plain", side_px=32, n_outputs=1)
    dense = network.head.get_layer("logits")
    kernel = np.zeros((256, 1), "float32")
    kernel[:2, 0] = (3, 5)
    dense.set_weights([kernel, np.array([0.5], "float32")])
    features = np.zeros((1, 2, 2, 256), "float32")
    features[..., :2] = (1, 2)
    # 1*3 + 2*5 + 0.5
    assert network.head.predict_on_batch(features)[0, 0] == pytest.approx(13.5)


def test_attention_head_does_not_care_where_a_cell_lies():
    network = build_network("baseline_cnn", "attention", side_px=64, n_outputs=2)
    features = np.random.default_rng(0).normal(size=(1, 4, 4, 256)).astype("float32")
    moved = features[:, ::-1, ::-1]
    np.testing.assert_allclose(
        network.head.predict_on_batch(features), network.head.predict_on_batch(moved),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip


def test_frozen_normalisation_is_not_moved_by_training():
    network = build_network("baseline_cnn", "plain", side_px=32, n_outputs=2)
    freeze_normalisation(network.backbone)
    layers = [
        layer for layer in network.backbone.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]  # fmt: skip
    before = [value.copy() for layer in layers for value in layer.get_weights()]
    network.model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    network.model.train_on_batch(
        np.full((4, 32, 32, 3), 3, "float32"), np.eye(2, dtype="float32")[[0, 1, 0, 1]]
    )
    after = [value for layer in layers for value in layer.get_weights()]
    assert len(layers) == 4
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_what_is_frozen_below_a_block_is_not_moved_by_training():
    network = smallest("baseline_cnn")
    freeze_below(network, "block3_conv")
    layers = [layer for layer in network.backbone.layers if layer.weights]
    before = [[np.asarray(value).copy() for value in layer.weights] for layer in layers]
    network.model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    network.model.train_on_batch(
        np.full((4, 32, 32, 3), 3, "float32"), np.eye(2, dtype="float32")[[0, 1, 0, 1]]
    )
    moved = [
        any(
            not np.array_equal(old, new)
            for old, new in zip(values, layer.get_weights(), strict=True)
        )
        for layer, values in zip(layers, before, strict=True)
    ]
    # Convolution and normalisation of blocks 1 and 2, then those of 3 and 4.
    assert moved == [False] * 4 + [True] * 4


def test_freezing_below_a_block_frees_no_normalisation_above_it():
    network = smallest("baseline_cnn")
    freeze_normalisation(network.backbone)
    freeze_below(network, "block2_conv")
    assert len(network.backbone.trainable_weights) == 3  # the kernels of blocks 2, 3 and 4


def test_no_block_freezes_nothing():
    network = smallest("vit")
    freeze_below(network, "")
    assert all(layer.trainable for layer in network.backbone.layers)


def test_a_block_of_another_backbone_is_refused_by_name():
    with pytest.raises(BundleError, match=r"vgg16 has no block 'mixed1_first'; use one of block1"):
        freeze_below(smallest("vgg16"), "mixed1_first")


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_scope_s_features_are_the_average_of_what_enters_its_block(backbone):
    block = BLOCKS[backbone][2]
    network = build_network(
        backbone, "plain", side_px=SMALLEST_SIDES[backbone], n_outputs=2, scope_block=block
    )
    pictures = np.random.default_rng(0).normal(size=(2, *network.backbone.input.shape[1:]))
    feature_map, features = network.look(pictures)
    entering = keras.Model(network.backbone.input, network.backbone.get_layer(block).input)
    inner = np.asarray(entering(pictures))
    # over places: rows and columns, or tokens
    expected = inner.mean(tuple(range(1, inner.ndim - 1)))
    np.testing.assert_allclose(np.asarray(features), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.asarray(feature_map), np.asarray(network.backbone(pictures)))


def test_without_a_block_the_scope_sees_the_map():
    network = smallest("baseline_cnn")
    pictures = np.random.default_rng(0).normal(size=(2, *network.backbone.input.shape[1:]))
    feature_map, features = map(np.asarray, network.look(pictures))
    np.testing.assert_allclose(features, feature_map.mean((1, 2)), rtol=1e-5)


def test_a_scope_s_block_of_another_backbone_is_refused_by_name():
    with pytest.raises(BundleError, match="mobilenet has no block 'mixed0_first'"):
        build_network("mobilenet", "plain", side_px=32, n_outputs=2, scope_block="mixed0_first")


def test_copied_weights_reach_the_input_normalisation():
    source, target = (smallest("efficientnetb0") for _ in range(2))
    layer = next(
        layer for layer in source.backbone.layers if isinstance(layer, keras.layers.Normalization)
    )
    layer.set_weights([np.array([0.5, 0.4, 0.3]), np.array([0.2, 0.1, 0.3]), np.array(9)])
    layer.finalize_state()
    copy_weights(source.backbone, target.backbone)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    before, after = (network.backbone(pictures, training=False) for network in (source, target))
    np.testing.assert_array_equal(before, after)


def test_weights_of_other_layers_cannot_be_copied():
    with pytest.raises(ValueError, match="weight"):
        copy_weights(smallest("vgg16").backbone, smallest("baseline_cnn").backbone)


@pytest.mark.parametrize(
    ("backbone", "head", "text"),
    [("resnet9", "plain", "backbone is 'resnet9'; use one of baseline_cnn"),
     ("mobilenet", "big", "head is 'big'; use one of plain")],
)  # fmt: skip
def test_an_unknown_part_is_refused_by_name(backbone, head, text):
    with pytest.raises(BundleError, match=text):
        build_network(backbone, head, side_px=32, n_outputs=2)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_pictures_that_are_too_small_are_refused_with_the_side_that_is_needed(backbone):
    needed = SMALLEST_SIDES[backbone]
    text = rf"{backbone} needs pictures of {needed} px or more, but recipe.side_px is {needed - 1}"
    with pytest.raises(BundleError, match=text):
        build_network(backbone, "plain", side_px=needed - 1, n_outputs=2)


def test_quickened_statistics_are_those_of_the_last_batches():
    network = build_network("baseline_cnn", "plain", side_px=32, n_outputs=1)
    quicken_normalisation(network.backbone)
    layer = next(
        layer for layer in network.backbone.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )  # fmt: skip
    values = np.full((4, 2, 2, 32), 5, np.float32)
    for _ in range(20):
        layer(values, training=True)
    # 0.9^20 = 0.12 of the start's mean of 0 is left: 5 (1 - 0.12) = 4.39. With 0.99 it were 0.91.
    assert np.asarray(layer.moving_mean) == pytest.approx(4.392, abs=0.01)
