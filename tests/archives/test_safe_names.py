import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.archives.safe_names import (
    MAX_DEPTH,
    MAX_NAME_BYTES,
    Claims,
    UnsafeNameError,
    listed,
    safe_name,
    safe_parts,
    shown,
)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../x.png", r"climbs out of the archive \(\.\.\)"),
        ("a\\..\\..\\x.png", "climbs out"),
        ("/x.png", "has an absolute path"),
        ("\\x.png", "has an absolute path"),
        ("C:\\x.png", "has an absolute path"),
        ("", "has no name"),
        ("./.", "has no name"),
        ("d/" * MAX_DEPTH + "x.png", "lies 17 folders deep; the limit is 16"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name, message):
    with pytest.raises(UnsafeNameError, match=message):
        safe_parts(name)


@given(st.text(max_size=300))
def test_any_text_becomes_a_name_that_every_system_holds(text):
    name = safe_name(text)
    assert name == safe_name(name)
    assert 0 < len(name.encode("utf-8")) <= MAX_NAME_BYTES
    assert not set(name) & set('<>:"|?*\\/\0\n')
    assert name not in (".", "..")
    assert name == name.rstrip(". ")


@given(st.lists(st.sampled_from(["a/1.png", "A/1.png", "a/1 (2).png", "b.png", "c"]), max_size=12))
def test_no_path_is_given_out_twice(names):
    claims = Claims()
    given_out = ["/".join(claims.claim(safe_parts(name))).casefold() for name in names]
    assert len(set(given_out)) == len(given_out)


def test_a_long_name_keeps_its_suffix_and_no_half_a_letter():
    # 116 bytes are left for the stem: 58 letters of two bytes.
    assert safe_name("é" * 200 + ".bmp") == "é" * 58 + ".bmp"


def test_a_folder_called_like_a_file_is_refused():
    claims = Claims()
    claims.claim(("a.png",))
    with pytest.raises(UnsafeNameError, match="in a folder that is called like a file beside it"):
        claims.claim(("A.PNG", "1.png"))


def test_names_are_shown_without_what_does_not_print_and_never_too_long():
    assert shown("a\x1b[31m\u202eb.png") == "a?[31m?b.png"
    assert shown("x" * 200 + "end.png") == "…" + "x" * 72 + "end.png"
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(1_005)]) == "0, 1, 2, 3, 4 and 1,000 more"
