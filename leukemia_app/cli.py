"""Every command: `python -m leukemia_app --help`."""

import argparse
import logging
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app import cli_compare, cli_data, cli_models, cli_pictures, cli_runs, cli_training
from leukemia_app.cli_output import write_json, write_line
from leukemia_app.errors import AppError, SettingError
from leukemia_app.settings import QUIET, Settings

if TYPE_CHECKING:
    from leukemia_app.imaging.render import Drawing

COMMAND_MODULES = (cli_pictures, cli_compare, cli_models, cli_data, cli_training, cli_runs)
"""Each adds its commands by `add_commands`; a command takes (arguments, settings) and gives an
exit code: 0 well, 1 some files failed, 2 bad arguments or nothing done."""

ENVIRONMENT = {**QUIET, "TF_CPP_MIN_LOG_LEVEL": "2"}
"""What the libraries read when they are imported, where it is not set: no notes, no telemetry."""

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; errors become one sentence on standard error."""
    chosen = make_parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        return int(chosen.run(chosen, Settings.from_environment(os.environ)))
    except AppError as error:
        print(f"{chosen.command}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{chosen.command}: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # whoever read our lines has gone; Python would complain again when it closes the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("reference %s", reference)
        print(
            f"{chosen.command}: something went wrong that is no fault of yours. Report it with "
            f"the reference {reference} and the lines above.",
            file=sys.stderr,
        )
    return 2


def make_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = argparse.ArgumentParser(
        prog="python -m leukemia_app",
        description="Reads blood-smear pictures. Research use only, not a diagnosis.",
        epilog="Exit codes: 0 well, 1 some files failed, 2 bad arguments or nothing done.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands)
    for module in COMMAND_MODULES:
        module.add_commands(commands)
    _add_render(commands)
    return parser


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="start the page, as app.py does")
    serve.add_argument("--host", help="address to listen on")
    serve.add_argument("--port", type=int, help="port to listen on")
    serve.set_defaults(run=_serve)


def _add_render(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    render = commands.add_parser("render", help="draw smears with their exact truth")
    what = render.add_mutually_exclusive_group(required=True)
    what.add_argument("--label", metavar="L", help="what to draw; a wrong name lists them all")
    what.add_argument("--examples", action="store_true", help="draw the page's examples")
    render.add_argument("--n", type=int, default=1, metavar="N", help="number of pictures")
    render.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the first")
    render.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to fill")
    render.add_argument("--json", action="store_true", help="print JSON")
    render.set_defaults(run=_render)


def _serve(arguments: argparse.Namespace, settings: Settings) -> int:
    from leukemia_app.ui.page import serve

    serve(settings, arguments.host, arguments.port)
    return 0


def _render(arguments: argparse.Namespace, _: Settings) -> int:
    if arguments.n < 1:
        raise SettingError(f"--n is {arguments.n}; use 1 or more.")
    drawn = _drawn_examples(arguments.out) if arguments.examples else _drawn_label(arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in drawn:
        rows.append(row)
        if not arguments.json:
            write_line(f"{row['file']}  {row['label']}, {row['look']}, seed {row['seed']}")
    if arguments.json:
        write_json(rows)
    return 0


def _drawn_label(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from leukemia_app.imaging.render import draw

    for seed in range(arguments.seed, arguments.seed + arguments.n):
        drawing = draw(arguments.label, seed)
        yield _kept(drawing, seed, arguments.out / f"{arguments.label}-{seed}.png")


def _drawn_examples(folder: Path) -> Iterator[dict[str, Any]]:
    from leukemia_app.imaging.render_examples import draw_examples, examples_json

    for row, drawing in draw_examples():
        yield _kept(drawing, row.seed, folder / row.file)
    (folder / "examples.json").write_text(examples_json(), encoding="utf-8")


def _kept(drawing: "Drawing", seed: int, path: Path) -> dict[str, Any]:
    """The picture and its truth as files, and the row that is printed of them."""
    from leukemia_app.imaging.decode import encode_png
    from leukemia_app.imaging.segment import Segmentation, main_cell, to_mask

    truth = Segmentation(
        cells=drawing.cells, nucleus=drawing.nucleus, main=main_cell(drawing.cells), method="drawn"
    )
    mask = path.with_name(f"{path.stem}_mask.png")
    path.write_bytes(encode_png(drawing.pixels))
    mask.write_bytes(encode_png(to_mask(truth)))
    return {
        "file": str(path),
        "mask": str(mask),
        "label": drawing.label,
        "look": drawing.look,
        "seed": seed,
        "cells": truth.count,
    }
