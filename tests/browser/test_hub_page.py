"""A model is pulled from the Hub in the page, chosen, and pushed back; one came at the start."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from leukemia_app.ui import hub_text, text
from tests.browser.conftest import DESKTOP, PHONE, Visit, checked, watched
from tests.browser.server import ROOT, running
from tests.hub_server import TOKEN, HubServer, Model, files_of, serving_models

MODEL = min((ROOT / "models").glob("*/bundle.json"), default=None)
TEST_MS = 120_000

pytestmark = pytest.mark.skipif(MODEL is None, reason="no model is shipped")


def named(name: str) -> dict[str, bytes]:
    """A shipped model's files, under another id."""
    files = files_of(MODEL.parent)
    files["bundle.json"] = json.dumps(json.loads(files["bundle.json"]) | {"id": name}).encode()
    return files


@dataclass(kw_only=True)
class Served:
    """The app, and the Hub that it knows."""

    hub: HubServer
    visit: Visit

    def said(self, words: str) -> None:
        """Wait for these words in the tab, and until it takes the next wish."""
        page = self.visit.page
        page.locator("#m-said").get_by_text(words).wait_for(timeout=TEST_MS)
        page.wait_for_function(
            "!document.documentElement.matches('.s-sending-model, .s-pulling')", timeout=TEST_MS
        )


@pytest.fixture(scope="module")
def hub() -> Iterator[HubServer]:
    with serving_models({
        "ada/early": Model(commits=[named("early-bird")]),
        "ada/smears": Model(commits=[named("from-afar")]),
        "ada/keras": Model(commits=[{"best.keras": b"k" * 2000}]),
    }) as started:  # fmt: skip
        yield started


@pytest.fixture(scope="module")
def app(hub: HubServer, environment, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("hub")
    with running(folder, environment | {
        "LEUKEMIA_STATE_DIR": str(folder / "state"), "HF_HOME": str(folder / "hf"),
        "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1",
        "LEUKEMIA_HUB_MODELS": "ada/early, ada/gone",
    }) as started:  # fmt: skip
        yield started


@pytest.fixture
def served(chromium, app, hub: HubServer) -> Iterator[Served]:
    visit = watched(chromium, app, **DESKTOP)
    visit.open()
    visit.page.get_by_role("tab", name=text.MODELS).click()
    visit.page.locator("[data-models-pull]").wait_for()
    yield Served(hub=hub, visit=visit)
    checked(visit)


def test_a_model_comes_from_the_hub_is_chosen_and_goes_back(served: Served):
    page, hub = served.visit.page, served.hub
    page.get_by_label(hub_text.REPO).first.fill("ada/smears")
    page.get_by_role("button", name=hub_text.PULL_BUTTON, exact=True).click()
    served.said("from-afar is pulled from ada/smears@")
    card = page.locator("article", has_text="from-afar · pulled")
    assert "self-test passed" in card.inner_text()
    page.get_by_role("tab", name=text.CLASSIFY).click()
    page.locator("#s-model").select_option("from-afar")
    served.visit.settle()
    assert page.locator("#s-model").input_value() == "from-afar"
    page.get_by_role("tab", name=text.MODELS).click()
    card.get_by_text(hub_text.PUSH).click()
    card.get_by_label(hub_text.REPO).fill("ada/back")
    card.get_by_role("button", name=hub_text.PUSH_BUTTON, exact=True).click()
    served.said("/ada/back, commit ")
    assert hub.models["ada/back"].is_private
    assert json.loads(hub.models["ada/back"].files["bundle.json"])["id"] == "from-afar"
    card.get_by_label(hub_text.REPO).fill("ada/back")
    card.get_by_role("button", name=hub_text.PUSH_BUTTON, exact=True).click()
    served.said("holds a model of this app already")
    page.get_by_role("button", name=hub_text.OVERWRITE).click()
    served.said("It replaced what was there.")
    page.on("dialog", lambda dialog: dialog.accept())
    card.get_by_role("button", name=text.DELETE_MODEL).click()
    served.said("from-afar is deleted.")
    assert "from-afar" not in page.locator("#s-model").inner_text()


def test_what_is_no_model_of_this_app_is_told_by_its_files(served: Served):
    page = served.visit.page
    page.get_by_label(hub_text.REPO).first.fill("ada/keras")
    page.get_by_role("button", name=hub_text.PULL_BUTTON, exact=True).click()
    page.get_by_role("alert").get_by_text("It holds a Keras checkpoint: best.keras").wait_for()


def test_what_was_fetched_at_the_start_is_here_and_what_failed_is_said(served: Served):
    page = served.visit.page
    deadline = time.monotonic() + TEST_MS / 1000
    while "ada/gone" not in page.locator("#m-wishes").inner_text() or "waits" in (
        page.locator("#m-wishes").inner_text()
    ):  # nothing is pushed to a page that is open: it is asked for again
        assert time.monotonic() < deadline
        time.sleep(1)
        served.visit.open()
        page.get_by_role("tab", name=text.MODELS).click()
        page.locator("[data-models-pull]").wait_for()
    assert "early-bird" in page.locator("#s-model").text_content()
    assert "The Hub has no model ada/gone" in page.locator("#m-wishes").inner_text()


@pytest.mark.parametrize(
    ("screen", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")]
)
def test_the_tab_is_for_everyone(chromium, app, screen: dict, scheme: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    visit = watched(chromium, app, color_scheme=scheme, **screen)
    visit.open()
    visit.page.get_by_role("tab", name=text.MODELS).click()
    visit.page.locator("[data-models-pull]").wait_for()
    visit.page.locator("details.m-push summary").first.click()
    found = axe.Axe().run(visit.page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= screen["viewport"]["width"]
    checked(visit)
