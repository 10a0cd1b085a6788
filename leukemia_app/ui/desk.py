"""What the Classify tab does with the engine: read, open, explain; no Gradio and no layout."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leukemia_app.bundles.library import Library
from leukemia_app.bundles.predictor import Examination, Predictor
from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import Spec
from leukemia_app.errors import AppError, ImageError
from leukemia_app.evaluation.results import Unread
from leukemia_app.imaging.decode import Limits, decode
from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.imaging.picture import Picture
from leukemia_app.ui import text
from leukemia_app.ui.components import picture_uri
from leukemia_app.ui.session import Case, Given, Session

MAX_PICTURES = 200
"""Pictures that the page reads at a time; more belong to the command line."""
CHUNK = 8
"""Pictures read between two words of progress."""
THUMBNAIL_PX = 80
FIELD_CELLS = 4
"""From so many cells on, a picture given to a single-cell model looks like a field."""
LONE_CELL_SHARE = 0.05
"""A cell that fills so much of the picture was cut out of a field, where a cell fills 1 to 3 %."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the reading of several pictures is."""

    done: int
    n: int
    seconds_left: float | None


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A picture, and the milliseconds of decoding it."""

    picture: Picture
    ms: float


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The open picture, examined: everything the two panes show."""

    picture: Picture
    examination: Examination


@dataclass(frozen=True, kw_only=True)
class Done:
    """All pictures are read: the session that came of it, and its open picture."""

    session: Session
    opened: Opened | None
    """None where the open file could not be read."""


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A picture of another kind than its model was made for."""

    expects: str
    """What the model expects: `field` or `cell`."""
    suited: str | None
    """A model for the other kind, where there is one."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Reads visitors' pictures with the library's models; shared by all, keeps nothing."""

    library: Library
    limits: Limits
    keep_minutes: int
    clock: Callable[[], float] = time.monotonic

    def start(self) -> Session:
        """A new visitor's session, with the model for fields, else the one for cells."""
        return with_model(self.library, None)

    def spec(self, model: str) -> Spec:
        """What the model says of itself."""
        return self.library.predictor(model).spec

    def read(
        self, session: Session, given: Sequence[Given], *, add: bool = False
    ) -> Iterator[Progress | Done]:
        """Read pictures with the session's model; progress, then the session that comes of it.

        A picture that cannot be read becomes a case with its failure; the others are answered.
        """
        predictor = self._predictor(session)
        kept = session.cases if add else ()
        if len(given) == 1:
            yield Progress(done=0, n=1, seconds_left=None)
            case, opened = self._read_one(predictor, given[0])
            fresh = session.with_cases([*kept, case]).opening(len(kept))
            yield Done(session=fresh, opened=opened)
            return
        cases: list[Case] = []
        started = self.clock()
        for first in range(0, len(given), CHUNK):
            left = (self.clock() - started) / first * (len(given) - first) if first else None
            yield Progress(done=first, n=len(given), seconds_left=left)
            cases.extend(self._read_chunk(predictor, given[first : first + CHUNK]))
        at = next((i for i, case in enumerate(cases) if case.reading is not None), 0)
        fresh = session.with_cases([*kept, *cases]).opening(len(kept) + at)
        yield Done(session=fresh, opened=self.examine(fresh))

    def examine(self, session: Session) -> Opened | None:
        """The open picture examined, with the map of the class asked for; None for a failure.

        Raises:
            ImageError: the picture was deleted meanwhile.
            BundleError: the model cannot be used any more.
        """
        case = session.open_case
        if case is None or case.reading is None:
            return None
        predictor = self._predictor(session)
        label = session.label if session.label in predictor.spec.label_names else None
        return _examined(predictor, self._decoded(case.given), label)

    def mismatch(self, session: Session, opened: Opened) -> Mismatch | None:
        """Where the open picture seems to be of another kind than the model expects."""
        expects = self.spec(session.model or "").recipe.input
        case = session.open_case
        given = case.given.input if case is not None else None
        looks = given or looks_like(opened, expects)
        if looks == expects:
            return None
        return Mismatch(expects=expects, suited=self.library.default(looks))

    def for_example(self, session: Session, kind: str | None, label: str | None) -> Session:
        """The session with a model for this kind of example, at best one that knows its label.

        A change of the model is noted, to be said to the visitor.
        """
        usable = [entry for entry in self.library.entries() if entry.problem is None]
        suited = [
            entry for entry in usable if entry.spec and kind in (None, entry.spec.recipe.input)
        ]
        knowing = [entry for entry in suited if entry.spec and label in entry.spec.label_names]
        ids = [entry.id for entry in knowing or suited]
        if not ids or session.model in ids:
            return replace(session, note="")
        reads_it = any(entry.id == session.model for entry in suited)
        note = (
            text.without_label(session.model or "", label or "", ids[0]) if reads_it
            else text.switched(kind, ids[0])
        )  # fmt: skip
        return replace(session, model=ids[0], note=note)

    def _predictor(self, session: Session) -> Predictor:
        if session.model is None:
            raise ImageError(f"{text.NO_MODELS}. {text.NO_MODELS_ADVICE}")
        return self.library.predictor(session.model)

    def _read_one(self, predictor: Predictor, given: Given) -> tuple[Case, Opened | None]:
        """A picture alone: examined at once, as its reading comes with all that is shown."""
        try:
            decoded = self._decoded(given)
            opened = _examined(predictor, decoded, None)
        except ImageError as error:
            return Case(given=given, result=_unread(given.name, error)), None
        reading = opened.examination.reading
        return Case(given=given, result=reading, thumbnail=_small(decoded)), opened

    def _read_chunk(self, predictor: Predictor, chunk: Sequence[Given]) -> list[Case]:
        decoded = [self._decoded_or_why(given) for given in chunk]
        good = [each for each in decoded if isinstance(each, Decoded)]
        results = iter(_results(predictor, good))
        cases = []
        for given, each in zip(chunk, decoded, strict=True):
            if isinstance(each, Decoded):
                cases.append(Case(given=given, result=next(results), thumbnail=_small(each)))
            else:
                cases.append(Case(given=given, result=each))
        return cases

    def _decoded_or_why(self, given: Given) -> Decoded | Unread:
        try:
            return self._decoded(given)
        except ImageError as error:
            return _unread(given.name, error)

    def _decoded(self, given: Given) -> Decoded:
        if given.path is None:
            raise ImageError(f"{given.name}: {given.problem or text.not_sent()}")
        started = self.clock()
        try:
            data = _bytes(given.path, self.limits)
        except FileNotFoundError as error:
            raise ImageError(
                text.EXPIRED.format(name=given.name, minutes=self.keep_minutes)
            ) from error
        picture = decode(data, given.name, self.limits)
        return Decoded(picture=picture, ms=1000 * (self.clock() - started))


def _examined(predictor: Predictor, decoded: Decoded, label: str | None) -> Opened:
    examination = predictor.examine(decoded.picture, label)
    reading = _with_decoding(examination.reading, decoded)
    return Opened(picture=decoded.picture, examination=replace(examination, reading=reading))


def _results(predictor: Predictor, decoded: Sequence[Decoded]) -> list[Reading | Unread]:
    """A result for each; where one picture cannot be prepared, the others are still read."""
    if not decoded:
        return []
    try:
        readings = predictor.read([each.picture for each in decoded])
    except ImageError as error:
        if len(decoded) == 1:
            return [_unread(decoded[0].picture.name, error)]
        return [_results(predictor, [each])[0] for each in decoded]
    return [_with_decoding(reading, each) for reading, each in zip(readings, decoded, strict=True)]


def _with_decoding(reading: Reading, decoded: Decoded) -> Reading:
    return replace(reading, ms={"decode": decoded.ms, **reading.ms})


def _small(decoded: Decoded) -> str:
    return picture_uri(thumbnail(decoded.picture.pixels, THUMBNAIL_PX))


def _unread(name: str, error: AppError) -> Unread:
    return Unread(file=name, kind=error.kind, message=str(error))


def looks_like(opened: Opened, expects: str) -> str:
    """`field` or `cell`, as far as the cells found tell; what is expected when in doubt."""
    found = opened.examination.segmentation
    if not found.count:
        return expects
    share = float((found.cells == found.main).mean())
    if expects == "cell":
        return "field" if found.count >= FIELD_CELLS and share < LONE_CELL_SHARE else "cell"
    return "cell" if found.count == 1 and share >= LONE_CELL_SHARE else "field"


def _bytes(path: Path, limits: Limits) -> bytes:
    """The file, or one byte more than is allowed, which decoding refuses by name."""
    with path.open("rb") as file:
        return file.read(limits.max_bytes + 1)


def with_model(library: Library, session: Session | None) -> Session:
    """The session with a model that is here, its own or the first: its own may be deleted."""
    session = session or Session()
    if session.model in {entry.id for entry in library.entries() if entry.problem is None}:
        return session
    return replace(session, model=library.default("field") or library.default("cell"), label=None)
