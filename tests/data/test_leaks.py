import json

from leukemia_app.data.leaks import alone_words, leak_report
from leukemia_app.data.manifest import Row


def rows(*cells):
    return [
        Row(file=f"{n}.png", label=label, group=group, part=part)
        for n, (label, group, part) in enumerate(cells)
    ]


def test_a_clean_split_is_counted_and_called_clean():
    report = leak_report(
        rows(("all", "p1", "train"), ("hem", "p1", "train"), ("all", "p2", "test")),
        "patient", [0, 1, 2],
    )  # fmt: skip
    assert report.is_clean
    assert list(report.parts) == ["train", "test"]
    assert report.parts["train"].n_pictures == 2
    assert report.parts["train"].n_groups == 1
    assert report.parts["train"].pictures_by_label == {"all": 1, "hem": 1}
    assert report.parts["test"].groups_by_label == {"all": 1}
    assert report.notes == (
        "train: 2 pictures of 1 patient; test: 1 picture of 1 patient.",
        "No patient stands in two parts.",
        "No picture has a near-duplicate in another part.",
    )


def test_groups_and_copies_on_two_sides_are_named():
    report = leak_report(
        rows(("all", "p1", "train"), ("all", "p1", "test"), ("all", "p2", "val")),
        "run", [5, 5, 7],
    )  # fmt: skip
    assert not report.is_clean
    assert report.shared_groups == ("p1",)
    assert report.shared_duplicates == (("0.png", "1.png"),)
    assert report.notes[1:] == (
        "1 group in more than one part: p1. Figures are optimistic.",
        "1 picture with a near-duplicate in another part: 0.png = 1.png.",
    )


def test_classes_with_one_group_in_the_test_part_are_named():
    report = leak_report(
        rows(("all", "p1", "test"), ("all", "p1", "test"), ("hem", "p2", "test"),
             ("hem", "p3", "test"), ("hem", "p4", "train")),
        "run", [0, 1, 2, 3, 4],
    )  # fmt: skip
    assert report.alone == ("all",)
    assert alone_words(report.alone, "run").startswith(
        "The test part has a single group of the class all. Figures and intervals there say "
        "nothing of other groups."
    )
    assert alone_words((), "patient") == ""
    assert leak_report(rows(("all", "p1", "train")), "patient", [0]).alone == ()


def test_a_split_by_image_is_called_optimistic():
    report = leak_report(rows(("a", "0.png", "train"), ("a", "1.png", "test")), "image", [0, 1])
    assert report.notes[0] == "train: 1 picture; test: 1 picture."
    assert "every figure is optimistic" in report.notes[1]


def test_the_report_goes_into_json():
    report = leak_report(rows(("a", "g", "train"), ("a", "g", "test")), "run", [0, 0])
    kept = json.loads(json.dumps(report.to_dict()))
    assert kept["shared_duplicates"] == [["0.png", "1.png"]]
    assert kept["parts"]["test"]["n_groups"] == 1
