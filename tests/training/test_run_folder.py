"""A run's folder: whole files or none, and words for those that cannot be read or written."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from leukemia_app.errors import RunError
from leukemia_app.training.job_folder import StopWish
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import tiny_config


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(path=tmp_path / "runs" / "one")
    made.create(tiny_config(tmp_path))
    return made


def test_a_new_run_is_queued_with_its_configuration(folder, tmp_path):
    assert folder.config() == tiny_config(tmp_path)
    assert folder.status()["state"] == "queued"
    assert list(folder.events()) == []
    assert not folder.should_stop()


def test_the_same_run_again_is_left_as_it_is(folder, tmp_path):
    folder.set_state("done")
    folder.create(tiny_config(tmp_path))
    assert folder.status()["state"] == "done"


def test_another_run_is_not_written_over_the_first(folder, tmp_path):
    with pytest.raises(RunError, match=r"one holds a run with other settings; use another folder"):
        folder.create(tiny_config(tmp_path, seed=5))


def test_a_run_whose_status_was_never_written_is_queued(folder):
    (folder.path / "status.json").unlink()
    assert folder.status() == {"state": "queued"}


def test_a_state_holds_its_details(folder):
    folder.set_state("failed", reason="no pictures")
    assert folder.status()["reason"] == "no pictures"
    assert [path.name for path in folder.path.glob("*.part")] == []


@pytest.mark.parametrize("text", ["", "{", "\xff", "[]", "{}"])
def test_a_damaged_status_is_refused_with_what_to_do(folder, text):
    (folder.path / "status.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError, match=r"status.json cannot be read .*remove it to go on"):
        folder.status()


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_folder_without_a_configuration_is_no_run(folder, text):
    path = folder.path / "config.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(RunError, match="config"):
        folder.config()


def test_events_come_in_their_order_with_their_numbers(folder):
    folder.add_event("head", epoch=1, loss=0.5)
    folder.add_event("left out", reason="ü.png\nis broken")
    first, second = folder.events()
    assert (first["kind"], first["epoch"], first["loss"]) == ("head", 1, 0.5)
    assert second["reason"] == "ü.png\nis broken"
    assert first["time"] <= second["time"]


def test_events_can_be_read_on_from_where_one_was(folder):
    folder.add_event("a")
    events, place = folder.events_from(0)
    assert [event["kind"] for event in events] == ["a"]
    folder.add_event("b")
    with (folder.path / "events.jsonl").open("a") as lines:
        lines.write('{"kind": "half')
    events, place = folder.events_from(place)
    assert [event["kind"] for event in events] == ["b"]
    with (folder.path / "events.jsonl").open("a") as lines:
        lines.write('-written"}\n')
    events, place = folder.events_from(place)
    assert [event["kind"] for event in events] == ["half-written"]
    assert folder.events_from(place) == ([], place)


def test_a_line_that_a_crash_cut_short_spoils_no_other(folder):
    folder.add_event("before")
    with (folder.path / "events.jsonl").open("a") as lines:
        lines.write('{"time": 1, "ki')
    folder.add_event("lost with it")
    folder.add_event("after")
    assert [event["kind"] for event in folder.events()] == ["before", "after"]


def test_what_cannot_be_written_is_told_in_words(folder):
    (folder.path / "events.jsonl").mkdir()
    with pytest.raises(RunError, match=r"events.jsonl cannot be written \(Is a directory\)\. Make"):
        folder.add_event("step")
    (folder.path / "status.json").unlink()
    (folder.path / "status.json").mkdir()
    with pytest.raises(RunError, match=r"status.json cannot be written"):
        folder.set_state("done")


def test_a_stop_is_a_file_that_anybody_can_write(folder):
    (folder.path / "stop").touch()
    assert folder.should_stop()


def test_files_are_json_that_others_can_read(folder):
    assert json.loads((folder.path / "config.json").read_text())["format_version"] == 1
    assert json.loads((folder.path / "status.json").read_text())["state"] == "queued"


def test_a_line_that_a_crash_cut_short_is_closed_before_the_next(folder):
    folder.end_cut_line()
    folder.add_event("before")
    folder.end_cut_line()
    with (folder.path / "events.jsonl").open("a") as lines:
        lines.write('{"time": 1, "ki')
    folder.end_cut_line()
    folder.add_event("after")
    assert [event["kind"] for event in folder.events()] == ["before", "after"]
    (folder.path / "events.jsonl").unlink()
    (folder.path / "events.jsonl").mkdir()
    with pytest.raises(RunError, match=r"events.jsonl cannot be written"):
        folder.end_cut_line()


def test_a_stop_carries_what_is_wanted(folder):
    assert folder.stop_wish() is None
    folder.ask_to_stop(StopWish(finish=True, reason="Enough."))
    assert folder.should_stop()
    assert folder.stop_wish() == StopWish(finish=True, reason="Enough.")
    folder.ask_to_stop()
    assert folder.stop_wish() == StopWish()
    folder.forget_stop()
    assert not folder.should_stop()
    folder.forget_stop()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"finish": "yes", "reason": null}'])
def test_a_stop_that_is_only_a_file_is_a_plain_stop(text, folder):
    (folder.path / "stop").write_text(text)
    assert folder.stop_wish() == StopWish()


def test_spare_room_is_given_up_for_a_last_word_alone(folder, monkeypatch):
    folder.keep_spare()
    write_text, full = Path.write_text, True

    def on_a_full_disk(path: Path, *given: Any, **named: Any) -> int:
        if full and (folder.path / "spare").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_text(path, *given, **named)

    monkeypatch.setattr(Path, "write_text", on_a_full_disk)
    with pytest.raises(RunError, match=r"pulse.json cannot be written \(No space left"):
        folder.write_json("pulse.json", {})
    assert (folder.path / "spare").stat().st_size > 0
    folder.set_state("failed", reason="no room")
    assert folder.status()["reason"] == "no room"
    assert not (folder.path / "spare").exists()
    assert [path.name for path in folder.path.glob("*.part")] == []


def test_spare_room_that_cannot_be_had_is_told(folder):
    (folder.path / "spare").mkdir()
    with pytest.raises(RunError, match=r"spare cannot be written"):
        folder.keep_spare()


def test_a_run_says_whose_it_is(folder):
    assert folder.owner() == ""
    folder.write_json("owner.json", {"owner": "login:ada"})
    assert folder.owner() == "login:ada"
    (folder.path / "owner.json").write_text("{")
    assert folder.owner() == ""
