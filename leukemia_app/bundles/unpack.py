"""The way in: a bundle from a zip that a stranger packed, tried before anybody sees it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leukemia_app.archives.safe_names import UnsafeNameError, safe_parts, shown
from leukemia_app.archives.zip_reader import Member, MemberError, ZipReader, open_zip
from leukemia_app.bundles.gate import (
    ADDING,
    MAX_ENTRIES,
    REMOVING,
    TryOut,
    announced,
    known_as,
    move,
    on_its_way,
    said_of,
    sweep,
    tried,
)
from leukemia_app.bundles.library import RUN_BUNDLE, Entry
from leukemia_app.bundles.store import SPEC_FILE
from leukemia_app.bundles.trial import try_out
from leukemia_app.errors import BundleError

MAX_RATIO = 100
JUNK = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
"""What systems put into archives by themselves, in small letters."""


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
        BundleError: the file is not there, no bundle or made to do harm, its files are not those
            that were written, it does not pass its self-test, another bundle has its id, or the
            disk is full.
    """
    if not archive.exists():
        raise BundleError(f"{archive} is not there. Look at how its path is written.")
    sweep(home)
    with (
        said_of(archive.name, home),
        open_zip(archive) as file,
        on_its_way(home, ADDING) as draft,
    ):
        reader = ZipReader(file, archive.name, MAX_ENTRIES, "A model has six files: pack it alone.")
        bundle = announced(_Packed.read(archive, reader, max_bytes), name)
        if (known := known_as(bundle.spec, entries)) is not None:
            return Added(id=known.id, folder=known.folder, is_new=False)
        target = home / bundle.spec.id
        move(tried(bundle, draft, try_out), target)
        return Added(id=bundle.spec.id, folder=target, is_new=True)


def added_folder(entry: Entry, homes: Sequence[Path]) -> Path | None:
    """The folder in one of `homes` that holds an added bundle; None for one from elsewhere."""
    folder = entry.folder
    candidates = (folder, folder.parent) if folder.name == RUN_BUNDLE else (folder,)
    tops = {home.resolve() for home in homes}
    return next((each for each in candidates if each.parent.resolve() in tops), None)


def remove_bundle(entry: Entry, *homes: Path) -> None:
    """Delete a bundle that was added to one of `homes`, or pulled to it.

    Raises:
        BundleError: it is not one of those, or the system keeps its files.
    """
    folder = added_folder(entry, homes)
    if folder is None:
        raise BundleError(
            f"The model {entry.id} was not added here ({entry.origin}), so it is not deleted. "
            "`runs rm` deletes a model with the run that made it."
        )
    home = folder.parent
    sweep(home)
    try:
        with on_its_way(home, REMOVING) as gone:
            # In one step: nobody sees half a bundle.
            folder.rename(gone / folder.name)
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
    again: str = "Pack it again, and alone: `models pack {id}`."

    @classmethod
    def read(cls, archive: Path, reader: ZipReader, max_bytes: int) -> "_Packed":
        members = _members(archive.name, reader)
        _check_size(archive, members, max_bytes)
        return cls(name=archive.name, reader=reader, members=members)

    @property
    def sizes(self) -> Mapping[str, int]:
        return {name: member.size_bytes for name, member in self.members.items()}

    def content(self, name: str) -> Iterator[bytes]:
        member = self.members[name]
        try:
            yield from self.reader.content(member)
        except MemberError as error:
            raise BundleError(f"{self.name}: {shown(member.name)} {error}.") from error


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
