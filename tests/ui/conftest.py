"""A desk over models that answer at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leukemia_app.imaging.decode import Limits, encode_png
from leukemia_app.ui.desk import Desk
from leukemia_app.ui.session import Given
from tests.readings import spec_of
from tests.ui.instant import InstantLibrary, InstantPredictor, cell_spec, smear_pixels


@pytest.fixture
def library() -> InstantLibrary:
    specs = (spec_of(), cell_spec("two", "hem", "all"), cell_spec("kinds", "monocyte", "ig"))
    return InstantLibrary({spec.id: InstantPredictor(spec=spec) for spec in specs})


@pytest.fixture
def desk(library: InstantLibrary) -> Desk:
    return Desk(library=library, limits=Limits(), keep_minutes=60)


@pytest.fixture
def give(tmp_path: Path) -> Callable[..., Given]:
    """A drawn picture lying where an upload would."""

    def given(name: str = "field.png", pixels: np.ndarray | None = None, **facts: str) -> Given:
        path = tmp_path / name
        path.write_bytes(encode_png(smear_pixels() if pixels is None else pixels))
        return Given(name=name, path=path, **facts)

    return given
