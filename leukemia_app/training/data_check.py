"""The health check of a data set: what it is, what is wrong with it, and how it will be split."""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from leukemia_app.data.archive import ZipLimits, unpack
from leukemia_app.data.corrections import (
    DROPPED,
    Change,
    Correction,
    changes_words,
    correct,
    resolve,
)
from leukemia_app.data.facts import PictureFacts, facts_of, looks
from leukemia_app.data.findings import clusters_of
from leukemia_app.data.grouping import group_rows
from leukemia_app.data.groups import named_groups
from leukemia_app.data.health import Health, Problem
from leukemia_app.data.layouts import Found, discover
from leukemia_app.data.manifest import Row, read_manifest, write_manifest
from leukemia_app.data.split import split_rows
from leukemia_app.data.survey import Survey, build_health
from leukemia_app.errors import DatasetError, RunError
from leukemia_app.imaging.decode import DEFAULT_LIMITS, Limits
from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.imaging.picture import Picture
from leukemia_app.training.controls import measure_controls
from leukemia_app.training.corrections import decisions, keep_changes
from leukemia_app.training.data_folder import (
    ARCHIVES,
    HEALTH,
    LEAK,
    LEAK_WISH,
    MANIFEST,
    SOURCE,
    THUMBS,
    DataFolder,
    DataSource,
)
from leukemia_app.training.events import Report, seldom
from leukemia_app.training.job_folder import JobFolder, Stopped
from leukemia_app.training.leak import LeakWish, measure_leak
from leukemia_app.training.reading import PictureReader

THUMBNAIL_PX = 160
JPEG_QUALITY = 85
ByHand = Callable[[Sequence[str]], Sequence[Correction]]
"""Gives what a person corrected, for the files that there are."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found out, and what is shown of it."""

    health: Health
    rows: tuple[Row, ...]
    """Readable pictures with group and part: the manifest."""
    thumbs: Mapping[str, bytes]
    """JPEG of each file of `health.shown`, without metadata."""
    changes: tuple[Change, ...] = ()
    """What a person had corrected, as far as it changed something."""


def check_dataset(
    folder: DataFolder,
    report: Report,
    should_stop: Callable[[], bool],
    *,
    zips: ZipLimits = ZipLimits(),  # noqa: B008 frozen
) -> None:
    """Check a data set that was taken in, and measure its leak if that is wished for.

    Writes manifest.csv, thumbs/ and, last, health.json, whose `thumbs` names the picture of each
    file. What is there already is not done again; `leak_wish.json` asks for leak.json.

    Raises:
        DatasetError: the folder cannot be understood, or not one picture can be read.
        RunError: the wish names what is not there, or a file cannot be written.
        Stopped: somebody asked for an end.
    """
    _unpack(folder, zips, seldom(report), should_stop)
    source = folder.source()
    if not (folder.path / HEALTH).exists():
        folder.set_state("preparing")
        by_hand = decisions(folder)
        checked = check_pictures(source, folder.path, report=report, should_stop=should_stop,
                                 by_hand=lambda files: by_hand)  # fmt: skip
        keep(checked, folder)
    wish = folder.read_json(LEAK_WISH)
    if wish is not None:
        folder.set_state("features")
        rows = checked_rows(folder)
        level = str((folder.read_json(HEALTH) or {}).get("group_level", "image"))
        reader = PictureReader(folder=folder.pictures, report=seldom(report),
                               should_stop=should_stop)  # fmt: skip
        found = measure_leak(reader, rows, LeakWish.from_dict(wish), group_level=level)
        folder.write_json(LEAK, found.to_dict())
    folder.set_state("done")


def _unpack(
    folder: DataFolder, limits: ZipLimits, report: Report, should_stop: Callable[[], bool]
) -> None:
    """Unpack the archives that were given, if there still are any, and delete them."""
    archives = sorted((folder.path / ARCHIVES).glob("*.zip"))
    if not archives:
        return

    def on_file(done: int, total: int) -> None:
        report("prepare", phase="archives", done=done, total=total)
        if should_stop():
            raise Stopped

    folder.set_state("preparing")
    into = folder.pictures
    if into.exists():
        # A folder was given, too.
        into = into / ARCHIVES
        shutil.rmtree(into, ignore_errors=True)
    found = unpack(archives, into, limits, on_file)
    for problem in found.problems:
        report("left out", reason=problem)
    source = folder.source()
    ignored = Counter(source.ignored) + Counter(found.ignored)
    folder.write_json(SOURCE, replace(source, ignored=dict(ignored)).to_dict())
    shutil.rmtree(folder.path / ARCHIVES)


def keep(checked: Checked, folder: JobFolder) -> None:
    """Write what was found out into a folder; health.json comes last.

    Raises:
        RunError: a file cannot be written.
        DatasetError: a file has a name that no table can hold.
    """
    try:
        (folder.path / THUMBS).mkdir(parents=True, exist_ok=True)
        write_manifest(folder.path / MANIFEST, checked.rows)
        keep_changes(folder, checked.changes)
        names = {}
        for number, (file, jpeg) in enumerate(checked.thumbs.items()):
            names[file] = f"{THUMBS}/{number}.jpg"
            (folder.path / names[file]).write_bytes(jpeg)
    except OSError as error:
        raise RunError(
            f"{error.filename} cannot be written ({error.strerror or error}). Make room, or give "
            "leave to write there, then check again."
        ) from error
    folder.write_json(HEALTH, checked.health.to_dict() | {"thumbs": names})


def checked_rows(folder: DataFolder) -> tuple[Row, ...]:
    """The rows of the manifest that the check wrote.

    Raises:
        DatasetError: it cannot be read.
    """
    return read_manifest(folder.pictures, folder.path / MANIFEST).rows


def check_pictures(
    source: DataSource,
    home: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    report: Report = lambda kind, **numbers: None,
    should_stop: Callable[[], bool] = lambda: False,
    by_hand: ByHand = lambda files: (),
) -> Checked:
    """Everything that can be said of a data set without a network; `home` is the folder it is in.

    Corrections `by_hand` change labels and leave pictures out once the split is made: nothing
    moves to another part for them. Unreadable pictures, and those deleted meanwhile, are problems
    with a name. Memory grows by a few kilobytes a picture.

    Raises:
        DatasetError: the folder cannot be understood, or not one picture can be read.
        Stopped: somebody asked for an end.
    """
    reader = PictureReader(folder=home / source.pictures, limits=limits, report=seldom(report),
                           should_stop=should_stop)  # fmt: skip
    table = home / source.table if source.table else None
    found = discover(reader.folder, table=table, choice=source.choice, aliases=source.aliases)
    found = replace(found, ignored=dict(Counter(found.ignored) + Counter(source.ignored)))
    if not found.entries:
        raise DatasetError(
            f"{source.name} holds several kinds of the same pictures; choose one: "
            f"{', '.join(found.choices)}."
        )
    files = [entry.file for entry in found.entries]
    facts, problems = reader.all(files, facts_of, "prepare", phase="pictures")
    if not facts:
        raise DatasetError(
            f"Not one of the {len(problems):,} pictures of {source.name} can be read. "
            f"{problems[0].reason}"
        )
    survey, changes = _by_hand(_survey(source, found, facts), by_hand)
    controls, gone = measure_controls(reader, survey.split.rows)
    health = build_health(source.name, survey, _once(*problems, *gone), controls)
    thumbs, missing = reader.all(health.shown, _thumb, "prepare", phase="thumbnails")
    if missing:
        lost = _once(*health.problems, *missing)
        health = build_health(source.name, survey, lost, controls)
    for problem in health.problems:
        report("left out", reason=problem.reason)
    unreadable = {problem.file for problem in health.problems}
    rows = tuple(row for row in survey.split.rows if row.file not in unreadable)
    return Checked(health=health, rows=rows, thumbs=dict(thumbs), changes=changes)


def _survey(source: DataSource, found: Found, facts: Sequence[PictureFacts]) -> Survey:
    """The readable pictures, grouped and dealt to the parts."""
    readable = {item.file for item in facts}
    entries = tuple(entry for entry in found.entries if entry.file in readable)
    if not source.keep_parts:
        entries = tuple(replace(entry, part="") for entry in entries)
    clusters = clusters_of(facts)
    files = [entry.file for entry in entries]
    by_name = named_groups(files, source.pattern) if source.pattern else None
    level = found.group_level and (source.group_level or found.group_level)
    grouping = group_rows(entries, group_level=level, clusters=clusters.tolist(),
                          named=by_name, looks=looks(facts))  # fmt: skip
    named = tuple(row.group for row in grouping.rows)
    if by_name is not None:
        named = by_name.groups
    elif found.group_level is not None:
        named = tuple(entry.group or entry.file for entry in entries)
    return Survey(
        found=found, entries=entries, facts=tuple(facts), clusters=clusters, named=named,
        grouping=grouping, split=split_rows(grouping.rows, source.seed),
    )  # fmt: skip


def _by_hand(survey: Survey, by_hand: ByHand) -> tuple[Survey, tuple[Change, ...]]:
    """The survey with a person's corrections in it, and what they changed."""
    found, grouping, split = survey.found, survey.grouping, survey.split
    files = [entry.file for entry in survey.entries]
    labels = {entry.label for entry in survey.entries}
    wishes = resolve(by_hand(files), files, labels, found.labels)
    done = correct(split.rows, wishes.by_file)
    rows = {row.file: row for row in correct(grouping.rows, wishes.by_file).rows}
    kept = [number for number, file in enumerate(files) if file in rows]
    if not kept:
        raise DatasetError("Every picture was dropped by hand; undo some, then check again.")
    n_dropped = len(files) - len(kept)
    ignored = dict(found.ignored) | ({DROPPED: n_dropped} if n_dropped else {})
    entries = tuple(
        replace(survey.entries[number], label=rows[files[number]].label) for number in kept
    )
    dropped = set(files) - rows.keys()
    told = (changes_words(done.changes), *wishes.notes)
    corrected = Survey(
        found=replace(found, ignored=ignored, entries=tuple(
            entry for entry in found.entries if entry.file not in dropped)),
        entries=entries, facts=tuple(survey.facts[number] for number in kept),
        clusters=survey.clusters[kept], named=tuple(survey.named[number] for number in kept),
        grouping=replace(grouping, rows=tuple(rows[files[number]] for number in kept)),
        split=replace(split, rows=done.rows, notes=(*filter(None, told), *split.notes)),
    )  # fmt: skip
    return corrected, done.changes


def _once(*problems: Problem) -> tuple[Problem, ...]:
    return tuple({problem.file: problem for problem in problems}.values())


def _thumb(file: str, picture: Picture) -> tuple[str, bytes]:
    """A small JPEG made anew from the pixels: nothing else of the file is in it."""
    small = np.ascontiguousarray(thumbnail(picture.pixels, THUMBNAIL_PX)[..., ::-1])
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return file, jpeg.tobytes()
