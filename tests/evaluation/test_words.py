"""Sentences: every figure with its split, every share with its interval."""

import pytest

from leukemia_app.bundles.reading import Decision
from leukemia_app.bundles.spec import IMPORTED, Figure, NetworkSpec
from leukemia_app.evaluation import words
from leukemia_app.evaluation.smear import Count, SmearSummary
from tests.readings import MORPHOLOGY, reading_of, spec_of


def figure_of(**changes: object) -> Figure:
    values = {"name": "AUROC", "value": 0.8, "low": 0.7, "high": 0.9, "part": "test", "n": 900,
              "n_groups": 12, "group_level": "patient"}  # fmt: skip
    return Figure(**(values | changes))


def test_a_figure_is_never_without_its_interval_and_split():
    assert words.figure_line(figure_of()) == "AUROC 0.800 (0.700–0.900) by patient"


def test_a_figure_of_an_image_split_is_called_optimistic():
    assert words.figure_line(figure_of(group_level="image")).endswith("image-level, optimistic")


def test_an_undefined_figure_is_not_a_number():
    undefined = figure_of(value=None, low=None, high=None)
    assert words.figure_line(undefined) == "AUROC: not defined"
    assert words.figure_cells(undefined)[:2] == ("not defined", "–")


def test_a_control_says_that_it_is_one():
    assert words.figure_cells(figure_of(kind="control", note="colour only"))[4] == (
        "control; colour only"
    )


def test_a_split_of_its_own_is_not_called_the_model_s():
    assert words.figure_cells(figure_of())[3].startswith("test, ")
    other = figure_of(part="random image split", group_level="patient")
    assert words.figure_cells(other)[3] == "random image split"


def test_the_main_figure_is_the_first_result_on_test_pictures():
    validation = figure_of(part="validation", value=0.99)
    control = figure_of(kind="control", value=0.95)
    spec = spec_of(figures=(control, validation, figure_of()))
    assert words.main_figure(spec) == figure_of()
    assert words.main_figure(spec_of(figures=(control, validation))) == validation
    assert words.main_figure(spec_of(figures=(control,))) is None


def test_auroc_speaks_for_two_classes():
    auroc, macro_f1 = figure_of(name="AUROC"), figure_of(name="macro-F1")
    two = spec_of().labels[:2]
    assert words.main_figure(spec_of(figures=(macro_f1, auroc), labels=two)) == auroc
    assert words.main_figure(spec_of(figures=(macro_f1, auroc))) == macro_f1


def test_beside_the_main_figure_stands_what_colour_or_size_alone_reach_on_the_same_part():
    controls = [
        figure_of(name=f"AUROC, {name}", value=value, kind="control")
        for name, value in (("colour histogram alone", 0.786), ("cell area alone", 0.753),
                            ("background alone, cells blanked (frozen features)", 0.61))
    ]  # fmt: skip
    elsewhere = figure_of(name="AUROC, cell area alone", value=0.9, kind="control", part="folds")
    other = figure_of(name="macro-F1, cell area alone", value=0.9, kind="control")
    spec = spec_of(figures=(figure_of(), *controls, elsewhere, other))
    assert words.headline(spec) == (
        "AUROC 0.800 (0.700–0.900) by patient · "
        "colour alone 0.786, size alone 0.753, background alone 0.610"
    )


def test_without_controls_the_headline_is_the_figure_alone():
    undefined = figure_of(name="AUROC, cell area alone", value=None, kind="control")
    spec = spec_of(figures=(figure_of(), undefined))
    assert words.headline(spec) == "AUROC 0.800 (0.700–0.900) by patient"
    assert words.headline(spec_of(figures=())) is None


def test_macro_f1_speaks_before_accuracy():
    accuracy, macro_f1 = figure_of(name="accuracy"), figure_of(name="macro-F1")
    assert words.main_figure(spec_of(figures=(accuracy, macro_f1))) == macro_f1
    assert words.main_figure(spec_of(figures=(accuracy,))) == accuracy


def test_a_split_by_image_counts_no_groups():
    split = {"level": "image", "parts": {"test": {"pictures": 90, "groups": 90}}}
    assert words.split_words(spec_of(split=split)) == "image-level, optimistic: test 90 pictures"


def test_a_split_that_nobody_stated_is_not_called_by_any_name():
    assert words.split_words(spec_of(split={})) == "not stated"
    assert dict(words.fact_rows(spec_of(split={}, parents=())))["From"] == "not stated"
    assert dict(words.fact_rows(spec_of(parents=())))["From"] == "no other model"


def test_the_facts_say_how_a_picture_becomes_input():
    facts = dict(words.fact_rows(spec_of()))
    assert facts["Input"].startswith("stretched to 160 × 160 px, averaged where it shrinks")
    assert facts["Network"] == "mobilenet, attention head, 160 × 160 px"
    imported = NetworkSpec(backbone=IMPORTED, head=IMPORTED, backbone_arguments={"scaling": "unit"})
    facts = dict(words.fact_rows(spec_of(network=imported)))
    assert facts["Network"] == "brought in from a Keras file, 160 × 160 px"
    assert facts["Input"].endswith("values from 0 to 1 (divided by 255)")


def test_limits_of_the_data_are_told():
    facts = dict(words.fact_rows(spec_of(data={"name": "X", "limits": "No patients named."})))
    assert facts["Limits"] == "No patients named."
    assert facts["Trained on"] == "X"


def test_the_summary_reads_as_in_the_field():
    counts = (Count(label="Benign", k=3, n=20),)
    summary = SmearSummary(counts=counts, referred=Count(label="refer", k=1, n=21))
    assert words.summary_sentence(summary) == (
        "Benign: 3 of 20 answered pictures, 15 %, 95 % interval 5–36 %. "
        "Count 63 more to halve the interval. "
        "1 of 21 was referred to an expert and not counted in the shares."
    )


def test_a_summary_without_answers_tells_the_referrals_alone():
    summary = SmearSummary(counts=(), referred=Count(label="refer", k=4, n=4))
    assert words.summary_sentence(summary) == "4 of 4 were referred to an expert."


def test_a_summary_without_referrals_says_so():
    summary = SmearSummary(
        counts=(Count(label="Pro", k=2, n=2),), referred=Count(label="refer", k=0, n=2)
    )
    assert words.summary_sentence(summary).endswith("None was referred to an expert.")


def test_what_was_not_measured_is_left_out():
    names = [name for name, _ in words.measures(MORPHOLOGY | {"nc_ratio": None})]
    assert names == ["area", "cell roundness", "nucleus roundness", "solidity"]


@pytest.mark.parametrize(("cells", "title"), [(1, "The cell"), (7, "Main cell of 7 found"),
                                              (None, "The cell")])  # fmt: skip
def test_the_heading_counts_the_cells(cells: int | None, title: str):
    assert words.cells_title(reading_of(cells=cells)) == title


def test_time_is_the_sum_of_all_steps():
    assert words.seconds(reading_of(ms={"decode": 20, "model": 100})) == "0.12 s on CPU"


def test_the_top_class_is_named_with_its_probability():
    reading = reading_of(decision=Decision(kind="refer", label="Early"))
    assert words.top_class(reading) == (
        "“Pro” has 71.3 %, less than this model needs to answer so; that leaves “Early” (18.0 %)."
    )
    top = reading_of(decision=Decision(kind="refer", label="Pro"))
    assert words.top_class(top) == "The model’s top class is Pro (71.3 %)."


def test_split_and_referral_are_told_in_the_facts():
    facts = dict(words.fact_rows(spec_of()))
    assert facts["Split"] == "by run: train 2,000 pictures in 60 runs"
    assert facts["Refers"].startswith("top probability under 60.0 %, or unlike the training")
    assert dict(words.fact_rows(spec_of(threshold=0, scope=None)))["Refers"] == "never"
