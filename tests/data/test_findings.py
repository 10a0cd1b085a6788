"""What the facts of single pictures say about a whole data set."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.facts import PictureFacts
from leukemia_app.data.findings import (
    balance_sentence,
    clusters_of,
    flags_of,
    giveaways_of,
    sizes_of,
    spread,
    twins_of,
)
from leukemia_app.data.layouts import Entry
from leukemia_app.data.manifest import Row
from leukemia_app.data.marks import GRID, KINDS
from leukemia_app.imaging.quality import Finding

PLACES = np.packbits(np.zeros((len(KINDS), GRID, GRID), bool)).tobytes()
BAR = np.zeros((len(KINDS), GRID, GRID), bool)
BAR[0, 30, 28] = True


def facts(number, **changes):
    values = np.random.default_rng(number).integers(-127, 128, 60).astype(np.int8)
    made = PictureFacts(
        file=f"{number}.png", rows=100, columns=120, format="PNG", digest=f"d{number}",
        sharpness=0.3, brightness=0.7, findings=(), frame="", signature=values.tobytes(),
        look=np.zeros(17, np.float32).tobytes(), places=PLACES,
    )  # fmt: skip
    return replace(made, **changes)


def entry(number, label="a", part=""):
    return Entry(file=f"{number}.png", raw_label=label, label=label, part=part)


def copy_of(number, of):
    return replace(facts(of), file=f"{number}.png")


def test_exact_copies_are_one_cluster_even_where_they_are_flat():
    flat = bytes(60)
    given = [facts(0), facts(1, signature=flat, digest="same"), facts(2, signature=flat),
             facts(3, signature=flat, digest="same")]  # fmt: skip
    assert clusters_of(given).tolist() == [0, 1, 2, 1]


def test_sets_of_twins_are_named_with_conflicts_first():
    given = [facts(0), facts(1), copy_of(2, 0), replace(copy_of(3, 1), digest="other")]
    entries = [entry(0), entry(1, "a"), entry(2), entry(3, "b")]
    found = twins_of(entries, ["p0", "p1", "p2", "p1"], given, clusters_of(given))
    conflict, copies = found
    assert (conflict.files, conflict.labels) == (("1.png", "3.png"), ("a", "b"))
    assert not conflict.is_exact
    assert (copies.files, copies.groups) == (("0.png", "2.png"), ("p0", "p2"))
    assert copies.is_exact


def test_flags_name_file_label_and_fault():
    fault = Finding(kind="dark", sentence="It is dark.", refer=True)
    (found,) = flags_of([entry(0), entry(1, "b")], [facts(0), facts(1, findings=(fault,))])
    assert (found.file, found.label, found.kind, found.refer) == ("1.png", "b", "dark", True)


def test_sizes_are_counted_the_most_frequent_first():
    given = [facts(0, rows=50), facts(1), facts(2)]
    assert [(item.columns, item.rows, item.n_pictures) for item in sizes_of(given)] == [
        (120, 100, 2), (120, 50, 1),
    ]  # fmt: skip


def test_a_scale_bar_on_one_class_alone_gives_it_away():
    bar = np.packbits(BAR).tobytes()
    given = [facts(number, places=bar if number < 8 else PLACES) for number in range(18)]
    (found,) = giveaways_of(["a"] * 8 + ["b"] * 10, given)
    assert found.what == "a black mark (scale bar, caption)"
    assert found.share_by_label == {"a": 1.0, "b": 0.0}
    assert found.differs
    assert "100% of a and 0% of b have a black mark" in found.sentence


def test_a_frame_round_every_picture_tells_nothing():
    given = [facts(number, frame="black surround") for number in range(12)]
    (found,) = giveaways_of(["a", "b"] * 6, given)
    assert not found.differs
    assert "in every class about as many" in found.sentence


@pytest.mark.parametrize(
    ("change", "what"),
    [({"rows": 50}, "120 x 50 px"), ({"format": "JPEG"}, "the format JPEG")],
)
def test_another_size_or_format_in_one_class_gives_it_away(change, what):
    given = [facts(number, **(change if number < 6 else {})) for number in range(12)]
    # Two values part the classes alike: one is told, the first.
    (found,) = giveaways_of(["a"] * 6 + ["b"] * 6, given)
    assert (found.what, found.differs) == (what, True)


def test_a_class_of_four_pictures_is_not_judged():
    given = [facts(number, frame="black edge" if number < 4 else "") for number in range(12)]
    (found,) = giveaways_of(["a"] * 4 + ["b"] * 8, given)
    assert not found.differs


def test_the_balance_is_told_with_what_is_done():
    # 30 of 20 is 1.5 times: from there on it is uneven.
    assert balance_sentence({"a": 29, "b": 20}, "image").startswith("The classes are about even")
    told = balance_sentence({"a": 60, "b": 20}, "patient")
    assert "3.0 times as many pictures as b (60 and 20)" in told
    assert "large patients" in told
    assert "large" not in balance_sentence({"a": 60, "b": 20}, "image")


def rows_of(sizes):
    return [Row(file=f"{group}-{number}", label="a", group=str(group))
            for group, size in enumerate(sizes) for number in range(size)]  # fmt: skip


def test_pictures_are_taken_evenly_over_groups():
    # 6 of 100, 2 and 2: one each, a second each, then the large one alone.
    found = spread(rows_of([100, 2, 2]), 6)
    assert [row.group for row in found] == ["0", "0", "1", "1", "2", "2"]
    found = spread(rows_of([100, 1, 1]), 6)
    assert [row.group for row in found] == ["0"] * 4 + ["1", "2"]


def test_of_more_groups_than_wanted_some_are_taken_evenly():
    # 4 of 8 groups: 1, 3, 5, 7.
    assert [row.group for row in spread(rows_of([1] * 8), 4)] == ["1", "3", "5", "7"]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(1, 40))
def test_no_more_than_wanted_and_no_fewer_than_possible(sizes, count):
    rows = rows_of(sizes)
    found = spread(rows, count)
    assert len(found) == min(count, len(rows))
    assert len(set(found)) == len(found)
    assert set(found) <= set(rows)
