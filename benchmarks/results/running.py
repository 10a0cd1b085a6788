"""Carry out a row as a run of the engine, in processes of its own, and keep what came out."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.results.rows import AdaptRow, Places, Row, config_of
from leukemia_app.errors import RunError
from leukemia_app.training import jobs
from leukemia_app.training.results import gather, read_baselines
from leukemia_app.training.run_folder import RunFolder

FORMAT_VERSION = 1
FIGURES = {
    "accuracy": "accuracy", "balanced accuracy": "balanced_accuracy", "macro-F1": "macro_f1",
    "AUROC": "auroc",
}  # fmt: skip
"""Names of the figures in the table, by their names on a card."""
PARTS = {"group": "test", "image": "random image split"}
FRAME = re.compile(r"^([a-z]+)_(\d+)-")
"""BCISC names a cell by kind, a first and a second number, and the cell in the picture."""
POLL_S = 2.0


def finished(name: str, out: Path) -> Mapping[str, Any] | None:
    """What a row came to; None where it is still open."""
    try:
        values = json.loads(_file(name, out).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_ours = isinstance(values, dict) and values.get("format_version") == FORMAT_VERSION
    return values if is_ours else None


def carry_out(row: Row | AdaptRow, places: Places) -> Mapping[str, Any]:
    """Bring a row's run to its end, from where it is, and keep the row as a file.

    Raises:
        RunError: the run failed, or was stopped.
    """
    folder = RunFolder(path=places.out / row.name)
    _await_orphan(folder)
    _train(_command(row, folder, places), folder)
    facts: dict[str, Any] = {"format_version": FORMAT_VERSION, "name": row.name}
    facts |= _adapted(folder) if isinstance(row, AdaptRow) else _trained(row, folder)
    facts |= {
        "seconds": round(sum(gather(folder).seconds.values()), 1),
        "finished": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    _keep(_file(row.name, places.out), facts)
    return facts


def _file(name: str, out: Path) -> Path:
    return out / "rows" / f"{name}.json"


def _keep(path: Path, values: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)


def _await_orphan(folder: RunFolder) -> None:
    """A worker outlives the one who started it: where this command was killed, it works on."""
    while jobs.is_running(folder):
        time.sleep(POLL_S)


def _command(row: Row | AdaptRow, folder: RunFolder, places: Places) -> list[str]:
    """`train` for the row; a run that was begun keeps its settings."""
    data = row.data if isinstance(row, AdaptRow) else row.data.name
    command = ["train", str(places.data / data), "--out", str(folder.path), "--json"]
    if isinstance(row, Row) and row.split == "image":
        command.append("--image-split")
    if (folder.path / "config.json").exists():
        return command
    if isinstance(row, AdaptRow):
        table = _frames(places.data / row.data, places.out / f"{row.data}_groups.csv")
        return [*command, "--preset", "adapt", "--start", row.start, "--seed", str(row.seed),
                "--groups", str(table)]  # fmt: skip
    settings = places.out / "settings" / f"{row.name}.json"
    _keep(settings, config_of(row, places).to_dict())
    return [*command, "--config", str(settings)]


def _frames(folder: Path, table: Path) -> Path:
    """Write a table that groups cells by the first number in their names, next to a slide."""
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(("file", "label", "group"))
        for path in sorted(folder.glob("*/*")):
            if (named := FRAME.match(path.name)) is not None:
                label = path.parent.name
                writer.writerow((f"{label}/{path.name}", label, "-".join(named.groups())))
    return table


def _train(arguments: list[str], folder: RunFolder) -> None:
    """Run `train` in a process of its own; Ctrl-C reaches it too, and it stops cleanly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "leukemia_app", *arguments], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        _, said = process.communicate()
    except KeyboardInterrupt:
        process.wait()
        raise
    if process.returncode:
        words = said.strip().splitlines()
        last = words[-1].removeprefix("train: ") if words else f"exit code {process.returncode}"
        raise RunError(f"{folder.path.name}: {last}")


def _trained(row: Row, folder: RunFolder) -> dict[str, Any]:
    config = folder.config()
    told = _figures(folder)
    mine = [each for each in told if each["part"] == PARTS[row.split] and each["name"] in FIGURES]
    figures = {FIGURES[each["name"]]: _ends(each) for each in mine}
    return {
        "kind": "network", "data": row.data.name, "plan": row.plan.name, "split": row.split,
        "level": row.data.group_level, "backbone": config.backbone, "head": config.head,
        "start": row.plan.start, "side_px": config.recipe.side_px, "words": row.plan.words,
        "n_test": mine[0]["n"], "n_groups": mine[0]["n_groups"], "figures": figures,
        "baselines": [each.to_dict() for each in read_baselines(folder)],
        "proof": _proof(row, folder) if row.split == "group" else None,
    }  # fmt: skip


def _adapted(folder: RunFolder) -> dict[str, Any]:
    told = {each["name"]: each for each in _figures(folder) if each["part"] == "test"}
    figures = {
        f"{FIGURES[name]}{key}": _ends(told[f"{name}{words}"])
        for name in ("accuracy", "macro-F1")
        for words, key in ((" before adapting", "_before"), ("", ""),
                           (" gained by adapting", "_gained"))
    }  # fmt: skip
    parts = gather(folder).parts
    n_known = sum(size.pictures for name, size in parts.items() if name != "test")
    return {
        "kind": "adapt", "n_known": n_known, "n_test": told["accuracy"]["n"],
        "n_groups": told["accuracy"]["n_groups"], "figures": figures,
    }  # fmt: skip


def _figures(folder: RunFolder) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        (folder.path / "figures.json").read_text(encoding="utf-8")
    )
    return found


def _ends(figure: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: figure[name] for name in ("value", "low", "high")}


def _proof(row: Row, folder: RunFolder) -> dict[str, bool]:
    """Whether the run's bundle, loaded anew, answers as it did, classifies and explains."""
    checked = subprocess.run(
        [sys.executable, "-m", "leukemia_app", "models", "check", row.name],
        env=os.environ | {"LEUKEMIA_MODELS": str(folder.path)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    classified, explained = _looked_at(row, folder)
    return {"reloads": checked.returncode == 0, "classifies": classified, "explains": explained}


def _looked_at(row: Row, folder: RunFolder) -> tuple[bool, bool]:
    """One picture of the test part, read and explained by the bundle as it is served."""
    from leukemia_app.bundles.device import find_device
    from leukemia_app.bundles.library import Library
    from leukemia_app.imaging.decode import read_picture

    with (folder.path / "split.csv").open(newline="", encoding="utf-8") as lines:
        file = next(line["file"] for line in csv.DictReader(lines) if line["part"] == "test")
    picture = read_picture(Path(folder.config().data) / file)
    library = Library([("run", folder.path)], find_device("cpu"), 2000, 2)
    seen = library.predictor(row.name).examine(picture)
    total = sum(seen.reading.probabilities.values())
    heat = seen.explanation.heat if seen.explanation else None
    is_heat = (
        heat is not None and heat.shape == picture.pixels.shape[:2] and bool((heat >= 0).all())
    )
    return abs(total - 1) < 1e-3, is_heat
