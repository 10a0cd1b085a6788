"""A model is added in the page, used without a restart, carried away, and deleted again."""

from pathlib import Path

import pytest

from leukemia_app.bundles.pack import pack
from leukemia_app.ui import text
from leukemia_app.ui.beside_text import COMPARE
from tests.browser.conftest import DESKTOP, PHONE, Visit, checked, watched
from tests.browser.server import ROOT

MODEL = min((ROOT / "models").glob("*/bundle.json"), default=None)
TEST_MS = 90_000


def opened(visit: Visit) -> None:
    visit.page.get_by_role("tab", name=text.MODELS).click()
    visit.page.locator("[data-models-take]").wait_for()


def answered(visit: Visit, words: str) -> None:
    """Wait for these words, and until the tab takes the next wish."""
    visit.page.get_by_text(words).wait_for(timeout=TEST_MS)
    visit.page.wait_for_function(
        "!document.documentElement.classList.contains('s-sending-model')", timeout=TEST_MS
    )


def added(visit: Visit, archive: Path, name: str) -> None:
    visit.page.get_by_role("region", name=text.ADD_MODEL).get_by_label(text.OTHER_NAME).fill(name)
    visit.page.locator("[data-models-pick]").set_input_files(archive)
    answered(visit, f"{name} is added. It passed its self-test")


def deleted(visit: Visit, name: str) -> None:
    card = visit.page.locator("article", has_text=f"{name} · own")
    card.get_by_role("button", name=text.DELETE_MODEL).click()
    answered(visit, f"{name} is deleted.")


@pytest.mark.skipif(MODEL is None, reason="no model is shipped")
def test_a_model_comes_and_goes_without_a_restart(visit: Visit, tmp_path: Path):
    page, archive = visit.page, tmp_path / "carried.zip"
    archive.write_bytes(pack(MODEL.parent))
    opened(visit)
    added(visit, archive, "from-afar")
    card = page.locator("article", has_text="from-afar · own")
    with page.expect_download() as download:
        card.get_by_role("button", name=text.DOWNLOAD_MODEL).click()
    assert download.value.suggested_filename == "from-afar.zip"
    page.get_by_role("tab", name=text.CLASSIFY).click()
    page.locator("#s-model").select_option("from-afar")
    visit.settle()
    assert page.locator("#s-model").input_value() == "from-afar"
    page.get_by_role("tab", name=text.MODELS).click()
    page.on("dialog", lambda dialog: dialog.accept())
    deleted(visit, "from-afar")
    assert "from-afar" not in page.locator("#s-model").inner_text()


@pytest.mark.skipif(MODEL is None, reason="no model is shipped")
def test_a_tick_in_compare_goes_with_its_model(visit: Visit, tmp_path: Path):
    page, archive = visit.page, tmp_path / "carried.zip"
    archive.write_bytes(pack(MODEL.parent))
    page.on("dialog", lambda dialog: dialog.accept())
    opened(visit)
    added(visit, archive, "aa-first")
    page.get_by_role("tab", name=COMPARE).click()
    page.locator('[data-beside-model="aa-first"]').check()
    page.wait_for_function("!document.documentElement.classList.contains('b-busy')")
    page.get_by_role("tab", name=text.MODELS).click()
    deleted(visit, "aa-first")
    added(visit, archive, "aa-second")
    page.get_by_role("tab", name=COMPARE).click()
    box = page.locator('[data-beside-model="aa-second"]')
    box.wait_for()
    # it stands where the other stood
    assert not box.is_checked()
    page.get_by_role("tab", name=text.MODELS).click()
    deleted(visit, "aa-second")


def test_a_stranger_s_zip_is_refused_in_words(visit: Visit, tmp_path: Path):
    (tmp_path / "notes.zip").write_text("no zip")
    opened(visit)
    visit.page.locator("[data-models-pick]").set_input_files(tmp_path / "notes.zip")
    visit.page.get_by_role("alert").get_by_text("notes.zip is no zip archive").wait_for()


@pytest.mark.parametrize(
    ("screen", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")]
)
def test_the_tab_is_for_everyone(chromium, server, screen: dict, scheme: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    visit = watched(chromium, server, color_scheme=scheme, **screen)
    visit.open()
    opened(visit)
    found = axe.Axe().run(visit.page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= screen["viewport"]["width"]
    checked(visit)
