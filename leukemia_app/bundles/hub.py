"""Models of the Hugging Face Hub: fetched, hashed, tried like any stranger's, kept by commit."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from leukemia_app.archives.safe_names import shown
from leukemia_app.bundles.gate import (
    ADDING,
    Announced,
    TryOut,
    announced,
    check_room,
    known_as,
    move,
    on_its_way,
    said_of,
    sweep,
    tried,
)
from leukemia_app.bundles.hub_client import (
    PIECE,
    THE_HUB,
    Hub,
    Listing,
    cached_listing,
    copy_checked,
    download,
    listing,
)
from leukemia_app.bundles.hub_source import Source, read_source, write_source
from leukemia_app.bundles.hub_words import HubAwayError
from leukemia_app.bundles.library import RUN_BUNDLE, Entry
from leukemia_app.bundles.store import CARD_FILE, MAX_SPEC_BYTES, NEEDED_FILES, SPEC_FILE
from leukemia_app.bundles.trial import try_out
from leukemia_app.errors import BundleError
from leukemia_app.hub_names import HubModel

BUNDLE_FILES = (SPEC_FILE, CARD_FILE, *NEEDED_FILES, "scope.npz")
"""What a bundle's repository is asked for, and nothing else of it."""
UNPACKED_FILES = ("config.json", "metadata.json", "model.weights.h5")
"""A Keras checkpoint as `model.save("hf://…")` leaves it."""
CHECKPOINT_FILES = ("*.keras", "*.h5", *UNPACKED_FILES, "labels.txt", CARD_FILE)
"""What a checkpoint's repository is asked for."""
MAX_FILES = 16


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a pull is."""

    phase: str
    """`asking` the Hub, `fetching`, or `testing`."""
    n_bytes: int = 0
    total_bytes: int = 0
    listed: Listing | None = None


Told = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class FetchedRepo:
    """A repository's files in a folder, each hashed against what the Hub says of it."""

    folder: Path
    files: tuple[str, ...]
    repo: str
    commit: str
    kind: str
    """`bundle` or `checkpoint`."""
    is_cached: bool = False
    """Whether nobody was asked."""


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """A model of the Hub that is here now."""

    id: str
    folder: Path
    repo: str
    commit: str
    is_new: bool
    """False where that commit was here before."""
    was: str | None = None
    """The commit that it took the place of."""
    is_away: bool = False
    """Whether the Hub could not be asked, so that this is what was here."""


class CheckpointFoundError(BundleError):
    """The repository holds a Keras checkpoint: a network without recipe, labels and self-test."""

    def __init__(self, listed: Listing, files: Sequence[str]) -> None:
        """Name the checkpoint's files."""
        self.listed = listed
        self.files = tuple(files)
        super().__init__(
            f"{listed} holds no {SPEC_FILE}, so it is no model of this app. It holds a Keras "
            f"checkpoint: {', '.join(map(shown, files))}. Bring it in as a Keras "
            f"model: in the page, or by `models import {listed.model}`."
        )


def _silent(progress: Progress) -> None:
    """Tell nobody."""


def _anything(folder: Path) -> None:
    """Let every pulled model be replaced by a newer commit of it."""


@dataclass(frozen=True, kw_only=True)
class Pulls:
    """Where models of the Hub go, and within which bounds."""

    home: Path
    max_bytes: int
    hub: Hub = THE_HUB
    try_out: TryOut = try_out
    may_replace: Callable[[Path], None] = _anything
    """Raises a BundleError where the bundle in that folder is needed as it is."""

    def pull(
        self,
        model: HubModel,
        entries: Sequence[Entry],
        *,
        name: str | None = None,
        told: Told = _silent,
    ) -> Pulled:
        """Put the bundle of a repository into `home`, whole or not at all.

        `entries` are all bundles of this machine; `name` is the id that it shall have instead of
        its own. A newer commit takes the place of the one that is here.

        Raises:
            CheckpointFoundError: the repository holds a Keras checkpoint.
            HubAwayError: the Hub cannot be asked, and nothing of the repository is here.
            BundleError: anything else that speaks against it; nothing has changed then.
        """
        sweep(self.home)
        told(Progress(phase="asking"))
        kept = [each for each in _kept(entries) if each[1].repo == model.repo
                and name in (None, each[0].id)]  # fmt: skip
        listed = self._found(model, kept)
        if isinstance(listed, Pulled):
            return listed
        kind, names = chosen_files(listed)
        if kind != "bundle":
            raise CheckpointFoundError(listed, names)
        with said_of(str(listed), self.home), on_its_way(self.home, ADDING) as draft:
            fetched = fetch_listed(listed, draft / "fetched", self.max_bytes, self.hub, told=told)
            told(Progress(phase="testing", listed=listed))
            bundle = announced(FolderParcel(name=str(listed), folder=fetched.folder), name)
            return self._taken_in(bundle, listed, entries, draft)

    def _found(self, model: HubModel, kept: Sequence[tuple[Entry, Source]]) -> Listing | Pulled:
        """What is to be fetched, or what is here already or has to do while the Hub is away."""
        try:
            listed = find(model, self.hub)
        except HubAwayError:
            if not kept or model.is_pinned:
                raise
            return _here(*kept[0], is_away=True)
        is_away = listed.is_cached and not model.is_pinned
        for entry, source in kept:
            if is_away or source.commit == listed.commit:
                return _here(entry, source, is_away=is_away)
        return listed

    def _taken_in(
        self, bundle: Announced, listed: Listing, entries: Sequence[Entry], draft: Path
    ) -> Pulled:
        """The bundle, tried and put where it is listed, beside a note of where it is from."""
        id, repo = bundle.spec.id, listed.model.repo
        target = self.home / id
        old = read_source(target / RUN_BUNDLE)
        if old is not None and old.repo == repo:
            entries = [each for each in entries if each.folder != target / RUN_BUNDLE]
            self.may_replace(target / RUN_BUNDLE)
        else:
            old = None
        if (known := known_as(bundle.spec, entries)) is not None:
            return Pulled(id=id, folder=known.folder, repo=repo, commit=listed.commit, is_new=False)
        is_away = listed.is_cached and not listed.model.is_pinned
        whole = draft / "whole"
        whole.mkdir()
        tried(bundle, draft, self.try_out).rename(whole / RUN_BUNDLE)
        write_source(whole, Source(
            repo=repo, commit=listed.commit, revision=listed.model.revision,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
        ))  # fmt: skip
        if old is not None:
            # A kill between these two steps loses the old one too; it is still in the cache.
            target.rename(draft / "old")
        move(whole, target, RUN_BUNDLE)
        return Pulled(
            id=id, folder=target / RUN_BUNDLE, repo=repo, commit=listed.commit, is_new=True,
            was=old.commit if old else None, is_away=is_away,
        )  # fmt: skip


def find(model: HubModel, hub: Hub) -> Listing:
    """What the repository holds at the revision, resolved to a commit.

    A whole commit that lies in the client's cache needs no request; without a network the cache
    answers for a name too, if it knows it. For nobody in particular the Hub is asked always: the
    cache may hold what only its owner may see.

    Raises:
        HubAwayError: the Hub cannot be asked, and the cache does not know.
        BundleError: there is no such repository or revision, or it is not shown to who asks.
    """
    may_see = hub.token is not False
    if model.is_pinned and may_see and (cached := _whole_in_cache(model, hub)) is not None:
        return cached
    try:
        return listing(model, hub)
    except HubAwayError:
        if may_see and (cached := _whole_in_cache(model, hub)) is not None:
            return cached
        raise


def fetch(
    model: HubModel, folder: Path, *, max_bytes: int, hub: Hub = THE_HUB, told: Told = _silent,
    only: Sequence[str] | None = None,
) -> FetchedRepo:  # fmt: skip
    """Fetch the known files of a repository into the new folder `folder`, and hash each.

    `only` names the checkpoint's file where there are several.

    Raises:
        HubAwayError: the Hub cannot be asked, and the cache has it not.
        BundleError: no such repository, nothing that could be a model, too much, wrong bytes, or a
            full disk.
    """
    told(Progress(phase="asking"))
    return fetch_listed(find(model, hub), folder, max_bytes, hub, told=told, only=only)


def fetch_checkpoint(
    model: HubModel, file: str | None, folder: Path, *, max_bytes: int, hub: Hub = THE_HUB
) -> Path:
    """The same as a path that a checkpoint is opened at: the named file, or the whole folder."""
    got = fetch(model, folder, max_bytes=max_bytes, hub=hub, only=None if file is None else [file])
    return got.folder if file is None else got.folder / file


def fetch_listed(
    listed: Listing, folder: Path, max_bytes: int, hub: Hub, *, told: Told = _silent,
    only: Sequence[str] | None = None,
) -> FetchedRepo:  # fmt: skip
    """The same of what `find` found."""
    kind, names = chosen_files(listed, only)
    total = sum(listed.files[name].size_bytes for name in names)
    if total > max_bytes:
        raise BundleError(
            f"{listed} has {total / 1e6:,.0f} MB, and the limit is {max_bytes / 1e6:,.0f} MB. "
            "Raise LEUKEMIA_MODEL_MB if it is to be trusted."
        )
    folder.mkdir(parents=True)
    check_room(str(listed), 2 * total, folder)  # as fetched, and as taken in

    def come(n_bytes: int) -> None:
        told(Progress(phase="fetching", n_bytes=n_bytes, total_bytes=total, listed=listed))

    come(0)
    paths = download(listed, names, hub, come)
    for name in names:
        copy_checked(paths[name], folder / name, listed.files[name], str(listed))
    return FetchedRepo(
        folder=folder, files=tuple(names), repo=listed.model.repo, commit=listed.commit, kind=kind,
        is_cached=listed.is_cached,
    )  # fmt: skip


def chosen_files(listed: Listing, only: Sequence[str] | None = None) -> tuple[str, list[str]]:
    """Which kind of model a repository holds, and the files of it that are fetched.

    Raises:
        BundleError: it holds no model, or more files of models than can be told apart.
    """
    names = sorted(listed.files)
    if SPEC_FILE in names:
        return "bundle", [name for name in names if name in BUNDLE_FILES]
    unpacked = set(UNPACKED_FILES) <= set(names)
    whole = [name for name in names if fnmatchcase(name, "*.keras") or fnmatchcase(name, "*.h5")]
    if not whole:
        listing_of = ", ".join(map(shown, names[:5])) or "no file at all"
        raise BundleError(
            f"{listed} holds no model that is known here: neither {SPEC_FILE} nor a .keras or .h5 "
            f"file beside it. It holds {listing_of}."
        )
    if only is not None:
        whole = [name for name in whole if name in only]
    beside = {name for name in names if not unpacked and name in UNPACKED_FILES[:2]}
    beside |= set(names) & {"labels.txt", CARD_FILE, *(UNPACKED_FILES if unpacked else ())}
    files = sorted({*whole, *beside})
    if not whole or len(files) > MAX_FILES:
        raise BundleError(
            f"{listed} holds {len(whole)} files of models; say which one is meant: "
            f"{', '.join(map(shown, [n for n in names if n.endswith(('.keras', '.h5'))][:9]))}."
        )
    return "checkpoint", files


@dataclass(frozen=True, kw_only=True)
class FolderParcel:
    """A stranger's bundle as the files of one folder; their number and sizes are bounded."""

    name: str
    folder: Path
    again: str = "Tell who made it: `models push {id}` sends all that belongs to it."

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of every file."""
        return {path.name: path.stat().st_size for path in self.folder.iterdir()}

    def content(self, name: str) -> Iterator[bytes]:
        """One file, piece by piece."""
        with (self.folder / name).open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


def _whole_in_cache(model: HubModel, hub: Hub) -> Listing | None:
    """What the cache holds, if that is a bundle with all its files, or a checkpoint."""
    found = cached_listing(model, hub, (*BUNDLE_FILES, *CHECKPOINT_FILES))
    if found is None:
        return None
    names = set(found.files)
    if SPEC_FILE in names:
        return found if names >= _said_to_hold(found, hub) else None
    is_checkpoint = any(name.endswith((".keras", ".h5")) for name in names)
    return found if is_checkpoint else None


def _said_to_hold(found: Listing, hub: Hub) -> set[str]:
    """Files that the bundle.json in the cache names; one that says nothing needs all."""
    path = download(found, [SPEC_FILE], hub, lambda n_bytes: None)[SPEC_FILE]
    try:
        with path.open("rb") as file:
            return {str(name) for name in json.loads(file.read(MAX_SPEC_BYTES))["files"]}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {*BUNDLE_FILES}


def _kept(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Source]]:
    """The pulled ones of all bundles that can be used."""
    for entry in entries:
        if entry.problem is None and (source := read_source(entry.folder)) is not None:
            yield entry, source


def _here(entry: Entry, source: Source, *, is_away: bool) -> Pulled:
    return Pulled(id=entry.id, folder=entry.folder, repo=source.repo, commit=source.commit,
                  is_new=False, is_away=is_away)  # fmt: skip
