"""Labelled folders: which of their pictures a label map knows, by whose names."""

import tempfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from leukemia_app.data.archive import ZipLimits
from leukemia_app.errors import UnknownLabelsError
from leukemia_app.evaluation.label_map import LabelMap, parse
from leukemia_app.training.labelled import labelled_folder, opened
from tests.drawn_files import drawn, stored


def plain(*labels: str) -> LabelMap:
    return LabelMap(members={label: (label,) for label in labels}, is_stated=False)


def folder(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(stored(Image.fromarray(drawn()), "PNG"))
    return tmp_path


def test_a_folder_goes_by_its_own_name_where_the_map_has_it(tmp_path: Path):
    labels = parse("other = Benign, normal; leukemic = Early, leuk")
    data = labelled_folder(folder(tmp_path, "leuk", "normal"))
    assert [(row.file, labels.common(row.label)) for row in data.known(labels)] == [
        ("leuk/a.png", "leukemic"), ("normal/a.png", "other"),
    ]  # fmt: skip
    assert data.labelled(labels).unmapped == {}


def test_a_folder_goes_by_the_models_name_for_it_else(tmp_path: Path):
    data = labelled_folder(folder(tmp_path, "[Malignant] Pro-B", "Leukemia", "Normal"))
    assert [row.label for row in data.known(plain("hem", "all", "Pro"))] == ["all", "hem", "Pro"]


def test_other_names_of_a_models_label_meet(tmp_path: Path):
    data = labelled_folder(folder(tmp_path, "healthy", "leukaemia"))
    assert [row.label for row in data.known(plain("Normal", "leukemia"))] == ["Normal", "leukemia"]


def test_a_name_that_two_common_labels_claim_is_left_out(tmp_path: Path):
    data = labelled_folder(folder(tmp_path, "healthy", "all"))
    labels = parse("a = hem; b = normal, all")
    assert [row.label for row in data.known(labels)] == ["all"]
    assert data.labelled(labels).unmapped == {"healthy": 1}


def test_labels_that_no_model_knows_are_told_as_the_folders_have_them(tmp_path: Path):
    data = labelled_folder(folder(tmp_path, "Normal", "leuk"))
    with pytest.raises(UnknownLabelsError, match="labels Normal, leuk") as caught:
        data.labelled(plain("Early", "Pre"))
    assert caught.value.labels == ("Normal", "leuk")


@pytest.mark.parametrize(("name", "inside"), [("...zip", "_"), ("con.zip", "_con"), ("a.zip", "a")])
def test_a_zip_is_read_in_a_folder_of_its_own_whatever_its_name(
    name: str, inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for label in ("x", "y"):
            archive.writestr(f"{label}/a.png", stored(Image.fromarray(drawn()), "PNG"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with opened(tmp_path / name, ZipLimits()) as found:
        assert found.name == inside
        assert found.parent.parent == scratch
        assert (found / "x" / "a.png").is_file()
    assert list(scratch.iterdir()) == []
