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
