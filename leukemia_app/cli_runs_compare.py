"""The command that holds runs against each other: runs compare."""

import argparse
from typing import TYPE_CHECKING

from leukemia_app.cli_output import duration, write_json, write_line, write_table

if TYPE_CHECKING:
    from leukemia_app.evaluation.run_compare import Comparison
    from leukemia_app.settings import Settings


def add_command(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `compare` to the actions of `runs`."""
    compare = actions.add_parser("compare", help="two to six runs: figures, and what differs")
    compare.add_argument("ids", nargs="+", metavar="ID", help="of `runs list`, or folders of runs")
    compare.set_defaults(run=run_compare)


def run_compare(arguments: argparse.Namespace, settings: "Settings") -> int:
    """Print the runs side by side; the first is what the others are held against."""
    from leukemia_app.cli_runs import chosen_run
    from leukemia_app.evaluation.run_compare import Comparison
    from leukemia_app.training.results import gather

    ids = list(dict.fromkeys(arguments.ids))
    folders = [chosen_run(name, settings)[0] for name in ids]
    names = [folder.path.name for folder in folders]
    # Folders elsewhere may be called alike.
    names = names if len(set(names)) == len(names) else ids
    found = Comparison(
        runs={name: gather(folder) for name, folder in zip(names, folders, strict=True)}
    )
    if arguments.json:
        write_json(found.to_dict())
    else:
        _write(found)
    return 0


def _write(found: "Comparison") -> None:
    from leukemia_app.evaluation.measures import NAMES
    from leukemia_app.evaluation.run_compare import SHOWN, data_name, figure, seconds
    from leukemia_app.evaluation.tables import interval_words
    from leukemia_app.evaluation.words import split_level

    runs = found.runs
    write_line(found.verdict)
    write_line()
    rows = [
        ("network", *(f"{each.config['backbone']} + {each.config['head']}"
                      for each in runs.values())),
        ("pictures", *map(data_name, runs.values())),
        ("split", *(split_level(each.level) for each in runs.values())),
        ("test pictures", *("–" if each.answers is None else f"{len(each.answers.true):,}"
                            for each in runs.values())),
        ("time", *(duration(seconds(each)) if each.seconds else "–" for each in runs.values())),
    ]  # fmt: skip
    rows += [(NAMES[name], *(interval_words(figure(each, name)) for each in runs.values()))
             for name in SHOWN]  # fmt: skip
    write_table(("", *runs), rows)
    first, *others = runs
    if found.differences:
        write_line()
        write_table(
            (f"above {first}", *others),
            [(NAMES[name], *map(interval_words, each)) for name, each in found.differences.items()],
        )
    if found.settings:
        write_line()
        write_table(
            ("setting that differs", *runs),
            [(name, *map(_plain, values)) for name, values in found.settings.items()],
        )


def _plain(value: object) -> str:
    return "–" if value in (None, "") else str(value)
