"""Corrections by hand: what they do to rows, that it can be taken back, and how it is told."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.corrections import (
    Change,
    Correction,
    changes_from_dict,
    changes_to_dict,
    changes_words,
    correct,
    located,
    read_corrections,
    resolve,
    restored,
    write_corrections,
)
from leukemia_app.data.manifest import Row
from leukemia_app.errors import DatasetError

LABELS = ("hem", "all")
FILES = st.text("ab/.", min_size=1, max_size=3)
ROWS = st.lists(
    st.builds(Row, file=FILES, label=st.sampled_from(LABELS), group=st.sampled_from("PQ"),
              part=st.sampled_from(("train", "val", "test"))),
    unique_by=lambda row: row.file, max_size=8,
).map(lambda rows: tuple(sorted(rows, key=lambda row: row.file)))  # fmt: skip
WISHES = st.lists(
    st.builds(Correction, file=FILES, label=st.sampled_from((*LABELS, "")), run=st.just("r"))
).map(lambda found: {item.file: item for item in found})


def row(file: str, label: str = "hem", part: str = "test") -> Row:
    return Row(file=file, label=label, group="P1", part=part)


def change(file: str, label: str, part: str = "test", run: str = "ward-7") -> Change:
    return Change(file=file, was="hem", label=label, group="P1", part=part, run=run)


# What they do


def test_a_label_is_changed_and_a_picture_is_dropped():
    found = correct(
        [row("a"), row("b", part="val"), row("c")],
        {"a": Correction(file="a", label="all", run="r"), "b": Correction(file="b", label="")},
    )
    assert found.rows == (row("a", "all"), row("c"))
    assert [(each.file, each.was, each.label, each.part, each.run) for each in found.changes] == [
        ("a", "hem", "all", "test", "r"), ("b", "hem", "", "val", ""),
    ]  # fmt: skip


@given(ROWS, WISHES)
def test_nothing_moves_to_another_part_or_group(rows, wishes):
    before = {each.file: (each.group, each.part) for each in rows}
    assert all(before[each.file] == (each.group, each.part) for each in correct(rows, wishes).rows)


@given(ROWS, WISHES)
def test_doing_it_twice_changes_nothing_more(rows, wishes):
    once = correct(rows, wishes)
    again = correct(once.rows, wishes)
    assert again.rows == once.rows
    assert again.changes == ()


@given(ROWS, WISHES)
def test_what_was_done_can_be_taken_back_to_the_letter(rows, wishes):
    found = correct(rows, wishes)
    assert restored(found.rows, found.changes) == rows


@given(ROWS, WISHES)
def test_other_pictures_stay_as_they_are(rows, wishes):
    changed = {each.file for each in correct(rows, wishes).changes}
    after = {each.file: each for each in correct(rows, wishes).rows}
    assert all(after[each.file] == each for each in rows if each.file not in changed)


def test_keeping_a_label_is_no_change():
    assert correct([row("a")], {"a": Correction(file="a", label="hem")}).changes == ()


# Which of them fit


def fitted(*corrections: Correction):
    return resolve(corrections, ["a", "b"], LABELS, {"HEM": "hem", "old": "gone"})


def test_the_last_of_two_counts_and_raw_labels_are_known():
    found = fitted(Correction(file="a", label="all"), Correction(file="a", label="HEM"))
    assert found.by_file == {"a": Correction(file="a", label="hem")}
    assert found.notes == ()


@pytest.mark.parametrize("label", ["blast", "old", "../hem", "<b>", "x" * 5000])
def test_a_label_that_the_set_has_not_is_said_and_left_aside(label: str):
    found = fitted(Correction(file="a", label=label), Correction(file="b", label=""))
    assert list(found.by_file) == ["b"]
    assert "1 correction by hand to a label that the data set has not" in found.notes[0]


@pytest.mark.parametrize("file", ["../../etc/passwd", "/etc/passwd", "a/../a", "A", "", "a\0"])
def test_a_file_that_the_set_has_not_is_said_and_left_aside(file: str):
    found = fitted(Correction(file=file, label="hem"))
    assert found.by_file == {}
    assert "not among the pictures" in found.notes[0]


def test_a_huge_list_is_told_in_a_few_words():
    found = fitted(*(Correction(file=f"no/{number}", label="hem") for number in range(100_000)))
    assert found.by_file == {}
    assert len(found.notes[0]) < 500


@pytest.mark.parametrize(
    ("name", "file"),
    [("hem/1.png", "hem/1.png"), ("cells/hem/1.png", "hem/1.png"), ("2.png", "all/2.png"),
     ("all/1.png", "all/1.png"), ("1.png", "1.png"), ("ward/1.png", "ward/1.png"),
     ("../hem/1.png", "hem/1.png")],
)  # fmt: skip
def test_a_name_means_the_one_file_whose_path_ends_alike(name: str, file: str):
    # 1.png is in two folders: nobody knows which; no other folder's picture is ever meant.
    (found,) = located([Correction(file=name, label="all")],
                       ["hem/1.png", "all/1.png", "all/2.png"])  # fmt: skip
    assert found.file == file


# How they are told


def test_the_sentence_counts_by_part_and_names_the_run():
    changes = [change("a", "all"), change("b", "all"), change("c", ""), change("d", "all", "val"),
               change("e", "", "train", "ward-8")]  # fmt: skip
    said = changes_words(changes)
    assert said.startswith(
        "By hand, after seeing the answers of ward-7, ward-8: 2 test pictures relabelled, 1 test "
        "picture dropped, 1 validation picture relabelled, 1 training picture dropped."
    )
    assert "Figures on the test part are optimistic" in said


def test_nothing_is_said_of_the_test_part_where_it_was_left_alone():
    said = changes_words([change("d", "all", "val", "")])
    assert said == "By hand: 1 validation picture relabelled."
    assert changes_words([]) == ""


# Files


@given(st.lists(st.builds(
    Correction, file=st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    .filter(lambda name: name.strip() and "\\" not in name),
    label=st.sampled_from((*LABELS, "")), run=st.sampled_from(("", "ward-7")),
)))  # fmt: skip
def test_a_table_that_was_written_is_read_as_it_was(tmp_path_factory, corrections):
    path = tmp_path_factory.mktemp("table") / "corrections.csv"
    path.write_text(write_corrections(corrections), encoding="utf-8", newline="")
    assert read_corrections(path) == tuple(corrections)


@pytest.mark.parametrize(
    ("text", "why"),
    [("file\na", "lacks the column label"), ("label\na", "lacks the column file"),
     ("", "lacks the column file and label"), ("file,label\n,hem", "line 2 names no file"),
     ('file,label\n"a', "cannot be read as corrections")],
)  # fmt: skip
def test_a_table_that_is_none_is_refused(tmp_path, text: str, why: str):
    path = tmp_path / "c.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=why):
        read_corrections(path)


def test_a_table_that_is_missing_too_long_or_no_text_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DatasetError, match=r"none.csv cannot be read as corrections"):
        read_corrections(tmp_path / "none.csv")
    (tmp_path / "c.csv").write_bytes(b"file,label\n\xff,hem")
    with pytest.raises(DatasetError, match="cannot be read as corrections"):
        read_corrections(tmp_path / "c.csv")
    monkeypatch.setattr("leukemia_app.data.corrections.MAX_TABLE_BYTES", 5)
    with pytest.raises(DatasetError, match="more than 0 MB"):
        read_corrections(tmp_path / "c.csv")


@given(ROWS, WISHES)
def test_changes_are_kept_whole(rows, wishes):
    changes = correct(rows, wishes).changes
    assert changes_from_dict(changes_to_dict(changes)) == changes


@pytest.mark.parametrize(
    "values",
    [{}, {"changes": 7}, {"changes": [7]}, {"changes": [{"file": "a"}]},
     changes_to_dict([change("a", "all")]) | {"changes": [vars(change("a", "b")) | {"run": 7}]}],
)  # fmt: skip
def test_changes_of_another_kind_are_refused(values):
    with pytest.raises(DatasetError, match=r"corrections\.json holds no list of changes"):
        changes_from_dict(values)


def test_a_dropped_picture_comes_back_in_its_place():
    rows = (row("a"), row("b", "all", "val"), row("c"))
    found = correct(rows, {"b": Correction(file="b", label="")})
    assert restored(found.rows, found.changes) == rows
    assert restored(rows, [replace(found.changes[0], label="hem")])[1].label == "all"
