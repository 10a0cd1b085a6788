"""Ordinary checkpoints, as people save them, made here with random weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers


def small_cnn(*top: Any, side: int = 32, channels: int = 3) -> Any:
    return keras.Sequential([
        keras.Input((side, side, channels)),
        layers.Conv2D(8, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(),
        layers.Conv2D(12, 3, activation="swish"),
        layers.BatchNormalization(),
        *top,
    ])  # fmt: skip


def sequential_softmax() -> Any:
    return small_cnn(layers.Flatten(), layers.Dropout(0.5), layers.Dense(3, activation="softmax"))


def augmented_with_rescaling() -> Any:
    augment = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1),
                                layers.RandomZoom(0.1)], name="augmentation")  # fmt: skip
    return keras.Sequential([
        keras.Input((32, 32, 3)), augment, layers.Rescaling(1 / 255),
        layers.Conv2D(8, 3, activation="relu"), layers.GlobalAveragePooling2D(),
        layers.GaussianNoise(0.1), layers.Dense(4), layers.Softmax(),
    ])  # fmt: skip


def sigmoid_of_two() -> Any:
    return small_cnn(layers.GlobalMaxPooling2D(), layers.Dense(1, activation="sigmoid"))


def logits_without_activation() -> Any:
    model = small_cnn(layers.GlobalAveragePooling2D(), layers.Dense(5))
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def grey_and_oblong() -> Any:
    return keras.Sequential([
        keras.Input((40, 32, 1)), layers.Conv2D(4, 3), layers.ReLU(6.0), layers.Flatten(),
        layers.Dense(8), layers.LeakyReLU(), layers.Dense(2), layers.Activation("softmax"),
    ])  # fmt: skip


def residual_graph() -> Any:
    images = keras.Input((None, None, 3))
    scaled = images * 2.0 - 0.5
    one = layers.Conv2D(8, 3, padding="same", kernel_regularizer="l2")(scaled)
    two = layers.DepthwiseConv2D(3, padding="same")(one)
    shared = layers.Conv2D(8, 1, kernel_initializer="he_normal")
    joined = layers.Concatenate()([layers.Add()([shared(one), shared(two)]), one])
    joined = layers.PReLU(shared_axes=[1, 2])(layers.GroupNormalization(4)(joined))
    gate = layers.Dense(16, activation="sigmoid")(
        layers.GlobalAveragePooling2D(keepdims=True)(joined)
    )
    pooled = layers.GlobalAveragePooling2D()(layers.Multiply()([joined, gate]))
    return keras.Model(images, layers.Dense(3, activation="softmax")(pooled))


def transfer_learning() -> Any:
    base = keras.applications.MobileNetV2(input_shape=(64, 64, 3), include_top=False, weights=None)
    base.trainable = False
    images = keras.Input((64, 64, 3))
    features = base(layers.Rescaling(1 / 127.5, offset=-1)(images), training=False)
    pooled = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(features))
    return keras.Model(images, layers.Dense(3, activation="softmax")(pooled))


def efficientnet() -> Any:
    model = keras.applications.EfficientNetB0(
        input_shape=(64, 64, 3), weights=None, classes=4, name="efficientnetb0")  # fmt: skip
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def resnet() -> Any:
    return keras.applications.ResNet50(input_shape=(32, 32, 3), weights=None, classes=3,
                                       classifier_activation=None)  # fmt: skip


def teachable() -> Any:
    """As Teachable Machine nests it: a MobileNet's body and a head, each a chain of its own."""
    images = keras.Input((32, 32, 3), name="input_1")
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="Conv1_pad")(images)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="Conv1")(x)
    x = layers.BatchNormalization(name="bn_Conv1", momentum=0.999)(x)
    x = layers.ReLU(6.0, name="Conv1_relu")(x)
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="expanded_conv_dw")(x)
    y = layers.BatchNormalization(name="expanded_conv_bn")(y)
    x = layers.Add(name="block_add")([x, y])
    body = keras.Model(images, x, name="model1")
    body.trainable = False
    return keras.Sequential([
        keras.Sequential([body, layers.GlobalAveragePooling2D(name="gap")], name="sequential_1"),
        keras.Sequential([
            layers.Dense(10, activation="relu", name="dense_Dense1"),
            layers.Dense(2, activation="softmax", use_bias=False, name="dense_Dense2"),
        ], name="sequential_3"),
    ], name="sequential_4")  # fmt: skip


SMALL: dict[str, Callable[[], Any]] = {
    make.__name__: make
    for make in (sequential_softmax, augmented_with_rescaling, sigmoid_of_two,
                 logits_without_activation, grey_and_oblong, residual_graph)
}  # fmt: skip
LARGE: dict[str, Callable[[], Any]] = {
    make.__name__: make for make in (transfer_learning, efficientnet, resnet)
}


def shaken(model: Any) -> Any:
    """The model with weights that no two layers share, so that a mix-up shows."""
    rng = np.random.default_rng(7)
    for variable in model.weights:
        noise = rng.normal(0, 0.08, variable.shape)
        is_spread = variable.name in ("moving_variance", "variance")
        variable.assign(variable.numpy() + (np.abs(noise) if is_spread else noise))
    for layer in model._flatten_layers():
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    return model


def save_like_keras_2(model: Any, path: Path) -> Path:
    """The model as Keras 2.4 wrote it: its own words for shapes, types and nodes."""
    model.save(path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(_as_keras_2(config)).encode()
        file.attrs["keras_version"] = b"2.4.0"
        group = file["model_weights"]
        group.attrs["keras_version"] = b"2.4.0"
        for layer in group.values():
            old = [each.decode() if isinstance(each, bytes) else each
                   for each in layer.attrs.get("weight_names", ())]  # fmt: skip
            arrays = [(f"{'/'.join(name.split('/')[-2:])}:0", layer[name][()]) for name in old]
            for key in list(layer):
                del layer[key]
            for name, values in arrays:
                layer.create_dataset(name, data=values)
            layer.attrs["weight_names"] = [name.encode() for name, _ in arrays]
    return path


def _as_keras_2(item: Any) -> Any:
    if isinstance(item, list):
        return [_as_keras_2(each) for each in item]
    if not isinstance(item, dict):
        return item
    if item.get("class_name") == "DTypePolicy":
        return "float32"
    found = {key: _as_keras_2(value) for key, value in item.items()
             if key not in ("module", "registered_name", "build_config", "build_input_shape",
                            "optional", "quantization_config")}  # fmt: skip
    if "batch_shape" in found:
        found["batch_input_shape"] = found.pop("batch_shape")
        found["ragged"] = False
    if found.get("class_name") == "DepthwiseConv2D":
        found["config"]["groups"] = 1
    if found.get("class_name") == "BatchNormalization":
        found["config"] = {
            key: [value] if key == "axis" else value
            for key, value in found["config"].items()
            if "renorm" not in key
        }
    if "inbound_nodes" in found:
        found["inbound_nodes"] = [_node_of_keras_2(node) for node in item["inbound_nodes"]]
    return found


def _node_of_keras_2(node: Any) -> list[Any]:
    places = node["args"][0] if isinstance(node["args"][0], list) else node["args"]
    return [[*place["config"]["keras_history"], {}] for place in places]
