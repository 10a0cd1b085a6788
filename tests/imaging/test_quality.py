import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings

from leukemia_app.imaging.decode import read_picture
from leukemia_app.imaging.quality import SIDE_MEASURED_PX, assess
from tests.strategies import pictures

BACKGROUND, CYTOPLASM, NUCLEUS = (228, 214, 222), (190, 170, 215), (110, 60, 150)


def field(rows: int = 160, columns: int = 200) -> np.ndarray:
    """A drawn field: five cells with grainy nuclei on an even background."""
    generator = np.random.default_rng(2)
    pixels = np.full((rows, columns, 3), BACKGROUND, np.uint8)
    for row, column in itertools.product((40, 110), (45, 105, 165)):
        cv2.circle(pixels, (column, row), 24, CYTOPLASM, -1, cv2.LINE_AA)
        cv2.circle(pixels, (column, row), 17, NUCLEUS, -1, cv2.LINE_AA)
    grain = cv2.GaussianBlur(generator.normal(0, 40, (rows, columns)), (0, 0), 1)
    return np.clip(pixels + grain[..., None] * (pixels[..., 1:2] < 100), 0, 255).astype(np.uint8)


def blurred(pixels: np.ndarray, sigma_px: float) -> np.ndarray:
    return cv2.GaussianBlur(pixels, (0, 0), sigma_px)


def kinds(pixels: np.ndarray) -> list[str]:
    return [finding.kind for finding in assess(pixels).findings]


def referring(pixels: np.ndarray) -> list[str]:
    return [finding.kind for finding in assess(pixels).findings if finding.refer]


def test_good_picture_has_no_findings():
    assert kinds(field()) == []


# Numbers


def test_brightness_and_chroma_by_hand():
    # Largest channel 204: 204 / 255 = .8; largest less smallest 204 - 153 = 51: .2
    measured = assess(np.full((80, 80, 3), (204, 153, 178), np.uint8))
    assert measured.brightness == pytest.approx(0.8)
    assert measured.chroma == pytest.approx(0.2)
    assert measured.contrast == 0
    assert measured.sharpness == 0


def test_contrast_is_that_of_the_widest_channel():
    # Green spans 51 to 204: 153 / 255 = .6; red and blue stay even.
    pixels = np.full((80, 80, 3), (200, 51, 200), np.uint8)
    pixels[:, 40:, 1] = 204
    assert assess(pixels).contrast == pytest.approx(0.6)


def test_clipped_fraction_counts_what_is_white_in_all_channels():
    # A quarter is white; another quarter is white in one channel alone.
    pixels = np.full((80, 80, 3), 120, np.uint8)
    pixels[:40, :40] = 255
    pixels[40:, 40:, 0] = 255
    assert assess(pixels).clipped_fraction == pytest.approx(0.25)


def test_exactly_black_pixels_do_not_count():
    # The left half is masked: the other half alone is 204 / 255 = .8
    pixels = np.full((80, 80, 3), 204, np.uint8)
    pixels[:, :40] = 0
    assert assess(pixels).brightness == pytest.approx(0.8)


def test_edge_of_a_mask_is_not_sharpness():
    pixels = blurred(field(), 6)
    pixels[:, :60] = 0
    assert referring(pixels) == ["blurred"]


@pytest.mark.parametrize(("sigma_px", "sharpness"), [(2, 0.111), (6, 0.019)])
def test_sharpness_of_a_blurred_edge_by_hand(sigma_px, sharpness):
    # 1 - ((b² + 1) / (b² + 4))^(1/4): b = 2 gives 1 - (5 / 8)^.25 = .111, b = 6
    # 1 - (37 / 40)^.25 = .019. 8-bit steps add a little gradient, as noise does.
    edge = np.full((96, 96, 3), 40, np.uint8)
    edge[:, 48:] = 240
    assert assess(blurred(edge, sigma_px)).sharpness == pytest.approx(sharpness, abs=0.005)


def test_more_blur_is_less_sharp():
    measured = [assess(blurred(field(), sigma_px)).sharpness for sigma_px in (0.5, 1, 2, 4, 8)]
    assert measured == sorted(measured, reverse=True)


@settings(deadline=None)
@given(pictures())
def test_measures_stay_between_0_and_1_and_leave_the_picture_alone(picture):
    before = picture.pixels.copy()
    found = assess(picture.pixels)
    for value in (found.sharpness, found.brightness, found.contrast, found.clipped_fraction):
        assert 0 <= value <= 1
    assert np.array_equal(picture.pixels, before)


# Findings


def test_blurred_picture_is_referred():
    assert referring(blurred(field(), 6)) == ["blurred"]


def test_noise_over_a_blurred_picture_is_not_sharpness():
    noise = np.random.default_rng(1).normal(0, 2, (160, 200, 3))
    noisy = np.clip(blurred(field(), 6) + noise, 0, 255).astype(np.uint8)
    assert referring(noisy) == ["blurred"]


def test_large_picture_is_judged_at_the_measured_size():
    # Shrunk by four, a blur of 24 px becomes one of 6.
    large = cv2.resize(field(), None, fx=10.24, fy=10.24, interpolation=cv2.INTER_CUBIC)
    assert max(large.shape) == 4 * SIDE_MEASURED_PX
    assert referring(blurred(large, 24)) == ["blurred"]


@pytest.mark.parametrize("factor", [0, 0.02, 0.1])
def test_blacked_out_picture_is_referred_for_that_alone(factor):
    assert kinds((field() * factor).astype(np.uint8)) == ["dark"]


def test_white_picture_is_referred_for_that_alone():
    assert kinds(np.full((80, 80, 3), 255, np.uint8)) == ["bright"]
    assert referring(np.full((80, 80, 3), 255, np.uint8)) == ["bright"]


def test_cell_on_much_white_is_noted_but_not_referred():
    pixels = np.full((160, 200, 3), 255, np.uint8)
    pixels[50:130, 60:140] = field()[:80, :80]
    assert kinds(pixels) == ["bright"]
    assert referring(pixels) == []


def test_flat_picture_is_referred_for_that_alone():
    flat = (field().mean() + 0.1 * (field() - field().mean())).astype(np.uint8)
    assert kinds(flat) == ["low contrast"]
    assert referring(flat) == ["low contrast"]


def test_weak_contrast_is_noted_but_not_referred():
    # The field's green spans about 40 to 214; a fifth of that is 35 / 255 = .14
    weak = (150 + 0.2 * (field() - 150.0)).astype(np.uint8)
    assert "low contrast" in kinds(weak)
    assert referring(weak) == []


def test_grey_picture_is_noted_but_not_referred():
    grey = np.repeat(cv2.cvtColor(field(), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert kinds(grey) == ["grey"]
    assert referring(grey) == []


def test_small_picture_is_noted_with_its_size():
    (finding,) = assess(np.ascontiguousarray(field()[20:83, 20:90])).findings
    assert finding.kind == "too small"
    assert finding.sentence.startswith("The picture has only 70 x 63 pixels")
    assert not finding.refer


def test_findings_are_sentences():
    spoilt = [blurred(field(), 6), field() // 20, np.full_like(field(), 255), field() // 20 + 150]
    for pixels in spoilt:
        for finding in assess(pixels).findings:
            assert finding.sentence[0].isupper()
            assert finding.sentence.endswith(".")


# Real pictures


@pytest.mark.parametrize("name", ["all4", "pbc", "cnmc", "allidb2", "bcisc", "healthy"])
def test_real_pictures_pass_and_their_blurred_copies_do_not(shared_data: Path, name: str):
    files = sorted(path for path in (shared_data / name).rglob("*.*") if path.is_file())
    chosen = [read_picture(path).pixels for path in files[:: max(1, len(files) // 20)]]
    assert sum(bool(referring(pixels)) for pixels in chosen) == 0
    assert sum(bool(kinds(pixels)) for pixels in chosen) <= 1
    assert all(referring(blurred(pixels, 6)) for pixels in chosen)
    assert all(referring(pixels // 20) for pixels in chosen)
