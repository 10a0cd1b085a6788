"""A data set from its folder to health.json, manifest.csv and thumbnails."""

import io
import json
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from leukemia_app.data.archive import ZipLimits
from leukemia_app.data.corrections import Correction
from leukemia_app.data.manifest import read_manifest
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.imaging.decode import encode_png
from leukemia_app.training import data_check
from leukemia_app.training.corrections import changes_in, decide, undo
from leukemia_app.training.data_check import (
    DataFolder,
    DataSource,
    check_dataset,
    check_pictures,
    keep,
)
from leukemia_app.training.job_folder import Stopped
from tests.varied_set import draw_varied_set

FOREVER = lambda: False  # noqa: E731
PATTERN = r"((?:normal|blast)/\d)-"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Two classes, six patients each, three pictures a patient. Do not change."""
    folder = tmp_path_factory.mktemp("drawn") / "pictures"
    draw_varied_set(folder)
    return folder


@pytest.fixture
def data(drawn, tmp_path):
    """The same, to be spoilt."""
    shutil.copytree(drawn, tmp_path / "pictures")
    return tmp_path


SOURCE = DataSource(name="drawn", table="pictures/groups.csv")


@pytest.fixture(scope="module")
def checked(drawn):
    return check_pictures(SOURCE, drawn.parent)


def test_everything_about_a_small_set(checked):
    health = checked.health
    assert [(item.label, item.n_pictures, item.n_groups) for item in health.classes] == [
        ("blast", 18, 6), ("hem", 18, 6),
    ]  # fmt: skip
    assert (health.n_found, health.n_read, health.n_groups) == (36, 36, 12)
    assert {name: part.n_pictures for name, part in health.split.parts.items()} == {
        "train": 12, "val": 12, "test": 12,
    }  # fmt: skip
    assert {control.name: control.verdict for control in health.controls}["size"] == "red"
    assert health.problems == ()
    assert len(checked.rows) == 36


def test_thumbnails_are_small_jpegs_without_metadata(checked):
    assert set(checked.thumbs) == set(checked.health.shown)
    for jpeg in checked.thumbs.values():
        with Image.open(io.BytesIO(jpeg)) as image:
            assert image.format == "JPEG"
            assert max(image.size) <= data_check.THUMBNAIL_PX
            assert not image.getexif()


def test_thumbnails_lose_what_a_camera_wrote(data):
    path = data / "pictures" / "blast" / "0-0.jpg"
    exif = Image.Exif()
    exif[0x010E] = "Patient Jane Doe"
    Image.new("RGB", (64, 64), (200, 180, 200)).save(path, exif=exif)
    (data / "pictures" / "groups.csv").unlink()
    found = check_pictures(replace(SOURCE, table=None), data)
    assert b"Jane" in path.read_bytes()
    assert not any(b"Jane" in jpeg for jpeg in found.thumbs.values())


def test_unreadable_and_vanished_files_are_named_and_left_out(data, monkeypatch):
    (data / "pictures" / "blast" / "0-0.png").write_bytes(b"no picture")
    (data / "pictures" / "normal" / "1-1.png").write_bytes(b"")
    found = check_pictures(SOURCE, data)
    assert [problem.file for problem in found.health.problems] == ["blast/0-0.png",
                                                                  "normal/1-1.png"]  # fmt: skip
    assert all(problem.file.rpartition("/")[2] in problem.reason
               for problem in found.health.problems)  # fmt: skip
    assert len(found.rows) == found.health.n_read == 34


def test_a_file_deleted_half_way_is_a_problem_and_no_crash(data):
    def report(kind, **told):
        if told.get("phase") == "controls":
            (data / "pictures" / "blast" / "5-2.png").unlink(missing_ok=True)

    found = check_pictures(SOURCE, data, report=report)
    assert [problem.file for problem in found.health.problems] == ["blast/5-2.png"]
    assert "blast/5-2.png" not in {row.file for row in found.rows}


def test_not_one_readable_picture_is_an_error(data):
    for path in (data / "pictures").rglob("*.png"):
        path.write_bytes(b"x")
    with pytest.raises(DatasetError, match="Not one of the 36 pictures of drawn can be read"):
        check_pictures(SOURCE, data)


def test_a_choice_that_is_open_is_asked_for(tmp_path):
    for kind in ("Original", "Segmented"):
        for label in ("a", "b"):
            folder = tmp_path / "pictures" / kind / label
            folder.mkdir(parents=True)
            (folder / "1.png").write_bytes(encode_png(np.full((32, 32, 3), 90, np.uint8)))
    with pytest.raises(DatasetError, match=r"choose one: .*Original"):
        check_pictures(DataSource(name="two kinds"), tmp_path)


def test_the_pattern_names_the_groups(data):
    (data / "pictures" / "groups.csv").unlink()
    found = check_pictures(DataSource(name="drawn", pattern=PATTERN), data)
    assert (found.health.group_level, found.health.n_groups) == ("patient", 12)
    parts = {}
    for row in found.rows:
        assert parts.setdefault(row.group, row.part) == row.part


def test_the_level_of_the_table_s_groups_may_be_said(drawn):
    assert check_pictures(SOURCE, drawn.parent).health.group_level == "run"
    told = check_pictures(replace(SOURCE, group_level="patient"), drawn.parent).health
    assert told.group_level == "patient"
    with pytest.raises(DatasetError, match="group_level is 'cell'; use patient or run"):
        replace(SOURCE, group_level="cell")


def test_given_parts_stay_and_a_new_split_moves_them(data):
    given = {row.file: row.part for row in check_pictures(SOURCE, data).rows}
    listed = read_manifest(data / "pictures", data / "pictures" / "groups.csv").rows
    assert given == {row.file: row.part for row in listed}
    new = check_pictures(replace(SOURCE, keep_parts=False), data)
    assert {row.file: row.part for row in new.rows} != given


def test_a_copy_joins_two_patients(data):
    pictures = data / "pictures"
    shutil.copy(pictures / "blast" / "0-0.png", pictures / "blast" / "1-0.png")
    found = check_pictures(SOURCE, data)
    (twins,) = found.health.twins
    assert twins.files == ("blast/0-0.png", "blast/1-0.png")
    assert twins.groups == ("blast0", "blast1")
    assert twins.is_exact
    assert found.health.n_groups == 11


def test_a_stop_ends_it(drawn):
    with pytest.raises(Stopped):
        check_pictures(SOURCE, drawn.parent, should_stop=lambda: True)


def test_phases_are_told(drawn):
    events = []
    check_pictures(SOURCE, drawn.parent, report=lambda kind, **told: events.append((kind, told)))
    assert {kind for kind, _ in events} == {"prepare"}
    last = {told["phase"]: told for _, told in events}
    assert list(last) == ["pictures", "controls", "thumbnails"]
    assert last["pictures"]["done"] == last["pictures"]["total"] == 36


def folder_of(data, **changes):
    folder = DataFolder(path=data)
    folder.write_json("dataset.json", replace(SOURCE, **changes).to_dict())
    return folder


def test_a_data_folder_gets_its_files_and_is_done(data):
    folder = folder_of(data)
    check_dataset(folder, folder.add_event, FOREVER)
    values = json.loads((data / "health.json").read_text())
    assert values["n_read"] == 36
    assert all((data / name).stat().st_size for name in values["thumbs"].values())
    # Names of strangers are in no path.
    assert {name.rpartition("/")[2].removesuffix(".jpg").isdigit()
            for name in values["thumbs"].values()} == {True}  # fmt: skip
    rows = read_manifest(data / "pictures", data / "manifest.csv").rows
    assert {row.part for row in rows} == {"train", "val", "test"}
    assert folder.status()["state"] == "done"
    assert folder.events()


def test_what_is_there_is_not_done_again_and_the_leak_is_added(data, monkeypatch):
    folder = folder_of(data)
    check_dataset(folder, folder.add_event, FOREVER)
    monkeypatch.setattr(data_check, "check_pictures", lambda *_, **__: pytest.fail("again"))
    asked = []

    class Found:
        def to_dict(self):
            return {"image": 1}

    def measured(reader, rows, wish, *, group_level):
        asked.append((len(rows), wish.backbone, group_level))
        return Found()

    monkeypatch.setattr(data_check, "measure_leak", measured)
    check_dataset(folder, folder.add_event, FOREVER)
    assert asked == []
    folder.write_json("leak_wish.json", {"backbone": "vgg16"})
    check_dataset(folder, folder.add_event, FOREVER)
    assert asked == [(36, "vgg16", "run")]
    assert json.loads((data / "leak.json").read_text()) == {"image": 1}


def test_the_worker_checks_what_has_a_dataset_json(data):
    from leukemia_app.training.worker import work

    folder = folder_of(data)
    assert work(folder) == 0
    assert (data / "health.json").exists()


def test_a_source_comes_back_from_json():
    source = DataSource(name="x", choice="Original", aliases={"hem": "normal"}, seed=3)
    assert DataSource.from_dict(source.to_dict()) == source


@pytest.mark.parametrize(
    ("values", "said"),
    [({"name": "x", "colour": 1}, "unknown keys: colour"), ({"pictures": "x"}, "lacks the name")],
)
def test_a_damaged_source_is_refused(values, said):
    with pytest.raises(DatasetError, match=said):
        DataSource.from_dict(values)


def test_a_folder_without_a_source_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"holds no readable dataset\.json"):
        DataFolder(path=tmp_path).source()


def test_a_place_that_cannot_be_written_is_named(checked, tmp_path):
    (tmp_path / "thumbs").write_text("in the way")
    with pytest.raises(RunError, match="thumbs cannot be written"):
        keep(checked, DataFolder(path=tmp_path))


# Archives


def zipped(path, folder):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, file.relative_to(folder).as_posix())
        archive.writestr("notes.txt", "Notes.")
    return path


@pytest.fixture
def archived(drawn, tmp_path):
    """A data set that was given as a zip alone."""
    zipped(tmp_path / "archives" / "0-cells.zip", drawn)
    folder = DataFolder(path=tmp_path)
    folder.write_json("dataset.json", DataSource(name="cells", ignored={"too large": 2}).to_dict())
    return folder


def test_an_archive_is_unpacked_checked_and_deleted(archived):
    check_dataset(archived, archived.add_event, FOREVER)
    assert json.loads((archived.path / "health.json").read_text())["n_read"] == 36
    assert not (archived.path / "archives").exists()
    assert len(list((archived.path / "pictures").rglob("*.png"))) == 36
    # What was left out before is still counted, and the text in the zip with it.
    ignored = archived.source().ignored
    assert ignored["too large"] == 2
    assert sum(ignored.values()) == 3
    told = [event for event in archived.events() if event.get("phase") == "archives"]
    assert told[-1]["done"] == told[-1]["total"]


def test_an_archive_beside_a_folder_gets_a_place_of_its_own(archived, drawn):
    shutil.copytree(drawn / "blast", archived.path / "pictures" / "blast")
    # A check that was cut short may have begun to unpack.
    (archived.path / "pictures" / "archives").mkdir()
    (archived.path / "pictures" / "archives" / "half.png").write_bytes(b"x")
    data_check._unpack(archived, ZipLimits(), archived.add_event, FOREVER)
    found = {path.relative_to(archived.path / "pictures").parts[:2]
             for path in (archived.path / "pictures").rglob("*.png")}  # fmt: skip
    assert {parts for parts in found if parts[0] == "archives"} == {
        ("archives", "blast"), ("archives", "normal"),
    }  # fmt: skip
    assert len({parts for parts in found if parts[0] == "blast"}) == 18


def test_without_archives_nothing_is_unpacked(tmp_path):
    folder = DataFolder(path=tmp_path)
    data_check._unpack(folder, ZipLimits(), folder.add_event, FOREVER)
    assert list(tmp_path.iterdir()) == []


def test_a_stop_ends_the_unpacking_and_keeps_the_archive(archived):
    with pytest.raises(Stopped):
        check_dataset(archived, archived.add_event, lambda: True)
    assert (archived.path / "archives" / "0-cells.zip").exists()


@pytest.mark.parametrize("spoil", ["bomb", "broken"])
def test_a_hostile_archive_fails_in_words(spoil, archived):
    from leukemia_app.training.worker import work

    path = archived.path / "archives" / "0-cells.zip"
    if spoil == "broken":
        path.write_bytes(b"PK no archive")
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a/1.png", bytes(45_000_000))
            archive.writestr("a/2.png", bytes(45_000_000))
            archive.writestr("a/3.png", bytes(45_000_000))
    assert work(archived) == 2
    status = archived.status()
    assert status["state"] == "failed"
    assert "cells" in status["reason"]
    assert "The run broke" not in status["reason"]
    assert not (archived.path / "health.json").exists()


def test_names_that_climb_out_are_left_out_by_name(archived, drawn):
    path = archived.path / "archives" / "0-cells.zip"
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(drawn / "blast" / "0-0.png", "../../escaped.png")
    check_dataset(archived, archived.add_event, FOREVER)
    assert not list(archived.path.parent.rglob("escaped.png"))
    said = [event["reason"] for event in archived.events() if event["kind"] == "left out"]
    assert any("climbs out" in reason for reason in said)


# Corrected by hand


def corrections(*pairs):
    return lambda files: [Correction(file=file, label=label, run="ward-7")
                          for file, label in pairs]  # fmt: skip


def test_corrections_change_labels_and_counts_and_move_nothing(drawn, checked):
    found = check_pictures(
        SOURCE, drawn.parent,
        by_hand=corrections(("normal/0-0.png", "blast"), ("blast/5-1.png", "")),
    )  # fmt: skip
    before = {row.file: row for row in checked.rows}
    changed = before.pop("blast/5-1.png"), before["normal/0-0.png"]
    before["normal/0-0.png"] = replace(changed[1], label="blast")
    assert {row.file: row for row in found.rows} == before
    assert [(item.label, item.n_pictures) for item in found.health.classes] == [
        ("blast", 18), ("hem", 17),
    ]  # fmt: skip
    assert (found.health.n_found, found.health.n_read) == (35, 35)
    assert found.health.ignored["pictures dropped by hand"] == 1
    assert {(each.file, each.was, each.label) for each in found.changes} == {
        ("normal/0-0.png", "hem", "blast"), ("blast/5-1.png", "blast", ""),
    }  # fmt: skip
    (note,) = [each.text for each in found.health.notes if each.text.startswith("By hand")]
    assert "after seeing the answers of ward-7" in note


def test_corrections_that_fit_nothing_are_noted_and_change_nothing(drawn, checked):
    found = check_pictures(
        SOURCE, drawn.parent,
        by_hand=corrections(("../secret.png", "blast"), ("blast/5-1.png", "martian")),
    )  # fmt: skip
    assert found.rows == checked.rows
    assert found.changes == ()
    notes = " ".join(each.text for each in found.health.notes)
    assert "not among the pictures" in notes
    assert "martian (blast/5-1.png)" in notes


def test_a_set_of_which_every_picture_was_dropped_is_refused(drawn, checked):
    by_hand = corrections(*((row.file, "") for row in checked.rows))
    with pytest.raises(DatasetError, match="Every picture was dropped by hand"):
        check_pictures(SOURCE, drawn.parent, by_hand=by_hand)


def test_a_check_keeps_what_was_decided_and_forgets_what_was_undone(data):
    folder = DataFolder(path=data)
    folder.write_json("dataset.json", SOURCE.to_dict())
    decide(folder, Correction(file="normal/0-0.png", label="blast", run="ward-7"))
    check_dataset(folder, folder.add_event, FOREVER)
    assert [each.file for each in changes_in(folder.path)] == ["normal/0-0.png"]
    rows = read_manifest(folder.pictures, folder.path / "manifest.csv").rows
    assert {row.label for row in rows if row.file == "normal/0-0.png"} == {"blast"}
    undo(folder, "ward-7")
    (folder.path / "health.json").unlink()
    check_dataset(folder, folder.add_event, FOREVER)
    assert changes_in(folder.path) == ()
