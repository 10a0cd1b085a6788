"""What a model bundle says of itself: bundle.json, checked key by key."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from math import isfinite
from typing import Any

from leukemia_app.errors import BundleError, RecipeError
from leukemia_app.imaging.recipe import Recipe

FORMAT_VERSION = 1
SEEN_DIGITS = 16
"""Hex digits kept of each training picture's digest: 64 bits tell a million pictures apart."""
LABEL_KINDS = ("cell type", "field subtype", "binary")
GROUP_LEVELS = ("patient", "run", "image")
IMPORTED = "imported"
"""Backbone and head of a network that is not one of `networks`: only its graph is kept."""
BUNDLE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
MAX_TEXT = 20_000
"""Characters of any text: a card is read by people."""
MAX_NUMBER = 1e12
"""Either way, of any number."""
MAX_DEPTH = 20
"""Levels of objects and lists in bundle.json; those of this app have five."""
MAX_SHOWN = 60
_HALF_PAIR = re.compile("[\ud800-\udfff]")
"""JSON can escape one half of a character alone; no page and no file can hold it."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Label:
    """One class: its short name, as in the data, and what it means."""

    name: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Which network the weights belong to."""

    backbone: str
    head: str
    head_arguments: Mapping[str, Any] = field(default_factory=dict)
    backbone_arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_rebuildable(self) -> bool:
        """Whether the network is built here from its name and weights, to train or to export."""
        return self.backbone != IMPORTED


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number with what is needed to believe it."""

    name: str
    """The metric in the field's words: macro-F1, AUROC, accuracy, sensitivity."""
    value: float | None
    low: float | None
    high: float | None
    """Ends of the 95 % interval; None where it is not defined."""
    part: str
    """Which pictures: `test`, `validation`, `5-fold cross-validation`, or another set's name."""
    n: int
    n_groups: int
    group_level: str
    """What was resampled and kept on one side of the split: patient, run or image."""
    kind: str = "result"
    """`result`, `control` (colour only, size only, background only), `robustness`, `scope`."""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse half an interval, which no table can show."""
        if (self.low is None) != (self.high is None):
            raise BundleError(f"bundle.json: figures: {self.name!r} has one end of an interval "
                              "alone; give low and high, or neither.")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ScopeSpec:
    """Where the scope statistics lie and from which score on a picture counts as unlike."""

    file: str
    limit: float
    block: str = ""
    """Block of the backbone whose input the features are of; empty: the feature map itself."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A bundle's identity, network, recipe, decision values, figures and provenance."""

    id: str
    title: str
    summary: str
    labels: tuple[Label, ...]
    """In the order of the network's outputs; with one output: (negative, positive)."""
    label_kind: str
    network: NetworkSpec
    recipe: Recipe
    temperature: float
    """Divides the logits; 1 leaves them."""
    threshold: float
    """Top probability under which the model refers; 0 never refers."""
    scope: ScopeSpec | None
    figures: tuple[Figure, ...]
    data: Mapping[str, str]
    """name, source, licence of the training pictures."""
    split: Mapping[str, Any]
    """level (patient, run, image), and per part the numbers of pictures and groups."""
    intended_use: str
    not_for: str
    licence: str
    parents: tuple[str, ...]
    training: Mapping[str, Any]
    """command, seed and what else is needed to make the bundle again."""
    versions: Mapping[str, str]
    files: Mapping[str, str]
    """sha256 of every file of the bundle but bundle.json and README.md."""
    positive_threshold: float | None = None
    """Two classes: probability of the second label from which it is the answer; None: 0.5."""
    seen: tuple[str, ...] = ()
    """First `SEEN_DIGITS` of the pixel digest of each picture that it learned from, or that one of
    its parents did; for leaving out."""

    def __post_init__(self) -> None:
        """Refuse any value that cannot be served."""
        where = f"bundle.json of {self.id!r}"
        if not BUNDLE_ID.fullmatch(self.id):
            raise BundleError(f"{where}: id must be lower-case letters, digits and -, at most 80.")
        if len(self.labels) < 2 or len({label.name for label in self.labels}) != len(self.labels):
            raise BundleError(f"{where}: labels must be at least two different names.")
        if self.label_kind not in LABEL_KINDS:
            raise BundleError(f"{where}: label_kind is {self.label_kind!r}; use one of "
                              f"{', '.join(LABEL_KINDS)}.")  # fmt: skip
        if not 0.01 <= self.temperature <= 100:
            raise BundleError(f"{where}: temperature is {self.temperature}; use 0.01 to 100.")
        if not 0 <= self.threshold <= 1:
            raise BundleError(f"{where}: threshold is {self.threshold}; use 0 to 1.")
        for name, digest in self.files.items():
            if "/" in name or "\\" in name or name.startswith("."):
                raise BundleError(f"{where}: file name {name!r} must be a plain name.")
            if not _SHA256.fullmatch(digest):
                raise BundleError(f"{where}: sha256 of {name} is not 64 hex digits.")

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes in the order of the outputs."""
        return tuple(label.name for label in self.labels)

    def to_dict(self) -> dict[str, Any]:
        """Plain values as written to bundle.json."""
        return {"format_version": FORMAT_VERSION} | asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Spec":
        """The spec that `to_dict` described.

        Raises:
            BundleError: a key is unknown or missing, or a value cannot be used.
        """
        _check_raw(values)
        values = dict(values)
        version = values.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise BundleError(f"bundle.json has format_version {version!r}; this version reads "
                              f"{FORMAT_VERSION}. Update the app.")  # fmt: skip
        _check_keys(cls, values, "bundle.json")
        try:
            values["recipe"] = Recipe.from_dict(values["recipe"])
        except RecipeError as error:
            raise BundleError(f"bundle.json: {error}") from error
        for name in ("labels", "figures", "parents", "seen"):
            if not isinstance(values.get(name, ()), list | tuple):
                raise BundleError(f"bundle.json: {name} is no list.")
        values["labels"] = tuple(_made(Label, item, "labels") for item in values["labels"])
        values["network"] = _made(NetworkSpec, values["network"], "network")
        values["figures"] = tuple(_made(Figure, item, "figures") for item in values["figures"])
        if values["scope"] is not None:
            values["scope"] = _made(ScopeSpec, values["scope"], "scope")
        for name in ("parents", "seen"):
            values[name] = tuple(values.get(name, ()))
        _check_kinds(cls, values, "bundle.json")
        _check_parts(values["split"])
        return cls(**values)


def _check_raw(values: Any) -> None:
    """Refuse, wherever it stands, what breaks those who copy, compare, show or write it later."""
    for key, value in values.items() if isinstance(values, Mapping) else ():
        _check_plain(key, "a key", 1)
        _check_plain(value, key, 1)


def _check_plain(value: Any, where: str, level: int) -> None:
    """Refuse a value with deep nesting, with text that is not Unicode, or with a wild number."""
    if isinstance(value, str):
        if _HALF_PAIR.search(value):
            raise _unusable(where, value, "which is no text that can be shown or written")
    elif isinstance(value, int | float):
        # Whole numbers of any length are compared as they are; `isfinite` cannot take them.
        if not abs(value) <= MAX_NUMBER:
            raise _unusable(where, value, f"and numbers go to {MAX_NUMBER:g} here")
    elif isinstance(value, Mapping | list | tuple):
        if level >= MAX_DEPTH:
            raise BundleError(f"bundle.json: {where} is nested more than {MAX_DEPTH} levels deep. "
                              "Get the model again from who made it.")  # fmt: skip
        inner = (*value, *value.values()) if isinstance(value, Mapping) else value
        for each in inner:
            _check_plain(each, where, level + 1)


def _unusable(where: str, value: object, why: str) -> BundleError:
    return BundleError(
        f"bundle.json: {where} holds {_short(value)}, {why}. Get the model again from who made it."
    )


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"


def _check_keys(kind: type, values: Any, where: str) -> None:
    if not isinstance(values, Mapping):
        raise BundleError(f"{where} is not an object.")
    known = {item.name for item in fields(kind)}
    required = {item.name for item in fields(kind) if _is_required(item)}
    if unknown := sorted(set(values) - known):
        raise BundleError(f"{where} has unknown keys: {', '.join(unknown)}.")
    if missing := sorted(required - set(values)):
        raise BundleError(f"{where} lacks {', '.join(missing)}.")


def _is_required(item: Any) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _made(kind: type, values: Any, where: str) -> Any:
    _check_keys(kind, values, f"bundle.json: {where}")
    _check_kinds(kind, values, f"bundle.json: {where}")
    return kind(**values)


def _check_kinds(kind: type, values: Mapping[str, Any], where: str) -> None:
    """Refuse a value of another kind than its field: the page would stumble over it."""
    for item in fields(kind):
        if item.name in values and not _is_of_kind(values[item.name], item.type):
            raise BundleError(f"{where}: {item.name} is {_short(values[item.name])}, which cannot "
                              "be used there.")  # fmt: skip


def _is_of_kind(value: Any, kind: Any) -> bool:
    if kind is str:
        return isinstance(value, str) and len(value) <= MAX_TEXT
    if kind is int:
        return type(value) is int and abs(value) <= MAX_NUMBER
    if kind in (float, float | None):
        is_number = type(value) in (int, float) and isfinite(value) and abs(value) <= MAX_NUMBER
        return is_number or (value is None and kind is not float)
    if kind == tuple[str, ...]:
        return all(_is_of_kind(each, str) for each in value)
    if kind in (Mapping[str, str], Mapping[str, Any]):
        texts = kind == Mapping[str, str]
        return isinstance(value, Mapping) and not (
            texts and not all(_is_of_kind(each, str) for each in value.values())
        )
    return True


def _check_parts(split: Mapping[str, Any]) -> None:
    """Refuse parts whose pictures and groups are not counted in whole numbers."""
    parts = split.get("parts", {})
    if not isinstance(parts, Mapping):
        raise BundleError("bundle.json: split.parts is no object.")
    for name, sizes in parts.items():
        is_counted = isinstance(sizes, Mapping) and all(
            _is_of_kind(sizes.get(key), int) for key in ("pictures", "groups")
        )
        if not is_counted:
            raise BundleError(
                f"bundle.json: split.parts.{name} counts no pictures and groups; use whole numbers."
            )
