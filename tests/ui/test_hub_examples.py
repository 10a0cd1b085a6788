"""Examples from a data set of the Hub: only what is shown is fetched, and failing harms nothing."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.hub_names import HubDataset
from leukemia_app.imaging.decode import Limits, encode_png
from leukemia_app.ui import hub_examples
from leukemia_app.ui.examples import MAX_EXAMPLES, Example, Shelf
from leukemia_app.ui.hub_examples import Hub, fetch_examples, stock
from tests.ui.loopback_hub import COMMIT, REPO, serving

PNG = encode_png(np.full((20, 30, 3), 200, np.uint8))
SMEARS = HubDataset(repo=REPO)
FIRST = Example(name="first.png", path=Path("first.png"), caption="First", input=None, label=None,
                thumbnail="")  # fmt: skip


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `settings.QUIET` has it, which comes too late where the client is imported already."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)


def png(brightness: int) -> bytes:
    return encode_png(np.full((20, 30, 3), brightness, np.uint8))


def test_pictures_of_every_folder_are_fetched_and_nothing_else(tmp_path: Path):
    # equal pictures would be fetched once: the cache keeps files by their content
    names = [f"{label}/{n:02}.png" for label in ("all", "hem") for n in range(20)]
    files = {name: png(number) for number, name in enumerate(names)}
    with serving({**files, "train.parquet": b"x", "run.py": b"x", ".hidden.png": PNG}) as hub:
        found = fetch_examples(SMEARS, Limits(), Hub(endpoint=hub.url, cache=tmp_path))
    names = [example.name for example in found]
    assert len(names) == MAX_EXAMPLES
    assert {name[:3] for name in names} == {"all", "hem"}
    assert sorted(hub.fetched) == sorted([".gitattributes", *names])
    assert all(example.path.is_file() for example in found)


def test_the_data_set_s_own_list_says_what_is_shown(tmp_path: Path):
    listed = [{"file": "x/b.png", "input": "cell", "caption": "A cell"}, {"file": "gone.png"},
              {"file": "../../secret.png"}]  # fmt: skip
    files = {"a.png": png(1), "x/b.png": png(2), "examples.json": json.dumps(listed).encode()}
    with serving(files) as hub:
        (only,) = fetch_examples(SMEARS, Limits(), Hub(endpoint=hub.url, cache=tmp_path))
    assert (only.name, only.input, only.caption) == ("x/b.png", "cell", "A cell")
    assert sorted(hub.fetched) == [".gitattributes", "examples.json", "x/b.png"]


def test_what_was_fetched_is_there_without_a_network(tmp_path: Path):
    with serving({"a.png": PNG}) as hub:
        where = Hub(endpoint=hub.url, cache=tmp_path)
        fetch_examples(SMEARS, Limits(), where)
        hub.fetched.clear()
        fetch_examples(SMEARS, Limits(), where)
        assert hub.fetched == []
    (kept,) = fetch_examples(SMEARS, Limits(), where)
    assert kept.name == "a.png"


def test_a_commit_that_is_there_asks_nobody(tmp_path: Path):
    pinned = HubDataset(repo=REPO, revision=COMMIT)
    with serving({"a.png": PNG}) as hub:
        where = Hub(endpoint=hub.url, cache=tmp_path)
        fetch_examples(pinned, Limits(), where)
    assert fetch_examples(pinned, Limits(), where)[0].name == "a.png"


def test_pictures_that_are_too_large_alone_or_together_stay_there(tmp_path: Path, monkeypatch):
    sizes = {"a.png": 300, "b.png": 400, "c.png": 300, "large.png": 900}
    files = {name: PNG.ljust(size, b"\0") for name, size in sizes.items()}
    monkeypatch.setattr(hub_examples, "MAX_BYTES", 1_000)
    with serving(files) as hub:
        # a, b and c are 1,000 bytes together; large.png is over the limit of one
        limits = Limits(max_bytes=800)
        found = fetch_examples(SMEARS, limits, Hub(endpoint=hub.url, cache=tmp_path))
        assert [example.name for example in found] == ["a.png", "b.png", "c.png"]
        monkeypatch.setattr(hub_examples, "MAX_BYTES", 999)
        found = fetch_examples(SMEARS, limits, Hub(endpoint=hub.url, cache=tmp_path / "other"))
    assert [example.name for example in found] == ["a.png", "b.png"]
    assert "large.png" not in hub.fetched


def test_a_stocked_shelf_shows_the_data_set(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    shelf = Shelf([FIRST])
    with serving({"a.png": PNG}) as hub, caplog.at_level(logging.INFO, "leukemia_app"):
        stock(shelf, SMEARS, Limits(), Hub(endpoint=hub.url, cache=tmp_path))
    assert [example.name for example in shelf.examples] == ["a.png"]
    assert "1 examples from the data set ada/smears" in caplog.text


@pytest.mark.parametrize(
    ("files", "dataset", "why"),
    [
        ({"a.png": PNG}, HubDataset(repo="ada/other"), "Repository Not Found"),
        ({"a.png": b"no picture"}, SMEARS, "it holds no picture that can be read."),
        ({"notes.txt": b"x"}, SMEARS, "it holds no picture that can be read."),
        ({"a.png": PNG, "examples.json": b"{"}, SMEARS, "examples.json cannot be used"),
        ({"a.png": PNG}, HubDataset(repo="ada/a..b"), "Cannot have -- or .. in repo_id"),
    ],
    ids=["no such set", "broken picture", "no picture", "broken list", "bad name"],
)
def test_where_it_fails_the_first_examples_stay_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, files, dataset: HubDataset, why: str
):
    shelf = Shelf([FIRST])
    with serving(files) as hub:
        stock(shelf, dataset, Limits(), Hub(endpoint=hub.url, cache=tmp_path))
    assert shelf.examples == (FIRST,)
    assert f"LEUKEMIA_EXAMPLES: the data set {dataset.repo}@main gave no examples" in caplog.text
    assert why in caplog.text


def test_without_network_and_cache_the_first_examples_stay(tmp_path: Path, caplog):
    shelf = Shelf([FIRST])
    with serving({"a.png": PNG}) as hub:
        pass
    stock(shelf, SMEARS, Limits(), Hub(endpoint=hub.url, cache=tmp_path))
    assert shelf.examples == (FIRST,)
    assert "so the shipped ones stay" in caplog.text
