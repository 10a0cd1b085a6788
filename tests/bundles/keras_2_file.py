"""A whole model as Keras 2 wrote it, made byte by byte: neither Keras 2 nor 3 is needed."""

import json
from pathlib import Path

import h5py
import numpy as np


def keras_2_file(path: Path, side: int = 32, classes: int = 2) -> Path:
    """A small network of convolution, pooling and softmax with random weights."""
    layers = [
        {"class_name": "Conv2D", "config": {
            "name": "conv2d", "trainable": True, "batch_input_shape": [None, side, side, 3],
            "dtype": "float32", "filters": 8, "kernel_size": [3, 3], "strides": [1, 1],
            "padding": "valid", "data_format": "channels_last", "dilation_rate": [1, 1],
            "groups": 1, "activation": "relu", "use_bias": True,
            "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
            "bias_initializer": {"class_name": "Zeros", "config": {}},
            "kernel_regularizer": None, "activity_regularizer": None}},
        {"class_name": "GlobalAveragePooling2D", "config": {
            "name": "pool", "trainable": True, "dtype": "float32",
            "data_format": "channels_last"}},
        {"class_name": "Dense", "config": {
            "name": "dense", "trainable": True, "dtype": "float32", "units": classes,
            "activation": "softmax", "use_bias": True}},
    ]  # fmt: skip
    rng = np.random.default_rng(5)
    arrays = {
        "conv2d": {"conv2d/kernel:0": (3, 3, 3, 8), "conv2d/bias:0": (8,)},
        "pool": {},
        "dense": {"dense/kernel:0": (8, classes), "dense/bias:0": (classes,)},
    }
    with h5py.File(path, "w") as file:
        config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = b"2.4.0"
        file.attrs["backend"] = b"tensorflow"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in arrays]
        for name, shapes in arrays.items():
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [each.encode() for each in shapes]
            for each, shape in shapes.items():
                layer.create_dataset(each, data=rng.normal(0, 0.3, shape).astype(np.float32))
    return path
