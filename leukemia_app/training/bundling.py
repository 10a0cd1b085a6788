"""From trained weights to a bundle: decision values fitted on the validation part."""

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from leukemia_app.bundles.decision import to_probabilities
from leukemia_app.bundles.scope import Scope
from leukemia_app.bundles.spec import SEEN_DIGITS, Label, NetworkSpec, ScopeSpec, Spec
from leukemia_app.bundles.store import write_bundle
from leukemia_app.evaluation.calibration import (
    choose_positive_threshold,
    choose_threshold,
    fit_temperature,
)
from leukemia_app.evaluation.scope import choose_limit, fit_scope
from leukemia_app.imaging.picture import FloatArray
from leukemia_app.networks.build import Network
from leukemia_app.training.augment import Augment
from leukemia_app.training.batches import TrainingSet, disturbed_tensors, logits_of
from leukemia_app.training.config import RunConfig
from leukemia_app.training.parts import Parts
from leukemia_app.training.pixels import PixelCache
from leukemia_app.training.seen import start_spec

SCOPE_FILE = "scope.npz"
SETTINGS = Path(__file__).resolve().parents[2] / "docs" / "training"
"""Configurations of the bundles that ship."""
OPENCV_PACKAGES = (
    "opencv-python-headless", "opencv-python", "opencv-contrib-python",
    "opencv-contrib-python-headless",
)  # fmt: skip
STAIN_ONLY = Augment(
    rotation_degrees=180, zoom=0, shift=0, stain_gain_sd=0.2, stain_offset_sd=0.03,
    stain_probability=1, grey_probability=0, brightness=0, blur_sigma_px=0, jpeg_quality=0,
    noise_sd=0, bar_probability=0,
)  # fmt: skip
"""Another stain is no reason to refer: the scope learns from such copies too."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Values that turn logits into a decision, all from the validation part."""

    temperature: float
    threshold: float
    positive_threshold: float | None
    scope: Scope
    limit: float


def fit_decision(
    network: Network, config: RunConfig, data: TrainingSet, logits: FloatArray
) -> Fitted:
    """Temperature, thresholds and scope; `logits` are those of `data.check`."""
    true = data.targets[data.check]
    temperature = fit_temperature(true, logits)
    probabilities = to_probabilities(logits, temperature)
    predicted, positive = probabilities.argmax(1), None
    if config.n_outputs == 1 and config.sensitivity:
        positive = choose_positive_threshold(true, probabilities[:, 1], config.sensitivity)
        predicted = (probabilities[:, 1] >= positive).astype(np.int64)
    average = keras.Model(network.look.input, network.look.outputs[1])
    learned = logits_of(average, data.pixels, data.learn, config.recipe)
    shifted = _stained_features(average, config, data)
    scope = fit_scope(np.concatenate([learned, shifted]))
    checked = logits_of(average, data.pixels, data.check, config.recipe)
    return Fitted(
        temperature=temperature,
        threshold=choose_threshold(true, probabilities, config.answered_error, predicted=predicted),
        positive_threshold=positive,
        scope=scope,
        limit=choose_limit(scope.score(checked)),
    )


def _stained_features(average: keras.Model, config: RunConfig, data: TrainingSet) -> FloatArray:
    stained = replace(config, augment=replace(STAIN_ONLY, black_border=config.augment.black_border))
    parts = [
        average.predict_on_batch(
            disturbed_tensors(data.pixels, data.learn[at : at + 32], stained, [config.seed, 5, at])
        )
        for at in range(0, len(data.learn), 32)
    ]
    return np.concatenate(parts)


def build_bundle(
    folder: Path,
    network: Network,
    config: RunConfig,
    fitted: Fitted,
    cache: PixelCache,
    parts: Parts,
    *,
    caveat: str = "",
) -> Spec:
    """Write the bundle without figures; they are measured on what is served.

    A `caveat` of this one run stands behind the limits that the configuration tells.
    """
    about, parent = config.about, start_spec(config)
    spec = Spec(
        id=config.id,
        title=about.title or config.id,
        summary=about.summary,
        labels=tuple(
            Label(name=name, meaning=about.meanings.get(name, name)) for name in config.labels
        ),
        label_kind=about.label_kind,
        network=NetworkSpec(
            backbone=config.backbone, head=config.head, head_arguments=config.head_arguments
        ),
        recipe=config.recipe,
        temperature=fitted.temperature,
        threshold=fitted.threshold,
        positive_threshold=fitted.positive_threshold,
        scope=ScopeSpec(file=SCOPE_FILE, limit=fitted.limit, block=config.scope_block),
        figures=(),
        data={**about.data, "limits": " ".join(filter(None, (about.limits, caveat)))},
        split=_split_facts(config, cache, parts),
        intended_use=about.intended_use,
        not_for=about.not_for,
        licence=about.licence,
        parents=_parents(config, parent),
        training={"command": command(config), "seed": config.seed,
                  "config": _portable(config, parent)},
        versions=_versions(),
        files={},
        seen=_seen(cache, parts, parent),
    )  # fmt: skip
    return write_bundle(folder, spec, network, fitted.scope)


def _parents(config: RunConfig, parent: Spec | None) -> tuple[str, ...]:
    """Whose weights the training began with, and theirs before them, the nearest first."""
    if parent is not None:
        return tuple(dict.fromkeys((parent.id, *parent.parents)))
    kind, _, place = config.start.partition(":")
    if kind == "imagenet":
        return (f"{config.backbone} of Keras, learned from ImageNet",)
    return (Path(place).name,) if place else ()


def _portable(config: RunConfig, parent: Spec | None) -> dict[str, Any]:
    """The settings without folders of this machine, which mean nothing on another one.

    A model is named by its id, other places that are not below the working folder by their last
    name.
    """
    values = config.to_dict() | {
        name: place and _last(place)
        for name, place in (("data", config.data), ("groups", config.groups),
                            ("outside", config.outside))
    }  # fmt: skip
    values["external"] = {name: _last(place) for name, place in config.external.items()}
    values["figures_from"] = tuple(map(_last, config.figures_from))
    kind, colon, place = config.start.partition(":")
    values["start"] = f"{kind}{colon}{_last(place)}" if place else config.start
    return values | ({} if parent is None else {"start": f"bundle:{parent.id}"})


def _last(place: str) -> str:
    return Path(place).name if Path(place).is_absolute() else place


def _seen(cache: PixelCache, parts: Parts, parent: Spec | None) -> tuple[str, ...]:
    """Digests of what this training learned from and chose by, then of what its parents did."""
    own = [cache.digests[row][:SEEN_DIGITS] for row in np.concatenate([parts.learn, parts.check])]
    return tuple(dict.fromkeys((*own, *(parent.seen if parent else ()))))


def _versions() -> dict[str, str]:
    """Versions of what decides the numbers; OpenCV comes as one of several packages."""
    found = {}
    for name in ("keras", "tensorflow", "tensorflow-cpu", "numpy", *OPENCV_PACKAGES, "pillow"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def command(config: RunConfig, settings: Path = SETTINGS) -> str:
    """The command line that makes the bundle again.

    Of a bundle that ships, the settings lie in the folder `settings`. Of another they are
    config.json, and the table of its pictures manifest.csv, in the run's folder and wherever its
    reader keeps them.
    """
    if _is_shipped(config, settings / f"{config.id}.json"):
        data, file = config.data, f"docs/training/{config.id}.json"
    else:
        data, file = "PICTURES", "config.json"
        if config.groups:
            file += f" --groups {Path(config.groups).name}"
    return f"python -m leukemia_app train {data} --config {file} --out runs/{config.id}"


def _is_shipped(config: RunConfig, file: Path) -> bool:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and values.get("data") == config.data


def _split_facts(config: RunConfig, cache: PixelCache, parts: Parts) -> Mapping[str, Any]:
    level = "image" if config.split == "image" else config.group_level

    def facts(rows: NDArray[np.int64]) -> dict[str, int]:
        groups = {cache.rows[row].group for row in rows}
        return {"pictures": len(rows), "groups": len(groups)}

    named = {"train": parts.learn, "validation": parts.check, "test": parts.test}
    return {"level": level, "parts": {name: facts(rows) for name, rows in named.items()}}
