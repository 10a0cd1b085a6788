"""All bundles of this machine: found again at every look, loaded when asked for."""

import itertools
import logging
from collections import OrderedDict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from leukemia_app.bundles.device import Device
from leukemia_app.bundles.engines import LITERT_FILE, Engine, KerasEngine, LiteRtEngine
from leukemia_app.bundles.predictor import Predictor
from leukemia_app.bundles.scope import Scope
from leukemia_app.bundles.spec import Spec
from leukemia_app.bundles.store import SPEC_FILE, bundle_sha256, read_spec, self_test, verify
from leukemia_app.bundles.weights import WEIGHTS_FILE
from leukemia_app.errors import BundleError

log = logging.getLogger(__name__)

PREFERRED = ("all4-mobilenet-attention", "cnmc-mobilenet-attention")
"""Models that a visitor finds chosen for their kind of picture, where they are there."""
RUN_BUNDLE = "bundle"
"""Name of the bundle's folder within the folder of a training run."""

State = tuple[tuple[str, int, int], ...]
"""Name, size and time of change of every file of a bundle: changes when the bundle does."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One bundle as it is listed."""

    id: str
    origin: str
    """Where it comes from: `shipped`, `own`, …"""
    folder: Path
    spec: Spec | None
    """None where bundle.json cannot be read, or the bundle breaks what looks at it."""
    problem: str | None
    """Why the bundle cannot be used; None where it can."""

    @property
    def size_bytes(self) -> int:
        """Of all its files together; 0 where they are gone."""
        return sum(size for _, size, _ in _state(self.folder) or ())


@dataclass(frozen=True, kw_only=True)
class _Checked:
    state: State
    entry: Entry


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    checked: _Checked
    predictor: Predictor


class Library:
    """The bundles in some folders, and those of them that are in memory.

    Each folder is a bundle, or holds bundles, or runs with a bundle each. Folders are looked
    through anew at every call, so a new bundle appears at once; files are hashed again only when
    they changed. Safe for many threads.
    """

    def __init__(
        self,
        folders: Sequence[tuple[str, Path]],
        device: Device,
        memory_mb: float,
        threads: int,
    ) -> None:
        """Look in `folders`, (origin, folder) each; of two bundles with one id the first has it.

        `memory_mb` is what loaded models may take together; the one asked for last always stays.
        `threads` is how many threads one model may use.
        """
        self._folders = tuple(folders)
        self._device = device
        self._memory_mb = memory_mb
        self._threads = threads
        self._lock = Lock()
        self._looking = Lock()
        self._checked: dict[Path, _Checked] = {}
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._loading: dict[str, Lock] = {}

    @property
    def device(self) -> Device:
        """Where every model of this library computes."""
        return self._device

    def entries(self) -> list[Entry]:
        """Every bundle, in the order of the folders and by name within; also broken ones."""
        return [checked.entry for checked in self._check_all().values()]

    def default(self, input: str) -> str | None:
        """The bundle for pictures of a `field` or of one `cell`: a preferred one, else the first.

        None where no usable bundle reads such pictures.
        """
        suited = [
            entry.id for entry in self.entries()
            if entry.spec and not entry.problem and entry.spec.recipe.input == input
        ]  # fmt: skip
        return next((id for id in (*PREFERRED, *suited) if id in suited), None)

    def predictor(self, id: str) -> Predictor:
        """The model of that id, loaded if it is not; the longest unused ones make room.

        Raises:
            BundleError: no bundle has that id, or it cannot be used.
        """
        checked = self._usable(id)
        with self._lock:
            loading = self._loading.setdefault(id, Lock())
        with loading:
            with self._lock:
                loaded = self._loaded.get(id)
                if loaded is not None and loaded.checked == checked:
                    self._loaded.move_to_end(id)
                    return loaded.predictor
            predictor = self._load(checked)
            with self._lock:
                self._loaded[id] = _Loaded(checked=checked, predictor=predictor)
                self._loaded.move_to_end(id)
                self._make_room()
            return predictor

    def _check_all(self) -> dict[str, _Checked]:
        """What is known of every bundle, by id."""
        with self._looking:  # many visitors at once need each file hashed once only
            found = [self._check(origin, folder) for origin, folder in self._found()]
        all_checked: dict[str, _Checked] = {}
        for checked in found:
            if checked is None:
                continue
            if checked.entry.id in all_checked:
                first = all_checked[checked.entry.id].entry
                checked = replace(checked, entry=_doubled(checked.entry, first, all_checked))
            all_checked[checked.entry.id] = checked
        return all_checked

    def _found(self) -> Iterator[tuple[str, Path]]:
        for origin, folder in self._folders:
            if _looks_like_bundle(folder):
                yield origin, folder
            elif folder.is_dir():
                for child in sorted(folder.iterdir()):
                    inner = child / RUN_BUNDLE
                    if child.name.startswith("."):  # a bundle that is being written
                        continue
                    if _looks_like_bundle(child):
                        yield origin, child
                    elif _looks_like_bundle(inner):
                        yield origin, inner

    def _check(self, origin: str, folder: Path) -> _Checked | None:
        """The entry of a folder, checked again only if it changed; None if it just vanished."""
        state = _state(folder)
        if state is None:
            return None
        known = self._checked.get(folder)
        if known is None or known.state != state:
            known = _Checked(state=state, entry=_checked_entry(origin, folder))
            self._checked[folder] = known
        return known

    def _usable(self, id: str) -> _Checked:
        all_checked = self._check_all()
        if id not in all_checked:
            listed = ", ".join(all_checked) or "none, no bundle was found"
            raise BundleError(f"No model has the id {id!r}; there are: {listed}.")
        entry = all_checked[id].entry
        if entry.problem is not None:
            raise BundleError(f"The model {id} cannot be used: {entry.problem}")
        return all_checked[id]

    def _load(self, checked: _Checked) -> Predictor:
        """The bundle in memory, hashed and tested again just now: nothing else is served."""
        folder = checked.entry.folder
        try:
            spec = verify(folder)
            engine = self._engine(folder, spec)
            self_test(folder, engine)
            return Predictor(
                spec=spec,
                engine=engine,
                scope=Scope.load(folder / spec.scope.file) if spec.scope else None,
                bundle_sha256=bundle_sha256(folder),
                threads=self._threads,
            )
        except BundleError as error:
            unusable = replace(checked.entry, problem=str(error))
            self._checked[folder] = replace(checked, entry=unusable)
            raise

    def _engine(self, folder: Path, spec: Spec) -> Engine:
        # An imported network has a graph and no weights: it computes on the CPU everywhere.
        if self._device.engine == "litert" or not spec.network.is_rebuildable:
            return LiteRtEngine(folder / LITERT_FILE, self._threads)
        return KerasEngine(folder, spec, self._device.name)

    def _make_room(self) -> None:
        def memory_mb() -> float:
            return sum(each.predictor.engine.memory_mb for each in self._loaded.values())

        while len(self._loaded) > 1 and memory_mb() > self._memory_mb:
            self._loaded.popitem(last=False)


def _checked_entry(origin: str, folder: Path) -> Entry:
    spec, problem = None, None
    try:
        spec = read_spec(folder)
        verify(folder)
    except BundleError as error:
        problem = str(error)
    except Exception as error:  # one folder must not take the others, and the page, with it
        log.exception("the bundle in %s breaks what looks at it", folder)
        spec = None
        problem = (
            f"{_name(folder)} breaks what looks at it ({type(error).__name__}). Delete it; the log "
            "has more."
        )
    id = _name(folder) if spec is None else spec.id
    return Entry(id=id, origin=origin, folder=folder, spec=spec, problem=problem)


def _doubled(entry: Entry, first: Entry, taken: Container[str]) -> Entry:
    """The later one of two bundles with one id, under another id and not to be used."""
    name = f"{entry.origin}/{_name(entry.folder)}"
    names = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
    problem = entry.problem or (
        f"{_name(entry.folder)} has the id {entry.id} of another bundle ({first.origin}/"
        f"{_name(first.folder)}). Change the id in its bundle.json, or remove one of them."
    )
    return replace(entry, id=next(each for each in names if each not in taken), problem=problem)


def _name(folder: Path) -> str:
    """What a bundle's folder is called; a run's bundle goes by its run."""
    return folder.parent.name if folder.name == RUN_BUNDLE else folder.name


def _looks_like_bundle(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (SPEC_FILE, WEIGHTS_FILE, LITERT_FILE))


def _state(folder: Path) -> State | None:
    try:
        found = [(path.name, path.stat()) for path in folder.iterdir()]
    except FileNotFoundError:
        return None
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in found))
