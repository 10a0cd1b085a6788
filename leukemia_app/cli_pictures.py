"""The commands that look at pictures: classify and segment."""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from leukemia_app.cli_output import (
    JsonArray,
    Progress,
    without_native_notes,
    write_line,
)
from leukemia_app.errors import AppError, SettingError
from leukemia_app.settings import Settings

if TYPE_CHECKING:
    from leukemia_app.bundles.predictor import Predictor
    from leukemia_app.bundles.reading import Reading
    from leukemia_app.bundles.spec import Spec
    from leukemia_app.evaluation.report import Illustrated
    from leukemia_app.evaluation.results import Unread

    Result = Reading | Unread
    Sink = Callable[[Result], None]
    """Takes one result after the other, in order."""

REPORT_THUMBNAILS = 500
"""A report shows so many small pictures; the rest of its rows go without."""
LONGEST_NAME = 60


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `classify` and `segment`."""
    classify = commands.add_parser("classify", help="read pictures with a model")
    classify.add_argument("paths", nargs="+", metavar="PATH", help="pictures, or folders of them")
    classify.add_argument("--model", metavar="ID", help="default: the first model for fields")
    classify.add_argument("--csv", metavar="F", type=Path, help="write a table for spreadsheets")
    classify.add_argument("--report", metavar="F.html", type=Path, help="write a page to print")
    classify.add_argument("--device", choices=("auto", "cpu", "gpu"), help="where to compute")
    classify.add_argument("--json", action="store_true", help="print one JSON array")
    classify.set_defaults(run=run_classify)

    segment = commands.add_parser("segment", help="find white cells and their nuclei")
    segment.add_argument("paths", nargs="+", metavar="PATH", help="pictures, or folders of them")
    segment.add_argument("--method", default="stain", metavar="NAME",
                         help="clahe_otsu or stain (default)")  # fmt: skip
    segment.add_argument("--masks", metavar="DIR", type=Path, help="compare with these masks")
    segment.add_argument("--out", metavar="DIR", type=Path, help="write <stem>_mask.png there")
    segment.add_argument("--json", action="store_true", help="print JSON")
    segment.set_defaults(run=run_segment)


def run_classify(arguments: argparse.Namespace, settings: Settings) -> int:
    """Read the pictures; 0 all read, 1 some not, 2 none."""
    from leukemia_app import api
    from leukemia_app.bundles.reading import Reading

    if arguments.device:
        settings = replace(settings, device=arguments.device)
    files = api.picture_files(arguments.paths)
    progress = Progress(len(files))
    n_read = 0
    with without_native_notes():
        predictor = api.load(arguments.model, api.open_library(settings))
        results = api.classify(files, predictor, limits=api.picture_limits(settings))
        first = next(results)
    with ExitStack() as stack:
        sinks = [stack.enter_context(sink) for sink in _sinks(arguments, files, predictor)]
        for result in chain([first], results):
            n_read += isinstance(result, Reading)
            progress.clear()
            for sink in sinks:
                sink(result)
            progress.step()
        progress.clear()
    return exit_code(n_read, len(files))


def run_segment(arguments: argparse.Namespace, settings: Settings) -> int:
    """Find the cells; 0 all done, 1 some not, 2 none."""
    from leukemia_app import api
    from leukemia_app.imaging.segment import METHODS

    methods = [method for method in METHODS if method != "none"]
    if arguments.method not in methods:
        raise SettingError(f"--method is {arguments.method!r}; use {' or '.join(methods)}.")
    files = api.picture_files(arguments.paths)
    if arguments.masks:
        return _compare(files, arguments)
    if arguments.out:
        _check_stems(files)
        arguments.out.mkdir(parents=True, exist_ok=True)
    progress = Progress(len(files))
    n_done = 0
    with _facts_sink(arguments) as sink:
        for path in files:
            facts = _segmented(path, arguments.method, arguments.out)
            n_done += "error" not in facts
            progress.clear()
            sink(facts)
            progress.step()
    progress.clear()
    return exit_code(n_done, len(files))


def exit_code(n_done: int, n_asked: int) -> int:
    """0 where all went well, 1 where some did, 2 where nothing was done."""
    if n_done == 0:
        return 2
    return 0 if n_done == n_asked else 1


def _sinks(
    arguments: argparse.Namespace, files: Sequence[Path], predictor: "Predictor"
) -> "Iterator[Any]":
    yield _printed_json() if arguments.json else _printed_table(files, predictor.spec)
    if arguments.csv:
        yield _csv_file(arguments.csv, predictor.spec)
    if arguments.report:
        yield _report_file(arguments.report, predictor)


@contextmanager
def _printed_json() -> "Iterator[Sink]":
    with JsonArray() as array:
        yield lambda result: array.add(result.to_dict())


@contextmanager
def _printed_table(files: Sequence[Path], spec: "Spec") -> "Iterator[Sink]":
    from leukemia_app.bundles.reading import Reading
    from leukemia_app.evaluation import words
    from leukemia_app.evaluation.smear import REFERRED, Count, SmearSummary

    width = min(LONGEST_NAME, max(len(str(path)) for path in files))
    label_width = max(len("not read"), *(len(name) for name in spec.label_names))
    decided: Counter[str] = Counter()

    def sink(result: "Result") -> None:
        if not isinstance(result, Reading):
            decision, chance, why = "not read", "", result.message
        else:
            label = result.decision.label
            refers = result.decision.kind == "refer"
            decided[REFERRED if refers else label] += 1
            decision = "refer" if refers else label
            chance = words.percent(result.probabilities[label])
            why = " ".join(([f"Top class {label}."] if refers else []) + [*result.decision.reasons])
        write_line(
            f"{result.file:<{width}}  {decision:<{label_width}}  {chance:>7}  {why}".rstrip()
        )

    yield sink
    n_read = decided.total()
    if n_read > 1:
        n_answered = n_read - decided[REFERRED]
        counts = tuple(
            Count(label=label, k=decided[label], n=n_answered)
            for label in spec.label_names
            if n_answered
        )
        referred = Count(label=REFERRED, k=decided[REFERRED], n=n_read)
        write_line()
        write_line(words.summary_sentence(SmearSummary(counts=counts, referred=referred)))
    write_line(f"{spec.title}. {words.RESEARCH_USE}.")


@contextmanager
def _csv_file(path: Path, spec: "Spec") -> "Iterator[Sink]":
    from leukemia_app.evaluation.results import results_csv

    heads = results_csv([], spec.label_names)
    with _written_whole(path, encoding="utf-8-sig") as file:
        file.write(heads)

        def sink(result: "Result") -> None:
            file.write(results_csv([result], spec.label_names).removeprefix(heads))

        yield sink


@contextmanager
def _report_file(path: Path, predictor: "Predictor") -> "Iterator[Sink]":
    from leukemia_app.bundles.reading import Reading
    from leukemia_app.evaluation.illustrate import illustrate, illustrate_small
    from leukemia_app.evaluation.report import html_report
    from leukemia_app.imaging.decode import read_picture

    shown: list[Illustrated] = []

    def sink(result: "Result") -> None:
        wanted = isinstance(result, Reading) and len(shown) < REPORT_THUMBNAILS
        picture = read_picture(Path(result.file)) if wanted else None
        shown.append(illustrate_small(result, picture))

    yield sink
    if len(shown) == 1 and isinstance(only := shown[0].result, Reading):
        picture = read_picture(Path(only.file))
        shown = [replace(illustrate(picture, predictor.examine(picture)), result=only)]
    made_at = time.strftime("%d %B %Y, %H:%M %Z")
    with _written_whole(path) as file:
        file.write(html_report(shown, predictor.spec, made_at=made_at))


@contextmanager
def _written_whole(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """A text file that takes its name only when all is written."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding=encoding, newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise SettingError(f"{path} cannot be written ({error.strerror}). Choose another place."
                           ) from error  # fmt: skip
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _facts_sink(arguments: argparse.Namespace) -> Iterator[Callable[[dict[str, Any]], None]]:
    if arguments.json:
        with JsonArray() as array:
            yield array.add
        return

    def sink(facts: dict[str, Any]) -> None:
        if "error" in facts:
            write_line(f"{facts['file']}  not read  {facts['error']['message']}")
        else:
            where = f"  {facts['mask']}" if facts["mask"] else ""
            cells = "1 cell" if facts["cells"] == 1 else f"{facts['cells']} cells"
            write_line(
                f"{facts['file']}  {cells}, nuclei {facts['nucleus_px']:,} px, "
                f"cytoplasm {facts['cytoplasm_px']:,} px{where}"
            )

    yield sink


def _segmented(path: Path, method: str, out: Path | None) -> dict[str, Any]:
    from leukemia_app.imaging.decode import encode_png, read_picture
    from leukemia_app.imaging.segment import CYTOPLASM_VALUE, NUCLEUS_VALUE, segment, to_mask

    try:
        found = segment(read_picture(path).pixels, method)
    except AppError as error:
        return {"file": str(path), "error": {"kind": error.kind, "message": str(error)}}
    mask = to_mask(found)
    written = None
    if out is not None:
        written = out / f"{path.stem}_mask.png"
        written.write_bytes(encode_png(mask))
    return {
        "file": str(path),
        "method": method,
        "cells": found.count,
        "nucleus_px": int((mask == NUCLEUS_VALUE).sum()),
        "cytoplasm_px": int((mask == CYTOPLASM_VALUE).sum()),
        "mask": None if written is None else str(written),
        "remarks": list(found.remarks),
    }


def _check_stems(files: Sequence[Path]) -> None:
    twice = [stem for stem, n in Counter(path.stem for path in files).items() if n > 1]
    if twice:
        raise SettingError(
            f"--out would write {twice[0]}_mask.png twice, as several pictures have that name. "
            "Segment one folder at a time."
        )
