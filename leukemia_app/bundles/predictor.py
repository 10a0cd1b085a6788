"""One model at work: pictures in, readings out, one at a time or many."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from time import perf_counter
from typing import Any

import numpy as np

from leukemia_app.bundles.decision import decide, to_probabilities
from leukemia_app.bundles.engines import Engine
from leukemia_app.bundles.heat import lay_over, seen_part, turned_back
from leukemia_app.bundles.reading import Reading, ScopeScore
from leukemia_app.bundles.scope import Scope
from leukemia_app.bundles.spec import Spec
from leukemia_app.errors import BundleError
from leukemia_app.imaging.morphology import CellMeasures, measure_cells
from leukemia_app.imaging.overlay import share_inside
from leukemia_app.imaging.picture import FloatArray, Picture
from leukemia_app.imaging.prepare import Box, Prepared, prepare, views
from leukemia_app.imaging.quality import Quality, assess
from leukemia_app.imaging.segment import Segmentation, segment

NO_SEGMENTATION = "none"
DISPLAY_SEGMENTATION = "stain"
"""Finds the cells to show and to measure where the recipe itself needs none."""

CHUNK = 32
"""Pictures or views that the engine gets at once: more gain nothing and cost memory."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Where the score of one label reacts (Grad-CAM); no proof of why."""

    label: str
    heat: FloatArray
    """(rows, columns) float32 in picture pixels, 0 to 1; 0 outside what the network saw."""
    share_inside_cells: float | None
    """Part of the heat inside the segmented cells; None without cells or without heat."""


@dataclass(frozen=True, kw_only=True)
class Examination:
    """One picture's reading with everything that can be shown of it."""

    reading: Reading
    prepared: Prepared
    segmentation: Segmentation
    measures: tuple[CellMeasures, ...]
    explanation: Explanation | None


@dataclass(frozen=True, kw_only=True)
class _Look:
    """All that is known of a picture before the network sees it."""

    prepared: Prepared
    segmentation: Segmentation
    measures: tuple[CellMeasures, ...]
    quality: Quality
    ms: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What a reading needs of a look; without the pictures, which would fill the memory."""

    file: str
    tensor: FloatArray
    box: Box
    cells: int | None
    morphology: Mapping[str, Any] | None
    quality: Quality
    remarks: tuple[str, ...]
    ms: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A bundle with its engine; it keeps nothing between calls and serves many threads."""

    spec: Spec
    engine: Engine
    scope: Scope | None
    bundle_sha256: str
    threads: int
    """Threads that prepare pictures of one batch."""

    @property
    def device(self) -> str:
        """`cpu` or `gpu`."""
        return self.engine.device

    @property
    def wants_batches(self) -> bool:
        """Whether it uses all cores by itself and reads many pictures at once faster."""
        return self.engine.wants_batches

    @cached_property
    def _recipe_digest(self) -> str:
        return self.spec.recipe.digest

    def logits(
        self, tensors: FloatArray, *, beside_others: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Logits (n, n_outputs) and features (n, channels), float32, means over the views.

        `tensors` is (n, side, side, 3) float32, as `prepare` makes them for the bundle's recipe;
        `beside_others` as for `read`.
        """
        count = self.spec.recipe.views
        at_once = max(1, CHUNK // count)
        answers = []
        for start in range(0, len(tensors), at_once):
            part = tensors[start : start + at_once]
            seen = np.concatenate([views(tensor, count) for tensor in part]) if count > 1 else part
            answers.append(self.engine.run(seen, beside_others=beside_others))
        logits, features = (np.concatenate(values) for values in zip(*answers, strict=True))
        return _mean_of_views(logits, count), _mean_of_views(features, count)

    def read(
        self, pictures: Sequence[Picture], *, measure: bool = True, beside_others: bool = False
    ) -> list[Reading]:
        """One reading a picture, in their order; the same as for each picture alone.

        Without `measure` cells are neither looked for nor measured: the decision then does not
        know whether there are any. For scoring thousands of pictures known to hold some.
        `beside_others` says that the caller reads in several threads: each then keeps to its own.

        Raises:
            ImageError: a picture cannot be segmented.
        """
        if len(pictures) > 1 and not (beside_others or self.wants_batches):
            # One by one, so that a core prepares one picture while the other runs the network.
            with ThreadPoolExecutor(self.threads) as pool:
                one = partial(self._read_one, measure=measure)
                return list(pool.map(one, pictures))
        readings: list[Reading] = []
        for start in range(0, len(pictures), CHUNK):
            facts = self._facts_of_all(pictures[start : start + CHUNK], measure)
            started = perf_counter()
            tensors = np.stack([each.tensor for each in facts])
            logits, features = self.logits(tensors, beside_others=beside_others)
            model_ms = 1000 * (perf_counter() - started) / len(facts)
            scores = self._scope_scores(features)
            probabilities = to_probabilities(logits, self.spec.temperature)
            readings += [
                self._reading(each, row, score, {"model": model_ms})
                for each, row, score in zip(facts, probabilities, scores, strict=True)
            ]
        return readings

    def _read_one(self, picture: Picture, measure: bool) -> Reading:
        (reading,) = self.read([picture], measure=measure, beside_others=True)
        return reading

    def examine(self, picture: Picture, label: str | None = None) -> Examination:
        """One picture's reading with cells, measures and the heat of `label`, or of its answer.

        Raises:
            ImageError: the picture cannot be segmented.
            BundleError: the model knows no such label.
        """
        if label is not None and label not in self.spec.label_names:
            raise BundleError(
                f"{self.spec.id} knows no label {label!r}; "
                f"use one of {', '.join(self.spec.label_names)}."
            )
        look = self._look(picture)
        facts = self._facts(picture, look)
        ms: dict[str, float] = {}
        with _timed(ms, "model"):
            logits, features = self.logits(facts.tensor[None])
        row = to_probabilities(logits, self.spec.temperature)[0]
        score = self._scope_scores(features)[0]
        label = label or self._reading(facts, row, score, {}).decision.label
        with _timed(ms, "explain"):
            explanation = self._explanation(picture, look, label, logits.shape[1])
        return Examination(
            reading=self._reading(facts, row, score, ms),
            prepared=look.prepared,
            segmentation=look.segmentation,
            measures=look.measures,
            explanation=explanation,
        )

    def _facts_of_all(self, pictures: Sequence[Picture], measure: bool) -> list[_Facts]:
        def facts(picture: Picture) -> _Facts:
            return self._facts(picture, self._look(picture, measure))

        if len(pictures) == 1 or self.threads == 1 or not self.wants_batches:
            return [facts(picture) for picture in pictures]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(facts, pictures))

    def _look(self, picture: Picture, measure: bool = True) -> _Look:
        ms: dict[str, float] = {}
        with _timed(ms, "prepare"):
            prepared = prepare(picture, self.spec.recipe)
        segmentation = prepared.segmentation
        if segmentation is None:
            with _timed(ms, "segment"):
                segmentation = segment(
                    picture.pixels, DISPLAY_SEGMENTATION if measure else NO_SEGMENTATION
                )
        with _timed(ms, "measure"):
            measures = measure_cells(picture.pixels, segmentation) if measure else ()
            quality = assess(picture.pixels)
        return _Look(
            prepared=prepared, segmentation=segmentation, measures=measures, quality=quality, ms=ms
        )

    def _facts(self, picture: Picture, look: _Look) -> _Facts:
        main = [each for each in look.measures if each.number == look.segmentation.main]
        shape = picture.pixels.shape[:2]
        return _Facts(
            file=picture.name,
            tensor=look.prepared.tensor,
            box=seen_part(look.prepared.box, self.spec.recipe.fit, shape),
            cells=None if look.segmentation.method == NO_SEGMENTATION else look.segmentation.count,
            morphology=main[0].to_dict() if main else None,
            quality=look.quality,
            remarks=(
                *picture.source.remarks,
                *look.prepared.remarks,
                *look.segmentation.remarks,
                *(each.sentence for each in look.quality.findings if not each.refer),
            ),
            ms=look.ms,
        )

    def _scope_scores(self, features: FloatArray) -> list[ScopeScore | None]:
        if self.scope is None or self.spec.scope is None:
            return [None] * len(features)
        # One by one: in a batch, matrix products may differ in the last bit.
        scores = [float(self.scope.score(row[None])[0]) for row in features]
        return [ScopeScore(score=score, limit=self.spec.scope.limit) for score in scores]

    def _reading(
        self,
        facts: _Facts,
        probabilities: FloatArray,
        scope: ScopeScore | None,
        ms: Mapping[str, float],
    ) -> Reading:
        return Reading(
            file=facts.file,
            model=self.spec.id,
            probabilities=dict(zip(self.spec.label_names, map(float, probabilities), strict=True)),
            decision=decide(probabilities, self.spec, scope, facts.quality, facts.cells),
            scope=scope,
            morphology=facts.morphology,
            cells=facts.cells,
            remarks=facts.remarks,
            box=(facts.box.top, facts.box.left, facts.box.bottom, facts.box.right),
            ms={**facts.ms, **ms},
            device=self.device,
            recipe_digest=self._recipe_digest,
            bundle_sha256=self.bundle_sha256,
        )

    def _explanation(
        self, picture: Picture, look: _Look, label: str, n_outputs: int
    ) -> Explanation | None:
        weights = _output_weights(self.spec.label_names.index(label), n_outputs)
        recipe = self.spec.recipe
        maps: list[FloatArray] = []
        for view in views(look.prepared.tensor, recipe.views):
            cam = self.engine.explain(view, weights)
            if cam is None:
                return None
            maps.append(cam)
        cam = turned_back(np.stack(maps)).mean(axis=0)
        heat = lay_over(cam, look.prepared.box, recipe.fit, picture.pixels.shape[:2])
        cells = look.segmentation.cells > 0
        share = share_inside(heat, cells) if look.segmentation.count else None
        return Explanation(label=label, heat=heat, share_inside_cells=share)


def _mean_of_views(values: FloatArray, count: int) -> FloatArray:
    if count == 1:
        return values
    means: FloatArray = values.reshape(-1, count, values.shape[1]).mean(axis=1)
    return means


def _output_weights(index: int, n_outputs: int) -> FloatArray:
    """Weights (n_outputs,) of the logits that make the score of the label with that index.

    A single output speaks for the second label, and its negative for the first.
    """
    if n_outputs == 1:
        return np.array([1.0 if index == 1 else -1.0], np.float32)
    one_hot: FloatArray = np.eye(n_outputs, dtype=np.float32)[index]
    return one_hot


@contextmanager
def _timed(ms: dict[str, float], step: str) -> Iterator[None]:
    started = perf_counter()
    yield
    ms[step] = 1000 * (perf_counter() - started)
