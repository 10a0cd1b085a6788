"""A checkpoint's whole way: looked at, drafted, tried on drawn pictures, accepted, carried away."""

import os
import zipfile
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from leukemia_app.bundles.checkpoint import (
    Draft,
    accept,
    discard,
    inspect,
    make_draft,
    try_on_examples,
)
from leukemia_app.bundles.checkpoint_spec import DEFAULT_THRESHOLD, guesses
from leukemia_app.bundles.device import Device
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.pack import pack
from leukemia_app.bundles.unpack import add_bundle
from leukemia_app.errors import BundleError
from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.render import draw
from tests.bundles import ordinary_checkpoints as made

MAX_BYTES = 500_000_000


@pytest.fixture(scope="module")
def teachable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip as Teachable Machine exports it: keras_model.h5 of Keras 2, and labels.txt."""
    folder = tmp_path_factory.mktemp("teachable")
    model = made.shaken(made.teachable())
    model.save(folder / "keras_3.keras")
    path = made.save_like_keras_2(model, folder / "keras_model.h5")
    archive = folder / "converted_keras.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(path, "keras_model.h5")
        file.writestr("labels.txt", "0 normal\n1 blast\n")
    return archive


@pytest.fixture(scope="module")
def drafted(teachable: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Draft, Path]:
    """A draft of it and the folder of models; do not change."""
    home = tmp_path_factory.mktemp("home")
    facts = inspect(teachable, max_bytes=MAX_BYTES)
    answers = replace(guesses(facts), id="teachable", input="cell", colour="bgr")
    return make_draft(teachable, facts, answers, home, max_bytes=MAX_BYTES), home


def test_the_facts_of_a_teachable_machine_are_read(teachable: Path):
    facts = inspect(teachable, max_bytes=MAX_BYTES)
    assert facts.labels == ("normal", "blast")
    assert (facts.labels_from, facts.side_px, facts.n_outputs) == ("labels.txt", 32, 2)
    assert (facts.scaling, facts.activation, facts.keras_version) == (
        "signed_unit", "softmax", "2.4.0")  # fmt: skip
    assert {"time", "memory", "size of written files"} <= set(facts.held)


def test_a_draft_answers_as_keras_does_for_the_same_pixels(drafted: tuple[Draft, Path], teachable):
    import keras

    draft, _ = drafted
    model = keras.saving.load_model(teachable.parent / "keras_3.keras", compile=False)
    pixels = draw("lymphocyte", 11).pixels
    from leukemia_app.imaging.prepare import prepare

    seen = prepare(Picture(pixels=pixels, name="x"), draft.spec.recipe).pixels.astype(np.float32)
    expected = model.predict_on_batch(seen[None, ..., ::-1] / 127.5 - 1)[0]
    first = try_on_examples(draft)[0]
    assert list(first.probabilities.values()) == pytest.approx(list(expected), abs=1e-4)


def test_a_draft_is_in_no_list_and_says_what_was_not_measured(drafted: tuple[Draft, Path]):
    draft, home = drafted
    device = Device(name="gpu", engine="keras", detail="as on a machine with a GPU")
    assert Library([("own", home)], device, 500, 1).entries() == []
    assert draft.has_map
    assert draft.spec.threshold == DEFAULT_THRESHOLD
    assert draft.spec.figures == ()
    assert draft.spec.scope is None
    assert "Nothing was measured here" in (draft.folder / "README.md").read_text()
    assert sorted(draft.spec.files) == ["model.tflite", "reference.npz"]


def test_an_accepted_model_serves_on_the_cpu_and_can_be_carried(
    drafted: tuple[Draft, Path], tmp_path: Path
):
    import shutil

    draft, _ = drafted
    copy = Path(shutil.copytree(draft.folder, tmp_path / "home" / ".adding-1-draft" / "teachable"))
    folder = accept(replace(draft, folder=copy), tmp_path / "home", [])
    gpu = Device(name="gpu", engine="keras", detail="")
    library = Library([("own", tmp_path / "home")], gpu, 500, 1)
    assert [entry.problem for entry in library.entries()] == [None]
    predictor = library.predictor("teachable")
    picture = Picture(pixels=draw("neutrophil", 3).pixels, name="drawn")
    seen = predictor.examine(picture)
    assert predictor.device == "cpu"
    assert seen.explanation is not None
    (tmp_path / "carried.zip").write_bytes(pack(folder))
    (tmp_path / "other").mkdir()
    added = add_bundle(tmp_path / "carried.zip", tmp_path / "other", [], max_bytes=MAX_BYTES)
    assert added.is_new
    with pytest.raises(BundleError, match="Another model has the name teachable"):
        accept(replace(draft, spec=replace(draft.spec, title="Other")), tmp_path / "home",
               library.entries())  # fmt: skip


def test_an_imported_network_is_not_trained_on(drafted: tuple[Draft, Path]):
    from leukemia_app.bundles.weights import load_network

    draft, _ = drafted
    with pytest.raises(BundleError, match="teachable was imported from a checkpoint"):
        load_network(draft.folder, draft.spec)


def test_a_discarded_draft_leaves_nothing(drafted: tuple[Draft, Path], tmp_path: Path):
    import shutil

    draft, _ = drafted
    copy = Path(shutil.copytree(draft.folder, tmp_path / ".adding-2-draft" / "teachable"))
    discard(replace(draft, folder=copy))
    assert not list(tmp_path.iterdir())
    with pytest.raises(BundleError, match="The draft of teachable is gone"):
        accept(replace(draft, folder=copy), tmp_path, [])


@pytest.mark.slow
def test_weights_of_our_own_network_become_a_model_to_train_on(tmp_path: Path):
    from leukemia_app.bundles.weights import load_network
    from leukemia_app.networks.build import build_network

    network = build_network("baseline_cnn", "attention", side_px=64, n_outputs=4)
    network.model.save_weights(tmp_path / "own.weights.h5")
    facts = inspect(tmp_path / "own.weights.h5", max_bytes=MAX_BYTES)
    assert (facts.backbone, facts.head, facts.n_outputs) == ("baseline_cnn", "attention", 4)
    answers = replace(guesses(facts), side_px=64, labels=("a", "b", "c", "d"))
    (tmp_path / "home").mkdir()
    draft = make_draft(tmp_path / "own.weights.h5", facts, answers, tmp_path / "home",
                       max_bytes=MAX_BYTES)  # fmt: skip
    again = load_network(draft.folder, draft.spec)
    for old, new in zip(network.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_allclose(old, new, rtol=2e-3, atol=2e-3)


def test_what_comes_out_must_be_what_was_asked_for(drafted: tuple[Draft, Path], tmp_path: Path):
    import shutil

    from leukemia_app.bundles import checkpoint

    draft, _ = drafted
    folder = Path(shutil.copytree(draft.folder, tmp_path / "teachable"))
    wanted = replace(draft.spec, files={})
    assert checkpoint._checked(folder, wanted) == draft.spec
    with pytest.raises(BundleError, match="is not what was asked for"):
        checkpoint._checked(folder, replace(wanted, threshold=0.0))
    (folder / "more.txt").write_text("x")
    with pytest.raises(BundleError, match="is not what was asked for"):
        checkpoint._checked(folder, wanted)


def test_a_model_larger_than_may_be_is_refused(drafted: tuple[Draft, Path]):
    from leukemia_app.bundles import checkpoint

    with pytest.raises(BundleError, match="teachable is not taken: as a model it has 0 MB"):
        checkpoint._check_size(drafted[0].folder, 1000)


def test_a_server_without_keras_says_where_to_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from leukemia_app.bundles import checkpoint

    monkeypatch.setattr(checkpoint, "find_spec", lambda name: None)
    with pytest.raises(BundleError, match=r"as h5py, keras, tensorflow is not installed.*pack"):
        inspect(tmp_path / "m.keras", max_bytes=MAX_BYTES)


@pytest.mark.parametrize("id", ["con", "a" * 90, "Über"])
def test_an_id_that_no_folder_may_have_is_refused(teachable: Path, id: str, tmp_path: Path):
    facts = inspect(teachable, max_bytes=MAX_BYTES)
    with pytest.raises(BundleError, match=r"id must be|No folder may be called"):
        make_draft(teachable, facts, replace(guesses(facts), id=id), tmp_path, max_bytes=MAX_BYTES)
