"""Methods against masks: what is compared, what is left out, and the real sets."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from leukemia_app.errors import DatasetError, RecipeError
from leukemia_app.evaluation.segmentation import MaskReport, compare_masks
from leukemia_app.imaging.segment import segment, to_mask

BACKGROUND, CYTOPLASM, NUCLEUS = (235, 225, 215), (190, 170, 210), (90, 40, 120)


def cell_picture(centres: tuple[tuple[int, int], ...] = ((48, 48),)) -> np.ndarray:
    pixels = np.full((96, 96, 3), BACKGROUND, np.uint8)
    for centre in centres:
        cv2.circle(pixels, centre, 16, CYTOPLASM, -1)
        cv2.circle(pixels, centre, 10, NUCLEUS, -1)
    return pixels


def write(folder: Path, name: str, pixels: np.ndarray, mask: np.ndarray | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), pixels[..., ::-1])
    if mask is not None:
        cv2.imwrite(str(folder / f"{name}_mask.png"), mask)
    return path


def test_its_own_masks_agree_wholly(tmp_path: Path):
    pixels = cell_picture(((25, 25), (70, 70)))
    path = write(tmp_path, "two", pixels, to_mask(segment(pixels, "stain")))
    report = compare_masks([path], tmp_path, "stain")
    assert (report.cell.value, report.nucleus and report.nucleus.value) == (1, 1)


def test_a_mask_of_one_cell_is_compared_with_the_main_cell(tmp_path: Path):
    pixels = cell_picture(((48, 48), (80, 16)))
    found = segment(pixels, "stain")
    assert found.count == 2
    path = write(tmp_path, "one", pixels, ((found.cells == found.main) * 255).astype(np.uint8))
    assert compare_masks([path], tmp_path, "stain").cell.value == 1


def test_a_mask_without_cytoplasm_gives_no_figure_for_the_nucleus(tmp_path: Path):
    pixels = cell_picture()
    whole = (to_mask(segment(pixels, "stain")) > 0).astype(np.uint8) * 255
    report = compare_masks([write(tmp_path, "whole", pixels, whole)], tmp_path, "stain")
    assert report.nucleus is None
    assert report.to_dict()["nucleus"] is None


def test_a_method_that_finds_no_nucleus_gets_no_figure_for_it(tmp_path: Path):
    pixels = cell_picture()
    path = write(tmp_path, "cell", pixels, to_mask(segment(pixels, "stain")))
    assert compare_masks([path], tmp_path, "clahe_otsu").nucleus is None


def test_pictures_without_a_fitting_mask_are_named_and_left_out(tmp_path: Path):
    pixels = cell_picture()
    mask = to_mask(segment(pixels, "stain"))
    paths = [
        write(tmp_path, "good", pixels, mask),
        write(tmp_path, "bare", pixels),
        write(tmp_path, "small", pixels, mask[:50]),
        write(tmp_path, "broken", pixels, mask),
    ]
    paths[3].write_bytes(b"no picture")
    report = compare_masks([*paths, tmp_path / "good_mask.png"], tmp_path, "stain")
    assert [Path(row.file).name for row in report.pictures] == ["good.png"]
    reasons = {Path(left.file).name: left.reason for left in report.left_out}
    assert list(reasons) == ["bare.png", "small.png", "broken.png"]
    assert "bare_mask.png is not in" in reasons["bare.png"]
    assert "small_mask.png and the picture are 96 × 50 and 96 × 96 pixels" in reasons["small.png"]


def test_no_mask_at_all_says_how_masks_are_called(tmp_path: Path):
    path = write(tmp_path, "cell", cell_picture())
    with pytest.raises(DatasetError, match=r"no mask for any of 1 pictures.*cell_mask\.png"):
        compare_masks([path], tmp_path, "stain")


def test_an_unknown_method_is_refused_by_name(tmp_path: Path):
    path = write(tmp_path, "cell", cell_picture(), np.zeros((96, 96), np.uint8))
    with pytest.raises(RecipeError, match="'magic'; use one of none, clahe_otsu, stain"):
        compare_masks([path], tmp_path, "magic")


def real_report(data: Path, name: str, method: str) -> MaskReport:
    """Every fifth picture of one of the sets with masks."""
    masks = data / "wbc_masks" / name
    folder = data / "bcisc" if name == "set3" else masks
    pictures = [path for path in sorted(folder.rglob("*.*g")) if "_mask" not in path.stem]
    return compare_masks(pictures[::5], masks, method)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["set1", "set2", "set3"])
def test_stain_finds_cell_and_nucleus_in_real_pictures(shared_data: Path, name: str):
    report = real_report(shared_data, name, "stain")
    assert report.cell.value > 0.9
    assert report.nucleus is None or report.nucleus.value > 0.9


@pytest.mark.slow
def test_clahe_and_otsu_find_cells_only_where_red_cells_are_pale(shared_data: Path):
    assert real_report(shared_data, "set1", "clahe_otsu").cell.value == pytest.approx(
        0.73, abs=0.05
    )
    assert real_report(shared_data, "set2", "clahe_otsu").cell.value == pytest.approx(0.5, abs=0.07)
