"""The report as a file: whole, closed to the outside, and safe with strangers' names."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from leukemia_app.evaluation import run_gallery
from leukemia_app.evaluation.claim import PARTLY, claim
from leukemia_app.evaluation.colours import DARK
from leukemia_app.evaluation.run_calibration import coverage_section
from leukemia_app.evaluation.run_comparisons import baseline_table, comparison_section
from leukemia_app.evaluation.run_gallery import chosen, confusion_table, galleries, most_wrong
from leukemia_app.evaluation.run_report import (
    SECTIONS,
    claim_section,
    facts_section,
    fragment_script,
    fragment_style,
    lead,
    page_style,
    run_report,
    split_section,
)
from leukemia_app.evaluation.run_sections import (
    classes_section,
    epoch_table,
    predictive_table,
    wrong_section,
)
from tests.made_results import EPOCHS, LABELS, figure_of, results_of, unfinished

VOID = {"meta", "img", "br", "input", "circle", "path", "rect"}
JPEG = b"\xff\xd8small"


class Reader(HTMLParser):
    """Checks that every element is closed, and gathers ids and what is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        self.fetched += [given[name] for name in ("src", "href") if given.get(name)]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def report(**changes) -> str:
    results = results_of(**changes)
    pictures = {item.file: JPEG for item in chosen(results)}
    return run_report(results, pictures, made_at="1 May 2026, 12:00")


def test_the_report_is_whole_and_its_ids_are_unique():
    reader = read(report())
    assert len(set(reader.ids)) == len(reader.ids)
    assert set(SECTIONS) <= set(reader.ids)


def test_nothing_is_fetched_from_elsewhere():
    for place in read(report()).fetched:
        assert place.startswith(("#", "data:image/jpeg;base64,"))
    # the one address that may stand in the text is that of SVG's own names
    assert set(re.findall(r"https?://[^\"'<> ]+", report())) == {"http://www.w3.org/2000/svg"}


def test_names_of_strangers_stay_text():
    text = report()
    assert "Made &lt;i&gt;up&lt;/i&gt;" in text
    assert "<i>up" not in text
    assert "Pre <b>" not in text.replace("“Pre <b>”", "")


def test_links_inside_the_report_lead_somewhere():
    reader = read(report())
    wanted = {place[1:] for place in reader.fetched if place.startswith("#")}
    assert wanted <= set(reader.ids)


def test_it_says_what_it_is_not():
    text = report()
    assert "Research use only, not a diagnosis" in text
    assert "A clinical evaluation. It says how the network did" in text


def test_folders_of_the_server_are_not_told():
    assert "/secret/place" not in report()
    assert "/nowhere" not in report()


def test_paper_is_light_and_the_screen_may_be_dark():
    text = report()
    assert "@media screen and (prefers-color-scheme: dark)" in text
    assert text.index("color-scheme: light") < text.index("color-scheme: dark")


@pytest.mark.parametrize(
    ("state", "said"),
    [("stopped", "This run was stopped. Somebody stopped it. What is missing below"),
     ("failed", "This run failed. Somebody stopped it."),
     ("head", "This run is at work (head). Somebody stopped it.")],
)  # fmt: skip
def test_an_unfinished_run_has_a_report_that_says_so(state: str, said: str):
    results = replace(unfinished(), state=state)
    reader = read(run_report(results, {}, made_at="now"))
    told = " ".join(reader.texts)
    assert said in told
    assert "No picture that was kept back has been answered." in told


def test_a_run_that_is_done_has_no_such_banner():
    assert "This run" not in lead(results_of())


def test_red_controls_stand_at_the_top():
    assert "Colour histogram alone reaches 0.720" in lead(results_of())


def test_what_was_corrected_by_hand_is_warned_of_at_the_top_and_told_where_it_counts():
    said = "By hand: 2 <test> pictures relabelled."
    results = results_of(corrected=said)
    warned = '<p class="r-warn">By hand: 2 &lt;test&gt; pictures relabelled.</p>'
    assert warned in lead(results)
    (answer,) = [each for each in claim(results) if each.item.name == "Annotation of test set"]
    assert (answer.said, answer.state) == (said, PARTLY)
    assert report(corrected=said).count("2 &lt;test&gt; pictures relabelled") == 3
    assert "By hand" not in report()


def test_an_image_split_is_warned_of_at_the_top():
    assert '<p class="r-warn">The split is by image' in lead(results_of(level="image"))


def test_each_filled_cell_leads_to_its_pictures():
    results = results_of()
    drawn = confusion_table(results, "x")
    # Benign called Benign and Early; Early called Early; Pre called Benign and Pre
    assert drawn.count("<a href=") == 5
    assert 'aria-label="Pre &lt;b&gt; called Benign: 2 pictures"' in drawn
    assert "50.0 %" in drawn
    shown = galleries(results, {}, "x")
    for place in re.findall(r'href="#([^"]+)"', drawn):
        assert f'id="{place}"' in shown


def test_a_cell_shows_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_gallery, "PER_CELL", 1)
    drawn = galleries(results_of(), {}, "x")
    assert drawn.count("<li>") == 5
    assert "Early called Early: 4 pictures, 1 shown, least sure first" in drawn


def test_the_most_wrong_come_first():
    # wrong: Pre called Benign at 0.95 (0.025 left for Pre), Benign called Early at 0.6 (0.2), Pre
    # called Benign at 0.5 (0.25)
    items = most_wrong(results_of())
    assert [item.number for item in items[:3]] == [10, 3, 11]
    assert [item.is_right for item in items] == [False] * 3 + [True] * 5
    assert items[3].label_probability <= items[4].label_probability


def test_a_referred_picture_says_why_and_a_lost_one_is_named():
    drawn = wrong_section(results_of(), "x", {})
    assert '<em title="Too unsure.">referred</em>' in drawn
    assert "picture not found" in drawn
    assert "Pre &lt;b&gt;/10.png · patient-5" in drawn
    assert "3 pictures did not get the data set’s label. Then 5 right answers" in drawn


def test_pictures_are_part_of_the_file():
    drawn = wrong_section(results_of(), "x", {"Pre <b>/10.png": JPEG})
    assert drawn.count("data:image/jpeg;base64,/9hzbWFsbA==") == 1


def test_the_slider_holds_the_numbers_and_is_not_needed():
    drawn = coverage_section(results_of(), "x", {})
    data = json.loads(
        re.search(r'data-points="([^"]+)"', drawn).group(1).replace("&quot;", '"')
    )  # fmt: skip
    # 91 steps from 0 to 90 %; everything answered: 12, of which 3 wrong
    assert len(data) == 91
    assert (sum(data[0]["answered"]), sum(data[0]["wrong"])) == (12, 3)
    assert '<div class="r-refer" hidden' in drawn
    assert "<td>25.0 %</td>" in drawn


def test_classes_have_support_and_prevalence():
    drawn = classes_section(results_of(), "x", {})
    # Early: 4 pictures, precision 4/5, recall 1, F1 8/9
    assert '<th scope="row">Early</th><td>4</td><td>0.800<small>' in drawn
    assert "<td>0.889<small>" in drawn
    # Early at 10 %: 0.1 / (0.1 + 1/8 * 0.9) = 0.471
    assert "0.471 / 1.000" in predictive_table(results_of())


def test_baselines_stand_beside_the_network():
    drawn = baseline_table(results_of())
    assert "SVC (RBF kernel)" in drawn
    # head and fine-tuning took 310 s
    assert "<td>310</td>" in drawn
    assert "left out" in drawn
    assert "XGBoost is not installed." in drawn
    assert baseline_table(results_of(baselines=())) == ""


def test_without_controls_that_is_told():
    assert "had no controls" in comparison_section(results_of(figures=()), "x", {})


def test_what_adapting_gained_is_shown():
    gained = figure_of("accuracy gained by adapting", 0.2, kind="result")
    assert "Before and after adapting" in comparison_section(results_of(figures=(gained,)), "x", {})


def test_split_and_leak_are_told():
    drawn = split_section(results_of(), "x", {})
    assert (
        '<th scope="row">training</th><td>40</td><td>9</td><td>20</td><td>20</td><td>0</td>'
        in drawn
    )
    assert "The leak was not measured" in drawn
    measured = results_of(leak={"sentence": "0.885 against 0.835."})
    assert "measured with frozen features: 0.885 against 0.835." in split_section(measured, "x", {})


def test_facts_tell_time_and_what_was_left_out():
    drawn = facts_section(results_of(), "x", {})
    assert "head 10 s, fine-tuning 5 min" in drawn
    assert "broken.png cannot be read." in drawn
    assert "A note." in drawn
    many = results_of(left_out=tuple(f"{number}.png" for number in range(25)))
    assert "and 5 more" in facts_section(many, "x", {})


def test_the_checklist_counts_what_is_open():
    drawn = claim_section(results_of(), "x", {})
    filled, partly, still_open = (
        int(number) for number in re.search(
            r"the run fills (\d+) and (\d+) in part; (\d+) are open", drawn
        ).groups()
    )  # fmt: skip
    assert filled + partly + still_open == 44
    assert drawn.count('class="r-open"') == still_open
    assert "The run did not keep this: say it yourself." in drawn


def test_many_epochs_are_folded():
    assert "<details" not in epoch_table(EPOCHS)
    assert "All 15 epochs in numbers" in epoch_table(EPOCHS * 3)


def test_the_pieces_need_no_more_than_the_page_s_colours():
    style = fragment_style()
    for name in set(re.findall(r"var\(--s-([a-z-]+)\)", style)):
        assert f"--s-{name}:" in report(), name
    assert "addEventListener" in fragment_script()
    assert LABELS[0] in report()


def test_the_page_round_a_report_may_choose_its_colours_and_paper_is_light():
    style = page_style()
    dark = f"--s-ground: {DARK['ground']};"
    assert style.count(dark) == 2
    for condition in ("@media screen and (prefers-color-scheme: dark) {:root:not(.light)",
                      "@media screen {:root.dark"):  # fmt: skip
        assert f"{condition} {{color-scheme: dark; {dark}" in style
