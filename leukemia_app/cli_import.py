"""`models import`: a Keras checkpoint of others made a model of this app."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app.cli_output import without_native_notes, write_json, write_line, write_table
from leukemia_app.errors import BundleError
from leukemia_app.settings import Settings

if TYPE_CHECKING:
    from leukemia_app.bundles.checkpoint import Draft
    from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
    from leukemia_app.bundles.checkpoint_spec import Answers
    from leukemia_app.bundles.reading import Reading


def add_import(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `import` to the commands about models."""
    from leukemia_app.bundles.checkpoint_network import COLOURS, SCALINGS

    command = actions.add_parser(
        "import", help="bring in a Keras checkpoint: .keras, .h5, or weights of our networks"
    )
    what = (
        "a file, a folder with one, Teachable Machine's zip, or owner/name of the Hub; one file of "
        "a repository is hf://owner/name/file.keras"
    )
    command.add_argument("path", metavar="PATH", help=what)
    labels = "classes in the network's order, or a text file with one a line"
    command.add_argument("--labels", metavar="A,B,…|FILE", help=labels)
    command.add_argument("--size", metavar="N", type=int, help="side of the pictures in pixels")
    command.add_argument("--scaling", choices=SCALINGS, help="what the pixels shall be")
    command.add_argument("--colour", choices=COLOURS, help="bgr for networks trained with OpenCV")
    command.add_argument("--input", choices=("field", "cell"), help="what a picture shows")
    command.add_argument("--title", metavar="TEXT")
    command.add_argument("--licence", metavar="TEXT")
    command.add_argument("--source", metavar="TEXT", help="where it is from")
    command.add_argument("--as", dest="id", metavar="NAME", help="its id")
    command.add_argument("--yes", action="store_true", help="keep it; without: only try it")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run_import)


def run_import(arguments: argparse.Namespace, settings: Settings) -> int:
    """Look at a checkpoint, try it on drawn pictures, and keep it with `--yes`."""
    from leukemia_app.api import open_library
    from leukemia_app.bundles.checkpoint import (
        accept,
        discard,
        inspect,
        make_draft,
        try_on_examples,
    )
    from leukemia_app.bundles.checkpoint_spec import guesses

    max_bytes = settings.model_mb * 1_000_000
    with _placed(arguments.path, max_bytes) as path:
        facts = inspect(path, max_bytes=max_bytes)
        answers = _answers(arguments, guesses(facts))
        if not arguments.json:
            _write_facts(facts, answers)
        entries = open_library(settings).entries()
        draft = make_draft(path, facts, answers, settings.own_models, max_bytes=max_bytes)
    try:
        with without_native_notes():
            readings = try_on_examples(draft)
        folder = accept(draft, settings.own_models, entries) if arguments.yes else None
    finally:
        discard(draft)
    if arguments.json:
        write_json(_told(facts, draft, readings, folder))
    else:
        _write_trial(draft, readings, folder)
    return 0


@contextmanager
def _placed(given: str, max_bytes: int) -> Iterator[Path]:
    """The checkpoint on this disk, fetched from the Hub where nothing here is called so."""
    from leukemia_app.hub_names import parse_checkpoint

    path = Path(given)
    try:
        model, file = parse_checkpoint(given)
    except ValueError:
        yield path
        return
    # A file of the Hub is asked for as such: without hf:// it is one that is missed here.
    if path.exists() or (file is not None and "://" not in given):
        yield path
        return
    from leukemia_app.bundles.hub import fetch_checkpoint

    with tempfile.TemporaryDirectory(prefix="checkpoint-") as folder:
        target = Path(folder) / model.repo.rpartition("/")[2]
        yield fetch_checkpoint(model, file, target, max_bytes=max_bytes)


def _answers(arguments: argparse.Namespace, guessed: "Answers") -> "Answers":
    given: dict[str, Any] = {
        "id": arguments.id, "title": arguments.title, "side_px": arguments.size,
        "scaling": arguments.scaling, "colour": arguments.colour, "input": arguments.input,
        "licence": arguments.licence, "source": arguments.source,
    }  # fmt: skip
    if arguments.labels is not None:
        given["labels"] = _labels(arguments.labels)
    return replace(guessed, **{key: value for key, value in given.items() if value is not None})


def _labels(given: str) -> tuple[str, ...]:
    """The names as they are given, or those in a file of that name.

    Raises:
        BundleError: a name is empty, there is one alone, or the file holds none.
    """
    from leukemia_app.bundles.checkpoint_labels import read_labels

    # pathlib's is_file fails on a list that is longer than a name of a file may be.
    if isfile(given):  # noqa: PTH113
        return read_labels(Path(given))
    labels = tuple(label.strip() for label in given.split(","))
    if len(labels) == 1:
        raise BundleError(
            f"--labels is {given}, which is no file here; write names with commas between, or a "
            "file with one a line."
        )
    if not all(labels):
        raise BundleError(f"--labels is {given!r}; write names with commas between.")
    return labels


def _write_facts(facts: "CheckpointFacts", answers: "Answers") -> None:
    from leukemia_app.bundles.checkpoint_words import bound_words, fact_rows

    write_table(("what", "found or guessed"), fact_rows(facts, answers))
    write_line(bound_words(facts.held))
    write_line()


def _write_trial(draft: "Draft", readings: "list[Reading]", folder: Path | None) -> None:
    write_line("What it says of drawn pictures:")
    write_table(("picture", "probabilities"), [_row(reading) for reading in readings])
    if not draft.has_map:
        write_line("A map of where it looked is not available for this model.")
    write_line(
        "Not kept: look at the guesses, then say --yes." if folder is None
        else f"{draft.spec.id} is imported: {folder}"
    )  # fmt: skip


def _row(reading: "Reading") -> tuple[str, str]:
    shares = (f"{name} {100 * value:.1f} %" for name, value in reading.probabilities.items())
    return reading.file, " ".join(shares)


def _told(
    facts: "CheckpointFacts", draft: "Draft", readings: "list[Reading]", folder: Path | None
) -> dict[str, Any]:
    return {
        "id": draft.spec.id, "folder": None if folder is None else str(folder),
        "facts": facts.to_dict(), "labels": list(draft.spec.label_names),
        "recipe": draft.spec.recipe.to_dict(), "has_map": draft.has_map,
        "network": dict(draft.spec.network.backbone_arguments), "held": list(draft.held),
        "tried": [{"file": each.file, "probabilities": dict(each.probabilities)}
                  for each in readings],
    }  # fmt: skip
