import keras
import numpy as np
import pytest

from leukemia_app.errors import BundleError
from leukemia_app.networks.backbones import BACKBONES, SCALINGS
from leukemia_app.networks.build import build_network, freeze_normalisation
from leukemia_app.networks.heads import HEADS

SIDE_PX = 64  # two by two places for the backbones that shrink by 32: attention needs several
EVERY_NETWORK = [(backbone, head) for backbone in BACKBONES for head in HEADS]


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize(("backbone", "head"), EVERY_NETWORK)
def test_every_backbone_with_every_head_gives_logits_and_a_gradient_to_every_weight(backbone, head):
    network = build_network(backbone, head, side_px=SIDE_PX, n_outputs=3)
    pictures = np.random.default_rng(0).normal(size=(4, SIDE_PX, SIDE_PX, 3)).astype("float32")
    network.model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    before = [np.asarray(weight).copy() for weight in network.model.trainable_weights]
    for _ in range(3):
        network.model.train_on_batch(pictures, np.eye(3, dtype="float32")[[0, 1, 2, 0]])
    stuck = [
        weight.path
        for weight, old in zip(network.model.trainable_weights, before, strict=True)
        # A key's bias shifts all scores of a query alike: softmax takes no notice of it.
        if np.array_equal(np.asarray(weight), old) and "key/bias" not in weight.path
    ]
    assert stuck == []
    assert network.model.predict_on_batch(pictures).shape == (4, 3)


@pytest.mark.parametrize(("backbone", "head"), EVERY_NETWORK)
def test_the_model_is_its_backbone_followed_by_its_head(backbone, head):
    network = build_network(backbone, head, side_px=SIDE_PX, n_outputs=1)
    pictures = np.ones((2, SIDE_PX, SIDE_PX, 3), "float32")
    features = network.backbone.predict_on_batch(pictures)
    np.testing.assert_allclose(
        network.head.predict_on_batch(features),
        network.model.predict_on_batch(pictures),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize(("backbone", "head"), EVERY_NETWORK)
def test_saved_weights_bring_back_the_same_answers(backbone, head, tmp_path):
    first = build_network(backbone, head, side_px=SIDE_PX, n_outputs=2)
    second = build_network(backbone, head, side_px=SIDE_PX, n_outputs=2)
    pictures = np.random.default_rng(1).normal(size=(2, SIDE_PX, SIDE_PX, 3)).astype("float32")
    first.model.save_weights(tmp_path / "model.weights.h5")
    second.model.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(
        first.model.predict_on_batch(pictures), second.model.predict_on_batch(pictures)
    )


def test_every_backbone_says_what_scaling_it_was_made_for():
    assert set(SCALINGS) == set(BACKBONES)


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


@pytest.mark.parametrize(
    ("backbone", "head", "text"),
    [("resnet9", "plain", "backbone is 'resnet9'; use one of baseline_cnn"),
     ("mobilenet", "big", "head is 'big'; use one of plain")],
)  # fmt: skip
def test_an_unknown_part_is_refused_by_name(backbone, head, text):
    with pytest.raises(BundleError, match=text):
        build_network(backbone, head, side_px=32, n_outputs=2)
