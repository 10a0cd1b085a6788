"""Which archives every reader reads alike; the rest is tested where archives are unpacked."""

import io
import zipfile

import numpy as np
import pytest

from leukemia_app.archives.zip_reader import ZipReader, has_plain_end
from tests.zip_files import Archive, Entry, two_ends, wide_end, zip_bytes

ONE = Archive(entries=[Entry(name=b"a.npy", data=b"x" * 1000)])


def sizes(archive: bytes) -> list[int]:
    reader = ZipReader(io.BytesIO(archive), "a.npz", 64)
    return [member.size_bytes for member in reader.members]


@pytest.mark.parametrize("made", [two_ends, wide_end])
def test_an_archive_in_which_readers_see_two_has_no_plain_end(made):
    evil = made(zip_bytes(ONE))
    with zipfile.ZipFile(io.BytesIO(evil)) as other:
        assert [info.file_size for info in other.infolist()] == [1000]
    assert sizes(evil) == []  # so that a limit on what it unpacks to would not hold
    assert not has_plain_end(io.BytesIO(evil))


def test_what_follows_the_archive_is_no_plain_end():
    assert not has_plain_end(io.BytesIO(zip_bytes(ONE) + b"\n"))


def test_of_two_archives_in_a_row_every_reader_takes_the_last():
    both = zip_bytes(Archive()) + zip_bytes(ONE)
    with zipfile.ZipFile(io.BytesIO(both)) as other:
        assert [info.file_size for info in other.infolist()] == sizes(both) == [1000]
    assert has_plain_end(io.BytesIO(both))


def test_a_comment_is_no_plain_end():
    archive = Archive(entries=ONE.entries, comment=b"hello")
    assert not has_plain_end(io.BytesIO(zip_bytes(archive)))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_ends_plainly(save):
    file = io.BytesIO()
    save(file, mean=np.zeros(5), rest=np.float32(1))
    assert has_plain_end(file)
    assert has_plain_end(io.BytesIO(zip_bytes(ONE)))
    assert has_plain_end(io.BytesIO(zip_bytes(Archive())))
