"""The first opening of a stranger's bundle: what it breaks is its own process alone."""

import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukemia_app.bundles import trial
from leukemia_app.bundles.graph import OPERATORS, check_graph
from leukemia_app.bundles.reference import Reference
from leukemia_app.bundles.store import read_spec
from leukemia_app.bundles.trial import main, try_out
from leukemia_app.errors import BundleError

h5py = pytest.importorskip("h5py")

from leukemia_app.bundles import weights_file  # noqa: E402
from leukemia_app.bundles.weights_file import check_weights_file  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[2] / "models"


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    """Put a program in Python's place."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(trial.sys, "executable", str(path))


def test_a_good_bundle_passes(written: Path):
    try_out(written)


def test_what_is_wrong_is_told_in_its_own_words(bundle: Path):
    (bundle / "model.tflite").write_bytes(b"TFL3")
    with pytest.raises(BundleError, match=r"small/model\.tflite does not match bundle\.json"):
        try_out(bundle)


def test_a_process_that_breaks_is_told_by_its_signal(bundle, tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "kill -SEGV $$")
    with pytest.raises(BundleError, match=r"its files broke the process .*\(signal 11\)"):
        try_out(bundle)


def test_a_process_that_ends_oddly_is_told_by_its_code(bundle, tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "exit 9")
    with pytest.raises(BundleError, match=r"\(exit code 9\)"):
        try_out(bundle)


def test_a_process_that_does_not_end_is_ended(bundle, tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "exec sleep 30")
    with pytest.raises(BundleError, match="did not end within 0 s"):
        try_out(bundle, seconds=0.2)


def test_memory_is_bounded(written: Path):
    with pytest.raises(BundleError, match=r"small is not taken|small: "):
        try_out(written, memory_mb=60)


def test_no_secret_reaches_the_process(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_AUTH", "ada:hunter2")
    program(tmp_path, monkeypatch, f"env > {tmp_path}/seen; exit 0")
    try_out(bundle)
    assert "hunter2" not in (tmp_path / "seen").read_text()


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Callable[[Path], str]:
    """What the child's main says of a folder, in this process and without its limits."""
    monkeypatch.setattr(trial, "_limit_this_process", lambda **_: None)

    def run(folder: Path) -> str:
        code = main([str(folder), "60", "4000"])
        said = capfdbinary.readouterr().out.decode()
        assert (code == 0) == (said == "")
        return said

    return run


def with_reference(folder: Path, **changes: Any) -> None:
    """Another reference.npz, and its sha256 in bundle.json."""
    import json
    from dataclasses import replace

    from leukemia_app.bundles.store import sha256_of

    path = folder / "reference.npz"
    replace(Reference.load(path), **changes).save(path)
    values = json.loads((folder / "bundle.json").read_text())
    values["files"]["reference.npz"] = sha256_of(path)
    (folder / "bundle.json").write_text(json.dumps(values))


def test_answers_of_another_shape_are_refused(bundle: Path, tried: Callable[[Path], str]):
    with_reference(bundle, logits=np.zeros((2, 7), np.float32))
    assert "the logits for a reference picture differ in their number" in tried(bundle)


def test_a_scope_without_a_score_is_refused(bundle: Path, tried: Callable[[Path], str]):
    import json

    from leukemia_app.bundles.scope import Scope
    from leukemia_app.bundles.store import sha256_of

    n_features = Reference.load(bundle / "reference.npz").features.shape[1]
    Scope(
        mean=np.full(n_features, np.nan, np.float32),
        directions=np.eye(n_features, 2, dtype=np.float32),
        spread=np.ones(2, np.float32), rest=1.0,
    ).save(bundle / "scope.npz")  # fmt: skip
    values = json.loads((bundle / "bundle.json").read_text())
    values["files"]["scope.npz"] = sha256_of(bundle / "scope.npz")
    (bundle / "bundle.json").write_text(json.dumps(values))
    assert tried(bundle).startswith("small/scope.npz gives no score for a reference picture")


def test_want_of_memory_and_the_unforeseen_are_told_in_words(bundle, tried, monkeypatch):
    def fails(error: Exception) -> Callable[[Path], None]:
        def check(folder: Path) -> None:
            raise error

        return check

    monkeypatch.setattr("leukemia_app.bundles.graph.check_graph", fails(MemoryError()))
    assert "needs more memory than it may have" in tried(bundle)
    monkeypatch.setattr("leukemia_app.bundles.graph.check_graph", fails(KeyError()))
    assert "its files cannot be used (KeyError)" in tried(bundle)


# The graph


def changed_graph(folder: Path, change: Callable[[Any], object]) -> Path:
    flatbuffers = pytest.importorskip("flatbuffers")
    from ai_edge_litert import schema_py_generated as schema

    path = folder / "model.tflite"
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    change(model)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return folder


@pytest.mark.parametrize("name", sorted(path.name for path in SHIPPED.iterdir() if path.is_dir()))
def test_shipped_graphs_are_plain_arithmetic(name: str):
    check_graph(SHIPPED / name)


def test_an_operator_that_no_network_has_is_refused(bundle: Path):
    def loop(model: Any) -> None:
        model.operatorCodes[0].builtinCode = 119
        model.operatorCodes[0].deprecatedBuiltinCode = 119

    assert "WHILE" not in OPERATORS
    with pytest.raises(BundleError, match=r"small/model\.tflite is not taken: it holds WHILE"):
        check_graph(changed_graph(bundle, loop))


def test_custom_code_is_refused(bundle: Path):
    def custom(model: Any) -> None:
        model.operatorCodes[0].builtinCode = 32
        model.operatorCodes[0].deprecatedBuiltinCode = 32
        model.operatorCodes[0].customCode = b"Evil"

    with pytest.raises(BundleError, match="it holds a custom operator, which no network"):
        check_graph(changed_graph(bundle, custom))


def test_a_graph_of_absurd_size_is_refused(bundle: Path):
    def more(model: Any) -> None:
        model.subgraphs = model.subgraphs * 3

    with pytest.raises(BundleError, match="it has 6 graphs of"):
        check_graph(changed_graph(bundle, more))


def test_what_is_no_graph_is_refused(bundle: Path):
    (bundle / "model.tflite").write_bytes(b"\xff" * 100)
    with pytest.raises(BundleError, match=r"model\.tflite is no LiteRT file that can be read"):
        check_graph(bundle)


# The weights


def weights(folder: Path, fill: Callable[[Any], object]) -> Path:
    path = folder / "model.weights.h5"
    path.unlink()
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "data", shape=(4,))
    file.create_virtual_dataset("a", layout)


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda f: f.update({"a": h5py.SoftLink("/b")}), "holds a link"),
        (lambda f: f.update({"a": h5py.ExternalLink("/etc/x.h5", "/")}), "holds a link"),
        (lambda f: f.create_dataset("a", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
         "points at another file"),
        (virtual, "points at another file"),
        (lambda f: f.create_dataset("a", data="text"), "holds more than arrays of numbers"),
        (lambda f: f.create_dataset("a", (10**6, 10**6), "f4", chunks=(10, 10)),
         "would unpack to more than 2 GB"),
        (lambda f: f.create_group("a").update({"a": f["a"]}), "has more groups than any"),
    ],
)  # fmt: skip
def test_weights_that_are_more_than_numbers_are_refused(bundle: Path, fill, words: str):
    with pytest.raises(BundleError, match=rf"small/model\.weights\.h5 is not taken: it {words}"):
        check_weights_file(weights(bundle, fill))


def test_the_number_of_groups_is_bounded(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(weights_file, "MAX_ITEMS", 3)
    with pytest.raises(BundleError, match="has more groups than any network"):
        check_weights_file(bundle / "model.weights.h5")


def test_what_is_no_weights_file_is_refused(bundle: Path):
    (bundle / "model.weights.h5").write_bytes(b"x")
    with pytest.raises(BundleError, match="is no file of weights that can be read"):
        check_weights_file(bundle / "model.weights.h5")


def test_without_h5py_nothing_is_looked_at(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    (bundle / "model.weights.h5").write_bytes(b"x")
    monkeypatch.setattr(weights_file, "find_spec", lambda name: None)
    check_weights_file(bundle / "model.weights.h5")


def test_the_trial_knows_the_network_of_the_spec(bundle: Path, tried: Callable[[Path], str]):
    assert tried(bundle) == ""
    assert read_spec(bundle).id == "small"
    assert sys.executable
