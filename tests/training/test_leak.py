"""What a random split by picture promises too much."""

from dataclasses import asdict

import numpy as np
import pytest

from leukemia_app.data.manifest import Row
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.networks.build import build_network
from leukemia_app.training.job_folder import Stopped
from leukemia_app.training.leak import LeakWish, check_groups, compare_splits, measure_leak
from leukemia_app.training.reading import PictureReader
from tests.tiny_runs import draw_set

WISH = LeakWish(start="file:x", folds=4)


def rows(n_groups=16, per_group=6, n_test=4):
    """Two classes; the last groups are the test part."""
    return [
        Row(file=f"{group}-{number}", label="ab"[group % 2], group=str(group),
            part="test" if group >= n_groups - n_test else "train")
        for group in range(n_groups) for number in range(per_group)
    ]  # fmt: skip


def fingerprints(given, n_features=40, seed=0):
    """Features that name the group and nothing else: what leakage is."""
    rng = np.random.default_rng(seed)
    prints = {row.group: rng.normal(0, 3, n_features) for row in given}
    return np.array([prints[row.group] + rng.normal(0, 0.3, n_features) for row in given],
                    np.float32)  # fmt: skip


def test_features_that_only_name_the_patient_score_on_the_image_split_alone():
    given = rows()
    found = compare_splits(given, fingerprints(given), WISH, group_level="patient")
    assert found.image.value == pytest.approx(1.0, abs=0.01)
    assert found.group.value is not None
    assert found.group.value < 0.8
    assert found.gain.value == pytest.approx(found.image.value - found.group.value)
    assert found.gain.low is not None
    assert found.gain.low > 0
    assert "comes from patients that were seen before" in found.sentence


def test_features_of_the_class_score_alike_on_both():
    given = rows()
    rng = np.random.default_rng(0)
    values = np.array([[2.0 * (row.label == "b") + rng.normal(0, 1)] for row in given], np.float32)
    found = compare_splits(given, values, WISH, group_level="patient")
    assert found.gain.value == pytest.approx(0, abs=0.05)
    assert "no difference beyond chance" in found.sentence


def test_samples_that_all_agree_give_no_interval():
    given = rows()
    apart = np.array([[20.0 * (row.label == "b")] for row in given], np.float32)
    found = compare_splits(given, apart, WISH, group_level="patient")
    assert vars(found.gain) == {"value": 0, "low": None, "high": None}
    assert "too few or too alike to say more" in found.sentence


def test_the_test_part_is_scored_once_and_never_cross_validated():
    given = rows()
    found = compare_splits(given, fingerprints(given), WISH, group_level="run")
    assert (found.n_pictures, found.n_groups) == (72, 12)
    assert (found.n_test, found.n_test_groups) == (24, 4)
    assert found.test is not None
    without = [row for row in given if row.part != "test"]
    assert compare_splits(without, fingerprints(without), WISH, group_level="run").test is None


def test_no_more_folds_than_the_class_with_the_fewest_groups_has():
    given = rows(n_groups=6, n_test=0)
    assert compare_splits(given, fingerprints(given), WISH, group_level="run").folds == 3


def test_two_groups_give_no_interval():
    given = rows(n_groups=4, n_test=0)
    found = compare_splits(given, fingerprints(given), WISH, group_level="run")
    assert found.folds == 2
    assert set(asdict(found)["gain"]) == {"value", "low", "high"}


def test_json_names_both_figures():
    given = rows()
    values = compare_splits(given, fingerprints(given), WISH, group_level="patient").to_dict()
    assert set(values["image"]) == set(values["group"]) == {"value", "low", "high"}
    assert values["wish"]["backbone"] == "mobilenet"


def test_without_groups_there_is_nothing_to_compare():
    with pytest.raises(DatasetError, match="No patient, slide or run is known"):
        check_groups(rows(), "image")


def test_one_group_of_a_class_is_too_few():
    given = [row for row in rows() if row.label == "a" or row.group == "1"]
    with pytest.raises(DatasetError, match="b has 1 groups outside the test part"):
        check_groups(given, "patient")


def test_a_stop_ends_it():
    given = rows()
    with pytest.raises(Stopped):
        compare_splits(given, fingerprints(given), WISH, group_level="run",
                       should_stop=lambda: True)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backbone": "lenet"}, "backbone is 'lenet'; use one of baseline_cnn"),
        ({"start": "none"}, "random features say nothing"),
        ({"folds": 1}, "folds is 1; use 2 to 20"),
        ({"window": 2.0}, "window is 2.0; use 0.1 to 1"),
        ({"side_px": "big"}, "side_px is 'big'"),
    ],
)
def test_a_wish_that_cannot_be_measured_is_refused(changes, said):
    with pytest.raises(RunError, match=said):
        LeakWish(**changes)


def test_a_wish_comes_back_from_json():
    wish = LeakWish(backbone="vgg16", start="bundle:x", side_px=96, window=0.5)
    assert LeakWish.from_dict(asdict(wish)) == wish
    assert wish.recipe.scaling == "caffe"
    assert LeakWish(backbone="inceptionv3").recipe.side_px == 299
    with pytest.raises(RunError, match="unknown keys: colour"):
        LeakWish.from_dict({"colour": 1})


def test_real_pictures_are_measured_and_a_missing_one_is_named(tmp_path):
    draw_set(tmp_path)
    network = build_network("baseline_cnn", "plain", side_px=32, n_outputs=1)
    weights = tmp_path / "start.weights.h5"
    network.backbone.save_weights(weights)
    given = [
        Row(file=f"{label}/{patient}-{number}.png", label=label, group=f"{label}{patient}",
            part="train")
        for label in ("normal", "blast") for patient in range(4) for number in range(3)
    ]  # fmt: skip
    (tmp_path / given[5].file).unlink()
    events = []
    reader = PictureReader(folder=tmp_path, report=lambda kind, **told: events.append((kind, told)))
    wish = LeakWish(backbone="baseline_cnn", start=f"file:{weights}", side_px=32, folds=2)
    found = measure_leak(reader, given, wish, group_level="patient")
    assert found.n_pictures == 23
    assert [problem.file for problem in found.problems] == [given[5].file]
    assert found.group.value is not None
    assert events[-1] == ("features", {"done": 24, "total": 24})


def test_a_start_that_is_not_there_is_named(tmp_path):
    draw_set(tmp_path)
    given = [
        Row(file=f"{label}/{patient}-0.png", label=label, group=f"{label}{patient}", part="train")
        for label in ("normal", "blast") for patient in range(4)
    ]  # fmt: skip
    wish = LeakWish(backbone="baseline_cnn", start="file:nowhere.weights.h5", side_px=32)
    with pytest.raises(RunError, match=r"nowhere\.weights\.h5 is not there"):
        measure_leak(PictureReader(folder=tmp_path), given, wish, group_level="patient")
