import io
import os
import struct
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from benchmarks.fuzz_decode import outcome, seeds
from leukemia_app.errors import ImageError
from leukemia_app.imaging.decode import Limits, decode, encode_png, read_picture
from tests.drawn_files import COLUMNS, ROWS, drawn, stored
from tests.tiff_files import DEFLATE, tiff_bytes

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
LOSSLESS = ("PNG", "BMP", "WEBP", "TIFF")
ORIENTATION = 0x0112


# What is read


@pytest.mark.parametrize("container", LOSSLESS)
def test_lossless_formats_give_the_pixels_back(container):
    picture = decode(stored(Image.fromarray(drawn()), container), "cell")
    assert np.array_equal(picture.pixels, drawn())
    assert picture.source.format == container
    assert (picture.source.rows, picture.source.columns) == (ROWS, COLUMNS)
    assert (picture.source.bit_depth, picture.source.pages) == (8, 1)
    assert picture.source.remarks == ()


def test_jpeg_keeps_an_even_colour():
    even = Image.new("RGB", (COLUMNS, ROWS), (200, 120, 180))
    picture = decode(stored(even, "JPEG", quality=95), "cell")
    assert np.abs(picture.pixels.astype(int) - (200, 120, 180)).max() <= 3


@pytest.mark.parametrize("container", FORMATS)
def test_content_decides_and_not_the_name(container):
    data = stored(Image.fromarray(drawn()), container)
    assert decode(data, "notes.txt").source.format == container


@pytest.mark.parametrize("container", ["JPEG", "PNG", "BMP", "TIFF"])
def test_grey_is_repeated_in_three_channels(container):
    pixels = decode(stored(Image.new("L", (COLUMNS, ROWS), 77), container), "cell").pixels
    assert pixels.shape == (ROWS, COLUMNS, 3)
    assert (pixels == 77).all()


@pytest.mark.parametrize("container", ["PNG", "BMP", "TIFF"])
def test_palette_is_expanded(container):
    indices = Image.fromarray((drawn(1) % 3).astype(np.uint8), "P")
    indices.putpalette([10, 20, 30, 200, 0, 100, 0, 250, 5])
    pixels = decode(stored(indices, container), "cell").pixels
    expected = np.array([[10, 20, 30], [200, 0, 100], [0, 250, 5]])[drawn(1) % 3]
    assert np.array_equal(pixels, expected)


@pytest.mark.parametrize("container", ["PNG", "BMP", "TIFF"])
def test_one_bit_becomes_black_and_white(container):
    bits = Image.fromarray(drawn(1) > 127)
    picture = decode(stored(bits, container), "cell")
    assert np.array_equal(picture.pixels[..., 0], np.where(drawn(1) > 127, 255, 0))
    assert picture.source.bit_depth == 1


def test_pixels_are_read_only_and_contiguous():
    pixels = decode(stored(Image.fromarray(drawn()), "PNG"), "cell").pixels
    assert not pixels.flags.writeable
    assert pixels.flags.c_contiguous


# Transparency


@pytest.mark.parametrize("container", ["PNG", "WEBP", "TIFF"])
def test_transparent_parts_are_laid_over_white(container):
    # 100 at opacity 51 of 255 over white: 100 * .2 + 255 * .8 = 224
    rgba = np.full((ROWS, COLUMNS, 4), (100, 100, 100, 51), np.uint8)
    picture = decode(stored(Image.fromarray(rgba), container), "cell")
    assert np.abs(picture.pixels.astype(int) - 224).max() <= 1
    assert picture.source.remarks == ("Transparent parts were laid over white.",)


@pytest.mark.parametrize("container", ["PNG", "WEBP", "TIFF"])
def test_opaque_alpha_is_dropped_without_a_word(container):
    rgba = np.dstack([drawn(), np.full((ROWS, COLUMNS), 255, np.uint8)])
    picture = decode(stored(Image.fromarray(rgba), container), "cell")
    assert np.array_equal(picture.pixels, drawn())
    assert picture.source.remarks == ()


def test_grey_with_alpha_is_laid_over_white():
    grey_alpha = np.full((ROWS, COLUMNS, 2), (100, 51), np.uint8)
    pixels = decode(stored(Image.fromarray(grey_alpha, "LA"), "PNG"), "cell").pixels
    assert np.abs(pixels.astype(int) - 224).max() <= 1


def test_palette_with_a_transparent_colour_shows_white_there():
    indices = Image.fromarray((drawn(1) % 2).astype(np.uint8), "P")
    indices.putpalette([10, 20, 30, 200, 0, 100])
    pixels = decode(stored(indices, "PNG", transparency=1), "cell").pixels
    assert np.array_equal(pixels, np.array([[10, 20, 30], [255, 255, 255]])[drawn(1) % 2])


# Turning


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("container", ["PNG", "WEBP", "TIFF"])
def test_orientation_is_applied(container, orientation):
    image = Image.fromarray(drawn())
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = decode(stored(image, container, exif=exif.tobytes()), "cell")
    image.getexif()[ORIENTATION] = orientation
    assert np.array_equal(picture.pixels, np.asarray(ImageOps.exif_transpose(image)))
    assert (picture.source.rows, picture.source.columns) == (ROWS, COLUMNS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_jpeg_is_applied(orientation):
    # Four even quarters: JPEG keeps which is where.
    corners = np.kron(np.array([[[0] * 3, [80] * 3], [[160] * 3, [240] * 3]]), np.ones((16, 24, 1)))
    image = Image.fromarray(corners.astype(np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = decode(stored(image, "JPEG", exif=exif.tobytes()), "cell")
    image.getexif()[ORIENTATION] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    assert picture.pixels.shape == expected.shape
    assert np.abs(picture.pixels - expected).max() <= 4
    remark = f"The picture was turned upright: its orientation mark was {orientation}."
    assert picture.source.remarks == (() if orientation == 1 else (remark,))


def test_orientation_six_turns_clockwise():
    # The stored top left corner belongs at the top right.
    pixels = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    turned = decode(stored(Image.fromarray(pixels), "PNG", exif=exif.tobytes()), "cell").pixels
    assert turned.shape == (COLUMNS, ROWS, 3)
    assert turned[0, ROWS - 1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"nonsense"])
def test_damaged_exif_leaves_the_picture_as_it_lies(block):
    data = stored(Image.fromarray(drawn()), "PNG", exif=block)
    assert np.array_equal(decode(data, "cell").pixels, drawn())


# Pages


def test_first_of_three_pages_is_read_and_said():
    pages = [np.full((ROWS, COLUMNS), value, np.uint8) for value in (10, 20, 30)]
    picture = decode(tiff_bytes(*pages), "stack.tif")
    assert (picture.pixels == 10).all()
    assert picture.source.pages == 3
    assert picture.source.remarks == ("The file has 3 pages; only the first was read.",)


def test_jpeg_with_a_second_picture_says_so():
    data = stored(
        Image.fromarray(drawn()), "MPO", save_all=True, append_images=[Image.new("RGB", (24, 20))]
    )
    picture = decode(data, "stereo.jpg")
    assert picture.source.remarks == ("The file has 2 pages; only the first was read.",)


# What is refused

SECOND_FRAME = Image.new("RGB", (COLUMNS, ROWS), "red")


def forged_tiff() -> bytes:
    """Thirty tags that all point at the whole file."""
    data = tiff_bytes(drawn())
    tags = {60_000 + n: ("L", [0]) for n in range(30)}
    forged = tiff_bytes(drawn(), tags=tags)
    entry = b"\x04\x00\x01\x00\x00\x00\x00\x00\x00\x00"
    pointing = b"\x07\x00" + len(data).to_bytes(4, "little") + b"\x00\x00\x00\x00"
    return forged.replace(entry, pointing)


def looped_directory() -> bytes:
    """A directory of 60 entries that all point at it."""
    loop = struct.pack("<HHLL", 0x8769, 4, 1, 8) * 60
    return b"II*\0" + struct.pack("<LH", 8, 60) + loop + bytes(4)


def jpeg_with_index(block: bytes) -> bytes:
    """A JPEG whose list of further pictures is that block."""
    data = stored(Image.fromarray(drawn()), "JPEG")
    return data[:2] + b"\xff\xe2" + struct.pack(">H", len(block) + 6) + b"MPF\0" + block + data[2:]


REFUSED = {
    "empty": (b"", r"cell.x is empty \(0 bytes\). Choose a JPEG, PNG"),
    "text": (b"cell;label\n1;2\n", "cell.x is not a picture: its content is no JPEG.*Choose a"),
    "gif": (
        stored(Image.new("P", (24, 20)), "GIF"),
        "cell.x is a GIF picture. Save it as PNG. JPEG, PNG, BMP, WebP and TIFF are read",
    ),
    "dicom": (bytes(128) + b"DICM" + bytes(99), "cell.x is a DICOM file. Export"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(99), "cell.x is a HEIC photograph.*Export"),
    "avif": (b"\0\0\0\x18ftypavif" + bytes(99), "cell.x is an AVIF picture. Save it as PNG"),
    "zip": (b"PK\x03\x04" + bytes(99), "cell.x is a zip archive.*Unpack it"),
    "slide": (
        tiff_bytes(drawn(), tags={270: ("s", b"Aperio Image Library v11\0")}),
        "cell.x is a whole-slide scan. Export the field",
    ),
    "animated webp": (
        stored(Image.fromarray(drawn()), "WEBP", save_all=True, append_images=[SECOND_FRAME]),
        r"cell.x is animated \(2 frames\). Save the one you need",
    ),
    "animated png": (
        stored(Image.fromarray(drawn()), "PNG", save_all=True, append_images=[SECOND_FRAME]),
        r"cell.x is animated \(2 frames\). Save the one you need",
    ),
    "cmyk jpeg": (
        stored(Image.new("CMYK", (24, 20)), "JPEG"),
        "cell.x is a CMYK picture, made for printing.*Save it as 8-bit or 16-bit RGB",
    ),
    "cmyk tiff": (stored(Image.new("CMYK", (24, 20)), "TIFF"), "cell.x is a CMYK picture"),
    "lab tiff": (stored(Image.new("LAB", (24, 20)), "TIFF"), "cell.x is a picture in Lab colours"),
    "float tiff": (
        tiff_bytes(drawn(1).astype(np.float32)),
        "cell.x holds 32-bit decimal numbers.*Save it as 8-bit or 16-bit",
    ),
    "signed tiff": (
        tiff_bytes(drawn(1).astype(np.int16)),
        "cell.x holds signed or 32-bit numbers.*Save it as 8-bit or 16-bit",
    ),
    "deep planes": (
        tiff_bytes(drawn(3, np.uint16), planar=True),
        "cell.x keeps its 16-bit colours in separate planes.*Save it with interleaved",
    ),
    "deep planes, compressed": (
        tiff_bytes(drawn(3, np.uint16), planar=True, compression=DEFLATE),
        "cell.x keeps its 16-bit colours in separate planes.*Save it with interleaved",
    ),
    "unknown tiff": (
        tiff_bytes(drawn(2)),
        "cell.x begins like a TIFF file.*Save it again as an 8-bit RGB",
    ),
    "raw ycbcr": (
        tiff_bytes(drawn(), drawn(), tags={262: ("H", [6])}),
        "cell.x holds uncompressed YCbCr.*Save it as RGB",
    ),
    "missing strips": (
        tiff_bytes(drawn(), tags={278: ("L", [ROWS // 2])}),
        "cell.x is a TIFF file that lacks part of its rows. Copy or export it again",
    ),
    "many strips": (
        tiff_bytes(drawn(), tags={273: ("L", [8] * 65_537)}),
        "cell.x is a TIFF file in 65,537 strips or tiles.*limit is 65,536. Save it again",
    ),
    "forged tags": (forged_tiff(), "cell.x is a TIFF file whose tags are damaged.*Copy or export"),
    "looped tags": (looped_directory(), "cell.x is a TIFF file whose tags are damaged.*Copy or"),
    "looped index": (
        jpeg_with_index(looped_directory()),
        "cell.x is a JPEG file whose tags are damaged.*Copy or",
    ),
    "many indexes": (
        stored(Image.fromarray(drawn()), "JPEG") + b"\xff\xe2\x00\x06MPF\0" * 17,
        "cell.x is a JPEG with more than 16 lists of further pictures.*Save it again",
    ),
    "many scans": (
        stored(Image.fromarray(drawn()), "JPEG") + b"\xff\xda" * 100,
        "cell.x is a JPEG in 101 passes.*Save it again",
    ),
    "tiny": (stored(Image.new("L", (15, 40)), "PNG"), "15 x 40 pixels.*at least 16 x 16"),
    "long": (stored(Image.new("1", (16_001, 16)), "PNG"), "16,001 x 16 pixels.*Shrink it"),
    "large": (
        stored(Image.new("1", (8_001, 8_000)), "PNG"),
        "8,001 x 8,000 pixels.*64 million and 16,000 a side",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_refusal_names_the_file_and_says_what_to_do(case):
    data, words = REFUSED[case]
    with pytest.raises(ImageError, match=words) as caught:
        decode(data, "cell.x")
    assert str(caught.value).startswith("cell.x ")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("container", FORMATS)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_truncated_files_are_refused(container, part):
    data = stored(Image.fromarray(drawn()), container)
    if container == "TIFF":  # Pillow writes the directory first, so the pixels are cut
        data = tiff_bytes(drawn())
    with pytest.raises(ImageError, match=r"cell.x .*(Copy or export it|Save it) again"):
        decode(data[: int(len(data) * part)], "cell.x")


def test_flipped_bit_in_a_png_is_noticed():
    data = bytearray(stored(Image.fromarray(drawn()), "PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(ImageError, match="PNG file that is damaged or cut short"):
        decode(bytes(data), "cell.x")


def test_declared_bomb_is_refused_without_decoding():
    # The header alone says 50,000 x 50,000; Pillow itself would raise on it.
    data = bytearray(stored(Image.new("RGB", (16, 16)), "BMP"))
    data[18:26] = (50_000).to_bytes(4, "little") * 2
    with pytest.raises(
        ImageError, match=r"cell.x has far too many pixels; the limit is 64 million"
    ):
        decode(bytes(data), "cell.x")


@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
def test_bomb_warning_is_an_error_whatever_the_filters():
    data = bytearray(stored(Image.new("RGB", (16, 16)), "BMP"))
    data[18:26] = (10_000).to_bytes(4, "little") * 2
    with (
        pytest.warns(Image.DecompressionBombWarning),
        pytest.raises(ImageError, match="10,000 x 10,000 pixels; the limit is 64 million"),
    ):
        decode(bytes(data), "cell.x")


def test_byte_limit_is_checked_first():
    with pytest.raises(ImageError, match=r"big.png has 2.5 MB; the limit is 1 MB. Cut out"):
        decode(b"?" * 2_500_000, "big.png", Limits(max_bytes=1_000_000))


def test_limits_that_let_nothing_through_are_refused():
    with pytest.raises(ValueError, match="use numbers above 0"):
        Limits(max_bytes=0)


def test_pixel_limit_stays_below_the_one_of_pillow():
    with pytest.raises(ValueError, match="max_pixels is 100000000; use at most 89478485"):
        Limits(max_pixels=100_000_000)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_image_errors(data):
    with pytest.raises(ImageError, match=r"noise\.png"):
        decode(data, "noise.png")


@settings(deadline=None)
@given(st.sampled_from(FORMATS), st.binary(max_size=200))
def test_random_bytes_after_a_true_beginning_raise_nothing_but_image_errors(container, tail):
    head = stored(Image.fromarray(drawn()), container)[:40]
    with pytest.raises(ImageError, match=r"noise\.png"):
        decode(head + tail, "noise.png")


def test_overlapping_indexes_of_a_jpeg_are_not_copied_out():
    # 1,000 heads of segments that overlap: 65 MB, were each cut out.
    data = b"\xff\xd8\xff\xe0" + b"\xff\xe2\xff\xffMPF\0" * 1_000 + bytes(65_535)
    tracemalloc.start()
    with pytest.raises(ImageError, match="lists of further pictures"):
        decode(data, "cell.jpg")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 5_000_000


def test_parts_of_a_tiff_are_counted_before_it_is_opened(monkeypatch):
    opened = []
    monkeypatch.setattr(Image, "open", lambda *asked, **how: opened.append(asked))
    with pytest.raises(ImageError, match="65,537 strips or tiles"):
        decode(tiff_bytes(drawn(), tags={324: ("L", [8] * 65_537)}), "cell.tif")
    assert opened == []


def test_sixteen_indexes_of_a_jpeg_are_read():
    data = stored(Image.fromarray(drawn()), "JPEG")
    picture = decode(data + b"\xff\xe2\x00\x06MPF\0" * 16, "cell.jpg")
    assert picture.pixels.shape == (ROWS, COLUMNS, 3)


def test_forged_exif_of_a_jpeg_is_not_copied_out():
    # 2,000 tags that each point at the same 60,000 bytes: 120 MB, were they read.
    tags = b"".join(struct.pack(">HHLL", 100 + n, 7, 60_000, 8) for n in range(2_000))
    block = b"MM\x00*" + struct.pack(">LH", 8, 2_000) + tags + bytes(40_000)
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\x00\x00" + block
    data = stored(Image.fromarray(drawn()), "JPEG")
    tracemalloc.start()
    picture = decode(data[:2] + segment + data[2:], "cell.jpg")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert picture.pixels.shape == (ROWS, COLUMNS, 3)
    assert peak_bytes < 10_000_000


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_threads_get_the_same_pictures_as_one_thread():
    files = [data for data in seeds() if outcome(data) == "picture"] * 3
    alone = [decode(data, "seed").pixels for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: decode(data, "seed").pixels, files))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


# Files


def test_file_is_read_and_named(tmp_path):
    (tmp_path / "cell.png").write_bytes(stored(Image.fromarray(drawn()), "PNG"))
    picture = read_picture(tmp_path / "cell.png")
    assert picture.name == "cell.png"
    assert np.array_equal(picture.pixels, drawn())


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"cell.png is not there. Check the folder"):
        read_picture(tmp_path / "cell.png")


def test_folder_is_no_file(tmp_path):
    (tmp_path / "cell.png").mkdir()
    with pytest.raises(ImageError, match=r"cell.png is not a file. Choose a JPEG"):
        read_picture(tmp_path / "cell.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_named_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "cell.png")
    with pytest.raises(ImageError, match=r"cell.png is not a file"):
        read_picture(tmp_path / "cell.png")


def test_name_that_no_disk_knows_is_refused():
    with pytest.raises(ImageError, match=r"cannot be opened. Check that you may read it"):
        read_picture(Path("cell\0.png"))


def test_large_file_is_refused_unread(tmp_path, monkeypatch):
    (tmp_path / "cell.png").write_bytes(b"?" * 1_200_000)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("the file was opened"))
    with pytest.raises(ImageError, match=r"cell.png has 1.2 MB; the limit is 1 MB"):
        read_picture(tmp_path / "cell.png", Limits(max_bytes=1_000_000))


# What is written


def test_written_png_gives_the_pixels_back():
    assert np.array_equal(decode(encode_png(drawn()), "cell").pixels, drawn())


def test_written_mask_stays_grey():
    with Image.open(io.BytesIO(encode_png(drawn(1)))) as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), drawn(1))


def test_nothing_but_pixels_survives():
    exif = Image.Exif()
    exif[0x010E] = "Patient 4711"
    exif[0x8825] = {1: "N", 2: (47.0, 3.0, 11.0)}
    data = stored(
        Image.fromarray(drawn()), "JPEG", exif=exif.tobytes(), comment=b"Patient 4711", dpi=(99, 99)
    )
    assert b"Patient 4711" in data
    written = encode_png(decode(data, "cell.jpg").pixels)
    assert b"Patient" not in written
    chunks = []
    at = 8
    while at < len(written):
        size = int.from_bytes(written[at : at + 4], "big")
        chunks.append(written[at + 4 : at + 8])
        at += 12 + size
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
