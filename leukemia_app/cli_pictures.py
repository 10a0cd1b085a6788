"""The commands that look at pictures: classify and segment."""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from leukemia_app import api
from leukemia_app.cli_output import (
    JsonArray,
    Progress,
    without_native_notes,
    write_json,
    write_line,
    write_table,
)
from leukemia_app.cli_results import open_sinks
from leukemia_app.errors import AppError, SettingError
from leukemia_app.settings import Settings


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `classify` and `segment`."""
    classify = commands.add_parser("classify", help="read pictures with a model")
    classify.add_argument("paths", nargs="+", metavar="PATH", help="pictures, or folders of them")
    classify.add_argument("--model", metavar="ID", help="default: the first model for fields")
    classify.add_argument("--csv", metavar="F", type=Path, help="write a table for spreadsheets")
    classify.add_argument("--report", metavar="F.html", type=Path, help="write a page to print")
    classify.add_argument("--device", choices=("auto", "cpu", "gpu"), help="where to compute")
    classify.add_argument("--no-cells", action="store_true",
                          help="do not look for cells: many times faster")  # fmt: skip
    classify.add_argument("--separate", action="store_true",
                          help="not one smear: count nothing over all")  # fmt: skip
    classify.add_argument("--json", action="store_true", help="print one JSON array")
    classify.set_defaults(run=run_classify)

    segment = commands.add_parser("segment", help="find white cells and their nuclei")
    segment.add_argument("paths", nargs="+", metavar="PATH", help="pictures, or folders of them")
    segment.add_argument("--method", default="stain", metavar="NAME",
                         help="stain (the default) or clahe_otsu")  # fmt: skip
    segment.add_argument("--masks", metavar="DIR", type=Path, help="compare with these masks")
    segment.add_argument("--out", metavar="DIR", type=Path, help="write <stem>_mask.png there")
    segment.add_argument("--json", action="store_true", help="print JSON")
    segment.set_defaults(run=run_segment)


def run_classify(arguments: argparse.Namespace, settings: Settings) -> int:
    """Read the pictures; 0 all read, 1 some not, 2 none."""
    from leukemia_app.bundles.reading import Reading

    if arguments.device:
        settings = replace(settings, device=arguments.device)
    files = api.picture_files(arguments.paths)
    progress = Progress(len(files))
    n_read = 0
    with without_native_notes():
        predictor = api.load(arguments.model, api.open_library(settings))
        results = api.classify(
            files,
            predictor,
            limits=api.picture_limits(settings),
            measure=not arguments.no_cells,
        )
        first = next(results)
    with ExitStack() as stack:
        sinks = [stack.enter_context(sink) for sink in open_sinks(arguments, files, predictor)]
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
    from leukemia_app.imaging.segment import METHODS

    methods = [method for method in METHODS if method != "none"]
    if arguments.method not in methods:
        raise SettingError(f"--method is {arguments.method!r}; use {' or '.join(methods)}.")
    files = api.picture_files(arguments.paths)
    if arguments.out:
        _check_stems(files)
        arguments.out.mkdir(parents=True, exist_ok=True)
    code = 0
    if arguments.out or not arguments.masks:
        with _facts_sink(arguments) as sink:
            code = _segment_all(files, arguments, settings.threads, sink)
    return max(code, _compare(files, arguments, settings.threads)) if arguments.masks else code


def _segment_all(
    files: Sequence[Path],
    arguments: argparse.Namespace,
    threads: int,
    sink: Callable[[dict[str, Any]], None],
) -> int:
    progress = Progress(len(files))
    n_done = 0
    work = partial(_segmented, method=arguments.method, out=arguments.out)
    for facts in api.in_order(work, files, threads):
        n_done += "error" not in facts
        progress.clear()
        sink(facts)
        progress.step()
    progress.clear()
    return exit_code(n_done, len(files))


def _compare(files: Sequence[Path], arguments: argparse.Namespace, threads: int) -> int:
    from leukemia_app.evaluation.segmentation import compare_masks

    report = compare_masks(files, arguments.masks, arguments.method, threads)
    if arguments.json:
        write_json(report.to_dict())
        return 1 if report.left_out else 0
    for left in report.left_out:
        write_line(f"{left.file}  left out  {left.reason}")
    rows = []
    for name, figure in (("whole cell", report.cell), ("nucleus", report.nucleus)):
        if figure is not None:
            ends = "–" if figure.low is None else f"{figure.low:.3f}–{figure.high:.3f}"
            rows.append((name, f"{figure.value:.3f}", ends, f"{figure.median:.3f}", str(figure.n)))
    write_table((f"Dice, {report.method}", "mean", "95 % interval", "median", "pictures"), rows)
    return 1 if report.left_out else 0


def exit_code(n_done: int, n_asked: int) -> int:
    """0 where all went well, 1 where some did, 2 where nothing was done."""
    if n_done == 0:
        return 2
    return 0 if n_done == n_asked else 1


@contextmanager
def _facts_sink(arguments: argparse.Namespace) -> Iterator[Callable[[dict[str, Any]], None]]:
    if arguments.masks:  # the comparison is printed instead
        yield lambda facts: None
        return
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
