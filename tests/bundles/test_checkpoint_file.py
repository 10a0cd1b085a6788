"""Checkpoints as they lie on the disk: files, unpacked folders, zips with labels."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("h5py")

from leukemia_app.bundles.checkpoint_file import KERAS, WHOLE_H5, Checkpoint, open_checkpoint
from leukemia_app.errors import BundleError
from tests.bundles.hostile_checkpoints import chain, keras_file, plain, weights
from tests.bundles.keras_2_file import keras_2_file


def opened(path: Path, max_bytes: int = 10**8) -> Checkpoint:
    scratch = path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return open_checkpoint(path, scratch, max_bytes)


def unpacked(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(chain(*plain())))
    (folder / "metadata.json").write_text('{"keras_version": "3.10.0"}')
    (folder / "model.weights.h5").write_bytes(weights())
    return folder


def test_an_unpacked_folder_is_read_with_the_labels_beside(tmp_path: Path):
    folder = unpacked(tmp_path / "net")
    (folder / "labels.txt").write_text("normal\nblast\n")
    found = opened(folder)
    assert (found.kind, found.keras_version, found.labels) == (
        KERAS, "3.10.0", ("normal", "blast"))  # fmt: skip


def test_a_folder_with_one_checkpoint_is_read_as_that(tmp_path: Path):
    folder = tmp_path / "repo"
    folder.mkdir()
    keras_file(folder / "net.keras", chain(*plain()))
    (folder / "config.json").write_text('{"id2label": {"0": "a", "1": "b"}}')
    found = opened(folder)
    assert (found.kind, found.labels, found.labels_from) == (KERAS, ("a", "b"), "config.json")
    keras_2_file(folder / "old.h5")
    with pytest.raises(BundleError, match=r"repo holds net\.keras, old\.h5; name the one"):
        opened(folder)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"empty holds no checkpoint of Keras; Give a \.keras"):
        opened(tmp_path / "empty")


def test_a_zip_with_a_checkpoint_and_labels_is_read(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "converted_keras.zip", "w") as archive:
        archive.write(keras_2_file(tmp_path / "keras_model.h5"), "keras_model.h5")
        archive.writestr("labels.txt", "0 normal\n1 blast\n")
    found = opened(tmp_path / "converted_keras.zip")
    assert (found.kind, found.keras_version, found.labels) == (
        WHOLE_H5, "2.4.0", ("normal", "blast"))  # fmt: skip


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"bundle.json": "{}"}, "a zip archive without one checkpoint in it"),
        ({"a.h5": "x", "b.h5": "x"}, "a zip archive without one checkpoint in it"),
        ({"a.h5": "x", "setup.py": "x"}, "it holds setup.py beside the checkpoint"),
        ({"a.keras": "x"}, "a.keras is not taken: it is no checkpoint of Keras"),
    ],
)
def test_another_zip_is_refused(tmp_path: Path, members: dict[str, str], words: str):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(BundleError, match=words):
        opened(tmp_path / "m.zip")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.pt", b"PK\x03\x04" + bytes(99), "it is a zip archive, which its suffix does not say"),
        ("m.keras", b"\x93NUMPY" + bytes(99), "it is arrays of NumPy"),
        ("m.tflite", bytes(4) + b"TFL3", "it is a graph of LiteRT"),
        ("m.pth", b"abc", "it is no file of Keras, by its name"),
        ("m.h5", b"abc", "it is no checkpoint of Keras"),
        ("m.keras", b"PK\x03\x04" + bytes(99), "is no zip archive, or was cut short"),
    ],
)
def test_what_is_no_checkpoint_is_refused_by_its_content(
    tmp_path: Path, name: str, content: bytes, words: str
):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BundleError, match=words):
        opened(tmp_path / name)


def test_size_is_bounded_before_and_after_unpacking(tmp_path: Path):
    path = keras_file(tmp_path / "m.keras", chain(*plain()))
    with pytest.raises(BundleError, match=r"m\.keras has 0 MB, and the limit is 0 MB"):
        opened(path, max_bytes=100)
    with pytest.raises(BundleError, match="it would unpack to more than 0 MB"):
        opened(path, max_bytes=path.stat().st_size + 10)


def attribute(path: Path, name: str, value: Any) -> Path:
    import h5py

    with h5py.File(keras_2_file(path), "a") as file:
        file.attrs[name] = value
    return path


def test_what_should_be_text_and_is_none_is_refused(tmp_path: Path):
    with pytest.raises(BundleError, match="its model_config is no text"):
        opened(attribute(tmp_path / "m.h5", "model_config", [1, 2]))
    with pytest.raises(BundleError, match="its model_config cannot be read"):
        opened(attribute(tmp_path / "n.h5", "model_config", "{"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(BundleError, match=r"m\.keras cannot be read"):
        opened(tmp_path / "m.keras")
