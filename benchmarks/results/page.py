"""The table of results as Markdown, from the rows that are finished and those that are open."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.results.rows import DATA_SETS, PLANS, QUOTED, DataSet, Plan, Quoted
from leukemia_app.evaluation.baseline_row import INPUTS, TITLES

Facts = Mapping[str, Any]
COLUMNS = ("accuracy", "balanced_accuracy", "auroc", "macro_f1")
HEADS = ("accuracy", "balanced accuracy", "AUROC", "macro-F1")
BY = {"group": "by {level}", "image": "by picture"}
OPEN = "open"
PROOFS = ("reloads", "classifies", "explains")


def page(rows: Iterable[Facts], waiting: Mapping[str, str], minutes: float) -> str:
    """All tables; `waiting` says by name why a row is open, `minutes` what those may take."""
    found = {str(row["name"]): row for row in rows}
    parts = [_headline(found, waiting, minutes)]
    for data in DATA_SETS:
        parts += [f"### {data.title}", _parts_words(found, data), _networks(found, data),
                  _baselines(found, data), _quoted(found, data)]  # fmt: skip
    parts += ["### Adapted to another laboratory", _adapted(found),
              "### What each network's bundle does", _proofs(found)]  # fmt: skip
    if waiting:
        parts += ["### Open rows", _table(("row", "why"), sorted(waiting.items()))]
    return "\n\n".join(part for part in parts if part)


def _headline(found: Mapping[str, Facts], waiting: Mapping[str, str], minutes: float) -> str:
    hours = sum(row["seconds"] for row in found.values()) / 3600
    n_rows = len(found) + len(waiting)
    words = f"{len(found)} of {n_rows} rows are finished; they took {hours:.1f} hours."
    if waiting:
        words += f" The others may take {minutes:.0f} minutes."
    return words


def _parts_words(found: Mapping[str, Facts], data: DataSet) -> str:
    sizes = []
    for split, by in BY.items():
        row = next((row for row in found.values() if _is_of(row, data, split)), None)
        if row is not None:
            sizes.append(f"{by.format(level=row['level'])}: {row['n_test']:,} pictures of "
                         f"{row['n_groups']} groups")  # fmt: skip
    return f"Kept back {'; '.join(sizes)}." if sizes else ""


def _is_of(row: Facts, data: DataSet, split: str) -> bool:
    mine = (row["kind"], row.get("data"), row.get("split"))
    return mine == ("network", data.name, split)


def _networks(found: Mapping[str, Facts], data: DataSet) -> str:
    lines = []
    for plan in PLANS:
        for split, by in BY.items():
            row = found.get(f"{data.name}-{plan.name}-{split}")
            name = _network(plan, row) if split == "group" else ""
            cells = [OPEN, *[""] * len(COLUMNS)]
            if row is not None:
                cells = [*_cells(row["figures"]), f"{row['seconds'] / 60:.0f} min"]
            lines.append((name, by.format(level=data.group_level), *cells))
    return _table(("network", "split", *HEADS, "time"), lines)


def _network(plan: Plan, row: Facts | None) -> str:
    """As it was trained where it was; else as it is to be."""
    side_px, words = (plan.side_px, plan.words) if row is None else (row["side_px"], row["words"])
    start = {"none": "random start", "imagenet": "ImageNet start"}.get(
        plan.start, f"start `{plan.start.removeprefix('bundle:')}`"
    )
    return f"**`{plan.backbone}` {plan.head}**, {side_px} px, {start}, {words}"


def _baselines(found: Mapping[str, Facts], data: DataSet) -> str:
    lines = []
    for kind, seen in INPUTS.items():
        for name, title in TITLES.items():
            for split, by in BY.items():
                row = _baseline(found, data, split, name, kind)
                cells = [OPEN, *[""] * len(COLUMNS)]
                if row is not None and row["note"]:
                    cells = ["left out", *[""] * len(COLUMNS)]
                elif row is not None:
                    cells = [*_cells(row), f"{row['seconds']:.1f} s"]
                model = f"{title}, {seen}" if split == "group" else ""
                lines.append((model, by.format(level=data.group_level), *cells))
    return _table(("classical model", "split", *HEADS, "time"), lines)


def _baseline(
    found: Mapping[str, Facts], data: DataSet, split: str, name: str, kind: str
) -> Facts | None:
    rows = found.get(f"{data.name}-baselines-{split}", {}).get("baselines", ())
    return next((row for row in rows if (row["name"], row["features"]) == (name, kind)), None)


def _quoted(found: Mapping[str, Facts], data: DataSet) -> str:
    quoted = [each for each in QUOTED if each.data == data.name]
    return _table(
        ("published by notebooks", "accuracy", "their split", "nearest row here",
         "here by picture", f"here by {data.group_level}", "source"),
        [
            (each.network, each.figure, each.split, f"`{each.nearest}`",
             *(_nearest(found, each, split) for split in ("image", "group")), each.source)
            for each in quoted
        ],
    )  # fmt: skip


def _nearest(found: Mapping[str, Facts], quoted: Quoted, split: str) -> str:
    row = found.get(f"{quoted.data}-{quoted.nearest}-{split}")
    return _ends(row["figures"]["accuracy"], percent=True) if row else OPEN


def _adapted(found: Mapping[str, Facts]) -> str:
    rows = [row for row in found.values() if row["kind"] == "adapt"]
    figures = ("accuracy", "macro_f1")
    lines = [
        (row["name"].rpartition("-")[2], str(row["n_known"]),
         f"{row['n_test']} in {row['n_groups']} groups",
         *(_ends(row["figures"][f"{figure}{when}"]) for figure in figures
           for when in ("_before", "", "_gained")), f"{row['seconds'] / 60:.0f} min")
        for row in sorted(rows, key=lambda row: str(row["name"]))
    ]  # fmt: skip
    heads = [f"{name}{when}" for name in ("accuracy", "macro-F1")
             for when in (" before", " after", " gained")]  # fmt: skip
    return _table(("seed", "learned from", "kept back", *heads, "time"), lines) if lines else OPEN


def _proofs(found: Mapping[str, Facts]) -> str:
    lines = [
        (f"`{row['backbone']}` {row['head']}", row["data"], "yes",
         *("yes" if row["proof"][name] else "no" for name in PROOFS))
        for row in found.values()
        if row["kind"] == "network" and row["proof"]
    ]  # fmt: skip
    heads = ("network", "set", "trains, saves, exports", "reloads and passes its self-test",
             "classifies a picture", "explains it by Grad-CAM")  # fmt: skip
    return _table(heads, lines) if lines else OPEN


def _cells(figures: Facts) -> list[str]:
    return [_ends(figures[name]) for name in COLUMNS]


def _ends(figure: Facts, *, percent: bool = False) -> str:
    """A figure with its interval in brackets, where it has one."""
    if figure["value"] is None:
        return "not defined"
    times, form = (100, ".1f") if percent else (1, ".3f")
    value, low, high = (
        None if figure[name] is None else f"{times * figure[name]:{form}}"
        for name in ("value", "low", "high")
    )
    return f"{value}" if low is None or high is None else f"{value} ({low}–{high})"


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*rows, *(f"| {' | '.join(line)} |" for line in lines)])
