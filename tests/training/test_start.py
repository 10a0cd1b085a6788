"""Weights that a training starts from: found, fitting, or refused by name."""

import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from leukemia_app.bundles.spec import NetworkSpec
from leukemia_app.bundles.store import read_spec
from leukemia_app.errors import BundleError, RunError
from leukemia_app.networks.build import Network, build_network
from leukemia_app.training.start import load_start, matching_starts


def network(seed: int, side_px: int = 32, backbone: str = "baseline_cnn") -> Network:
    keras.utils.set_random_seed(seed)
    return build_network(backbone, "plain", side_px=side_px, n_outputs=1)


def kernels(made: Network) -> list[np.ndarray]:
    return [np.asarray(value) for value in made.backbone.weights]


def same(first: Network, other: Network) -> bool:
    return all(map(np.array_equal, kernels(first), kernels(other)))


def test_none_leaves_the_weights_as_they_are():
    made = network(0)
    load_start(made, "none")
    assert same(made, network(0))


def test_a_file_fills_the_backbone_whatever_the_size_of_the_pictures(tmp_path):
    source, made = network(1, side_px=64), network(2)
    head = np.asarray(made.head.weights[0]).copy()
    source.backbone.save_weights(tmp_path / "start.weights.h5")
    load_start(made, f"file:{tmp_path / 'start.weights.h5'}")
    assert same(made, source)
    np.testing.assert_array_equal(made.head.weights[0], head)


def test_a_bundle_gives_its_backbone(finished_run):
    from leukemia_app.bundles.store import verify
    from leukemia_app.bundles.weights import load_network

    made = network(3)
    load_start(made, f"bundle:{finished_run / 'bundle'}")
    assert same(made, load_network(finished_run / "bundle", verify(finished_run / "bundle")))


def test_a_bundle_is_found_by_its_id(finished_run, tmp_path, monkeypatch):
    asked = []

    def find(name):
        asked.append(name)
        return finished_run / "bundle"

    # A folder that happens to have the bundle's name is not the bundle.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    made, other = network(3), network(3)
    load_start(made, "bundle:tiny", find)
    load_start(other, f"bundle:{finished_run / 'bundle'}", find)
    assert asked == ["tiny"]
    assert same(made, other)
    assert not same(made, network(3))


def test_a_bundle_that_nobody_knows_is_refused_in_the_library_s_words():
    def find(name):
        raise BundleError(f"No model has the id {name!r}")

    with pytest.raises(BundleError, match="No model has the id 'gone'"):
        load_start(network(0), "bundle:gone", find)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("file", "nowhere is not there; give the weights file that training starts from"),
     ("bundle", "nowhere is not there; give the folder of the bundle to start from")],
)  # fmt: skip
def test_a_place_where_nothing_is_is_refused(kind, text, tmp_path):
    with pytest.raises(RunError, match=text):
        load_start(network(0), f"{kind}:{tmp_path / 'nowhere'}")


@pytest.mark.parametrize("start", ["", "file:", "bundle:", "random", "hub:x", "none:x"])
def test_an_unknown_start_is_refused_with_the_known_ones(start):
    text = rf"start is '{start}'; use none, imagenet, file:PATH or bundle:ID"
    with pytest.raises(RunError, match=text):
        load_start(network(0), start)


@pytest.mark.parametrize("content", [b"no weights", b""])
def test_a_file_that_holds_no_weights_is_refused(content, tmp_path):
    path = tmp_path / "start.weights.h5"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"start.weights.h5 does not fit the backbone baseline_cnn"):
        load_start(network(0), f"file:{path}")


def test_weights_of_another_network_are_refused(tmp_path):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(RunError, match=r"other.weights.h5 does not fit the backbone baseline_cnn"):
        load_start(network(0), f"file:{tmp_path / 'other.weights.h5'}")


def test_the_backbone_of_another_bundle_is_refused_by_name(finished_run):
    text = "The bundle tiny has the backbone baseline_cnn, but the run trains vit; choose a bundle"
    with pytest.raises(RunError, match=text):
        load_start(network(0, backbone="vit"), f"bundle:{finished_run / 'bundle'}")


def test_a_damaged_bundle_is_refused_by_its_own_words(finished_run, tmp_path):
    (tmp_path / "model.weights.h5").write_bytes(
        (finished_run / "bundle/model.weights.h5").read_bytes()
    )
    with pytest.raises(BundleError, match=r"bundle.json is missing, so this is no bundle"):
        load_start(network(0), f"bundle:{tmp_path}")


def test_fitting_bundles_are_offered_first_then_imagenet_then_none(finished_run):
    spec = read_spec(finished_run / "bundle")
    other = replace(spec, id="other", network=NetworkSpec(backbone="mobilenet", head="plain"))
    assert matching_starts("baseline_cnn", [spec, other]) == ("bundle:tiny", "none")
    assert matching_starts("mobilenet", [spec, other]) == ("bundle:other", "imagenet", "none")
    assert matching_starts("vit", []) == ("none",)


def test_starts_are_listed_without_keras():
    code = (
        "import sys; from leukemia_app.training.start import matching_starts; "
        "print(matching_starts('vgg16', []), 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "('imagenet', 'none') False"
