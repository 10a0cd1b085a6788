import pytest

from leukemia_app.data.ignored import ARCHIVES, HIDDEN, OTHER, SYSTEM, reason_to_ignore, suffix_of


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("ALL/1.png", ""),
        ("ALL/1.TIFF", ""),
        ("./ALL/../1.Jpeg", ""),
        ("labels.CSV", ""),
        ("__MACOSX/ALL/1.png", SYSTEM),
        ("ALL/._1.png", SYSTEM),
        ("ALL/.DS_Store", SYSTEM),
        ("ALL/Thumbs.db", SYSTEM),
        ("ALL/DESKTOP.INI", SYSTEM),
        ("$RECYCLE.BIN/1.png", SYSTEM),
        ("ALL/Icon\r", SYSTEM),
        (".thumbnails/1.png", HIDDEN),
        ("ALL/.1.png", HIDDEN),
        ("~$labels.csv", HIDDEN),
        ("ALL/more.zip", ARCHIVES),
        ("a.tar.GZ", ARCHIVES),
        ("ALL/1.gif", ".gif pictures, which are not read"),
        ("ALL/1.DCM", ".dcm pictures, which are not read"),
        ("ALL/notes.txt", OTHER),
        ("ALL/png", OTHER),
        (".png", HIDDEN),
    ],
)
def test_each_file_is_taken_or_counted_as_what_it_is(path, reason):
    assert reason_to_ignore(path.split("/")) == reason


def test_a_name_that_begins_with_its_only_dot_has_no_suffix():
    assert [suffix_of(name) for name in ("a.PNG", "a", ".png", "a.b.c", "")] == [
        ".png", "", "", ".c", ""
    ]  # fmt: skip
