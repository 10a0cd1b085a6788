"""Models that answer at once, so that the page's logic is tested without a network."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from leukemia_app.bundles.library import Entry
from leukemia_app.bundles.predictor import Examination, Explanation
from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import Label, Spec
from leukemia_app.errors import BundleError, ImageError
from leukemia_app.imaging.morphology import measure_cells
from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.imaging.segment import Segmentation
from tests.readings import reading_of, spec_of


def smear_pixels(cells: int = 5, radius: int = 8, side: int = 96) -> np.ndarray:
    """Violet discs in a row on pink ground, (side, side, 3) uint8 RGB."""
    pixels = np.full((side, side, 3), (240, 220, 225), np.uint8)
    for number in range(cells):
        centre = ((2 * number + 1) * side // (2 * cells), side // 2)
        cv2.circle(pixels, centre, radius, (110, 60, 150), -1)
    return pixels


def violet_cells(pixels: np.ndarray) -> Segmentation:
    """Every violet patch of the drawn picture, all nucleus; the middle one is the main cell."""
    mask = pixels[..., 1] < 140
    _, cells = cv2.connectedComponents(mask.astype(np.uint8))
    main = (int(cells.max()) + 1) // 2
    return Segmentation(cells=cells.astype(np.int32), nucleus=mask, main=main, method="stain")


@dataclass(frozen=True, kw_only=True)
class InstantPredictor:
    """Answers every picture with the same probabilities; refuses those named `unpreparable`."""

    spec: Spec
    has_maps: bool = True

    @property
    def engine(self) -> SimpleNamespace:
        return SimpleNamespace(memory_mb=1.0)

    def read(self, pictures: Sequence[Picture], *, measure: bool = True) -> list[Reading]:
        return [self._reading(picture) for picture in pictures]

    def examine(self, picture: Picture, label: str | None = None) -> Examination:
        reading = self._reading(picture)
        rows, columns = picture.pixels.shape[:2]
        explanation = Explanation(
            label=label or reading.decision.label,
            heat=np.linspace(0, 1, rows * columns, dtype=np.float32).reshape(rows, columns),
            share_inside_cells=0.25 if reading.cells else None,
        )
        found = violet_cells(picture.pixels)
        return Examination(
            reading=reading,
            prepared=prepare(picture, replace(self.spec.recipe, segmentation="none")),
            segmentation=found,
            measures=measure_cells(picture.pixels, found),
            explanation=explanation if self.has_maps else None,
        )

    def _reading(self, picture: Picture) -> Reading:
        if picture.name.startswith("unpreparable"):
            raise ImageError(f"{picture.name} cannot be segmented. Choose another picture.")
        names = self.spec.label_names
        chances = dict(zip(names, np.linspace(0.1, 0.4, len(names)).tolist(), strict=True))
        decision = replace(reading_of().decision, label=names[-1])
        return reading_of(
            file=picture.name, model=self.spec.id, probabilities=chances, decision=decision,
            cells=violet_cells(picture.pixels).count,
        )  # fmt: skip


@dataclass
class InstantLibrary:
    """Models by id, as a `Library` lists and loads them."""

    predictors: dict[str, InstantPredictor]
    broken: tuple[Entry, ...] = ()
    asked: list[str] = field(default_factory=list)

    def entries(self) -> list[Entry]:
        usable = [
            Entry(id=id, origin="shipped", folder=Path(id), spec=each.spec, problem=None)
            for id, each in self.predictors.items()
        ]
        return [*usable, *self.broken]

    def default(self, input: str) -> str | None:
        kinds = {id: each.spec.recipe.input for id, each in self.predictors.items()}
        return next((id for id, kind in kinds.items() if kind == input), None)

    def predictor(self, id: str) -> InstantPredictor:
        self.asked.append(id)
        if id not in self.predictors:
            raise BundleError(f"No model has the id {id!r}.")
        return self.predictors[id]


def cell_spec(id: str, *names: str) -> Spec:
    labels = tuple(Label(name=name, meaning=f"meaning of {name}") for name in names)
    return spec_of(id=id, labels=labels, recipe=Recipe(input="cell", side_px=64), threshold=0)
