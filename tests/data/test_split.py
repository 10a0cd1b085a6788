import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data.split import fold_groups, split_groups

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
