"""The command that looks at a data set before anything is trained on it: data check."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app.cli_output import (
    CLEAR_LINE,
    without_native_notes,
    write_json,
    write_line,
    write_table,
)
from leukemia_app.errors import AppError, RunError

if TYPE_CHECKING:
    from leukemia_app.settings import Settings
    from leukemia_app.training.data_check import ByHand, Checked
    from leukemia_app.training.data_folder import DataSource
    from leukemia_app.training.leak import Leak, LeakWish

SIGNS: Mapping[str, str] = {"red": "!! ", "amber": "!  ", "plain": "   "}
HEALTH, PAGE, MANIFEST = "health.json", "health.html", "manifest.csv"
HEADS = ("what is seen", "AUROC", "95 % interval", "balanced accuracy", "macro-F1")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `data`."""
    data = commands.add_parser("data", help="look at a data set before training on it")
    actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="classes, faults, copies, groups, split, controls")
    check.add_argument("data", type=Path, metavar="DATA", help="folder of the pictures")
    check.add_argument("--groups", type=Path, metavar="CSV",
                       help="file and label, group or both, perhaps part")  # fmt: skip
    check.add_argument("--group-pattern", metavar="RE",
                       help="regular expression; its one group is the patient")  # fmt: skip
    check.add_argument("--group-level", choices=("patient", "run"),
                       help="what a group of the CSV is")  # fmt: skip
    check.add_argument("--choice", metavar="NAME",
                       help="which kind of pictures, where the folder holds several")  # fmt: skip
    check.add_argument("--new-split", action="store_true",
                       help="deal the pictures anew where parts came with them")  # fmt: skip
    check.add_argument("--seed", type=int, default=0, metavar="N", help="of the split")
    check.add_argument("--corrections", type=Path, metavar="CSV",
                       help="file and label to change by hand; no label drops it")  # fmt: skip
    check.add_argument("--out", type=Path, metavar="DIR",
                       help=f"folder for {HEALTH}, {PAGE} and {MANIFEST}")  # fmt: skip
    check.add_argument("--json", action="store_true", help="print JSON")
    leak = check.add_argument_group("the leak")
    leak.add_argument("--leak", action="store_true",
                      help="measure what a random split by picture promises too much")  # fmt: skip
    leak.add_argument("--backbone", metavar="B", default="mobilenet", help="whose frozen features")
    leak.add_argument("--start", metavar="S", default="imagenet",
                      help="weights: imagenet, file:PATH or bundle:ID")  # fmt: skip
    leak.add_argument("--side", type=int, metavar="PX", default=0, help="side of its input")
    leak.add_argument("--window", type=float, metavar="SHARE", default=1.0,
                      help="central square that is looked at, as a part of the side")  # fmt: skip
    check.set_defaults(run=run_check)


def run_check(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Check a data set and print what was found; 1 where files cannot be used."""
    from leukemia_app.api import picture_limits
    from leukemia_app.training.data_check import check_pictures

    wish = _wish(arguments) if arguments.leak else None
    watcher = _Watcher()
    checked = check_pictures(_source(arguments), Path.cwd(), limits=picture_limits(settings),
                             report=watcher, by_hand=_by_hand(arguments))  # fmt: skip
    watcher.clear()
    leak, failure = None, None
    if wish is not None:
        try:
            leak = _measured(arguments, settings, checked, wish, watcher)
        except AppError as error:
            # The check itself is done, and must not be lost for it.
            failure = error
        watcher.clear()
    values = checked.health.to_dict() | ({"leak": leak.to_dict()} if leak else {})
    if arguments.json:
        write_json(values)
    else:
        _write(values)
    if arguments.out:
        _keep(arguments.out, checked, values)
        sys.stderr.write(f"data check: wrote {MANIFEST}, {PAGE} and {HEALTH} into "
                         f"{arguments.out}.\n")  # fmt: skip
    if failure is not None:
        raise failure
    return 1 if checked.health.problems else 0


def _by_hand(arguments: argparse.Namespace) -> "ByHand":
    from leukemia_app.data.corrections import located, read_corrections

    if arguments.corrections is None:
        return lambda files: ()
    given = read_corrections(arguments.corrections)
    return lambda files: located(given, files)


def _wish(arguments: argparse.Namespace) -> "LeakWish":
    from leukemia_app.training.leak import LeakWish

    return LeakWish(backbone=arguments.backbone, start=arguments.start, side_px=arguments.side,
                    window=arguments.window, seed=arguments.seed)  # fmt: skip


def _source(arguments: argparse.Namespace) -> "DataSource":
    from leukemia_app.training.data_folder import DataSource

    return DataSource(
        name=arguments.data.resolve().name or str(arguments.data), pictures=str(arguments.data),
        table=None if arguments.groups is None else str(arguments.groups),
        choice=arguments.choice, pattern=arguments.group_pattern, seed=arguments.seed,
        keep_parts=not arguments.new_split, group_level=arguments.group_level,
    )  # fmt: skip


def _measured(
    arguments: argparse.Namespace,
    settings: "Settings",
    checked: "Checked",
    wish: "LeakWish",
    watcher: "_Watcher",
) -> "Leak":
    from leukemia_app.api import open_library, picture_limits
    from leukemia_app.training.leak import averages, check_groups, measure_leak
    from leukemia_app.training.reading import PictureReader

    def bundle_folder(model: str) -> Path:
        entries = {entry.id: entry.folder for entry in open_library(settings).entries()}
        if model not in entries:
            raise RunError(f"There is no model {model!r}; use one of {', '.join(entries)}.")
        return entries[model]

    level = checked.health.group_level
    check_groups(checked.rows, level)
    reader = PictureReader(folder=arguments.data, limits=picture_limits(settings), report=watcher)
    with without_native_notes():
        average = averages(wish, bundle_folder)
    return measure_leak(reader, checked.rows, wish, group_level=level, average=average)


def _keep(folder: Path, checked: "Checked", values: Mapping[str, Any]) -> None:
    """Write the three files; the page shows what the other two hold."""
    from leukemia_app.data.manifest import write_manifest
    from leukemia_app.evaluation.health_report import health_report
    from leukemia_app.training.corrections import keep_changes
    from leukemia_app.training.job_folder import JobFolder

    page = health_report(values, checked.thumbs, made_at=time.strftime("%Y-%m-%d %H:%M"),
                         leak=values.get("leak"))  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(folder / MANIFEST, checked.rows)
        (folder / PAGE).write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder."
        ) from error
    keep_changes(JobFolder(path=folder), checked.changes)
    JobFolder(path=folder).write_json(HEALTH, values)


class _Watcher:
    """How far the check is, on the terminal's last line; nothing in a pipe."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()

    def __call__(self, kind: str, **numbers: object) -> None:
        if self._is_shown and "total" in numbers:
            what = numbers.get("phase", kind)
            sys.stderr.write(f"{CLEAR_LINE}{what}: {numbers['done']:,} of {numbers['total']:,}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave the line free."""
        if self._is_shown:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()


def _write(values: Mapping[str, Any]) -> None:
    from leukemia_app.evaluation.health_report import headline

    write_line(headline(values))
    write_line()
    for note in values["notes"]:
        write_line(f"{SIGNS[note['level']]}{note['text']}")
    for problem in values["problems"]:
        write_line(f"   left out: {problem['reason']}")
    write_line()
    _write_classes(values)
    if values["controls"]:
        write_line()
        _write_controls(values)
    if "leak" in values:
        write_line()
        write_line(values["leak"]["sentence"])


def _write_classes(values: Mapping[str, Any]) -> None:
    parts = values["split"]["parts"]
    write_table(
        ("class", "pictures", "groups", *(name or "no part" for name in parts)),
        [
            (item["label"], f"{item['n_pictures']:,}", f"{item['n_groups']:,}",
             *(f"{held['pictures_by_label'].get(item['label'], 0):,}" for held in parts.values()))
            for item in values["classes"]
        ],
    )  # fmt: skip


def _write_controls(values: Mapping[str, Any]) -> None:
    from leukemia_app.evaluation.measures import Interval
    from leukemia_app.evaluation.tables import ends_words, value_words

    rows = []
    for item in values["controls"]:
        auroc, *others = (Interval(**item[name]) for name in
                          ("auroc", "balanced_accuracy", "macro_f1"))  # fmt: skip
        rows.append((f"{item['seen']} alone", value_words(auroc), ends_words(auroc),
                     *map(value_words, others)))  # fmt: skip
    write_table(HEADS, rows)
