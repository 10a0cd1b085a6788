"""The gate that every stranger's bundle passes, from a zip or from the Hub: whole or not at all."""

import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from leukemia_app.archives.safe_names import safe_name, shown
from leukemia_app.archives.zip_reader import ZipReader, has_plain_end, open_zip
from leukemia_app.bundles.library import Entry
from leukemia_app.bundles.spec import BUNDLE_ID, Spec
from leukemia_app.bundles.store import (
    CARD_FILE,
    MAX_SPEC_BYTES,
    SPEC_FILE,
    needed_files,
    read_spec,
    spec_text,
)
from leukemia_app.errors import BundleError, DatasetError

ADDING, REMOVING = ".adding-", ".removing-"
"""Begin the names of folders on their way in and out; a library looks into neither."""
LEFT_OVER_S = 3600
"""A folder on its way for longer was left by a process that was killed."""
MAX_ENTRIES = 64
MAX_CARD_BYTES = 1_000_000
MAX_ARRAYS_BYTES = 500_000_000
"""Of reference.npz and of the scope's file, unpacked: they are held in memory."""
SPARE_BYTES = 100_000_000
"""Left free on the disk, for what else is written to it."""

TryOut = Callable[[Path], None]
"""Looks at a bundle's folder with all that can break; raises a BundleError."""


class Parcel(Protocol):
    """A stranger's files, by name; whoever makes one has bounded their number and sizes."""

    @property
    def name(self) -> str:
        """What it is called in words."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of every file, of which `content` gives no more."""

    @property
    def again(self) -> str:
        """What to do where a file is missing or too much; {id} stands for the model's."""

    def content(self, name: str) -> Iterator[bytes]:
        """One file, piece by piece.

        Raises:
            BundleError: the file cannot be read.
        """


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A parcel whose spec was read and found well; its other files are still closed."""

    parcel: Parcel
    spec: Spec
    """As it shall be here, under another name perhaps."""
    spec_bytes: bytes


def announced(parcel: Parcel, name: str | None) -> Announced:
    """The bundle that a parcel says it holds; `name` is the id that it shall have instead.

    Raises:
        BundleError: the spec cannot be used, or names other files than those that are there.
    """
    spec_bytes = _bounded(parcel, SPEC_FILE, MAX_SPEC_BYTES)
    spec = _spec(parcel.name, spec_bytes)
    allowed = {SPEC_FILE, CARD_FILE, *spec.files}
    again = parcel.again.format(id=spec.id)
    if extra := sorted(set(parcel.sizes) - allowed):
        raise BundleError(
            f"{parcel.name} holds {shown(extra[0])}, which is no part of the model {spec.id}. "
            f"{again}"
        )
    if missing := sorted(set(spec.files) - set(parcel.sizes)):
        raise BundleError(
            f"{parcel.name} lacks {shown(missing[0])} of the model {spec.id}. {again}"
        )
    spec = spec if name is None else _renamed(spec, name)
    _check_id(spec.id)
    written = spec_bytes if name is None else spec_text(spec).encode()
    return Announced(parcel=parcel, spec=spec, spec_bytes=written)


def tried(bundle: Announced, draft: Path, try_out: TryOut) -> Path:
    """A folder in `draft` with the bundle's files: hashed, looked at and tried.

    Raises:
        BundleError: a file is not the one that the spec names, the bundle does not pass its
            trial, or the disk is full.
    """
    folder = draft / bundle.spec.id
    _write(bundle, folder)
    _check_arrays(folder, bundle.spec)
    try_out(folder)
    return folder


def known_as(spec: Spec, entries: Sequence[Entry]) -> Entry | None:
    """The same bundle, where it is here already.

    Raises:
        BundleError: another one has its id.
    """
    found = next((entry for entry in entries if entry.id == spec.id), None)
    if found is None:
        return None
    if found.problem is None and found.spec == spec:
        return found
    if found.problem is not None:
        raise BundleError(
            f"A model {spec.id} is here that cannot be used: {found.problem} Delete it, or add "
            "this one under another name."
        )
    raise BundleError(
        f"Another model has the name {spec.id} already. Give this one a new name, or delete that "
        "one first."
    )


@contextmanager
def on_its_way(home: Path, prefix: str) -> Iterator[Path]:
    """A hidden folder below `home`, deleted at the end with what is left in it."""
    draft = home / f"{prefix}{secrets.token_hex(4)}"
    draft.mkdir(parents=True)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def sweep(home: Path) -> None:
    """Delete what killed processes left on its way."""
    for prefix in (ADDING, REMOVING):
        for folder in home.glob(f"{prefix}*"):
            try:
                is_old = time.time() - folder.stat().st_mtime > LEFT_OVER_S
            except OSError:  # another process has just deleted it
                continue
            if is_old:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def said_of(name: str, home: Path) -> Iterator[None]:
    """What goes wrong with archives and the disk, told as a BundleError about `name`."""
    try:
        yield
    except DatasetError as error:  # the reader of archives speaks of them alone
        raise BundleError(str(error)) from error
    except OSError as error:
        raise BundleError(
            f"{name} cannot be added ({error.strerror or error}). Make room on the disk, "
            f"or look at who may write to {home}."
        ) from error


def check_room(name: str, n_bytes: int, place: Path) -> None:
    """Refuse what the disk that holds the folder `place` has no room for.

    Raises:
        BundleError: so it is.
    """
    if n_bytes > (free := shutil.disk_usage(place).free - SPARE_BYTES):
        raise BundleError(
            f"{name} takes {n_bytes / 1e6:,.0f} MB, and the disk has "
            f"{max(0, free) / 1e6:,.0f} MB to spare. Make room on it."
        )


def move(folder: Path, target: Path, spec_at: str = ".") -> None:
    """Give a folder its name in a library, in one step; `spec_at` is where its bundle lies in it.

    Raises:
        BundleError: another bundle took the name meanwhile.
    """
    try:
        folder.rename(target)
    except OSError as error:
        if not target.exists():
            raise
        # Between our look and now somebody else has added one.
        if read_spec(target / spec_at) != read_spec(folder / spec_at):
            raise BundleError(
                f"Another model has the name {target.name} already. Give this one a new name."
            ) from error


def _write(bundle: Announced, folder: Path) -> None:
    """Write every file; the spec is the bundle's, the others have the sha256 that it names."""
    parcel, spec = bundle.parcel, bundle.spec
    check_room(parcel.name, sum(parcel.sizes.values()), folder.parent)
    folder.mkdir()
    for name in sorted(spec.files):
        found = _written(parcel.content(name), folder / name)
        if found != spec.files[name]:
            raise BundleError(
                f"{parcel.name}: {name} is not the file that the model was made with (sha256 "
                f"{found[:12]}…, {SPEC_FILE} says {spec.files[name][:12]}…). Get it again."
            )
    if CARD_FILE in parcel.sizes:
        (folder / CARD_FILE).write_bytes(_bounded(parcel, CARD_FILE, MAX_CARD_BYTES))
    (folder / SPEC_FILE).write_bytes(bundle.spec_bytes)


def _written(pieces: Iterator[bytes], path: Path) -> str:
    """Write one file; its sha256."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _bounded(parcel: Parcel, name: str, most: int) -> bytes:
    size = parcel.sizes[name]
    if size > most:
        raise BundleError(
            f"{parcel.name}: {shown(name)} has {size:,} bytes; at most {most:,} are read."
        )
    return b"".join(parcel.content(name))


def _spec(parcel: str, content: bytes) -> Spec:
    try:
        spec = Spec.from_dict(json.loads(content))
    except BundleError as error:
        raise BundleError(f"{parcel}: {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"{parcel}: {SPEC_FILE} cannot be read ({str(error)[:200]}). Get the model again."
        ) from error
    names = set(needed_files(spec))
    if set(spec.files) != names or (spec.scope and not spec.scope.file.endswith(".npz")):
        raise BundleError(
            f"{parcel}: {SPEC_FILE} names the files {shown(', '.join(sorted(spec.files)))}; a "
            f"model has {', '.join(sorted(names))}."
        )
    return spec


def _renamed(spec: Spec, name: str) -> Spec:
    if not BUNDLE_ID.fullmatch(name):
        raise BundleError(
            f"The name {shown(name)!r} cannot be taken; use lower-case letters, digits, dots and "
            "dashes, a letter or digit first, 80 at most."
        )
    return replace(spec, id=name)


def _check_id(id: str) -> None:
    """An id names a folder, also on a system that keeps some names for itself."""
    if safe_name(id) != id:
        raise BundleError(f"The model is called {id}, which no folder may be called. Give it "
                          "another name.")  # fmt: skip


def _check_arrays(folder: Path, spec: Spec) -> None:
    """Refuse arrays that are small in the file and fill the memory."""
    for name in spec.files:
        if not name.endswith(".npz"):
            continue
        with open_zip(folder / name) as file:
            reader = ZipReader(file, f"{folder.name}/{name}", MAX_ENTRIES, "Get the model again.")
            is_plain = has_plain_end(file)  # else NumPy may read more than our reader was shown
        if not is_plain:
            raise BundleError(
                f"{folder.name}/{name} is not taken: it does not end as arrays of NumPy do, so "
                "programs could find different ones in it. Get the model again from who made it."
            )
        if sum(member.size_bytes for member in reader.members) > MAX_ARRAYS_BYTES:
            raise BundleError(
                f"{folder.name}/{name} is not taken: it would unpack to more than "
                f"{MAX_ARRAYS_BYTES / 1e6:,.0f} MB."
            )
