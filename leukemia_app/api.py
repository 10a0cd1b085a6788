"""Read pictures with a model from Python: one stream of results, whatever their number."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from leukemia_app.errors import AppError, BundleError, SettingError

if TYPE_CHECKING:
    from leukemia_app.bundles.library import Library
    from leukemia_app.bundles.predictor import Predictor
    from leukemia_app.bundles.reading import Reading
    from leukemia_app.evaluation.compare import Comparison
    from leukemia_app.evaluation.results import Unread
    from leukemia_app.imaging.decode import Limits
    from leukemia_app.imaging.picture import Picture
    from leukemia_app.settings import Settings
    from leukemia_app.training.labelled import LabelledFolder

    Decoded = tuple[str, Picture, float]
    """The file as it was given, its picture, and the milliseconds of decoding."""

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH_PICTURES = 32
"""Files of a batch, where the engine wants batches."""
GROUP_PICTURES = 8
"""Files that a thread decodes, then prepares, then reads elsewhere. One by one it was a twelfth
slower: each step found the processor's caches full of the step before."""
BATCHES_BYTES = 192_000_000
"""Decoded pixels of the batches of all threads: they end early where pictures are large."""
KEPT_BYTES = 16_000_000
"""More than all arrays of a common picture; glibc heeds up to 32 MiB."""


def open_library(settings: "Settings | None" = None) -> "Library":
    """The models of this machine, on the device that the settings name.

    Without `settings` the environment is read.

    Raises:
        SettingError: a setting cannot be used.
    """
    from leukemia_app.bundles.device import find_device
    from leukemia_app.bundles.library import Library
    from leukemia_app.settings import Settings

    settings = settings or Settings.from_environment(os.environ)
    return Library(
        settings.model_folders,
        device=find_device(settings.device),
        memory_mb=settings.model_memory_mb,
        threads=settings.threads,
    )


def picture_limits(settings: "Settings") -> "Limits":
    """What a picture file may cost, as the settings say."""
    from leukemia_app.imaging.decode import Limits

    return Limits(
        max_bytes=settings.max_file_mb * 1_000_000, max_pixels=settings.max_megapixels * 1_000_000
    )


def load(model: str | None = None, library: "Library | None" = None) -> "Predictor":
    """The model of that id, ready to read; without `model` the first for fields, else for cells.

    Raises:
        BundleError: there is no such model, or it cannot be used.
    """
    library = library or open_library()
    model = model or library.default("field") or library.default("cell")
    if model is None:
        raise BundleError(
            "No model can be used. Run `python -m leukemia_app models list` to see why, "
            "or name a folder of bundles in LEUKEMIA_MODELS."
        )
    return library.predictor(model)


def picture_files(paths: Iterable[str | Path]) -> list[Path]:
    """Every file given, in order; a folder stands for the pictures in and below it, by name.

    Hidden files are left out. A folder without pictures stays, to be reported as such.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        found += _pictures_below(path) or [path] if path.is_dir() else [path]
    return found


def classify(
    paths: Iterable[str | Path],
    model: "str | Predictor | None" = None,
    library: "Library | None" = None,
    limits: "Limits | None" = None,
    *,
    measure: bool = True,
) -> "Iterator[Reading | Unread]":
    """One result a file, in the order of `picture_files(paths)`, in constant memory.

    >>> for result in classify(["smear/"]):
    ...     print(result.to_dict())

    `model` is an id, a loaded model, or None as for `load`. `limits` say what a file may cost.
    Without `measure` cells are neither looked for nor measured, which is many times faster. A file
    that cannot be read gives its reason in place of a reading. Files are decoded and read side by
    side, in as many threads as the model may use.

    Raises:
        BundleError: there is no such model, or it cannot be used.
    """
    predictor = load(model, library) if model is None or isinstance(model, str) else model
    return _results(picture_files(paths), predictor, limits, measure)


def compare(
    models: Sequence[str],
    data: "str | Path | LabelledFolder",
    library: "Library | None" = None,
    *,
    label_map: str = "",
    disturbed: bool = False,
    engine: str = "local",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> "Comparison":
    """Two to six models on the same labelled pictures, with every figure's interval.

    >>> found = compare(["all4-mobilenet-attention", "my-model"], "smears/")
    >>> found.models["my-model"].figure("macro_f1")

    `data` is a folder of class folders, or what `training.labelled` makes of one with groups and
    parts. `label_map` states what labels that differ have in common (`evaluation.label_map`).
    `disturbed` asks for every corruption at five strengths, too. `engine` is `local`, or `ray` for
    the cluster that RAY_ADDRESS names, whose nodes must see the same folders. `progress` is told
    the pictures done, and all, each disturbed copy counted as one; what it raises ends the work.
    Ray tells nothing: it has its own.

    Raises:
        BundleError: a model is unknown or cannot be used.
        DatasetError: the data cannot be understood.
        SettingError: there are too few models or too many, or their labels do not meet.
    """
    from leukemia_app.evaluation.compare import (
        Candidate,
        check_candidates,
        compare,
        compared,
    )
    from leukemia_app.evaluation.corruptions import EVERY
    from leukemia_app.evaluation.label_map import label_map as read_map
    from leukemia_app.training.labelled import LabelledFolder, labelled_folder

    check_candidates(models)
    if engine not in ("local", "ray"):
        raise SettingError(f"engine is {engine!r}; use local or ray.")
    library = library or open_library()
    folder = data if isinstance(data, LabelledFolder) else labelled_folder(Path(data))
    predictors = {id: library.predictor(id) for id in models}
    labels = read_map(label_map, {id: each.spec.label_names for id, each in predictors.items()})
    pictures = folder.labelled(labels)
    entries = {entry.id: entry for entry in library.entries()}
    candidates = {
        id: Candidate(
            reader=each, size_bytes=entries[id].size_bytes, memory_mb=each.engine.memory_mb
        )
        for id, each in predictors.items()
    }
    corruptions = EVERY if disturbed else ()
    if engine == "ray":
        from leukemia_app.training.cluster import Question, ask_on_ray

        question = Question(
            models={id: entries[id].folder for id in models}, folder=folder.folder.absolute(),
            labels=labels, limits=folder.limits, device=library.device.name,
            corruptions=corruptions,
        )  # fmt: skip
        asked, problems = ask_on_ray(question, folder)
        pictures = replace(pictures, unreadable=problems)
        return compared(candidates, asked, pictures, labels, corruptions=corruptions)
    n_in_all = pictures.n * (1 + len(corruptions))
    return compare(
        candidates, pictures, labels, corruptions=corruptions,
        progress=lambda done: progress(done, n_in_all),
    )  # fmt: skip


def in_order(
    work: "Callable[[Item], Result]", items: "Iterable[Item]", threads: int
) -> "Iterator[Result]":
    """What `work` says of each item, in their order; only a few items are ahead of the reader."""
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Without waiting: what is left half read is closed by any thread, also one of the pool.
        pool.shutdown(wait=False, cancel_futures=True)


def _results(
    files: Sequence[Path], predictor: "Predictor", limits: "Limits | None", measure: bool
) -> "Iterator[Reading | Unread]":
    from leukemia_app.imaging.decode import DEFAULT_LIMITS

    _keep_freed_memory()
    # A predictor that wants batches uses all cores by itself: the second thread decodes meanwhile.
    threads = 2 if predictor.wants_batches else predictor.threads
    at_once = BATCH_PICTURES
    if not predictor.wants_batches:
        at_once = max(1, min(GROUP_PICTURES, len(files) // (4 * threads)))
    work = partial(
        _read_files, predictor=predictor, limits=limits or DEFAULT_LIMITS, measure=measure,
        most_bytes=BATCHES_BYTES // threads,
    )  # fmt: skip
    batches = (files[start : start + at_once] for start in range(0, len(files), at_once))
    for results in in_order(work, batches, threads):
        yield from results


def _keep_freed_memory() -> None:
    """Let glibc keep the memory of one picture for the next; elsewhere nothing happens.

    It keeps twice the largest block that it ever took and gave back singly, and gives the rest
    back to the system: asking for that anew was a twentieth of the time of a picture.
    """
    import numpy as np

    np.empty(KEPT_BYTES, np.uint8)


def _read_files(
    files: Sequence[Path],
    predictor: "Predictor",
    limits: "Limits",
    measure: bool,
    most_bytes: int,
) -> "list[Reading | Unread]":
    """One result a file; no more than `most_bytes` of pictures wait, and the last of them."""
    from leukemia_app.evaluation.results import Unread

    results: list[Reading | Unread] = []
    batch: list[Decoded | Unread] = []
    size_bytes = 0
    for path in files:
        try:
            decoded = _decode(path, limits)
        except AppError as error:
            batch.append(Unread(file=str(path), kind=error.kind, message=str(error)))
        else:
            batch.append(decoded)
            size_bytes += decoded[1].pixels.nbytes
        if size_bytes >= most_bytes:
            results += _read_batch(batch, predictor, measure)
            batch, size_bytes = [], 0
    return results + list(_read_batch(batch, predictor, measure))


def _decode(path: Path, limits: "Limits") -> "Decoded":
    from leukemia_app.errors import ImageError
    from leukemia_app.imaging.decode import read_picture

    if path.is_dir():
        raise ImageError(f"{path} is a folder without pictures. Choose JPEG, PNG, BMP, WebP, TIFF.")
    started = perf_counter()
    picture = read_picture(path, limits)
    return str(path), picture, 1000 * (perf_counter() - started)


def _read_batch(
    batch: "Sequence[Decoded | Unread]", predictor: "Predictor", measure: bool
) -> "Iterator[Reading | Unread]":
    decoded = [item for item in batch if isinstance(item, tuple)]
    answers = iter(_read_all(decoded, predictor, measure))
    for item in batch:
        yield next(answers) if isinstance(item, tuple) else item


def _read_all(
    decoded: "Sequence[Decoded]", predictor: "Predictor", measure: bool
) -> "list[Reading | Unread]":
    from leukemia_app.evaluation.results import Unread

    if not decoded:
        return []
    try:
        readings = predictor.read(
            [picture for _, picture, _ in decoded], measure=measure, beside_others=True
        )
    except AppError as error:
        if len(decoded) > 1:  # the others of the batch are not to suffer for one picture
            return [item for each in decoded for item in _read_all([each], predictor, measure)]
        return [Unread(file=decoded[0][0], kind=error.kind, message=str(error))]
    return [
        replace(reading, file=file, ms={"decode": decode_ms, **reading.ms})
        for reading, (file, _, decode_ms) in zip(readings, decoded, strict=True)
    ]


def _pictures_below(folder: Path) -> list[Path]:
    from leukemia_app.data.manifest import SUFFIXES

    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
