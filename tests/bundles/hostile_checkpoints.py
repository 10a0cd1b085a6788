"""Checkpoints made to do harm, one for each way that is known. None needs Keras to be made.

Each maker writes one file into a folder and gives its path and words of the refusal. Payloads would
leave the file `ran` in that folder.
Source: the vectors of promptfoo/modelaudit, and Keras' advisories of 2024 to 2026.
"""

import base64
import io
import json
import marshal
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.zip_files import Entry, write_zip

Made = tuple[Path, str]


def layer(kind: str, name: str, /, module: str | None = "keras.layers", **config: Any) -> Any:
    return {"module": module, "class_name": kind, "config": {"name": name, **config},
            "registered_name": None}  # fmt: skip


def start(*shape: int) -> Any:
    return layer("InputLayer", "images", batch_shape=[None, *(shape or (32, 32, 3))],
                 dtype="float32")  # fmt: skip


def plain() -> list[Any]:
    return [start(), layer("Conv2D", "conv", filters=4, kernel_size=[3, 3]),
            layer("GlobalAveragePooling2D", "pool"),
            layer("Dense", "dense", units=2, activation="softmax")]  # fmt: skip


def chain(*layers: Any) -> Any:
    return {"module": "keras", "class_name": "Sequential", "registered_name": None,
            "config": {"name": "network", "layers": list(layers)}}  # fmt: skip


def fill(file: Any) -> None:
    for name, shapes in {"conv2d": [(3, 3, 3, 4), (4,)], "dense": [(4, 2), (2,)]}.items():
        for number, shape in enumerate(shapes):
            file.create_dataset(f"layers/{name}/vars/{number}", data=np.ones(shape, np.float32))


def weights(change: Callable[[Any], object] | None = None) -> bytes:
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        fill(file)
        if change is not None:
            change(file)
    return made.getvalue()


def keras_file(path: Path, config: Any, arrays: bytes | None = None, *more: Entry) -> Path:
    return write_zip(
        path,
        Entry(name=b"metadata.json", data=b'{"keras_version": "3.15.1"}'),
        Entry(name=b"config.json", data=json.dumps(config).encode()),
        Entry(name=b"model.weights.h5", data=weights() if arrays is None else arrays),
        *more,
    )


def h5_file(path: Path, config: Any, change: Callable[[Any], object] | None = None) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.11.0"
        fill(file.create_group("model_weights"))
        if change is not None:
            change(file)
    return path


def bytecode(folder: Path) -> dict[str, Any]:
    code = compile(f"open({str(folder / 'ran')!r}, 'w')", "payload", "exec")
    return {
        "class_name": "__lambda__",
        "config": {
            "code": base64.b64encode(marshal.dumps(code)).decode(),
            "defaults": None,
            "closure": None,
        },
    }


class Payload:
    def __reduce__(self) -> Any:
        import os

        return os.system, ("touch ran",)


def with_layer(*bad: Any, words: str) -> Callable[[Path], Made]:
    return lambda folder: (keras_file(folder / "m.keras", chain(*plain()[:2], *bad, *plain()[2:])),
                           words)  # fmt: skip


def with_arrays(change: Callable[[Any], object], words: str) -> Callable[[Path], Made]:
    return lambda folder: (
        keras_file(folder / "m.keras", chain(*plain()), weights(change)), words)  # fmt: skip


def with_member(*more: Entry, words: str) -> Callable[[Path], Made]:
    return lambda folder: (keras_file(folder / "m.keras", chain(*plain()), None, *more), words)


def with_model(config: Any, words: str) -> Callable[[Path], Made]:
    return lambda folder: (keras_file(folder / "m.keras", config), words)


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "data", shape=(4,))
    file.create_virtual_dataset("stolen", layout)


def lambda_in_keras(folder: Path) -> Made:
    bad = layer("Lambda", "evil", function=bytecode(folder))
    return keras_file(folder / "m.keras", chain(start(), bad, *plain()[1:])), "holds code"


def lambda_in_h5(folder: Path) -> Made:
    bad = {
        "class_name": "Lambda",
        "config": {
            "name": "evil",
            "function": [bytecode(folder)["config"]["code"], None, None],
            "function_type": "lambda",
        },
    }
    return h5_file(folder / "m.h5", chain(start(), bad, *plain()[1:])), "holds code"


def lambda_within(folder: Path) -> Made:
    inner = chain(layer("Lambda", "evil", function=bytecode(folder)))
    return keras_file(
        folder / "m.keras", chain(start(), chain(chain(inner)), *plain()[1:])
    ), "of the kind Lambda"


def wrong_suffix(folder: Path) -> Made:
    path = keras_file(folder / "m.h5", chain(*plain()))
    return path, "which its suffix does not say"


def pickled(folder: Path) -> Made:
    path = folder / "m.keras"
    path.write_bytes(pickle.dumps(Payload()))
    return path, "a Python pickle, which runs code"


def saved_model(folder: Path) -> Made:
    path = folder / "model"
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"x")
    return path, "is a SavedModel of TensorFlow"


def huge_config(folder: Path) -> Made:
    config = chain(*plain(), layer("Dense", "x", units=1, note="a" * 21_000_000))
    return keras_file(folder / "m.keras", config), "at most 20,000,000 are read"


def deep_config(folder: Path) -> Made:
    path = write_zip(
        folder / "m.keras", Entry(name=b"config.json", data=b"[" * 200_000),
        Entry(name=b"metadata.json", data=b"{}"), Entry(name=b"model.weights.h5", data=weights()),
    )  # fmt: skip
    return path, "its config.json cannot be read"


def nested_deep(folder: Path) -> Made:
    config = chain(*plain())
    for _ in range(20):
        config = chain(config)
    return keras_file(folder / "m.keras", config), "deeper than"


def many_layers(folder: Path) -> Made:
    config = chain(start(), *(layer("ReLU", f"r{at}") for at in range(3000)))
    return keras_file(folder / "m.keras", config), "has more than 2,000 layers"


def unpacked_with_link(folder: Path) -> Made:
    path = folder / "model"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(chain(*plain())))
    (path / "model.weights.h5").write_bytes(
        weights(lambda file: file.update({"stolen": h5py.ExternalLink("/etc/hostname", "/")}))
    )
    return path, "holds a link"


def lying_size(folder: Path) -> Made:
    entry = Entry(name=b"model.weights.h5", data=bytes(1000), size=10)
    path = write_zip(folder / "m.keras", Entry(name=b"config.json",
                     data=json.dumps(chain(*plain())).encode()), entry)  # fmt: skip
    return path, "holds more than the 10 bytes"


GET_FILE = {"module": "keras.utils", "class_name": "function", "config": "get_file"}

STATIC: dict[str, Callable[[Path], Made]] = {
    "lambda in .keras": lambda_in_keras,
    "lambda in .h5": lambda_in_h5,
    "lambda three networks deep": lambda_within,
    "custom object": with_layer(
        {**layer("Evil", "evil", module="evil.code"), "registered_name": "Custom>Evil"},
        words="of the kind Evil of Custom>Evil"),
    "system call as a class": with_layer(layer("system", "evil", module="os", command="id"),
                                         words="of the kind system of os"),
    "known name from another module": with_layer(layer("Dense", "evil", module="subprocess"),
                                                 words="of the kind Dense of subprocess"),
    "known name, registered by others": with_layer(
        {**layer("Dense", "evil"), "registered_name": "pkg>Dense"}, words="of pkg>Dense"),
    "module that only begins like Keras": with_layer(layer("ReLU", "evil", module="keras_evil.x"),
                                                     words="of the kind ReLU of keras_evil"),
    "network of keras.applications": with_layer(
        layer("MobileNet", "evil", module="keras.applications.mobilenet", weights="http://x/y"),
        words="of the kind MobileNet"),
    "get_file as a layer": with_layer(
        layer("function", "evil", module="keras.utils", fn="get_file", origin="http://x/y"),
        words="of the kind function of keras.utils"),
    "get_file as an activation": with_layer(layer("Activation", "a", activation=GET_FILE),
                                            words="for activation in the layer"),
    "activation by a dotted path": with_layer(layer("Activation", "a", activation="os.system"),
                                              words="for activation in the layer"),
    "activation that is code": with_layer(
        layer("Activation", "a", activation={"class_name": "__lambda__", "config": {}}),
        words="for activation in the layer"),
    "initializer of others": with_layer(
        layer("Dense", "d", units=2, kernel_initializer={
            "module": "builtins", "class_name": "eval", "config": {}, "registered_name": None}),
        words="for kernel_initializer in the layer"),
    "regularizer of others": with_layer(
        layer("Dense", "d", units=2, kernel_regularizer={
            "module": "evil", "class_name": "L2", "config": {}, "registered_name": "evil>L2"}),
        words="of the kind L2 of evil>L2"),
    "safe mode turned off": with_layer(
        layer("enable_unsafe_deserialization", "evil", module="keras.src.saving"),
        words="enable_unsafe_deserialization"),
    "vocabulary from a path": with_layer(layer("StringLookup", "v", vocabulary="/etc/passwd"),
                                         words="reads words and may read files"),
    "integer vocabulary from a path": with_layer(
        layer("IntegerLookup", "v", vocabulary="http://x/y"), words="reads words and may read"),
    "graph of TensorFlow": with_layer(layer("TFSMLayer", "t", filepath="/x"),
                                      words="holds a graph that may read and write files"),
    "pickled module": with_layer(layer("TorchModuleWrapper", "t", module_="gASV"),
                                 words="holds pickled code"),
    "operation of TensorFlow": with_layer(
        layer("TFOpLambda", "t", module=None, function="io.read_file"),
        words="calls any function of TensorFlow"),
    "layer in TimeDistributed": with_layer(
        layer("TimeDistributed", "t", layer=layer("Lambda", "evil")), words="wraps another layer"),
    "layer in Bidirectional": with_layer(
        layer("Bidirectional", "t", layer=layer("Lambda", "evil")), words="wraps another layer"),
    "pipeline of layers": with_layer(layer("Pipeline", "p", layers=[layer("Lambda", "evil")]),
                                     words="of the kind Pipeline"),
    "layer called ..": with_layer(layer("ReLU", ".."), words="as if it were a path"),
    "layer called like a path": with_layer(layer("ReLU", "../../x"), words="as if it were a path"),
    "layer called like a root": with_layer(layer("ReLU", "/etc/x"), words="as if it were a path"),
    "layer without a name": with_layer(layer("ReLU", 5), words="which is no name"),
    "unknown setting": with_layer(layer("Dense", "d", units=2, hook="x.y"),
                                  words="has the setting hook"),
    "operation on strings": with_layer(
        {**layer("GetItem", "g", module="keras.src.ops.numpy"), "inbound_nodes": []},
        words="of the kind GetItem"),
    "quantized weights": with_layer(
        layer("Dense", "d", units=2, dtype={"class_name": "QuantizedDTypePolicy", "config": {}}),
        words="computes in QuantizedDTypePolicy"),
    "billion units": with_layer(layer("Dense", "d", units=1_000_000_000),
                                words="a whole number from 1 to 16384"),
    "window of a billion": with_layer(layer("MaxPooling2D", "p", pool_size=[10**9, 10**9]),
                                      words="a whole number from 1 to 1024"),
    "margin of a billion": with_layer(layer("ZeroPadding2D", "p", padding=10**9),
                                      words="a whole number from 0 to 1024"),
    "enlarged without end": with_layer(layer("UpSampling2D", "p", size=[10**6, 10**6]),
                                       words="a whole number from 1 to 64"),
    "input of a gigapixel": with_model(chain(start(50_000, 50_000, 3), *plain()[1:]),
                                       "takes pictures of 50000"),
    "not a network": with_model({"class_name": "Model", "config": "x"}, "describes no layers"),
    "model of one's own": with_model({"module": "evil", "class_name": "MyModel",
                                      "config": {}, "registered_name": "evil>MyModel"},
                                     "describes a network of the kind MyModel"),
    "link to another file": with_arrays(
        lambda f: f.update({"stolen": h5py.ExternalLink("/etc/hostname", "/")}), "holds a link"),
    "link within": with_arrays(lambda f: f.update({"x": h5py.SoftLink("/layers")}),
                               "holds a link"),
    "array in another file": with_arrays(
        lambda f: f.create_dataset("x", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
        "points at another file"),
    "virtual array": with_arrays(virtual, "points at another file"),
    "shape bomb": with_arrays(
        lambda f: f.create_dataset("x", (10**6, 10**6), "f4", chunks=(10, 10)),
        "would unpack to more than"),
    "array of objects": with_arrays(
        lambda f: f.create_dataset("x", data=["a"], dtype=h5py.string_dtype()),
        "holds more than arrays of numbers"),
    "pickled arrays beside": with_member(
        Entry(name=b"weights.npz", data=pickle.dumps(Payload())), words="it holds weights.npz"),
    "zip slip": with_member(Entry(name=b"../../evil.py"), words="lies in a folder"),
    "zip slip with backslashes": with_member(Entry(name=rb"..\evil.py"), words="lies in a folder"),
    "assets": with_member(Entry(name=b"assets/vocab.txt"), words="lies in a folder"),
    "member twice": with_member(Entry(name=b"config.json", data=b"{}"), words="config.json twice"),
    "encrypted member": with_member(Entry(name=b"x", flags=1), words="protected with a password"),
    "member that is a link": with_member(Entry(name=b"x", mode=0o120777), words="is a link"),
    "more unpacked than stated": lying_size,
    "wrong suffix": wrong_suffix,
    "pickle": pickled,
    "folder of a SavedModel": saved_model,
    "unpacked folder with a link": unpacked_with_link,
    "description of 21 MB": huge_config,
    "description without end": deep_config,
    "networks in networks": nested_deep,
    "three thousand layers": many_layers,
}  # fmt: skip
"""Refused before Keras is imported."""


def units_that_the_file_lacks(folder: Path) -> Made:
    # Legal numbers, but 1022 * 1022 * 4 * 16,384 * 4 bytes: 274 GB.
    config = chain(start(1024, 1024, 3), plain()[1], layer("Flatten", "flat"),
                   layer("Dense", "huge", units=16_384), plain()[3])  # fmt: skip
    return keras_file(folder / "m.keras", config), "its weights are not those of the network"


def maps_beyond_use(folder: Path) -> Made:
    config = chain(start(1024, 1024, 3), plain()[1], layer("UpSampling2D", "up", size=[64, 64]),
                   *plain()[2:])  # fmt: skip
    return keras_file(folder / "m.keras", config), "it would fill"


def ring(folder: Path) -> Made:
    def node(name: str) -> Any:
        return [{"args": [{"class_name": "__keras_tensor__", "config": {
            "keras_history": [name, 0, 0]}}], "kwargs": {}}]  # fmt: skip

    layers = [
        {**start(), "name": "images", "inbound_nodes": []},
        {**layer("ReLU", "a"), "inbound_nodes": node("b")},
        {**layer("ReLU", "b"), "inbound_nodes": node("a")},
        {**plain()[3], "inbound_nodes": node("b")},
    ]
    config = {"class_name": "Functional", "config": {"name": "ring", "layers": layers,
              "input_layers": ["images", 0, 0], "output_layers": ["dense", 0, 0]}}  # fmt: skip
    return keras_file(folder / "m.keras", config), "waits for one that never comes"


BUILT: dict[str, Callable[[Path], Made]] = {
    "a legal and huge layer": units_that_the_file_lacks,
    "maps beyond any use": maps_beyond_use,
    "layers in a ring": ring,
}
"""Refused by Keras' own shapes, before anything is allocated."""
