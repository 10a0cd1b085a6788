"""A bundle on disk: read, check, test, write."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leukemia_app.bundles.card import card
from leukemia_app.bundles.engines import LITERT_FILE, Engine, LiteRtEngine
from leukemia_app.bundles.reference import REFERENCE_FILE, Reference, served_values
from leukemia_app.bundles.scope import Scope
from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.bundles.weights import WEIGHTS_FILE, round_weights, save_weights
from leukemia_app.errors import BundleError
from leukemia_app.imaging.picture import FloatArray, Picture, UInt8Array
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.imaging.render import draw

if TYPE_CHECKING:
    from leukemia_app.networks.build import Network

SPEC_FILE = "bundle.json"
CARD_FILE = "README.md"
NEEDED_FILES = (WEIGHTS_FILE, LITERT_FILE, REFERENCE_FILE)
"""Of a network that is rebuilt from its weights; an imported one has its graph alone."""
MAX_SPEC_BYTES = 20_000_000
"""A million training pictures' digests fit in."""

REFERENCE_DRAWINGS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "field": (("Benign", 1), ("Pre", 2)),
    "cell": (("lymphocyte", 1), ("neutrophil", 2)),
}
"""Label and seed of the drawn pictures that a bundle carries, by the recipe's input."""

TOLERANCE = 1e-3
"""Largest difference of logits and features, relative and absolute alike."""
TENSOR_TOLERANCE = 0.002
"""Largest mean difference of a prepared picture, as a part of its range: half a grey level.

Other builds of OpenCV round single pixels otherwise; a changed step moves far more.
"""


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """A passed self-test: the largest differences that were seen."""

    n_pictures: int
    tensor_difference: float
    """Mean difference of a prepared picture, as a part of its range."""
    answer_difference: float
    """Of any logit or feature, absolute."""


def read_spec(folder: Path) -> Spec:
    """What bundle.json in `folder` says; no other file is looked at.

    Raises:
        BundleError: the file is missing, no JSON, or holds what cannot be used.
    """
    path = folder / SPEC_FILE
    try:
        if path.stat().st_size > MAX_SPEC_BYTES:
            raise BundleError(
                f"{folder.name}/{SPEC_FILE} has {path.stat().st_size} bytes; "
                f"at most {MAX_SPEC_BYTES} are read."
            )
        return Spec.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise BundleError(
            f"{folder.name}/{SPEC_FILE} is missing, so this is no bundle. Get the bundle again."
        ) from error
    except BundleError as error:
        raise BundleError(f"{folder.name}: {error}") from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"{folder.name}/{SPEC_FILE} cannot be read ({error}). Get the bundle again."
        ) from error


def needed_files(spec: Spec) -> tuple[str, ...]:
    """Files that a bundle must have and name the sha256 of."""
    names = [name for name in NEEDED_FILES if spec.network.is_rebuildable or name != WEIGHTS_FILE]
    return (*names, *([spec.scope.file] if spec.scope else []))


def verify(folder: Path) -> Spec:
    """The spec of a bundle whose files are those that were written; no model is run.

    Raises:
        BundleError: a file is missing or changed, or a value that decides answers is not the one
            that the bundle was tested with; each is named.
    """
    spec = read_spec(folder)
    if unlisted := [name for name in needed_files(spec) if name not in spec.files]:
        raise BundleError(
            f"{folder.name}/{SPEC_FILE} names no sha256 of {', '.join(unlisted)}. "
            "Get the bundle again."
        )
    for name, expected in spec.files.items():
        _check_file(folder, name, expected)
    made_with = Reference.load(folder / REFERENCE_FILE).served
    _check_served(folder, served_values(spec), made_with)
    return spec


def self_test(folder: Path, engine: Engine) -> SelfTest:
    """Prepare and answer the reference pictures again, and compare with what was written.

    Raises:
        BundleError: pictures are prepared otherwise, or answered otherwise, than when the bundle
            was written.
    """
    recipe = read_spec(folder).recipe
    reference = Reference.load(folder / REFERENCE_FILE)
    tensors = _prepared(reference.pictures, recipe)
    tensor_difference = _difference_of_tensors(tensors, reference.tensors)
    if not tensor_difference <= TENSOR_TOLERANCE:
        raise BundleError(
            f"{folder.name}: this version prepares a reference picture otherwise than the one "
            f"that made the bundle (mean difference {tensor_difference:.2g} of the range, at most "
            f"{TENSOR_TOLERANCE:g}). Use the version that made it, or train it again."
        )
    answers = dict(zip(("logits", "features"), engine.run(reference.tensors), strict=True))
    expected = {"logits": reference.logits, "features": reference.features}
    for name, values in answers.items():
        _check_answers(folder, name, values, expected[name])
    return SelfTest(
        n_pictures=len(reference.pictures),
        tensor_difference=tensor_difference,
        answer_difference=max(
            float(np.abs(answers[name] - expected[name]).max()) for name in expected
        ),
    )


def bundle_sha256(folder: Path) -> str:
    """sha256 of bundle.json, 64 hex digits: it names the sha256 of every other file."""
    return sha256_of(folder / SPEC_FILE)


def write_bundle(
    folder: Path,
    spec: Spec,
    network: "Network",
    scope: Scope | None,
    pictures: Sequence[UInt8Array] | None = None,
) -> Spec:
    """Write a whole bundle, test it, and move it to `folder`; the spec with its files' sha256.

    The network's weights are rounded as by `round_weights`; those of an imported network stay as
    they are, and only its graph is written, in float32: a stranger's figures hold for no other.
    `pictures` are the reference pictures, (rows, columns, 3) uint8 RGB; None draws two. Needs
    TensorFlow.

    Raises:
        BundleError: the folder exists, spec, network and scope do not fit each other, LiteRT
            cannot express the network, or its file answers otherwise than Keras.
    """
    from leukemia_app.bundles.export import export_litert

    if folder.exists():
        raise BundleError(f"{folder.name} exists already. Remove it, or choose another id.")
    n_outputs = int(network.head.output.shape[-1])
    _check_fit(spec, n_outputs, scope)
    is_own = spec.network.is_rebuildable
    if is_own:
        round_weights(network)
    with _written_whole(folder) as part:
        if is_own:
            save_weights(network, part / WEIGHTS_FILE)
        side_px = spec.recipe.side_px
        export_litert(network, side_px, n_outputs, part / LITERT_FILE, halved=is_own)
        if scope is not None and spec.scope is not None:
            scope.save(part / spec.scope.file)
        _reference(spec, network, pictures).save(part / REFERENCE_FILE)
        spec = replace(spec, files={path.name: sha256_of(path) for path in sorted(part.iterdir())})
        (part / CARD_FILE).write_text(card(spec), encoding="utf-8")
        (part / SPEC_FILE).write_text(spec_text(spec), encoding="utf-8")
        verify(part)
        self_test(part, LiteRtEngine(part / LITERT_FILE, threads=1))
    return spec


def write_figures(folder: Path, figures: Sequence[Figure]) -> Spec:
    """Put measured figures into a bundle's spec and card; nothing that decides answers changes.

    Raises:
        BundleError: the bundle is damaged.
    """
    spec = replace(verify(folder), figures=tuple(figures))
    for name, text in ((CARD_FILE, card(spec)), (SPEC_FILE, spec_text(spec))):
        draft = folder / f"{name}.part"
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder / name)
    return spec


def spec_text(spec: Spec) -> str:
    """The spec as bundle.json holds it."""
    text = json.dumps(spec.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    return text + "\n"


@contextmanager
def _written_whole(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` that takes its name only when nothing went wrong."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _reference(spec: Spec, network: "Network", pictures: Sequence[UInt8Array] | None) -> Reference:
    from leukemia_app.bundles.export import serving_functions

    pictures = _drawn_pictures(spec.recipe.input) if pictures is None else tuple(pictures)
    tensors = _prepared(pictures, spec.recipe)
    n_outputs = int(network.head.output.shape[-1])
    answer = serving_functions(network, spec.recipe.side_px, n_outputs).run(tensors)
    return Reference(
        pictures=pictures,
        tensors=tensors,
        logits=answer["logits"].numpy(),
        features=answer["features"].numpy(),
        served=served_values(spec),
    )


def _drawn_pictures(input: str) -> tuple[UInt8Array, ...]:
    return tuple(draw(label, seed).pixels for label, seed in REFERENCE_DRAWINGS[input])


def _prepared(pictures: Sequence[UInt8Array], recipe: Recipe) -> FloatArray:
    named = [
        Picture(pixels=pixels, name=f"reference picture {number}")
        for number, pixels in enumerate(pictures, start=1)
    ]
    return np.stack([prepare(picture, recipe).tensor for picture in named])


def _difference_of_tensors(tensors: FloatArray, expected: FloatArray) -> float:
    """The largest mean difference of one picture, as a part of the range of all."""
    if tensors.shape != expected.shape:
        return float("inf")
    difference = np.abs(tensors - expected).mean(axis=(1, 2, 3)).max()
    return float(difference / max(np.ptp(expected), 1e-6))


def _check_answers(folder: Path, name: str, values: FloatArray, expected: FloatArray) -> None:
    fits = values.shape == expected.shape
    if not (fits and np.allclose(values, expected, rtol=TOLERANCE, atol=TOLERANCE)):
        by = f"by up to {np.abs(values - expected).max():.2g}" if fits else "in their number"
        raise BundleError(
            f"{folder.name}: the {name} for a reference picture differ {by} from those that the "
            f"bundle was written with (allowed {TOLERANCE:g}, relative and absolute). "
            "Get the bundle again, or export it again."
        )


def _check_fit(spec: Spec, n_outputs: int, scope: Scope | None) -> None:
    n_labels = len(spec.labels)
    if n_outputs != n_labels and (n_outputs, n_labels) != (1, 2):
        raise BundleError(
            f"{spec.id}: the network has {n_outputs} outputs for {n_labels} labels; "
            "use one a label, or a single one for two labels."
        )
    if (scope is None) != (spec.scope is None):
        raise BundleError(
            f"{spec.id}: give scope statistics and their limit in the spec, or neither."
        )


def _check_file(folder: Path, name: str, expected: str) -> None:
    try:
        actual = sha256_of(folder / name)
    except OSError as error:
        raise BundleError(
            f"{folder.name}/{name} is missing or cannot be read. Get the bundle again."
        ) from error
    if actual != expected:
        raise BundleError(
            f"{folder.name}/{name} does not match {SPEC_FILE} (sha256 {actual[:12]}…, "
            f"{SPEC_FILE} says {expected[:12]}…). Get the bundle again."
        )


def _check_served(folder: Path, now: Mapping[str, Any], made_with: Mapping[str, Any]) -> None:
    # A key that only a later version knows has its default, which changes nothing.
    for name, value in made_with.items():
        if name == "preprocessing_version" and now.get(name) != value:
            raise BundleError(
                f"{folder.name}: this version prepares pictures by rules {now[name]}, the bundle "
                f"was made with rules {value}. Use the version that made it, or train it again."
            )
        if now.get(name) != value:
            raise BundleError(
                f"{folder.name}/{SPEC_FILE}: {name} is {now.get(name)!r}, but the bundle was made "
                f"and tested with {value!r}. Get the bundle again."
            )


def sha256_of(path: Path) -> str:
    """sha256 of a file's content, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
