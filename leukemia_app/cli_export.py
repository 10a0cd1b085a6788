"""The command that copies a run to another program's list of runs: runs export."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from leukemia_app.cli_output import write_json, write_line
from leukemia_app.errors import RunError

if TYPE_CHECKING:
    from leukemia_app.settings import Settings
    from leukemia_app.training.runs import RunView

PROGRAMS = ("trackio",)
PROJECT = "leukemia"


def add_command(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export` to the actions of `runs`."""
    export = actions.add_parser("export", help="copy a run's settings and curves to trackio")
    export.add_argument("id", metavar="ID", help="of `runs list`, or the folder of a run")
    export.add_argument("--to", choices=PROGRAMS, required=True, help="the program")
    export.add_argument("--project", default=PROJECT, help=f"there; without it {PROJECT}")
    export.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Write the run anew under its id; what the folder holds stays the truth.

    Raises:
        RunError: there is no such run, it has no epoch yet, or the program is missing or refuses.
    """
    from leukemia_app.cli_runs import chosen_run
    from leukemia_app.training.runs import look, read_on

    folder, _ = chosen_run(arguments.id, settings)
    rows = list(_rows(look(folder, read_on(folder))))
    if not rows:
        raise RunError(f"{folder.path.name} has not finished an epoch, so there is no curve yet.")
    _to_trackio(arguments.project, folder.path.name, folder.config().to_dict(), rows)
    if arguments.json:
        write_json({"id": folder.path.name, "to": arguments.to, "project": arguments.project,
                    "epochs": len(rows)})  # fmt: skip
    else:
        write_line(f"{folder.path.name}: {len(rows)} epochs are in {arguments.to}'s project "
                   f"{arguments.project}. `trackio show` opens it.")  # fmt: skip
    return 0


def _rows(view: "RunView") -> Iterator[dict[str, float]]:
    """The numbers of each epoch, of the head's first, named `head/loss`, `tune/val_loss`."""
    for phase, curves in (("head", view.head), ("tune", view.tune)):
        for place in range(len(curves.epochs)):
            numbers = {
                f"{phase}/{name}": values[place]
                for name, values in curves.values.items()
                if values[place] is not None
            }
            yield {name: value for name, value in numbers.items() if value is not None}


def _to_trackio(
    project: str, name: str, config: Mapping[str, Any], rows: list[dict[str, float]]
) -> None:
    """Log the rows as one run of that name on this machine; measures nothing of the machine."""
    try:
        import trackio
    except ImportError as error:
        raise RunError(
            f"trackio cannot be imported ({error}). Install it: pip install 'trackio>=0.43,<0.44'."
        ) from error
    try:
        # It speaks where a JSON answer may be expected.
        with redirect_stdout(sys.stderr):
            trackio.init(
                project=project, name=name, config=dict(config), embed=False,
                auto_log_gpu=False, auto_log_cpu=False,
            )  # fmt: skip
            for step, row in enumerate(rows, start=1):
                trackio.log(row, step=step)
            trackio.finish()
    except (ValueError, RuntimeError, OSError) as error:
        raise RunError(f"trackio did not take the run ({error}).") from error
