"""Where the results of `classify` go: standard output, a CSV file, a report."""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from leukemia_app.cli_output import JsonArray, write_line
from leukemia_app.errors import SettingError

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


def open_sinks(
    arguments: argparse.Namespace, files: Sequence[Path], predictor: "Predictor"
) -> "Iterator[AbstractContextManager[Sink]]":
    """Everything that the arguments ask for, to be entered before the first result."""
    one_smear = not arguments.separate
    if arguments.json:
        yield _printed_json()
    else:
        yield _printed_table(files, predictor.spec, one_smear)
    if arguments.csv:
        yield _csv_file(arguments.csv, predictor.spec)
    if arguments.report:
        yield _report_file(arguments.report, predictor, one_smear)


@contextmanager
def _printed_json() -> "Iterator[Sink]":
    with JsonArray() as array:
        yield lambda result: array.add(result.to_dict())


@contextmanager
def _printed_table(files: Sequence[Path], spec: "Spec", one_smear: bool) -> "Iterator[Sink]":
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
            is_top = result.probabilities[label] == max(result.probabilities.values())
            first = [] if is_top and not refers else [words.top_class(result)]
            why = " ".join([*first, *result.decision.reasons])
        write_line(
            f"{result.file:<{width}}  {decision:<{label_width}}  {chance:>7}  {why}".rstrip()
        )

    yield sink
    n_read = decided.total()
    if n_read > 1 and one_smear:
        n_answered = n_read - decided[REFERRED]
        counts = tuple(
            Count(label=label, k=decided[label], n=n_answered)
            for label in spec.label_names
            if n_answered
        )
        referred = Count(label=REFERRED, k=decided[REFERRED], n=n_read)
        write_line()
        summary = SmearSummary(counts=counts, referred=referred)
        write_line(f"{words.ONE_SMEAR} {words.summary_sentence(summary)}")
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
def _report_file(path: Path, predictor: "Predictor", one_smear: bool) -> "Iterator[Sink]":
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
        file.write(html_report(shown, predictor.spec, made_at=made_at, one_smear=one_smear))


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
