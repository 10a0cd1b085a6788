"""Models side by side in the page: columns, a vote, a stated map, a labelled zip, disturbances."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukemia_app.imaging.render import draw
from leukemia_app.ui import beside_text as text
from tests.browser.conftest import DESKTOP, PHONE, Visit, checked, watched
from tests.browser.server import ROOT

FIELDS, CELLS, KINDS = "all4-mobilenet-attention", "cnmc-mobilenet-attention", "pbc-mobilenet"
SCORE_MS = 120_000

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / FIELDS / "bundle.json").exists(), reason="the models are not shipped"
)


def opened(visit: Visit, *models: str) -> None:
    page = visit.page
    page.get_by_role("tab", name=text.COMPARE).click()
    page.wait_for_function("document.documentElement.dataset.beside === 'connected'")
    page.locator("[data-beside-model]").first.wait_for()
    boxes = page.locator("[data-beside-model]").all()
    there = [str(box.get_attribute("data-beside-model")) for box in boxes]
    # More first: under two, nothing is read.
    for id in (*models, *(id for id in there if id not in models)):
        box = page.locator(f'[data-beside-model="{id}"]')
        if box.is_checked() != (id in models):
            box.set_checked(id in models)
            settled(visit)


def settled(visit: Visit) -> None:
    visit.page.wait_for_function(
        "!document.documentElement.classList.contains('b-busy')", timeout=SCORE_MS
    )


def state_map(visit: Visit) -> None:
    """Take the map that the page suggests."""
    visit.page.locator("[data-beside-label]").first.wait_for()
    visit.page.locator("[data-beside=state-map]").click()
    visit.page.get_by_text("Stated: other = ").wait_for()
    settled(visit)


def score(visit: Visit, labelled: Path) -> None:
    visit.page.locator("[data-beside-pick=zip]").set_input_files(labelled)
    visit.page.locator(".b-scored").wait_for(timeout=SCORE_MS)
    settled(visit)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "drawn set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for label in ("Benign", "Pro"):
            for seed in range(3):
                content = io.BytesIO()
                pixels = draw(label, seed, side_px=96).pixels
                Image.fromarray(np.array(pixels)).save(content, "PNG")
                archive.writestr(f"{label}/{seed}.png", content.getvalue())
    return path


def test_three_models_read_one_picture_in_columns(visit: Visit, pictures: dict[str, Path]):
    page = visit.page
    opened(visit, FIELDS, CELLS, KINDS)
    page.locator("[data-beside-pick=files]").set_input_files(pictures["field"])
    page.locator(".b-table").wait_for()
    settled(visit)
    heads = page.locator(".b-table thead th").all_inner_texts()
    assert heads[0] == "field.jpg"
    assert set(heads[1:]) == {FIELDS, CELLS, KINDS}
    assert page.get_by_text(text.NOT_COMPARED).is_visible()
    page.locator(".b-table [data-beside-strength]").fill("80")
    strength = "getComputedStyle(document.documentElement).getPropertyValue('--b-strength')"
    assert float(page.evaluate(strength)) == pytest.approx(0.8)


def test_the_page_says_what_the_command_line_says(
    visit: Visit, pictures: dict[str, Path], environment: dict[str, str]
):
    page = visit.page
    opened(visit, FIELDS, CELLS)
    state_map(visit)
    page.locator("[data-beside-pick=files]").set_input_files(pictures["frame-0"])
    page.get_by_role("row", name="leukemic").wait_for()
    settled(visit)
    cells = page.get_by_role("row", name="leukemic").locator(".b-bar span").all_inner_texts()
    own = {name: value for name, value in os.environ.items() if not name.startswith("LEUKEMIA_")}
    done = subprocess.run(
        [sys.executable, "-m", "leukemia_app", "compare", str(pictures["frame-0"]), "--models",
         f"{FIELDS},{CELLS}", "--map", "other = Benign, hem; leukemic = Early, Pre, Pro, all",
         "--json"],
        cwd=ROOT, env=own | environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)[0]["models"]
    expected = [said[id]["common"]["probabilities"]["leukemic"] for id in (FIELDS, CELLS)]
    assert [float(cell) for cell in cells] == pytest.approx(
        [100 * value for value in expected], abs=0.06
    )


def test_a_blind_vote_tells_the_names_only_after_it(visit: Visit, pictures: dict[str, Path]):
    page = visit.page
    opened(visit, FIELDS, CELLS)
    page.locator("[data-beside-pick=files]").set_input_files(pictures["frame-0"])
    page.locator(".b-table").wait_for()
    settled(visit)
    page.locator("[data-beside=blind]").check()
    page.get_by_text(text.VOTE).wait_for()
    shown = page.locator("#b-pane").inner_html()
    assert FIELDS not in shown
    assert CELLS not in shown
    page.get_by_role("button", name="Model A").click()
    page.get_by_text(text.TALLY).wait_for()
    assert FIELDS in page.locator("#b-pane").inner_text()
    settled(visit)
    with page.expect_download() as download:
        page.get_by_role("button", name=text.SAVE_VOTES).click()
    rows = list(csv.reader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert rows[1][0] == "frame-0.png"
    assert rows[1][1] in (FIELDS, CELLS)


def test_a_labelled_zip_is_scored_and_then_disturbed(visit: Visit, labelled: Path):
    page = visit.page
    opened(visit, FIELDS, CELLS)
    state_map(visit)
    score(visit, labelled)
    assert page.get_by_text("2 models on the same 6 pictures, image-level").is_visible()
    page.get_by_role("button", name="accuracy", exact=True).first.click()
    assert page.locator("[aria-sort=descending]").inner_text().startswith("accuracy")
    with page.expect_download() as download:
        page.get_by_role("button", name="Report", exact=True).click()
    assert "2 models side by side" in download.value.path().read_text("utf-8")
    settled(visit)
    page.get_by_role("button", name=text.DISTURB).click()
    page.get_by_role("heading", name="Robustness").wait_for(timeout=SCORE_MS)
    settled(visit)
    assert page.locator("section:has(> h2:text-is('Robustness')) figure").count() == 18


def test_stopped_disturbances_leave_the_comparison_that_was_there(
    visit: Visit, labelled: Path, pictures: dict[str, Path]
):
    page = visit.page
    opened(visit, FIELDS, CELLS)
    state_map(visit)
    score(visit, labelled)
    page.get_by_role("button", name=text.DISTURB).click()
    # 6 pictures, plain and under 18 disturbances of five strengths
    page.get_by_text(re.compile(r"Scored \d+ of 546 pictures and disturbed copies")).wait_for()
    page.locator("[data-beside=stop]").click()
    page.get_by_text(text.STOPPED_DISTURBED).wait_for()
    settled(visit)
    assert page.get_by_text("2 models on the same 6 pictures, image-level").is_visible()
    assert page.get_by_role("button", name=text.DISTURB).is_visible()
    page.locator("[data-beside-pick=files]").set_input_files(pictures["field"])
    page.locator(".b-table").wait_for()
    settled(visit)


def test_folders_that_no_model_knows_are_matched_in_the_page(visit: Visit, tmp_path: Path):
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for folder, label in (("clear", "Benign"), ("sick", "Pro")):
            content = io.BytesIO()
            Image.fromarray(draw(label, 1).pixels).save(content, "PNG")
            archive.writestr(f"odd/{folder}/1.png", content.getvalue())
    page = visit.page
    opened(visit, FIELDS, "all4-efficientnetb0-attention")
    page.locator("[data-beside-pick=zip]").set_input_files(path)
    page.get_by_text(text.MAP_STRANGERS).wait_for(timeout=SCORE_MS)
    assert page.get_by_text("odd has the labels clear, sick").is_visible()
    settled(visit)
    page.locator("[data-beside-label=clear]").fill("Benign")
    page.locator("[data-beside-label=sick]").fill("Pro")
    page.locator("[data-beside=state-map]").click()
    page.get_by_text("Stated: Benign = Benign, clear").wait_for()
    settled(visit)
    page.get_by_role("button", name=text.SCORE).click()
    page.get_by_text("2 models on the same 2 pictures").wait_for(timeout=SCORE_MS)
    settled(visit)


def test_nothing_stated_is_said(visit: Visit):
    page = visit.page
    opened(visit, FIELDS, KINDS)
    page.locator("[data-beside-label]").first.wait_for()
    for field in page.locator("[data-beside-label]").all():
        field.fill("")
    page.locator("[data-beside=state-map]").click()
    page.get_by_text(text.MAP_EMPTY).wait_for()
    settled(visit)


def test_a_zip_without_labels_says_how_to_go_on(visit: Visit, tmp_path: Path):
    opened(visit, FIELDS, CELLS)
    state_map(visit)
    archive = tmp_path / "loose.zip"
    with zipfile.ZipFile(archive, "w") as file:
        content = io.BytesIO()
        Image.fromarray(np.array(draw("Pro", 1, side_px=64).pixels)).save(content, "PNG")
        file.writestr("a.png", content.getvalue())
    visit.page.locator("[data-beside-pick=zip]").set_input_files(archive)
    said = visit.page.get_by_role("alert")
    said.get_by_text(text.WITHOUT_LABELS).wait_for(timeout=SCORE_MS)
    settled(visit)


def test_a_set_without_a_map_says_what_is_missing(visit: Visit, labelled: Path):
    opened(visit, FIELDS, CELLS)
    visit.page.locator("[data-beside-pick=zip]").set_input_files(labelled)
    visit.page.get_by_role("alert").get_by_text("different labels").wait_for(timeout=SCORE_MS)
    settled(visit)


@pytest.mark.parametrize(
    ("screen", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")]
)
def test_the_tab_is_for_everyone(chromium, server, screen: dict, scheme: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    visit = watched(chromium, server, color_scheme=scheme, **screen)
    visit.open()
    opened(visit, FIELDS, CELLS)
    visit.page.locator("[data-beside=example]").first.click()
    visit.page.locator(".b-table").wait_for()
    settled(visit)
    found = axe.Axe().run(visit.page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= screen["viewport"]["width"]
    checked(visit)
