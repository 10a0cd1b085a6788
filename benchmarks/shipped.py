"""Every model of this machine on the kept-back pictures of the public sets: docs/models.md.

    python -m benchmarks.shipped ../shared/data [--disturbed 60] [--only all4] [--docs docs]

Of each set the test part where the data names one, else all pictures; what a model learned from is
left out with its group. The robustness curves take at most `--disturbed` pictures of a set, evenly
from all of them; 0 leaves them out. Shipped models, and those that were trained here.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from leukemia_app import api
from leukemia_app.bundles.predictor import Predictor
from leukemia_app.evaluation import words
from leukemia_app.evaluation.ask import PLAIN, Asked, ask, groups_learned_from
from leukemia_app.evaluation.colours import LIGHT, variables
from leukemia_app.evaluation.compare import Candidate, compared
from leukemia_app.evaluation.compare_plots import model_styles, robustness_plots
from leukemia_app.evaluation.corruptions import EVERY
from leukemia_app.evaluation.label_map import LabelMap, parse
from leukemia_app.evaluation.measures import NAMES, Measured, measure
from leukemia_app.evaluation.run_report import fragment_style
from leukemia_app.evaluation.tables import interval_words
from leukemia_app.training.labelled import LabelledFolder, labelled_folder

FIGURES = ("accuracy", "macro_f1", "auroc", "sensitivity_at_95_specificity", "ece", "refer_rate",
           "error_among_answered")  # fmt: skip


INTRODUCTION = """# The models on kept-back pictures

Made by `python -m benchmarks.shipped ../shared/data`; 95 % intervals from 1,000 samples of whole
groups within classes. Of each set the test part where the data names one, else all pictures; what
a model learned from is left out, with the others of its group.

"""
DISTURBED = """The same disturbed pictures went to every model of a set. A line that falls under
stain shift or grey is of a model that learned colour.

"""


@dataclass(frozen=True, kw_only=True)
class Set:
    """A public data set, and what its labels are called by the models."""

    name: str
    groups: str = ""
    level: str = "image"
    given: str = ""
    """Label map where the data's labels are not the models'."""


SETS = (
    Set(name="all4", groups="all4_groups.csv", level="run"),
    Set(name="cnmc", groups="cnmc_groups.csv", level="patient"),
    Set(name="pbc"),
    Set(name="bcisc"),
    Set(name="allidb2", given="normal = 0, hem; lymphoblast = 1, all"),
)


def main() -> None:
    """Measure and write the page."""
    arguments = _arguments()
    arguments.docs.mkdir(parents=True, exist_ok=True)
    library = api.open_library()
    ids = [entry.id for entry in library.entries() if entry.problem is None and entry.spec]
    predictors = {id: library.predictor(id) for id in ids}
    rows, plots = [], []
    for each in SETS:
        if arguments.only and each.name != arguments.only:
            continue
        data = _opened(each, arguments.data)
        suited = {id: p for id, p in predictors.items() if _fits(p, data, each)}
        kept_back = frozenset(row.file for row in data.rows)
        for id, predictor in suited.items():
            row, files = _row(each, id, predictor, data)
            rows.append(row)
            kept_back &= files
            sys.stderr.write(f"{row}\n")
        data = replace(data, rows=tuple(row for row in data.rows if row.file in kept_back))
        if arguments.disturbed and suited:
            plots.append(_plots(each, suited, data, arguments.disturbed, arguments.docs))
        _write(arguments.docs / "models.md", rows, plots)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--disturbed", type=int, default=60)
    parser.add_argument("--only", choices=[each.name for each in SETS])
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    return parser.parse_args()


def _opened(each: Set, data: Path) -> LabelledFolder:
    groups = data / each.groups if each.groups else None
    return labelled_folder(data / each.name, groups=groups, group_level=each.level)


def _labels(predictor: Predictor, each: Set) -> LabelMap:
    names = predictor.spec.label_names
    if each.given:
        return parse(each.given)
    return LabelMap(members={name: (name,) for name in names}, is_stated=False)


def _fits(predictor: Predictor, data: LabelledFolder, each: Set) -> bool:
    """Whether the model knows every label of the data, under the set's map."""
    labels = _labels(predictor, each)
    known = {labels.common(name) for name in predictor.spec.label_names}
    return None not in known and len(data.known(labels)) == len(data.rows)


def _asked(
    predictors: dict[str, Predictor], data: LabelledFolder, labels: LabelMap,
    corruptions: tuple[tuple[str, int], ...] = (),
) -> Asked:  # fmt: skip
    pictures = data.labelled(labels)
    known = frozenset[str]()
    if data.group_level != "image":
        known = groups_learned_from(predictors, pictures.samples())
    return ask(predictors, pictures.samples(), labels, corruptions=corruptions, known_groups=known)


def _row(
    each: Set, id: str, predictor: Predictor, data: LabelledFolder
) -> tuple[str, frozenset[str]]:
    """The model's line, and the files that it was asked about."""
    labels = _labels(predictor, each)
    asked = _asked({id: predictor}, data, labels)
    answers = asked.answers[id][PLAIN]
    measured: Measured = measure(answers, labels.labels)
    n_groups = "" if data.group_level == "image" else f", {len(set(answers.groups))} groups"
    cells = [
        each.name, f"`{id}`", f"{len(answers.true):,}{n_groups}",
        words.split_level(data.group_level),
        *(interval_words(measured.overall[name]) for name in FIGURES),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |", frozenset(answers.files)


def _plots(
    each: Set, predictors: dict[str, Predictor], data: LabelledFolder, most: int, docs: Path
) -> str:
    """Write the curves of a set, and give the lines that show them."""
    step = max(1, -(-len(data.rows) // most))
    some = replace(data, rows=data.rows[::step])
    labels = _labels(next(iter(predictors.values())), each)
    asked = _asked(predictors, some, labels, EVERY)
    candidates = {
        id: Candidate(reader=p, size_bytes=0, memory_mb=0) for id, p in predictors.items()
    }
    found = compared(candidates, asked, some.labelled(labels), labels, corruptions=EVERY)
    figure = found.held_to
    drawn = robustness_plots(found, figure, each.name)
    name = f"robustness-{each.name}.svg"
    (docs / name).write_text(
        _sheet(drawn, list(predictors), f"Robustness on {each.name}"), encoding="utf-8"
    )
    ids = " and ".join(f"`{id}`" for id in predictors)
    return (
        f"### {each.name}\n\n{ids}: {NAMES[figure]} against strength, {found.n:,} pictures, "
        f"{words.split_level(data.group_level)}; 0 is undisturbed.\n\n![{ids}]({name})\n"
    )


def _sheet(figures: list[str], ids: list[str], title: str) -> str:
    """The plots of `robustness_plots` on one sheet, three beside each other, under their key."""
    wide, high, top = 330, 260, 54
    body = "".join(
        f'<text x="{20 + 320 * at}" y="30" font-size="14" fill="{LIGHT["ink"]}">{escape(id)}</text>'
        f'<path d="M{20 + 320 * at} 38h60" class="r-line" style="{style}"/>'
        for at, (id, style) in enumerate(model_styles(ids).items())
    )
    for number, figure in enumerate(figures):
        x, y = wide * (number % 3), top + high * (number // 3)
        name, drawn = figure.partition("<figcaption>")[2].split("</figcaption>")
        inner = drawn.removesuffix("</figure>").replace(
            '<svg class="r-plot"',
            f'<svg x="{x}" y="{y + 16}" width="{wide - 14}" height="{high - 28}"',
        )
        body += (
            f'<text x="{x + 40}" y="{y + 14}" font-size="13" font-weight="600">{name}</text>{inner}'
        )
    height = top + high * -(-len(figures) // 3)
    style = f"svg {{{variables(LIGHT)} font-family: system-ui, sans-serif}} {fragment_style()}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * wide} {height}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="100%" height="100%" fill="{LIGHT["ground"]}"/>{body}</svg>\n'
    )


def _write(path: Path, rows: list[str], plots: list[str]) -> None:
    heads = ["set", "model", "pictures", "split", *(NAMES[name] for name in FIGURES)]
    table = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows]
    text = INTRODUCTION + "\n".join(table) + "\n"
    if plots:
        text += "\n## Under disturbances\n\n" + DISTURBED + "\n".join(plots)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
