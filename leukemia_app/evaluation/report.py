"""Readings as one page that prints on A4. Pure: values in, text out."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import Spec
from leukemia_app.evaluation import words
from leukemia_app.evaluation.results import Unread
from leukemia_app.evaluation.smear import Count, summarize

MAX_FIGURES = 12
"""Results and controls on the page; the card holds all figures."""
FACTS_LEFT_OUT = ("Network", "From")
"""Of interest to who runs the model; the card holds them."""


@dataclass(frozen=True, kw_only=True)
class Illustrated:
    """A reading, or a file that was not read, with the pictures for the page as PNG files."""

    result: Reading | Unread
    thumbnail: bytes | None = None
    outlined: bytes | None = None
    """The picture with its cells and nuclei outlined."""
    mapped: bytes | None = None
    """The picture under its map; None where the model has none."""
    map_words: str = words.NO_MAP
    phrases: tuple[str, ...] = ()
    """The main cell in words."""


def html_report(
    shown: Sequence[Illustrated], spec: Spec, *, made_at: str, one_smear: bool = True
) -> str:
    """A page that prints on A4 and needs nothing else: no script, no address.

    One picture is shown in full; several as a table, under their summary where they are one smear.
    `made_at` is the time as it shall be printed.
    """
    if len(shown) == 1 and isinstance(shown[0].result, Reading):
        body = _one_picture(shown[0], shown[0].result, spec)
    else:
        body = _many_pictures(shown, spec, one_smear)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Reading of {_safe(_title(shown))}</title><style>{STYLE}</style></head><body>"
        f"<header><h1>Reading of {_safe(_title(shown))}</h1>"
        f"<p><b>{words.RESEARCH_USE}</b> · {_safe(made_at)}</p></header>"
        f"{body}{_model_facts(spec)}{_provenance(shown, spec)}</body></html>\n"
    )


def _title(shown: Sequence[Illustrated]) -> str:
    return shown[0].result.file if len(shown) == 1 else f"{len(shown)} pictures"


def _one_picture(item: Illustrated, reading: Reading, spec: Spec) -> str:
    caption = "cells outlined, nuclei dashed" if reading.cells else "no white cell found"
    figures = _image(item.outlined, f"The picture, {caption}")
    figures += _image(item.mapped, f"Grad-CAM over the picture. {item.map_words}")
    if item.mapped is None:
        figures += f"<p>{_safe(item.map_words)}</p>"
    return (
        f'<section class="pictures">{figures}</section>'
        f'<section class="two"><div>{_decision(reading, spec)}{_bars(reading, spec)}</div>'
        f"<div>{_cell(item, reading)}{_remarks(reading)}</div></section>"
    )


def _many_pictures(shown: Sequence[Illustrated], spec: Spec, one_smear: bool) -> str:
    readings = [item.result for item in shown if isinstance(item.result, Reading)]
    rows = "".join(f"<tr>{_row(item)}</tr>" for item in shown)
    heads = "".join(f"<th>{head}</th>" for head in ("", "file", "decision", "top class", "why"))
    summary = "" if one_smear else f'<p class="lead">{_safe(words.APART)}</p>'
    if one_smear and len(readings) > 1:
        summary = _summary(readings, spec.label_names)
    table = f'<table class="files"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return f"{summary}{table}"


def _summary(readings: Sequence[Reading], labels: Sequence[str]) -> str:
    found = summarize(readings, labels)
    rows = "".join(_count_row(count) for count in (*found.counts, found.referred))
    heads = "".join(f"<th>{head}</th>" for head in words.SUMMARY_HEADS)
    return (
        f'<p class="lead">{_safe(words.ONE_SMEAR)} {_safe(words.summary_sentence(found))}</p>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p>{_safe(words.SUMMARY_NOTE)}</p>"
    )


def _count_row(count: Count) -> str:
    low, high = count.interval
    return (
        f"<tr><th>{_safe(count.label)}</th><td>{count.k} of {count.n}</td>"
        f"<td>{words.whole_percent(count.share)} %</td>"
        f"<td>{words.whole_percent(low)}–{words.whole_percent(high)} %</td>"
        f"<td>{count.more_to_halve:,}</td></tr>"
    )


def _row(item: Illustrated) -> str:
    picture = "" if item.thumbnail is None else f'<img src="{_uri(item.thumbnail)}" alt="">'
    result = item.result
    if isinstance(result, Unread):
        cells = [result.file, "not read", "", result.message]
    else:
        label = result.decision.label
        refers = result.decision.kind == "refer"
        cells = [result.file, words.REFER if refers else label,
                 f"{label} {words.percent(result.probabilities[label])}",
                 " ".join(result.decision.reasons)]  # fmt: skip
    return f"<td>{picture}</td>" + "".join(f"<td>{_safe(cell)}</td>" for cell in cells)


def _decision(reading: Reading, spec: Spec) -> str:
    label = reading.decision.label
    if reading.decision.kind == "refer":
        reasons = "".join(f"<li>{_safe(reason)}</li>" for reason in reading.decision.reasons)
        return f"<h2>{words.REFER}</h2><ul>{reasons}</ul><p>{_safe(words.top_class(reading))}</p>"
    meaning = next(item.meaning for item in spec.labels if item.name == label)
    return (
        f"<h2>{_safe(label)} {words.percent(reading.probabilities[label])}</h2>"
        f"<p>The model’s top class: {_safe(meaning)}</p>"
    )


def _bars(reading: Reading, spec: Spec) -> str:
    ranked = sorted(reading.probabilities.items(), key=lambda item: -item[1])
    rows = "".join(
        f'<tr><th>{_safe(name)}</th><td class="track"><i style="width:{100 * value:.1f}%"></i></td>'
        f'<td class="number">{words.percent(value)}</td></tr>'
        for name, value in ranked
    )
    lines = [f"Threshold {words.percent(spec.threshold)}: below it the model refers."]
    if reading.scope is not None:
        side = "inside" if reading.scope.inside else "outside"
        lines.append(
            f"Distance from the training pictures {reading.scope.score:.2f}, {side} the limit of "
            f"{reading.scope.limit:.2f}."
        )
    return f'<table class="bars"><tbody>{rows}</tbody></table><p>{_safe(" ".join(lines))}</p>'


def _cell(item: Illustrated, reading: Reading) -> str:
    head = f"<h2>{_safe(words.cells_title(reading))}</h2>"
    if reading.morphology is None:
        return f"{head}<p>{words.NO_MEASURES}</p>"
    measured = "".join(
        f"<tr><th>{_safe(name)}</th><td>{_safe(value)}</td></tr>"
        for name, value in words.measures(reading.morphology)
    )
    return f"{head}<p>{_safe(words.sentence(item.phrases))}</p><table>{measured}</table>"


def _remarks(reading: Reading) -> str:
    found = "".join(f"<li>{_safe(remark)}</li>" for remark in reading.remarks)
    return f"<h2>About the picture</h2><ul>{found}</ul>" if found else ""


def _model_facts(spec: Spec) -> str:
    rows = "".join(
        f"<tr><th>{_safe(name)}</th><td>{_safe(value)}</td></tr>"
        for name, value in words.fact_rows(spec)
        if name not in FACTS_LEFT_OUT
    )
    told = [item for item in spec.figures if item.kind in ("result", "control")]
    figures = "".join(
        f"<tr><th>{_safe(item.name)}</th>"
        + "".join(f"<td>{_safe(cell)}</td>" for cell in words.figure_cells(item))
        + "</tr>"
        for item in told[:MAX_FIGURES]
    )
    heads = "".join(f"<th>{head}</th>" for head in words.FIGURE_HEADS)
    table = (
        f'<table class="figures"><thead><tr>{heads}</tr></thead><tbody>{figures}</tbody></table>'
    )
    return (
        f'<section class="facts"><h2>The model: {_safe(spec.title)}</h2>'
        f'<table class="pairs">{rows}</table>{table if figures else ""}</section>'
    )


def _provenance(shown: Sequence[Illustrated], spec: Spec) -> str:
    reading = next((item.result for item in shown if isinstance(item.result, Reading)), None)
    if reading is None:
        return ""
    facts = (
        f"Model {spec.id}, bundle sha256 {reading.bundle_sha256 or 'not known'}, "
        f"preprocessing {reading.recipe_digest or 'not known'}, {words.seconds(reading)}."
    )
    return f"<footer>{_safe(facts)}</footer>"


def _image(png: bytes | None, caption: str) -> str:
    if png is None:
        return ""
    return (
        f'<figure><img src="{_uri(png)}" alt=""><figcaption>{_safe(caption)}</figcaption></figure>'
    )


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _safe(text: object) -> str:
    return escape(str(text), quote=True)


STYLE = """
@page { size: A4; margin: 11mm }
:root { color-scheme: light }
* { box-sizing: border-box }
body { font: 8.8pt/1.28 system-ui, "Segoe UI", Roboto, Arial, sans-serif; color: #1b2430;
  background: #fff; max-width: 188mm; margin: 0 auto; font-variant-numeric: tabular-nums;
  -webkit-print-color-adjust: exact; print-color-adjust: exact }
@media screen { body { padding: 6mm } }
h1 { font-size: 14pt; line-height: 1.2; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 11pt; margin: 2.5mm 0 .5mm }
p, ul { margin: .8mm 0 } ul { padding-left: 5mm }
header { border-bottom: .4mm solid #5b4b9a; padding-bottom: 1.5mm }
.lead { font-size: 11pt }
.pictures { display: flex; gap: 6mm; margin-top: 2.5mm }
figure { margin: 0; flex: 1; min-width: 0 }
figure img { display: block; width: 100%; height: 42mm; object-fit: contain; background: #f5f7f9 }
figcaption { font-size: 8pt; color: #4f5b6a; margin-top: .8mm }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 6mm }
table { border-collapse: collapse; width: 100%; margin: 1mm 0 }
th, td { text-align: left; vertical-align: top; padding: .4mm 3mm .4mm 0; font-weight: 400;
  border-bottom: .2mm solid #d5dbe2 }
th { color: #4f5b6a } thead th { font-size: 8pt }
tr, figure { break-inside: avoid }
td img { width: 12mm; display: block }
.bars th { color: #1b2430; width: 1%; white-space: nowrap }
.number { width: 1%; white-space: nowrap; text-align: right; padding-right: 0 }
.track { padding: 1mm 3mm 1mm 0 }
.track i { display: block; height: 2.6mm; min-width: .2mm; background: #7a8698 }
.bars tr:first-child i { background: #5b4b9a }
.files td:nth-child(2), .files td:nth-child(5) { overflow-wrap: anywhere; min-width: 40mm }
.files td:nth-child(3), .files td:nth-child(4) { white-space: nowrap }
.facts { font-size: 8pt } .pairs th { width: 1%; white-space: nowrap }
.figures { font-size: 7.5pt } .figures td:nth-child(-n+5) { white-space: nowrap }
footer { font-size: 7pt; color: #4f5b6a; margin-top: 1.5mm; overflow-wrap: anywhere }
"""
