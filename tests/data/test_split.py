import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.manifest import Row
from leukemia_app.data.split import SHARES, fold_groups, split_groups, split_rows

GROUPS = st.lists(
    st.tuples(st.sampled_from("ABCDEFGH"), st.sampled_from(["all", "hem"])), min_size=1, max_size=60
)


@given(rows=GROUPS, n_folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_folds_never_part_a_group(rows, n_folds, seed):
    groups, labels = zip(*rows, strict=True)
    folds = fold_groups(groups, labels, n_folds, seed)
    for group in set(groups):
        mine = np.array(groups) == group
        assert len(set(folds[mine].tolist())) == 1
    assert set(folds.tolist()) <= set(range(n_folds))


@given(rows=GROUPS, seed=st.integers(0, 99))
def test_parts_never_share_a_group(rows, seed):
    groups, labels = zip(*rows, strict=True)
    part = split_groups(groups, labels, (0.7, 0.1, 0.2), seed)
    for group in set(groups):
        mine = np.array(groups) == group
        assert len(set(part[mine].tolist())) == 1
    assert set(part.tolist()) <= {0, 1, 2}


def test_folds_hold_near_even_numbers_of_each_class():
    # 20 patients with 10 pictures each, half of them of each class, in 5 folds: 4 patients a fold,
    # two of each class.
    groups = [f"p{number // 10}" for number in range(200)]
    labels = ["all" if number < 100 else "hem" for number in range(200)]
    folds = fold_groups(groups, labels, 5, 0)
    for fold in range(5):
        assert (np.array(labels)[folds == fold] == "all").sum() == 20
        assert (folds == fold).sum() == 40


def test_parts_of_single_pictures_have_the_fractions_asked_for():
    names = [str(number) for number in range(200)]
    part = split_groups(names, ["x"] * 200, (0.7, 0.1, 0.2), 3)
    # 0.7, 0.1 and 0.2 of 200
    assert np.bincount(part).tolist() == [140, 20, 40]


@given(
    sizes=st.dictionaries(
        st.sampled_from(["Benign", "Early", "Pre"]),
        st.lists(st.integers(1, 12), min_size=3, max_size=9), min_size=1,
    ),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_a_label_with_three_groups_stands_in_all_three_parts(sizes, seed):
    rows = [
        (f"{label} {number}", label)
        for label, groups in sizes.items()
        for number, size in enumerate(groups)
        for _ in range(size)
    ]
    groups, labels = zip(*rows, strict=True)
    part = split_groups(groups, labels, (0.7, 0.1, 0.2), seed)
    for label in sizes:
        assert set(part[np.array(labels) == label].tolist()) == {0, 1, 2}


def test_a_label_of_large_groups_and_one_of_small_groups_are_split_alike():
    # 15 groups of 10 and 15 of 5: by tenths of 15 that is ten, two and three groups of each.
    groups = [f"A{number // 10}" for number in range(150)]
    groups += [f"B{number // 5}" for number in range(75)]
    labels = np.array(["A"] * 150 + ["B"] * 75)
    part = split_groups(groups, labels.tolist(), (0.7, 0.1, 0.2), 0)
    assert np.bincount(part[labels == "A"]).tolist() == [100, 20, 30]
    assert np.bincount(part[labels == "B"]).tolist() == [50, 10, 15]


def test_a_label_with_one_group_goes_to_the_largest_part():
    assert split_groups(["g"] * 3, ["x"] * 3, (0.1, 0.7, 0.2), 0).tolist() == [1, 1, 1]


def test_a_seed_gives_one_split_and_another_seed_another():
    names = [str(number) for number in range(100)]
    first, again, other = (fold_groups(names, ["x"] * 100, 5, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_a_rare_label_beside_a_frequent_one_in_mixed_groups_stands_in_all_parts():
    # Every patient has normal cells, three have a few blasts too: one patient a part.
    groups = [f"p{number // 10}" for number in range(200)]
    labels = ["blast" if number < 60 and number % 10 < 2 else "normal" for number in range(200)]
    part = split_groups(groups, labels, (0.64, 0.16, 0.2), 0)
    assert set(part[np.array(labels) == "blast"].tolist()) == {0, 1, 2}


# Rows with and without parts of their own

LABELS = st.sampled_from(["all", "hem", "Pre"])
ROWS = st.lists(
    st.tuples(st.sampled_from("ABCDEFGH"), LABELS, st.sampled_from(["", "train", "val", "test"])),
    min_size=1, max_size=50,
)  # fmt: skip


def made(cells):
    return [
        Row(file=f"{number}.png", label=label, group=group, part=part)
        for number, (group, label, part) in enumerate(cells)
    ]


@given(cells=ROWS, seed=st.integers(0, 99), keep=st.booleans())
def test_no_group_stands_on_two_sides_and_no_picture_is_lost(cells, seed, keep):
    rows = made(cells)
    split = split_rows(rows, seed, keep_parts=keep)
    parts = {}
    for row in split.rows:
        assert row.part in ("train", "val", "test")
        assert parts.setdefault(row.group, row.part) == row.part
    files = [row.file for row in (*split.rows, *split.left_out)]
    assert sorted(files) == sorted(row.file for row in rows)
    assert keep or not split.left_out


@given(cells=ROWS, seed=st.integers(0, 99))
def test_given_test_pictures_stay_in_the_test_part(cells, seed):
    rows = made(cells)
    kept = {row.file: row.part for row in split_rows(rows, seed).rows}
    assert all(kept[row.file] == "test" for row in rows if row.part == "test")
    clean = {row.file for row in rows if row.part == "val"} & kept.keys()
    assert all(kept[file] == "val" for file in clean)


@given(
    sizes=st.dictionaries(LABELS, st.lists(st.integers(1, 12), min_size=1, max_size=9), min_size=1),
    seed=st.integers(0, 99),
)
def test_a_label_with_three_groups_is_in_every_part_and_any_other_is_named(sizes, seed):
    rows = made((f"{label} {n}", label, "") for label, groups in sizes.items()
                for n, size in enumerate(groups) for _ in range(size))  # fmt: skip
    split = split_rows(rows, seed)
    for label, groups in sizes.items():
        parts = {row.part for row in split.rows if row.label == label}
        said = any(note.startswith(f"{label} has pictures of") for note in split.notes)
        assert (len(parts) == 3) == (not said)
        assert len(groups) < 3 or len(parts) == 3


def test_shares_are_64_16_and_20_of_a_hundred():
    split = split_rows(made((str(n), "all", "") for n in range(100)), 0)
    parts = [row.part for row in split.rows]
    assert [parts.count(part) for part in ("train", "val", "test")] == [64, 16, 20]
    assert split.notes == ()


def test_what_is_missing_is_cut_from_train():
    # Of 80 training pictures a fifth, 16, becomes val; the 20 test pictures stay.
    cells = [(str(n), "all", "train" if n < 80 else "test") for n in range(100)]
    split = split_rows(made(cells), 0)
    parts = [row.part for row in split.rows]
    assert [parts.count(part) for part in ("train", "val", "test")] == [64, 16, 20]
    assert parts[80:] == ["test"] * 20
    assert split.notes == (
        "The parts that came with the data have no val: it was cut from the rest, by group.",
    )


def test_a_group_in_two_given_parts_leaves_the_less_strict_one():
    cells = [("p1", "all", "train"), ("p1", "all", "test"), ("p2", "all", "train"),
             ("p3", "all", "val"), ("p3", "all", "train"), ("p4", "all", "test"),
             ("p1", "all", "")]  # fmt: skip
    split = split_rows(made(cells), 0)
    assert [row.file for row in split.left_out] == ["0.png", "4.png"]
    assert {row.file: row.part for row in split.rows} == {
        "1.png": "test", "2.png": "train", "3.png": "val", "5.png": "test", "6.png": "test"
    }  # fmt: skip
    assert split.notes == (
        "2 groups in more than one of the parts that came with the data; 2 pictures left out of "
        "train or val, so that none is.",
        "More was left out than is left to learn from: have the split made anew.",
    )


def test_given_parts_can_be_set_aside():
    cells = [(str(n), "all", "train" if n < 50 else "test") for n in range(100)]
    parts = [row.part for row in split_rows(made(cells), 0, keep_parts=False).rows]
    assert [parts.count(part) for part in ("train", "val", "test")] == [64, 16, 20]


def test_a_label_with_too_few_groups_is_named():
    cells = [(f"a{n}", "all", "") for n in range(9)] + [("h1", "hem", ""), ("h2", "hem", "")]
    split = split_rows(made(cells), 0)
    assert split.notes == (
        "hem has pictures of 2 groups and none in val; every part needs a group of its own.",
    )


def test_nothing_to_split_is_no_error():
    assert split_rows([], 0).rows == ()


def test_another_seed_moves_groups_of_unlike_sizes():
    sizes = (40, 30, 21, 15, 11, 8, 6, 5, 4, 3, 2)
    groups = [f"{label}{number}" for label in "ab" for number, n in enumerate(sizes)
              for _ in range(n)]  # fmt: skip
    labels = [group[0] for group in groups]
    tests = set()
    for seed in range(8):
        parts = split_groups(groups, labels, SHARES, seed)
        tests.add(frozenset(group for group, part in zip(groups, parts, strict=True) if part == 2))
        for label in "ab":
            held = [int(parts[i]) for i in range(len(parts)) if labels[i] == label]
            assert abs(held.count(2) / len(held) - SHARES[2]) < 0.15
    assert len(tests) >= 5
