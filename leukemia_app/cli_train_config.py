"""From the words of `train` to the settings of a run."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app.errors import DatasetError, RunError

if TYPE_CHECKING:
    from leukemia_app.bundles.library import Entry
    from leukemia_app.bundles.spec import Spec
    from leukemia_app.data.layouts import Found
    from leukemia_app.data.manifest import Manifest
    from leukemia_app.settings import Settings
    from leukemia_app.training.config import RunConfig

CHANGED = ("backbone", "head", "start", "tune_from", "seed")
"""Flags that stand for the setting of the same name."""
NETWORK = ("mobilenet", "attention")
MANIFEST = "manifest.csv"
ADAPT = "adapt"
PRESETS = ("quick", "balanced", "thorough", ADAPT)
"""How much to spend; `adapt` fits a bundle to few pictures of another laboratory."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a command wants carried out."""

    config: "RunConfig"
    manifest: "Manifest | None" = None
    """Pictures whose table the run reads and that is still to be written."""
    given: Path | None = None
    """The table that they came from."""

    def write_table(self) -> None:
        """Write the table, once all else is known to be right.

        Raises:
            RunError: it cannot be written.
        """
        if self.manifest is not None:
            table = Path(str(self.config.groups))
            _write(table, self.manifest)
            _take_along(self.given, table.parent)


def asked_for(arguments: argparse.Namespace, settings: "Settings") -> Asked:
    """The run that the command asks for.

    A folder with a run keeps that run's settings, unless a flag names another one.

    Raises:
        AppError: a flag or a file cannot be used, or the pictures cannot be understood.
    """
    kept = arguments.out / "config.json"
    given: dict[str, Any] = {"data": str(arguments.data)}
    if arguments.config:
        config = _read(arguments.config, given, arguments)
    elif kept.exists():
        # Folds and the image split are asked for anew by each command.
        config = _read(kept, given | {"split": "given", "folds": 0, "fold": 0}, arguments)
    else:
        return _fitted(arguments, settings)
    start, _ = _found_start(config.start, settings)
    return Asked(config=replace(config, start=start))


def _read(path: Path, given: dict[str, Any], arguments: argparse.Namespace) -> "RunConfig":
    from leukemia_app.training.config import RunConfig

    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read as JSON ({error}).") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} holds no JSON object; give the settings by name.")
    groups = {"groups": arguments.groups} if arguments.groups else {}
    return RunConfig.from_dict(values | given | groups | _changes(arguments))


def _changes(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        name: getattr(arguments, name) for name in CHANGED if getattr(arguments, name) is not None
    }


def _fitted(arguments: argparse.Namespace, settings: "Settings") -> Asked:
    """A preset for the pictures; their table is to lie beside the run."""
    from leukemia_app.training.presets import Wanted, preset

    _require_folder(arguments.data)
    backbone, head = arguments.backbone or NETWORK[0], arguments.head or NETWORK[1]
    _check_network(backbone, head)
    start, spec = (
        _first_start(backbone, arguments.input, settings) if arguments.start is None
        else _found_start(arguments.start, settings)
    )  # fmt: skip
    manifest = _manifest(arguments, spec.label_names if spec else ())
    table = arguments.out / MANIFEST
    if arguments.preset == ADAPT:
        made = _adapted(start, spec, manifest, arguments.out)
    else:
        fits = spec is not None and arguments.input in (None, spec.recipe.input)
        made = preset(arguments.preset, manifest, Wanted(
            id=id_of(arguments.out), groups=table, backbone=backbone, head=head, start=start,
            input=arguments.input or "field", recipe=spec.recipe if spec and fits else None,
        ))  # fmt: skip
    made = replace(made, **_changes(arguments) | {"start": start})
    given = Path(arguments.groups) if arguments.groups else None
    return Asked(config=made, manifest=manifest, given=given)


def _adapted(start: str, spec: "Spec | None", manifest: "Manifest", out: Path) -> "RunConfig":
    from leukemia_app.training.adapt import adapt_config

    if spec is None:
        raise RunError("Give --start bundle:ID, the model to adapt; `models list` names them.")
    folder = Path(start.removeprefix("bundle:"))
    return adapt_config(spec, folder, manifest, id=id_of(out), groups=out / MANIFEST)


def _require_folder(data: Path) -> None:
    """Before anything is said of the training that cannot be."""
    if not data.is_dir():
        raise DatasetError(f"{data} is not a folder; give the folder that holds the classes.")


def _check_network(backbone: str, head: str) -> None:
    """Here and not in the worker: a folder with a run that cannot start is of no use."""
    from leukemia_app.networks.backbones import BACKBONES
    from leukemia_app.networks.heads import HEADS

    for name, value, known in (("backbone", backbone, BACKBONES), ("head", head, HEADS)):
        if value not in known:
            raise RunError(f"{name} is {value!r}; use one of {', '.join(known)}.")


def _first_start(
    backbone: str, input: str | None, settings: "Settings"
) -> "tuple[str, Spec | None]":
    """The first bundle with the same backbone, or nothing: a download is asked for by name."""
    for entry in _entries(settings):
        spec = entry.spec
        if spec is None or entry.problem or spec.network.backbone != backbone:
            continue
        if input in (None, spec.recipe.input):
            sys.stderr.write(f"train: starts from the features of {entry.id}; --start says "
                             "otherwise.\n")  # fmt: skip
            return f"bundle:{entry.folder}", spec
    sys.stderr.write("train: starts from nothing; --start imagenet needs fewer pictures.\n")
    return "none", None


def _found_start(start: str, settings: "Settings") -> "tuple[str, Spec | None]":
    """The start, a bundle by its folder; and what that bundle is.

    Raises:
        AppError: no bundle has that id, or it cannot be used.
    """
    from leukemia_app.bundles.store import SPEC_FILE, verify

    kind, _, place = start.partition(":")
    if kind != "bundle":
        return start, None
    if (Path(place) / SPEC_FILE).is_file():
        return start, verify(Path(place))
    entries = _entries(settings)
    entry = next((entry for entry in entries if entry.id == place), None)
    if entry is None or entry.problem:
        known = ", ".join(entry.id for entry in entries if not entry.problem) or "none"
        why = f"that model cannot be used: {entry.problem}" if entry else "no model has that id"
        raise RunError(f"start is {start!r}, but {why}; there are: {known}.")
    return f"bundle:{entry.folder}", entry.spec


def _entries(settings: "Settings") -> "list[Entry]":
    from leukemia_app.api import open_library
    from leukemia_app.cli_output import without_native_notes

    with without_native_notes():
        return open_library(settings).entries()


def _manifest(arguments: argparse.Namespace, known: Sequence[str]) -> "Manifest":
    """The pictures as their layout gives them.

    Without given parts the run deals them, after it has grouped what looks alike where no group
    is known.
    """
    from leukemia_app.data.grouping import group_rows
    from leukemia_app.data.manifest import Manifest
    from leukemia_app.data.split import split_rows

    found = _found_pictures(arguments, known)
    grouped = group_rows(
        found.entries, group_level=found.group_level, clusters=range(len(found.entries))
    )
    renamed = [f"{raw} is called {label}." for raw, label in found.labels.items() if raw != label]
    rows, notes = grouped.rows, [*found.notes, *grouped.notes, *renamed]
    if any(row.part for row in rows):
        split = split_rows(rows, seed=0)
        rows, notes = split.rows, [*notes, *split.notes]
    for note in notes:
        sys.stderr.write(f"train: {note}\n")
    return Manifest(folder=arguments.data, rows=rows, group_level=grouped.level)


def _found_pictures(arguments: argparse.Namespace, known: Sequence[str]) -> "Found":
    """What the folder was understood to be; labels of the model to start from keep their names."""
    from leukemia_app.data.layouts import discover

    table = Path(arguments.groups) if arguments.groups else None
    found = discover(arguments.data, table=table, choice=arguments.choice)
    if not found.entries:
        raise DatasetError(f"{arguments.data} holds several kinds of the same pictures; use "
                           f"--choice with one of {', '.join(found.choices)}.")  # fmt: skip
    names = {name.casefold(): name for name in known}
    kept = {raw: names[raw.casefold()] for raw in found.labels if raw.casefold() in names}
    if all(found.labels[raw] == name for raw, name in kept.items()):
        return found
    return discover(arguments.data, table=table, choice=arguments.choice, aliases=kept)


def _write(table: Path, manifest: "Manifest") -> None:
    from leukemia_app.data.manifest import write_manifest

    try:
        table.parent.mkdir(parents=True, exist_ok=True)
        write_manifest(table, manifest.rows)
    except OSError as error:
        raise RunError(
            f"{table} cannot be written ({error.strerror or error}); use another --out."
        ) from error


def _take_along(given: Path | None, folder: Path) -> None:
    """What was corrected by hand in the table that was given: the run tells it."""
    from leukemia_app.training.corrections import changes_in, keep_changes
    from leukemia_app.training.job_folder import JobFolder

    if given is not None and given.parent.resolve() != folder.resolve():
        keep_changes(JobFolder(path=folder), changes_in(given.parent))


def id_of(folder: Path) -> str:
    """The folder's name as the name of a bundle."""
    name = re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).lstrip("._-")
    return name[:80] or "run"
