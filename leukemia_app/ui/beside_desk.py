"""What the Compare tab does with the engine: read, vote, score; no Gradio and no layout."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from leukemia_app import api
from leukemia_app.bundles.library import Entry, Library
from leukemia_app.bundles.predictor import Examination
from leukemia_app.bundles.spec import Spec
from leukemia_app.data.archive import ZipLimits
from leukemia_app.errors import AppError, ImageError, SettingError
from leukemia_app.evaluation.compare import LEAST, MOST, Comparison
from leukemia_app.evaluation.compare_report import shown_files
from leukemia_app.evaluation.corruptions import EVERY
from leukemia_app.evaluation.label_map import LabelMap, label_map, suggested
from leukemia_app.evaluation.side_by_side import SideBySide
from leukemia_app.imaging.decode import Limits, decode
from leukemia_app.imaging.overlay import thumbnail
from leukemia_app.imaging.picture import Picture
from leukemia_app.training.labelled import LabelledFolder, labelled_folder, opened
from leukemia_app.training.report import small_pictures
from leukemia_app.ui import beside_text as text
from leukemia_app.ui import text as page_text
from leukemia_app.ui.beside_work import Progress, Tell, watched
from leukemia_app.ui.components import picture_uri
from leukemia_app.ui.intake import Piece, place
from leukemia_app.ui.session import Given

LETTERS = "ABCDEF"
MOST_PICTURES = 60
"""Pictures shown side by side; each is read by every model."""
THUMBNAIL_PX = 80


@dataclass(frozen=True, kw_only=True)
class Vote:
    """What a reader trusted most, before the names were told."""

    file: str
    shown: tuple[str, ...]
    """Models in the order of their letters."""
    chosen: str | None
    """None for none of them."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One of several pictures: how it looks small, and whether the models agree on it."""

    given: Given
    thumbnail: str = ""
    same_top: bool | None = None
    """None where they are not compared."""
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A comparison on a labelled set, with what its report shows."""

    name: str
    comparison: Comparison
    thumbnails: Mapping[str, bytes]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Board:
    """What one visitor has chosen, given and voted; small, as it is kept between events."""

    models: tuple[str, ...] = ()
    given_map: str = ""
    blind: bool = False
    tiles: tuple[Tile, ...] = ()
    opened: int = 0
    order: tuple[str, ...] = ()
    """The models as their columns stand; shuffled for each picture where blind."""
    is_told: bool = True
    """Whether the names of this picture's columns may be told."""
    votes: tuple[Vote, ...] = ()
    pieces: tuple[Piece, ...] = ()
    """Files of the labelled set that was given last."""
    strangers: tuple[str, ...] = ()
    """Labels of that set that no model has, nor the map."""
    scored: Scored | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One picture read by every model."""

    picture: Picture
    examinations: Mapping[str, Examination]
    beside: SideBySide | None
    """None where no map states what the labels share."""


@dataclass(frozen=True, kw_only=True)
class BesideDesk:
    """Reads visitors' pictures with several models; shared by all, keeps nothing."""

    library: Library
    limits: Limits
    zips: ZipLimits
    keep_minutes: int
    most_pictures: int | None = None
    """Pictures of a labelled set; None for any number."""
    clock: Callable[[], float] = time.monotonic
    dice: random.Random = field(default_factory=random.SystemRandom)

    def entries(self) -> list[Entry]:
        """The models that can be chosen, each once."""
        return [entry for entry in self.library.entries() if entry.problem is None and entry.spec]

    def specs(self, ids: Sequence[str]) -> dict[str, Spec]:
        """What these models say of themselves; those that are gone are left out."""
        found = {entry.id: entry.spec for entry in self.entries() if entry.spec is not None}
        return {id: found[id] for id in ids if id in found}

    def start(self) -> Board:
        """A new visitor's board: two models of the same labels and input, where there are."""
        entries = self.entries()
        alike: dict[tuple[str, frozenset[str]], list[str]] = {}
        for entry in entries:
            if entry.spec is not None:
                kind = (entry.spec.recipe.input, frozenset(entry.spec.label_names))
                alike.setdefault(kind, []).append(entry.id)
        first = next((ids for ids in alike.values() if len(ids) >= LEAST),
                     [entry.id for entry in entries])  # fmt: skip
        return self.arranged(Board(models=tuple(first[:LEAST])))

    def chosen(self, board: Board, models: Sequence[str], given_map: str, blind: bool) -> Board:
        """The board with other models, another map, or blind; what was scored stays until again."""
        known = self.specs(list(dict.fromkeys(models)))
        note = text.TOO_MANY if len(known) > MOST else ""
        kept = tuple(known)[:MOST]
        if set(kept) != set(board.models):
            given_map = ""
        return self.arranged(
            replace(board, models=kept, given_map=given_map.strip(), blind=blind, note=note)
        )

    def arranged(self, board: Board) -> Board:
        """The columns' order for the picture that is shown next; a new one where blind."""
        order = list(board.models)
        if board.blind:
            self.dice.shuffle(order)
        return replace(board, order=tuple(order), is_told=not board.blind)

    def labels(self, board: Board) -> LabelMap | None:
        """What the models' labels share; None where they differ and nothing is stated.

        Raises:
            SettingError: what was stated cannot be used.
        """
        names = {id: spec.label_names for id, spec in self.specs(board.models).items()}
        if not names or (not board.given_map and not are_same(names)):
            return None
        return label_map(board.given_map, names)

    def suggestion(self, board: Board) -> str:
        """A map to begin with; empty where none is needed or known."""
        names = {id: spec.label_names for id, spec in self.specs(board.models).items()}
        if board.strangers and names and are_same(names):
            first = next(iter(names.values()))
            return LabelMap(members={label: (label,) for label in first}).in_words()
        return suggested(names)

    # ---- pictures side by side -----------------------------------------------------------------

    def shown(self, board: Board, given: Sequence[Given]) -> Board:
        """The board with these pictures, the first of them open."""
        tiles = tuple(Tile(given=each) for each in given[:MOST_PICTURES])
        note = ""
        if len(given) > MOST_PICTURES:
            note = text.MOST_PICTURES.format(n=len(given), limit=MOST_PICTURES)
        return self.arranged(replace(board, tiles=tiles, opened=0, scored=None, pieces=(),
                                     note=note))  # fmt: skip

    def opening(self, board: Board, index: int) -> Board:
        """The board with another picture open."""
        if not 0 <= index < len(board.tiles):
            return board
        return self.arranged(replace(board, opened=index))

    def tiled(self, board: Board) -> Iterator[tuple[int, Board]]:
        """The board as its pictures become small ones with a word on agreement, one by one."""
        tiles = list(board.tiles)
        for number, tile in enumerate(tiles):
            tiles[number] = self._tile(board, tile)
            yield number + 1, replace(board, tiles=tuple(tiles))

    def _tile(self, board: Board, tile: Tile) -> Tile:
        try:
            picture = self._decoded(tile.given)
            labels = self.labels(board)
            same = None
            if labels is not None:
                readings = {
                    id: self.library.predictor(id).read([picture], measure=False)[0]
                    for id in board.models
                }
                same = SideBySide.of(labels, readings, self.specs(board.models)).same_top
        except AppError as error:
            return replace(tile, problem=str(error))
        small = picture_uri(thumbnail(picture.pixels, THUMBNAIL_PX))
        return replace(tile, thumbnail=small, same_top=same, problem="")

    def seen(self, board: Board) -> Seen:
        """The open picture read by every model, with each one's map.

        Raises:
            ImageError: it cannot be read, or was deleted meanwhile.
            BundleError: a model cannot be used any more.
            SettingError: the label map cannot be used.
        """
        labels = self.labels(board)
        picture = self._decoded(board.tiles[board.opened].given)
        # As the columns stand: the order of the sentences must not tell the names.
        found = {id: self.library.predictor(id).examine(picture) for id in board.order}
        beside = None
        if labels is not None:
            readings = {id: each.reading for id, each in found.items()}
            beside = SideBySide.of(labels, readings, self.specs(board.models))
        return Seen(picture=picture, examinations=found, beside=beside)

    def voted(self, board: Board, letter: str) -> Board:
        """The board after a vote for a column's letter, or for none; names are told from then."""
        if board.is_told or not board.tiles:
            return board
        place = LETTERS.find(letter) if len(letter) == 1 else -1
        chosen = board.order[place] if 0 <= place < len(board.order) else None
        vote = Vote(file=board.tiles[board.opened].given.name, shown=board.order, chosen=chosen)
        return replace(board, votes=(*board.votes, vote), is_told=True)

    def _decoded(self, given: Given) -> Picture:
        if given.path is None:
            raise ImageError(f"{given.name}: {given.problem or page_text.not_sent()}")
        try:
            with given.path.open("rb") as file:
                data = file.read(self.limits.max_bytes + 1)
        except FileNotFoundError as error:
            raise ImageError(
                page_text.EXPIRED.format(name=given.name, minutes=self.keep_minutes)
            ) from error
        return decode(data, given.name, self.limits)

    # ---- a labelled set ------------------------------------------------------------------------

    def scoring(self, board: Board, *, disturbed: bool) -> Iterator[Progress | Scored]:
        """Every model on the labelled set: progress, then what came of it.

        Closing the generator stops the work after the disturbance at hand of a few pictures.

        Raises:
            AppError: the set or a model cannot be used, or their labels do not meet.
        """
        if not all(piece.path.is_file() for piece in board.pieces):
            raise ImageError(text.LOST.format(minutes=self.keep_minutes))
        yield from watched(lambda tell: self._scored(board, tell, disturbed=disturbed), self.clock)

    def _scored(self, board: Board, progress: Tell, *, disturbed: bool) -> Scored:
        started = self.clock()
        with _folder_of(board.pieces, self.zips, self.most_pictures) as (name, folder):
            data = labelled_folder(folder, limits=self.limits)
            self._check_size(data)
            found = api.compare(
                list(board.models), data, self.library, label_map=board.given_map,
                disturbed=disturbed, progress=progress,
            )  # fmt: skip
            small = small_pictures(folder, shown_files(found))
        return Scored(name=name, comparison=found, thumbnails=small,
                      seconds=self.clock() - started)  # fmt: skip

    def _check_size(self, data: LabelledFolder) -> None:
        most = self.most_pictures
        if most is not None and len(data.rows) > most:
            raise SettingError(
                f"The set has {len(data.rows):,} pictures, and this server takes {most:,}. Give a "
                "part of it, or use the command line."
            )


def are_same(names: Mapping[str, Sequence[str]]) -> bool:
    """Whether all models have the same labels, in whatever order."""
    return len({frozenset(each) for each in names.values()}) == 1


def is_disturbed(scored: Scored) -> bool:
    """Whether the models were scored on disturbed copies, too."""
    return any(model.disturbed for model in scored.comparison.models.values())


def seconds_disturbed(scored: Scored) -> float:
    """How long the same set will take under every disturbance, from the time it took plain."""
    costs = [model.cost.ms or 0 for model in scored.comparison.models.values()]
    return len(EVERY) * scored.comparison.n * sum(costs) / 1000


def votes_csv_rows(votes: Sequence[Vote]) -> list[tuple[str, ...]]:
    """A row a vote: file, the models in the order they were shown, and the one that was trusted."""
    heads = ("file", "trusted", *(f"shown as {letter}" for letter in LETTERS))
    shown = max((len(vote.shown) for vote in votes), default=0)
    heads = heads[: 2 + shown]
    return [heads] + [
        (vote.file, vote.chosen or "none",
         *(vote.shown[at] if at < len(vote.shown) else "" for at in range(shown)))
        for vote in votes
    ]  # fmt: skip


@contextmanager
def _folder_of(
    pieces: Sequence[Piece], zips: ZipLimits, most_pictures: int | None
) -> Iterator[tuple[str, Path]]:
    """The name of what was given, and a folder that holds it for as long as it is open."""
    if len(pieces) == 1 and pieces[0].name.lower().endswith(".zip"):
        with opened(pieces[0].path, zips) as folder:
            yield pieces[0].name, folder
        return
    with TemporaryDirectory(prefix="leukemia-compare-") as home:
        place(pieces, Path(home), most_pictures)
        yield pieces[0].name.partition("/")[0], Path(home) / "pictures"
