"""The Python interface: order, files that cannot be read, and how little it holds in memory."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import leukemia_app
from leukemia_app import api
from leukemia_app.bundles.reading import Decision, Reading
from leukemia_app.errors import BundleError, ImageError
from leukemia_app.evaluation.results import Unread
from leukemia_app.imaging import decode
from leukemia_app.imaging.picture import Picture
from leukemia_app.settings import Settings


@dataclass
class Stub:
    """Stands in for a predictor: says how dark a picture is, and refuses the names it is told."""

    refused: frozenset[str] = frozenset()
    wants_batches: bool = True
    threads: int = 2
    batches: list[int] = field(default_factory=list)
    measured: bool | None = None

    def read(
        self, pictures: Sequence[Picture], *, measure: bool = True, beside_others: bool = False
    ) -> list[Reading]:
        assert beside_others
        self.measured = measure
        self.batches.append(len(pictures))
        for picture in pictures:
            if picture.name in self.refused:
                raise ImageError(f"{picture.name} cannot be segmented.")
        return [self.reading(picture) for picture in pictures]

    def reading(self, picture: Picture) -> Reading:
        dark = 1 - float(picture.pixels.mean()) / 255
        return Reading(
            file=picture.name, model="stub", probabilities={"dark": dark, "bright": 1 - dark},
            decision=Decision(kind="label", label="dark"), scope=None, morphology=None, cells=0,
            remarks=(), box=(0, 0, 1, 1), ms={"model": 1.0},
        )  # fmt: skip


def picture_file(path: Path, grey: int = 200, side_px: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(decode.encode_png(np.full((side_px, side_px, 3), grey, np.uint8)))
    return path


def test_the_public_names_are_those_of_the_interface():
    assert leukemia_app.classify is api.classify
    assert leukemia_app.load is api.load


def test_an_unknown_public_name_is_answered_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"no 'clasify'; it has classify, compare, load"):
        leukemia_app.clasify  # noqa: B018


def test_results_come_in_the_order_given_under_the_paths_given(tmp_path: Path):
    files = [picture_file(tmp_path / name / "a.png", grey) for name, grey in
             (("two", 0), ("one", 255), ("three", 51))]  # fmt: skip
    results = list(api.classify(files, Stub()))
    assert [result.file for result in results] == [str(path) for path in files]
    # grey g is dark by 1 - g/255: 1, 0 and 0.8
    assert [result.probabilities["dark"] for result in results] == pytest.approx([1, 0, 0.8])


def test_a_reading_tells_how_long_decoding_took(tmp_path: Path):
    (reading,) = api.classify([picture_file(tmp_path / "a.png")], Stub())
    assert list(reading.ms) == ["decode", "model"]
    assert reading.ms["decode"] > 0


def test_a_file_that_is_no_picture_keeps_its_place(tmp_path: Path):
    bad = tmp_path / "b.png"
    bad.write_text("no picture")
    first, second = picture_file(tmp_path / "a.png"), picture_file(tmp_path / "c.png")
    results = list(api.classify([first, bad, second], Stub()))
    assert [type(result) for result in results] == [Reading, Unread, Reading]
    assert results[1].to_dict()["error"]["kind"] == "image"
    assert "b.png" in results[1].message


def test_a_picture_the_model_refuses_does_not_spoil_its_batch(tmp_path: Path):
    files = [picture_file(tmp_path / f"{name}.png") for name in "abc"]
    results = list(api.classify(files, Stub(refused=frozenset({"b.png"}))))
    assert [type(result) for result in results] == [Reading, Unread, Reading]
    assert results[1].message == "b.png cannot be segmented."


def test_a_folder_stands_for_its_pictures_by_name(tmp_path: Path):
    for name in ("b.PNG", "a.jpg", "sub/c.tif", ".hidden.png", ".git/d.png", "notes.txt"):
        picture_file(tmp_path / name)
    found = api.picture_files([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == \
        ["a.jpg", "b.PNG", "sub/c.tif"]  # fmt: skip


def test_a_hidden_parent_hides_nothing_that_was_named(tmp_path: Path):
    path = picture_file(tmp_path / ".cache" / "a.png")
    assert api.picture_files([path.parent]) == [path]


def test_a_folder_without_pictures_is_reported(tmp_path: Path):
    (result,) = api.classify([tmp_path], Stub())
    assert isinstance(result, Unread)
    assert "is a folder without pictures. Choose JPEG" in result.message


@pytest.mark.parametrize(
    ("wants_batches", "n", "batches"),
    [
        # 1000 = 31 * 32 + 8
        (True, 1000, [32] * 31 + [8]),
        # 100 = 12 * 8 + 4
        (False, 100, [8] * 12 + [4]),
        # 16 for two threads of four turns each: 16 / 8 = 2 at once, so that both have work
        (False, 16, [2] * 8),
        (False, 3, [1] * 3),
    ],
)
def test_an_engine_gets_batches_if_it_wants_them_else_small_groups(
    tmp_path: Path, wants_batches: bool, n: int, batches: list[int]
):
    stub = Stub(wants_batches=wants_batches)
    assert len(list(api.classify([picture_file(tmp_path / "a.png")] * n, stub))) == n
    # two threads read, so that the last batch may be the last but one
    assert sorted(stub.batches) == sorted(batches)


@pytest.mark.parametrize("threads", [1, 3])
def test_no_thread_holds_more_than_one_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
):
    path = picture_file(tmp_path / "a.png")
    alive: list[weakref.ref[Picture]] = []
    most = 0
    real = decode.read_picture

    def counted(*given: object) -> Picture:
        nonlocal most
        picture = real(*given)
        alive.append(weakref.ref(picture))
        most = max(most, sum(each() is not None for each in alive))
        return picture

    monkeypatch.setattr(decode, "read_picture", counted)
    stub = Stub(wants_batches=False, threads=threads)
    assert sum(1 for _ in api.classify([path] * 100, stub)) == 100
    assert 1 <= most <= threads * api.GROUP_PICTURES


def test_work_comes_back_in_order_and_only_a_little_ahead():
    begun: list[Path] = []

    def work(path: Path) -> dict[str, object]:
        begun.append(path)
        return {"file": path.name}

    paths = [Path(str(number)) for number in range(100)]
    results = api.in_order(work, paths, threads=2)
    assert next(results) == {"file": "0"}
    # five are submitted before the first is waited for: more than twice the threads
    assert len(begun) <= 5
    assert [row["file"] for row in results] == [str(number) for number in range(1, 100)]


def test_large_pictures_make_small_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(api, "BATCHES_BYTES", 4000)
    stub = Stub()
    # a picture has 20 * 20 * 3 = 1200 bytes: the second fills one of two batches of 2000
    list(api.classify([picture_file(tmp_path / "a.png")] * 5, stub))
    assert stub.batches == [2, 2, 1]


@pytest.mark.parametrize("measure", [True, False])
def test_cells_are_measured_unless_told_otherwise(tmp_path: Path, measure: bool):
    stub = Stub()
    list(api.classify([picture_file(tmp_path / "a.png")], stub, measure=measure))
    assert stub.measured is measure


def test_limits_are_kept_to(tmp_path: Path):
    path = picture_file(tmp_path / "a.png", side_px=40)
    limits = decode.Limits(max_pixels=1000)
    (result,) = api.classify([path], Stub(), limits=limits)
    assert isinstance(result, Unread)
    assert "the limit is" in result.message


def test_limits_follow_the_settings():
    settings = Settings.from_environment(
        {"LEUKEMIA_MAX_FILE_MB": "7", "LEUKEMIA_MAX_MEGAPIXELS": "3"}
    )
    limits = api.picture_limits(settings)
    assert (limits.max_bytes, limits.max_pixels) == (7_000_000, 3_000_000)


class Shelf:
    """Stands in for a library with one model for each kind of picture it is told."""

    def __init__(self, **ids: str) -> None:
        self.ids = ids

    def default(self, kind: str) -> str | None:
        return self.ids.get(kind)

    def predictor(self, id: str) -> str:
        return f"predictor of {id}"


@pytest.mark.parametrize(
    ("shelf", "asked", "loaded"),
    [
        (Shelf(field="f", cell="c"), None, "predictor of f"),
        (Shelf(cell="c"), None, "predictor of c"),
        (Shelf(field="f"), "x", "predictor of x"),
    ],
)
def test_the_model_asked_for_is_loaded_or_the_first_for_fields(shelf, asked, loaded):
    assert api.load(asked, shelf) == loaded


def test_without_any_model_the_error_says_where_to_look():
    with pytest.raises(BundleError, match=r"models list.*LEUKEMIA_MODELS"):
        api.load(None, Shelf())
