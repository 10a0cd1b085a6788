import json
import math
import struct
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.errors import SettingError
from leukemia_app.imaging.render import (
    CELLS,
    LABELS,
    draw,
    draw_cell,
    draw_field,
    draw_tissue,
)
from leukemia_app.imaging.render_blood import Blood, paint_platelets, paint_red_cells
from leukemia_app.imaging.render_cells import Place, flanks, paint_cell
from leukemia_app.imaging.render_examples import EXAMPLES, draw_examples, examples_json
from leukemia_app.imaging.render_fields import FIELDS
from leukemia_app.imaging.render_film import Film, photograph
from leukemia_app.imaging.render_forms import FORMS
from leukemia_app.imaging.render_looks import LOOKS, Look
from leukemia_app.imaging.render_shapes import capsule, coverage, cut, grain, join, spots, star

EXAMPLES_DIR = Path(__file__).resolve().parents[2] / "examples"


def even_look(**changes: object) -> Look:
    """A camera without a fault: even light of 200, no blur, no noise, no sharpening."""
    values: dict[str, object] = {
        "light": (200.0, 200.0, 200.0), "uneven": 0.0, "refraction": 0.0, "blur_um": 0.0,
        "blur_px": 0.0, "fringe_um": 0.0, "sharpen": 0.0, "noise": 0.0,
    }  # fmt: skip
    return replace(LOOKS["cream"], **(values | changes))


def grid(half_px: int, px_per_um: float) -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(2 * half_px) + 0.5 - half_px).astype(np.float32) / np.float32(px_per_um)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return y, x


def nc_ratio(label: str, seed: int) -> float:
    drawing = draw_cell(label, LOOKS["plum"], 96, np.random.default_rng(seed), True)
    return float(drawing.nucleus.sum() / (drawing.cells > 0).sum())


def diameter_px(label: str, seed: int) -> float:
    drawing = draw_cell(label, LOOKS["plum"], 96, np.random.default_rng(seed), True)
    return 2 * math.sqrt((drawing.cells > 0).sum() / math.pi)


# Shapes


def test_a_circle_of_5_um_at_10_px_per_um_covers_7854_px():
    y, x = grid(60, 10)
    # pi * (5 um * 10 px/um)^2 = pi * 2500 = 7854 px
    assert (star(y, x, 5.0) > 0).sum() == pytest.approx(7854, rel=0.002)


def test_an_oval_keeps_the_area_of_its_fourier_radius():
    y, x = grid(60, 10)
    # r = R(1 + a cos 2t): area = pi R^2 (1 + a^2/2) = 7854 * 1.02 = 8011 px for a = 0.2
    assert (star(y, x, 5.0, ((2, 0.2, 0.0),)) > 0).sum() == pytest.approx(8011, rel=0.003)


def test_a_thread_covers_a_rectangle_and_two_half_discs():
    y, x = grid(80, 10)
    # 8 um long, half width 1 um: (8 * 2 + pi * 1) um^2 * 100 px/um^2 = 1914 px
    thread = capsule(y, x, ((0.0, -4.0), (0.0, 4.0)), 1.0)
    assert (thread > 0).sum() == pytest.approx(1914, rel=0.01)


def test_coverage_is_a_half_on_the_border_and_ends_half_a_width_away():
    depth = np.array([-0.5, 0.0, 0.25, 0.5], np.float32)
    # step = 0.75 at depth 0.25 of width 1: 0.75^2 * (3 - 1.5) = 0.84375
    assert coverage(depth, 1.0).tolist() == [0.0, 0.5, 0.84375, 1.0]


def test_join_and_cut_leave_far_depths_alone_and_round_where_both_meet():
    near, far = np.float32([[1.0]]), np.float32([[-5.0]])
    assert join(near, far, 0.5).item() == 1.0
    assert cut(near, far, 0.5).item() == 1.0
    # equal depths: blend 1, so soft / 4 is added
    assert join(near, near, 0.4).item() == pytest.approx(1.1)


@given(st.floats(0.2, 30), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_grain_has_about_unit_spread_at_every_scale(sigma_px: float, seed: int):
    side = int(12 * sigma_px) + 64
    texture = grain((side, side), sigma_px, np.random.default_rng(seed))
    assert texture.shape == (side, side)
    assert 0.4 < texture.std() < 1.5


def test_spots_stay_where_there_is_room():
    room = np.zeros((40, 80), np.float32)
    room[:, :30] = 1
    laid = spots(room, 4.0, 0.2, 5.0, np.random.default_rng(0))
    assert laid[:, :30].max() > 0.5
    assert laid[:, 40:].max() == 0


def test_two_equal_circles_share_a_wall_half_way():
    # 8 um apart, radius 5 each: (64 + 25 - 25) / 16 = 4 um from each
    walls = flanks([((0.0, 0.0), 5.0), ((0.0, 8.0), 5.0)], 0)
    assert walls == ((0.0, 1.0, 4.0),)


def test_walls_of_unlike_circles_are_the_same_line():
    # 7 um apart, radii 5 and 3: (49 + 25 - 9) / 14 = 4.643 and (49 + 9 - 25) / 14 = 2.357
    circles = [((0.0, 0.0), 5.0), ((7.0, 0.0), 3.0)]
    assert flanks(circles, 0)[0][2] == pytest.approx(65 / 14)
    assert flanks(circles, 1)[0][2] == pytest.approx(33 / 14)


def test_a_cell_far_away_makes_no_wall():
    assert flanks([((0.0, 0.0), 5.0), ((0.0, 12.0), 5.0)], 0) == ()


# Film and camera


def test_stacked_layers_multiply_the_light():
    film = Film.empty(8, 8, 2.0)
    film.density[..., 0] += 0.1
    film.density[..., 0] += 0.2
    pixels = photograph(film, even_look(), np.random.default_rng(0))
    # 200 * 10^-0.3 = 100.2 in red; the other channels see no layer
    assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [[100, 200, 200]]


def test_a_red_cell_layer_takes_the_look_s_density():
    film = Film.empty(8, 8, 2.0)
    film.red[:] = 1
    pixels = photograph(film, even_look(red_cell=(0.0, 0.3, 1.0)), np.random.default_rng(0))
    # 200, 200 * 10^-0.3 = 100.2, 200 * 10^-1 = 20
    assert pixels[4, 4].tolist() == [200, 100, 20]


def test_uneven_light_darkens_the_corners_only():
    film = Film.empty(60, 60, 2.0)
    pixels = photograph(film, even_look(uneven=0.5), np.random.default_rng(3))
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1], 1]
    assert pixels[..., 1].max() > 185
    assert corners.min() < 140


def test_noise_grows_with_its_setting():
    film = Film.empty(40, 40, 2.0)
    spread = [
        photograph(film, even_look(noise=noise), np.random.default_rng(0)).std()
        for noise in (0.0, 2.0, 6.0)
    ]
    assert spread[0] == 0
    assert spread[0] < spread[1] < spread[2]


def test_nothing_is_near_a_point_off_the_film():
    assert Film.empty(20, 20, 2.0).around((100.0, 5.0), 3.0) is None


def test_painters_skip_what_lies_off_the_film():
    film = Film.empty(20, 20, 2.0)
    place = Place(centre_um=(100.0, 5.0), radius_um=5.0)
    paint_cell(film, FORMS["all"], place, LOOKS["cream"], np.random.default_rng(0))
    assert not film.cells.any()
    assert not film.density.any()


def test_truth_numbers_cells_without_a_gap():
    film = Film.empty(10, 10, 20.0)
    film.cells[:3], film.cells[6:] = 5, 9
    cells, _ = film.truth()
    assert cells[0, 0] == 1
    assert cells[9, 0] == 2
    assert np.unique(cells).tolist() == [0, 1, 2]


def test_red_cells_have_a_pale_middle_and_keep_clear_of_white_cells():
    film = Film.empty(120, 120, 6.0)
    paint_red_cells(
        film, Blood(cover=0.4, pallor=0.9, crenated=0), [((10.0, 10.0), 6.0)],
        np.random.default_rng(1),
    )  # fmt: skip
    # red cells may touch the circle of 6 um by 3 % of the two radii and by their own waves
    span, y, x = film.around((10.0, 10.0), 5.0)
    assert film.red[span][np.hypot(y, x) < 5].max() == 0
    assert film.red.max() > 0.7


def test_platelets_and_stain_keep_clear_of_white_cells():
    film = Film.empty(120, 120, 6.0)
    film.cells[:] = 1
    blood = Blood(platelets_per_mm2=1e5, deposits_per_mm2=1e5)
    paint_platelets(film, blood, LOOKS["cream"], np.random.default_rng(0))
    assert film.density.max() == 0


# Looks


@pytest.mark.parametrize(
    ("field", "value", "advice"),
    [
        ("light", (0.0, 10.0, 10.0), r"look\.light is \(0\.0, 10\.0, 10\.0\); use values above 0"),
        ("uneven", 1.5, r"look\.uneven is 1\.5; use 0 to 0\.9"),
        ("refraction", -1.0, r"look\.refraction is -1\.0; use 0 or more"),
        ("blur_um", -0.1, r"look\.blur_um is -0\.1"),
        ("noise", -2.0, r"look\.noise is -2\.0"),
    ],
)
def test_a_look_no_camera_has_is_refused(field: str, value: object, advice: str):
    with pytest.raises(ValueError, match=advice):
        replace(LOOKS["cream"], **{field: value})


def test_looks_of_every_field_can_be_found_by_name():
    assert {name for mixture in FIELDS.values() for name in mixture.looks} <= set(LOOKS)
    assert all(look.name == name for name, look in LOOKS.items())


@pytest.mark.parametrize("label", sorted(FIELDS))
def test_shares_of_a_field_add_up_to_one_and_name_forms(label: str):
    assert sum(share for _, share in FIELDS[label].cells) == pytest.approx(1)
    assert {name for name, _ in FIELDS[label].cells} <= set(FORMS)


# Drawings


@pytest.mark.parametrize("label", sorted(LABELS))
def test_every_label_gives_a_picture_with_its_nucleus_inside_its_cells(label: str):
    drawing = draw(label, 5, side_px=72)
    assert drawing.pixels.shape == (72, 72, 3)
    assert drawing.pixels.dtype == np.uint8
    assert drawing.cells.dtype == np.int32
    assert drawing.nucleus.dtype == np.bool_
    assert drawing.label == label
    assert not (drawing.nucleus & (drawing.cells == 0)).any()


@pytest.mark.parametrize("label", sorted(CELLS))
def test_a_single_cell_is_number_one_and_lies_whole_in_the_picture(label: str):
    cells = draw(label, 2, side_px=96).cells
    assert np.unique(cells).tolist() == [0, 1]
    border = np.concatenate([cells[0], cells[-1], cells[:, 0], cells[:, -1]])
    assert not border.any()


@pytest.mark.parametrize("label", sorted(set(CELLS) - {"platelet"}))
def test_the_nucleus_is_darker_than_the_cytoplasm(label: str):
    drawing = draw(label, 4, "cream", side_px=128)
    cytoplasm = (drawing.cells > 0) & ~drawing.nucleus
    red = drawing.pixels[..., 0]
    assert red[drawing.nucleus].mean() < red[cytoplasm].mean() - (0 if label == "basophil" else 15)


def test_a_platelet_has_no_nucleus():
    assert not draw("platelet", 0).nucleus.any()


def test_a_lymphoblast_has_more_nucleus_and_is_larger_than_a_lymphocyte():
    seeds = range(8)
    blast = np.mean([nc_ratio("all", seed) for seed in seeds])
    assert blast > np.mean([nc_ratio("hem", seed) for seed in seeds]) + 0.03
    assert blast > np.mean([nc_ratio("neutrophil", seed) for seed in seeds]) + 0.3
    sizes = [np.mean([diameter_px(label, seed) for seed in seeds]) for label in ("all", "hem")]
    # 13.0 um and 10.2 um at 96 px / 26.5 um = 3.62 px/um: 47 and 37 px
    assert sizes == pytest.approx([47.1, 37.0], rel=0.06)


def test_a_look_changes_colours_and_leaves_every_mask():
    violet, bench = (draw("Early", 3, look, side_px=96) for look in ("violet", "bench"))
    assert np.array_equal(violet.cells, bench.cells)
    assert np.array_equal(violet.nucleus, bench.nucleus)
    assert np.abs(violet.pixels.astype(int) - bench.pixels).mean() > 20


@pytest.mark.parametrize("label", ["Pre", "all", "tissue"])
def test_a_seed_gives_the_same_picture_and_another_seed_others(label: str):
    first, again, other = (draw(label, seed, side_px=64) for seed in (7, 7, 8))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.cells, again.cells)
    assert not np.array_equal(first.pixels, other.pixels)


def test_the_look_that_a_seed_chooses_can_be_asked_for_by_name():
    chosen = draw("Benign", 9, side_px=64)
    assert chosen.look in FIELDS["Benign"].looks
    assert np.array_equal(draw("Benign", 9, chosen.look, side_px=64).pixels, chosen.pixels)


def test_all_but_the_cell_is_black_on_a_black_background():
    drawing = draw("hem", 1)
    assert drawing.pixels.shape == (300, 300, 3)
    assert drawing.pixels[drawing.cells == 0].max() == 0
    assert drawing.pixels[drawing.cells > 0].max(axis=1).min() > 0


def test_a_field_counts_the_cells_that_were_asked_for():
    looks = LOOKS["blue"]
    few = draw_field("Pre", looks, 96, np.random.default_rng(2), n_cells=3)
    none = draw_field("Pre", looks, 96, np.random.default_rng(2), n_cells=0)
    assert 1 <= few.cells.max() <= 3
    assert np.unique(few.cells).tolist() == list(range(few.cells.max() + 1))
    assert none.cells.max() == 0


def test_a_crowded_field_takes_fewer_cells_than_asked_for():
    crowded = draw_field("Pre", LOOKS["blue"], 48, np.random.default_rng(0), n_cells=300)
    assert 20 < crowded.cells.max() < 150


def test_a_camera_frame_shows_the_area_of_a_square_field():
    frame = draw("Pro", 3, side_px=80, rows_px=60)
    assert frame.pixels.shape == (60, 80, 3)
    # cells keep their size in micrometres: 80 * 60 px show 93^2 um^2
    film = Film.empty(60, 80, math.sqrt(80 * 60) / 93)
    assert math.prod(film.size_um) == pytest.approx(93**2)


def test_tissue_holds_no_blood_cell():
    drawing = draw_tissue(LOOKS["section"], 64, np.random.default_rng(0))
    assert not drawing.cells.any()
    assert not drawing.nucleus.any()


def test_a_picture_out_of_focus_is_dark_and_blurred():
    sharp, dull = (draw("Early", 4, look, side_px=96).pixels for look in ("violet", "unfocused"))
    assert dull.mean() < sharp.mean() / 2
    edges = [
        cv2.Laplacian(cv2.GaussianBlur(pixels, (0, 0), 1.5).astype(np.float32), cv2.CV_32F).std()
        for pixels in (sharp, dull)
    ]
    assert edges[1] < edges[0] / 3


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"label": "AML", "seed": 0}, "label is 'AML'; use one of Benign, Early"),
        ({"label": "all", "seed": 0, "look": "green"}, "look is 'green'; use one of violet"),
        ({"label": "all", "seed": 0, "side_px": 8}, "side_px is 8; use 32 to 2048"),
        ({"label": "Pre", "seed": 0, "rows_px": 9999}, "rows_px is 9999; use 32 to 2048"),
        ({"label": "all", "seed": 0, "rows_px": 64}, "rows_px is 64, but a single cell is square"),
        ({"label": "all", "seed": -1}, "seed is -1; use 0 or more"),
    ],
)
def test_what_cannot_be_drawn_is_named_with_advice(arguments: dict, advice: str):
    with pytest.raises(SettingError, match=advice):
        draw(**arguments)


def test_a_misused_painter_says_what_it_knows():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="label is 'Pre'; use one of all, hem"):
        draw_cell("Pre", LOOKS["cream"], 64, rng)
    with pytest.raises(ValueError, match="label is 'all'; use one of Benign"):
        draw_field("all", LOOKS["cream"], 64, rng)
    with pytest.raises(ValueError, match="a side is 8 px; use 32 or more"):
        draw_cell("all", LOOKS["cream"], 8, rng)


# The shipped folder


def test_shipped_pictures_are_what_is_drawn_now():
    for row, drawing in draw_examples():
        shipped = cv2.imread(str(EXAMPLES_DIR / row.file), cv2.IMREAD_COLOR)[..., ::-1]
        assert shipped.shape == (*row.size, 3), row.file
        apart = np.abs(shipped.astype(int) - drawing.pixels)
        # Another CPU may round a grey level otherwise, and put a border pixel on the other side.
        assert (apart > 1).mean() < 0.001, row.file


def test_shipped_pictures_carry_no_metadata():
    for row in EXAMPLES:
        data, at, kinds = (EXAMPLES_DIR / row.file).read_bytes(), 8, set()
        while at < len(data):
            (length,) = struct.unpack(">I", data[at : at + 4])
            kinds.add(data[at + 4 : at + 8])
            at += 12 + length
        assert kinds == {b"IHDR", b"IDAT", b"IEND"}, row.file


def test_the_shipped_list_is_the_list_in_code():
    text = (EXAMPLES_DIR / "examples.json").read_text(encoding="utf-8")
    assert text == examples_json()
    first = json.loads(text)[0]
    assert list(first) == [
        "file", "drawn", "input", "look", "seed", "size", "caption", "masks",
    ]  # fmt: skip


def test_the_folder_holds_the_examples_and_nothing_else():
    listed = {row.file for row in EXAMPLES} | {"examples.json", "README.md"}
    assert {path.name for path in EXAMPLES_DIR.iterdir()} == listed
    assert sum(path.stat().st_size for path in EXAMPLES_DIR.iterdir()) < 1_500_000


def test_every_caption_says_it_is_drawn_in_one_sentence():
    for row in EXAMPLES:
        assert row.caption.startswith("Drawn, not photographed")
        assert row.caption.endswith(".")
        assert row.caption.count(".") == 1
        assert row.drawn in LABELS
        assert row.input in ("field", "cell")


def test_examples_show_every_field_class_and_pictures_to_be_refused():
    drawn = [row.drawn for row in EXAMPLES]
    assert {"Benign", "Early", "Pre", "Pro"} <= set(drawn)
    assert drawn.count("all") >= 2
    assert drawn.count("hem") >= 2
    assert any(row.file.startswith("refuse-") for row in EXAMPLES)


def test_the_readme_tells_the_command():
    text = (EXAMPLES_DIR / "README.md").read_text(encoding="utf-8")
    assert "python -m leukemia_app render --examples --out examples" in text
