import csv
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data import groups
from leukemia_app.data.groups import (
    cnmc_patient,
    duplicate_links,
    joined_groups,
    named_groups,
    suspected_groups,
)
from leukemia_app.data.layouts import discover
from leukemia_app.errors import DatasetError


@pytest.mark.parametrize(
    ("file", "patient"),
    [("fold_0/all/UID_11_10_2_all.bmp", "11"), ("UID_H10_100_1_hem.jpg", "H10"),
     ("uid_h10_1_1_HEM.BMP", "H10"), ("1.bmp", ""), ("UID_11_all.bmp", ""),
     ("UID_11_1_1_all/x.bmp", ""), ("xUID_11_1_1_all.bmp", "")],
)  # fmt: skip
def test_patients_are_read_from_names_of_cnmc(file, patient):
    assert cnmc_patient(file) == patient


def test_patients_of_cnmc_are_those_of_the_reference(shared_data):
    with (shared_data / "cnmc_groups.csv").open() as lines:
        reference = {row["file"]: row["group"] for row in csv.DictReader(lines)}
    found = discover(shared_data / "cnmc")
    pairs = {(entry.group, reference[entry.file]) for entry in found.entries}
    # The reference has three patients as one, whose archives share pictures byte by byte.
    assert {patient for patient, group in pairs if group == "hem-H2"} == {"H2", "H4", "H5"}
    others = [pair for pair in pairs if pair[1] != "hem-H2"]
    assert len(others) == len({p for p, _ in others}) == len({g for _, g in others}) == 60
    assert all(group.endswith(f"-{patient}") for patient, group in others)


# A pattern


def test_a_pattern_names_groups_and_the_rest_stand_alone():
    found = named_groups(["a/P1_1.png", "b/P1_2.png", "a/P2_1.png", "a/x.png"], r"(P\d+)_")
    assert found.groups == ("P1", "P1", "P2", "a/x.png")
    assert found.n_unmatched == 1
    assert found.notes == (
        "The pattern gives 2 groups.",
        "1 picture without a part that fits the pattern, each a group of its own: a/x.png.",
    )


def test_a_pattern_may_be_about_folders_and_may_hold_the_whole_name():
    assert named_groups(["p1/1.png", "p2/1.png"], "(.*)/").groups == ("p1", "p2")
    assert named_groups(["a", "b"], "(.*)").n_unmatched == 0


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("x" * 201, "The pattern has 201 signs; use at most 200"),
        ("(", r"The pattern '\(' is no regular expression \(missing \)"),
        ("P[0-9]+", "has 0 groups in parentheses; put exactly the part"),
        ("(P)([0-9]+)", "has 2 groups in parentheses"),
        ("(Q[0-9]+)", "fits none of the 2 names, such as P1.png, P2.png. Put the part that names"),
        ("(P)?x*$^", "fits none of the 2 names"),
        ("(a{1,99999999999})", "is no regular expression"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_in_words(pattern, message):
    with pytest.raises(DatasetError, match=message):
        named_groups(["P1.png", "P2.png"], pattern)


ENDLESS = "(?:a+)+([!])"
"""Tries every way to part a row of a's: twice as long for each a more."""


def test_a_pattern_that_takes_years_is_given_up_at_the_name_where_it_stood(monkeypatch):
    monkeypatch.setattr(groups, "SEARCH_SECONDS", 0.5)
    files = ["1!.png", "2.png", "a" * 45 + "0.png", "3.png"]
    with pytest.raises(DatasetError) as caught:
        named_groups(files, ENDLESS)
    assert str(caught.value) == (
        f"The pattern '{ENDLESS}' takes too long: after 0.5 s the search had not got past "
        f"{files[2]}. Use a simpler one, without a repeat inside a repeat, as in (P[0-9]+)_."
    )


def test_other_threads_go_on_while_a_pattern_takes_years(monkeypatch):
    monkeypatch.setattr(groups, "SEARCH_SECONDS", 0.5)
    thread = threading.Thread(target=lambda: give_up("a" * 45 + "0.png"))
    n_steps = 0
    thread.start()
    while thread.is_alive():
        n_steps += 1
        time.sleep(0.001)
    # Held up, this thread would come to its second step only when all is over.
    assert n_steps > 10


def give_up(file):
    with pytest.raises(DatasetError, match="takes too long"):
        named_groups([file], ENDLESS)


def test_a_pattern_is_searched_for_in_names_of_any_signs():
    files = ["é\u2028/P1_\n.png", '"P2_\r\n', "\udcffP3_\0.png"]
    assert named_groups(files, "(?s)(.*)_").groups == ("é\u2028/P1", '"P2', "\udcffP3")


# Groups that share a picture


def test_groups_that_share_a_picture_become_one_under_the_smallest_name():
    groups = ["c", "b", "b", "a", "d", "e"]
    assert joined_groups(groups, [[0, 1], [2, 3], [4]]) == ("a", "a", "a", "a", "d", "e")
    assert duplicate_links([0, 1, 0, 2, 1]) == [[0, 2], [1, 4]]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9)), min_size=1, max_size=30)
)  # fmt: skip
def test_joined_groups_part_neither_a_group_nor_a_cluster(rows):
    groups, clusters = zip(*rows, strict=True)
    joined = joined_groups(groups, duplicate_links(clusters))
    for keys in (groups, clusters):
        for key in set(keys):
            assert (
                len({name for name, other in zip(joined, keys, strict=True) if other == key}) == 1
            )
    assert set(joined) <= set(groups)


# Runs


def test_numbered_pictures_are_grouped_in_runs_and_others_stand_alone():
    # 70 pictures of seven looks; names sort as text as 1, 10, 11, …, 2: only numbers put them right
    files = [f"A/cell {n}.png" for n in range(70)] + ["A/x.png"]
    looks = np.repeat(np.arange(7) * 5.0 % 7, 10)
    looks = np.append(looks, 0)[:, None] + np.random.default_rng(0).normal(0, 0.1, (71, 3))
    order = np.random.default_rng(1).permutation(71)
    found = suspected_groups(
        [files[n] for n in order], ["A"] * 71, looks[order].astype(np.float32), order.tolist()
    )
    by_file = dict(zip([files[n] for n in order], found.groups, strict=True))
    assert by_file["A/cell 0.png"] == "A: A/cell #.png, run 1"
    assert len({by_file[f"A/cell {n}.png"] for n in range(10)}) == 1
    assert by_file["A/cell 9.png"] != by_file["A/cell 10.png"]
    assert by_file["A/x.png"] == "A/x.png"
    assert found.level == "run"
    assert found.n_runs == 7
    assert "70 of 71 pictures are numbered in an order that shows" in found.notes[0]


def test_a_near_duplicate_joins_runs_and_an_order_without_meaning_gives_none():
    looks = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    files = [f"A/{n}.png" for n in range(60)]
    clusters = list(range(60))
    clusters[7] = 3
    found = suspected_groups(files, ["A"] * 60, looks, clusters)
    assert found.level == "image"
    assert found.n_runs == 0
    assert "Nor does an order of their numbers show" in found.notes[0]
    assert "with near-duplicates joined there are 59 groups" in found.notes[0]
    assert len(set(found.groups)) == 59
    assert found.groups[7] == found.groups[3] == "A/3.png"


def test_two_classes_in_folders_called_by_numbers_keep_their_runs_apart():
    looks = np.repeat(np.arange(14) * 5.0 % 7, 10)[:, None].repeat(2, 1).astype(np.float32)
    files = [f"{label}/{n}.png" for label in "01" for n in range(70)]
    found = suspected_groups(files, ["0"] * 70 + ["1"] * 70, looks, range(140))
    assert not set(found.groups[:70]) & set(found.groups[70:])
