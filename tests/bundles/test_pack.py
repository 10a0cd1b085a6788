"""A bundle as one zip: the same bytes each time, and whole at the other end."""

import io
import zipfile
from pathlib import Path

import pytest

from leukemia_app.bundles.pack import pack
from leukemia_app.bundles.store import verify
from leukemia_app.errors import BundleError


def names(packed: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return archive.namelist()


def test_the_same_bundle_gives_the_same_bytes(bundle: Path):
    first = pack(bundle)
    for path in bundle.iterdir():
        path.touch()
    assert pack(bundle) == first


def test_what_is_unpacked_elsewhere_is_the_same_bundle(bundle: Path, tmp_path: Path):
    with zipfile.ZipFile(io.BytesIO(pack(bundle))) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "elsewhere")
    (found,) = (tmp_path / "elsewhere").iterdir()
    assert found.name == "small"
    assert verify(found) == verify(bundle)


def test_only_the_bundle_is_packed(bundle: Path):
    (bundle / "notes.txt").write_text("Patient Jane Doe")
    files = sorted(verify(bundle).files)
    assert names(pack(bundle)) == [f"small/{name}" for name in ("bundle.json", "README.md", *files)]


def test_a_bundle_without_a_card_is_packed_too(bundle: Path):
    (bundle / "README.md").unlink()
    assert "small/README.md" not in names(pack(bundle))


def test_a_damaged_bundle_is_not_packed(bundle: Path):
    name = sorted(verify(bundle).files)[0]
    with (bundle / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match=name):
        pack(bundle)
