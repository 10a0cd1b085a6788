import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from leukemia_app.imaging.decode import decode
from leukemia_app.imaging.depth import windowed
from tests.drawn_files import COLUMNS, ROWS, drawn, stored
from tests.tiff_files import DEFLATE, tiff_bytes


def test_window_of_few_values_reaches_from_the_least_to_the_greatest():
    # 3 values: no thousandth is a whole value, so 1000 -> 0, 3000 -> 255, 2000 -> 127.5 -> 128
    shown, low, high = windowed(np.array([1000, 2000, 3000], np.uint16))
    assert (low, high) == (1000, 3000)
    assert shown.tolist() == [0, 128, 255]


def test_window_leaves_out_a_thousandth_at_each_end():
    # 0..9999 once each: 10 values lie below the 0.1 percentile, 10 above the 99.9.
    shown, low, high = windowed(np.arange(10_000, dtype=np.uint16))
    assert (low, high) == (10, 9_989)
    assert (shown[:11] == 0).all()
    assert (shown[9_989:] == 255).all()
    # 5000: (5000 - 10) * 255 / 9979 = 127.51
    assert shown[5_000] == 128


def test_hot_pixels_do_not_darken_the_rest():
    values = np.arange(10_000, dtype=np.uint16) % 4_096
    values[:5] = 65_535
    _, _, high = windowed(values)
    assert high < 4_096


def test_window_is_one_for_all_channels():
    # Red 0..200 and blue 0..100: blue stays half as bright.
    values = np.zeros((101, 1, 3), np.uint16)
    values[:, 0, 0], values[:, 0, 2] = np.arange(101) * 2, np.arange(101)
    shown, _, _ = windowed(values)
    assert shown[100, 0].tolist() == [255, 0, 128]


def test_nearly_constant_picture_is_spread_between_its_extremes():
    # One value in 10,000 differs, which both percentiles miss.
    values = np.full(10_000, 500, np.uint16)
    values[0] = 600
    shown, low, high = windowed(values)
    assert (low, high) == (500, 600)
    assert shown[:2].tolist() == [255, 0]


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (32_768, 128), (65_535, 255)])
def test_constant_picture_keeps_its_part_of_the_range(value, shown):
    assert (windowed(np.full((4, 4), value, np.uint16))[0] == shown).all()


def test_strips_are_counted_together():
    # More values than one strip: the percentiles still hold for all of them.
    values = np.repeat(np.arange(1_000, dtype=np.uint16), 2_000)
    assert windowed(values)[1:] == (1, 998)


@settings(deadline=None)
@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=50))
def test_window_never_changes_an_order(values):
    shown, _, _ = windowed(np.array(values, np.uint16))
    assert (np.diff(shown[np.argsort(values, kind="stable")].astype(int)) >= 0).all()


# Files of 16 bits


def spread(values: np.ndarray) -> np.ndarray:
    """The window in floating point; fewer than 1,000 values, so no percentile cuts any off."""
    low, high = int(values.min()), int(values.max())
    return np.round((values.astype(float) - low) * 255 / (high - low))


def assert_windowed(picture, values):
    assert np.abs(picture.pixels.astype(int) - spread(values)).max() <= 1
    assert picture.source.bit_depth == 16


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_16_bit_grey_tiff_is_windowed(order, compression):
    values = drawn(1, np.uint16) // 16  # a camera of 12 bits
    picture = decode(tiff_bytes(values, order=order, compression=compression), "cell")
    assert_windowed(picture, values[..., None])
    low, high = values.min(), values.max()
    remark = f"16-bit values from {low} (black) to {high} (white) were mapped to 8 bits."
    assert picture.source.remarks == (remark,)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_16_bit_colour_tiff_keeps_its_lower_byte(order, compression):
    values = drawn(3, np.uint16) // 500  # 0 to 131: the upper byte is zero throughout
    picture = decode(tiff_bytes(values[:16, :16], order=order, compression=compression), "cell")
    assert_windowed(picture, values[:16, :16])


def test_16_bit_colour_png_keeps_its_lower_byte():
    values = drawn(3, np.uint16)[:16, :16] // 500
    data = cv2.imencode(".png", values[..., ::-1])[1].tobytes()
    assert_windowed(decode(data, "cell"), values)


def test_16_bit_grey_png_is_windowed_and_not_clipped():
    values = drawn(1, np.uint16)
    data = cv2.imencode(".png", values)[1].tobytes()
    assert_windowed(decode(data, "cell"), values[..., None])


def test_16_bit_grey_that_counts_from_white_is_turned_round():
    values = drawn(1, np.uint16)
    picture = decode(tiff_bytes(values, tags={262: ("H", [0])}), "cell")
    assert_windowed(picture, 65535 - values[..., None])


@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_16_bit_alpha_is_laid_over_white(compression):
    values = drawn(4, np.uint16)[:16, :16]
    values[..., 3] = np.where(np.arange(16) < 8, 65535, 0)
    data = tiff_bytes(values, compression=compression, tags={338: ("H", [2])})
    picture = decode(data, "cell")
    assert np.abs(picture.pixels[:, :8].astype(int) - spread(values[..., :3])[:, :8]).max() <= 1
    assert (picture.pixels[:, 8:] == 255).all()
    assert picture.source.remarks[-1] == "Transparent parts were laid over white."


def test_16_bit_colours_multiplied_by_their_opacity_are_divided_again():
    # Stored 10,000 at opacity 32768: 10,000 * 65535 / 32768 = 19,999; the opaque half stays.
    values = np.zeros((16, 16, 4), np.uint16)
    values[..., :3], values[..., 3] = 40_000, 65535
    values[:, 8:] = (10_000, 10_000, 10_000, 32768)
    values[:, :4, :3] = 0
    picture = decode(tiff_bytes(values, tags={338: ("H", [1])}), "cell")
    # Window 0 to 40,000: 19,999 becomes 127; at opacity 128 of 255 over white 127 * .502 +
    # 255 * .498 = 191
    assert np.abs(picture.pixels[:, 8:].astype(int) - 191).max() <= 1
    assert (picture.pixels[:, 4:8] == 255).all()


def test_16_bit_grey_png_with_alpha_keeps_both():
    values, alpha = drawn(1, np.uint16), np.where(np.arange(COLUMNS) < 12, 65535, 0)
    picture = decode(png_with_grey_alpha(values, alpha.astype(np.uint16)), "cell")
    assert np.abs(picture.pixels[:, :12, 0].astype(int) - spread(values)[:, :12]).max() <= 1
    assert (picture.pixels[:, 12:] == 255).all()


def png_with_grey_alpha(values: np.ndarray, alpha: np.ndarray) -> bytes:
    """A PNG of 16-bit grey and alpha, colour type 4; no library at hand writes one."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))
        )

    samples = np.dstack([values, np.broadcast_to(alpha, values.shape)]).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    head = struct.pack(">LLBBBBB", COLUMNS, ROWS, 16, 4, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_16_bit_png_with_a_transparent_colour_shows_white_there():
    values = np.where(np.arange(COLUMNS) < 12, 1000, 3000) * np.ones((ROWS, 1))
    image = Image.fromarray(values.astype(np.uint16))
    picture = decode(stored(image, "PNG", transparency=1000), "cell")
    assert (picture.pixels == 255).all()  # 3000 is the window's white, 1000 is transparent


def test_constant_16_bit_picture_keeps_its_part_of_the_range():
    # 32768 of 65535 is 127.5 of 255, rounded to the even 128
    picture = decode(tiff_bytes(np.full((ROWS, COLUMNS), 32768, np.uint16)), "cell")
    assert (picture.pixels == 128).all()
