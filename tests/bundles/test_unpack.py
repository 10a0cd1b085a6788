"""A packed bundle on its way in: whole and tested, or not at all, whoever packed it."""

import errno
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukemia_app.bundles import gate
from leukemia_app.bundles.device import Device
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.pack import pack
from leukemia_app.bundles.spec import Spec
from leukemia_app.bundles.store import read_spec, sha256_of, verify
from leukemia_app.bundles.unpack import Added, add_bundle, remove_bundle
from leukemia_app.errors import BundleError
from leukemia_app.imaging.picture import Picture
from tests.zip_files import Entry, two_ends, write_zip

MAX_BYTES = 50_000_000
Files = dict[str, bytes]


def trusted(folder: Path) -> None:
    """In place of the trial, where it is not what is tested."""
    verify(folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "state" / "models"


def library_of(home: Path) -> Library:
    device = Device(name="cpu", engine="litert", detail="CPU.")
    return Library([("own", home)], device=device, memory_mb=100, threads=1)


def packed(
    bundle: Path, place: Path, change: Callable[[Files], object] = lambda files: None
) -> Path:
    """A zip of the bundle, by hand, after `change` of its files by name in the archive."""
    files = {f"small/{path.name}": path.read_bytes() for path in sorted(bundle.iterdir())}
    change(files)
    with zipfile.ZipFile(place, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return place


def add(archive: Path, home: Path, **options: Any) -> Added:
    entries = library_of(home).entries()
    return add_bundle(
        archive, home, entries, **{"max_bytes": MAX_BYTES, "try_out": trusted} | options
    )


def refused(archive: Path, home: Path, words: str, **options: Any) -> None:
    with pytest.raises(BundleError, match=words):
        add(archive, home, **options)
    assert not home.exists() or list(home.iterdir()) == []


def change_spec(files: Files, change: Callable[[dict[str, Any]], object]) -> None:
    values = json.loads(files["small/bundle.json"])
    change(values)
    files["small/bundle.json"] = json.dumps(values).encode()


# What goes well


def test_what_was_packed_is_listed_tested_and_answers_the_same_elsewhere(
    written: Path, home: Path, tmp_path: Path, draw: Callable[..., Picture]
):
    archive = tmp_path / "small.zip"
    archive.write_bytes(pack(written))
    added = add_bundle(archive, home, [], max_bytes=MAX_BYTES)
    assert added == Added(id="small", folder=home / "small", is_new=True)
    assert [path.name for path in home.iterdir()] == ["small"]
    before, after = (library_of(each).predictor("small") for each in (written, home))
    picture = draw(7)
    told = [replace(each.read([picture])[0], ms={}).to_dict() for each in (before, after)]
    assert told[0] == told[1]


def test_the_same_model_once_more_is_here_already(bundle: Path, home: Path, tmp_path: Path):
    archive = packed(bundle, tmp_path / "small.zip")
    add(archive, home)
    before = (home / "small").stat().st_mtime_ns
    assert add(archive, home) == Added(id="small", folder=home / "small", is_new=False)
    assert (home / "small").stat().st_mtime_ns == before


def test_another_model_of_that_name_needs_a_new_one(bundle: Path, home: Path, tmp_path: Path):
    add(packed(bundle, tmp_path / "small.zip"), home)
    other = packed(bundle, tmp_path / "other.zip", lambda files: change_spec(
        files, lambda values: values.update(summary="Another one.")))  # fmt: skip
    with pytest.raises(BundleError, match="Another model has the name small already"):
        add(other, home)
    assert read_spec(home / "small").summary != "Another one."
    assert add(other, home, name="small-2").id == "small-2"
    found = {entry.id: entry.problem for entry in library_of(home).entries()}
    assert found == {"small": None, "small-2": None}
    assert verify(home / "small-2").summary == "Another one."


def test_a_damaged_model_in_its_place_is_named(bundle: Path, home: Path, tmp_path: Path):
    archive = packed(bundle, tmp_path / "small.zip")
    add(archive, home)
    (home / "small" / "model.tflite").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"small is here that cannot be used: .* Delete it"):
        add(archive, home)


def test_what_systems_put_into_archives_is_left_out(bundle: Path, home: Path, tmp_path: Path):
    junk = {"__MACOSX/small/._bundle.json": b"", "small/.DS_Store": b"", "small/Thumbs.db": b""}
    added = add(packed(bundle, tmp_path / "mac.zip", lambda files: files.update(junk)), home)
    assert {path.name for path in added.folder.iterdir()} == {
        path.name for path in bundle.iterdir()
    }


def test_the_folder_in_the_archive_may_have_any_name(bundle: Path, home: Path, tmp_path: Path):
    def rename(files: Files) -> None:
        for name in list(files):
            files[name.replace("small/", "Model of Ada/")] = files.pop(name)

    assert add(packed(bundle, tmp_path / "ada.zip", rename), home).folder == home / "small"


def test_a_model_without_a_card_is_taken(bundle: Path, home: Path, tmp_path: Path):
    archive = packed(bundle, tmp_path / "a.zip", lambda files: files.pop("small/README.md"))
    assert not (add(archive, home).folder / "README.md").exists()


# What is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.update({"../evil.txt": b""}), r"\.\./evil\.txt has a path that climbs out"),
        (lambda f: f.update({"/etc/evil": b""}), "/etc/evil has an absolute path"),
        (lambda f: f.update({"small/../../evil": b""}), "climbs out of the archive"),
        (lambda f: f.update({"other/bundle.json": b"{}"}), "is not where a model's file lies"),
        (lambda f: f.update({"other/notes.txt": b""}), "holds 2 folders; pack one model alone"),
        (lambda f: f.update({"small/deep/x.txt": b""}), "is not where a model's file lies"),
        (lambda f: f.update({"loose.txt": b""}), "loose.txt is not where a model's file lies"),
        (lambda f: f.update({"small/model.py": b""}), r"holds model\.py, which is no part of the"),
        (lambda f: f.update({"small/Model.tflite": b""}), r"holds Model\.tflite, which is no part"),
        (lambda f: f.pop("small/bundle.json"), r"holds no bundle\.json, so it is no model"),
        (lambda f: f.pop("small/model.tflite"), r"lacks model\.tflite of the model small. Pack it"),
        (lambda f: f.update({"small/model.tflite": b"x"}), r"model\.tflite is not the file that"),
        (lambda f: f.update({"small/bundle.json": b"{"}), r"bundle\.json cannot be read"),
        (lambda f: f.update({"small/bundle.json": b"[" * 100_000}), r"bundle\.json cannot be read"),
        (lambda f: f.update({"small/bundle.json": b"[]"}), "has format_version None"),
        (lambda f: f.update({"small/README.md": b"x" * 1_000_001}), "1,000,001 bytes; at most"),
        (lambda f: f.update({f"small/{n}.txt": b"" for n in range(65)}), "more than 64 entries"),
    ],
)  # fmt: skip
def test_an_archive_made_otherwise_is_refused(
    bundle: Path, home: Path, tmp_path: Path, change: Callable[[Files], object], words: str
):
    refused(packed(bundle, tmp_path / "x.zip", change), home, words)
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.update(colour="red"), r"x\.zip: bundle\.json has unknown keys: colour"),
        (lambda v: v.update(id="../small"), "id must be lower-case letters"),
        (lambda v: v.update(id="con"), "is called con, which no folder may be called"),
        (lambda v: v.update(title={"a": 1}), "title is .*which cannot be used there"),
        (lambda v: v["files"].update({"run.sh": 64 * "0"}), r"names the files .*run\.sh"),
        (lambda v: v["scope"].update(file="scope.exe"), "names the files"),
        (lambda v: v["files"].pop("model.weights.h5"), "names the files"),
        (lambda v: v["training"].update(x=json.loads("[" * 490 + "]" * 490)), "training is nested"),
        (lambda v: v.update(title="evil \ud800"), r"x\.zip: .*title holds .*no text"),
        (lambda v: v.update(temperature=10**4000), r"x\.zip: .*temperature holds 1000.*numbers go"),
    ],
)
def test_a_spec_that_cannot_be_believed_is_refused(
    bundle: Path, home: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str
):
    archive = packed(bundle, tmp_path / "x.zip", lambda files: change_spec(files, change))
    refused(archive, home, words)


@pytest.mark.parametrize("name", ["", "Small", "../x", "a/b", "x" * 81, ".hidden", "a b"])
def test_a_new_name_must_be_one(bundle: Path, home: Path, tmp_path: Path, name: str):
    refused(packed(bundle, tmp_path / "x.zip"), home, "cannot be taken; use lower-case", name=name)


def test_a_link_is_refused(bundle: Path, home: Path, tmp_path: Path):
    archive = packed(bundle, tmp_path / "x.zip", lambda files: files.pop("small/scope.npz"))
    link = zipfile.ZipInfo("small/scope.npz")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr(link, "/etc/passwd")
    refused(archive, home, r"small/scope\.npz is a link")


def test_one_file_twice_is_refused(bundle: Path, home: Path, tmp_path: Path):
    archive = packed(bundle, tmp_path / "x.zip")
    with zipfile.ZipFile(archive, "a") as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("small/README.md", "Another card.")
    refused(archive, home, "each once")


def test_a_password_is_named(home: Path, tmp_path: Path):
    archive = write_zip(tmp_path / "x.zip", Entry(name=b"small/bundle.json", flags=1))
    refused(archive, home, "protected with a password")


def test_what_is_no_archive_is_named(home: Path, tmp_path: Path):
    (tmp_path / "notes.zip").write_text("not a zip")
    refused(tmp_path / "notes.zip", home, r"notes\.zip is no zip archive, or was cut short")
    refused(tmp_path / "gone.zip", home, r"gone\.zip is not there. Look at how")


def test_an_archive_cut_short_is_refused(bundle: Path, home: Path, tmp_path: Path):
    archive = packed(bundle, tmp_path / "x.zip")
    archive.write_bytes(archive.read_bytes()[:-5000])
    refused(archive, home, "is no zip archive, or was cut short")


def test_a_model_that_is_too_large_is_refused(bundle: Path, home: Path, tmp_path: Path):
    words = r"x\.zip has 2 MB, and the limit is 1 MB. Raise LEUKEMIA_MODEL_MB"
    refused(packed(bundle, tmp_path / "x.zip"), home, words, max_bytes=1_000_000)


def test_an_archive_that_grows_a_hundredfold_is_refused(bundle: Path, home: Path, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small/bundle.json", bytes(10_000_000))
    refused(tmp_path / "bomb.zip", home, "would grow to more than 100 times its size")


def test_arrays_that_grow_in_memory_are_refused(
    bundle: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    np.savez_compressed(bundle / "scope.npz", mean=np.zeros(1_000_000, np.float32))
    digest = sha256_of(bundle / "scope.npz")
    archive = packed(bundle, tmp_path / "x.zip", lambda files: change_spec(
        files, lambda values: values["files"].update({"scope.npz": digest})))  # fmt: skip
    monkeypatch.setattr(gate, "MAX_ARRAYS_BYTES", 3_000_000)
    refused(archive, home, r"small/scope\.npz is not taken: it would unpack to more than 3 MB")


def test_arrays_in_an_archive_that_numpy_reads_otherwise_are_refused(
    bundle: Path, home: Path, tmp_path: Path
):
    (bundle / "scope.npz").write_bytes(two_ends((bundle / "scope.npz").read_bytes()))
    digest = sha256_of(bundle / "scope.npz")
    archive = packed(bundle, tmp_path / "x.zip", lambda files: change_spec(
        files, lambda values: values["files"].update({"scope.npz": digest})))  # fmt: skip
    refused(archive, home, r"small/scope\.npz is not taken: .* Get the model again")


# Whole or not at all


def test_a_model_that_does_not_pass_its_trial_leaves_nothing(bundle, home, tmp_path):
    def fails(folder: Path) -> None:
        assert (folder / "model.tflite").is_file()
        raise BundleError("small: the logits differ.")

    refused(packed(bundle, tmp_path / "x.zip"), home, "the logits differ", try_out=fails)


def test_a_full_disk_is_told_before_anything_is_written(bundle, home, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=gate.SPARE_BYTES + 10)
    monkeypatch.setattr(gate.shutil, "disk_usage", lambda path: usage)
    refused(packed(bundle, tmp_path / "x.zip"), home, r"the disk has 0 MB to spare. Make room")


def test_a_disk_that_fills_meanwhile_leaves_nothing(bundle, home, tmp_path):
    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    words = "cannot be added .No space left on device.. Make room on the disk"
    refused(packed(bundle, tmp_path / "x.zip"), home, words, try_out=full)


def test_of_two_at_once_the_second_sees_the_first(bundle, home, tmp_path):
    archive = packed(bundle, tmp_path / "x.zip")
    other = packed(bundle, tmp_path / "y.zip", lambda files: change_spec(
        files, lambda values: values.update(summary="Another one.")))  # fmt: skip

    def meanwhile(folder: Path) -> None:
        add(archive, home)

    with pytest.raises(BundleError, match="Another model has the name small already"):
        add(other, home, try_out=meanwhile)
    assert [path.name for path in home.iterdir()] == ["small"]
    assert read_spec(home / "small").summary != "Another one."


def test_a_kill_in_between_lists_nothing_and_is_swept_later(bundle, home, tmp_path):
    archive = packed(bundle, tmp_path / "x.zip")
    code = (
        "import os, signal\nfrom pathlib import Path\n"
        "from leukemia_app.bundles.unpack import add_bundle\n"
        f"add_bundle(Path({str(archive)!r}), Path({str(home)!r}), [], max_bytes={MAX_BYTES}, "
        "try_out=lambda folder: os.kill(os.getpid(), signal.SIGKILL))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    (left,) = home.iterdir()
    assert library_of(home).entries() == []
    add(archive, home, name="first")
    assert left.exists()  # another process may be at work on it
    long_ago = time.time() - 2 * gate.LEFT_OVER_S
    os.utime(left, (long_ago, long_ago))
    add(archive, home, name="second")
    assert sorted(path.name for path in home.iterdir()) == ["first", "second"]


# And out again


def test_an_added_model_is_deleted_whole(bundle: Path, home: Path, tmp_path: Path):
    add(packed(bundle, tmp_path / "x.zip"), home)
    (entry,) = library_of(home).entries()
    remove_bundle(entry, home)
    assert list(home.iterdir()) == []
    with pytest.raises(BundleError, match=r"small cannot be deleted .No such file"):
        remove_bundle(entry, home)


def test_a_model_from_elsewhere_is_not_deleted(bundle: Path, home: Path):
    (entry,) = library_of(bundle).entries()
    with pytest.raises(
        BundleError, match=r"small was not added here \(own\), so it is not deleted"
    ):
        remove_bundle(entry, home)
    assert bundle.exists()


def test_a_renamed_model_differs_in_its_name_alone(bundle: Path, home: Path, tmp_path: Path):
    archive = tmp_path / "x.zip"
    archive.write_bytes(pack(bundle))
    add(archive, home, name="other")
    first, second = (verify(each) for each in (bundle, home / "other"))
    assert second == replace(first, id="other")
    assert isinstance(second, Spec)
    with zipfile.ZipFile(io.BytesIO(pack(home / "other"))) as again:
        assert {name.split("/")[0] for name in again.namelist()} == {"other"}
