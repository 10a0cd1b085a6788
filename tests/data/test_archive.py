"""Archives as strangers pack them: what is written, what is left out, what is refused."""

import contextlib
import os
import re
import shutil
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections import namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.data import archive as archive_module
from leukemia_app.data.archive import FREE_RATIO_BYTES, Unpacked, ZipLimits, unpack
from leukemia_app.errors import DatasetError
from leukemia_app.settings import Settings
from tests.zip_files import Entry, deflated, write_zip

LIMITS = ZipLimits(max_files=100, max_bytes=10_000_000, max_ratio=200, max_file_bytes=1_000_000)
GOOD = Entry(name=b"hem/good.bmp", data=b"good")


def unpacked(tmp_path, *entries, limits=LIMITS, **lies) -> Unpacked:
    """What comes out of one archive called data.zip, below `out`."""
    return unpack([write_zip(tmp_path / "data.zip", *entries, **lies)], tmp_path / "out", limits)


def written(tmp_path):
    out = tmp_path / "out"
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


# What is taken


def test_pictures_and_tables_are_written_and_nothing_else(tmp_path):
    got = unpacked(
        tmp_path,
        Entry(name=b"data/", data=b"", method=0, mode=0o40755),
        Entry(name=b"data/ALL/1.BMP", data=b"one"),
        Entry(name=b"data/labels.csv", data=b"file,label\n"),
        Entry(name=b"data/readme.txt"),
        Entry(name=b"data/run.exe"),
        Entry(name=b"data/more.ZIP"),
        Entry(name=b"data/a.tar.gz"),
        Entry(name=b"data/cell.gif"),
        Entry(name=b"data/.DS_Store"),
        Entry(name=b"data/ALL/Thumbs.db"),
        Entry(name=b"__MACOSX/data/ALL/._1.BMP"),
        Entry(name=b"data/.git/x.png"),
    )
    assert written(tmp_path) == ["data/ALL/1.BMP", "data/labels.csv"]
    assert (tmp_path / "out/data/ALL/1.BMP").read_bytes() == b"one"
    assert got.n_files == 2
    assert got.problems == ()
    assert got.ignored == {
        ".gif pictures, which are not read": 1,
        "archives inside the data": 2,
        "hidden files": 1,
        "other files": 2,
        "system files of macOS or Windows": 3,
    }


def test_several_archives_get_a_folder_each_and_never_overwrite(tmp_path):
    first = write_zip(tmp_path / "C-NMC.zip", Entry(name=b"all/1.bmp", data=b"1"))
    (tmp_path / "more").mkdir()
    second = write_zip(tmp_path / "more/c-nmc.zip", Entry(name=b"all/1.bmp", data=b"2"))
    got = unpack([first, second], tmp_path / "out", LIMITS)
    assert got.n_files == 2
    assert written(tmp_path) == ["C-NMC/all/1.bmp", "c-nmc (2)/all/1.bmp"]
    assert (tmp_path / "out/c-nmc (2)/all/1.bmp").read_bytes() == b"2"


def test_progress_counts_up_to_all_files(tmp_path):
    seen = []
    path = write_zip(tmp_path / "a.zip", GOOD, Entry(name=b"x/2.png"), Entry(name=b"x/no.txt"))
    unpack([path], tmp_path / "out", LIMITS, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]


def test_a_stop_leaves_nothing_behind(tmp_path):
    def stop(done, total):
        if done == 1:
            raise KeyboardInterrupt

    path = write_zip(tmp_path / "a.zip", GOOD, Entry(name=b"x/2.png"))
    with pytest.raises(KeyboardInterrupt):
        unpack([path], tmp_path / "out", LIMITS, stop)
    assert not (tmp_path / "out").exists()


def test_zip64_data_descriptors_comments_and_a_program_in_front_are_read(tmp_path):
    path = tmp_path / "odd.zip"
    with path.open("wb") as file:
        file.write(b"#!/bin/sh\n" * 50)

        class Pipe:  # cannot seek: zipfile then writes sizes behind the data
            write = staticmethod(file.write)
            flush = staticmethod(file.flush)

        with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as made:
            made.comment = b"PK\5\6 in a comment" + b" " * 500
            with made.open("hem/1.png", "w", force_zip64=True) as member:
                member.write(b"picture" * 1000)
    assert unpack([path], tmp_path / "out", LIMITS).n_files == 1
    assert (tmp_path / "out/hem/1.png").read_bytes() == b"picture" * 1000


@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n" * 50])
def test_the_records_of_large_archives_are_read(tmp_path, monkeypatch, before):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 20)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.write(before)
        with zipfile.ZipFile(file, "w") as made:
            for name in "abc":
                made.writestr(f"hem/{name}.png", name * 100)
    assert b"PK\6\6" in path.read_bytes()
    assert unpack([path], tmp_path / "out", LIMITS).n_files == 3
    assert (tmp_path / "out/hem/c.png").read_bytes() == b"c" * 100


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"),
                min_size=1, max_size=12)  # fmt: skip


@given(
    files=st.lists(st.tuples(NAMES, NAMES, st.binary(max_size=200)), min_size=1, max_size=8),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_whatever_zipfile_packs_comes_out_as_often_and_with_its_content(
    tmp_path_factory, files, method
):
    folder = tmp_path_factory.mktemp("round")
    with zipfile.ZipFile(folder / "a.zip", "w", method) as made:
        for number, (above, name, content) in enumerate(files):
            made.writestr(f"class {above}/{number}{name}.png", content)
    got = unpack([folder / "a.zip"], folder / "out", LIMITS)
    assert got.problems == ()
    contents = [path.read_bytes() for path in (folder / "out").rglob("*") if path.is_file()]
    assert sorted(contents) == sorted(content for _, _, content in files)
    shutil.rmtree(folder)


# A bad member costs only itself


BAD = {
    "climbs": (Entry(name=b"../evil.png"), r"climbs out of the archive \(\.\.\)"),
    "climbs inside": (Entry(name=b"a/b/../../../evil.png"), "climbs out of the archive"),
    "climbs with backslashes": (Entry(name=b"..\\..\\evil.png"), "climbs out of the archive"),
    "climbs with blanks": (Entry(name=b"a/ ../evil.png"), "climbs out of the archive"),
    "absolute": (Entry(name=b"/etc/evil.png"), "has an absolute path"),
    "drive": (Entry(name=b"C:/evil.png"), "has an absolute path"),
    "drive without a slash": (Entry(name=b"c:evil.png"), "has an absolute path"),
    "network share": (Entry(name=b"\\\\host\\share\\evil.png"), "has an absolute path"),
    "too deep": (Entry(name=b"d/" * 40 + b"evil.png"), "41 folders deep; the limit is 16"),
    "link": (Entry(name=b"l.png", data=b"/etc/passwd", mode=0o120777), "is a link; put the"),
    "device": (Entry(name=b"d.png", mode=0o020666), "is no plain file"),
    "pipe": (Entry(name=b"p.png", mode=0o010644), "is no plain file"),
    "encrypted": (Entry(name=b"e.png", flags=1), "protected with a password; pack it again"),
    "strongly encrypted": (Entry(name=b"e.png", flags=0x41), "protected with a password"),
    "encrypted with AES": (Entry(name=b"e.png", method=99), "protected with a password"),
    "bzip2": (Entry(name=b"b.png", method=12), "is packed with bzip2, which is not read"),
    "Deflate64": (Entry(name=b"b.png", method=9), "is packed with Deflate64"),
    "LZMA": (Entry(name=b"b.png", method=14), "is packed with LZMA"),
    "unheard-of packing": (Entry(name=b"b.png", method=77), "is packed with method 77"),
    "wrong checksum": (Entry(name=b"c.png", crc=1), "is damaged: its checksum does not fit"),
    "more than stated": (Entry(name=b"m.png", data=b"y" * 999, size=10), "holds more than the 10"),
    "more than stated, checksum fits": (
        Entry(name=b"m.png", data=b"y" * 99, size=10, crc=zlib.crc32(b"y" * 10)), "holds more"),
    "far more than stated": (
        Entry(name=b"m.png", packed=deflated(bytes(50_000_000)), size=10), "holds more than"),
    "less than stated": (Entry(name=b"m.png", data=b"abc", size=900), "holds 3 bytes where its"),
    "stored, less than stated": (
        Entry(name=b"m.png", data=b"abc", size=9, method=0), "holds 3 bytes where its header"),
    "broken bytes": (Entry(name=b"k.png", packed=b"\xff" * 30), "packed bytes cannot be unpacked"),
    "cut short": (Entry(name=b"k.png", packed=deflated(os.urandom(500))[:90], size=500),
                  "is cut short"),
    "no packed bytes": (Entry(name=b"k.png", packed=b""), "is cut short"),
    "two names": (Entry(name=b"n.png", local_name=b"o.png"), "described otherwise in the"),
    "two methods": (Entry(name=b"n.png", local_method=0), "described otherwise in the directory"),
    "too large": (Entry(name=b"big.png", data=os.urandom(1_000_001)), "has 1 MB, and the limit"),
    "in a folder called like a file": (
        Entry(name=b"hem/good.bmp/in.png"), "lies in a folder that is called like a file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_member_is_named_and_costs_only_itself(tmp_path, kind):
    bad, reason = BAD[kind]
    last = Entry(name=b"all/last.bmp", data=b"last")
    got = unpacked(tmp_path, GOOD, bad, last)
    assert written(tmp_path) == ["all/last.bmp", "hem/good.bmp"]
    assert got.n_files == 2
    (problem,) = got.problems
    assert problem.startswith("data.zip: ")
    assert re.search(reason, problem), problem
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.zip", "out"]


def test_a_member_that_would_fill_the_disk_costs_only_itself(tmp_path):
    # 20 MB of zeros pack to 20 kB: a thousandfold, above the size that is let through anyway.
    bomb = Entry(name=b"b.png", data=bytes(2 * FREE_RATIO_BYTES))
    limits = ZipLimits(max_files=10, max_bytes=10**9, max_ratio=200, max_file_bytes=10**9)
    got = unpacked(tmp_path, GOOD, bomb, limits=limits)
    assert written(tmp_path) == ["hem/good.bmp"]
    assert "b.png would grow to more than 200 times its packed size" in got.problems[0]


def test_an_empty_mask_packs_a_thousandfold_and_is_taken(tmp_path):
    assert unpacked(tmp_path, Entry(name=b"m.bmp", data=bytes(600_000))).n_files == 1


def test_a_member_that_is_not_where_the_directory_says_costs_only_itself(tmp_path):
    # The third entry points between the others' headers: into the bytes of a member that is stored.
    long = Entry(name=b"all/long.bmp", data=b"z" * 200, method=0)
    stray = Entry(name=b"stray.png", data=b"", packed=b"", method=0)
    path = write_zip(tmp_path / "data.zip", GOOD, long, stray)
    content = bytearray(path.read_bytes())
    at = content.rfind(b"stray.png") - 4
    content[at : at + 4] = struct.pack("<L", struct.unpack_from("<L", content, at)[0] + 5)
    path.write_bytes(content)
    got = unpack([path], tmp_path / "out", LIMITS)
    assert got.n_files == 2
    assert "stray.png is not where the directory says" in got.problems[0]


def test_a_path_that_the_system_cannot_hold_costs_only_itself(tmp_path, monkeypatch):
    taken = archive_module.Path.open

    def picky(path, *rest, **more):
        if path.name == "odd.png":
            raise OSError(22, "Invalid argument", str(path))
        return taken(path, *rest, **more)

    monkeypatch.setattr(archive_module.Path, "open", picky)
    got = unpacked(tmp_path, GOOD, Entry(name=b"odd.png"))
    assert got.n_files == 1
    assert "has a path that this system cannot hold (Invalid argument)" in got.problems[0]


# Names


@pytest.mark.parametrize(
    ("raw", "flags", "safe"),
    [
        pytest.param("préB.png".encode("cp437"), 0, "préB.png", id="cp437"),
        pytest.param("préB.png".encode(), 0x800, "préB.png", id="UTF-8, marked"),
        pytest.param("préB.png".encode(), 0, "préB.png", id="UTF-8, unmarked as by macOS"),
        pytest.param("pre\u0301B.png".encode(), 0, "préB.png", id="accent apart as by macOS"),
        pytest.param(b"\xff\xfe.png", 0x800, "\xa0■.png".strip(), id="marked UTF-8, but none"),
        pytest.param(b"\xed\xa0\x80.png", 0x800, None, id="half a surrogate pair"),
        pytest.param(b"a\0b\x07\n.png", 0, "a_b__.png", id="control signs"),
        pytest.param("\u202egnp.exe.png".encode(), 0, "_gnp.exe.png", id="turns the text"),
        pytest.param(b'a<b>c:d"e|f?g*.png', 0, "a_b_c_d_e_f_g_.png", id="signs Windows refuses"),
        pytest.param(b"CON.png", 0, "_CON.png", id="a device"),
        pytest.param(b"lpt1 .x.png", 0, "_lpt1 .x.png", id="a device with two suffixes"),
        pytest.param(b"aux/x.png", 0, "_aux/x.png", id="a folder named as a device"),
        pytest.param(b"dots. . ./x.png", 0, "dots/x.png", id="dots at the end"),
        pytest.param(b"a//./b/x.png", 0, "a/b/x.png", id="empty folders"),
        pytest.param(b"a\\b\\x.png", 0, "a/b/x.png", id="backslashes as by old Windows"),
        pytest.param(b"n" * 300 + b".png", 0, "n" * 116 + ".png", id="overlong"),
        pytest.param(b"n" * 60_000 + b".png", 0, "n" * 116 + ".png", id="far overlong"),
    ],
)
def test_odd_names_become_safe_ones(tmp_path, raw, flags, safe):
    got = unpacked(tmp_path, Entry(name=raw, flags=flags))
    assert got.problems == ()
    (name,) = written(tmp_path)
    assert name == safe or safe is None
    name.encode("utf-8")


def test_a_name_in_the_field_for_unicode_goes_before_the_other(tmp_path):
    name, better = b"pr\x82B.png", "前B.png".encode()
    right = struct.pack("<2HBL", 0x7075, 5 + len(better), 1, zlib.crc32(name)) + better
    stale = struct.pack("<2HBL", 0x7075, 5 + len(better), 1, 1) + better
    unpacked(tmp_path, Entry(name=name, extra=right), Entry(name=b"y.png", extra=stale))
    assert written(tmp_path) == ["y.png", "前B.png"]


def test_two_members_of_one_name_are_both_kept(tmp_path):
    names = [b"a/1.png", b"a/1.png", b"A/1.PNG", "a/é.png".encode(), "a/e\u0301.png".encode()]
    got = unpacked(tmp_path, *(Entry(name=name, data=b"%d" % n) for n, name in enumerate(names)))
    assert got.n_files == 5
    assert written(tmp_path) == [
        "A/1 (3).PNG", "a/1 (2).png", "a/1.png", "a/é (2).png", "a/é.png"
    ]  # fmt: skip
    assert (tmp_path / "out/a/1 (2).png").read_bytes() == b"1"


def test_a_file_called_like_a_folder_gets_a_number(tmp_path):
    unpacked(tmp_path, Entry(name=b"x.png/1.png"), Entry(name=b"X.png"))
    assert written(tmp_path) == ["X (2).png", "x.png/1.png"]


@given(name=st.binary(min_size=1, max_size=60))
def test_no_name_leads_out_of_the_folder(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("names")
    unpacked(folder, GOOD, Entry(name=name + b".png"))
    assert sorted(path.name for path in folder.iterdir()) == ["data.zip", "out"]
    assert 1 <= len(written(folder)) <= 2
    shutil.rmtree(folder)


# A hostile or broken archive is refused, and nothing is left of it


def refused(tmp_path, message, limits=LIMITS):
    with pytest.raises(DatasetError, match=message):
        unpack([tmp_path / "data.zip"], tmp_path / "out", limits)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "data.zip is no zip archive, or was cut short. Copy or", id="empty"),
        pytest.param(b"hello" * 99, "data.zip is no zip archive", id="text"),
        pytest.param(b"Rar!\x1a\x07\x00" + bytes(99), "is no zip archive", id="another archive"),
        pytest.param(b"PK\5\6" + bytes(10), "is no zip archive", id="end cut short"),
        pytest.param(b"PK\5\6" + bytes(18), "data.zip: no pictures inside", id="nothing in it"),
    ],
)
def test_a_file_that_is_no_archive_is_refused(tmp_path, content, message):
    (tmp_path / "data.zip").write_bytes(content)
    refused(tmp_path, message)


def test_an_archive_cut_anywhere_is_refused(tmp_path):
    whole = write_zip(tmp_path / "data.zip", GOOD, Entry(name=b"x.png")).read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "data.zip").write_bytes(whole[:length])
        refused(tmp_path, "data.zip")


@pytest.mark.parametrize(
    ("lies", "message"),
    [
        pytest.param({"disk": 1}, "data.zip is one of several volumes", id="volume"),
        pytest.param({"directory_start": 10**6}, "damaged: its directory is not", id="far start"),
        pytest.param({"directory_size": 9000}, "damaged: its directory is not", id="long"),
        pytest.param({"directory_start": 3}, "damaged: its directory|overlap", id="shifted"),
        pytest.param({"after_directory": b"xxxx"}, "its directory breaks off", id="garbage in it"),
    ],
)  # fmt: skip
def test_an_archive_that_lies_about_its_directory_is_refused(tmp_path, lies, message):
    write_zip(tmp_path / "data.zip", GOOD, **lies)
    refused(tmp_path, message)


def test_a_directory_of_endless_names_is_refused_unread(tmp_path):
    # One file allowed: four entries of 512 bytes, and this one takes 3,000.
    write_zip(tmp_path / "data.zip", Entry(name=b"x.png", extra=bytes(3_000)))
    refused(tmp_path, "lists more than 4 entries", ZipLimits(max_files=1))


def test_an_archive_that_understates_its_entries_is_read_by_its_directory(tmp_path):
    assert unpacked(tmp_path, GOOD, Entry(name=b"x.png"), count=1).n_files == 2


def test_members_that_share_bytes_are_refused(tmp_path):
    write_zip(tmp_path / "data.zip", GOOD, Entry(name=b"hem/good.bmp", offset=0, packed=b""))
    refused(tmp_path, "data.zip is not unpacked: the bytes of hem/good.bmp overlap with others")


def test_a_member_that_holds_others_as_a_zip_of_death_is_refused(tmp_path):
    # The first entry's bytes are stored and run over the second's header, as in a quoted overlap.
    inner = Entry(name=b"in.png", data=b"kernel", method=0)
    write_zip(tmp_path / "data.zip", Entry(name=b"out.png", method=0, packed_size=100), inner)
    refused(tmp_path, "the bytes of out.png overlap with others, as in archives made to fill")


def test_a_member_that_runs_into_the_directory_is_refused(tmp_path):
    write_zip(tmp_path / "data.zip", Entry(name=b"x.png", packed_size=5_000))
    refused(tmp_path, "the bytes of x.png overlap")


def test_a_local_header_that_moves_the_bytes_into_the_next_member_is_refused(tmp_path):
    path = write_zip(tmp_path / "data.zip", Entry(name=b"x.png"), GOOD)
    content = bytearray(path.read_bytes())
    content[28:30] = struct.pack("<H", 30)  # length of the first local extra field
    path.write_bytes(content)
    refused(tmp_path, "the bytes of x.png overlap")


def test_an_offset_behind_the_end_is_refused(tmp_path):
    write_zip(tmp_path / "data.zip", GOOD, Entry(name=b"x.png", offset=2**31))
    refused(tmp_path, "the bytes of x.png overlap")


def test_a_zip64_locator_that_leads_nowhere_is_refused(tmp_path):
    content = write_zip(tmp_path / "data.zip", GOOD).read_bytes()
    end = len(content) - 22
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 2**60, 1)
    (tmp_path / "data.zip").write_bytes(content[:end] + locator + content[end:])
    refused(tmp_path, "damaged: its zip64 record is missing")


def test_too_many_entries_are_refused_though_they_would_be_ignored(tmp_path):
    limits = ZipLimits(max_files=2)
    write_zip(tmp_path / "data.zip", GOOD, *(Entry(name=b"%d.txt" % n) for n in range(8)))
    refused(tmp_path, "lists more than 8 entries. Pack fewer files .* raise LEUKEMIA_ZIP_FILES",
            limits)  # fmt: skip


def test_too_many_pictures_are_refused_with_the_number(tmp_path):
    write_zip(tmp_path / "data.zip", *(Entry(name=b"%d.png" % n) for n in range(4)))
    refused(tmp_path, r"4 files, and the limit is 3. .* LEUKEMIA_ZIP_FILES",
            ZipLimits(max_files=3))  # fmt: skip


def test_too_many_pictures_in_several_archives_are_refused(tmp_path):
    paths = [write_zip(tmp_path / f"{n}.zip", GOOD, Entry(name=b"x.png")) for n in range(2)]
    with pytest.raises(DatasetError, match=r"0.zip, 1.zip: 4 files, and the limit is 3"):
        unpack(paths, tmp_path / "out", ZipLimits(max_files=3))


def test_more_bytes_than_allowed_are_refused_before_any_is_written(tmp_path):
    write_zip(tmp_path / "data.zip", GOOD, Entry(name=b"x.png", data=os.urandom(3_000_000)))
    refused(tmp_path, "data.zip: 3 MB unpacked, and the limit is 2 MB. .* LEUKEMIA_ZIP_MB",
            ZipLimits(max_bytes=2_000_000))  # fmt: skip


def test_an_archive_that_grows_too_far_is_refused(tmp_path):
    # 20 members that state 10 MB each in an archive of 2 kB
    bombs = [Entry(name=b"%d.png" % n, size=10_000_000) for n in range(20)]
    write_zip(tmp_path / "data.zip", *bombs)
    refused(tmp_path, "data.zip is not unpacked: it would grow to more than 200 times its size")


def test_a_disk_without_room_is_refused_before_any_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**9, 9 * 10**8, 10**8)
    monkeypatch.setattr(archive_module.shutil, "disk_usage", lambda path: usage)
    write_zip(tmp_path / "data.zip", GOOD)
    refused(tmp_path, "the disk has 0 MB to spare. Make room at")


def test_a_disk_that_fills_up_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    def full(path, *rest, **more):
        raise OSError(28, "No space left on device", str(path))

    write_zip(tmp_path / "data.zip", GOOD)
    monkeypatch.setattr(archive_module.Path, "mkdir", full)
    refused(tmp_path, r"data.zip cannot be unpacked \(No space left on device\). Make room")


def test_an_archive_of_junk_alone_is_refused(tmp_path):
    write_zip(tmp_path / "data.zip", Entry(name=b"a.txt"), Entry(name=b"labels.csv"))
    refused(tmp_path, r"data.zip: no pictures inside \(\.jpg, ")


def test_an_archive_whose_pictures_are_all_locked_says_so(tmp_path):
    write_zip(tmp_path / "data.zip", *(Entry(name=b"%d.png" % n, flags=1) for n in range(3)))
    refused(tmp_path, "none of the pictures can be unpacked. The first: .*0.png is protected with")


def test_one_hostile_archive_of_two_sinks_both(tmp_path):
    good = write_zip(tmp_path / "good.zip", GOOD)
    bad = write_zip(tmp_path / "bad.zip", Entry(name=b"x.png", packed_size=5_000))
    with pytest.raises(DatasetError, match=r"bad\.zip is not unpacked"):
        unpack([good, bad], tmp_path / "out", LIMITS)
    assert not (tmp_path / "out").exists()


def test_an_archive_that_is_not_there_is_named(tmp_path):
    refused(tmp_path, r"data.zip cannot be opened \(No such file or directory\). Choose or upload")


@given(content=st.binary(max_size=400), seed=st.integers(0, 2**32))
def test_random_changes_to_an_archive_end_in_files_or_in_words(tmp_path_factory, content, seed):
    folder = tmp_path_factory.mktemp("random")
    path = write_zip(folder / "data.zip", GOOD, Entry(name=b"x.png", data=content))
    whole = bytearray(path.read_bytes())
    for place in range(3):
        whole[(seed >> (place * 9)) % len(whole)] ^= 1 << (seed % 8)
    path.write_bytes(whole)
    n_files = 0
    with contextlib.suppress(DatasetError):
        n_files = unpack([path], folder / "out", LIMITS).n_files
    assert len(written(folder)) == n_files
    assert {path.name for path in folder.iterdir()} <= {"data.zip", "out"}
    shutil.rmtree(folder)


# Memory, limits, misuse


def test_memory_does_not_grow_with_a_member(tmp_path):
    # 30 MB of noise: with the member in memory the peak would lie above that.
    entry = Entry(name=b"x.png", data=os.urandom(30_000_000), method=0)
    path = write_zip(tmp_path / "data.zip", entry)
    limits = ZipLimits(max_files=1)
    tracemalloc.start()
    try:
        unpack([path], tmp_path / "out", limits)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_ten_thousand_copies_of_one_name_take_no_longer_than_others(tmp_path):
    entries = [Entry(name=b"x.png", data=b"") for _ in range(3_000)]
    limits = ZipLimits(max_files=5_000)
    assert unpacked(tmp_path, *entries, limits=limits).n_files == 3_000
    assert (tmp_path / "out/x (3000).png").is_file()


def test_written_files_are_plain_and_not_executable(tmp_path):
    unpacked(tmp_path, Entry(name=b"x.png", mode=0o106755))
    assert not (tmp_path / "out/x.png").stat().st_mode & (stat.S_ISUID | stat.S_IXUSR)


def test_limits_come_from_the_settings(tmp_path):
    settings = Settings.from_environment(
        {"HOME": str(tmp_path), "LEUKEMIA_ZIP_FILES": "7", "LEUKEMIA_ZIP_MB": "8",
         "LEUKEMIA_ZIP_RATIO": "9", "LEUKEMIA_MAX_FILE_MB": "10"}
    )  # fmt: skip
    assert ZipLimits.of(settings) == ZipLimits(
        max_files=7, max_bytes=8_000_000, max_ratio=9, max_file_bytes=10_000_000
    )


def test_limits_that_let_nothing_through_are_a_mistake():
    with pytest.raises(ValueError, match="lets nothing through; use numbers above 0"):
        ZipLimits(max_files=0)


def test_a_folder_in_use_or_no_archive_is_a_mistake(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.png").write_bytes(b"x")
    with pytest.raises(ValueError, match="out is not empty; give a new folder"):
        unpacked(tmp_path, GOOD)
    assert (tmp_path / "out/mine.png").is_file()
    with pytest.raises(ValueError, match="archives is empty"):
        unpack([], tmp_path / "new", LIMITS)
