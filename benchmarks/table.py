"""One table of every network and classical model, on the split by patient or run and at random.

    python -m benchmarks.table [--only PATTERN] [--list]

Each row is a run of the engine in `--out`, a process of its own. A finished row is a file in
`--out`/rows, and the page is written anew after each: whatever ends this command, the same command
goes on where it was, in the middle of a row with the last epoch of its run. A row that failed is
told and tried again next time; to begin one anew, delete its folder and its file.
"""

import argparse
import fnmatch
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results.rows import ROWS, AdaptRow, Places, Row, waits_for

FAILED, STOPPED = 1, 130
WEIGHTS = "../shared/weights/mobilenet_imagenet_notop.weights.h5"


def main() -> int:
    """Carry out the rows that are open and write the page; 0 well, 1 a row failed."""
    arguments = _parser().parse_args()
    places = Places(
        data=arguments.data, weights=arguments.weights, out=arguments.out,
        models=arguments.models, page=arguments.page,
    )  # fmt: skip
    rows = [row for row in ROWS if fnmatch.fnmatch(row.name, f"*{arguments.only}*")]
    if not rows:
        sys.stderr.write(f"table: no row has {arguments.only!r} in its name; --list shows them.\n")
        return 2
    if arguments.list:
        _list(rows, places)
        return 0
    try:
        n_failed = 0 if arguments.render else _carry_out(rows, places)
    except KeyboardInterrupt:
        sys.stderr.write("table: stopped. The same command goes on from there.\n")
        return STOPPED
    _write_page(places)
    return FAILED if n_failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.table", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", default="", metavar="PATTERN",
                        help="rows with this in their name; * stands for anything")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="show the rows and end")
    parser.add_argument("--render", action="store_true", help="write the page anew and end")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path(WEIGHTS),
                        help="MobileNet of ImageNet; else Keras downloads it")  # fmt: skip
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--out", type=Path, default=Path("runs/table"))
    parser.add_argument("--page", type=Path, default=Path("docs/results.md"))
    return parser


def _list(rows: Sequence[Row | AdaptRow], places: Places) -> None:
    from benchmarks.results.running import finished

    for row in rows:
        facts = finished(row.name, places.out)
        state = waits_for(row, places) or f"about {row.minutes:.0f} minutes"
        if facts:
            state = f"done in {facts['seconds'] / 60:.0f} minutes"
        sys.stdout.write(f"{row.name:42} {state}\n")
    left = _minutes(rows, places)
    sys.stdout.write(f"about {left:.0f} minutes are left\n")


def _minutes(rows: Sequence[Row | AdaptRow], places: Places) -> float:
    from benchmarks.results.running import finished

    return sum(row.minutes for row in rows if not finished(row.name, places.out))


def _carry_out(rows: Sequence[Row | AdaptRow], places: Places) -> int:
    """How many rows failed."""
    from benchmarks.results.running import carry_out, finished
    from leukemia_app.errors import AppError

    n_failed = 0
    for row in rows:
        if finished(row.name, places.out):
            continue
        if why := waits_for(row, places):
            sys.stderr.write(f"table: {row.name} waits: {why}\n")
            continue
        sys.stderr.write(f"table: {row.name}, about {row.minutes:.0f} minutes\n")
        began = time.monotonic()
        try:
            carry_out(row, places)
        except AppError as error:
            n_failed += 1
            sys.stderr.write(f"table: {error}\n")
            continue
        sys.stderr.write(f"table: {row.name} done in {(time.monotonic() - began) / 60:.1f}\n")
        _write_page(places)
    return n_failed


def _write_page(places: Places) -> None:
    """Put the table between its marks in the page."""
    from benchmarks.results.page import page
    from benchmarks.results.running import finished
    from leukemia_app.cli_models import between_marks

    found = {row.name: finished(row.name, places.out) for row in ROWS}
    waiting = {
        row.name: waits_for(row, places) or f"about {row.minutes:.0f} minutes"
        for row in ROWS if found[row.name] is None
    }  # fmt: skip
    table = page([facts for facts in found.values() if facts], waiting, _minutes(ROWS, places))
    text = between_marks(places.page.read_text(encoding="utf-8"), table, "table")
    draft = places.page.with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(places.page)


if __name__ == "__main__":
    sys.exit(main())
