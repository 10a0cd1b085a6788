"""The Classify tab as people use it: the real app, a real browser, real files."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from leukemia_app.evaluation import words
from leukemia_app.ui import text
from tests.browser.conftest import MAX_FILE_MB, PHONE, Visit, checked, watched

KINDS = ("field", "bmp", "deep", "turned")


def probabilities(visit: Visit) -> dict[str, str]:
    """Label and number of every bar, folded away or not."""
    rows = visit.page.locator("#answer .s-bars tbody tr").all()
    return {
        row.locator("th").text_content().strip(): row.locator(".s-number").text_content()
        for row in rows
    }


def decision(visit: Visit) -> str:
    return visit.page.locator("#answer .s-decision h2").inner_text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_answered_as_on_the_command_line(
    either_visit: Visit, pictures: dict[str, Path], command_line, kind: str
):
    visit, file = either_visit, pictures[kind]
    visit.give(file)
    said = command_line[file.name]
    expected = {label: f"{100 * p:.1f}" for label, p in said["probabilities"].items()}
    assert probabilities(visit) == expected
    refers = said["decision"]["kind"] == "refer"
    assert decision(visit).startswith("Refer" if refers else said["decision"]["label"])
    for reason in said["decision"]["reasons"]:
        assert reason in visit.page.locator(".s-reasons").inner_text()


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_shows_an_upright_preview(visit: Visit, pictures: dict[str, Path], kind: str):
    visit.give(pictures[kind])
    base = visit.page.locator("#view .s-base")
    size = base.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert size == ([200, 280] if kind == "turned" else [280, 200])
    box = base.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(size[0] / size[1], rel=0.02)


def test_an_example_answers_in_one_click(either_visit: Visit):
    visit = either_visit
    visit.page.locator("#gallery button").first.click()
    visit.settle()
    assert decision(visit)
    assert visit.page.locator("#view .s-base").is_visible()


def test_every_example_is_answered(visit: Visit):
    for example in visit.page.locator("#gallery button").all():
        example.click()
        visit.settle()
        assert visit.page.locator("#answer .s-failed").count() == 0
        assert len(probabilities(visit)) >= 2


def test_a_text_named_jpg_is_told_by_name_with_what_to_do(
    either_visit: Visit, pictures: dict[str, Path]
):
    visit = either_visit
    visit.give(pictures["notes"])
    said = visit.page.locator("#answer .s-failed").inner_text()
    assert "notes.jpg is not a picture" in said
    assert "Choose a JPEG, PNG, BMP, WebP or TIFF picture." in said
    assert "Error" not in visit.page.locator("body").inner_text()


def test_a_file_over_the_limit_is_told_with_the_limit(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["big"])
    said = visit.page.locator("#answer .s-failed").inner_text()
    assert f"big.png: It is larger than {MAX_FILE_MB} MB." in said


def test_a_broken_file_among_many_leaves_the_others_answered(
    visit: Visit, pictures: dict[str, Path]
):
    visit.give(pictures["frame-0"], pictures["notes"], pictures["frame-1"], pictures["frame-2"])
    tiles = visit.page.locator("#smear .s-tile")
    assert tiles.count() == 4
    assert "Not read" in tiles.nth(1).inner_text()
    assert "notes.jpg is not a picture" in visit.page.locator(".s-failures").inner_text()
    assert "95 %" in visit.page.locator(".s-summary").inner_text()
    assert "of 3" in visit.page.locator(".s-summary tbody").inner_text()


def test_arrow_keys_move_between_pictures(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["frame-0"], pictures["frame-1"], pictures["frame-2"])
    for key, expected in (("ArrowRight", "frame-1"), ("ArrowRight", "frame-2"),
                          ("ArrowRight", "frame-2"), ("ArrowLeft", "frame-1")):  # fmt: skip
        visit.page.keyboard.press(key)
        visit.settle()
        assert f"{expected}.png" in visit.page.locator(".s-facts").inner_text()
        current = visit.page.locator("#smear [aria-current=true]")
        assert f"{expected}.png" in current.get_attribute("title")


def test_pictures_can_be_added_to_those_there(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["frame-0"])
    with visit.page.expect_file_chooser() as chooser:
        visit.page.get_by_role("button", name=text.ADD).click()
    chooser.value.set_files(pictures["frame-1"])
    visit.settle()
    assert visit.page.locator("#smear .s-tile").count() == 2
    with visit.page.expect_file_chooser() as chooser:
        visit.page.get_by_role("button", name=text.CHOOSE_NEW).click()
    chooser.value.set_files(pictures["frame-2"])
    visit.settle()
    assert visit.page.locator("#smear .s-tile").count() == 0


def test_the_slider_and_the_outline_need_no_server(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    requests: list[str] = []
    visit.page.on("request", lambda request: requests.append(request.url))
    heat = visit.page.locator("#view .s-heat")
    slider = visit.page.get_by_label(text.MAP_STRENGTH)
    slider.focus()
    opacity = "image => Number(getComputedStyle(image).opacity)"
    before = heat.evaluate(opacity)
    slider.press("ArrowRight")
    assert heat.evaluate(opacity) == pytest.approx(before + 0.05)
    slider.press("Home")
    assert heat.evaluate(opacity) == 0
    outline = visit.page.locator("#view .s-outline")
    assert outline.is_visible()
    visit.page.get_by_label(text.OUTLINE, exact=True).uncheck()
    assert outline.is_hidden()
    assert [url for url in requests if "queue/join" in url] == []


def test_another_class_gets_its_own_map_at_the_same_strength(
    visit: Visit, pictures: dict[str, Path]
):
    visit.give(pictures["field"])
    heat = visit.page.locator("#view .s-heat")
    before = heat.get_attribute("src")
    visit.page.get_by_label(text.MAP_STRENGTH).press("End")
    radios = visit.page.locator("#view .s-radios input")
    at = [radio.is_checked() for radio in radios.all()].index(True)
    other = radios.nth((at + 1) % radios.count())
    other.check()
    visit.settle()
    assert other.is_checked()
    assert heat.get_attribute("src") != before
    assert heat.evaluate("image => getComputedStyle(image).opacity") == "1"
    assert visit.page.get_by_label(text.MAP_STRENGTH).input_value() == "100"


def test_another_model_reads_the_same_picture(visit: Visit, pictures: dict[str, Path]):
    models = visit.page.locator("#s-model option").all()
    if len(models) < 2:
        pytest.skip("only one model is shipped")
    visit.give(pictures["field"])
    before = probabilities(visit)
    chosen = visit.page.locator("#s-model").input_value()
    other = next(each.get_attribute("value") for each in models
                 if each.get_attribute("value") != chosen)  # fmt: skip
    visit.page.locator("#s-model").select_option(other)
    visit.settle()
    assert probabilities(visit) != before
    assert "field.jpg" in visit.page.locator(".s-facts").inner_text()


def test_what_is_saved_is_what_is_shown(visit: Visit, pictures: dict[str, Path], command_line):
    visit.give(pictures["field"])
    saved: dict[str, bytes] = {}
    for name in ("JSON", "CSV", "PNG", "Report"):
        with visit.page.expect_download() as download:
            visit.page.get_by_role("button", name=name, exact=True).click()
        saved[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
        visit.settle()
    assert list(saved) == ["field.json", "field.csv", "field.png", "field.html"]
    (found,) = json.loads(saved["field.json"])
    said = command_line["field.jpg"]
    assert found["probabilities"] == pytest.approx(said["probabilities"], abs=1e-6)
    assert found.keys() == said.keys()
    assert found["decision"] == said["decision"]
    assert saved["field.csv"].decode("utf-8-sig").splitlines()[1].startswith("field.jpg,")
    image = Image.open(io.BytesIO(saved["field.png"]))
    assert (image.size, image.info) == ((280, 200), {})
    assert "Reading of field.jpg" in saved["field.html"].decode()


def test_the_report_prints_on_one_page(visit: Visit, pictures: dict[str, Path], tmp_path: Path):
    visit.give(pictures["field"])
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Report").click()
    report = tmp_path / "report.html"
    report.write_bytes(Path(download.value.path()).read_bytes())
    printed = visit.page.context.new_page()
    printed.goto(report.as_uri())
    pdf = printed.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") == 1


DROP = """async (given) => {
    const bytes = Uint8Array.from(atob(given.base64), letter => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], given.name, {type: 'image/jpeg'}));
    const how = given.event === 'paste' ? {clipboardData: carried} : {dataTransfer: carried};
    const Event = given.event === 'paste' ? ClipboardEvent : DragEvent;
    document.body.dispatchEvent(
        new Event(given.event, {bubbles: true, cancelable: true, ...how}));
}"""


@pytest.mark.parametrize(("event", "name"), [("paste", "pasted image.jpg"), ("drop", "image.jpg")])
def test_a_picture_can_be_pasted_or_dropped(
    visit: Visit, pictures: dict[str, Path], event: str, name: str
):
    import base64

    content = base64.b64encode(pictures["field"].read_bytes()).decode()
    visit.page.evaluate(DROP, {"event": event, "name": "image.jpg", "base64": content})
    visit.settle()
    assert name in visit.page.locator(".s-facts").inner_text()


def is_seen(visit: Visit, part: str) -> bool:
    """Whether the whole part lies on the screen as it is scrolled."""
    box = visit.page.locator(part).bounding_box()
    return box["y"] >= 0 and box["y"] + box["height"] <= visit.page.viewport_size["height"]


def test_the_answer_needs_no_scrolling(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    for part in ("#view .s-frame", "#view .s-slider", "#view .s-radios", "#gallery",
                 "#answer .s-decision", "#answer .s-stages", "#answer .s-foot"):  # fmt: skip
        assert is_seen(visit, part), part


@pytest.fixture
def phone(chromium, server) -> Iterator[Visit]:
    found = watched(chromium, server, **PHONE)
    found.open()
    yield found
    checked(found)


def test_on_a_phone_the_decision_and_its_bars_come_before_the_picture(phone: Visit):
    examples = phone.page.locator("#gallery button")
    examples.first.click()
    phone.settle()
    assert is_seen(phone, "#answer .s-decision")
    assert is_seen(phone, "#answer .s-bars")
    places = [phone.page.locator(part).bounding_box()["y"]
              for part in ("#drop", "#answer .s-decision", "#answer .s-bars", "#view .s-frame",
                           "#answer .s-foot", "#gallery")]  # fmt: skip
    assert places == sorted(places)
    examples.nth(1).scroll_into_view_if_needed()
    assert not is_seen(phone, "#answer .s-decision")
    examples.nth(1).click()
    phone.settle()
    phone.page.wait_for_function("scrollY < 400")
    assert is_seen(phone, "#answer .s-decision"), "the page goes to the new answer"


def test_on_a_phone_nothing_speaks_of_keys_or_dropping(phone: Visit):
    drop = phone.page.locator("#drop").inner_text()
    assert text.CHOOSE in drop
    assert "Ctrl" not in drop
    assert text.DROP not in drop


def test_on_a_phone_the_figures_keep_their_words_whole_and_scroll(phone: Visit):
    phone.page.get_by_role("tab", name=text.MODELS).click()
    phone.page.get_by_text(text.MODEL_FACTS).first.click()
    table = phone.page.locator(".s-card .s-scroll").first
    assert table.locator("tbody th").first.bounding_box()["width"] >= 130
    assert "s-more-right" in table.get_attribute("class")
    table.evaluate("table => { table.scrollLeft = table.scrollWidth; }")
    phone.page.wait_for_function(
        "table => !table.classList.contains('s-more-right')", arg=table.element_handle()
    )


def test_examples_that_are_hidden_at_the_side_are_hinted_at(visit: Visit):
    visit.page.locator("#gallery button").first.click()
    visit.settle()
    row = visit.page.locator("#gallery ul")
    assert row.get_attribute("class") == "s-more-right"
    row.evaluate("row => { row.scrollLeft = row.scrollWidth; }")
    visit.page.wait_for_function("document.querySelector('#gallery ul').className == 's-more-left'")


def test_labels_are_told_with_their_meaning(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    for fold in visit.page.locator("#answer summary").all():
        fold.click()
    meanings = visit.page.locator("#answer .s-bars small").all()
    assert len(meanings) == len(probabilities(visit))
    assert all(meaning.is_visible() for meaning in meanings)


def test_the_reader_says_whether_the_pictures_are_one_smear(
    visit: Visit, pictures: dict[str, Path]
):
    visit.give(pictures["frame-0"], pictures["frame-1"])
    assert words.ONE_SMEAR in visit.page.locator(".s-summary").inner_text()
    visit.page.get_by_label(text.SEVERAL_SMEARS).check()
    assert "95 %" not in visit.page.locator(".s-summary").inner_text()
    assert words.APART in visit.page.locator(".s-summary").inner_text()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Report").click()
    assert words.APART in Path(download.value.path()).read_text()
    visit.settle()
    visit.page.keyboard.press("ArrowRight")
    visit.settle()
    assert words.APART in visit.page.locator(".s-summary").inner_text(), "it is remembered"
    visit.give(pictures["frame-1"], pictures["frame-2"])
    assert words.ONE_SMEAR in visit.page.locator(".s-summary").inner_text(), "but not for others"


@pytest.mark.parametrize("width", [360, 390, 768, 1024])
def test_nothing_scrolls_sideways(visit: Visit, pictures: dict[str, Path], width: int):
    visit.page.set_viewport_size({"width": width, "height": 800})
    wide = "document.documentElement.scrollWidth"
    assert visit.page.evaluate(wide) <= width
    visit.give(pictures["frame-0"], pictures["notes"], pictures["frame-1"])
    assert visit.page.evaluate(wide) <= width
    visit.page.get_by_role("tab", name="Models").click()
    assert visit.page.evaluate(wide) <= width


def test_the_facts_open_and_close_by_keyboard(visit: Visit):
    facts = visit.page.get_by_role("button", name=text.FACTS, exact=True)
    facts.focus()
    visit.page.keyboard.press("Enter")
    dialog = visit.page.get_by_role("dialog")
    assert dialog.is_visible()
    assert "Not for" in dialog.inner_text()
    visit.page.keyboard.press("Escape")
    assert dialog.is_hidden()
    assert facts.evaluate("button => button === document.activeElement")


def test_a_stage_opens_larger(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    visit.page.get_by_role("button", name="network input").click()
    assert visit.page.get_by_role("dialog").get_by_alt_text("network input").is_visible()


def test_it_is_said_once_that_this_is_no_diagnosis(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    assert visit.page.locator("body").inner_text().lower().count("diagnosis") == 1


def test_a_reload_starts_anew(visit: Visit, pictures: dict[str, Path]):
    visit.give(pictures["field"])
    visit.open()
    assert text.EMPTY_ANSWER in visit.page.locator("#answer").inner_text()
