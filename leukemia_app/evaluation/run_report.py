"""A run as one self-contained HTML file: it prints well, and needs no address and no server."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files

from leukemia_app.evaluation import run_words, words
from leukemia_app.evaluation.claim import (
    FILLED,
    OPEN,
    PARTLY,
    Answer,
    claim,
    network_words,
    recipe_words,
    start_words,
    training_words,
)
from leukemia_app.evaluation.colours import DARK, LIGHT, variables
from leukemia_app.evaluation.run_calibration import calibration_section, coverage_section
from leukemia_app.evaluation.run_comparisons import (
    comparison_section,
    disturbance_section,
    elsewhere_section,
)
from leukemia_app.evaluation.run_gallery import Thumbnails
from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.evaluation.run_sections import (
    classes_section,
    confusion_section,
    figures_section,
    learning_section,
    ranking_section,
    wrong_section,
)
from leukemia_app.evaluation.tables import note, nothing, pairs, table, whole_table

SHOWN_LEFT_OUT = 20
STATE_WORDS: Mapping[str, str] = {
    "stopped": "was stopped",
    "failed": "failed",
    "interrupted": "was interrupted",
    "queued": "has not begun",
}


def run_report(results: RunResults, thumbnails: Thumbnails, *, made_at: str) -> str:
    """The whole report; `thumbnails` are small JPEG files by file, `made_at` the time as printed.

    Without a thumbnail a picture is named only. The one script opens cells and moves the slider:
    without it, and on paper, everything else is there.
    """
    title = _title(results)
    sections = "".join(
        f'<section id="{name}"><h2>{escape(head)}</h2>{body}</section>'
        for name, (head, make) in SECTIONS.items()
        if (body := make(results, f"r-{name}", thumbnails))
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}: report of a training</title><style>{page_style()}</style></head>"
        f'<body class="r-report"><header><h1>{escape(title)}</h1>'
        f"<p>Report of a training · {escape(made_at)} · <b>{words.RESEARCH_USE}</b></p></header>"
        f"<main>{lead(results)}{_contents(results)}{sections}</main>"
        f"<footer>{escape(_footer(results))}</footer><script>{_asset('run_report.js')}</script>"
        "</body></html>\n"
    )


def _title(results: RunResults) -> str:
    return str(results.config.get("about", {}).get("title") or results.id)


def page_style() -> str:
    """The report's CSS with the colours of both modes; paper is always light.

    The screen's own mode counts, unless the page has the class `dark` or `light`.
    """
    return (
        f":root {{color-scheme: light; {variables(LIGHT)}}}\n"
        "@media screen and (prefers-color-scheme: dark) "
        f"{{:root:not(.light) {{color-scheme: dark; {variables(DARK)}}}}}\n"
        f"@media screen {{:root.dark {{color-scheme: dark; {variables(DARK)}}}}}\n"
        f"{fragment_style()}"
    )


def fragment_style() -> str:
    """The CSS of the pieces alone, in the page's colour variables: for a page that shows them."""
    return _asset("run_report.css")


def fragment_script() -> str:
    """The script of the pieces: it works on whatever is or comes into the page."""
    return _asset("run_report.js")


def _asset(name: str) -> str:
    return files("leukemia_app.evaluation").joinpath("assets", name).read_text(encoding="utf-8")


def lead(results: RunResults) -> str:
    """What the run is worth in a few sentences: the figure, what limits it, what warns."""
    made = "" if results.is_done else f'<p class="r-warn">{escape(_unfinished(results))}</p>'
    made += f'<p class="r-lead">{escape(run_words.headline(results))}</p>'
    if said := run_words.caution(results):
        kind = "r-warn" if results.level == "image" else "r-plain"
        made += f'<p class="{kind}">{escape(said)}</p>'
    if results.corrected:
        made += f'<p class="r-warn">{escape(results.corrected)}</p>'
    reds = run_words.red_controls(results)
    made += "".join(f'<p class="r-warn">{escape(red.sentence)}</p>' for red in reds)
    return f'<div class="r-top">{made}{_what_it_is(results)}</div>'


def _unfinished(results: RunResults) -> str:
    state = STATE_WORDS.get(results.state, f"is at work ({results.state})")
    return f"This run {state}. {results.reason}".strip() + (
        " What is missing below is not known yet."
    )


def _what_it_is(results: RunResults) -> str:
    about = results.config.get("about", {})
    return pairs([
        ("What it is", str(about.get("summary", ""))
         or f"A network that tells {_and(results.labels)} apart."),
        ("For", str(about.get("intended_use", ""))),
        ("Not for", str(about.get("not_for", ""))),
        ("What this report is not", "A clinical evaluation. It says how the network did on "
         "pictures of the same data set that it did not learn from."),
    ])  # fmt: skip


def _and(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _contents(results: RunResults) -> str:
    items = "".join(
        f'<a href="#{name}">{escape(head)}</a>'
        for name, (head, make) in SECTIONS.items()
        if name != "elsewhere" or make(results, "", {})
    )
    return f'<nav aria-label="Contents">{items}</nav>'


def split_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """Who stands on which side, what was checked, and the leak where it was measured."""
    level = results.level
    labels = results.labels
    sizes = results.parts
    has_labels = any(size.by_label for size in sizes.values())
    heads = ("part", "pictures", *([] if level == "image" else [f"{words.group_word(level)}s"]),
             *(labels if has_labels else ()))  # fmt: skip
    rows = []
    for name, size in sizes.items():
        row = [f"{size.pictures:,}"]
        if level != "image":
            row.append("–" if size.groups is None else f"{size.groups:,}")
        if has_labels:
            row += [f"{size.by_label.get(label, 0):,}" for label in labels]
        rows.append((name, row))
    how = f"Split {words.split_level(level)}; the figures are of {results.part}."
    said = [how, run_words.torn(results), run_words.twins(results), results.corrected,
            leak_words(results)]  # fmt: skip
    made = "".join(f"<p>{escape(sentence)}</p>" for sentence in said if sentence)
    return made + (table(heads, rows) if rows else nothing("The run kept no split."))


def leak_words(results: RunResults) -> str:
    """What frozen features score on a random image split and on the group split."""
    if results.leak is None or not results.leak.get("sentence"):
        return "The leak was not measured: what a random image split would have shown is not known."
    return f"The leak, measured with frozen features: {results.leak['sentence']}"


def facts_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """Data, network, training, seed, versions: what is needed to make it again."""
    config, spec = results.config, results.spec
    about = config.get("about", {})
    data = "; ".join(str(text) for text in about.get("data", {}).values() if text)
    meanings = about.get("meanings", {})
    took = ", ".join(f"{name} {_time(value)}" for name, value in results.seconds.items())
    memory = max((epoch.memory_mb or 0 for epoch in results.epochs), default=0)
    rows = [
        ("Data", data),
        ("Labels", "; ".join(
            f"{label}: {meanings[label]}" if label in meanings else label
            for label in results.labels)),
        ("Known limits", str(about.get("limits", ""))),
        ("Network", network_words(config)),
        ("Start", start_words(str(config.get("start", "none")))),
        ("Training", training_words(config)),
        ("Picture to input", recipe_words(config.get("recipe", {}))),
        ("Seed", str(config.get("seed", ""))),
        ("Time", took),
        ("Peak memory", f"{memory:,.0f} MB" if memory else ""),
        ("Versions", "" if spec is None else
         ", ".join(f"{name} {version}" for name, version in spec.versions.items())),
        ("Command", "" if spec is None else str(spec.training.get("command", ""))),
        ("Licence", str(about.get("licence", ""))),
    ]  # fmt: skip
    return pairs(rows) + _left_out(results) + "".join(map(note, results.notes))


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _left_out(results: RunResults) -> str:
    if not results.left_out:
        return "<p>No file was left out.</p>"
    shown = results.left_out[:SHOWN_LEFT_OUT]
    more = len(results.left_out) - len(shown)
    items = "".join(f"<li>{escape(reason)}</li>" for reason in shown)
    items += f"<li>and {more:,} more</li>" if more else ""
    return f"<h3>Left out</h3><ul>{items}</ul>"


CLAIM_STATES: Mapping[str, str] = {FILLED: "filled", PARTLY: "partly", OPEN: "open"}


CLAIM_HEADS = ("item", "what is asked", "state", "what the run says, and what is wanted from you")


def claim_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """CLAIM's items: what the run knows, and what only a person can say."""
    answers = claim(results)
    n_open = sum(answer.state == OPEN for answer in answers)
    n_partly = sum(answer.state == PARTLY for answer in answers)
    rows = "".join(
        f'<tr class="r-{answer.state}"><th scope="row">{answer.item.number}</th>'
        f"<td>{escape(answer.item.name)}<small>{escape(answer.item.section)}</small></td>"
        f"<td>{CLAIM_STATES[answer.state]}</td><td>{escape(answer.said)}{_wanted(answer)}"
        "</td></tr>"
        for answer in answers
    )
    return (
        f"<p>Of the {len(answers)} items of the Checklist for Artificial Intelligence in Medical "
        f"Imaging (CLAIM, 2024 update), the run fills {len(answers) - n_open - n_partly} and "
        f"{n_partly} in part; {n_open} are open: only a person can answer them.</p>"
        + whole_table(
            "".join(f'<th scope="col">{head}</th>' for head in CLAIM_HEADS), rows,
            "CLAIM checklist", kind="r-claim",
        )
        + note("Tejani et al. 2024, Radiology: Artificial Intelligence 6(4), e240300, "
               "doi 10.1148/ryai.240300.")
    )  # fmt: skip


def _wanted(answer: Answer) -> str:
    text = answer.item.wanted or ("" if answer.said else NOT_KEPT)
    return f" <em>{escape(text)}</em>" if text else ""


NOT_KEPT = "The run did not keep this: say it yourself."


def _footer(results: RunResults) -> str:
    facts = [f"Run {results.id}", f"state {results.state}", f"seed {results.config.get('seed')}"]
    if results.spec is not None:
        facts.append(f"preprocessing {results.spec.recipe.digest[:16]}")
    return ", ".join(facts) + f". {words.RESEARCH_USE}."


Section = Callable[[RunResults, str, Thumbnails], str]
SECTIONS: Mapping[str, tuple[str, Section]] = {
    "figures": ("Figures", figures_section),
    "learning": ("Course of the training", learning_section),
    "confusion": ("Confusion", confusion_section),
    "classes": ("Class by class", classes_section),
    "ranking": ("Trade-offs", ranking_section),
    "calibration": ("Calibration", calibration_section),
    "coverage": ("Coverage against risk", coverage_section),
    "comparison": ("Controls and baselines", comparison_section),
    "disturbances": ("Disturbances and other pictures", disturbance_section),
    "elsewhere": ("Other sets and splits", elsewhere_section),
    "wrong": ("The most wrong pictures", wrong_section),
    "split": ("Split and leaks", split_section),
    "facts": ("Data, network, seed, versions", facts_section),
    "claim": ("CLAIM checklist", claim_section),
}
"""Each section's heading and maker, in the order of reading; an empty text leaves it out."""
