"""The commands about models: list, show, check, and those that carry them about."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app import cli_hub, cli_import
from leukemia_app.cli_output import (
    without_native_notes,
    write_json,
    write_line,
    write_table,
)
from leukemia_app.errors import AppError, BundleError, SettingError
from leukemia_app.settings import Settings

if TYPE_CHECKING:
    from leukemia_app.bundles.library import Entry
    from leukemia_app.bundles.spec import Figure, Spec

QUOTED = ("accuracy", "macro-F1", "AUROC", "sensitivity", "specificity", "referred")
"""Results that README repeats from the cards; the controls stand beside them."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `models` with its own commands."""
    models = commands.add_parser("models", help="list, show, check, add, pull and send models")
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="every model of this machine")
    listed.set_defaults(run=run_list)
    show = actions.add_parser("show", help="what a model is for, and how good it is")
    show.add_argument("id", metavar="ID")
    show.set_defaults(run=run_show)
    check = actions.add_parser("check", help="rebuild models and run their self-tests")
    check.add_argument("id", metavar="ID", nargs="?", help="default: all models")
    check.set_defaults(run=run_check)
    add = actions.add_parser("add", help="take in a model that was packed as a zip")
    add.add_argument("file", metavar="FILE", type=Path)
    add.add_argument("--as", dest="name", metavar="NAME", help="another id than its own")
    add.set_defaults(run=run_add)
    packed = actions.add_parser("pack", help="write a model as one zip, to be carried away")
    packed.add_argument("id", metavar="ID")
    packed.add_argument("--out", metavar="FILE", type=Path, help="default: ID.zip here")
    packed.set_defaults(run=run_pack)
    removed = actions.add_parser("rm", help="delete a model that was added or pulled")
    removed.add_argument("id", metavar="ID")
    removed.set_defaults(run=run_remove)
    for action in (listed, show, check, add, packed, removed):
        action.add_argument("--json", action="store_true", help="print JSON")
    cli_hub.add_actions(actions)
    cli_import.add_import(actions)
    figures = actions.add_parser("figures", help="the shipped models' figures as Markdown")
    figures.add_argument("--into", metavar="FILE", type=Path, help="write between the marks there")
    figures.set_defaults(run=run_figures)


def run_list(arguments: argparse.Namespace, settings: Settings) -> int:
    """Every model; 2 where there is none."""
    from leukemia_app.api import open_library

    entries = open_library(settings).entries()
    if arguments.json:
        write_json([_listed(entry) for entry in entries])
    elif entries:
        write_table(("id", "from", "reads", "figure"), [_row(entry) for entry in entries])
    else:
        raise BundleError("No model was found. Name a folder of bundles in LEUKEMIA_MODELS.")
    return 0 if entries else 2


def run_show(arguments: argparse.Namespace, settings: Settings) -> int:
    """One model's facts, with every figure, its interval and its split."""
    from leukemia_app.evaluation import words

    entry = _entry(arguments.id, settings)
    spec = entry.spec
    if spec is None:
        raise BundleError(f"The model {entry.id} cannot be shown: {entry.problem}")
    if arguments.json:
        write_json(_listed(entry) | {"spec": spec.to_dict()})
        return 0
    origin = f"{entry.origin} {_hub(entry)}".strip()
    write_line(f"{spec.title} ({spec.id}, {origin})")
    write_line(spec.summary)
    if entry.problem:
        write_line(f"Cannot be used: {entry.problem}")
    write_line()
    width = max(len(name) for name, _ in words.fact_rows(spec))
    for name, value in words.fact_rows(spec):
        write_line(f"{name:<{width}}  {value}")
    write_line()
    write_table(("label", "meaning"), [(label.name, label.meaning) for label in spec.labels])
    write_line()
    rows = [(figure.name, *words.figure_cells(figure)) for figure in spec.figures]
    write_table(words.FIGURE_HEADS, rows)
    return 0


def run_check(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check one model or all; 0 all well, 1 some failed, 2 all failed."""
    from leukemia_app.api import open_library

    entries = [_entry(arguments.id, settings)] if arguments.id else open_library(settings).entries()
    if not entries:
        raise BundleError("No model was found. Name a folder of bundles in LEUKEMIA_MODELS.")
    with without_native_notes():
        found = [_checked(entry, settings.threads) for entry in entries]
    if arguments.json:
        write_json(found)
    else:
        for facts in found:
            write_line(f"{facts['id']}  {'ok' if facts['ok'] else 'failed'}  {facts['said']}")
    n_failed = sum(not facts["ok"] for facts in found)
    return 0 if not n_failed else 2 if n_failed == len(found) else 1


def run_add(arguments: argparse.Namespace, settings: Settings) -> int:
    """Take in a packed model; it is in every list from then on."""
    from leukemia_app.api import open_library
    from leukemia_app.bundles.unpack import add_bundle

    added = add_bundle(
        arguments.file, settings.own_models, open_library(settings).entries(),
        max_bytes=settings.model_mb * 1_000_000, name=arguments.name,
    )  # fmt: skip
    if arguments.json:
        write_json({"id": added.id, "folder": str(added.folder), "is_new": added.is_new})
    else:
        write_line(f"{added.id} is {'added' if added.is_new else 'here already'}: {added.folder}")
    return 0


def run_pack(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write one model as a zip; never over another file."""
    from leukemia_app.bundles.pack import pack

    target = arguments.out or Path(f"{arguments.id}.zip")
    content = pack(_entry(arguments.id, settings).folder)
    draft = target.with_name(f"{target.name}.part")
    try:
        if target.exists():
            raise FileExistsError(0, "it exists")
        draft.write_bytes(content)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BundleError(
            f"{target} cannot be written ({error.strerror or error}). Name another file by --out."
        ) from error
    if arguments.json:
        write_json({"id": arguments.id, "file": str(target), "size_bytes": len(content)})
    else:
        write_line(f"{target}  {len(content) / 1e6:.1f} MB")
    return 0


def run_remove(arguments: argparse.Namespace, settings: Settings) -> int:
    """Delete a model that was added or pulled."""
    from leukemia_app.bundles.unpack import remove_bundle
    from leukemia_app.training.start import runs_that_start_from

    entry = _entry(arguments.id, settings)
    if users := runs_that_start_from(entry.folder, settings.state_dir / "runs"):
        raise BundleError(
            f"The run {users[0]} starts from the model {entry.id} and needs it. Delete the model "
            "after that run has ended, or delete the run."
        )
    remove_bundle(entry, settings.own_models, settings.pulled_models)
    if arguments.json:
        write_json({"id": entry.id})
    else:
        write_line(f"{entry.id} is deleted.")
    return 0


def run_figures(arguments: argparse.Namespace, settings: Settings) -> int:
    """The figures of the shipped models, printed or written into a file."""
    from leukemia_app.api import open_library

    shipped = [entry for entry in open_library(settings).entries() if entry.origin == "shipped"]
    table = figures_table([entry.spec for entry in shipped if entry.spec is not None])
    if arguments.into is None:
        write_line(table)
        return 0
    text = arguments.into.read_text(encoding="utf-8")
    arguments.into.write_text(between_marks(text, table, "figures"), encoding="utf-8")
    return 0


def figures_table(specs: "Sequence[Spec]") -> str:
    """Markdown: each model's main results and its controls, with interval and split."""
    from leukemia_app.evaluation import words

    if not specs:
        return "No model is shipped."
    lines = [f"| model | {' | '.join(words.FIGURE_HEADS)} |", "|---" * 7 + "|"]
    for spec in specs:
        figures = [each for each in spec.figures if _is_quoted(each)]
        for number, figure in enumerate(figures):
            name = f"`{spec.id}`" if number == 0 else ""
            lines.append(f"| {name} | {figure.name} | {' | '.join(words.figure_cells(figure))} |")
    return "\n".join(lines)


def _is_quoted(figure: "Figure") -> bool:
    if figure.value is None:
        return False
    return figure.kind == "control" or (figure.kind == "result" and figure.name in QUOTED)


def between_marks(text: str, inner: str, name: str) -> str:
    """`text` with `inner` between its comments `<!-- name: … -->` and `<!-- end of name -->`.

    Raises:
        SettingError: the text has not both marks.
    """
    start, end = f"<!-- {name}:", f"<!-- end of {name} -->"
    before, found, rest = text.partition(start)
    mark, closed, tail = rest.partition("-->\n")
    _, ended, after = tail.partition(end)
    if not (found and closed and ended):
        raise SettingError(f"The file has no marks {start} … --> and {end}; add them.")
    return f"{before}{start}{mark}-->\n{inner}\n{end}{after}"


def _entry(id: str, settings: Settings) -> "Entry":
    from leukemia_app.api import open_library

    entries = open_library(settings).entries()
    for entry in entries:
        if entry.id == id:
            return entry
    listed = ", ".join(entry.id for entry in entries) or "none, no bundle was found"
    raise BundleError(f"No model has the id {id!r}; there are: {listed}.")


def _listed(entry: "Entry") -> dict[str, Any]:
    spec = entry.spec
    return {
        "id": entry.id,
        "from": entry.origin,
        "hub": _hub(entry) or None,
        "folder": str(entry.folder),
        "title": None if spec is None else spec.title,
        "input": None if spec is None else spec.recipe.input,
        "labels": None if spec is None else list(spec.label_names),
        "problem": entry.problem,
    }


def _row(entry: "Entry") -> tuple[str, str, str, str]:
    from leukemia_app.evaluation import words

    origin = f"{entry.origin} {_hub(entry)}".strip()
    if entry.spec is None or entry.problem is not None:
        return entry.id, origin, "cannot be used", entry.problem or ""
    said = words.headline(entry.spec) or "not measured"
    return entry.id, origin, words.reads(entry.spec).removeprefix("reads "), said


def _hub(entry: "Entry") -> str:
    """Repository and commit of a pulled model; empty of any other."""
    from leukemia_app.bundles.hub_source import read_source

    source = read_source(entry.folder)
    return "" if source is None else str(source)


def _checked(entry: "Entry", threads: int) -> dict[str, Any]:
    """What `models check` says of one bundle: every engine of this machine was tried."""
    from leukemia_app.bundles.device import Machine
    from leukemia_app.bundles.engines import LITERT_FILE, Engine, KerasEngine, LiteRtEngine
    from leukemia_app.bundles.store import self_test, verify

    machine = Machine.here()
    differences: dict[str, float] = {}
    try:
        if entry.problem is not None:
            raise BundleError(entry.problem)
        spec = verify(entry.folder)
        engines: dict[str, Engine] = {}
        if machine.has_litert:
            engines["litert"] = LiteRtEngine(entry.folder / LITERT_FILE, threads)
        if machine.has_tensorflow and spec.network.is_rebuildable:
            engines["keras"] = KerasEngine(entry.folder, spec)
        for name, engine in engines.items():
            differences[name] = self_test(entry.folder, engine).answer_difference
    except AppError as error:
        return {"id": entry.id, "ok": False, "engines": differences, "said": str(error)}
    said = "files as written, pictures prepared as before, answers as before: " + ", ".join(
        f"{name} within {difference:.1g}" for name, difference in differences.items()
    )
    if not machine.has_tensorflow:
        said += "; not rebuilt from its weights, as TensorFlow is not installed"
    return {"id": entry.id, "ok": True, "engines": differences, "said": said}
