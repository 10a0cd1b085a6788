"""A Keras checkpoint is brought in by the page: looked at, tried, kept, used."""

from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from leukemia_app.ui import import_text, text
from tests.browser.conftest import DESKTOP, PHONE, Visit, checked, watched
from tests.bundles.hostile_checkpoints import STATIC
from tests.bundles.keras_2_file import keras_2_file

LONG_MS = 600_000


def opened(visit: Visit) -> None:
    visit.page.get_by_role("tab", name=text.MODELS).click()
    visit.page.locator("section[data-import]").wait_for()


def given(visit: Visit, path: Path) -> None:
    opened(visit)
    visit.page.locator("[data-import-pick]").set_input_files(path)


def found_out(visit: Visit) -> None:
    """Wait until the form says what the file is; cards of models say it, too."""
    visit.page.locator("#i-found, #i-form").get_by_text("Keras 2.4.0").first.wait_for(
        timeout=LONG_MS
    )


def test_a_checkpoint_of_keras_2_is_tried_kept_and_used(visit: Visit, tmp_path: Path):
    page = visit.page
    given(visit, keras_2_file(tmp_path / "two kinds.h5"))
    found_out(visit)
    page.get_by_label(import_text.LABELS).fill("normal\nblast")
    page.get_by_label(import_text.SHOWS).select_option("cell")
    name = page.get_by_role("textbox", name=import_text.NAME, exact=True)
    assert name.input_value() == "two-kinds"
    page.get_by_role("button", name=import_text.TRY).click()
    page.get_by_role("heading", name=import_text.TRIED).wait_for(timeout=LONG_MS)
    assert page.locator(".i-tried figure").count() == 3
    page.get_by_role("button", name=import_text.KEEP).click()
    page.get_by_text(import_text.kept("two-kinds")).wait_for()
    page.get_by_role("tab", name=text.CLASSIFY).click()
    page.locator("#s-model").select_option("two-kinds")
    visit.settle()
    assert page.locator("#s-model").input_value() == "two-kinds"


def tried(visit: Visit) -> None:
    visit.page.wait_for_function(
        "!document.documentElement.classList.contains('s-importing')", timeout=LONG_MS
    )
    visit.page.get_by_role("heading", name=import_text.TRIED).wait_for()


def test_what_is_typed_during_or_after_a_trial_is_not_kept_untried(visit: Visit, tmp_path: Path):
    page = visit.page
    given(visit, keras_2_file(tmp_path / "typed.h5"))
    found_out(visit)
    labels = page.get_by_label(import_text.LABELS)
    keep = page.get_by_role("button", name=import_text.KEEP)
    stale = page.get_by_text(import_text.STALE)
    (tmp_path / "labels.txt").write_text("0 normal\n1 blast\n")
    page.locator("[data-import-labels]").set_input_files(tmp_path / "labels.txt")
    page.wait_for_function(
        "document.querySelector('[data-import-form] textarea').value === '0 normal\\n1 blast'"
    )
    page.get_by_role("button", name=import_text.TRY).click()
    title = page.get_by_role("textbox", name=import_text.MODEL_TITLE, exact=True)
    title.fill("Typed in between")
    tried(visit)
    assert labels.input_value() == "normal\nblast"
    assert title.input_value() == "Typed in between"
    stale.wait_for()
    assert keep.is_disabled()
    page.get_by_role("button", name=import_text.TRY).click()
    tried(visit)
    assert keep.is_enabled()
    assert not stale.is_visible()
    scaling = page.get_by_label(import_text.SCALING)
    scaling.select_option("caffe")
    stale.wait_for()
    assert keep.is_disabled()
    scaling.select_option("unit")
    assert keep.is_enabled()
    # The button is the page's; the server has a word of its own.
    labels.fill("blast\nnormal")
    page.evaluate("document.querySelector('button[data-import=keep]').disabled = false")
    keep.click()
    page.get_by_role("alert").get_by_text(import_text.STALE).wait_for()
    assert labels.input_value() == "blast\nnormal"
    assert keep.count() == 0


def test_an_old_error_does_not_stand_below_what_another_box_says(visit: Visit, tmp_path: Path):
    page = visit.page
    (tmp_path / "notes.h5").write_text("no model")
    given(visit, tmp_path / "notes.h5")
    old = page.locator("#i-form").get_by_role("alert")
    old.wait_for(timeout=LONG_MS)
    (tmp_path / "notes.zip").write_text("no zip")
    page.locator("[data-models-pick]").set_input_files(tmp_path / "notes.zip")
    page.locator("#m-said").get_by_role("alert").wait_for()
    assert not old.is_visible()


def test_a_hostile_file_is_refused_in_words(visit: Visit, tmp_path: Path):
    path, words = STATIC["lambda in .keras"](tmp_path)
    given(visit, path)
    said = visit.page.locator("#i-form").get_by_role("alert").get_by_text(words)
    said.wait_for(timeout=LONG_MS)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("screen", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")]
)
def test_the_form_is_for_everyone(chromium, server, screen: dict, scheme: str, tmp_path: Path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    visit = watched(chromium, server, color_scheme=scheme, **screen)
    visit.open()
    given(visit, keras_2_file(tmp_path / "small.h5"))
    visit.page.locator("#i-found, #i-form").get_by_text("Keras 2.4.0").first.wait_for(
        timeout=LONG_MS
    )
    found = axe.Axe().run(visit.page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= screen["viewport"]["width"]
    checked(visit)
