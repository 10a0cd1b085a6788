"""A data set's health as one page that prints well. Pure: what health.json holds in, text out."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from leukemia_app.evaluation import words
from leukemia_app.evaluation.colours import class_colour
from leukemia_app.evaluation.measures import Interval
from leukemia_app.evaluation.run_report import page_style
from leukemia_app.evaluation.tables import (
    Bar,
    figure_table,
    interval_words,
    note,
    nothing,
    pairs,
    table,
)

Health = Mapping[str, Any]
"""What `data.health.Health.to_dict` gave."""
Thumbs = Mapping[str, bytes]
"""Small JPEG files by the name of the picture's file."""
MAX_FLAGS = 12
MAX_TWINS = 12
MAX_OF_TWINS = 3
VERDICTS: Mapping[str, str] = {
    "red": "too good", "amber": "above chance", "clear": "not shown", "open": "not known",
}  # fmt: skip
CHANCE = "AUROC: 0.5 is chance, 1 tells every pair apart."


def health_report(
    health: Health, thumbs: Thumbs, *, made_at: str, leak: Mapping[str, Any] | None = None
) -> str:
    """The page: no script, no address, dark where the screen is, light on paper.

    `leak` is what leak.json holds; `made_at` the time as it shall be printed. A picture without a
    thumbnail is named only.
    """
    title = str(health["name"])
    sections = (
        ("Classes", _classes(health)),
        ("Pictures of each class", _samples(health, thumbs)),
        ("What a model could learn instead of cells", _controls(health)),
        ("Split", _split(health, leak)),
        ("The same picture twice", _twins(health, thumbs)),
        ("Faults", _flags(health, thumbs)),
        ("Marks and frames", _giveaways(health)),
        ("Files", _files(health)),
    )
    body = "".join(
        f"<section><h2>{escape(head)}</h2>{made}</section>" for head, made in sections if made
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}: health of a data set</title>"
        f"<style>{page_style()}{STYLE}</style></head>"
        f'<body class="r-report"><header><h1>{escape(title)}</h1>'
        f"<p>Health of a data set · {escape(made_at)} · <b>{words.RESEARCH_USE}</b></p></header>"
        f"<main>{_lead(health)}{body}</main></body></html>\n"
    )


def headline(health: Health) -> str:
    """What there is, in one sentence."""
    n_classes = len(health["classes"])
    level = str(health["group_level"])
    noun = words.group_word(level)
    grouped = "" if level == "image" else f" in {health['n_groups']:,} {noun}s"
    return (
        f"{health['n_read']:,} pictures of {n_classes} {_plural('class', n_classes, 'classes')}"
        f"{grouped}, split {words.split_level(level)}."
    )


def _lead(health: Health) -> str:
    notes = health["notes"]
    warnings = "".join(
        f'<p class="r-warn h-{escape(item["level"])}">{escape(item["text"])}</p>'
        for item in notes if item["level"] != "plain"
    )  # fmt: skip
    rest = "".join(f"<li>{escape(item['text'])}</li>" for item in notes
                   if item["level"] == "plain")  # fmt: skip
    return (
        f'<p class="r-lead">{escape(headline(health))}</p>{warnings}<ul class="h-notes">{rest}</ul>'
    )


def _classes(health: Health) -> str:
    most = max(item["n_pictures"] for item in health["classes"])
    parts = list(health["split"]["parts"])
    level = str(health["group_level"])
    rows = "".join(
        f'<tr><th scope="row">{escape(_class_name(item))}</th>'
        f'<td class="h-bar" aria-hidden="true"><i style="width:'
        f"{100 * item['n_pictures'] / most:.1f}%;background:{class_colour(number)}"
        f'"></i></td><td>{item["n_pictures"]:,}</td>'
        + ("" if level == "image" else f"<td>{item['n_groups']:,}</td>")
        + "".join(f"<td>{_held(health, part, item['label'])}</td>" for part in parts)
        + "</tr>"
        for number, item in enumerate(health["classes"])
    )
    names = ("class", "", "pictures", *_group_heads(level),
             *(part or "no part" for part in parts))  # fmt: skip
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return (
        f'<div class="r-wide"><table class="r-table h-classes"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div><p>{escape(health['balance'])}</p>"
    )


def _group_heads(level: str) -> tuple[str, ...]:
    """The heading of a column of groups, where there are any."""
    return () if level == "image" else (f"{words.group_word(level)}s",)


def _class_name(item: Mapping[str, Any]) -> str:
    others = [name for name in item["raw_labels"] if name != item["label"]]
    return f"{item['label']} ({', '.join(others)})" if others else str(item["label"])


def _held(health: Health, part: str, label: str) -> str:
    return f"{health['split']['parts'][part]['pictures_by_label'].get(label, 0):,}"


def _samples(health: Health, thumbs: Thumbs) -> str:
    return "".join(
        f"<h3>{escape(item['label'])}</h3>"
        + _gallery((file, "", thumbs.get(file)) for file in item["shown"])
        for item in health["classes"]
    ) + note("Chosen evenly over the groups of each class.")  # fmt: skip


def _controls(health: Health) -> str:
    if not health["controls"]:
        return nothing("Not measured: no two classes stand in both the train and the test part.")
    rows = []
    for item in health["controls"]:
        others = (Interval(**item[name]) for name in ("balanced_accuracy", "macro_f1"))
        cells = (*map(interval_words, others), VERDICTS[item["verdict"]])
        rows.append(
            Bar(name=f"{item['seen']} alone", figure=Interval(**item["auroc"]), cells=cells)
        )
        across = Interval(**item["across"])
        if across.value is not None:
            rows.append(
                Bar(name="  the same, cross-validated by group", figure=across, cells=("", "", ""))
            )
    first = health["controls"][0]
    level = str(health["group_level"])
    groups = "".join(f" of {first['n_test_groups']:,} {noun}" for noun in _group_heads(level))
    made = figure_table(
        rows, heads=("balanced accuracy", "macro-F1", ""), name="what is seen",
        caption=f"A linear classifier, learned from {first['n_learn']:,} pictures of the training "
        f"part, scored on {first['n_test']:,}{groups} of the test part; {CHANCE}",
    )  # fmt: skip
    said = "".join(
        f'<p class="h-said h-{escape(item["verdict"])}">{escape(item["sentence"])}</p>'
        for item in health["controls"]
    )
    return made + said + note(
        "The background is described by its colours and its roughness, without a network. Too "
        "good: above 0.8, with an interval that begins above 0.65."
    )  # fmt: skip


def _split(health: Health, leak: Mapping[str, Any] | None) -> str:
    labels = [item["label"] for item in health["classes"]]
    level = str(health["group_level"])
    parts = health["split"]["parts"]
    heads = ("part", "pictures", *_group_heads(level), *labels)
    rows = [
        (name or "no part", [
            f"{held['n_pictures']:,}", *([] if level == "image" else [f"{held['n_groups']:,}"]),
            *(f"{held['pictures_by_label'].get(label, 0):,}" for label in labels),
        ])
        for name, held in parts.items()
    ]  # fmt: skip
    said = [f"Split {words.split_level(level)}.", *health["split"]["notes"][1:]]
    if health["n_left_out"]:
        said.append(f"{health['n_left_out']:,} pictures stand in no part.")
    made = table(heads, rows) + "".join(f"<p>{escape(text)}</p>" for text in said)
    return made + (_leak(leak) if leak is not None else "")


def _leak(leak: Mapping[str, Any]) -> str:
    rows = [
        Bar(name="random split by picture", figure=Interval(**leak["image"]),
            cells=("image-level, optimistic",)),
        Bar(name=f"split by {leak['group_level']}", figure=Interval(**leak["group"]), is_ours=True,
            cells=(f"{leak['folds']}-fold cross-validation over {leak['n_pictures']:,} pictures",)),
    ]  # fmt: skip
    if leak["test"] is not None:
        rows.append(Bar(name="the test part", figure=Interval(**leak["test"]),
                        cells=(f"{leak['n_test']:,} pictures",)))  # fmt: skip
    wish = leak["wish"]
    return (
        "<h3>The leak, measured</h3>"
        + figure_table(rows, heads=("",), name="AUROC, frozen features")
        + f"<p>{escape(leak['sentence'])}</p>"
        + note(f"Logistic regression on averaged features of {wish['backbone']} "
               f"({wish['start'].partition(':')[0]}).")
    )  # fmt: skip


def _twins(health: Health, thumbs: Thumbs) -> str:
    twins = health["twins"]
    if not twins:
        return nothing("No two pictures show the same thing.")
    made = "".join(_twin_set(item, thumbs) for item in twins[:MAX_TWINS])
    rest = twins[MAX_TWINS:]
    names = [(" = ".join(item["files"]), _twin_words(item)) for item in rest]
    more = f"<details><summary>{len(rest):,} more</summary>{pairs(names)}</details>" if rest else ""
    return f"<p>{len(twins):,} {_plural('set', len(twins))}.</p>{made}{more}"


def _twin_set(item: Mapping[str, Any], thumbs: Thumbs) -> str:
    files = item["files"]
    shown = _gallery((file, "", thumbs.get(file)) for file in files[:MAX_OF_TWINS])
    more = f" {len(files):,} pictures." if len(files) > MAX_OF_TWINS else ""
    kind = "h-conflict" if len(item["labels"]) > 1 else ""
    return f'<div class="h-twins {kind}">{shown}<p>{escape(_twin_words(item))}{more}</p></div>'


def _twin_words(item: Mapping[str, Any]) -> str:
    said = "Exact copies" if item["is_exact"] else "Nearly the same"
    if len(item["labels"]) > 1:
        return f"{said}, in two classes: {' and '.join(item['labels'])}."
    if len(item["groups"]) > 1:
        return f"{said}, of {' and '.join(item['groups'])}."
    return f"{said}."


def _flags(health: Health, thumbs: Thumbs) -> str:
    if not health["flags"]:
        return nothing("No picture is blurred, dark, blown out, flat or grey.")
    kinds = list(dict.fromkeys(item["kind"] for item in health["flags"]))
    made = ""
    for kind in kinds:
        mine = [item for item in health["flags"] if item["kind"] == kind]
        shown = mine[:MAX_FLAGS]
        made += f"<h3>{escape(kind)}: {len(mine):,}</h3><p>{escape(mine[0]['sentence'])}</p>"
        made += _gallery(
            (item["file"], f"class {item['label']}", thumbs.get(item["file"])) for item in shown
        )
        made += _named([item["file"] for item in mine[MAX_FLAGS:]])
    return made


def _giveaways(health: Health) -> str:
    if not health["giveaways"]:
        return nothing("No scale bar, caption or frame was found.")
    labels = [item["label"] for item in health["classes"]]
    rows = [
        (item["what"], [f"{100 * item['share_by_label'].get(label, 0):.0f} %" for label in labels])
        for item in health["giveaways"]
    ]
    said = "".join(f"<p>{escape(item['sentence'])}</p>" for item in health["giveaways"])
    return table(("share of the pictures with", *labels), rows) + said


def _files(health: Health) -> str:
    sizes = [f"{item['columns']} × {item['rows']} px: {item['n_pictures']:,}"
             for item in health["sizes"]]  # fmt: skip
    more = health["n_sizes"] - len(sizes)
    rows = [
        ("Layout", str(health["layout"])),
        ("Pictures", f"{health['n_found']:,} found, {health['n_read']:,} read"),
        ("Sizes", "; ".join(sizes) + (f"; {more:,} other sizes" if more > 0 else "")),
        ("Formats", "; ".join(f"{name}: {n:,}" for name, n in health["formats"].items())),
        ("Passed over", "; ".join(f"{kind}: {n:,}" for kind, n in health["ignored"].items())),
    ]
    unread = table(
        ("file that cannot be used", "why"),
        [(item["file"], [item["reason"]]) for item in health["problems"]],
    )  # fmt: skip
    return pairs(rows) + (unread if health["problems"] else note("Every picture can be read."))


def _gallery(items: Iterable[tuple[str, str, bytes | None]]) -> str:
    """Pictures side by side, each with its remark and its name."""
    made = []
    for file, remark, small in items:
        picture = '<span class="r-blank">no picture</span>'
        if small is not None:
            uri = f"data:image/jpeg;base64,{base64.b64encode(small).decode()}"
            picture = f'<img src="{uri}" alt="">'
        said = f"<p>{escape(remark)}</p>" if remark else ""
        made.append(f'<li>{picture}{said}<p class="r-file">{escape(file)}</p></li>')
    return f'<ul class="r-gallery">{"".join(made)}</ul>'


def _named(files: Sequence[str]) -> str:
    if not files:
        return ""
    listed = "".join(f"<li>{escape(file)}</li>" for file in files)
    return f"<details><summary>{len(files):,} more</summary><ul>{listed}</ul></details>"


def _plural(noun: str, number: int, several: str = "") -> str:
    return noun if number == 1 else several or f"{noun}s"


STYLE = """
.h-red { border-color: var(--s-error); background: var(--s-error-ground); color: var(--s-error) }
.h-notes { margin: 12px 0; padding-left: 20px; color: var(--s-muted) }
.h-notes li { margin: 4px 0; max-width: 90ch; overflow-wrap: anywhere }
.h-classes { width: 100% }
.h-classes .h-bar { width: 40% }
.h-bar i { display: block; height: 14px; min-width: 2px }
.h-said { border-left: 3px solid var(--s-line); padding-left: 12px }
.h-said.h-red { background: none; border-color: var(--s-error) }
.h-said.h-amber { border-color: var(--s-refer-line) }
.h-twins { display: inline-block; vertical-align: top; width: min(100%, 420px);
  margin: 0 16px 12px 0; break-inside: avoid }
.h-twins .r-gallery { grid-template-columns: repeat(3, minmax(0, 1fr)); margin-bottom: 4px }
.h-twins p { margin: 0; font-size: 13px }
.h-conflict p { color: var(--s-error) }
.h-conflict .r-file { color: var(--s-muted) }
@media print {
  .h-twins { width: 86mm }
  details { display: none }
}
"""
