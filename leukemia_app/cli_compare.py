"""The command that puts models side by side, on labelled pictures or on any: compare."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app.cli_output import (
    JsonArray,
    Progress,
    without_native_notes,
    write_json,
    write_line,
    write_table,
    write_whole,
)
from leukemia_app.errors import DatasetError, SettingError

if TYPE_CHECKING:
    from leukemia_app.bundles.reading import Reading
    from leukemia_app.bundles.spec import Spec
    from leukemia_app.evaluation.baseline_row import Baseline
    from leukemia_app.evaluation.compare import Comparison
    from leukemia_app.evaluation.label_map import LabelMap
    from leukemia_app.evaluation.results import Unread
    from leukemia_app.settings import Settings
    from leukemia_app.training.labelled import LabelledFolder

COMPARISON, REPORT = "comparison.json", "comparison.html"
ANSWERS, FIGURES = "answers.csv", "figures.csv"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `compare`."""
    compare = commands.add_parser("compare", help="two to six models on the same pictures")
    compare.add_argument("paths", nargs="+", type=Path, metavar="PATH",
                         help="one folder or zip of class folders, or any pictures")  # fmt: skip
    compare.add_argument(
        "--models", required=True, metavar="A,B,…", help="two to six ids of `models list`"
    )
    compare.add_argument("--map", default="", metavar="M", dest="label_map",
                         help="what labels that differ share: 'other = Benign, hem; leukemic = "
                         "Early, Pre, Pro, all'")  # fmt: skip
    compare.add_argument("--unlabelled", action="store_true",
                         help="take the folder’s pictures without their labels")  # fmt: skip
    compare.add_argument("--groups", type=Path, metavar="CSV",
                         help="file,label,group[,part] of each picture")  # fmt: skip
    compare.add_argument("--group-level", choices=("patient", "run", "image"), default="run",
                         help="what a group of the CSV is")  # fmt: skip
    compare.add_argument("--part", default="test", help="part of a split; all without one")
    compare.add_argument("--corruptions", action="store_true",
                         help="also under every disturbance at five strengths")  # fmt: skip
    compare.add_argument("--runs", default="", metavar="ID,…",
                         help="put the classical models of these runs into the report")  # fmt: skip
    compare.add_argument("--engine", choices=("local", "ray"), default="local",
                         help="ray: on the cluster that RAY_ADDRESS names")  # fmt: skip
    compare.add_argument("--out", type=Path, metavar="DIR",
                         help="folder for the report, tables and JSON")  # fmt: skip
    compare.add_argument("--json", action="store_true", help="print all of it as JSON")
    compare.set_defaults(run=run_compare)


def run_compare(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Compare on the labels that the data has, or else picture by picture; 1 where files failed."""
    from leukemia_app import api
    from leukemia_app.data.archive import ZipLimits
    from leukemia_app.evaluation.compare import check_candidates
    from leukemia_app.training.labelled import labelled_folder, opened

    models = [name.strip() for name in arguments.models.split(",") if name.strip()]
    check_candidates(models)
    first = arguments.paths[0]
    is_set = first.is_dir() or first.suffix.lower() == ".zip"
    if arguments.unlabelled or len(arguments.paths) > 1 or not is_set:
        if not all(path.exists() for path in arguments.paths):
            lost = next(path for path in arguments.paths if not path.exists())
            raise SettingError(f"There is no {lost}; check the path.")
        return _compare_pictures(arguments, models, settings)
    with opened(first, ZipLimits.of(settings)) as folder:
        try:
            data = labelled_folder(
                folder, groups=arguments.groups, group_level=arguments.group_level,
                part=arguments.part, limits=api.picture_limits(settings),
            )  # fmt: skip
        except DatasetError as error:
            raise DatasetError(
                f"{error} To compare the models’ answers alone, add --unlabelled."
            ) from error
        return _compare_labelled(arguments, models, data, settings)


def _compare_labelled(
    arguments: argparse.Namespace, models: Sequence[str], data: "LabelledFolder",
    settings: "Settings",
) -> int:  # fmt: skip
    from leukemia_app import api

    classical = _classical(arguments.runs, settings)
    bar: list[Progress] = []

    def progress(done: int, total: int) -> None:
        if not bar:
            bar.append(Progress(total))
        bar[0].reach(done)

    with without_native_notes():
        found = api.compare(
            models, data, api.open_library(settings), label_map=arguments.label_map,
            disturbed=arguments.corruptions, engine=arguments.engine, progress=progress,
        )  # fmt: skip
    for each in bar:
        each.clear()
    for problem in found.unreadable:
        sys.stderr.write(f"compare: left out: {problem}\n")
    if not found.n and found.unreadable:
        raise DatasetError(f"Not one of the pictures in {data.folder} can be read.")
    if arguments.out:
        _write_files(arguments.out, found, data, arguments.paths[0].resolve().name, classical)
    if arguments.json:
        write_json(found.to_dict())
    else:
        _write(found, arguments.out)
    return 1 if found.unreadable else 0


def _classical(named: str, settings: "Settings") -> "Mapping[str, Sequence[Baseline]]":
    """The classical models of the runs that were named."""
    from leukemia_app.cli_runs import chosen_run
    from leukemia_app.evaluation import words
    from leukemia_app.training.results import gather

    found: dict[str, Sequence[Baseline]] = {}
    for name in filter(None, map(str.strip, named.split(","))):
        results = gather(chosen_run(name, settings)[0])
        if not results.baselines:
            raise SettingError(f"The run {name} has no classical models to show.")
        n = 0 if results.answers is None else len(results.answers.true)
        found[f"{results.id}, {n:,} test pictures, {words.split_level(results.level)}"] = (
            results.baselines
        )
    return found


def _write_files(
    out: Path, found: "Comparison", data: "LabelledFolder", given: str,
    classical: "Mapping[str, Sequence[Baseline]]",
) -> None:  # fmt: skip
    import json

    from leukemia_app.evaluation.compare import answers_csv, figures_csv
    from leukemia_app.evaluation.compare_report import compare_report, shown_files
    from leukemia_app.training.report import small_pictures

    thumbnails = small_pictures(data.folder, shown_files(found))
    made_at = time.strftime("%d %B %Y, %H:%M")
    text = json.dumps(found.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in (
        (COMPARISON, text + "\n"),
        # A spreadsheet takes UTF-8 for something else without the mark.
        (FIGURES, "\ufeff" + figures_csv(found)),
        (ANSWERS, "\ufeff" + answers_csv(found)),
        (
            REPORT,
            compare_report(found, thumbnails, data=given, made_at=made_at, classical=classical),
        ),
    ):
        write_whole(out / name, content)


def _write(found: "Comparison", out: Path | None) -> None:
    from leukemia_app.evaluation import compare_words, words
    from leukemia_app.evaluation.compare import DIFFERED, SHOWN
    from leukemia_app.evaluation.measures import NAMES
    from leukemia_app.evaluation.tables import interval_words

    write_line(compare_words.verdict(found))
    for remark in compare_words.remarks(found):
        write_line(remark)
    models = found.models
    write_line()
    rows = [
        (NAMES[name], *(interval_words(model.figure(name)) for model in models.values()))
        for name in SHOWN
    ]
    costs = [model.cost for model in models.values()]
    rows += [
        ("ms a picture", *("–" if cost.ms is None else f"{cost.ms:.1f}" for cost in costs)),
        ("MB on disk", *(f"{cost.size_bytes / 1e6:.1f}" for cost in costs)),
    ]
    write_table(("", *models), rows)
    for pair in found.pairs:
        write_line()
        write_line(compare_words.pair(pair, len(found.pairs)))
        write_table(
            (f"{pair.other} minus {pair.first}", "difference"),
            [(NAMES[name], interval_words(pair.differences[name])) for name in DIFFERED],
        )
    for id, model in models.items():
        for corruption, strengths in model.disturbed.items():
            line = ", ".join(_value(row[found.held_to]["value"]) for row in strengths)
            write_line(f"{id}, {corruption.replace('_', ' ')}: {NAMES[found.held_to]} {line}")
    if out:
        write_line()
        write_line(f"Written: {out / REPORT}, {COMPARISON}, {FIGURES}, {ANSWERS}")
    write_line(f"{words.RESEARCH_USE}.")


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _compare_pictures(
    arguments: argparse.Namespace, models: Sequence[str], settings: "Settings"
) -> int:
    """Every model's reading of every picture; nothing is scored, as no label is known."""
    from leukemia_app import api
    from leukemia_app.cli_pictures import exit_code
    from leukemia_app.evaluation import words
    from leukemia_app.evaluation.compare_words import inputs_words
    from leukemia_app.evaluation.label_map import label_map

    if arguments.corruptions or arguments.out or arguments.runs:
        raise SettingError(
            "--corruptions, --out and --runs are for labelled pictures: give one folder or zip of "
            "class folders."
        )
    files = api.picture_files(arguments.paths)
    progress, n_read = Progress(len(files)), 0
    with without_native_notes():
        library = api.open_library(settings)
        predictors = {id: library.predictor(id) for id in models}
    labels = label_map(
        arguments.label_map, {id: each.spec.label_names for id, each in predictors.items()}
    )
    streams = [
        api.classify(files, each, limits=api.picture_limits(settings), measure=False)
        for each in predictors.values()
    ]
    specs = {id: each.spec for id, each in predictors.items()}
    with ExitStack() as stack:
        sink = stack.enter_context(JsonArray()).add if arguments.json else _write_row
        for results in zip(*streams, strict=True):
            row = _beside(dict(zip(models, results, strict=True)), labels, specs)
            n_read += "error" not in row
            progress.clear()
            sink(row)
            progress.step()
    progress.clear()
    if not arguments.json:
        kinds: dict[str, list[str]] = {}
        for id, spec in specs.items():
            kinds.setdefault(spec.recipe.input, []).append(id)
        write_line(f"{inputs_words(kinds)} {words.RESEARCH_USE}.".strip())
    return exit_code(n_read, len(files))


def _beside(
    results: "Mapping[str, Reading | Unread]", labels: "LabelMap", specs: "Mapping[str, Spec]"
) -> dict[str, Any]:
    """One file's row: all readings, or why there are none."""
    from leukemia_app.bundles.reading import Reading
    from leukemia_app.evaluation.side_by_side import SideBySide

    readings: dict[str, Reading] = {}
    for id, result in results.items():
        if not isinstance(result, Reading):
            return result.to_dict()
        readings[id] = result
    found = SideBySide.of(labels, readings, specs)
    file = next(iter(readings.values())).file
    return {"file": file, **found.to_dict(), "said": list(found.sentences())}


def _write_row(row: Mapping[str, Any]) -> None:
    """A file on a terminal: what each model says, and whether they agree."""
    from leukemia_app.evaluation import words

    write_line(str(row["file"]))
    if "error" in row:
        write_line(f"  not read: {row['error']['message']}")
        return
    width = max(map(len, row["models"]))
    for id, said in row["models"].items():
        decision = said["decision"]
        chance = words.percent(said["probabilities"][decision["label"]])
        refers = decision["kind"] == "refer"
        reasons = f"  refer: {' '.join(decision['reasons'])}" if refers else ""
        write_line(f"  {id:<{width}}  {decision['label']} {chance}{reasons}")
    write_line(f"  {' '.join(row['said'])}")
