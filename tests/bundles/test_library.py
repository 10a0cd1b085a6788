"""Bundles are found again at every look, loaded once, and make room for each other."""

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from leukemia_app.bundles import library as library_module
from leukemia_app.bundles.device import Device
from leukemia_app.bundles.engines import LITERT_FILE, KerasEngine, LiteRtEngine
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.store import sha256_of
from leukemia_app.errors import BundleError

CPU = Device(name="cpu", engine="litert", detail="")


def library_of(*folders: tuple[str, Path], memory_mb: float = 500) -> Library:
    return Library(folders, CPU, memory_mb, threads=1)


def copy_as(written: Path, folder: Path, id: str | None = None) -> Path:
    """The bundle in another folder, under that folder's name as its id."""
    shutil.copytree(written, folder)
    change(folder, id=id or folder.name)
    return folder


def change(folder: Path, **values: object) -> None:
    spec = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    (folder / "bundle.json").write_text(json.dumps(spec | values), encoding="utf-8")


def test_bundles_are_listed_in_the_order_of_their_folders(written: Path, tmp_path: Path):
    for name in ("own/a", "shipped/c", "shipped/b"):
        copy_as(written, tmp_path / name)
    library = library_of(("shipped", tmp_path / "shipped"), ("own", tmp_path / "own"))
    listed = [(entry.id, entry.origin, entry.problem) for entry in library.entries()]
    assert listed == [("b", "shipped", None), ("c", "shipped", None), ("a", "own", None)]


def test_a_folder_may_be_a_bundle_or_hold_runs(written: Path, tmp_path: Path):
    alone = copy_as(written, tmp_path / "alone")
    copy_as(written, tmp_path / "runs" / "run-7" / "bundle", id="run-7")
    (tmp_path / "runs" / "run-8").mkdir()
    library = library_of(("own", alone), ("run", tmp_path / "runs"))
    assert [(entry.id, entry.origin) for entry in library.entries()] == [
        ("alone", "own"),
        ("run-7", "run"),
    ]


def test_folders_that_are_missing_or_hold_other_things_are_empty(tmp_path: Path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").touch()
    assert library_of(("a", tmp_path), ("b", tmp_path / "missing")).entries() == []


def test_a_new_bundle_appears_without_a_restart(written: Path, tmp_path: Path):
    library = library_of(("own", tmp_path))
    assert library.entries() == []
    copy_as(written, tmp_path / "new")
    assert [entry.id for entry in library.entries()] == ["new"]
    assert library.predictor("new").spec.id == "new"


def test_a_bundle_that_is_being_written_is_not_listed(written: Path, tmp_path: Path):
    shutil.copytree(written, tmp_path / ".new.part")
    assert library_of(("own", tmp_path)).entries() == []


def test_a_bundle_that_was_removed_is_gone(written: Path, tmp_path: Path):
    library = library_of(("own", tmp_path))
    copy_as(written, tmp_path / "new")
    library.predictor("new")
    shutil.rmtree(tmp_path / "new")
    assert library.entries() == []
    with pytest.raises(BundleError, match="No model has the id 'new'; there are: none"):
        library.predictor("new")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("bundle.json", "bundle.json is missing"), (LITERT_FILE, "model.tflite is missing")],
)
def test_a_broken_bundle_is_listed_with_the_reason(
    written: Path, tmp_path: Path, name: str, reason: str
):
    copy_as(written, tmp_path / "good")
    (copy_as(written, tmp_path / "broken") / name).unlink()
    library = library_of(("own", tmp_path))
    broken, good = library.entries()
    assert (good.id, good.problem) == ("good", None)
    assert broken.id == "broken"
    assert reason in broken.problem
    with pytest.raises(BundleError, match=f"The model broken cannot be used.*{reason}"):
        library.predictor("broken")


@pytest.mark.parametrize("broken", ["read_spec", "verify"])
def test_a_bundle_that_breaks_what_looks_at_it_is_listed_beside_the_others(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog, broken: str
):
    for name in ("evil", "good"):
        copy_as(written, tmp_path / name)
    looks = getattr(library_module, broken)

    def breaks(folder: Path) -> object:
        if folder.name == "evil":
            raise RecursionError("too deep for a visitor to read")
        return looks(folder)

    monkeypatch.setattr(library_module, broken, breaks)
    evil, good = library_of(("own", tmp_path)).entries()
    assert (good.id, good.problem) == ("good", None)
    assert (evil.id, evil.spec) == ("evil", None)
    assert "evil breaks what looks at it (RecursionError). Delete it" in evil.problem
    assert "too deep" not in evil.problem
    assert "too deep" in caplog.text  # with its traceback
    assert "Traceback" in caplog.text


def test_a_bundle_that_breaks_while_loaded_is_not_used_any_more(written: Path, tmp_path: Path):
    folder = copy_as(written, tmp_path / "a")
    library = library_of(("own", tmp_path))
    library.predictor("a")
    (folder / LITERT_FILE).write_bytes(b"other")
    with pytest.raises(BundleError, match=r"a/model\.tflite does not match bundle\.json"):
        library.predictor("a")


def with_other_network(folder: Path, content: bytes) -> None:
    """Another network in the bundle, with its right sha256."""
    (folder / LITERT_FILE).write_bytes(content)
    files = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["files"]
    change(folder, files=files | {LITERT_FILE: sha256_of(folder / LITERT_FILE)})


def test_a_network_that_cannot_run_is_listed_so_from_then_on(written: Path, tmp_path: Path):
    with_other_network(copy_as(written, tmp_path / "a"), b"no network")
    library = library_of(("own", tmp_path))
    assert library.entries()[0].problem is None
    with pytest.raises(BundleError, match=r"a/model\.tflite cannot be run"):
        library.predictor("a")
    assert "cannot be run" in library.entries()[0].problem


def test_a_network_that_answers_otherwise_is_not_served(
    written: Path, written_binary: Path, tmp_path: Path
):
    folder = copy_as(written, tmp_path / "a")
    with_other_network(folder, (written_binary / LITERT_FILE).read_bytes())
    with pytest.raises(BundleError, match="a: the logits for a reference picture differ"):
        library_of(("own", tmp_path)).predictor("a")


def test_of_two_bundles_with_one_id_the_first_has_it(written: Path, tmp_path: Path):
    copy_as(written, tmp_path / "shipped" / "a")
    copy_as(written, tmp_path / "own" / "b", id="a")
    copy_as(written, tmp_path / "extra" / "b", id="a")
    library = library_of(
        ("shipped", tmp_path / "shipped"), ("own", tmp_path / "own"), ("own", tmp_path / "extra")
    )
    first, *later = library.entries()
    assert (first.id, first.origin, first.problem) == ("a", "shipped", None)
    assert [entry.id for entry in later] == ["own/b", "own/b (2)"]
    assert all("b has the id a of another bundle (shipped/a)" in each.problem for each in later)
    with pytest.raises(BundleError, match="own/b cannot be used"):
        library.predictor("own/b")


def test_the_later_one_of_two_runs_with_one_id_goes_by_the_name_of_its_run(
    written: Path, tmp_path: Path
):
    for run in ("ward-7", "ward-7-2"):
        copy_as(written, tmp_path / run / "bundle", id="ward-7")
    later = library_of(("trained here", tmp_path)).entries()[1]
    assert later.id == "trained here/ward-7-2"
    assert later.problem is not None
    assert "ward-7-2 has the id ward-7 of another bundle (trained here/ward-7)" in later.problem


def test_files_are_hashed_again_only_when_they_changed(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = copy_as(written, tmp_path / "a")
    hashed = []
    kept = library_module.verify
    monkeypatch.setattr(library_module, "verify", lambda f: (hashed.append(f), kept(f))[1])
    library = library_of(("own", tmp_path))
    for _ in range(3):
        library.entries()
    assert hashed == [folder]
    change(folder, title="Other")
    assert library.entries()[0].spec.title == "Other"
    assert hashed == [folder, folder]


def test_a_model_is_loaded_once_and_again_when_it_changed(written: Path, tmp_path: Path):
    folder = copy_as(written, tmp_path / "a")
    library = library_of(("own", tmp_path))
    first = library.predictor("a")
    assert library.predictor("a") is first
    change(folder, title="Other")
    assert library.predictor("a").spec.title == "Other"


def test_sixteen_threads_load_a_model_once(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("a", "b"):
        copy_as(written, tmp_path / name)
    opened = []
    lock = threading.Lock()

    def slow_engine(path: Path, threads: int) -> LiteRtEngine:
        with lock:
            opened.append(path.parent.name)
        time.sleep(0.1)
        return LiteRtEngine(path, threads)

    monkeypatch.setattr(library_module, "LiteRtEngine", slow_engine)
    library = library_of(("own", tmp_path))
    with ThreadPoolExecutor(16) as pool:
        predictors = list(pool.map(library.predictor, ["a", "b"] * 8))
    assert sorted(opened) == ["a", "b"]
    assert [predictor.spec.id for predictor in predictors] == ["a", "b"] * 8


def test_the_longest_unused_model_makes_room(written: Path, tmp_path: Path):
    for name in ("a", "b", "c"):
        copy_as(written, tmp_path / name)
    one_mb = library_of(("own", tmp_path)).predictor("a").engine.memory_mb
    library = library_of(("own", tmp_path), memory_mb=2.5 * one_mb)
    loaded = {name: library.predictor(name) for name in ("a", "b")}
    assert library.predictor("a") is loaded["a"]
    library.predictor("c")  # a was used after b, so b goes
    assert library.predictor("a") is loaded["a"]
    assert library.predictor("b") is not loaded["b"]


def test_a_model_larger_than_the_budget_is_still_served_alone(written: Path, tmp_path: Path):
    for name in ("a", "b"):
        copy_as(written, tmp_path / name)
    library = library_of(("own", tmp_path), memory_mb=0.001)
    first = library.predictor("a")
    assert library.predictor("a") is first
    library.predictor("b")
    assert library.predictor("a") is not first


def test_the_default_is_the_first_that_can_be_used_for_the_input(
    written: Path, written_binary: Path, tmp_path: Path
):
    (copy_as(written, tmp_path / "a") / LITERT_FILE).unlink()
    copy_as(written, tmp_path / "b")
    copy_as(written_binary, tmp_path / "c")
    library = library_of(("own", tmp_path))
    assert (library.default("field"), library.default("cell")) == ("b", "c")
    assert library_of().default("field") is None


def test_a_preferred_model_goes_before_others_of_its_input(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copy_as(written, tmp_path / "a")
    copy_as(written, tmp_path / "b")
    monkeypatch.setattr(library_module, "PREFERRED", ("gone", "b"))
    assert library_of(("own", tmp_path)).default("field") == "b"


def test_the_devices_engine_is_used(written: Path, tmp_path: Path):
    copy_as(written, tmp_path / "a")
    by_keras = replace(CPU, engine="keras")
    predictor = Library([("own", tmp_path)], by_keras, 500, 1).predictor("a")
    assert isinstance(predictor.engine, KerasEngine)
    assert predictor.device == "cpu"
