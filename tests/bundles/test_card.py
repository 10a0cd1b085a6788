"""The model card: all a reader needs to believe a figure, made of the spec alone."""

import json

import pytest

from leukemia_app.bundles.card import card, figure_table
from leukemia_app.bundles.spec import IMPORTED, Figure, NetworkSpec, ScopeSpec
from leukemia_app.imaging.recipe import Recipe
from tests.readings import spec_of

MACRO_F1 = {
    "name": "macro-F1", "value": 0.981, "low": 0.962, "high": 0.993, "part": "test", "n": 574,
    "n_groups": 17, "group_level": "run",
}  # fmt: skip


def figure(**changes: object) -> Figure:
    return Figure(**(MACRO_F1 | changes))


def rows_of(text: str) -> list[list[str]]:
    """Cells of a Markdown table's rows below its head, escaped bars kept."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.replace(r"\|", "¦").strip("|").split("|")]
            for line in lines]  # fmt: skip


def test_a_figure_stands_with_its_interval_part_and_number_of_groups():
    assert rows_of(figure_table([figure(note="by hand")])) == [
        ["macro-F1", "0.981", "0.962–0.993", "test", "574", "17 by run", "by hand"]
    ]


def test_what_is_not_defined_says_so():
    (row,) = rows_of(figure_table([figure(value=None, low=None, high=None)]))
    assert row[1:3] == ["not defined", "–"]


def test_a_bar_or_a_line_break_in_a_name_does_not_break_the_table():
    (row,) = rows_of(figure_table([figure(part="site|two\nslides", note="a|b")]))
    assert row[3] == "site¦two slides"
    assert row[6] == "a¦b"
    assert len(row) == 7


def test_every_figure_stands_under_the_heading_of_its_kind():
    kinds = {
        "result": "## Figures", "robustness": "## Under disturbances",
        "control": "## Controls: what else gives the class away",
        "scope": "## Scope: what is referred",
    }  # fmt: skip
    text = card(spec_of(figures=tuple(figure(kind=kind, note=f"a {kind}") for kind in kinds)))
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}
    for kind, heading in kinds.items():
        (row,) = rows_of(sections[heading.removeprefix("## ")])
        assert row[6] == f"a {kind}"


def test_a_kind_without_figures_has_no_heading():
    text = card(spec_of(figures=(figure(),)))
    assert "## Figures" in text
    assert "## Under disturbances" not in text


def test_the_front_matter_is_what_a_hub_reads():
    # Its lines are `key: value`, and a JSON string is a YAML string.
    _, front, _ = card(spec_of(licence='cc-by "4.0": yes')).split("---\n", 2)
    values = dict(line.split(": ", 1) for line in front.splitlines())
    assert json.loads(values["license_name"]) == 'cc-by "4.0": yes'
    assert values["library_name"] == "keras"
    assert values["pipeline_tag"] == "image-classification"


def test_the_card_says_what_the_model_is_for_and_what_not():
    text = card(spec_of())
    assert "# Fields, four classes\n\nReads marrow fields." in text
    assert "Research use only" in text
    assert "## Intended use\n\nTeaching.\n\n**Not for:** Patients." in text
    assert "- **Early**: meaning of Early" in text


def test_the_card_says_what_it_learned_from_and_how_it_was_split():
    text = card(spec_of(
        data={"name": "Set", "source": "Site", "licence": "CC0", "limits": "One camera."},
        split={"level": "patient", "parts": {"train": {"pictures": 20, "groups": 6}}},
    ))  # fmt: skip
    assert "Set. Source: Site. Licence: CC0." in text
    assert "Split by patient:\n\n- train: 20 pictures, 6 groups\n\nOne camera." in text


def test_the_card_says_how_it_decides():
    text = card(spec_of(temperature=1.3, threshold=0.6, scope=ScopeSpec(file="s.npz", limit=1.5)))
    assert "Temperature 1.300. Refers under a top probability of 0.600. Scope limit 1.500." in text
    assert "Answers" not in text


def test_the_card_of_two_labels_says_where_the_second_begins():
    two = spec_of().labels[:2]
    text = card(spec_of(labels=two, positive_threshold=0.31, scope=None))
    assert "Answers Early from a probability of 0.310 for it on." in text
    assert "Scope limit" not in text


def test_the_card_says_how_it_is_made_again():
    text = card(spec_of(parents=("imagenet.weights.h5",)))
    assert "```\npython -m leukemia_app train DATA\n```\n\nSeed 7. keras 3.15.1." in text
    assert "Started from: imagenet.weights.h5." in text


def test_the_card_says_where_the_settings_of_its_command_are():
    text = card(spec_of(training={"command": "train --config x.json", "config": {}, "seed": 3}))
    assert "names is `training.config` in bundle.json. Seed 3." in text


def test_the_card_of_an_imported_model_says_what_is_not_known_of_it():
    text = card(spec_of(
        split={}, training={"command": "imported from a.keras"}, scope=None,
        recipe=Recipe(input="field", side_px=64, scaling="none", interpolation="bilinear"),
        network=NetworkSpec(backbone=IMPORTED, head=IMPORTED,
                            backbone_arguments={"scaling": "unit", "colour": "rgb"}),
    ))  # fmt: skip
    assert "How the pictures were split is not stated." in text
    assert "Split by" not in text
    assert "Seed" not in text
    assert "Brought in from a Keras file. A picture is stretched to 64 × 64 px, bilinear; " in text
    assert "; values from 0 to 1 (divided by 255)." in text
    assert "- scaling: none (the network scales its input itself)\n" in text


@pytest.mark.parametrize("word", ["confidence", "healthy", "AI detected"])
def test_the_card_promises_nothing(word):
    assert word not in card(spec_of())


def test_what_nobody_stated_of_the_pictures_leaves_no_holes():
    text = card(spec_of(data={"name": "", "source": "", "licence": "CC0", "limits": ""}))
    assert "\nLicence: CC0.\n" in text
    assert "were not stated." in card(spec_of(data={}))
