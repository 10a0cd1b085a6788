"""ImageNet weights: had as Keras has them, meaning what they mean there, or refused in words."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from leukemia_app.errors import RunError
from leukemia_app.networks.build import Network, build_network
from leukemia_app.training import imagenet
from leukemia_app.training.imagenet import PUBLISHED, load_imagenet
from leukemia_app.training.start import load_start
from tests.training.keras_storage import APPLICATIONS, Storage, as_published, md5_of, storage

SIDES = dict.fromkeys(PUBLISHED, 32) | {"mobilenet": 128, "inceptionv3": 75}
"""Small ones; Keras has no file of its own for MobileNet under 128 px and would warn."""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """Keras' storage on this machine, and an empty place for downloads."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with storage() as found:
        monkeypatch.setattr(imagenet, "STORAGE", found.url)
        yield found


@pytest.fixture
def publish(
    served: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Serve a file for a backbone under Keras' name; its digest is expected from now on."""

    def make(backbone: str) -> Path:
        path = as_published(backbone, SIDES[backbone], tmp_path / f"{backbone}.h5")
        known = PUBLISHED[backbone]
        served.files[known.place(SIDES[backbone])] = path
        if known.md5:
            ours = dict(PUBLISHED) | {backbone: replace(known, md5=md5_of(path))}
            monkeypatch.setattr(imagenet, "PUBLISHED", ours)
        return path

    return make


def network(backbone: str) -> Network:
    keras.utils.set_random_seed(1)
    return build_network(backbone, "plain", side_px=SIDES[backbone], n_outputs=2)


def answer(model: keras.Model) -> np.ndarray:
    side_px = model.input.shape[1]
    pictures = np.random.default_rng(0).uniform(0, 255, (2, side_px, side_px, 3))
    return np.asarray(model(pictures.astype("float32"), training=False))


def as_keras_has_it(
    backbone: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[keras.Model, dict[str, object]]:
    """Keras' own ImageNet network with the weights in `path`, and what it asked to be fetched."""
    asked: dict[str, object] = {}

    def get_file(fname: str, origin: str, **rest: object) -> str:
        asked.update(fname=fname, origin=origin, **rest)
        return str(path)

    monkeypatch.setattr(file_utils, "get_file", get_file)
    side_px = SIDES[backbone]
    theirs = APPLICATIONS[backbone](include_top=False, input_shape=(side_px, side_px, 3))
    return theirs, asked


@pytest.mark.parametrize("backbone", PUBLISHED)
def test_what_is_downloaded_answers_as_in_keras_and_is_what_keras_would_fetch(
    backbone: str, publish: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    path, made = publish(backbone), network(backbone)
    load_start(made, "imagenet")
    theirs, asked = as_keras_has_it(backbone, path, monkeypatch)
    expected = answer(theirs)
    spread = np.abs(expected).max()
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(answer(made.backbone), expected, rtol=0, atol=1e-5 * spread)
    place = PUBLISHED[backbone].place(SIDES[backbone])
    assert asked == {
        "fname": place.rpartition("/")[2],
        "origin": f"https://storage.googleapis.com/{place}",
        "cache_subdir": "models",
    } | ({"file_hash": PUBLISHED[backbone].md5} if PUBLISHED[backbone].md5 else {})


@pytest.mark.parametrize(
    ("side_px", "file"), [(128, "128"), (192, "192"), (224, "224"), (96, "224"), (299, "224")]
)
def test_mobilenet_has_a_file_for_some_sides_and_one_for_all_others(side_px: int, file: str):
    assert PUBLISHED["mobilenet"].place(side_px).endswith(f"/mobilenet_1_0_{file}_tf_no_top.h5")


def test_a_file_is_downloaded_once(served: Storage, publish: Callable[[str], Path]):
    place = PUBLISHED["mobilenet"].place(128)
    publish("mobilenet")
    for _ in range(2):
        load_imagenet(network("mobilenet"))
    assert served.asked == [("HEAD", place), ("GET", place)]


def test_the_head_stays_as_it_is(publish: Callable[[str], Path]):
    publish("mobilenet")
    made, untouched = network("mobilenet"), network("mobilenet")
    load_imagenet(made)
    for ours, theirs in zip(made.head.get_weights(), untouched.head.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("backbone", ["baseline_cnn", "vit"])
def test_a_network_without_imagenet_weights_is_refused_by_name(backbone: str):
    text = rf"there are no ImageNet weights of {backbone}, only of mobilenet, .*bundle:ID"
    with pytest.raises(RunError, match=text):
        load_start(build_network(backbone, "plain", side_px=32, n_outputs=2), "imagenet")


OTHERWISE = r"Start from bundle:ID, from file:PATH with weights fetched elsewhere, or from none"


@pytest.mark.usefixtures("served")
def test_a_file_that_is_gone_is_told_with_another_way():
    text = rf"vgg16_weights.*_notop.h5 \(HTTP Error 404: Not Found\)\. {OTHERWISE}"
    with pytest.raises(RunError, match=text):
        load_imagenet(network("vgg16"))


def test_no_network_is_told_with_another_way(served: Storage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imagenet, "STORAGE", "http://storage.invalid")
    text = rf"cannot be downloaded from http://storage\.invalid/.*\(.+\)\. {OTHERWISE}"
    with pytest.raises(RunError, match=text):
        load_imagenet(network("vgg16"))
    assert served.asked == []


@pytest.mark.usefixtures("served")
def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imagenet, "ANSWER_S", 0.3)
    made = network("vgg16")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(imagenet, "STORAGE", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(RunError, match=rf"\(.*(timed out|no answer).*\)\. {OTHERWISE}"):
            load_imagenet(made)
        assert time.monotonic() - began < 5


def test_a_name_that_is_looked_up_for_ever_is_not_waited_for(
    served: Storage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(imagenet, "ANSWER_S", 0.1)

    def looks_up(*_: object, **__: object) -> None:
        time.sleep(1)
        raise OSError("no such name")

    monkeypatch.setattr(imagenet, "urlopen", looks_up)
    with pytest.raises(RunError, match=rf"\(no answer within 0\.1 s\)\. {OTHERWISE}"):
        load_imagenet(network("vgg16"))
    assert served.asked == []


def test_another_content_than_keras_published_is_refused(served: Storage, tmp_path: Path):
    (tmp_path / "other.h5").write_bytes(b"something else")
    served.files[PUBLISHED["vgg16"].path] = tmp_path / "other.h5"
    with pytest.raises(RunError, match=rf"(?s)corrupted file detected.*{OTHERWISE}"):
        load_imagenet(network("vgg16"))
    assert socket.getdefaulttimeout() is None


def test_a_damaged_file_without_a_digest_is_removed(served: Storage, tmp_path: Path):
    (tmp_path / "part.h5").write_bytes(b"half of a file")
    served.files[PUBLISHED["mobilenet"].place(128)] = tmp_path / "part.h5"
    with pytest.raises(RunError, match=r"mobilenet_1_0_128_tf_no_top.h5 was damaged and is remov"):
        load_imagenet(network("mobilenet"))
    assert list((tmp_path / "home" / "models").iterdir()) == []


@pytest.mark.usefixtures("served")
def test_keras_own_file_means_the_same_when_it_is_given_by_path(
    publish: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    path, made = publish("efficientnetb0"), network("efficientnetb0")
    load_start(made, f"file:{path}")
    theirs, _ = as_keras_has_it("efficientnetb0", path, monkeypatch)
    expected = answer(theirs)
    np.testing.assert_allclose(
        answer(made.backbone), expected, rtol=0, atol=1e-5 * np.abs(expected).max()
    )


def test_weights_saved_from_keras_imagenet_network_mean_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = as_published("efficientnetb0", 32, tmp_path / "published.h5")
    theirs, _ = as_keras_has_it("efficientnetb0", path, monkeypatch)
    theirs.save_weights(tmp_path / "own.weights.h5")
    made = network("efficientnetb0")
    load_start(made, f"file:{tmp_path / 'own.weights.h5'}")
    expected = answer(theirs)
    np.testing.assert_allclose(
        answer(made.backbone), expected, rtol=0, atol=1e-5 * np.abs(expected).max()
    )


def test_weights_of_our_own_network_are_taken_as_they_are(tmp_path: Path):
    source, made = network("efficientnetb0"), network("efficientnetb0")
    layer = next(
        layer for layer in source.backbone.layers if isinstance(layer, keras.layers.Normalization)
    )
    layer.set_weights([np.full(3, 0.5), np.full(3, 0.04), np.array(7)])
    layer.finalize_state()
    source.backbone.save_weights(tmp_path / "own.weights.h5")
    load_start(made, f"file:{tmp_path / 'own.weights.h5'}")
    np.testing.assert_array_equal(answer(made.backbone), answer(source.backbone))
