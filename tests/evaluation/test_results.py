"""Readings as JSON and CSV: one object or row a file, and nothing that a spreadsheet runs."""

import csv
import io
import json

import pytest

from leukemia_app.evaluation.results import Unread, results_csv, results_json
from tests.readings import reading_of, referred

LABELS = ("Benign", "Early", "Pre", "Pro")
UNREAD = Unread(file="notes.jpg", kind="image", message="notes.jpg is no picture.")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_json_keeps_the_order_and_says_why_a_file_was_not_read():
    found = json.loads(results_json([reading_of(file="a.png"), UNREAD, reading_of(file="c.png")]))
    assert [each["file"] for each in found] == ["a.png", "notes.jpg", "c.png"]
    assert found[1]["error"] == {"kind": "image", "message": "notes.jpg is no picture."}
    assert found[0] == json.loads(json.dumps(reading_of(file="a.png").to_dict()))


def test_csv_has_a_column_for_each_label_and_a_row_for_each_file():
    rows = rows_of(results_csv([reading_of(), UNREAD], LABELS))
    assert rows[0]["probability Pro"] == "0.713000"
    assert rows[0]["decision"] == "label"
    assert rows[0]["error"] == ""
    assert rows[1]["file"] == "notes.jpg"
    assert rows[1]["error"] == "image: notes.jpg is no picture."
    assert rows[1]["probability Pro"] == ""


def test_csv_says_why_a_picture_is_referred():
    row = rows_of(results_csv([referred("Too dark.", "No cell.")], LABELS))[0]
    assert row["decision"] == "refer"
    assert row["reasons"] == "Too dark. No cell."


def test_a_model_without_scope_leaves_its_cells_empty():
    row = rows_of(results_csv([reading_of(scope=None)], LABELS))[0]
    assert row["scope score"] == ""
    assert row["scope limit"] == ""


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_a_file_name_never_runs_as_a_formula(sign: str):
    rows = list(csv.reader(io.StringIO(results_csv([reading_of(file=f"{sign}1+1.png")], LABELS),
                                       newline="")))  # fmt: skip
    assert rows[1][0] == f"'{sign}1+1.png"


def test_a_label_never_runs_as_a_formula():
    text = results_csv([], ("=cmd", "b"))
    assert "probability =cmd" in text
    assert not any(cell.startswith("=") for cell in next(csv.reader(io.StringIO(text))))
