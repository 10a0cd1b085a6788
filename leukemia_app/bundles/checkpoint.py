"""A stranger's Keras checkpoint brought in: looked at, made a bundle of our own export, tried.

The checkpoint itself is opened in a child process alone (`checkpoint_child`), and never kept: what
stays is a graph that was written here, and a spec of checked words.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leukemia_app.archives.safe_names import safe_name, shown
from leukemia_app.bundles.card import card
from leukemia_app.bundles.checkpoint_child import BUNDLE
from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
from leukemia_app.bundles.checkpoint_spec import Answers, spec_of
from leukemia_app.bundles.engines import LITERT_FILE, LiteRtEngine
from leukemia_app.bundles.gate import ADDING, TryOut, known_as, move, on_its_way, said_of, sweep
from leukemia_app.bundles.library import Entry
from leukemia_app.bundles.predictor import Predictor
from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.sandbox import Bounds, run_child
from leukemia_app.bundles.spec import Spec
from leukemia_app.bundles.store import CARD_FILE, SPEC_FILE, bundle_sha256, read_spec
from leukemia_app.bundles.trial import try_out
from leukemia_app.errors import BundleError
from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.render import draw

CHILD = "leukemia_app.bundles.checkpoint_child"
LOOK_S, BUILD_S = 300, 900
"""Seconds on the clock, after which the child is ended; a quiet machine takes 1 and 10 to 40."""
LOOK_PROCESSOR_S, BUILD_PROCESSOR_S = 60, 600
"""Of all cores together: a busy machine stretches the clock, and not these."""
MEMORY_MB = 6_000
WRITTEN_MB = 2_000
EXAMPLES: dict[str, tuple[tuple[str, int], ...]] = {
    "field": (("Benign", 11), ("Pre", 12), ("Pro", 13)),
    "cell": (("lymphocyte", 11), ("neutrophil", 12), ("eosinophil", 13)),
}
"""Label and seed of the drawn pictures that a model is tried on, by what its pictures show."""
DRAFT = "draft"
NEEDED = ("h5py", "keras", "tensorflow")
"""Libraries that the child needs; a server of models does without."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An imported model that works and is not yet in any list."""

    folder: Path
    """Of the bundle, in a hidden folder below the own models."""
    spec: Spec
    has_map: bool
    """Whether it can show where its score reacts."""
    held: tuple[str, ...]
    """The bounds that held while the checkpoint was open, of `sandbox.ALL_BOUNDS`."""


def inspect(path: Path, *, max_bytes: int) -> CheckpointFacts:
    """What a checkpoint says of itself; a file, a folder with one, or an unpacked `.keras`.

    Raises:
        BundleError: it is no classifier of pictures by Keras, is not allowed, or is too large.
    """
    with tempfile.TemporaryDirectory(prefix="checkpoint-") as folder:
        told = _told(path, Path(folder), LOOK_S, max_bytes)
    return _facts(path, told)


def make_draft(
    path: Path,
    facts: CheckpointFacts,
    answers: Answers,
    home: Path,
    *,
    max_bytes: int,
    try_out: TryOut = try_out,
) -> Draft:
    """The checkpoint as a bundle in a hidden folder of `home`, past every stranger's gate.

    `accept` lists it, `discard` deletes it, and after an hour it is swept.

    Raises:
        BundleError: an answer does not fit, the network cannot be built or exported, or its bundle
            does not pass.
    """
    spec = spec_of(facts, answers)
    if safe_name(spec.id) != spec.id:
        raise BundleError(f"No folder may be called {shown(spec.id)}; choose another id.")
    sweep(home)
    with said_of(path.name, home), on_its_way(home, ADDING) as work:
        told = _told(path, work, BUILD_S, max_bytes, spec)
        folder = work / spec.id
        made = work / BUNDLE
        if not made.is_dir():
            raise BundleError(f"{path.name} is not taken: no model came out of it.")
        made.rename(folder)
        written = _checked(folder, spec)
        _check_size(folder, max_bytes)
        try_out(folder)
        kept = home / f"{work.name}-{DRAFT}"
        kept.mkdir()
        folder.rename(kept / spec.id)
    return Draft(
        folder=kept / spec.id, spec=written, has_map=told.get("has_map") is True,
        held=tuple(map(str, told.get("held", ()))),
    )  # fmt: skip


def try_on_examples(draft: Draft) -> list[Reading]:
    """What the model says of drawn pictures, before anybody decides to keep it.

    Raises:
        BundleError: it gives values that are no numbers.
    """
    predictor = Predictor(
        spec=draft.spec, engine=LiteRtEngine(draft.folder / LITERT_FILE, threads=1), scope=None,
        bundle_sha256=bundle_sha256(draft.folder), threads=1,
    )  # fmt: skip
    return predictor.read(example_pictures(draft.spec.recipe.input))


def example_pictures(input: str) -> list[Picture]:
    """The drawn pictures of a `field` or of one `cell` that a model is tried on."""
    return [
        Picture(pixels=draw(label, seed).pixels, name=f"drawn {label}")
        for label, seed in EXAMPLES[input]
    ]


def accept(draft: Draft, home: Path, entries: Sequence[Entry]) -> Path:
    """List the model: its folder in `home`. `entries` are all models of this machine.

    Raises:
        BundleError: another model has its id, or the draft is gone.
    """
    if not draft.folder.is_dir():
        raise BundleError(f"The draft of {draft.spec.id} is gone. Import the checkpoint again.")
    with said_of(draft.spec.id, home):
        known = known_as(draft.spec, entries)
        target = home / draft.spec.id if known is None else known.folder
        if known is None:
            move(draft.folder, target)
        discard(draft)
    return target


def discard(draft: Draft) -> None:
    """Delete a draft."""
    shutil.rmtree(draft.folder.parent, ignore_errors=True)


def import_checkpoint(
    path: Path, facts: CheckpointFacts, answers: Answers, home: Path, entries: Sequence[Entry],
    *, max_bytes: int,
) -> Path:  # fmt: skip
    """`make_draft` and `accept` in one: the folder of the new model.

    Raises:
        BundleError: as they do.
    """
    draft = make_draft(path, facts, answers, home, max_bytes=max_bytes)
    try:
        return accept(draft, home, entries)
    except BundleError:
        discard(draft)
        raise


def _told(
    path: Path, folder: Path, seconds: int, max_bytes: int, spec: Spec | None = None
) -> dict[str, Any]:
    """What the child answers.

    Raises:
        BundleError: it refuses the checkpoint, or breaks over it.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise BundleError(
            f"{path.name} cannot be opened here, as {', '.join(missing)} is not installed. Import "
            "it where requirements.txt is installed, then carry the model over: `models pack`."
        )
    if not path.exists():
        raise BundleError(f"{path} is not there. Look at how its path is written.")
    processor_s = LOOK_PROCESSOR_S if spec is None else BUILD_PROCESSOR_S
    bounds = Bounds(seconds=seconds, memory_mb=MEMORY_MB, written_mb=WRITTEN_MB,
                    processor_s=processor_s)  # fmt: skip
    order = {"path": str(path.resolve()), "max_bytes": max_bytes, "bounds": asdict(bounds),
             "spec": None if spec is None else spec.to_dict()}  # fmt: skip
    ended = run_child(CHILD, [str(folder)], seconds=seconds, given=json.dumps(order),
                      folder=folder)  # fmt: skip
    try:
        told = json.loads(ended.said)
    except ValueError as error:
        why = (
            f"it was not open within {seconds} s" if ended.code is None
            else f"it broke the process that opened it ({ended.how})"
        )  # fmt: skip
        raise BundleError(
            f"{path.name} is not taken: {why}. It is damaged, too large, or made to do harm."
        ) from error
    if not isinstance(told, dict):
        raise BundleError(f"{path.name} is not taken: it broke the process that opened it.")
    if "refused" in told:
        raise BundleError(str(told["refused"])[:2000])
    return told


def _facts(path: Path, told: dict[str, Any]) -> CheckpointFacts:
    """The facts of the child, taken as a stranger's: of the right kinds, or refused."""
    try:
        plain = {key: tuple(value) if isinstance(value, list) else value
                 for key, value in dict(told["facts"]).items()
                 if key not in ("n_classes", "side_px")}  # fmt: skip
        facts = CheckpointFacts(**plain | {"held": tuple(told["held"])})
        numbers = (facts.channels, facts.n_outputs, facts.n_layers, facts.n_parameters)
        sides = [each for each in (facts.rows, facts.columns) if each is not None]
        texts = (facts.kind, facts.scaling, facts.activation, facts.labels_from, *facts.labels,
                 *facts.held)  # fmt: skip
        if all(type(each) is int for each in (*numbers, *sides)) and all(
            isinstance(text, str) and len(text) < 200 for text in texts
        ):
            return replace(facts, file=path.name)
    except (KeyError, TypeError, ValueError):
        pass
    raise BundleError(f"{path.name} is not taken: it broke the process that opened it.")


def _check_size(folder: Path, max_bytes: int) -> None:
    """Refuse what is larger unpacked than a model may be: it is held in memory to be served."""
    n_bytes = sum(path.stat().st_size for path in folder.iterdir())
    if n_bytes > max_bytes:
        raise BundleError(
            f"{folder.name} is not taken: as a model it has {n_bytes / 1e6:,.0f} MB, and the limit "
            f"is {max_bytes / 1e6:,.0f} MB. Raise LEUKEMIA_MODEL_MB if it is to be trusted."
        )


def _checked(folder: Path, wanted: Spec) -> Spec:
    """The spec that the child wrote, which must be the one that it was given, and its card."""
    written = read_spec(folder)
    names = {path.name for path in folder.iterdir()}
    plain = all(path.is_file() and not path.is_symlink() for path in folder.iterdir())
    if replace(written, files={}) != wanted or not plain or names != {
        *written.files, SPEC_FILE, CARD_FILE,
    }:  # fmt: skip
        raise BundleError(
            f"{wanted.id} is not taken: what came out of the checkpoint is not what was asked for."
        )
    (folder / CARD_FILE).write_text(card(written), encoding="utf-8")
    return written
