"""A bench in which no worker is ever started, and a small data set that was checked on it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from leukemia_app.imaging.decode import encode_png
from leukemia_app.settings import Settings, TrainingLimits
from leukemia_app.training.data_check import check_dataset
from leukemia_app.training.data_folder import DataFolder
from leukemia_app.ui.bench import Bench
from leukemia_app.ui.intake import Piece
from tests.tiny_runs import LABELS, drawn_cell
from tests.ui.instant import InstantLibrary

ADA, BOB = "token:ada", "login:bob"
N_PICTURES = 12
"""Of each label."""


def make_bench(state: Path, **limits: Any) -> Bench:
    """A bench over a library without models."""
    settings = replace(
        Settings.from_environment({"LEUKEMIA_STATE_DIR": str(state)}),
        training=TrainingLimits(**limits),
    )
    library: Any = InstantLibrary({})
    return Bench(settings=settings, library=library)


def drawn_pieces(uploads: Path) -> list[Piece]:
    """Two folders of drawn cells, each file lying where an upload would."""
    uploads.mkdir(parents=True, exist_ok=True)
    pieces = []
    for number, label in enumerate(LABELS):
        for picture in range(N_PICTURES):
            path = uploads / f"{label}{picture}"
            path.write_bytes(encode_png(drawn_cell(number, picture)))
            pieces.append(Piece(name=f"cells/{label}/{picture}.png", path=path))
    return pieces


def check(bench: Bench, data_id: str) -> DataFolder:
    """What a worker would do with a data set that waits."""
    folder = DataFolder(path=bench.data.checks.root / data_id)
    check_dataset(folder, folder.add_event, folder.should_stop)
    return folder
