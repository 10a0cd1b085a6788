"""The chooser, Model Facts and the list of models."""

from dataclasses import replace
from pathlib import Path

import pytest

from leukemia_app.bundles.library import Entry
from leukemia_app.ui import text
from leukemia_app.ui.models import chooser, fact_line, facts, model_list
from tests.readings import spec_of

BROKEN = Entry(id="torn", origin="own", folder=Path("torn"), spec=None,
               problem="torn/bundle.json is missing.")  # fmt: skip


def entry(**changes: object) -> Entry:
    spec = spec_of(**changes)
    return Entry(id=spec.id, origin="shipped", folder=Path(spec.id), spec=spec, problem=None)


COLOUR = replace(spec_of().figures[1], name="macro-F1, colour histogram alone", value=0.98)


def test_one_line_tells_what_the_model_reads_its_labels_and_its_main_figure():
    assert fact_line(spec_of()) == (
        "reads fields of a smear · Benign Early Pre Pro · macro-F1 0.981 (0.962–0.993) by run"
    )


def test_what_colour_alone_reaches_stands_beside_the_main_figure():
    spec = spec_of(figures=(*spec_of().figures, COLOUR))
    told = "macro-F1 0.981 (0.962–0.993) by run · colour alone 0.980"
    assert fact_line(spec).endswith(f" · {told}")
    assert f'<p class="s-figure">{told}</p>' in model_list([entry(figures=spec.figures)])


def test_a_model_without_figures_boasts_of_none():
    assert fact_line(spec_of(figures=())) == "reads fields of a smear · Benign Early Pre Pro"


def test_the_chooser_marks_the_model_in_use():
    page = chooser([entry(), entry(id="other")], "other")
    assert '<option value="other" selected>' in page
    assert '<option value="four">' in page


def test_a_broken_model_cannot_be_chosen():
    assert "torn" not in chooser([entry(), BROKEN], "four")
    assert "four" not in chooser([replace(entry(), problem="a file changed")], "four")


def test_without_models_the_chooser_says_so():
    assert text.NO_MODELS in chooser([], None)


def test_facts_hold_use_limits_figures_with_intervals_and_the_command():
    page = facts(spec_of())
    for said in ("Teaching.", "Patients.", "4-class ALL", "by run", "0.962–0.993",
                 "574 in 17 runs", "control; colour only", "MIT", "meaning of Pro",
                 "python -m leukemia_app train DATA", "seed: 7", "keras 3.15.1"):  # fmt: skip
        assert said in page, said


def test_facts_without_figures_admit_it():
    assert text.NO_FIGURES in facts(spec_of(figures=()))


def test_the_list_shows_broken_models_with_the_reason():
    page = model_list([entry(), BROKEN])
    assert "Fields, four classes" in page
    assert "torn/bundle.json is missing." in page
    assert text.UNAVAILABLE in page


def test_a_licence_that_nobody_stated_is_named():
    assert "four · shipped · licence not stated</p>" in model_list([entry(licence="not stated")])
    assert "four · shipped · MIT</p>" in model_list([entry()])


def test_a_model_that_was_trained_here_leads_to_its_run():
    made = replace(entry(), origin="trained here", folder=Path("state/runs/ward-7/bundle"))
    assert 'data-open-run="ward-7"' in model_list([made])
    assert "data-open-run" not in model_list([entry()])


def test_an_empty_list_says_what_to_do():
    assert "LEUKEMIA_MODELS" in model_list([])


@pytest.mark.parametrize("evil", ["<script>1</script>", '"><b>'])
def test_words_of_strangers_models_stay_text(evil: str):
    strange = entry(title=evil, summary=evil, licence=evil, intended_use=evil, not_for=evil,
                    data={"name": evil}, training={"command": evil}, parents=(evil,))  # fmt: skip
    broken = replace(BROKEN, id=evil, problem=evil)
    page = chooser([strange], "four") + model_list([strange, broken])
    assert evil not in page
