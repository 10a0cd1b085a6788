"""From zip archives that strangers packed to a folder of pictures and tables."""

import errno
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from leukemia_app.archives.safe_names import (
    Claims,
    UnsafeNameError,
    counted,
    safe_name,
    safe_parts,
    shown,
)
from leukemia_app.archives.zip_reader import Member, MemberError, ZipReader, open_zip
from leukemia_app.data.ignored import TABLE_SUFFIX, reason_to_ignore, suffix_of
from leukemia_app.data.manifest import SUFFIXES
from leukemia_app.errors import DatasetError
from leukemia_app.settings import Settings

ENTRIES_PER_FILE = 4
"""Entries that an archive may list for each file that may be unpacked: macOS adds one to each."""
FREE_RATIO_BYTES = 10_000_000
"""A member may unpack to this much whatever its ratio, for an empty mask packs a thousandfold;
a whole archive to ten times as much."""
SPARE_BYTES = 100_000_000
"""Left free on the disk, for what else is written to it."""
_BAD_PATH = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOENT})
"""What a system answers to a path that it cannot hold, though it holds others."""

Progress = Callable[[int, int], None]
"""Gets the number of files looked at, and of all; what it raises ends the work."""


@dataclass(frozen=True, kw_only=True)
class ZipLimits:
    """What archives may unpack to."""

    max_files: int = 20_000
    """Pictures and tables in all archives together."""
    max_bytes: int = 4_000_000_000
    """Of all archives together, unpacked."""
    max_ratio: int = 200
    """Unpacked to packed bytes, of an archive and of each larger member."""
    max_file_bytes: int = 50_000_000
    """Of a single file; a picture above it would not be decoded."""

    def __post_init__(self) -> None:
        """Refuse limits that nothing passes."""
        if min(self.max_files, self.max_bytes, self.max_ratio, self.max_file_bytes) < 1:
            raise ValueError(f"{self} lets nothing through; use numbers above 0.")

    @classmethod
    def of(cls, settings: Settings) -> "ZipLimits":
        """The limits that the environment asks for."""
        return cls(
            max_files=settings.zip_files,
            max_bytes=settings.zip_mb * 1_000_000,
            max_ratio=settings.zip_ratio,
            max_file_bytes=settings.max_file_mb * 1_000_000,
        )


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """What came out of archives."""

    n_files: int
    """Pictures and tables that were written."""
    ignored: Mapping[str, int]
    """Files that are no part of a data set, counted by kind."""
    problems: tuple[str, ...]
    """A sentence for each picture or table that could not be unpacked."""


def unpack(
    archives: Sequence[Path],
    into: Path,
    limits: ZipLimits,
    progress: Progress = lambda done, total: None,
) -> Unpacked:
    """Write the pictures and tables of zip archives below `into`, a folder that is new or empty.

    One archive is unpacked straight into it, several each into a sub-folder of its name. A member
    that cannot be used costs only itself. Whatever is raised, `into` is gone after it.

    Raises:
        DatasetError: an archive is no zip or made to do harm, the limits or the disk do not allow
            what they hold, or they hold no picture.
    """
    if not archives:
        raise ValueError("archives is empty; give at least one.")
    if into.exists() and any(into.iterdir()):
        raise ValueError(f"{into} is not empty; give a new folder.")
    try:
        with ExitStack() as stack:
            opened = [_opened(path, limits, stack) for path in archives]
            _check_limits(opened, into, limits)
            return _unpack_all(opened, into, limits, progress)
    except OSError as error:
        shutil.rmtree(into, ignore_errors=True)
        names = ", ".join(path.name for path in archives)
        raise DatasetError(
            f"{names} cannot be unpacked ({error.strerror}). Make room on the disk, or look at who "
            f"may write to {into.parent}."
        ) from error
    except BaseException:  # a stop leaves no half data set behind either
        shutil.rmtree(into, ignore_errors=True)
        raise


@dataclass(frozen=True, kw_only=True)
class _Archive:
    """One archive, open, its directory read and found well."""

    name: str
    size_bytes: int
    reader: ZipReader
    wanted: tuple[Member, ...]
    """Its pictures and tables, by their names."""
    ignored: Mapping[str, int]


@dataclass(kw_only=True)
class _Tally:
    n_files: int = 0
    n_pictures: int = 0
    problems: list[str] = field(default_factory=list)


def _opened(path: Path, limits: ZipLimits, stack: ExitStack) -> _Archive:
    file = stack.enter_context(open_zip(path))
    reader = ZipReader(
        file, path.name, ENTRIES_PER_FILE * limits.max_files,
        "Pack fewer files into it, or raise LEUKEMIA_ZIP_FILES.",
    )  # fmt: skip
    ignored: Counter[str] = Counter()
    wanted = []
    for member in reader.members:
        if member.is_folder:
            continue
        reason = reason_to_ignore(member.name.replace("\\", "/").split("/"))
        if reason:
            ignored[reason] += 1
        else:
            wanted.append(member)
    return _Archive(name=path.name, size_bytes=path.stat().st_size, reader=reader,
                    wanted=tuple(wanted), ignored=ignored)  # fmt: skip


def _check_limits(archives: Sequence[_Archive], into: Path, limits: ZipLimits) -> None:
    """Refuse by what the headers state: the reader gives no member more bytes than they do."""
    for archive in archives:
        n_bytes = sum(member.size_bytes for member in archive.wanted)
        if n_bytes > max(10 * FREE_RATIO_BYTES, limits.max_ratio * archive.size_bytes):
            raise DatasetError(
                f"{archive.name} is not unpacked: it would grow to more than {limits.max_ratio} "
                "times its size, as archives made to fill a disk do. Pack the pictures again, or "
                "raise LEUKEMIA_ZIP_RATIO."
            )
    names = ", ".join(archive.name for archive in archives)
    n_files = sum(len(archive.wanted) for archive in archives)
    if n_files > limits.max_files:
        raise DatasetError(
            f"{names}: {counted(n_files, 'file')}, and the limit is {limits.max_files:,}. "
            "Take fewer, or raise LEUKEMIA_ZIP_FILES."
        )
    n_bytes = sum(member.size_bytes for archive in archives for member in archive.wanted)
    if n_bytes > limits.max_bytes:
        raise DatasetError(
            f"{names}: {_mb(n_bytes)} MB unpacked, and the limit is {_mb(limits.max_bytes)} MB. "
            "Take fewer or smaller pictures, or raise LEUKEMIA_ZIP_MB."
        )
    into.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(into).free - SPARE_BYTES
    if n_bytes > free:
        raise DatasetError(
            f"{names}: {_mb(n_bytes)} MB unpacked, and the disk has {_mb(max(0, free))} MB to "
            f"spare. Make room at {into.parent}."
        )


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f}"


def _unpack_all(
    archives: Sequence[_Archive], into: Path, limits: ZipLimits, progress: Progress
) -> Unpacked:
    tally = _Tally()
    total = sum(len(archive.wanted) for archive in archives)
    done = 0
    progress(done, total)
    for archive, folder in zip(archives, _folders(archives, into), strict=True):
        claims = Claims()
        for member in archive.wanted:
            try:
                _write(archive.reader, member, folder, claims, limits)
            except (MemberError, UnsafeNameError) as error:
                tally.problems.append(f"{archive.name}: {shown(member.name)} {error}.")
            else:
                tally.n_files += 1
                tally.n_pictures += suffix_of(member.name) != TABLE_SUFFIX
            done += 1
            progress(done, total)
    _check_pictures(tally, archives)
    ignored = sum((Counter(archive.ignored) for archive in archives), Counter[str]())
    return Unpacked(n_files=tally.n_files, ignored=dict(sorted(ignored.items())),
                    problems=tuple(tally.problems))  # fmt: skip


def _folders(archives: Sequence[_Archive], into: Path) -> list[Path]:
    if len(archives) == 1:
        return [into]
    claims = Claims()
    stems = (safe_name(Path(archive.name).stem) for archive in archives)
    return [into / claims.claim((stem,))[0] for stem in stems]


def _write(
    reader: ZipReader, member: Member, folder: Path, claims: Claims, limits: ZipLimits
) -> None:
    member.check()
    if member.size_bytes > limits.max_file_bytes:
        raise MemberError(
            f"has {_mb(member.size_bytes)} MB, and the limit is {_mb(limits.max_file_bytes)} MB"
        )
    if member.size_bytes > max(FREE_RATIO_BYTES, limits.max_ratio * member.packed_bytes):
        raise MemberError(
            f"would grow to more than {limits.max_ratio} times its packed size, as files made to "
            "fill a disk do"
        )
    path = folder.joinpath(*claims.claim(safe_parts(member.name)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except OSError as error:
        if error.errno in _BAD_PATH:
            raise MemberError(f"has a path that this system cannot hold ({error.strerror})"
                              ) from error  # fmt: skip
        raise
    try:
        with file:
            for piece in reader.content(member):
                file.write(piece)
    except MemberError:
        path.unlink()
        raise


def _check_pictures(tally: _Tally, archives: Sequence[_Archive]) -> None:
    if tally.n_pictures:
        return
    names = ", ".join(archive.name for archive in archives)
    if tally.problems:
        raise DatasetError(
            f"{names}: none of the pictures can be unpacked. The first: {tally.problems[0]}"
        )
    raise DatasetError(f"{names}: no pictures inside ({', '.join(SUFFIXES)}).")
