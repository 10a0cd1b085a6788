"""Measures of drawn cells, worked by hand."""

import dataclasses
import json
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.imaging.decode import decode
from leukemia_app.imaging.morphology import (
    CellMeasures,
    area_and_perimeter,
    cell_windows,
    count_lobes,
    describe,
    hue_word,
    measure_cells,
    roundness,
    solidity,
)
from leukemia_app.imaging.segment import Segmentation, segment

WHITE = (250, 250, 250)


def disc(side: int, radius: float, row: float, column: float) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def segmentation(cells, nucleus=None) -> Segmentation:
    cells = np.asarray(cells, np.int32)
    nucleus = np.zeros(cells.shape, bool) if nucleus is None else nucleus
    return Segmentation(cells=cells, nucleus=nucleus, main=1, method="drawn")


def painted(cells, nucleus, cell_colour, nucleus_colour, ground=WHITE) -> np.ndarray:
    pixels = np.full((*cells.shape, 3), ground, np.uint8)
    pixels[cells > 0] = cell_colour
    pixels[nucleus] = nucleus_colour
    return pixels


def measured(cells, nucleus=None, **options) -> CellMeasures:
    cells = np.asarray(cells, np.int32)
    nothing = np.zeros(cells.shape, bool)
    pixels = painted(
        cells, nothing if nucleus is None else nucleus, (190, 190, 230), (100, 50, 170)
    )
    (only,) = measure_cells(pixels, segmentation(cells, nucleus), **options)
    return only


def strung(*centres: int, radius: int = 12, thickness: int = 3) -> np.ndarray:
    """Circles along a line, joined by a filament."""
    mask = np.zeros((40, 140), np.uint8)
    for column in centres:
        cv2.circle(mask, (column, 20), radius, 1, -1)
    if thickness:
        cv2.line(mask, (min(centres), 20), (max(centres), 20), 1, thickness)
    return mask > 0


# Size


def test_area_and_diameter_of_a_rectangle():
    cells = np.zeros((50, 60), int)
    cells[10:30, 15:45] = 1
    only = measured(cells)
    assert only.area_px == 600  # 20 rows of 30
    assert only.diameter_px == pytest.approx(27.640, abs=1e-3)  # 2·√(600/π)


def test_diameter_in_micrometres_needs_a_scale():
    cells = disc(60, 20, 30, 30)
    assert measured(cells).diameter_um is None
    # 40 px across at 0.25 µm a pixel
    assert measured(cells, um_per_px=0.25).diameter_um == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize(("row", "column"), [(0, 30), (30, 0), (59, 30), (30, 59)])
def test_a_cell_at_any_edge_says_so(row, column):
    assert measured(disc(60, 10, row, column)).border


def test_a_cell_one_pixel_from_every_edge_is_whole():
    cells = np.zeros((20, 20), int)
    cells[1:19, 1:19] = 1
    assert not measured(cells).border


# Nucleus to cytoplasm


def test_nc_of_a_disc_in_a_disc_is_the_square_of_the_radii():
    cells, nucleus = disc(100, 40, 50, 50), disc(100, 20, 48, 53)
    assert measured(cells, nucleus).nc_ratio == pytest.approx(0.25, rel=0.01)  # 20²/40²


def test_nc_of_rectangles_is_exact():
    cells, nucleus = np.zeros((40, 40), int), np.zeros((40, 40), bool)
    cells[5:35, 5:35] = 1
    nucleus[10:30, 10:25] = True
    assert measured(cells, nucleus).nc_ratio == pytest.approx(300 / 900)


def test_a_ring_of_cytoplasm_round_a_nucleus_counts_both_as_the_cell():
    cells, nucleus = disc(100, 40, 50, 50), disc(100, 30, 50, 50)
    ring = np.count_nonzero(cells & ~nucleus)
    only = measured(cells, nucleus)
    assert only.area_px - only.nucleus_area_px == ring
    assert ring == pytest.approx(math.pi * (40**2 - 30**2), rel=0.01)


def test_without_a_nucleus_its_measures_are_none_and_not_zero():
    only = measured(disc(60, 20, 30, 30))
    assert only.nucleus_area_px == 0
    undefined = (only.nc_ratio, only.nucleus_roundness, only.solidity, only.lobes)
    assert undefined == (None, None, None, None)
    assert only.nucleus_stain is None
    assert only.cytoplasm_stain is not None


def test_where_the_nucleus_fills_the_cell_there_is_no_cytoplasm_stain():
    cells = disc(60, 20, 30, 30)
    only = measured(cells, cells)
    assert only.nc_ratio == 1
    assert only.cytoplasm_stain is None


def test_a_nucleus_is_counted_for_its_own_cell_alone():
    cells = np.zeros((40, 80), int)
    cells[5:35, 5:40], cells[5:35, 40:75] = 1, 2  # two cells that touch
    nucleus = np.zeros((40, 80), bool)
    nucleus[10:20, 35:45] = True  # lies over the border: 10 rows of 5 columns in each
    pixels = painted(cells, nucleus, (190, 190, 230), (100, 50, 170))
    left, right = measure_cells(pixels, segmentation(cells, nucleus))
    assert (left.nucleus_area_px, right.nucleus_area_px) == (50, 50)


# Roundness


@pytest.mark.parametrize("radius", [20.5, 24, 40, 75])
def test_area_and_perimeter_of_a_disc_are_without_bias(radius):
    side = int(2 * radius + 10)
    shifts = np.linspace(0, 0.9, 4)
    measures = [
        area_and_perimeter(disc(side, radius, side / 2 + down, side / 2 + right))
        for down in shifts
        for right in shifts
    ]
    area, length = np.mean(measures, axis=0)
    assert length == pytest.approx(2 * math.pi * radius, rel=0.005)
    assert area == pytest.approx(math.pi * radius**2, rel=0.005)


@pytest.mark.parametrize("radius", [3, 5, 10, 15, 20, 30, 40, 75])
def test_roundness_of_a_disc_is_one(radius):
    side = 2 * radius + 10
    assert roundness(disc(side, radius, side // 2, side // 2)) == pytest.approx(1, abs=0.01)


def test_perimeter_of_an_upright_square_by_hand():
    # Side 100: the outline runs through 4·99 pixel steps. At a corner the smoothing turns six
    # steps of 1 into steps (c, 1-c), c = 1, 7, 22, 42, 57, 63 of 64, long √(c²+(1-c)²):
    # 2·(.98450+.89732+.74082) = 5.24528. With half a pixel all round:
    # 396 - 4·(6-5.24528) + π = 396.1227
    assert area_and_perimeter(np.ones((100, 100), bool))[1] == pytest.approx(396.1227, abs=1e-3)


def test_roundness_of_a_square_is_a_quarter_of_pi():
    assert roundness(np.ones((100, 100), bool)) == pytest.approx(math.pi / 4, rel=0.02)
    assert roundness(np.ones((200, 200), bool)) == pytest.approx(math.pi / 4, rel=0.01)


def test_roundness_of_a_rectangle_three_times_as_long_as_wide():
    # 4π·3/(2·(3+1))² = .58905
    assert roundness(np.ones((60, 180), bool)) == pytest.approx(0.58905, rel=0.02)


def test_roundness_of_an_ellipse_twice_as_long_as_wide():
    # half axes 60 and 30: area 5654.9, perimeter 4·60·E(0.75) = 4·60·1.21106 = 290.65
    # 4π·5654.9/290.65² = .8412
    rows, columns = np.mgrid[:80, :140]
    mask = ((rows - 40) / 30) ** 2 + ((columns - 70) / 60) ** 2 <= 1
    assert roundness(mask) == pytest.approx(0.8412, rel=0.01)


def test_roundness_does_not_see_holes():
    whole = disc(120, 50, 60, 60)
    assert roundness(whole & ~disc(120, 30, 60, 60)) == roundness(whole)


def test_roundness_of_two_equal_discs_is_a_half():
    # twice the area, twice the perimeter: 2/2²
    apart = disc(140, 25, 70, 35) | disc(140, 25, 70, 105)
    assert roundness(apart) == pytest.approx(0.5, abs=0.01)


def test_roundness_of_a_pixel_is_that_of_the_disc_in_it():
    assert area_and_perimeter(np.ones((1, 1), bool)) == pytest.approx((math.pi / 4, math.pi))
    assert roundness(np.ones((1, 1), bool)) == pytest.approx(1)


# Solidity


@pytest.mark.parametrize(
    "mask",
    [np.ones((1, 1), bool), np.ones((1, 9), bool), np.ones((12, 7), bool), np.tri(9, dtype=bool)],
)
def test_solidity_of_a_convex_shape_is_exactly_one(mask):
    assert solidity(mask) == 1


@pytest.mark.parametrize("radius", [3, 7.3, 20, 41.5])
def test_solidity_of_any_disc_is_exactly_one(radius):
    side = int(2 * radius + 6)
    assert solidity(disc(side, radius, side / 2, side / 2 + 0.3)) == 1


def test_solidity_of_an_l_by_hand():
    # 20 x 20 without its upper right 10 x 10: 300 pixels. The hull cuts that corner from (0, 9)
    # to (10, 19); in rows 1 to 9 it holds 1, 2, … 9 pixels more: 45. 300/345 = .8696
    mask = np.ones((20, 20), bool)
    mask[:10, 10:] = False
    assert solidity(mask) == pytest.approx(300 / 345)


def test_solidity_spans_the_pieces_of_a_nucleus():
    mask = np.zeros((10, 30), bool)
    mask[:, :10] = mask[:, 20:] = True
    assert solidity(mask) == pytest.approx(200 / 300)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12), st.floats(0.05, 1))
def test_solidity_of_any_mask_is_that_of_all_its_pixels(seed, rows, columns, share):
    mask = np.random.default_rng(seed).random((rows, columns)) < share
    mask[rows // 2, columns // 2] = True
    hull = cv2.convexHull(cv2.findNonZero(mask.astype(np.uint8)))
    corners = hull.reshape(-1, 2)
    steps = np.abs(np.roll(corners, -1, axis=0) - corners)
    n_held = cv2.contourArea(hull) + np.gcd(steps[:, 0], steps[:, 1]).sum() / 2 + 1
    assert solidity(mask) == mask.sum() / n_held


def test_hull_is_laid_round_the_ends_of_rows_alone(monkeypatch):
    # A net of 100 rows: 100 first and 100 last pixels, not the 9,900 of its lines.
    given_points, hull_of = [], cv2.convexHull
    monkeypatch.setattr(
        cv2, "convexHull", lambda points: given_points.append(len(points)) or hull_of(points)
    )
    net = np.ones((100, 100), bool)
    net[1::10, 1::10] = False
    assert solidity(net) == 9_900 / 10_000
    assert given_points == [200]


# Lobes


def test_a_disc_has_one_lobe():
    assert count_lobes(disc(60, 20, 30, 30)) == 1


def test_circles_joined_by_filaments_are_lobes():
    assert count_lobes(strung(30)) == 1
    assert count_lobes(strung(30, 70)) == 2
    assert count_lobes(strung(30, 70, 110)) == 3


def test_pieces_that_stand_apart_are_lobes():
    assert count_lobes(strung(30, 70, 110, thickness=0)) == 3


def test_a_neck_under_three_quarters_of_the_width_parts_two_lobes():
    # Circles of radius 12 whose centres are d apart meet at half width √(144 - d²/4):
    # d = 20: 6.63, .55 of 12; d = 12: 10.39, .87 of 12.
    assert count_lobes(strung(40, 60, thickness=0)) == 2
    assert count_lobes(strung(40, 52, thickness=0)) == 1


def test_a_band_a_ring_and_a_horseshoe_have_one_lobe():
    band = np.ones((12, 80), bool)
    ring = disc(80, 35, 40, 40) & ~disc(80, 22, 40, 40)
    horseshoe = ring.copy()
    horseshoe[:40, 36:44] = False
    assert [count_lobes(mask) for mask in (band, ring, horseshoe)] == [1, 1, 1]


def test_a_speck_under_a_third_of_the_width_is_no_lobe():
    nucleus = disc(100, 20, 50, 40)
    assert count_lobes(nucleus | disc(100, 5, 50, 80)) == 1  # 5/20
    assert count_lobes(nucleus | disc(100, 8, 50, 80)) == 2  # 8/20


def test_lobes_of_different_size_count():
    assert count_lobes(strung(30, 70, radius=12) | strung(70, 105, radius=7)) == 3


def test_a_ragged_mask_costs_no_more_than_its_size():
    chessboard = np.indices((400, 400)).sum(axis=0) % 2 == 0
    assert count_lobes(chessboard) == 1  # joined over corners


# Stain


def test_optical_density_by_hand():
    # background 200: a nucleus of 20 holds back log10(200/20) = 1,
    # a cytoplasm of 100 holds back log10(200/100) = .30103
    cells, nucleus = disc(80, 30, 40, 40), disc(80, 15, 40, 40)
    pixels = painted(cells, nucleus, (100,) * 3, (20,) * 3, ground=(200,) * 3)
    (only,) = measure_cells(pixels, segmentation(cells, nucleus))
    assert only.nucleus_stain.optical_density == pytest.approx((1, 1, 1), abs=1e-6)
    assert only.cytoplasm_stain.optical_density == pytest.approx((0.30103,) * 3, abs=1e-5)
    assert only.cytoplasm_stain.hue == "grey"


def test_density_is_the_mean_of_pixels_not_that_of_the_mean():
    # half the nucleus 100, half 10 on 100: (0 + 1)/2; the mean value 55 would give .26
    cells, nucleus = np.ones((20, 20), int), np.zeros((20, 20), bool)
    cells[0] = 0
    nucleus[4:8] = True
    pixels = painted(cells, nucleus, (60,) * 3, (10,) * 3, ground=(200,) * 3)
    pixels[4:6] = 200
    (only,) = measure_cells(pixels, segmentation(cells, nucleus))
    # 200 on 200 is 0; 10 on 200 is log10(20) = 1.30103; mean .65051
    assert only.nucleus_stain.optical_density == pytest.approx((0.65051,) * 3, abs=1e-5)


def test_a_yellow_lamp_does_not_change_the_stain():
    cells, nucleus = disc(80, 30, 40, 40), disc(80, 15, 40, 40)
    lit = painted(cells, nucleus, (190, 190, 230), (100, 50, 170), ground=(250, 250, 250))
    yellow = (lit * np.array([1, 0.96, 0.6])).round().astype(np.uint8)
    white_lamp, yellow_lamp = (
        measure_cells(pixels, segmentation(cells, nucleus))[0] for pixels in (lit, yellow)
    )
    assert yellow_lamp.nucleus_stain.optical_density == pytest.approx(
        white_lamp.nucleus_stain.optical_density, abs=0.01
    )
    assert yellow_lamp.nucleus_stain.hue == white_lamp.nucleus_stain.hue == "violet"
    assert yellow_lamp.cytoplasm_stain.hue == white_lamp.cytoplasm_stain.hue == "blue"


@pytest.mark.parametrize("ground", [(0, 0, 0), None])
def test_without_a_bright_background_the_light_is_taken_as_255(ground):
    cells = np.ones((20, 20), int)
    if ground is not None:
        cells[:5] = 0
    pixels = painted(cells, np.zeros((20, 20), bool), (51,) * 3, (0,) * 3, ground=(0, 0, 0))
    (only,) = measure_cells(pixels, segmentation(cells))
    # log10(255/51) = log10(5)
    assert only.cytoplasm_stain.optical_density == pytest.approx((math.log10(5),) * 3, abs=1e-5)


@pytest.mark.parametrize(
    ("colour", "word"),
    [
        ((100, 45, 165), "violet"),
        ((130, 90, 170), "violet"),
        ((170, 190, 235), "blue"),
        ((90, 110, 190), "blue"),
        ((235, 175, 190), "pink"),
        ((225, 130, 170), "pink"),
        ((225, 150, 90), "orange"),
        ((120, 200, 120), "green"),
        ((150, 150, 152), "grey"),
        ((255, 255, 255), "grey"),
    ],
)
def test_hue_has_the_word_that_the_eye_has(colour, word):
    red, green, blue = (-math.log10(value / 255) for value in colour)
    assert hue_word((red, green, blue)) == word


# Every cell, every picture


def test_cells_come_in_order_and_numbers_without_pixels_are_left_out():
    cells = np.zeros((40, 60), int)
    cells[20:30, 5:15], cells[2:12, 40:50], cells[20:30, 40:55] = 4, 1, 2
    pixels = np.full((40, 60, 3), 200, np.uint8)
    found = measure_cells(pixels, segmentation(cells))
    assert [(one.number, one.area_px) for one in found] == [(1, 100), (2, 150), (4, 100)]


def test_windows_span_the_cell_and_no_more():
    cells = np.zeros((40, 60), int)
    cells[20:30, 5:15] = 3
    assert list(cell_windows(segmentation(cells))) == [(3, (slice(20, 30), slice(5, 15)))]


def test_a_picture_without_cells_has_no_measures():
    assert measure_cells(np.zeros((9, 9, 3), np.uint8), segmentation(np.zeros((9, 9)))) == ()


def test_a_locked_or_mirrored_picture_is_measured_and_stays_as_it_was():
    cells, nucleus = disc(60, 20, 25, 30), disc(60, 10, 25, 30)
    pixels = painted(cells, nucleus, (190, 190, 230), (100, 50, 170))
    before = pixels.copy()
    pixels.setflags(write=False)
    straight = measure_cells(pixels, segmentation(cells, nucleus))
    mirrored = measure_cells(pixels[:, ::-1], segmentation(cells[:, ::-1], nucleus[:, ::-1]))
    assert np.array_equal(pixels, before)
    assert straight[0].nucleus_stain == mirrored[0].nucleus_stain


def blobs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A cell and its nucleus of random discs, all clear of the edge."""
    rng = np.random.default_rng(seed)
    cells, nucleus = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)
    for _ in range(4):
        x, y = rng.integers(22, 42, 2).tolist()
        cv2.circle(cells, (x, y), int(rng.integers(10, 18)), 1, -1)
        cv2.circle(nucleus, (x, y), int(rng.integers(2, 8)), 1, -1)
    return cells, (nucleus > 0) & (cells > 0)


def shape_measures(only: CellMeasures) -> tuple[float | None, ...]:
    return (
        only.area_px,
        only.nucleus_area_px,
        only.roundness,
        only.nucleus_roundness,
        only.solidity,
        only.lobes,
    )


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), turns=st.integers(0, 3), mirrored=st.booleans())
def test_turning_and_mirroring_change_nothing(seed, turns, mirrored):
    cells, nucleus = blobs(seed)
    turned_cells, turned_nucleus = np.rot90(cells, turns), np.rot90(nucleus, turns)
    if mirrored:
        turned_cells, turned_nucleus = turned_cells[:, ::-1], turned_nucleus[:, ::-1]
    turned = shape_measures(measured(turned_cells, turned_nucleus))
    assert turned == pytest.approx(shape_measures(measured(cells, nucleus)), rel=1e-5)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_twice_the_size_is_four_times_the_area_and_the_same_ratios(seed):
    cells, nucleus = blobs(seed)
    once = measured(cells, nucleus)
    twice = measured(*(np.kron(mask, np.ones((2, 2), mask.dtype)) for mask in (cells, nucleus)))
    assert twice.area_px == 4 * once.area_px
    assert twice.nucleus_area_px == 4 * once.nucleus_area_px
    assert twice.nc_ratio == once.nc_ratio
    assert twice.diameter_px == pytest.approx(2 * once.diameter_px)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_ratios_stay_between_zero_and_one(seed):
    only = measured(*blobs(seed))
    for ratio in (only.nc_ratio, only.roundness, only.nucleus_roundness, only.solidity):
        assert 0 < ratio <= 1
    assert only.lobes >= 1


def test_picture_and_segmentation_of_different_size_are_refused():
    with pytest.raises(ValueError, match=r"picture is \(9, 8\), its segmentation \(8, 9\)"):
        measure_cells(np.zeros((9, 8, 3), np.uint8), segmentation(np.zeros((8, 9))))


@pytest.mark.parametrize("scale", [0, -0.1, math.nan, math.inf])
def test_a_scale_that_is_no_length_is_refused(scale):
    with pytest.raises(ValueError, match="use a number above 0, or None"):
        measure_cells(np.zeros((9, 9, 3), np.uint8), segmentation(np.zeros((9, 9))), scale)


# Words


def test_a_blast_in_words():
    cells, nucleus = disc(100, 40, 50, 50), disc(100, 37, 50, 50)
    # N:C 37²/40² = .856, on pixels .853
    assert describe(measured(cells, nucleus)) == (
        "diameter 80 px",
        "scant cytoplasm (N:C 0.85)",
        "round nucleus, 1 lobe",
        "nucleus violet, cytoplasm blue",
    )


def test_a_segmented_cell_in_words():
    cells = np.zeros((100, 140), int)
    cells[10:90, 10:130] = 1
    nucleus = np.zeros((100, 140), bool)
    nucleus[30:70] = strung(30, 70, 110)
    words = describe(measured(cells, nucleus, um_per_px=0.1))
    # √(80·120·4/π) = 110.6 px; three discs of 441 px and 2·15·3 px of filament, over 9600 px
    assert words[0] == "diameter 11.1 µm"
    assert words[1].startswith("abundant cytoplasm (N:C 0.1")
    assert words[2] == "lobed nucleus, 3 lobes"


@pytest.mark.parametrize(
    ("changed", "phrase"),
    [
        ({"nc_ratio": 0.70}, "scant cytoplasm (N:C 0.70)"),
        ({"nc_ratio": 0.69}, "moderate cytoplasm (N:C 0.69)"),
        ({"nc_ratio": 0.50}, "moderate cytoplasm (N:C 0.50)"),
        ({"nc_ratio": 0.49}, "abundant cytoplasm (N:C 0.49)"),
        ({"solidity": 0.91}, "indented nucleus, 1 lobe"),
        ({"nucleus_roundness": 0.85}, "round nucleus, 1 lobe"),
        ({"nucleus_roundness": 0.84}, "oval or irregular nucleus, 1 lobe"),
        ({"lobes": 2, "solidity": 0.8}, "lobed nucleus, 2 lobes"),
        ({"nc_ratio": None, "lobes": None}, "no nucleus found"),
        ({"border": True}, "cut by the picture's edge: size is a lower bound"),
        ({"cytoplasm_stain": None}, "nucleus violet"),
    ],
)
def test_each_word_has_its_threshold(changed, phrase):
    plain = measured(disc(100, 40, 50, 50), disc(100, 30, 50, 50))
    assert phrase in describe(dataclasses.replace(plain, **changed))


def test_measures_become_plain_json():
    only = measured(disc(60, 20, 30, 30), disc(60, 10, 30, 30))
    values = json.loads(json.dumps(only.to_dict()))
    assert values["number"] == 1
    assert values["nucleus_stain"]["hue"] == "violet"
    assert list(values) == [field.name for field in dataclasses.fields(CellMeasures)]


# Real cells


@pytest.mark.slow
def test_real_lymphocytes_and_neutrophils_differ_as_every_textbook_says(shared_data):
    median = {}
    for label in ("lymphocyte", "neutrophil"):
        found = []
        for path in sorted((shared_data / "pbc" / label).glob("*.jpg"))[::16]:
            picture = decode(path.read_bytes(), path.name)
            cells = segment(picture.pixels, "stain")
            found += [
                one for one in measure_cells(picture.pixels, cells) if one.number == cells.main
            ]
        assert len(found) >= 40
        median[label] = (
            np.median([one.nc_ratio for one in found if one.nc_ratio is not None]),
            np.median([one.lobes for one in found if one.lobes is not None]),
        )
    assert median["lymphocyte"][0] > 0.7 > 0.5 > median["neutrophil"][0]
    assert median["lymphocyte"][1] == 1
    assert 2 <= median["neutrophil"][1] <= 5
