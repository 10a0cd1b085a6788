"""The way in: a bundle from a zip that a stranger packed, tried before anybody sees it."""

import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from leukemia_app.archives.safe_names import UnsafeNameError, safe_name, safe_parts, shown
from leukemia_app.archives.zip_reader import Member, MemberError, ZipReader, open_zip
from leukemia_app.bundles.library import Entry
from leukemia_app.bundles.spec import BUNDLE_ID, Spec
from leukemia_app.bundles.store import (
    CARD_FILE,
    MAX_SPEC_BYTES,
    NEEDED_FILES,
    SPEC_FILE,
    read_spec,
    spec_text,
)
from leukemia_app.bundles.trial import try_out
from leukemia_app.errors import BundleError, DatasetError

ADDING, REMOVING = ".adding-", ".removing-"
"""Begin the names of folders on their way in and out; a library looks into neither."""
LEFT_OVER_S = 3600
"""A folder on its way for longer was left by a process that was killed."""
MAX_ENTRIES = 64
MAX_RATIO = 100
MAX_CARD_BYTES = 1_000_000
MAX_ARRAYS_BYTES = 500_000_000
"""Of reference.npz and of the scope's file, unpacked: they are held in memory."""
SPARE_BYTES = 100_000_000
"""Left free on the disk, for what else is written to it."""
JUNK = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
"""What systems put into archives by themselves, in small letters."""

TryOut = Callable[[Path], None]
"""Looks at a bundle's folder with all that can break; raises a BundleError."""


@dataclass(frozen=True, kw_only=True)
class Added:
    """A bundle that is here now."""

    id: str
    folder: Path
    is_new: bool
    """False where the same bundle was here before."""


def add_bundle(
    archive: Path,
    home: Path,
    entries: Sequence[Entry],
    *,
    max_bytes: int,
    name: str | None = None,
    try_out: TryOut = try_out,
) -> Added:
    """Put the bundle in a zip file into the folder `home`, whole or not at all.

    `entries` are all bundles of this machine, `name` is the id that it shall have instead of its
    own, `max_bytes` bounds the file and what it unpacks to. Whatever is raised, nothing is left.

    Raises:
        BundleError: the file is no bundle or made to do harm, its files are not those that were
            written, it does not pass its self-test, another bundle has its id, or the disk is full.
    """
    _sweep(home)
    try:
        with open_zip(archive) as file, _on_its_way(home, ADDING) as draft:
            packed = _Packed.read(archive, ZipReader(
                file, archive.name, MAX_ENTRIES, "A model has six files: pack it alone.",
            ), max_bytes)  # fmt: skip
            spec = packed.spec if name is None else _renamed(packed.spec, name)
            _check_id(spec.id)
            if (known := _known(spec, entries)) is not None:
                return Added(id=spec.id, folder=known.folder, is_new=False)
            folder = draft / spec.id
            packed.write(folder, spec)
            _check_arrays(folder, spec)
            try_out(folder)
            target = home / spec.id
            _move(folder, target)
            return Added(id=spec.id, folder=target, is_new=True)
    except DatasetError as error:  # the reader of archives speaks of them alone
        raise BundleError(str(error)) from error
    except OSError as error:
        raise BundleError(
            f"{archive.name} cannot be added ({error.strerror or error}). Make room on the disk, "
            f"or look at who may write to {home}."
        ) from error


def remove_bundle(entry: Entry, home: Path) -> None:
    """Delete a bundle that was added to `home`.

    Raises:
        BundleError: it is not one of those, or the system keeps its files.
    """
    if entry.folder.parent.resolve() != home.resolve():
        raise BundleError(
            f"The model {entry.id} was not added here ({entry.origin}), so it is not deleted. "
            "`runs rm` deletes a model with the run that made it."
        )
    _sweep(home)
    try:
        with _on_its_way(home, REMOVING) as gone:
            # In one step: nobody sees half a bundle.
            entry.folder.rename(gone / entry.folder.name)
    except OSError as error:
        raise BundleError(
            f"The model {entry.id} cannot be deleted ({error.strerror or error}). Look at who may "
            f"write to {home}."
        ) from error


@dataclass(frozen=True, kw_only=True)
class _Packed:
    """A bundle that is still in its archive; its directory was read and found well."""

    name: str
    reader: ZipReader
    members: Mapping[str, Member]
    """By the name of the file."""
    spec: Spec
    spec_bytes: bytes

    @classmethod
    def read(cls, archive: Path, reader: ZipReader, max_bytes: int) -> "_Packed":
        members = _members(archive.name, reader)
        _check_size(archive, members, max_bytes)
        spec_bytes = _content(archive.name, reader, members[SPEC_FILE], MAX_SPEC_BYTES)
        spec = _spec(archive.name, spec_bytes)
        allowed = {SPEC_FILE, CARD_FILE, *spec.files}
        if extra := sorted(set(members) - allowed):
            raise BundleError(
                f"{archive.name} holds {shown(extra[0])}, which is no part of the model "
                f"{spec.id}. Pack the model alone: `models pack {spec.id}`."
            )
        if missing := sorted(set(spec.files) - set(members)):
            raise BundleError(
                f"{archive.name} lacks {shown(missing[0])} of the model {spec.id}. Pack it again: "
                f"`models pack {spec.id}`."
            )
        return cls(
            name=archive.name, reader=reader, members=members, spec=spec, spec_bytes=spec_bytes
        )

    def write(self, folder: Path, spec: Spec) -> None:
        """Write every file; the spec is `spec`, the others have the sha256 that it names."""
        n_bytes = sum(member.size_bytes for member in self.members.values())
        if n_bytes > (free := shutil.disk_usage(folder.parent).free - SPARE_BYTES):
            raise BundleError(
                f"{self.name} has {n_bytes / 1e6:,.0f} MB unpacked, and the disk has "
                f"{max(0, free) / 1e6:,.0f} MB to spare. Make room on it."
            )
        folder.mkdir()
        for name in sorted(spec.files):
            found = self._written(self.members[name], folder / name)
            if found != spec.files[name]:
                raise BundleError(
                    f"{self.name}: {name} is not the file that the model was made with (sha256 "
                    f"{found[:12]}…, {SPEC_FILE} says {spec.files[name][:12]}…). Get it again."
                )
        if CARD_FILE in self.members:
            card = _content(self.name, self.reader, self.members[CARD_FILE], MAX_CARD_BYTES)
            (folder / CARD_FILE).write_bytes(card)
        is_own = spec == self.spec
        (folder / SPEC_FILE).write_bytes(self.spec_bytes if is_own else spec_text(spec).encode())

    def _written(self, member: Member, path: Path) -> str:
        """Write one file; its sha256."""
        digest = hashlib.sha256()
        try:
            with path.open("xb") as file:
                for piece in self.reader.content(member):
                    digest.update(piece)
                    file.write(piece)
        except MemberError as error:
            raise BundleError(f"{self.name}: {shown(member.name)} {error}.") from error
        return digest.hexdigest()


def _members(archive: str, reader: ZipReader) -> dict[str, Member]:
    """The files of the one folder in the archive, by name."""
    found: dict[str, Member] = {}
    folders: set[str] = set()
    for member in reader.members:
        try:
            parts = safe_parts(member.name)
            if any(part.lower() in JUNK or part.startswith("._") for part in parts):
                continue
            if member.is_folder:
                folders.add(parts[0])
                continue
            member.check()
        except (UnsafeNameError, MemberError) as error:
            raise BundleError(f"{archive}: {shown(member.name)} {error}.") from error
        if len(parts) != 2 or "/".join(parts) != member.name or parts[1] in found:
            raise BundleError(
                f"{archive}: {shown(member.name)} is not where a model's file lies. A packed model "
                "is one folder with its files, each once."
            )
        folders.add(parts[0])
        found[parts[1]] = member
    if len(folders) > 1:
        raise BundleError(f"{archive} holds {len(folders)} folders; pack one model alone.")
    if SPEC_FILE not in found:
        raise BundleError(
            f"{archive} holds no {SPEC_FILE}, so it is no model of this app. Download one as a "
            "zip, or pack it with `models pack ID`."
        )
    return found


def _check_size(archive: Path, members: Mapping[str, Member], max_bytes: int) -> None:
    """Refuse by what the headers state: the reader gives no member more bytes than they do."""
    packed, unpacked = archive.stat().st_size, sum(each.size_bytes for each in members.values())
    if max(packed, unpacked) > max_bytes:
        raise BundleError(
            f"{archive.name} has {max(packed, unpacked) / 1e6:,.0f} MB, and the limit is "
            f"{max_bytes / 1e6:,.0f} MB. Raise LEUKEMIA_MODEL_MB if the model is to be trusted."
        )
    if unpacked > MAX_RATIO * packed:
        raise BundleError(
            f"{archive.name} is not unpacked: it would grow to more than {MAX_RATIO} times its "
            "size, as archives made to fill a disk do. Pack the model again."
        )


def _content(archive: str, reader: ZipReader, member: Member, most: int) -> bytes:
    if member.size_bytes > most:
        raise BundleError(f"{archive}: {shown(member.name)} has {member.size_bytes:,} bytes; at "
                          f"most {most:,} are read.")  # fmt: skip
    try:
        return b"".join(reader.content(member))
    except MemberError as error:
        raise BundleError(f"{archive}: {shown(member.name)} {error}.") from error


def _spec(archive: str, content: bytes) -> Spec:
    try:
        spec = Spec.from_dict(json.loads(content))
    except BundleError as error:
        raise BundleError(f"{archive}: {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"{archive}: {SPEC_FILE} cannot be read ({str(error)[:200]}). Get the model again."
        ) from error
    names = {*NEEDED_FILES, *([spec.scope.file] if spec.scope else [])}
    if set(spec.files) != names or (spec.scope and not spec.scope.file.endswith(".npz")):
        raise BundleError(
            f"{archive}: {SPEC_FILE} names the files {shown(', '.join(sorted(spec.files)))}; a "
            f"model has {', '.join(sorted(NEEDED_FILES))}, and the .npz of its scope."
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


def _known(spec: Spec, entries: Sequence[Entry]) -> Entry | None:
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


def _check_arrays(folder: Path, spec: Spec) -> None:
    """Refuse arrays that are small in the file and fill the memory."""
    for name in spec.files:
        if not name.endswith(".npz"):
            continue
        with open_zip(folder / name) as file:
            reader = ZipReader(file, f"{folder.name}/{name}", MAX_ENTRIES, "Get the model again.")
        if sum(member.size_bytes for member in reader.members) > MAX_ARRAYS_BYTES:
            raise BundleError(
                f"{folder.name}/{name} is not taken: it would unpack to more than "
                f"{MAX_ARRAYS_BYTES / 1e6:,.0f} MB."
            )


def _move(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError as error:
        if not target.exists():
            raise
        # Between our look and now somebody else has added one.
        if read_spec(target) != read_spec(folder):
            raise BundleError(
                f"Another model has the name {target.name} already. Give this one a new name."
            ) from error


@contextmanager
def _on_its_way(home: Path, prefix: str) -> Iterator[Path]:
    """A hidden folder below `home`, deleted at the end with what is left in it."""
    draft = home / f"{prefix}{secrets.token_hex(4)}"
    draft.mkdir(parents=True)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sweep(home: Path) -> None:
    """Delete what killed processes left on its way."""
    for prefix in (ADDING, REMOVING):
        for folder in home.glob(f"{prefix}*"):
            try:
                is_old = time.time() - folder.stat().st_mtime > LEFT_OVER_S
            except OSError:  # another process has just deleted it
                continue
            if is_old:
                shutil.rmtree(folder, ignore_errors=True)
