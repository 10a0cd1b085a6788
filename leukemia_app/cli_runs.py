"""The commands that look after runs: runs list, show, stop, resume, rm; compare is beside."""

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app import cli_export, cli_runs_compare
from leukemia_app.cli_output import duration, write_json, write_line, write_table
from leukemia_app.errors import DatasetError, RunError, SettingError

if TYPE_CHECKING:
    from leukemia_app.data.corrections import Change
    from leukemia_app.settings import Settings
    from leukemia_app.training.job_queue import JobQueue
    from leukemia_app.training.run_folder import RunFolder
    from leukemia_app.training.runs import Curves, RunLine, RunView

COLUMNS = ("loss", "val_loss", "accuracy", "val_accuracy")
"""Of the table of epochs."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `runs`."""
    runs = commands.add_parser(
        "runs", help="list, show, compare, stop, resume and delete trainings"
    )
    actions = runs.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every run, the newest first")
    listing.set_defaults(run=run_list)
    for name, run, words in (
        ("show", run_show, "where a run is, and its curves as numbers"),
        ("stop", run_stop, "end a run; the best so far becomes a model"),
        ("resume", run_resume, "go on with a run that ended before its end"),
        ("rm", run_rm, "delete a run and all that it made"),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("id", metavar="ID", help="of `runs list`, or the folder of a run")
        action.set_defaults(run=run)
        if name == "stop":
            action.add_argument("--no-model", action="store_true", help="make no model of it")
        if name == "rm":
            action.add_argument("--yes", action="store_true", help="do not ask")
    cli_runs_compare.add_command(actions)
    cli_export.add_command(actions)
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print JSON")


def run_list(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Print every run."""
    from leukemia_app.training.runs import list_runs, runs_queue

    queue = runs_queue(settings)
    queue.tend()
    lines = list_runs(queue.root)
    if arguments.json:
        write_json([asdict(line) for line in lines])
    elif lines:
        write_table(
            ("run", "state", "since", "network", "labels"),
            [(line.id, _state(line), _moment(line.time or line.made), line.network,
              ", ".join(line.labels)) for line in lines],
        )  # fmt: skip
    else:
        write_line(f"There is no run in {queue.root}.")
    return 0


def run_show(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Print where one run is."""
    from leukemia_app.training.runs import look, read_on

    folder, queue = chosen_run(arguments.id, settings)
    queue.tend()
    view = look(folder, read_on(folder))
    changes = _changes(folder)
    if arguments.json:
        write_json(asdict(view) | {"corrections": [asdict(change) for change in changes]})
    else:
        _write_view(folder, view)
        _write_changes(changes)
    return 0


def _changes(folder: "RunFolder") -> "tuple[Change, ...]":
    """What had been corrected by hand; a damaged list must not hide the run."""
    from leukemia_app.training.corrections import changes_in

    try:
        return changes_in(folder.path)
    except DatasetError as error:
        sys.stderr.write(f"runs: {error}\n")
        return ()


def _write_changes(changes: "tuple[Change, ...]") -> None:
    from leukemia_app.data.corrections import changes_words

    if not changes:
        return
    write_line()
    write_line(changes_words(changes))
    write_table(
        ("corrected", "part", "was", "now"),
        [(each.file, each.part, each.was, each.label or "dropped") for each in changes],
    )


def run_stop(arguments: argparse.Namespace, settings: "Settings") -> int:
    """End one run."""
    folder, queue = chosen_run(arguments.id, settings)
    queue.stop(folder, finish=not arguments.no_model)
    return _tell(arguments, folder)


def run_resume(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Put one run at the end of the line."""
    folder, queue = chosen_run(arguments.id, settings)
    queue.submit(folder)
    return _tell(arguments, folder)


def run_rm(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Delete one run, if the person agrees."""
    folder, queue = chosen_run(arguments.id, settings)
    if not arguments.yes and not _agrees(folder):
        write_line("Nothing was deleted.")
        return 2
    queue.remove(folder)
    if arguments.json:
        write_json({"id": folder.path.name, "removed": True})
    else:
        write_line(f"{folder.path.name} is deleted.")
    return 0


def chosen_run(name: str, settings: "Settings") -> "tuple[RunFolder, JobQueue]":
    """The run of that id, or in that folder, and the line in which it stands.

    Raises:
        RunError: there is none.
    """
    from leukemia_app.training.job_queue import JobQueue
    from leukemia_app.training.run_folder import RunFolder
    from leukemia_app.training.runs import find_run, runs_queue

    path = Path(name)
    if path.name != name or (path / "config.json").exists():
        if not (path / "config.json").exists():
            raise RunError(f"{path} holds no run; give the folder with its config.json.")
        path = path.resolve()
        return RunFolder(path=path), JobQueue(root=path.parent, limits=settings.training)
    queue = runs_queue(settings)
    return find_run(queue.root, name), queue


def _agrees(folder: "RunFolder") -> bool:
    if not sys.stdin.isatty():
        raise SettingError("runs rm deletes for good; add --yes where nobody can be asked.")
    sys.stderr.write(f"Delete {folder.path} with its model and report? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _tell(arguments: argparse.Namespace, folder: "RunFolder") -> int:
    from leukemia_app.training.runs import line_of

    line = line_of(folder)
    if arguments.json:
        write_json(asdict(line))
    else:
        write_line(f"{line.id}: {_state(line)}{f'. {line.reason}' if line.reason else ''}")
    return 0


def _state(line: "RunLine") -> str:
    if line.place is not None:
        return f"queued, place {line.place}"
    if line.is_finishing:
        return "stopped, making the best so far a model"
    return f"{line.state}, with a model" if line.has_bundle else line.state


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _write_view(folder: "RunFolder", view: "RunView") -> None:
    from leukemia_app.training.progress import run_progress

    line = view.line
    rows = {
        "run": line.title if line.title == line.id else f"{line.id} ({line.title})",
        "state": _state(line), "since": _moment(line.time or line.made), "why": line.reason,
        "network": line.network, "labels": ", ".join(line.labels), "data": line.data,
        "doing": run_progress(view.doing, line.state)[0],
        "time left": "" if view.seconds_left is None else f"about {duration(view.seconds_left)}",
        "memory": view.memory.in_words() if view.memory else "",
        "best so far": _numbers(view.best or {}),
        "left out": f"{len(view.left_out)} pictures" if view.left_out else "",
        "folder": str(folder.path),
    }  # fmt: skip
    for name, value in rows.items():
        if value:
            write_line(f"{name:<12} {value}")
    for name, curves in (("head", view.head), ("epoch", view.tune)):
        if curves.epochs:
            write_line()
            _write_curves(name, curves)


def _numbers(event: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}" if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in event.items() if name in ("epoch", *COLUMNS)
    )  # fmt: skip


def _write_curves(name: str, curves: "Curves") -> None:
    columns = [column for column in COLUMNS if column in curves.values]
    write_table(
        (name, *(column.replace("_", " ") for column in columns)),
        [
            (str(epoch), *(_number(curves.values[column][row]) for column in columns))
            for row, epoch in enumerate(curves.epochs)
        ],
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
