"""A comparison of models as pieces of HTML for the page, and as one file that prints well."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import chain

import numpy as np

from leukemia_app.evaluation import compare_words, metrics, words
from leukemia_app.evaluation.baseline_row import INPUTS, TITLES, Baseline
from leukemia_app.evaluation.compare import (
    DIFFERED,
    LESS_IS_BETTER,
    SHOWN,
    Comparison,
    Pair,
)
from leukemia_app.evaluation.compare_plots import (
    coverage_plots,
    model_key,
    reliability_plot,
    robustness_plots,
    roc_plots,
)
from leukemia_app.evaluation.curves import Coverage, coverage_risk
from leukemia_app.evaluation.measures import NAMES, Interval
from leukemia_app.evaluation.run_calibration import REFERRED
from leukemia_app.evaluation.run_gallery import Thumbnails
from leukemia_app.evaluation.run_report import fragment_script, page_style
from leukemia_app.evaluation.tables import (
    Row,
    ends_words,
    note,
    nothing,
    table,
    value_words,
    whole_table,
)

MOST_SHOWN = 24
"""Pictures on which the models disagree."""
Section = Callable[[Comparison, Thumbnails], str]


def compare_report(
    comparison: Comparison, thumbnails: Thumbnails, *, data: str, made_at: str,
    classical: Mapping[str, Sequence[Baseline]] | None = None,
) -> str:  # fmt: skip
    """The whole comparison as one file; `thumbnails` are small JPEG files by file.

    `data` is what the labelled pictures were given as: the name of a folder or a zip.
    `classical` are classical models' rows by what they are of. The scripts sort the table, choose
    a pair and move the slider: without them, and on paper, everything else is there.
    """
    title = f"{len(comparison.models)} models side by side"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{page_style()}{compare_style()}</style></head>"
        f'<body class="r-report"><header><h1>{escape(title)}</h1>'
        f"<p>Comparison on {escape(data)} · {escape(made_at)} · <b>{words.RESEARCH_USE}</b></p>"
        "</header>"
        f"<main>{lead(comparison)}{sections(comparison, thumbnails, classical or {})}</main>"
        f"<footer>{escape(_footer(comparison))}</footer>"
        f"<script>{fragment_script()}{compare_script()}</script></body></html>\n"
    )


def compare_style() -> str:
    """The CSS of the pieces that only a comparison has."""
    return _asset("compare_report.css")


def compare_script() -> str:
    """The script of those pieces; it works on whatever is or comes into the page."""
    return _asset("compare_report.js")


def _asset(name: str) -> str:
    return files("leukemia_app.evaluation").joinpath("assets", name).read_text(encoding="utf-8")


def lead(comparison: Comparison) -> str:
    """What was compared, and what limits it, in sentences."""
    said = "".join(f"<p>{escape(each)}</p>" for each in compare_words.remarks(comparison))
    return f'<p class="r-lead">{escape(compare_words.verdict(comparison))}</p>{said}'


def sections(
    comparison: Comparison, thumbnails: Thumbnails,
    classical: Mapping[str, Sequence[Baseline]],
) -> str:  # fmt: skip
    """Every section with its heading, as far as there is something to show."""
    shown = (
        SECTIONS if comparison.n >= compare_words.FEW else {name: SECTIONS[name] for name in OF_FEW}
    )
    made = [(title, make(comparison, thumbnails)) for title, make in shown.items() if comparison.n]
    made.append(("Classical models", classical_table(classical)))
    made.append(("The models", models_table(comparison)))
    return "".join(
        f"<section><h2>{escape(title)}</h2>{body}</section>" for title, body in made if body
    )


def figures_section(comparison: Comparison, thumbnails: Thumbnails) -> str:
    """A row a model: its figures with intervals, and what it takes."""
    heads = [*(NAMES[name] for name in SHOWN), "ms a picture", "MB on disk", "MB in memory"]
    top = '<th scope="col">model</th>' + "".join(
        f'<th scope="col">{escape(head)}</th>' for head in heads
    )
    body = ""
    for id, model in comparison.models.items():
        cells = "".join(
            _figure_cell(model.figure(name), id in comparison.best[name]) for name in SHOWN
        )
        cost = model.cost
        ms = "–" if cost.ms is None else f"{cost.ms:.1f}"
        for value in (ms, f"{cost.size_bytes / 1e6:.1f}", f"{cost.memory_mb:.0f}"):
            cells += f'<td data-value="{"" if value == "–" else value}">{value}</td>'
        body += f'<tr><th scope="row">{escape(id)}</th>{cells}</tr>'
    level = comparison.split.get("level", "image")
    unit = "picture" if level == "image" else level
    less = ", ".join(NAMES[name] for name in SHOWN if name in LESS_IS_BETTER)
    return whole_table(top, body, "Figures of the models", kind="r-sortable") + note(
        f"Small: the 95 % interval, from 1,000 samples of whole groups ({unit}s) within classes. "
        "Bold: every model whose own interval reaches the best value; whether two differ on the "
        "same pictures is said below. Where all samples agree, as with no error at all, there is "
        "no interval: that says nothing of pictures not seen. "
        f"Less is better for {less}. Times hold for this machine: "
        "preparing and the network, without decoding and without looking for cells."
    )


def _figure_cell(figure: Interval, is_best: bool) -> str:
    value, ends = value_words(figure), ends_words(figure)
    drawn = f"<b>{value}</b>" if is_best and figure.value is not None else value
    small = "" if ends == "–" else f"<small>{ends}</small>"
    return f'<td data-value="{"" if figure.value is None else figure.value}">{drawn}{small}</td>'


def pairs_section(comparison: Comparison, thumbnails: Thumbnails) -> str:
    """Every two models: who alone is right how often, and the differences of their figures."""
    rows: list[Row] = [
        (
            f"{pair.other} minus {pair.first}",
            [*(pair.differences[name] for name in DIFFERED), f"{pair.counts.only_other:,}",
             f"{pair.counts.only_first:,}",
             compare_words.chance(pair.p_holm).replace(" ", chr(160))],
        )
        for pair in comparison.pairs
    ]  # fmt: skip
    figures = [NAMES[name] for name in DIFFERED]
    heads = ("difference", *figures, "only the first right",
             "only the second right", "McNemar")  # fmt: skip
    said = "".join(
        f"<p>{escape(compare_words.pair(pair, len(comparison.pairs)))}</p>"
        for pair in comparison.pairs
    )
    return said + table(heads, rows) + note(compare_words.many(comparison))


def curves_section(comparison: Comparison, thumbnails: Thumbnails) -> str:
    """ROC curves of each class, and reliability, all models over each other."""
    key = model_key(list(comparison.models))
    drawn = "".join(roc_plots(comparison, "c-roc"))
    return (
        f"<h3>Sensitivity against 1 − specificity, by class</h3>{key}"
        f'<div class="c-multiples">{drawn}</div>'
        f"{note('Dots: where each model decides.')}<h3>Calibration</h3>"
        f'<div class="c-multiples">{reliability_plot(comparison, "c-reliability")}</div>'
        + note("On the diagonal, probabilities are what they say.")
    )


def robustness_section(comparison: Comparison, thumbnails: Thumbnails) -> str:
    """Macro-F1, or accuracy where it is not defined, against each disturbance's strength."""
    if not any(model.disturbed for model in comparison.models.values()):
        return ""
    drawn = "".join(robustness_plots(comparison, comparison.held_to, "c-robust"))
    return (
        model_key(list(comparison.models)) + f'<div class="c-multiples">{drawn}</div>'
        + note("Strength 0 is the picture as it is. A line that falls under stain shift or grey is "
               "of a model that leans on colour; one that falls under blur or pixelation, of one "
               "that needs fine detail. The same disturbed pictures went to every model.")
    )  # fmt: skip


def coverage_section(comparison: Comparison, thumbnails: Thumbnails) -> str:
    """Wrong answers against referrals, by model and class, with a slider that refers."""
    points = {
        id: coverage_risk(
            model.answers.true, model.answers.predicted, model.answers.probabilities, REFERRED
        )
        for id, model in comparison.models.items()
    }
    labels = comparison.labels.labels
    drawn = "".join(coverage_plots(points, labels, "c-coverage"))
    return (
        model_key(list(comparison.models)) + refer_slider(points, labels)
        + f'<div class="c-multiples">{drawn}</div>'
        + note("Pictures are referred in the order of each model’s own top probability, the least "
               "sure first, whatever it refers by itself.")
    )  # fmt: skip


def refer_slider(points: Mapping[str, Sequence[Coverage]], labels: Sequence[str]) -> str:
    """A slider for the share to refer, and the errors that each model has left. Not printed."""
    data = {
        id: [{"from": round(each.threshold, 4), "answered": sum(each.n_answered),
              "wrong": each.n_wrong} for each in found]
        for id, found in points.items()
    }  # fmt: skip
    heads = ("model", "answered", "wrong", "share wrong", *(f"wrong, {label}" for label in labels),
             "top probability from")  # fmt: skip
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(id)}</th>{"<td></td>" * (len(heads) - 1)}</tr>'
        for id in points
    )
    return (
        f'<div class="c-refer" hidden data-points="{escape(json.dumps(data))}">'
        "<label>Refer the least sure <output>10</output> %"
        f'<input type="range" min="0" max="{len(REFERRED) - 1}" value="10"></label>'
        f'<div class="r-wide"><table class="r-table"><thead><tr>{top}</tr></thead>'
        f'<tbody aria-live="polite">{rows}</tbody></table></div></div>'
    )


def confusion_section(comparison: Comparison, thumbnails: Thumbnails) -> str:
    """How two confusion tables differ, for every pair; one is open at a time."""
    made = "".join(
        f'<details class="c-pair"{" open" if number == 0 else ""}>'
        f"<summary>{escape(pair.other)} minus {escape(pair.first)}</summary>"
        f"{_confusion_difference(comparison, pair)}</details>"
        for number, pair in enumerate(comparison.pairs)
    )
    key = "".join(
        f'<li><i class="c-swatch {kind}"></i>{said}</li>'
        for kind, said in (("r-hit", "first-named better"), ("r-miss", "first-named worse"))
    )
    return f'{made}<ul class="r-key">{key}</ul>' + note(
        "Rows: the data set’s label. Columns: what the models said. Plus: the first-named says so "
        "more often; on the diagonal more is better, beside it less."
    )


def _confusion_difference(comparison: Comparison, pair: Pair) -> str:
    labels = comparison.labels.labels
    first, other = (
        metrics.confusion(each.true, each.predicted, len(labels))
        for each in (comparison.models[id].answers for id in (pair.first, pair.other))
    )
    more = other - first
    most = max(1, int(np.abs(more).max()))
    heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    rows = ""
    for row, label in enumerate(labels):
        cells = ""
        for column in range(len(labels)):
            n = int(more[row, column])
            good = n == 0 or (n > 0) == (row == column)
            kind = "r-none" if n == 0 else "r-hit" if good else "r-miss"
            counts = f"{int(first[row, column]):,} → {int(other[row, column]):,}"
            cells += (f'<td class="{kind}" style="--share:{abs(n) / most:.3f}">'
                      f"<span>{_signed(n)}<small>{counts}</small></span></td>")  # fmt: skip
        rows += f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'
    name = f"{pair.other} minus {pair.first}"
    return whole_table(f'<th scope="col">label</th>{heads}', rows, name, kind="r-confusion")


def _signed(n: int) -> str:
    return "0" if n == 0 else f"{'+' if n > 0 else '−'}{abs(n):,}"


def disagreements_section(comparison: Comparison, thumbnails: Thumbnails) -> str:
    """The pictures on which the models are farthest apart, with what each said."""
    shown = [each for each in comparison.disagreements[:MOST_SHOWN] if each[1] > 0]
    if not shown:
        return nothing("The models agree on every picture.")
    items = "".join(_disagreement(comparison, thumbnails, *each) for each in shown)
    part = ""
    if len(shown) < comparison.n:
        part = f"<p>The {len(shown)} farthest apart of {comparison.n:,} pictures.</p>"
    return f'{part}<ul class="r-gallery c-gallery">{items}</ul>' + note(
        "Ordered by the probability that one model would have to move to agree with another, the "
        "two farthest apart. First line: the data set’s label."
    )


def _disagreement(comparison: Comparison, thumbnails: Thumbnails, place: int, apart: float) -> str:
    labels = comparison.labels.labels
    answers = next(iter(comparison.models.values())).answers
    file, label = answers.files[place], labels[int(answers.true[place])]
    small = thumbnails.get(file)
    picture = '<span class="r-blank">no picture kept</span>'
    if small is not None:
        picture = f'<img src="data:image/jpeg;base64,{base64.b64encode(small).decode()}" alt="">'
    rows = ""
    for id, model in comparison.models.items():
        said = int(model.answers.predicted[place])
        chance = words.percent(float(model.answers.probabilities[place, said]))
        referred = ""
        if model.answers.referred[place]:
            referred = f' <em title="{escape(model.answers.reasons[place])}">referred</em>'
        kind = "" if labels[said] == label else ' class="c-wrong"'
        rows += (f"<dt>{escape(id)}</dt><dd{kind}>{escape(labels[said])} "
                 f"{chance.replace(' ', chr(160))}{referred}</dd>")  # fmt: skip
    return (
        f"<li>{picture}<p><b>{escape(label)}</b> · {words.percent(apart)} apart</p>"
        f'<dl>{rows}</dl><p class="r-file">{escape(file)}</p></li>'
    )


def classical_table(classical: Mapping[str, Sequence[Baseline]]) -> str:
    """Classical models' rows, read from runs; empty without any."""
    rows: list[Row] = []
    for whose, found in classical.items():
        for row in found:
            figures: list[str | Interval] = [
                row.accuracy, row.balanced_accuracy, row.auroc, row.macro_f1
            ]  # fmt: skip
            if row.note:
                figures = [row.note, "–", "–", "–"]
            took = "–" if row.seconds is None else f"{row.seconds:,.1f}"
            name = TITLES.get(row.name, row.name)
            rows.append((name, [INPUTS.get(row.features, row.features), whose, *figures, took]))
    if not rows:
        return ""
    names = ("accuracy", "balanced_accuracy", "auroc", "macro_f1")
    return table(
        ("model", "sees", "scored on", *(NAMES[name] for name in names), "seconds"), rows
    ) + note(
        "Learned in the runs named, from their training part, and scored on their test part. They "
        "stand beside the networks above only where the pictures are the same."
    )


def models_table(comparison: Comparison) -> str:
    """What each model is: input, labels, data, split, licence."""
    models = comparison.models
    specs = [model.spec for model in models.values()]
    rows: list[Row] = [
        ("title", [spec.title for spec in specs]),
        ("reads", [words.reads(spec).removeprefix("reads ") for spec in specs]),
        ("labels", [", ".join(spec.label_names) for spec in specs]),
        ("network", [f"{spec.network.backbone} + {spec.network.head}" for spec in specs]),
        ("trained on", [spec.data.get("name", "–") for spec in specs]),
        ("its own split", [words.split_level(str(spec.split["level"])) if "level" in spec.split
                           else words.NOT_STATED for spec in specs]),
        ("its own headline", [words.headline(spec) or "not measured" for spec in specs]),
        ("licence", [spec.licence for spec in specs]),
        ("not for", [spec.not_for for spec in specs]),
    ]  # fmt: skip
    return table(("model", *models), rows)


def _footer(comparison: Comparison) -> str:
    digests = ", ".join(
        f"{id} preprocessing {model.spec.recipe.digest[:16]}"
        for id, model in comparison.models.items()
    )
    return f"{digests}. {words.RESEARCH_USE}."


def shown_files(comparison: Comparison) -> tuple[str, ...]:
    """Files whose pictures the report shows."""
    if not comparison.n:
        return ()
    named = next(iter(comparison.models.values())).answers.files
    return tuple(
        dict.fromkeys(chain(named[place] for place, _ in comparison.disagreements[:MOST_SHOWN]))
    )


SECTIONS: Mapping[str, Section] = {
    "Figures": figures_section,
    "Is one better than another?": pairs_section,
    "Trade-offs and calibration": curves_section,
    "Robustness": robustness_section,
    "Coverage against risk": coverage_section,
    "Where their answers differ": confusion_section,
    "Pictures on which they are farthest apart": disagreements_section,
}
"""Each section's heading and maker, in the order of reading; an empty text leaves it out."""
OF_FEW = (
    "Figures",
    "Is one better than another?",
    "Robustness",
    "Pictures on which they are farthest apart",
)
"""The sections where there are fewer pictures than `compare_words.FEW`."""
