"""What the controls of a training show: its preset, what was changed, and a picture of the set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leukemia_app.api import picture_limits
from leukemia_app.errors import AppError
from leukemia_app.ui.bench import ADAPT, Bench, Wish, presets_of
from leukemia_app.ui.data_sets import DataView
from leukemia_app.ui.samples import AUGMENT, MORE, Samples, samples
from leukemia_app.ui.settings_panes import Form
from leukemia_app.ui.train_settings import kept_changes


def wish_of(bench: Bench, fields: Mapping[str, Any]) -> Wish:
    """What the page's forms hold; a start, preset or block that does not fit it gives way."""
    backbone = str(fields.get("backbone") or "mobilenet")
    starts = bench.starts(backbone)
    start = str(fields.get("start") or starts[0])
    wanted = str(fields.get("preset") or "quick")
    changes = fields.get("changes")
    return Wish(
        backbone=backbone, head=str(fields.get("head") or "attention"),
        start=start if start in starts else starts[0],
        preset="quick" if wanted == ADAPT and wanted not in presets_of(starts) else wanted,
        input=str(fields.get("input") or "cell"), name=str(fields.get("name") or ""),
        changes=kept_changes(changes if isinstance(changes, dict) else {}, backbone),
    )  # fmt: skip


def form_of(bench: Bench, owner: str, view: DataView, wish: Wish, folds: Any) -> Form | None:
    """The settings in full; None where there are none yet, as while a set is being checked.

    `folds` are the open ones as the page's script names them: nothing it says is taken on trust.
    """
    try:
        preset = bench.preset(owner, view.id, wish)
    except AppError:
        return None
    given = folds if isinstance(folds, list) else []
    is_open = frozenset(name for name in (MORE, AUGMENT) if name in given)
    path = _first_picture(view)
    shown = Samples()
    if path is not None:
        limits = picture_limits(bench.settings)
        shown = samples(path, preset, wish.changes, is_open, limits)
    return Form(preset=preset, changes=wish.changes, folds=is_open, samples=shown)


def _first_picture(view: DataView) -> Path | None:
    """The picture that the health page shows first."""
    classes = (view.health or {}).get("classes") or [{}]
    shown = classes[0].get("shown") or [None]
    return None if shown[0] is None else view.home / view.source.pictures / str(shown[0])
