"""The Train tab as people use it: a folder is given, a network learns from it, and is used."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from leukemia_app.imaging.decode import encode_png
from leukemia_app.training import jobs
from leukemia_app.training.augment_kinds import KINDS
from leukemia_app.training.job_folder import JobFolder
from leukemia_app.ui import review_text
from leukemia_app.ui import text as page_text
from leukemia_app.ui import train_text as text
from leukemia_app.ui.settings_text import KINDS as KIND_WORDS
from tests.browser.conftest import DESKTOP, MAX_FILE_MB, Visit, checked, watched
from tests.browser.server import Server, running
from tests.tiny_runs import LABELS, drawn_cell

N_PICTURES = 12
SLOW_MS = 180_000
"""What a check or a training may take on a machine that is busy."""


@pytest.fixture
def server(tmp_path: Path, environment: dict[str, str]) -> Iterator[Server]:
    """An app whose data sets and runs are this test's alone."""
    own = environment | {
        "LEUKEMIA_STATE_DIR": str(tmp_path / "state"),
        "LEUKEMIA_MAX_FILE_MB": str(MAX_FILE_MB),
        "LEUKEMIA_THREADS": "2",
    }
    with running(tmp_path, own) as started:
        yield started
    # They outlive their server, as they should.
    for queue in ("datasets", "runs"):
        for path in (tmp_path / "state" / queue).glob("*/status.json"):
            folder = JobFolder(path=path.parent)
            if jobs.is_running(folder):
                jobs.stop(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders of drawn cells, and a text that is none."""
    for number, label in enumerate(LABELS):
        (tmp_path / "cells" / label).mkdir(parents=True)
        for picture in range(N_PICTURES):
            path = tmp_path / "cells" / label / f"{picture}.png"
            path.write_bytes(encode_png(drawn_cell(number, picture)))
    (tmp_path / "cells" / "notes.txt").write_text("Notes.")
    return tmp_path / "cells"


def open_tab(visit: Visit) -> None:
    visit.page.get_by_role("tab", name=text.TRAIN).click()
    visit.page.wait_for_selector("#t-side [data-place]")


def change(visit: Visit, selector: str, value: str) -> None:
    """Fill a field in and wait for the plan that follows."""
    field = visit.page.locator(f"#t-model {selector}")
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(value)
    else:
        # Opening a fold asks for what is in it.
        field.evaluate("field => { field.closest('details').open = true; }")
        settle(visit)
        field.fill(value)
        field.blur()
    kept = "([place, value]) => document.querySelector('#t-model ' + place)?.value === value"
    settle(visit)
    visit.page.wait_for_function(kept, arg=[selector, value])


def settle(visit: Visit) -> None:
    """Wait until what was asked is answered; a change is asked after a moment."""
    visit.page.wait_for_timeout(400)
    visit.page.wait_for_function("!document.documentElement.classList.contains('s-asking')")


def switch_off_and_back(visit: Visit) -> None:
    """Look at what the augmentation does, switch a kind of it off, and take that back."""
    form = visit.page.locator("#t-model")
    form.locator("[data-fold=augment] > summary").click()
    form.locator(".s-tiles").first.wait_for()
    settle(visit)
    assert form.locator(".s-tiles").count() == len(KINDS)
    blur = form.get_by_role("switch", name=KIND_WORDS["blur"], exact=True)
    blur.uncheck()
    settle(visit)
    assert form.locator(".s-kind.s-changed").count() == 1
    form.locator('[data-resets="augment.blur_sigma_px"]').last.click()
    settle(visit)
    assert blur.is_checked()
    assert form.locator(".s-kind.s-changed").count() == 0


def accessible(visit: Visit) -> None:
    """As far as axe-core can tell, where it is installed."""
    if find_spec("axe_playwright_python") is not None:
        from tests.browser.test_access import findings

        assert findings(visit) == []


def led_to_the_run(visit: Visit) -> None:
    """The run's pane is in sight, and the keyboard goes on from there."""
    visit.page.wait_for_function(
        "document.activeElement?.id === 't-run' && "
        "document.querySelector('#t-run h2').getBoundingClientRect().bottom < innerHeight"
    )


def from_models_to_its_run(visit: Visit, run: str) -> None:
    page = visit.page
    page.get_by_role("tab", name=page_text.MODELS, exact=True).click()
    page.locator(f'#models [data-open-run="{run}"]').click()
    assert page.get_by_role("tab", name=text.TRAIN).get_attribute("aria-selected") == "true"
    led_to_the_run(visit)


def go_through(visit: Visit, run: str) -> None:
    """Open a cell of the answers, decide, undo, relabel, and begin the training again; go back."""
    page, review = visit.page, visit.page.locator("#t-review .s-review")

    def press(key: str, n_decided: int) -> None:
        page.keyboard.press(key)
        review.locator(f'[data-decided="{n_decided}"]').wait_for()
        settle(visit)

    review.locator("td button").first.click()
    settle(visit)
    assert review.locator("td button").first.get_attribute("aria-pressed") == "true"
    assert review.locator("figure img").get_attribute("src").startswith("data:image/jpeg")
    press("x", 1)
    assert "1 dropped" in review.inner_text()
    press("u", 0)
    label = review.locator("dd").first.inner_text()
    choices = review.locator('[aria-label="What it is"] button').all_inner_texts()
    key = 1 if choices[0].split()[-1] != label else 2
    press(str(key), 1)
    assert "1 relabelled" in review.inner_text()
    page.get_by_role("button", name=review_text.AGAIN).click()
    page.locator(f'#t-run [data-run="{run}-2"][data-live="1"]').wait_for()
    page.get_by_role("button", name=text.ACTIONS["stop"], exact=True).click()
    stopping = page.get_by_role("button", name=text.BUSY["stop"])
    stopping.wait_for()
    assert stopping.is_disabled()
    settle(visit)
    page.locator('#t-run [data-live="0"]').wait_for()
    assert page.locator("#t-run .s-state").inner_text() == f"{text.NO_EPOCH}."
    page.evaluate("scrollTo(0, 0)")
    page.locator(f'#t-side [data-train=open-run][data-value="{run}"]').click()
    page.locator(f'#t-run [data-run="{run}"]').wait_for()
    led_to_the_run(visit)
    assert "1 relabelled" in review.inner_text()


def test_from_a_folder_to_a_model_in_classify(chromium, server: Server, folder: Path):
    visit = watched(chromium, server, **DESKTOP)
    page = visit.page
    visit.open()
    open_tab(visit)
    page.locator("[data-pick=folder]").set_input_files(folder)
    health = page.locator("#t-pictures iframe")
    health.wait_for(timeout=SLOW_MS)
    assert "24" in health.get_attribute("srcdoc")
    assert page.locator("#t-pictures .s-lead").inner_text() == "cells"

    for selector, value in (
        ("[data-plan=backbone]", "baseline_cnn"), ("[data-plan=head]", "plain"),
        ("[data-plan=start]", "none"), ('[data-change="recipe.side_px"]', "32"),
        ("[data-change=tune_epochs]", "2"), ("[data-change=head_epochs]", "1"),
    ):  # fmt: skip
        change(visit, selector, value)
    assert page.locator("#t-model .s-failed").count() == 0
    assert page.locator("#t-model .s-changed").count() == 3
    switch_off_and_back(visit)
    page.get_by_role("button", name=text.BEGIN, exact=True).click()
    page.locator('#t-run [data-live="1"]').wait_for()
    led_to_the_run(visit)
    assert page.locator("#t-run progress").is_visible()
    name = page.locator("#t-run [data-run]").get_attribute("data-run")

    visit.open()
    open_tab(visit)
    assert page.locator("#t-run [data-run]").get_attribute("data-run") == name
    page.locator('#t-run [data-live="0"]').wait_for(timeout=SLOW_MS)
    assert "Done." in page.locator("#t-run .s-state").inner_text()
    assert page.locator("#t-run .s-curves > div").count() == 2
    report = page.frame_locator("#t-report iframe")
    report.locator("h1").wait_for()
    report.get_by_role("link", name="Confusion").click()
    page.wait_for_timeout(300)
    box = report.locator("#confusion").bounding_box()
    frame = page.locator("#t-report iframe").bounding_box()
    assert box is not None
    assert frame is not None
    assert abs(box["y"] - frame["y"]) < 80
    accessible(visit)
    go_through(visit, name)

    stranger = watched(chromium, server, **DESKTOP)
    stranger.open()
    open_tab(stranger)
    assert text.NO_RUNS in stranger.page.locator("#t-side").inner_text()
    assert stranger.page.locator("#t-side button").count() == 0
    assert stranger.page.locator("#t-pictures iframe").count() == 0
    checked(stranger)
    from_models_to_its_run(visit, name)
    page.get_by_role("button", name=text.USE).click()
    page.wait_for_function(
        "name => document.querySelector('#s-model')?.value === name", arg=name, timeout=30_000
    )
    page.wait_for_timeout(500)
    visit.settle()
    assert page.locator("#s-model").input_value() == name
    assert page.locator("#s-model option:checked").count() == 1
    checked(visit)
