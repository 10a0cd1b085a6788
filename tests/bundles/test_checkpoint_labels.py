"""Names of classes beside a checkpoint: many forms, all read as a stranger's."""

import json
from pathlib import Path

import pytest

from leukemia_app.bundles.checkpoint_labels import (
    found_labels,
    of_json,
    of_lines,
    plain_lines,
    read_labels,
)
from leukemia_app.errors import BundleError


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("0 normal\n1 blast\n", ("normal", "blast")),
        ("0: normal cell\r\n1: blast\r\n", ("normal cell", "blast")),
        ("normal\nblast\n\n", ("normal", "blast")),
        ("0 normal\n2 blast", ("0 normal", "2 blast")),  # no numbering: 1 is missing
        ("only one", ()),
        ("a\na", ()),
        ("a\nb\x07", ()),
        (f"a\n{'b' * 61}", ()),
    ],
)
def test_labels_stand_one_a_line(text: str, labels: tuple[str, ...]):
    assert of_lines(text) == labels


@pytest.mark.parametrize(
    "values",
    [
        ["a", "b"],
        {"0": "a", "1": "b"},
        {"a": 0, "b": 1},
        {"id2label": {"0": "a", "1": "b"}, "model_type": "x"},
        {"label2id": {"b": 1, "a": 0}},
        {"labels": ["a", "b"]},
    ],
)
def test_labels_stand_in_json_in_many_ways(values: object):
    assert of_json(values) == ("a", "b")


@pytest.mark.parametrize("values", [None, 5, [], [1, 2], {"0": "a", "7": "b"}, {"a": True}, ["a"]])
def test_what_is_no_list_of_labels_gives_none(values: object):
    assert of_json(values) == ()


def test_the_file_that_they_stood_in_is_named(tmp_path: Path):
    (tmp_path / "class_indices.json").write_text(json.dumps({"normal": 0, "blast": 1}))
    assert found_labels(tmp_path, None) == (("normal", "blast"), "class_indices.json")
    (tmp_path / "labels.txt").write_bytes(b"\xef\xbb\xbfx\ny\n")
    assert found_labels(tmp_path, None) == (("x", "y"), "labels.txt")


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path):
    (tmp_path / "labels.json").write_text("[" * 100_000)
    (tmp_path / "labels.txt").mkdir()
    assert found_labels(tmp_path, {"id2label": {"0": "a", "1": "b"}}) == (("a", "b"), "config.json")
    assert found_labels(tmp_path, None) == ((), "")


def test_lines_that_a_person_wrote_lose_their_numbers_and_nothing_else():
    assert plain_lines("0 normal\n1  blast \n\n") == ("normal", "blast")
    assert plain_lines("a\na") == ("a", "a")
    assert plain_lines(" only one ") == ("only one",)
    assert plain_lines("") == ()


def test_a_file_of_labels_is_read_whatever_it_is_called(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("0 normal\n1 blast\n")
    assert read_labels(tmp_path / "mine.txt") == ("normal", "blast")
    (tmp_path / "mine.JSON").write_text(json.dumps({"normal": 1, "blast": 0}))
    assert read_labels(tmp_path / "mine.JSON") == ("blast", "normal")


@pytest.mark.parametrize("content", ["", "one", "a\na", "x" * 200_001])
def test_a_file_without_labels_is_refused_in_words(tmp_path: Path, content: str):
    (tmp_path / "mine.txt").write_text(content)
    with pytest.raises(BundleError, match=r"mine\.txt holds no labels; write one name a line"):
        read_labels(tmp_path / "mine.txt")
