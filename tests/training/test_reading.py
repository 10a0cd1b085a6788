import threading

import numpy as np
import pytest

from leukemia_app.data.health import Problem
from leukemia_app.imaging.decode import Limits, encode_png
from leukemia_app.training.job_folder import Stopped
from leukemia_app.training.reading import AHEAD, PictureReader


@pytest.fixture
def folder(tmp_path):
    for number in range(30):
        pixels = np.full((20, 20, 3), number, np.uint8)
        (tmp_path / f"{number}.png").write_bytes(encode_png(pixels))
    return tmp_path


def names(count):
    return [f"{number}.png" for number in range(count)]


def level(file, picture):
    return file, int(picture.pixels[0, 0, 0])


def test_results_come_in_order(folder):
    made, problems = PictureReader(folder=folder).all(names(30), level, "prepare")
    assert made == [(f"{number}.png", number) for number in range(30)]
    assert problems == []


def test_what_cannot_be_read_is_a_problem_in_its_place(folder):
    (folder / "1.png").write_bytes(b"")
    (folder / "2.png").unlink()
    found = list(PictureReader(folder=folder).each(names(4), level, "prepare"))
    assert [isinstance(item, Problem) for item in found] == [False, True, True, False]
    assert found[1].file == "1.png"
    assert "empty" in found[1].reason
    assert "2.png is not there" in found[2].reason


def test_limits_hold(folder):
    reader = PictureReader(folder=folder, limits=Limits(max_bytes=10))
    assert reader.all(names(2), level, "prepare")[0] == []


def test_every_picture_is_reported(folder):
    events = []
    reader = PictureReader(folder=folder, report=lambda kind, **told: events.append((kind, told)))
    reader.all(names(3), level, "prepare", phase="pictures")
    assert events == [
        ("prepare", {"phase": "pictures", "done": done, "total": 3}) for done in (1, 2, 3)
    ]


def test_a_stop_ends_it_soon(folder):
    taken = []
    reader = PictureReader(folder=folder, should_stop=lambda: len(taken) >= 2)
    with pytest.raises(Stopped):
        taken.extend(reader.each(names(30), level, "prepare"))
    assert len(taken) == 2


def test_no_more_wait_than_a_few_however_slowly_they_are_taken(folder):
    lock, started = threading.Lock(), []

    def make(file, picture):
        with lock:
            started.append(file)
        return file

    waiting = []
    for number, _ in enumerate(PictureReader(folder=folder).each(names(30), make, "prepare")):
        waiting.append(len(started) - number)
    assert max(waiting) <= AHEAD + 1
