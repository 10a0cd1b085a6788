"""One model at work: the same answer alone, in a batch, examined, and to many at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.bundles import predictor as predictor_module
from leukemia_app.bundles.decision import to_probabilities
from leukemia_app.bundles.device import Device
from leukemia_app.bundles.engines import LITERT_FILE, LiteRtEngine
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.predictor import CHUNK, Predictor
from leukemia_app.bundles.scope import Scope
from leukemia_app.bundles.spec import ScopeSpec
from leukemia_app.errors import BundleError
from leukemia_app.imaging.picture import Picture, Source
from leukemia_app.imaging.prepare import prepare
from leukemia_app.imaging.recipe import Recipe

CPU = Device(name="cpu", engine="litert", detail="")


def load(folder: Path, threads: int = 2) -> Predictor:
    return Library([("own", folder)], CPU, 500, threads).predictor(folder.name)


@pytest.fixture(scope="module")
def small(written: Path) -> Predictor:
    return load(written)


@pytest.fixture(scope="module")
def binary(written_binary: Path) -> Predictor:
    return load(written_binary)


class DrawnEngine:
    """Logits from the mean colour, features from the corners, heat in the brightest corner."""

    device = "cpu"
    memory_mb = 1.0
    wants_batches = True

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(self, batch, *, beside_others=False):
        self.sizes.append(len(batch))
        corners = np.stack([batch[:, 0, 0, 0], batch[:, 0, -1, 0], batch[:, -1, 0, 0]], axis=1)
        return batch.mean(axis=(1, 2)), corners

    def explain(self, image, one_hot):
        return np.maximum(image[::16, ::16, 0], 0)


def predictor_of(spec, engine=None, scope=None) -> Predictor:
    return Predictor(
        spec=spec, engine=engine or DrawnEngine(), scope=scope, bundle_sha256="f" * 64, threads=2
    )


def without_ms(reading):
    return replace(reading, ms={})


@pytest.mark.parametrize("name", ["small", "binary"])
def test_a_batch_reads_the_same_as_one_by_one_and_as_an_examination(
    request: pytest.FixtureRequest, draw, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(predictor_module, "CHUNK", 4)
    predictor = request.getfixturevalue(name)
    pictures = [draw(seed, rows=40 + seed) for seed in range(6)]
    together = [without_ms(reading) for reading in predictor.read(pictures)]
    assert together == [without_ms(predictor.read([picture])[0]) for picture in pictures]
    examined = [without_ms(predictor.examine(picture).reading) for picture in pictures]
    assert examined == together
    assert len({str(reading.probabilities) for reading in together}) == len(pictures)


def test_no_pictures_give_no_readings(small: Predictor):
    assert small.read([]) == []


def test_a_reading_says_who_read_what_how(small: Predictor, written: Path, draw):
    picture = replace(
        draw(7),
        source=Source(format="PNG", rows=48, columns=40, bit_depth=8, remarks=("It was turned.",)),
    )
    reading = small.read([picture])[0]
    assert (reading.file, reading.model, reading.device) == ("drawn 7.png", "small", "cpu")
    assert reading.recipe_digest == small.spec.recipe.digest
    assert len(reading.bundle_sha256) == 64
    assert list(reading.probabilities) == ["normal", "early", "pre"]
    assert sum(reading.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert reading.remarks[0] == "It was turned."
    assert reading.scope is not None
    assert reading.scope.limit == 100
    assert {"prepare", "segment", "measure", "model"} == set(reading.ms)
    assert all(ms >= 0 for ms in reading.ms.values())
    assert reading.cells >= 1
    assert reading.morphology is not None
    assert reading.to_dict()["decision"]["kind"] in {"label", "refer"}


def test_the_probabilities_are_those_of_the_prepared_picture(binary: Predictor, draw):
    picture = draw(3)
    tensor = prepare(picture, binary.spec.recipe).tensor
    logits, _ = binary.engine.run(tensor[None])
    expected = to_probabilities(logits, binary.spec.temperature)[0]
    assert list(binary.read([picture])[0].probabilities.values()) == expected.tolist()


def test_views_are_averaged_inside(make_spec):
    # the red of the first corner over the four quarter turns is the mean of the four corners
    tensors = np.zeros((2, 32, 32, 3), np.float32)
    tensors[0, 0, 0, 0], tensors[0, 0, -1, 0] = 4, 8
    predictor = predictor_of(make_spec(recipe=Recipe(input="cell", side_px=32, views=4)))
    logits, features = predictor.logits(tensors)
    assert features.tolist() == [[3, 3, 3], [0, 0, 0]]
    assert logits[0] == pytest.approx([12 / 1024, 0, 0])


@pytest.mark.parametrize("views", [1, 8])
def test_the_engine_never_gets_more_than_a_chunk(make_spec, views: int):
    predictor = predictor_of(make_spec(recipe=Recipe(input="cell", side_px=32, views=views)))
    logits, _ = predictor.logits(np.zeros((75, 32, 32, 3), np.float32))
    assert len(logits) == 75
    assert sum(predictor.engine.sizes) == 75 * views
    assert max(predictor.engine.sizes) == CHUNK


def test_a_picture_beyond_the_limit_is_out_of_scope(make_spec, draw):
    # features are three corners of a picture of value 1; mean -1, spread and rest 1:
    # distance = sqrt((2² + 2² + 2²) / 3) = 2
    spec = make_spec(scope=ScopeSpec(file="scope.npz", limit=1.9))
    scope = Scope(
        mean=np.full(3, -1, np.float32),
        directions=np.eye(3, 1, dtype=np.float32),
        spread=np.ones(1, np.float32),
        rest=1.0,
    )
    white = Picture(pixels=np.full((40, 40, 3), 255, np.uint8), name="white")
    reading = predictor_of(spec, scope=scope).read([white])[0]
    assert reading.scope.score == pytest.approx(2)
    assert reading.decision.kind == "refer"
    assert reading.decision.reasons[0].startswith("This picture is unlike those the model")


def test_an_empty_picture_is_referred_and_has_no_morphology(make_spec):
    white = Picture(pixels=np.full((64, 64, 3), 250, np.uint8), name="white")
    examination = predictor_of(make_spec(threshold=0.0)).examine(white)
    assert examination.reading.cells == 0
    assert examination.reading.morphology is None
    assert "No white cell was found in the picture." in examination.reading.decision.reasons
    assert examination.explanation.share_inside_cells is None


def test_an_examination_holds_all_that_is_shown(small: Predictor, draw):
    picture = draw(5)
    examination = small.examine(picture)
    assert examination.segmentation.cells.shape == (48, 40)
    assert examination.prepared.tensor.shape == (32, 32, 3)
    assert len(examination.measures) == examination.segmentation.count
    explanation = examination.explanation
    assert explanation.label == examination.reading.decision.label
    assert explanation.heat.shape == (48, 40)
    assert explanation.heat.dtype == np.float32
    assert 0 <= explanation.heat.min() <= explanation.heat.max() <= 1
    assert explanation.share_inside_cells is None or 0 <= explanation.share_inside_cells <= 1
    assert "explain" in examination.reading.ms


def test_any_label_can_be_explained(small: Predictor, draw):
    heats = [small.examine(draw(5), label).explanation.heat for label in small.spec.label_names]
    assert not (np.array_equal(heats[0], heats[1]) and np.array_equal(heats[1], heats[2]))


def test_both_labels_of_one_output_are_explained_by_opposite_gradients(binary: Predictor, draw):
    first, second = (binary.examine(draw(5), label).explanation for label in ("normal", "blast"))
    assert (first.label, second.label) == ("normal", "blast")
    tensor = prepare(draw(5), binary.spec.recipe).tensor
    cams = [binary.engine.explain(tensor, np.array([sign], np.float32)) for sign in (-1, 1)]
    for explanation, cam in zip((first, second), cams, strict=True):
        assert explanation.heat.any() == cam.any()


def test_heat_of_all_views_is_turned_back_before_it_is_averaged(make_spec):
    # the engine's heat is the red of the tensor: of any view, turned back, the same picture
    pixels = np.full((32, 32, 3), 128, np.uint8)
    pixels[:16, :16] = 255
    heats = []
    for views in (1, 8):
        spec = make_spec(recipe=Recipe(input="cell", side_px=32, views=views))
        engine = DrawnEngine()
        engine.explain = lambda image, _: image[8::16, 8::16, 0].clip(0)
        picture = Picture(pixels=pixels, name="corner")
        heats.append(predictor_of(spec, engine).examine(picture).explanation.heat)
    assert heats[0] == pytest.approx(heats[1], abs=1e-6)
    assert heats[0][4, 4] == 1


def test_an_engine_without_maps_gives_no_explanation(make_spec, draw):
    engine = DrawnEngine()
    engine.explain = lambda image, one_hot: None
    assert predictor_of(make_spec(), engine).examine(draw(1)).explanation is None


def test_an_unknown_label_is_refused_with_the_known_ones(small: Predictor, draw):
    with pytest.raises(BundleError, match="small knows no label 'pro'; use one of normal, early"):
        small.examine(draw(1), "pro")


def test_the_box_is_what_the_network_saw_within_the_picture(binary: Predictor, small, draw):
    assert small.read([draw(4)])[0].box == (0, 0, 48, 40)
    examination = binary.examine(draw(4))
    top, left, bottom, right = examination.reading.box
    assert 0 <= top < bottom <= 48
    assert 0 <= left < right <= 40
    assert (bottom - top) * (right - left) < 48 * 40
    outside = examination.explanation.heat.copy()
    outside[top:bottom, left:right] = 0
    assert not outside.any()


def test_sixteen_users_at_once_get_their_own_answers(written: Path, draw):
    predictor = load(written, threads=4)
    pictures = [draw(seed) for seed in range(16)]
    expected = [predictor.examine(picture) for picture in pictures]

    def ask(number: int) -> bool:
        examination = predictor.examine(pictures[number])
        batch = predictor.read(pictures[number : number + 2])
        wanted = expected[number]
        return (
            without_ms(examination.reading) == without_ms(batch[0]) == without_ms(wanted.reading)
        ) and np.array_equal(examination.explanation.heat, wanted.explanation.heat)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(16)))


def test_a_predictor_can_be_made_of_any_engine(written: Path, small: Predictor, draw):
    engine = LiteRtEngine(written / LITERT_FILE, threads=1)
    other = replace(small, engine=engine, threads=1)
    pictures = [draw(seed) for seed in range(3)]
    for ours, theirs in zip(other.read(pictures), small.read(pictures), strict=True):
        assert ours.probabilities == pytest.approx(theirs.probabilities, abs=1e-6)
