"""A comparison on a local Ray says what one process says."""

from pathlib import Path

import cv2
import pytest

from leukemia_app import api
from leukemia_app.errors import SettingError
from leukemia_app.imaging.render import draw
from leukemia_app.training import cluster

MODELS = ("all4-mobilenet-attention", "cnmc-mobilenet-attention")
TWO = "other = Benign, hem; leukemic = Early, Pre, Pro, all"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small drawn pictures of two classes, and one that is none."""
    folder = tmp_path_factory.mktemp("drawn")
    for label in ("Benign", "Pro"):
        (folder / label).mkdir()
        for seed in range(2):
            pixels = draw(label, seed, side_px=64).pixels
            cv2.imwrite(str(folder / label / f"{seed}.png"), pixels[..., ::-1])
    (folder / "Pro" / "bad.png").write_bytes(b"no picture")
    return folder


# Ray's own code warns of itself.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning",
                            "ignore::ResourceWarning", "ignore::UserWarning")  # fmt: skip
def test_ray_and_one_process_agree(drawn: Path, monkeypatch: pytest.MonkeyPatch):
    ray = pytest.importorskip("ray", reason="ray is not installed: requirements-cluster.txt")
    monkeypatch.setattr(cluster, "BATCH", 2)
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        library = api.open_library()
        by_ray = api.compare(MODELS, drawn, library, label_map=TWO, engine="ray").to_dict()
    finally:
        ray.shutdown()
    alone = api.compare(MODELS, drawn, library, label_map=TWO).to_dict()
    for one, other in zip(by_ray["models"], alone["models"], strict=True):
        assert one["metrics"] == other["metrics"]
        assert one["confusion"] == other["confusion"]
    assert by_ray["left_out"] == alone["left_out"] | {"unreadable": 1}
    assert by_ray["disagreements"] == alone["disagreements"]


def test_without_ray_the_way_on_is_said(drawn: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(SettingError, match=r"requirements-cluster\.txt"):
        api.compare(MODELS, drawn, label_map=TWO, engine="ray")


def test_another_engine_is_refused(drawn: Path):
    with pytest.raises(SettingError, match="use local or ray"):
        api.compare(MODELS, drawn, label_map=TWO, engine="dask")


def test_disturbances_are_the_same_in_any_part(drawn: Path):
    """What a part draws at random hangs on the picture's number, not on its place in the part."""
    from leukemia_app.evaluation.ask import ask, joined
    from leukemia_app.evaluation.label_map import label_map
    from leukemia_app.training.labelled import labelled_folder, samples_of

    library = api.open_library()
    readers = {id: library.predictor(id) for id in MODELS}
    labels = label_map(TWO, {id: each.spec.label_names for id, each in readers.items()})
    data = labelled_folder(drawn)
    rows = list(enumerate(data.known(labels)))
    noise = [("noise", 5)]
    limits = cluster.Limits()
    whole = ask(readers, samples_of(drawn, rows, limits, []), labels, corruptions=noise)
    parts = [
        ask(readers, samples_of(drawn, rows[at : at + 2], limits, []), labels, corruptions=noise)
        for at in range(0, len(rows), 2)
    ]
    again = joined(parts)
    for id in MODELS:
        one, other = whole.answers[id]["noise", 5], again.answers[id]["noise", 5]
        assert one.files == other.files
        assert one.probabilities == pytest.approx(other.probabilities)
