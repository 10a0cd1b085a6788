"""A bundle on disk: whatever was changed in it is caught, and named."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.bundles import reference, store
from leukemia_app.bundles.engines import LITERT_FILE, LiteRtEngine
from leukemia_app.bundles.reference import REFERENCE_FILE, Reference
from leukemia_app.bundles.spec import Figure
from leukemia_app.bundles.store import (
    bundle_sha256,
    read_spec,
    self_test,
    verify,
    write_bundle,
    write_figures,
)
from leukemia_app.bundles.weights import WEIGHTS_FILE
from leukemia_app.errors import BundleError

Change = Callable[[dict], object]

FIGURE = {"name": "accuracy", "value": 0.9, "low": None, "high": None, "part": "test", "n": 9,
          "n_groups": 3, "group_level": "patient"}  # fmt: skip


def change_spec(folder: Path, change: Change) -> None:
    values = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    change(values)
    (folder / "bundle.json").write_text(json.dumps(values), encoding="utf-8")


def change_reference(folder: Path, **arrays: np.ndarray) -> None:
    """Other arrays in reference.npz, with their sha256 in bundle.json."""
    with np.load(folder / REFERENCE_FILE) as kept:
        changed = {name: kept[name] for name in kept.files} | arrays
    np.savez(folder / REFERENCE_FILE, **changed)
    digest = store.sha256_of(folder / REFERENCE_FILE)
    change_spec(folder, lambda values: values["files"].update({REFERENCE_FILE: digest}))


def engine_of(folder: Path) -> LiteRtEngine:
    return LiteRtEngine(folder / LITERT_FILE, threads=1)


def test_a_written_bundle_verifies_and_tests_itself(bundle: Path):
    spec = verify(bundle)
    assert spec == read_spec(bundle)
    assert sorted(spec.files) == [LITERT_FILE, WEIGHTS_FILE, REFERENCE_FILE, "scope.npz"]
    result = self_test(bundle, engine_of(bundle))
    assert (result.n_pictures, result.tensor_difference) == (2, 0)
    assert result.answer_difference < 1e-4


def test_the_card_and_nothing_unfinished_lie_beside_it(written: Path):
    assert (written / "README.md").read_text(encoding="utf-8").startswith("---\nlicense: ")
    assert [path.name for path in written.parent.iterdir()] == ["small"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda v: v["recipe"].update(side_px=64), r"recipe\.side_px is 64, but .* with 32"),
        (lambda v: v["recipe"].update(fit="crop"), r"recipe\.fit is 'crop', but .* with 'pad'"),
        (lambda v: v["recipe"].pop("views"), r"recipe\.views is 1, but .* with 4"),
        (lambda v: v["labels"].reverse(), r"labels is \['pre', 'early', 'normal'\], but"),
        (lambda v: v["labels"][0].update(name="x"), r"labels is \['x', 'early', 'pre'\], but"),
        (lambda v: v.update(temperature=1.0), r"temperature is 1\.0, but .* with 1\.5"),
        (lambda v: v.update(threshold=0.1), r"threshold is 0\.1, but .* with 0\.4"),
        (lambda v: v.update(scope=None), r"scope is None, but"),
        (lambda v: v["network"].update(head="plain"), r"network\.head is 'plain', but"),
        (lambda v: v["files"].pop("model.tflite"), r"names no sha256 of model\.tflite"),
        (lambda v: v.update(colour="red"), "unknown keys: colour"),
        (lambda v: v["recipe"].update(gamma=2), "recipe has unknown keys: gamma"),
        (lambda v: v.pop("temperature"), "lacks temperature"),
        (lambda v: v.update(labels=3), r"bundle\.json: labels is no list"),
        (lambda v: v.update(temperature="hot"), "temperature is 'hot', which cannot be used there"),
        (lambda v: v.update(temperature=True), "temperature is True, which cannot"),
        (lambda v: v.update(title=["Small"]), r"title is \['Small'\], which cannot"),
        (lambda v: v.update(summary="x" * 20_001), "summary is 'x+…, which cannot"),
        (lambda v: v.update(parents=[1]), r"parents is \(1,\), which cannot"),
        (lambda v: v.update(data={"name": 1}), r"data is \{'name': 1\}, which cannot"),
        (lambda v: v["labels"][0].update(meaning=None), "labels: meaning is None, which cannot"),
        (lambda v: v["figures"].append(FIGURE | {"value": "0.9"}), "figures: value is '0.9'"),
        (lambda v: v["figures"].append(FIGURE | {"value": float("inf")}), "figures holds inf, and"),
        (lambda v: v["figures"].append(FIGURE | {"n": 1.5}), r"figures: n is 1\.5, which cannot"),
        (lambda v: v.update(split={"parts": []}), r"split\.parts is no object"),
        (
            lambda v: v.update(split={"parts": {"test": {"pictures": "9"}}}),
            r"split\.parts\.test counts no pictures",
        ),
        (
            lambda v: v.update(split={"parts": {"test": 9}}),
            r"split\.parts\.test counts no pictures",
        ),
    ],
)
def test_a_changed_value_of_bundle_json_is_named(bundle: Path, change: Change, named: str):
    change_spec(bundle, change)
    with pytest.raises(BundleError, match=f"small.*{named}"):
        verify(bundle)


def test_texts_and_figures_may_be_added_later(bundle: Path):
    change_spec(bundle, lambda values: values.update(summary="Better words."))
    assert verify(bundle).summary == "Better words."


def test_figures_are_put_into_spec_and_card_and_the_bundle_stays_whole(bundle: Path):
    figure = Figure(
        name="macro-F1", value=0.875, low=0.81, high=0.93, part="test", n=40, n_groups=12,
        group_level="patient",
    )  # fmt: skip
    spec = write_figures(bundle, [figure])
    assert verify(bundle) == spec
    assert spec.figures == (figure,)
    assert "| macro-F1 | 0.875 | 0.810–0.930 |" in (bundle / "README.md").read_text("utf-8")
    assert not list(bundle.glob("*.part"))


@pytest.mark.parametrize("name", [LITERT_FILE, WEIGHTS_FILE, REFERENCE_FILE, "scope.npz"])
def test_a_changed_byte_is_caught(bundle: Path, name: str):
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"small/{name} does not match bundle\.json.*again"):
        verify(bundle)


@pytest.mark.parametrize("name", [LITERT_FILE, WEIGHTS_FILE, REFERENCE_FILE, "scope.npz"])
def test_a_missing_file_is_named(bundle: Path, name: str):
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=f"small/{name} is missing"):
        verify(bundle)


def test_a_folder_without_bundle_json_is_no_bundle(tmp_path: Path):
    with pytest.raises(BundleError, match=r"/bundle\.json is missing, so this is no bundle"):
        verify(tmp_path)


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", '{"format_version": 1}', "\udcff", "[" * 99999]
)
def test_a_bundle_json_that_is_none_is_refused(bundle: Path, text: str):
    (bundle / "bundle.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BundleError, match=r"small.*bundle\.json"):
        read_spec(bundle)


def test_a_huge_bundle_json_is_not_read(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "MAX_SPEC_BYTES", 100)
    with pytest.raises(BundleError, match=r"small/bundle\.json has \d+ bytes; at most 100"):
        read_spec(bundle)


def test_other_preprocessing_rules_in_the_code_are_caught(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reference, "PREPROCESSING_VERSION", 99)
    with pytest.raises(BundleError, match=r"small: this version prepares pictures by rules 99"):
        verify(bundle)


def test_pictures_prepared_otherwise_are_caught_by_the_self_test(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = store.prepare

    def brighter(picture, recipe):
        prepared = kept(picture, recipe)
        prepared.tensor[:] += 0.01  # of a range of 2: 0.005, above 0.002
        return prepared

    monkeypatch.setattr(store, "prepare", brighter)
    with pytest.raises(BundleError, match=r"prepares a reference picture otherwise.*0\.005"):
        self_test(bundle, engine_of(bundle))


def test_another_network_is_caught_by_the_self_test(bundle: Path, written_binary: Path):
    with pytest.raises(BundleError, match="small: the logits for a reference picture differ"):
        self_test(bundle, engine_of(written_binary))


@pytest.mark.parametrize("name", ["logits", "features"])
def test_answers_beyond_the_tolerance_are_caught_by_the_self_test(bundle: Path, name: str):
    kept = Reference.load(bundle / REFERENCE_FILE)
    values = getattr(kept, name).copy()
    values[1, 0] += 0.002 + 0.002 * abs(values[1, 0])  # twice what is allowed
    change_reference(bundle, **{name: values})
    verify(bundle)
    with pytest.raises(BundleError, match=rf"small: the {name} for a reference picture differ by"):
        self_test(bundle, engine_of(bundle))


@pytest.mark.parametrize(
    "arrays",
    [
        {"logits": np.zeros(3, np.float32)},
        {"served": np.frombuffer(b"[]", np.uint8)},
        {"served": np.frombuffer(b"{", np.uint8)},
        {"tensors": np.array([{}], object)},
    ],
)
def test_a_reference_that_cannot_be_used_is_refused_without_unpickling(bundle: Path, arrays: dict):
    change_reference(bundle, **arrays)
    with pytest.raises(BundleError, match=r"small/reference\.npz cannot be read"):
        verify(bundle)


def test_the_sha256_of_a_bundle_changes_with_any_value(bundle: Path):
    before = bundle_sha256(bundle)
    change_spec(bundle, lambda values: values.update(title="Other"))
    assert len(before) == 64
    assert bundle_sha256(bundle) != before


def test_a_bundle_is_not_written_over_another(bundle: Path, make_spec):
    with pytest.raises(BundleError, match="small exists already"):
        write_bundle(bundle, make_spec(), None, None)


@pytest.fixture(scope="module")
def tiny_network():
    from leukemia_app.networks.build import build_network

    return build_network("baseline_cnn", "plain", side_px=32, n_outputs=2)


def test_outputs_that_fit_no_labels_are_refused(tmp_path: Path, make_spec, tiny_network):
    with pytest.raises(BundleError, match="small: the network has 2 outputs for 3 labels"):
        write_bundle(tmp_path / "x", make_spec(), tiny_network, None)


def test_a_scope_without_its_limit_is_refused(tmp_path: Path, make_spec, tiny_network):
    scope = object()
    with pytest.raises(BundleError, match="scope statistics and their limit"):
        write_bundle(tmp_path / "x", make_spec(labels=("a", "b")), tiny_network, scope)


def test_nothing_is_left_of_a_bundle_that_could_not_be_written(
    tmp_path: Path, make_spec, tiny_network, monkeypatch: pytest.MonkeyPatch
):
    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(store, "save_weights", full_disk)
    with pytest.raises(OSError, match="no space left"):
        write_bundle(tmp_path / "x", make_spec(labels=("a", "b")), tiny_network, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("input", ["field", "cell"])
def test_the_drawn_reference_pictures_are_two_different_ones(input: str):
    first, second = store._drawn_pictures(input)
    assert first.shape != second.shape or (first != second).any()
