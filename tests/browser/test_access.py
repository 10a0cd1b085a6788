"""For everyone: axe-core finds nothing serious, and the keyboard reaches everything."""

from pathlib import Path

import pytest

from leukemia_app.ui import text
from leukemia_app.ui.beside_text import COMPARE
from leukemia_app.ui.train_text import TRAIN
from tests.browser.conftest import DESKTOP, PHONE, Visit, checked, watched

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)


def findings(visit: Visit) -> list[str]:
    """Everything that axe calls serious or critical, with the first element concerned."""
    found = axe.Axe().run(visit.page).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("screen", "scheme"),
    [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")],
    ids=["desktop", "desktop-dark", "phone"],
)
def test_axe_finds_nothing_serious(
    chromium, server, pictures: dict[str, Path], screen: dict, scheme: str
):
    visit = watched(chromium, server, color_scheme=scheme, **screen)
    visit.open()
    assert findings(visit) == []
    visit.give(pictures["frame-0"], pictures["notes"], pictures["frame-1"])
    for fold in visit.page.locator("#answer summary").all():
        fold.click()
    assert findings(visit) == []
    visit.page.get_by_role("button", name=text.FACTS, exact=True).click()
    assert findings(visit) == []
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("tab", name=text.MODELS).click()
    visit.page.get_by_text(text.MODEL_FACTS).first.click()
    assert findings(visit) == []
    checked(visit)


def walk(visit: Visit, steps: int) -> list[str]:
    """What the Tab key reaches, one name a step."""
    name = """() => {
        const at = document.activeElement;
        return at.getAttribute('aria-label') || (at.tagName === 'SELECT' ? at.id : '')
            || at.textContent.trim()
            || at.querySelector('img')?.alt || at.closest('label')?.textContent.trim()
            || at.tagName;
    }"""
    names = []
    for _ in range(steps):
        visit.page.keyboard.press("Tab")
        names.append(visit.page.evaluate(name))
    return names


def test_the_keyboard_reaches_everything_in_reading_order(visit: Visit, pictures: dict[str, Path]):
    reached = walk(visit, 8)
    # Browsers take a row of tabs as one stop, or each of its tabs.
    at = reached.index("s-model")
    assert set(reached[:at]) <= {text.CLASSIFY, COMPARE, TRAIN, text.MODELS}
    assert reached[at : at + 3] == ["s-model", text.FACTS, text.CHOOSE]
    visit.give(pictures["field"])
    visit.page.locator("#s-model").focus()
    reached = walk(visit, 40)
    wanted = [text.FACTS, text.CHOOSE_NEW, text.ADD, text.MAP_STRENGTH, text.OUTLINE,
              "network input", "JSON", "CSV", "PNG", "Report"]  # fmt: skip
    assert [name for name in wanted if name not in reached] == []


def test_an_example_is_read_by_the_enter_key(visit: Visit):
    visit.page.locator("#gallery button").first.focus()
    visit.page.keyboard.press("Enter")
    visit.settle()
    assert visit.page.locator("#answer .s-decision").is_visible()


def test_what_has_the_focus_is_seen_to_have_it(visit: Visit):
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert visit.page.evaluate(outline) == "solid"


def test_the_answer_is_announced(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    assert "The model’s top class is" in visit.page.locator("#status").text_content()
