"""Scale bars, captions and frames: found where many pictures have them, and only there."""

import cv2
import numpy as np
import pytest

from leukemia_app.data.marks import GRID, KINDS, frame_of, line_places, marked

BLACK, RED = (0, 0, 0), (220, 30, 30)


def field(seed, side=128):
    """A pale field with violet cells at random places."""
    rng = np.random.default_rng(seed)
    pixels = np.full((side, side, 3), (235, 225, 235), np.uint8)
    for _ in range(12):
        centre = tuple(int(place) for place in rng.integers(0, side, 2))
        cv2.circle(pixels, centre, 9, (130, 90, 170), -1, cv2.LINE_AA)
    return pixels


def with_bar(pixels, colour):
    made = pixels.copy()
    cv2.line(made, (95, 118), (120, 118), colour, 2)
    return made


def kinds_of(pictures, labels):
    found = marked(np.stack([line_places(picture) for picture in pictures]), labels)
    assert list(found) == list(KINDS)
    return {kind: has.tolist() for kind, has in found.items()}


def test_a_bar_in_every_picture_is_found_by_its_colour():
    pictures = [with_bar(field(seed), BLACK if seed < 8 else RED) for seed in range(16)]
    found = kinds_of(pictures, ["a"] * 8 + ["b"] * 8)
    assert found == {"black mark": [True] * 8 + [False] * 8,
                     "coloured mark": [False] * 8 + [True] * 8}  # fmt: skip


def test_a_bar_in_one_class_is_not_drowned_by_the_others():
    # 6 of 46 pictures, under a quarter of all, but all of their class.
    pictures = [with_bar(field(seed), BLACK) for seed in range(6)]
    pictures += [field(seed) for seed in range(6, 46)]
    found = kinds_of(pictures, ["few"] * 6 + ["many"] * 40)
    assert found["black mark"] == [True] * 6 + [False] * 40


def test_cells_alone_are_no_marks():
    pictures = [field(seed) for seed in range(12)]
    assert not any(any(has) for has in kinds_of(pictures, ["a"] * 12).values())


def test_one_line_at_another_place_in_each_picture_is_no_mark():
    pictures = []
    for number in range(12):
        made = field(number)
        cv2.line(made, (4 + 9 * number, 6), (10 + 9 * number, 6), BLACK, 2)
        pictures.append(made)
    assert not any(kinds_of(pictures, ["a"] * 12)["black mark"])


def test_fewer_than_five_pictures_show_no_habit():
    assert not any(kinds_of([with_bar(field(seed), BLACK) for seed in range(4)],
                            ["a"] * 4)["black mark"])  # fmt: skip


def test_lines_in_the_middle_do_not_count():
    pixels = np.full((128, 128, 3), 235, np.uint8)
    cv2.line(pixels, (50, 64), (78, 64), BLACK, 2)
    assert not line_places(pixels).any()
    assert line_places(pixels).shape == (len(KINDS), GRID, GRID)


def test_a_large_picture_is_measured_as_its_small_one():
    small = with_bar(field(0), BLACK)
    large = cv2.resize(small, (1024, 1024), interpolation=cv2.INTER_NEAREST)
    assert line_places(large)[0].any()


def bordered(black_px=0, white_px=0):
    pixels = np.full((100, 120, 3), 180, np.uint8)
    pixels[:black_px] = 0
    pixels[:, : white_px or 0] = 255
    return pixels


def round_field():
    pixels = np.zeros((100, 100, 3), np.uint8)
    cv2.circle(pixels, (50, 50), 60, (180, 170, 190), -1)
    return pixels


def blanked():
    pixels = np.zeros((100, 100, 3), np.uint8)
    cv2.circle(pixels, (50, 50), 30, (120, 90, 160), -1)
    return pixels


@pytest.mark.parametrize(
    ("pixels", "frame"),
    [
        (bordered(), ""),
        (bordered(black_px=3), "black edge"),
        (bordered(black_px=1), ""),
        (bordered(white_px=4), "white edge"),
        (round_field(), "black corners"),
        (blanked(), "black surround"),
    ],
)
def test_a_frame_is_named(pixels, frame):
    assert frame_of(pixels) == frame
