"""Uploaded pictures, archives and tables become the folder of a data set."""

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukemia_app.archives.safe_names import Claims, UnsafeNameError, safe_parts
from leukemia_app.data.manifest import SUFFIXES
from leukemia_app.errors import DatasetError
from leukemia_app.training.data_folder import ARCHIVES

TABLE, ARCHIVE = ".csv", ".zip"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One uploaded file: where it lies, and its path in the folder that was chosen."""

    name: str
    """With forward slashes; a bare name where a file was chosen alone."""
    path: Path


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was put into the data set's folder, and what was not."""

    n_pictures: int
    n_archives: int
    n_tables: int
    ignored: Mapping[str, int]
    """Files that are neither, counted by kind."""


def pieces_of(given: Any, uploads: Path) -> list[Piece]:
    """The files as the page's script reported them; nothing it says is taken on trust.

    Raises:
        DatasetError: one of them is not a file that was uploaded.
    """
    root = uploads.resolve()
    pieces = []
    for each in given if isinstance(given, list) else []:
        if not isinstance(each, list) or [type(item) for item in each] != [str, str]:
            raise DatasetError("The list of files did not arrive whole; give the folder again.")
        path = Path(each[1]).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise DatasetError(f"{Path(each[0]).name} did not reach the server; give it again.")
        pieces.append(Piece(name=each[0], path=path))
    return pieces


def refuse_unsent(
    pieces: Sequence[Piece], n_too_large: int, n_lost: int, file_mb: float, zip_mb: float
) -> None:
    """Say why nothing came, where files were chosen and the page's script sent none of them.

    Raises:
        DatasetError: no file came, and some were too large or got lost on the way.
    """
    if pieces or n_too_large + n_lost == 0:
        return
    if n_too_large == 0:
        raise DatasetError(
            f"None of the {n_lost:,} files reached the server. Look at the connection, then give "
            "them again."
        )
    rest = f" and {n_lost:,} did not reach the server" if n_lost else ""
    raise DatasetError(
        f"{n_too_large:,} {'file is' if n_too_large == 1 else 'files are'} larger than this server "
        f"takes{rest}: a picture may have {file_mb:g} MB (LEUKEMIA_MAX_FILE_MB), a zip "
        f"{zip_mb:,.0f} MB (LEUKEMIA_ZIP_MB). Save the pictures smaller or compressed, give them "
        "in several zips, or have the limit raised."
    )


def place(pieces: Sequence[Piece], home: Path, most_pictures: int | None) -> Taken:
    """Lay the pieces out below `home`: pictures and tables in `pictures/`, archives beside it.

    Links where it can, so that nothing is copied; the uploads may be deleted afterwards.

    Raises:
        DatasetError: there is nothing to learn from, or more than may be.
    """
    archives = [piece for piece in pieces if _suffix(piece) == ARCHIVE]
    files, ignored = _placed(pieces)
    pictures = [piece for piece in files.values() if _suffix(piece) in SUFFIXES]
    if not pictures and not archives:
        raise DatasetError(
            "None of these files is a picture or a zip archive. Give a folder that holds a folder "
            "of pictures for each class, or a zip of one."
        )
    if most_pictures is not None and len(pictures) > most_pictures:
        raise DatasetError(
            f"{len(pictures):,} pictures were given; this server takes {most_pictures:,}. Give "
            "fewer of each class, or train on a machine of your own."
        )
    for parts, piece in files.items():
        _keep(piece.path, home.joinpath("pictures", *parts))
    for number, piece in enumerate(archives):
        _keep(piece.path, home / ARCHIVES / f"{number}-{_stem(piece)}.zip")
    return Taken(n_pictures=len(pictures), n_archives=len(archives),
                 n_tables=len(files) - len(pictures), ignored=dict(ignored))  # fmt: skip


def _placed(pieces: Sequence[Piece]) -> tuple[dict[tuple[str, ...], Piece], Counter[str]]:
    """Pictures, then tables, by the safe path that each gets; and what is neither, counted."""
    claims, ignored = Claims(), Counter[str]()
    files = dict[tuple[str, ...], Piece]()
    # Pictures first: a table must not take the name of a picture's folder.
    for piece in sorted(pieces, key=lambda piece: _suffix(piece) == TABLE):
        if _suffix(piece) in (*SUFFIXES, TABLE):
            try:
                files[claims.claim(safe_parts(piece.name))] = piece
            except UnsafeNameError:
                ignored["names that lead out of the folder"] += 1
        elif _suffix(piece) != ARCHIVE:
            ignored["files that are no pictures"] += 1
    return files, ignored


def _suffix(piece: Piece) -> str:
    return Path(piece.name).suffix.lower()


def _stem(piece: Piece) -> str:
    """A name for an archive's folder, where only letters and digits stay."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in Path(piece.name).stem)
    return kept.strip("-")[:60] or "archive"


def _keep(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
