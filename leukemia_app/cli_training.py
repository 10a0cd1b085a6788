"""The commands that train and score: train and evaluate."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app.cli_output import (
    CLEAR_LINE,
    Progress,
    without_native_notes,
    write_json,
    write_line,
    write_table,
)
from leukemia_app.cli_train_config import PRESETS, asked_for, id_of
from leukemia_app.errors import DatasetError, RunError

if TYPE_CHECKING:
    from leukemia_app.bundles.spec import Figure
    from leukemia_app.evaluation.evaluate import Evaluation
    from leukemia_app.settings import Settings
    from leukemia_app.training.config import RunConfig
    from leukemia_app.training.run_folder import RunFolder

FIGURES_FILE = "figures.json"
Show = Callable[[Mapping[str, Any]], None]
"""Called with each event of a run as it comes."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `train` and `evaluate`."""
    _add_train(commands)
    evaluate = commands.add_parser("evaluate", help="score a model on labelled pictures")
    evaluate.add_argument("data", type=Path, metavar="DATA")
    evaluate.add_argument("--model", metavar="ID", required=True)
    evaluate.add_argument("--groups", type=Path, metavar="CSV")
    evaluate.add_argument("--group-level", choices=("patient", "run", "image"), default="run",
                          help="what a group of the CSV is")  # fmt: skip
    evaluate.add_argument("--part", default="test", help="part named in the CSV; all without one")
    evaluate.add_argument("--corruptions", action="store_true",
                          help="also under every disturbance at five strengths")  # fmt: skip
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="folder for evaluation.json")
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=run_evaluate)


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    train = commands.add_parser("train", help="train a model on a folder of pictures; resumes")
    train.add_argument("data", type=Path, metavar="DATA", help="folder of the pictures")
    settings = train.add_mutually_exclusive_group()
    settings.add_argument("--preset", choices=PRESETS, default="balanced",
                          help="how much to spend; adapt: fit a model to few pictures")  # fmt: skip
    settings.add_argument("--config", type=Path, metavar="F", help="all settings, as JSON")
    train.add_argument("--backbone", metavar="B")
    train.add_argument("--head", metavar="H")
    train.add_argument("--start", metavar="S",
                       help="bundle:ID, imagenet, file:PATH or none")  # fmt: skip
    train.add_argument("--tune-from", metavar="BLOCK",
                       help="first block that is tuned; a wrong name lists them")  # fmt: skip
    train.add_argument("--input", choices=("field", "cell"), help="what a picture shows")
    train.add_argument("--groups", metavar="CSV", help="file,label,group[,part] of each picture")
    train.add_argument("--choice", metavar="NAME",
                       help="which kind of pictures, where the folder holds several")  # fmt: skip
    train.add_argument("--seed", type=int, metavar="N")
    other = train.add_mutually_exclusive_group()
    other.add_argument("--folds", type=int, metavar="K", help="cross-validate by group instead")
    other.add_argument("--image-split", action="store_true",
                       help="split by picture instead, to see what leakage buys")  # fmt: skip
    train.add_argument("--out", type=Path, metavar="DIR",
                       help="folder of the run; without it one of the app's own")  # fmt: skip
    told = train.add_mutually_exclusive_group()
    told.add_argument("--json", action="store_true", help="print the figures as JSON")
    told.add_argument("--events", action="store_true",
                      help="print what happens as it happens, a JSON object a line")  # fmt: skip
    train.set_defaults(run=run_train)


def run_train(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Carry out a run, or as many as there are folds, and print the figures."""
    from leukemia_app.training.cross_validation import fold_figures, image_split_figures
    from leukemia_app.training.run_folder import RunFolder

    _keep_at_home(arguments, settings)
    asked = asked_for(arguments, settings)
    config, show = asked.config, _print_event if arguments.events else _show
    if arguments.folds is not None:
        first = replace(config, folds=arguments.folds, fold=0, patience=0)
        if not first.folds:
            raise RunError("--folds is 0; use 2 or more, or leave it out.")
        folders = [RunFolder(path=arguments.out / f"fold-{fold}") for fold in range(first.folds)]
        asked.write_table()
        for fold, folder in enumerate(folders):
            _carry_out(folder, replace(first, fold=fold), show)
        figures = fold_figures(folders)
    elif arguments.image_split:
        folder = RunFolder(path=arguments.out)
        changed = replace(config, split="image", patience=0)
        asked.write_table()
        _carry_out(folder, changed, show)
        figures = image_split_figures(folder)
    else:
        from leukemia_app.bundles.store import read_spec

        folder = RunFolder(path=arguments.out)
        asked.write_table()
        _carry_out(folder, config, show)
        figures = list(read_spec(folder.path / "bundle").figures)
    _write_figures(arguments, figures)
    return 0


def _keep_at_home(arguments: argparse.Namespace, settings: "Settings") -> None:
    """Without `--out` the run lies where `runs list`, the page and its list of models find it."""
    from leukemia_app.training.runs import RUNS

    if arguments.out is not None:
        return
    arguments.out = settings.state_dir / RUNS / id_of(arguments.data)
    # Whoever goes on with it there does so from another folder.
    arguments.data = arguments.data.absolute()
    if arguments.groups is not None:
        arguments.groups = str(Path(arguments.groups).absolute())


def _carry_out(folder: "RunFolder", config: "RunConfig", show: Show) -> None:
    from leukemia_app.training import jobs

    folder.create(config)
    if folder.status()["state"] == "done":
        return
    process = jobs.start(folder)
    try:
        for event in jobs.follow(folder, process):
            show(event)
    except KeyboardInterrupt:
        jobs.stop(folder, process)
        _tell_stop(folder)
        raise
    status = folder.status()
    if status["state"] != "done":
        reason = status.get("reason", "The same command goes on from the last epoch.")
        raise RunError(f"The run in {folder.path} is {status['state']}. {reason}")


def _tell_stop(folder: "RunFolder") -> None:
    """Where a run was when it was stopped, and how to go on."""
    last = [event for event in folder.events() if event["kind"] in ("head", "epoch")]
    where = ""
    if last:
        phase = " of the head" if last[-1]["kind"] == "head" else ""
        where = f" after epoch {last[-1]['epoch']} of {last[-1]['epochs']}{phase}"
    sys.stderr.write(
        f"{CLEAR_LINE if sys.stderr.isatty() else ''}train: stopped{where}. The same command goes "
        f"on from there; `runs stop {folder.path}` makes a model of the best so far.\n"
    )


def _show(event: Mapping[str, Any]) -> None:
    """Steps on the terminal's last line, epochs as lines; nothing in a pipe."""
    if not sys.stderr.isatty() or event["kind"] == "plan":
        return
    numbers = "  ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in event.items() if name not in ("time", "kind")
    )  # fmt: skip
    end = "\n" if event["kind"] in ("epoch", "head", "left out") else ""
    sys.stderr.write(f"{CLEAR_LINE}{event['kind']}  {numbers}{end}")
    sys.stderr.flush()


def _print_event(event: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _write_figures(arguments: argparse.Namespace, figures: "list[Figure]") -> None:
    rows = [vars(figure) for figure in figures]
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
    (arguments.out / FIGURES_FILE).write_text(text + "\n", encoding="utf-8")
    if arguments.events:
        _print_event({"kind": "figures", "figures": rows})
        return
    if arguments.json:
        write_json(rows)
        return
    write_table(
        ("figure", "value", "95 % interval", "on"),
        [
            (
                figure.name, _number(figure.value),
                _ends(figure.low, figure.high),
                f"{figure.part}, n={figure.n}, {figure.n_groups} by {figure.group_level}",
            )
            for figure in figures
        ],
    )  # fmt: skip


def run_evaluate(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Score one model and print its figures with intervals."""
    from leukemia_app.api import open_library
    from leukemia_app.data.manifest import read_manifest
    from leukemia_app.evaluation.corruptions import EVERY
    from leukemia_app.evaluation.evaluate import evaluate

    with without_native_notes():
        from leukemia_app.training.scoring import samples

        predictor = open_library(settings).predictor(arguments.model)
    manifest = read_manifest(arguments.data, arguments.groups, arguments.group_level)
    has_parts = any(row.part for row in manifest.rows)
    rows = manifest.part(arguments.part) if has_parts else manifest.rows
    rows = tuple(row for row in rows if row.label in predictor.spec.label_names)
    if not rows:
        raise DatasetError(
            f"{arguments.data} has no picture "
            f"{f'in part {arguments.part!r} ' if has_parts else ''}with one of the labels "
            f"{', '.join(predictor.spec.label_names)}."
        )
    corruptions = EVERY if arguments.corruptions else ()
    progress, problems = Progress(len(rows) * (1 + len(corruptions))), list[str]()
    found = evaluate(
        predictor,
        samples(manifest, rows, problems.append),
        split={"part": arguments.part if has_parts else "all",
               "level": manifest.group_level},
        corruptions=corruptions, progress=progress.reach,
    )  # fmt: skip
    progress.clear()
    for problem in problems:
        sys.stderr.write(f"evaluate: left out: {problem}\n")
    if len(problems) == len(rows):
        raise DatasetError(f"Not one of the {len(rows)} pictures in {arguments.data} can be read.")
    found = replace(found, left_out={**found.left_out, "unreadable": len(problems)})
    result = found.to_dict()
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
        (arguments.out / "evaluation.json").write_text(text + "\n", encoding="utf-8")
    if arguments.json:
        write_json(result)
    else:
        _write_evaluation(found)
    return 1 if problems else 0


def _write_evaluation(found: "Evaluation") -> None:
    from leukemia_app.evaluation.measures import NAMES

    n_groups = len(set(found.answers.groups))
    write_line(
        f"{found.model} on {len(found.answers.true)} pictures of {n_groups} groups "
        f"(part {found.split['part']}, by {found.split['level']})"
    )
    for reason, count in found.left_out.items():
        if count:
            write_line(f"{count} left out: {reason.replace('_', ' ')}")
    write_table(
        ("figure", "value", "95 % interval"),
        [
            (NAMES[name], _number(figure.value), _ends(figure.low, figure.high))
            for name, figure in found.metrics.items()
        ],
    )  # fmt: skip
    if found.corruptions:
        write_line()
        write_table(
            ("disturbance", "strength", NAMES[found.held_to], "95 % interval"),
            [
                (name.replace("_", " "), str(row["strength"]),
                 _number(row[found.held_to]["value"]),
                 _ends(row[found.held_to]["low"], row[found.held_to]["high"]))
                for name, rows in found.corruptions.items() for row in rows
            ],
        )  # fmt: skip


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _ends(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "not defined: too few groups, or no error to learn from"
    return f"{low:.3f}–{high:.3f}"
