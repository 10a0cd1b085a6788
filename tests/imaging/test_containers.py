import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.imaging import containers
from leukemia_app.imaging.containers import (
    MAX_PAGES_COUNTED,
    Tag,
    advice_for,
    container_of,
    exif_orientation,
    jpeg_exif,
    jpeg_page_index,
    jpeg_scans,
    tag_bytes,
    tiff_pages,
    tiff_parts,
    without_exif,
)
from tests.tiff_files import tiff_bytes

PAGE = np.zeros((16, 16), np.uint8)


@pytest.mark.parametrize(
    ("start", "container"),
    [
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"BM", "BMP"),
        (b"RIFF\x00\x00\x00\x00WEBP", "WEBP"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
        (b"II+\x00", "TIFF"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_container_is_known_by_its_first_bytes(start, container):
    assert container_of(start) == container


def test_unknown_content_gets_no_advice():
    assert advice_for(b"cell;label\n1;2\n") is None


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("n_pages", [1, 2, 5])
def test_pages_are_counted(order, n_pages):
    assert tiff_pages(tiff_bytes(*[PAGE] * n_pages, order=order)) == n_pages


def test_pages_of_a_big_tiff_are_counted():
    # BigTIFF: offsets of 8 bytes; two directories without entries, at 16 and at 32.
    head = b"II+\x00\x08\x00\x00\x00" + struct.pack("<Q", 16)
    assert tiff_pages(head + struct.pack("<QQQQ", 0, 32, 0, 0)) == 2


def test_chain_of_pages_that_bites_its_tail_ends():
    # One directory without entries at 8, whose link points at 8 again.
    assert tiff_pages(b"II*\x00" + struct.pack("<LHL", 8, 0, 8)) == 1


def test_million_empty_pages_are_not_walked():
    # Directories of 6 bytes: no entries, and the place of the next.
    links = b"".join(struct.pack("<HL", 0, 14 + 6 * n) for n in range(1_000_000))
    assert tiff_pages(b"II*\x00\x08\x00\x00\x00" + links) == MAX_PAGES_COUNTED


@pytest.mark.parametrize("number", [273, 279, 324, 325])
def test_parts_are_the_most_that_any_list_of_them_says(number):
    # The page has one strip; the forged list says 70,000 values of 4 bytes each.
    data = tiff_bytes(PAGE, tags={number: ("L", [0] * 70_000)})
    assert tiff_parts(data) == 70_000


def test_page_in_one_strip_has_one_part():
    assert tiff_parts(tiff_bytes(PAGE)) == 1


def test_file_without_a_directory_has_no_part():
    assert tiff_parts(b"II*\x00") == 0


def test_tags_of_an_honest_file_take_less_than_the_file():
    data = tiff_bytes(np.zeros((64, 64, 3), np.uint16), tags={270: ("s", b"A" * 500)})
    assert 500 < tag_bytes(data) < len(data)


def test_tags_that_share_bytes_are_counted_each():
    # Three tags of 1,000 bytes (kind 7, one byte a value) at the same place: 3,000.
    entries = b"".join(struct.pack("<HHLL", 60_000 + n, 7, 1_000, 8) for n in range(3))
    assert (
        tag_bytes(b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 3) + entries + bytes(4)) == 3_000
    )


def test_tags_of_inner_directories_count_too():
    # At 8 one tag, EXIF (4 bytes), that points at 26; there one tag of 1,000 bytes: 1,004.
    outer = struct.pack("<HHHLLL", 1, 0x8769, 4, 1, 26, 0)
    inner = struct.pack("<HHHLLL", 1, 60_000, 7, 1_000, 8, 0)
    assert tag_bytes(b"II*\x00\x08\x00\x00\x00" + outer + inner) == 1_004


def test_directory_that_holds_itself_ends():
    # One tag, EXIF, that points back at 8: read at three depths, 4 bytes each. The block has room
    # for three entries: 26 bytes and 10 more, 36 / 12.
    loop = struct.pack("<HHHLLL", 1, 0x8769, 4, 1, 8, 0)
    assert tag_bytes(b"II*\x00\x08\x00\x00\x00" + loop + bytes(10)) == 12


def test_entries_that_are_read_again_and_again_are_not_all_read(monkeypatch):
    # Sixty entries that point at their own directory: 60 + 60² + 60³ = 219,660 at three depths.
    # The block is 8 + 2 + 60 * 12 + 4 = 734 bytes and so holds 61 entries at most.
    read = []
    monkeypatch.setattr(containers, "Tag", lambda **entry: read.append(0) or Tag(**entry))
    loop = struct.pack("<HHLL", 0x8769, 4, 1, 8) * 60
    assert tag_bytes(b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 60) + loop + bytes(4)) is None
    assert len(read) <= 62


def test_entries_are_counted_no_further_than_one_directory_holds(monkeypatch):
    # A BigTIFF may say any number: here six entries of 20 bytes, one more than allowed.
    monkeypatch.setattr(containers, "MAX_TAGS", 5)
    entries = struct.pack("<HHQQ", 60_000, 1, 1, 0) * 6
    assert tag_bytes(b"II+\x00" + struct.pack("<LQQ", 8, 16, 6) + entries) is None


@pytest.mark.parametrize(("order", "sign"), [("<", b"II*\x00"), (">", b"MM\x00*")])
@pytest.mark.parametrize("prefix", [b"", b"Exif\x00\x00"])
def test_orientation_is_found_in_either_byte_order(order, sign, prefix):
    block = sign + struct.pack(order + "LHHHLHHL", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    assert exif_orientation(prefix + block) == 6


def test_orientation_out_of_range_means_upright():
    assert exif_orientation(b"II*\x00" + struct.pack("<LHHHLHHL", 8, 1, 0x0112, 3, 1, 9, 0, 0)) == 1


def test_orientation_is_looked_for_in_no_more_entries_than_one_directory_holds(monkeypatch):
    # Two entries, the mark the second of them.
    entries = struct.pack("<HHLHHHHLHH", 60_000, 3, 1, 0, 0, 0x0112, 3, 1, 6, 0)
    block = b"II*\x00" + struct.pack("<LH", 8, 2) + entries
    assert exif_orientation(block) == 6
    monkeypatch.setattr(containers, "MAX_TAGS", 1)
    assert exif_orientation(block) == 1


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_random_exif_gives_an_orientation(block):
    assert exif_orientation(b"II*\x00" + block) in range(1, 9)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_random_tiff_has_a_page(tail):
    assert tiff_pages(b"II*\x00" + tail) >= 1
    assert (tag_bytes(b"II+\x00" + tail) or 0) >= 0


def test_exif_of_a_jpeg_is_found_and_hidden():
    # A segment's length counts its own two bytes: 2 + 6 of the sign + 4 of the block = 12.
    data = b"\xff\xd8\xff\xe1\x00\x0cExif\x00\x00abcd\xff\xd9"
    assert jpeg_exif(data) == b"abcd"
    assert jpeg_exif(without_exif(data)) == b""
    assert len(without_exif(data)) == len(data)


def test_jpeg_without_exif_has_an_empty_block():
    assert jpeg_exif(b"\xff\xd8\xff\xd9") == b""


def test_blocks_that_list_pictures_are_cut_out_one_by_one():
    # Ten heads, each of which says that its segment is 65,535 bytes long: 2 of the length and
    # 65,529 of the block behind the sign. Together they would be ten times the file.
    data = b"\xff\xd8" + b"\xff\xe2\xff\xffMPF\x00" * 10 + bytes(65_535)
    blocks = jpeg_page_index(data)
    assert iter(blocks) is blocks
    assert len(next(blocks)) == 65_529
    assert sum(1 for _ in blocks) == 9


def test_scans_are_counted():
    assert jpeg_scans(b"\xff\xd8\xff\xda..\xff\x00\xda..\xff\xda..\xff\xd9") == 2
