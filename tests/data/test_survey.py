"""All findings together: what a person reads first, the worst first."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from leukemia_app.data.grouping import Grouping
from leukemia_app.data.health import LEVELS, MAX_FLAGS, Control, Measure, Problem
from leukemia_app.data.layouts import Found
from leukemia_app.data.manifest import Row
from leukemia_app.data.split import Split
from leukemia_app.data.survey import SHOWN, Survey, build_health
from leukemia_app.imaging.quality import Finding
from tests.data.test_findings import entry, facts

BLURRED = Finding(kind="blurred", sentence="It is soft.", refer=False)


def survey(labels, parts, *, groups=None, clusters=None, level="patient", **changes):
    """One picture for each label, each its own group unless `groups` says otherwise."""
    entries = tuple(entry(number, label) for number, label in enumerate(labels))
    groups = groups or [f"p{number}" for number in range(len(labels))]
    rows = tuple(
        Row(file=item.file, label=item.label, group=group, part=part)
        for item, group, part in zip(entries, groups, parts, strict=True)
    )
    made = Survey(
        found=Found(folder=Path("x"), entries=entries, layout="class folders", group_level=level,
                    ignored={"hidden files": 2}, choices=(), notes=("From the layout.",),
                    labels={}),
        entries=entries, facts=tuple(facts(number) for number in range(len(labels))),
        clusters=np.asarray(clusters if clusters is not None else range(len(labels))),
        named=tuple(groups), grouping=Grouping(rows=rows, level=level, notes=("From groups.",)),
        split=Split(rows=rows, left_out=(), notes=()),
    )  # fmt: skip
    return replace(made, **changes)


def even(n=40):
    labels = ["a", "b"] * (n // 2)
    parts = ["train"] * (n - 8) + ["val"] * 4 + ["test"] * 4
    return labels, parts


def texts(health, level):
    return [note.text for note in health.notes if note.level == level]


def control(verdict):
    unknown = Measure(value=None, low=None, high=None)
    return Control(name="colour", seen="colour", verdict=verdict, sentence=f"It is {verdict}.",
                   n_learn=1, n_test=1, n_test_groups=1, auroc=unknown, balanced_accuracy=unknown,
                   macro_f1=unknown, across=unknown)  # fmt: skip


def test_a_sound_data_set_has_nothing_but_plain_notes():
    labels, parts = even(80)
    health = build_health("set", survey(labels, parts), [], [control("clear")])
    assert {note.level for note in health.notes} == {"plain"}
    told = " ".join(texts(health, "plain"))
    assert "From the layout. From groups. No two pictures show the same thing." in told
    assert "train: 72 pictures of 72 patients" in told


def test_counts_of_classes_parts_and_files():
    labels, parts = even()
    health = build_health("set", survey(labels, parts), [], [])
    assert [(item.label, item.n_pictures, item.n_groups) for item in health.classes] == [
        ("a", 20, 20), ("b", 20, 20),
    ]  # fmt: skip
    assert all(len(item.shown) == SHOWN for item in health.classes)
    assert health.split.parts["test"].pictures_by_label == {"a": 2, "b": 2}
    assert (health.n_found, health.n_read, health.n_groups) == (40, 40, 40)
    assert health.formats == {"PNG": 40}


def test_the_same_picture_in_two_classes_is_the_first_thing_said():
    labels, parts = even()
    clusters = [0, 0, *range(2, 40)]
    health = build_health("set", survey(labels, parts, clusters=clusters), [], [])
    assert "1 set of pictures that show the same thing stand in two classes" in health.notes[0].text
    assert "0.png, 1.png in a and b" in health.notes[0].text
    assert health.notes[0].level == "red"


def test_a_copy_in_the_test_part_is_red():
    labels, parts = even()
    clusters = [*range(39), 1]  # picture 39 is of the test part, 1 of train
    health = build_health("set", survey(labels, parts, clusters=clusters), [], [])
    assert any("the test part is not new" in text for text in texts(health, "red"))
    assert any("p1 = p39" in text for text in texts(health, "amber"))


def test_a_class_that_is_not_in_a_part_is_red():
    health = build_health("set", survey(["a", "a", "b", "b"], ["train", "test", "val", "test"]),
                          [], [])  # fmt: skip
    assert "No picture of b is in the train part: it cannot be learned." in texts(health, "red")


def test_one_class_is_too_few():
    health = build_health("set", survey(["a"] * 3, ["train", "val", "test"]), [], [])
    assert any("one class only" in text for text in texts(health, "red"))
    assert "one class only" in health.balance
    assert not any("even" in note.text for note in health.notes)


def test_one_group_of_a_class_in_the_test_part_is_told():
    health = build_health("set", survey(["a", "a", "b", "b"], ["train", "test", "train", "test"]),
                          [], [])  # fmt: skip
    told = "The test part has a single patient of each of these classes: a, b."
    assert any(text.startswith(told) for text in texts(health, "amber"))


def test_controls_are_told_by_their_verdict():
    labels, parts = even()
    given = [control("red"), control("amber"), control("clear"), control("open")]
    health = build_health("set", survey(labels, parts), [], given)
    assert "It is red." in texts(health, "red")
    assert "It is amber." in texts(health, "amber")
    assert not any("clear" in note.text or "open" in note.text for note in health.notes)


def test_unreadable_files_and_faults_are_counted_and_named():
    labels, parts = even()
    made = survey(labels, parts)
    spoilt = tuple(replace(item, findings=(BLURRED,)) for item in made.facts[:15])
    problems = [Problem(file="z.png", reason="z.png is cut short."),
                Problem(file="b.png", reason="b.png is empty.")]  # fmt: skip
    health = build_health("set", replace(made, facts=(*spoilt, *made.facts[15:])), problems, [])
    told = " ".join(texts(health, "amber"))
    assert "2 files cannot be read and will be left out: b.png, z.png." in told
    assert "Pictures with faults: 15 blurred." in told
    assert [problem.file for problem in health.problems] == ["b.png", "z.png"]
    assert len(health.flags) == 15


def test_few_pictures_and_few_patients_are_told():
    labels, parts = even()
    groups = ["p", "q"] * 20
    health = build_health("set", survey(labels, parts, groups=groups), [], [])
    told = texts(health, "amber")
    assert "a has 20 pictures only; figures for it will be uncertain." in told
    assert "a has 1 patient only; figures for it will be uncertain." in told


def test_without_groups_every_figure_is_called_optimistic():
    labels, parts = even()
    health = build_health("set", survey(labels, parts, level="image"), [], [])
    assert any("image-level, optimistic" in text for text in texts(health, "amber"))


def test_notes_come_by_level():
    labels, parts = even()
    health = build_health("set", survey(labels, parts, clusters=[0, 0, *range(2, 40)]), [],
                          [control("amber")])  # fmt: skip
    order = [LEVELS.index(note.level) for note in health.notes]
    assert order == sorted(order)
    assert set(order) == {0, 1, 2}


def test_what_is_shown_is_named_once_and_bounded():
    labels, parts = even()
    made = survey(labels, parts, clusters=[0] * 40)
    spoilt = tuple(replace(item, findings=(BLURRED,)) for item in made.facts)
    health = build_health("set", replace(made, facts=spoilt), [], [])
    assert len(set(health.shown)) == len(health.shown)
    # 12 of each class; of the blurred ones the first 12, of which a and b alternate: no more than
    # these and three of the twins.
    assert len(health.shown) <= 2 * SHOWN + MAX_FLAGS + 3


def test_json_holds_plain_values():
    import json

    labels, parts = even()
    values = build_health("set", survey(labels, parts), [], [control("red")]).to_dict()
    assert json.loads(json.dumps(values))["controls"][0]["verdict"] == "red"
    assert values["format_version"] == 1
