"""Models of the Hub: pinned, bounded, hashed and tried before anybody sees them, or not at all."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.bundles import gate, hub_client
from leukemia_app.bundles.device import Device
from leukemia_app.bundles.hub import (
    CheckpointFoundError,
    FetchedRepo,
    Progress,
    Pulled,
    Pulls,
    fetch,
    fetch_checkpoint,
)
from leukemia_app.bundles.hub_client import Hub, within
from leukemia_app.bundles.hub_source import read_source
from leukemia_app.bundles.hub_words import HubAwayError, NoSuchModelError
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.store import verify
from leukemia_app.bundles.unpack import remove_bundle
from leukemia_app.errors import BundleError
from leukemia_app.hub_names import parse_model
from tests.hub_server import TOKEN, HubServer, Model, commit_id, files_of, quiet, serving_models

MAX_BYTES = 50_000_000
REPO = "ada/smears"


def trusted(folder: Path) -> None:
    """In place of the trial, where it is not what is tested."""
    verify(folder)


@dataclass(kw_only=True)
class Place:
    """One machine, and the Hub that it asks."""

    hub: HubServer
    pulls: Pulls
    told: list[Progress] = field(default_factory=list)

    @property
    def library(self) -> Library:
        device = Device(name="cpu", engine="litert", detail="CPU.")
        home = [("pulled", self.pulls.home)]
        return Library(home, device=device, memory_mb=100, threads=1)

    @property
    def model(self) -> Model:
        return self.hub.models[REPO]

    def pull(self, name: str = REPO, **options: Any) -> Pulled:
        self.hub.asked.clear()
        return self.pulls.pull(
            parse_model(name), self.library.entries(), **{"told": self.told.append} | options
        )

    def refused(self, words: str, name: str = REPO, **options: Any) -> BundleError:
        """A pull that fails, and leaves nothing."""
        with pytest.raises(BundleError, match=words) as caught:
            self.pull(name, **options)
        assert not self.pulls.home.exists() or list(self.pulls.home.iterdir()) == []
        return caught.value

    def gone(self) -> None:
        """The network ends here."""
        self.pulls = replace(self.pulls, hub=replace(self.pulls.hub, endpoint="http://127.0.0.1:9"))


@pytest.fixture
def place(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A Hub with the model `small`, and other files beside it that nobody asked for."""
    quiet(monkeypatch)
    more = {".gitattributes": b"*.h5 filter", "run.py": b"import os", "weights.pkl": b"\x80\x04.",
            "notes/model.tflite": b"other", "con.npz": b"x"}  # fmt: skip
    model = Model(commits=[files_of(bundle) | more])
    with serving_models({REPO: model}) as server:
        hub = Hub(endpoint=server.url, cache=tmp_path / "cache")
        yield Place(hub=server, pulls=Pulls(
            home=tmp_path / "state" / "pulled", max_bytes=MAX_BYTES, hub=hub, try_out=trusted,
        ))  # fmt: skip


def changed(bundle: Path, **values: Any) -> dict[str, bytes]:
    """The files of the bundle with another spec."""
    files = files_of(bundle)
    files["bundle.json"] = json.dumps(json.loads(files["bundle.json"]) | values).encode()
    return files


# What goes well


def test_a_model_is_pulled_pinned_listed_and_answers(place: Place, bundle: Path):
    done = replace(place, pulls=replace(place.pulls, try_out=Pulls.try_out)).pull()
    commit = commit_id(place.model.files)
    folder = place.pulls.home / "small" / "bundle"
    assert done == Pulled(id="small", folder=folder, repo=REPO, commit=commit, is_new=True)
    assert files_of(folder) == files_of(bundle)
    assert [path.name for path in place.pulls.home.iterdir()] == ["small"]
    source = read_source(folder)
    assert (source.repo, source.commit, source.revision) == (REPO, commit, "main")
    (entry,) = place.library.entries()
    assert (entry.id, entry.origin, entry.problem) == ("small", "pulled", None)
    assert place.library.predictor("small").spec.id == "small"


def test_only_a_model_s_own_files_are_fetched(place: Place, bundle: Path):
    place.pull()
    assert sorted(place.hub.fetched()) == sorted(path.name for path in bundle.iterdir())


def test_it_tells_how_far_it_is(place: Place, bundle: Path):
    place.pull()
    total = sum(path.stat().st_size for path in bundle.iterdir())
    phases = [each.phase for each in place.told]
    assert (phases[0], phases[1], phases[-1]) == ("asking", "fetching", "testing")
    bytes_come = [each.n_bytes for each in place.told if each.phase == "fetching"]
    assert bytes_come == sorted(bytes_come)
    assert (bytes_come[0], bytes_come[-1]) == (0, total)


def test_the_same_commit_is_here_already_after_one_request(place: Place):
    first = place.pull()
    again = place.pull()
    assert again == replace(first, is_new=False)
    assert place.hub.asked == [f"GET /api/models/{REPO}/revision/main"]


def test_a_newer_commit_takes_the_place_of_the_older(place: Place, bundle: Path):
    first = place.pull()
    place.model.commits.append(changed(bundle, summary="Newer."))
    done = place.pull()
    assert (done.is_new, done.was) == (True, first.commit)
    (entry,) = place.library.entries()
    assert entry.spec.summary == "Newer."
    assert [path.name for path in place.pulls.home.iterdir()] == ["small"]
    back = place.pull(f"{REPO}@{first.commit}")
    assert (back.commit, back.was) == (first.commit, done.commit)


def test_what_a_run_needs_is_not_replaced(place: Place, bundle: Path):
    first = place.pull()
    place.model.commits.append(changed(bundle, summary="Newer."))

    def needed(folder: Path) -> None:
        assert folder == first.folder
        raise BundleError("a run starts from it")

    place.pulls = replace(place.pulls, may_replace=needed)
    with pytest.raises(BundleError, match="a run starts from it"):
        place.pull()
    assert read_source(first.folder).commit == first.commit


def test_one_repository_may_be_here_twice_under_two_names(place: Place, bundle: Path):
    first = place.pull()
    place.model.commits.append(changed(bundle, summary="Newer."))
    pulled = place.pulls.pull(parse_model(REPO), place.library.entries(), name="newer")
    assert pulled.id == "newer"
    found = {entry.id: entry.spec.summary for entry in place.library.entries()}
    assert set(found) == {"small", "newer"}
    assert found["newer"] == "Newer."
    assert read_source(first.folder).commit == first.commit


def test_another_model_of_that_name_needs_a_new_one(place: Place, bundle: Path):
    place.pull()
    place.hub.models["bob/other"] = Model(commits=[changed(bundle, summary="Bob's.")])
    with pytest.raises(BundleError, match="Another model has the name small already"):
        place.pull("bob/other")
    place.hub.models["bob/same"] = Model(commits=[files_of(bundle)])
    assert place.pull("bob/same").is_new is False
    (entry,) = place.library.entries()
    assert read_source(entry.folder).repo == REPO


def test_a_broken_one_is_mended_by_pulling_again(place: Place):
    done = place.pull()
    (done.folder / "model.tflite").write_bytes(b"x")
    assert place.library.entries()[0].problem
    assert place.pull().is_new
    assert place.library.entries()[0].problem is None


def test_a_pulled_model_is_deleted_with_its_note(place: Place):
    place.pull()
    (entry,) = place.library.entries()
    remove_bundle(entry, place.pulls.home.parent / "models", place.pulls.home)
    assert list(place.pulls.home.iterdir()) == []


def test_a_private_model_is_for_who_has_a_token(place: Place):
    place.model.is_private = True
    error = place.refused("The Hub has no model ada/smears, or it is private.*HF_TOKEN")
    assert isinstance(error, NoSuchModelError)
    place.pulls = replace(place.pulls, hub=replace(place.pulls.hub, token=TOKEN))
    assert place.pull().is_new
    assert TOKEN not in repr(place.pulls)


# Without a network


def test_a_commit_in_the_cache_needs_no_request(place: Place):
    commit = place.pull().commit
    shutil.rmtree(place.pulls.home)
    done = place.pull(f"{REPO}@{commit}")
    assert (done.is_new, done.is_away) == (True, False)
    assert place.hub.asked == []


def test_nobody_in_particular_gets_what_lies_in_the_cache(place: Place):
    commit = place.pull().commit
    shutil.rmtree(place.pulls.home)
    place.pulls = replace(place.pulls, hub=replace(place.pulls.hub, token=False))
    place.model.is_private = True
    place.refused("The Hub has no model ada/smears, or it is private", f"{REPO}@{commit}")
    place.gone()
    place.refused("The Hub cannot be reached", f"{REPO}@{commit}")


def test_without_a_network_the_one_that_is_here_is_used_and_told(place: Place):
    first = place.pull()
    place.gone()
    begun = time.monotonic()
    assert place.pull() == replace(first, is_new=False, is_away=True)
    assert time.monotonic() - begun < 9


def test_without_a_network_the_cache_answers_for_a_name_too(place: Place):
    first = place.pull()
    shutil.rmtree(place.pulls.home)
    place.gone()
    assert place.pull() == replace(first, is_away=True)


def test_without_a_network_and_a_cache_it_fails_at_once(place: Place):
    place.gone()
    begun = time.monotonic()
    error = place.refused("The Hub cannot be reached for ada/smears.*Look at the network")
    assert isinstance(error, HubAwayError)
    assert time.monotonic() - begun < 9


def test_a_name_that_is_never_resolved_is_not_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub_client, "ANSWER_S", 0.2)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(12))
    place.pulls = replace(place.pulls, hub=replace(place.pulls.hub, endpoint="http://hub.test"))
    begun = time.monotonic()
    place.refused("The Hub did not answer in time about ada/smears")
    assert time.monotonic() - begun < 9


def test_the_client_s_word_for_no_network_counts(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: True)
    error = place.refused("HF_HUB_OFFLINE is set|cannot be reached")
    assert isinstance(error, HubAwayError)


def test_a_half_fetched_cache_does_not_count(place: Place):
    commit = place.pull().commit
    shutil.rmtree(place.pulls.home)
    (next((place.pulls.hub.cache).rglob(f"snapshots/{commit}/model.tflite"))).unlink()
    assert place.pull(f"{REPO}@{commit}").is_new
    assert "model.tflite" in {line.rpartition("/")[2] for line in place.hub.asked}


# What the Hub may answer


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "RepoNotFound", "The Hub has no model ada/smears, or it is private"),
        (401, "RepoNotFound", "The Hub has no model ada/smears, or it is private"),
        (401, "", r"does not let this be done with ada/smears \(answer 401\). Give a token"),
        (404, "", r"What was asked of ada/smears is not there \(answer 404\).*HF_ENDPOINT"),
        (403, "GatedRepo", "ada/smears is gated: .* Ask for access on its page"),
        (403, "", r"does not let this be done with ada/smears \(answer 403\). Give a token"),
        (429, "", "asked too often. Wait some minutes"),
        (418, "", r"refused what was asked of ada/smears \(answer 418"),
        (500, "", r"trouble of its own \(answer 500\). Ask for ada/smears again later"),
        (503, "", r"trouble of its own \(answer 503\)"),
    ],
)
def test_each_refusal_is_told_in_words(place: Place, status: int, code: str, words: str):
    place.model.status, place.model.error = status, code
    begun = time.monotonic()
    place.refused(words)
    assert time.monotonic() - begun < 9


def test_a_revision_that_is_not_there_is_named(place: Place):
    place.refused("ada/smears has no revision 'v9'. Name a branch", "ada/smears@v9")
    place.refused("ada/smears has no revision", f"ada/smears@{'0' * 40}")


def test_a_hub_that_sleeps_is_not_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_client, "ASK_S", 0.2)
    place.model.delay_s = 1.0
    place.refused("The Hub did not answer in time about ada/smears")


def test_what_is_no_hub_is_named(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "tests.hub_server.Answer.listing",
        lambda answer, *_: answer.send(200, b"<html>Log in to the hotel's network</html>"),
    )
    place.refused("does not speak as the Hub does.*Look at HF_ENDPOINT")


def test_wrong_bytes_of_the_right_size_are_thrown_away(place: Place):
    right = place.model.files["model.tflite"]
    place.model.wrong = {"model.tflite": bytes(len(right))}
    place.refused(r"smears@\w{7}: model.tflite is not the file that the Hub describes.*pull it")
    place.model.wrong = {}
    assert place.pull().is_new  # the cache does not hand out the wrong ones again


def test_wrong_bytes_of_a_small_file_are_found_by_git_s_own_hash(place: Place):
    place.model.files["README.md"] = b"---\nlicense: mit\n---\nSmall."
    place.model.wrong = {"README.md": b"---\nlicense: gpl\n---\nSmall."}
    place.refused("README.md is not the file that the Hub describes")


def test_a_download_that_is_cut_off_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    place.model.cut = {"model.weights.h5": 1000}
    error = place.refused("the connection broke|came cut off")
    assert isinstance(error, HubAwayError)
    place.model.cut = {}
    assert place.pull().is_new


def test_a_download_without_end_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_client, "LEAST_S", 0.3)
    monkeypatch.setattr(hub_client, "SLOWEST", 1e12)
    monkeypatch.setattr(hub_client, "_fetched", lambda *_: time.sleep(2))
    place.refused("The Hub did not answer in time about ada/smears")


def test_what_is_too_large_is_refused_before_it_is_fetched(place: Place):
    place.model.claims = {"model.tflite": MAX_BYTES}
    place.refused(r"has 5\d MB, and the limit is 50 MB. Raise LEUKEMIA_MODEL_MB")
    assert place.hub.fetched() == []


def test_what_is_larger_than_it_was_said_to_be_is_not_fetched(place: Place):
    place.model.claims = {"model.tflite": 2000}
    place.refused(r"model\.tflite is larger than the Hub says \(2,000 bytes\)")


def test_a_full_disk_is_told_before_anything_is_fetched(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    usage = shutil.disk_usage(tmp_path)._replace(free=gate.SPARE_BYTES + 10)
    monkeypatch.setattr(gate.shutil, "disk_usage", lambda path: usage)
    place.refused("the disk has 0 MB to spare. Make room on it")
    assert place.hub.fetched() == []


def test_a_disk_that_fills_meanwhile_is_named(place: Place, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(hub_client, "_fetched", full)
    place.refused("The disk is full, so ada/smears cannot be fetched. Make room where HF_HOME")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.pop("model.tflite"), r"lacks model\.tflite of the model small. Tell who"),
        (lambda f: f.update({"model.tflite": b"x" * 2000}), r"model\.tflite is not the file that"),
        (lambda f: f.update({"bundle.json": b"{"}), r"bundle\.json cannot be read"),
        (lambda f: f.update({"README.md": b"x" * 1_000_001}), "1,000,001 bytes; at most"),
    ],
)
def test_the_gate_is_that_of_a_zip(place: Place, change: Callable[[dict], object], words: str):
    change(place.model.files)
    place.refused(words)


def test_a_model_that_does_not_pass_its_trial_leaves_nothing(place: Place):
    def fails(folder: Path) -> None:
        raise BundleError("small: the logits differ.")

    place.pulls = replace(place.pulls, try_out=fails)
    place.refused("the logits differ")


@pytest.mark.parametrize("name", ["Small", "../x", "a/b"])
def test_a_new_name_must_be_one(place: Place, name: str):
    with pytest.raises(BundleError, match="cannot be taken; use lower-case"):
        place.pulls.pull(parse_model(REPO), [], name=name)
    assert list(place.pulls.home.iterdir()) == []


# What is no bundle


def test_a_checkpoint_is_told_by_its_files_and_not_fetched(place: Place):
    place.model.commits.append({"best.keras": b"x" * 2000, "labels.txt": b"a\nb", "x.py": b""})
    error = place.refused(r"holds a Keras checkpoint: best\.keras, labels\.txt")
    assert isinstance(error, CheckpointFoundError)
    assert place.hub.fetched() == []


def test_what_holds_no_model_says_what_it_holds(place: Place):
    place.model.commits.append({"pytorch_model.bin": b"x", "config.json": b"{}"})
    place.refused(
        r"holds no model that is known here: .* It holds config\.json, pytorch_model\.bin"
    )
    place.model.commits.append({".gitattributes": b""})
    place.refused("It holds no file at all")


UNPACKED = {"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b"x" * 3000}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"best.keras": b"k" * 2000, "labels.txt": b"a", "run.py": b""}, ["best.keras", "labels.txt"]),  # noqa: E501
        ({"model.h5": b"k" * 2000, "config.json": b"{}"}, ["config.json", "model.h5"]),
        (UNPACKED | {"README.md": b"A card"}, ["README.md", *sorted(UNPACKED)]),
        ({"a.keras": b"1", "deep/b.keras": b"2", "..keras": b"3", "CON.keras": b"4"}, ["a.keras"]),
    ],
)  # fmt: skip
def test_a_checkpoint_s_files_come_hashed_into_a_folder(
    place: Place, tmp_path: Path, files: dict[str, bytes], expected: list[str]
):
    place.model.commits.append(files)
    folder = tmp_path / "fetched"
    got = fetch(parse_model(REPO), folder, max_bytes=MAX_BYTES, hub=place.pulls.hub)
    assert got == FetchedRepo(folder=folder, files=tuple(expected), repo=REPO,
                              commit=commit_id(files), kind="checkpoint")  # fmt: skip
    assert files_of(folder) == {name: files[name] for name in expected}
    assert not any(path.is_symlink() for path in folder.iterdir())


def test_of_many_checkpoints_one_is_to_be_named(place: Place, tmp_path: Path):
    files = {f"epoch-{number:02}.keras": bytes([number]) for number in range(20)}
    place.model.commits.append(files)
    with pytest.raises(BundleError, match=r"holds 20 files of models; say which one is meant: ep"):
        fetch(parse_model(REPO), tmp_path / "a", max_bytes=MAX_BYTES, hub=place.pulls.hub)
    got = fetch(parse_model(REPO), tmp_path / "b", max_bytes=MAX_BYTES, hub=place.pulls.hub,
                only=["epoch-07.keras"])  # fmt: skip
    assert got.files == ("epoch-07.keras",)
    path = fetch_checkpoint(parse_model(REPO), "epoch-08.keras", tmp_path / "d",
                            max_bytes=MAX_BYTES, hub=place.pulls.hub)  # fmt: skip
    assert (path.name, path.read_bytes()) == ("epoch-08.keras", bytes([8]))
    with pytest.raises(BundleError, match="holds 0 files of models"):
        fetch(parse_model(REPO), tmp_path / "c", max_bytes=MAX_BYTES, hub=place.pulls.hub,
              only=["other.keras"])  # fmt: skip


# Killed


@pytest.mark.parametrize("moment", ["fetching", "testing", "try_out"])
def test_a_kill_leaves_nothing_half_usable(place: Place, moment: str):
    code = f"""
import os, signal
from pathlib import Path
from leukemia_app.bundles.hub import Pulls
from leukemia_app.bundles.hub_client import Hub
from leukemia_app.hub_names import parse_model

def kill(*given):
    os.kill(os.getpid(), signal.SIGKILL)

def told(progress):
    if progress.phase == {moment!r} and (progress.phase == "testing" or progress.n_bytes > 5000):
        kill()

Pulls(
    home=Path({str(place.pulls.home)!r}), max_bytes={MAX_BYTES}, try_out=kill,
    hub=Hub(endpoint={place.hub.url!r}, cache=Path({str(place.pulls.hub.cache)!r}), token=False),
).pull(parse_model({REPO!r}), [], told=told)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert place.library.entries() == []
    assert [path.name[:8] for path in place.pulls.home.iterdir()] == [".adding-"]
    assert place.pull().is_new


def test_what_takes_too_long_is_left_and_what_fails_is_raised():
    assert within(5, lambda: 3) == 3
    with pytest.raises(TimeoutError, match="no answer within 0 s"):
        within(0.05, lambda: time.sleep(1))
    with pytest.raises(KeyError, match="lost"):
        within(5, lambda: {}["lost"])
