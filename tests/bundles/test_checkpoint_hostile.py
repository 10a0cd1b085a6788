"""Files made to do harm: all refused in words, no code run, nothing written, little time."""

import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("h5py")

from leukemia_app.bundles import checkpoint_child
from leukemia_app.bundles.checkpoint import inspect, make_draft
from leukemia_app.bundles.checkpoint_spec import guesses
from leukemia_app.errors import BundleError
from tests.bundles.hostile_checkpoints import BUILT, STATIC, Made, chain, keras_file, plain

MAX_BYTES = 500_000_000
PROCESSES = ("lambda in .keras", "lambda in .h5", "array in another file", "virtual array",
             "shape bomb", "pickled arrays beside", "zip slip", "description of 21 MB")  # fmt: skip


def look(path: Path, folder: Path) -> dict:
    """What the child does first, in this process."""
    order = {"max_bytes": MAX_BYTES, "spec": None}
    return checkpoint_child._done(order, path, folder)


def test_the_file_that_all_others_are_made_of_is_taken(tmp_path: Path):
    facts = look(keras_file(tmp_path / "m.keras", chain(*plain())), tmp_path)["facts"]
    assert (facts["n_classes"], facts["side_px"], facts["activation"]) == (2, 32, "softmax")


@pytest.mark.parametrize("name", STATIC)
def test_a_hostile_file_is_refused_before_keras_is_asked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given").mkdir()
    (tmp_path / "work").mkdir()
    path, words = STATIC[name](tmp_path / "given")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(BundleError) as refused:
        look(path, tmp_path / "work")
    assert words in str(refused.value)
    assert path.name in str(refused.value)
    work = tmp_path / "work"
    left = {each for each in set(tmp_path.rglob("*")) - before if work not in each.parents}
    assert not left


def cost(refuse: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor that a child took, and the most megabytes of any so far."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    refuse()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss / 1000


@pytest.mark.parametrize("name", PROCESSES)
def test_the_child_says_the_same_and_takes_little(name: str, tmp_path: Path):
    path, words = STATIC[name](tmp_path)

    def refuse() -> None:
        with pytest.raises(BundleError, match=words):
            inspect(path, max_bytes=MAX_BYTES)

    seconds, memory_mb = cost(refuse)
    assert seconds < 10
    assert memory_mb < 6000
    assert not (tmp_path / "ran").exists()


def refused_when_built(make: Callable[[Path], Made], folder: Path) -> None:
    path, words = make(folder)
    facts = inspect(path, max_bytes=MAX_BYTES)
    with pytest.raises(BundleError, match=words):
        make_draft(path, facts, guesses(facts), folder / "home", max_bytes=MAX_BYTES)


@pytest.mark.parametrize("name", BUILT)
def test_a_network_beyond_its_file_is_refused_before_it_takes_memory(name: str, tmp_path: Path):
    (tmp_path / "home").mkdir()
    seconds, memory_mb = cost(lambda: refused_when_built(BUILT[name], tmp_path))
    assert seconds < 20  # two processes, one of which imports TensorFlow
    assert memory_mb < 6000
    assert not list((tmp_path / "home").iterdir())


def test_what_the_child_says_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from leukemia_app.bundles import checkpoint
    from leukemia_app.bundles.sandbox import Ended

    path = keras_file(tmp_path / "m.keras", chain(*plain()))
    broken = ("", "no JSON", "[]", '{"facts": 5, "held": []}', '{"held": [], "facts": {"a": 1}}')
    endings = [Ended(code=-11, said=said) for said in broken]
    monkeypatch.setattr(checkpoint, "run_child", lambda *_, **__: endings.pop())
    while endings:
        with pytest.raises(BundleError, match=r"m\.keras is not taken: it broke the process"):
            inspect(path, max_bytes=MAX_BYTES)


def test_another_spec_than_the_one_asked_for_is_refused(tmp_path: Path):
    from leukemia_app.bundles import checkpoint

    path = keras_file(tmp_path / "m.keras", chain(*plain()))
    facts = inspect(path, max_bytes=MAX_BYTES)
    wrong = replace(guesses(facts), labels=("a", "b", "c"))
    with pytest.raises(BundleError, match="tells 2 classes apart, and 3 labels are given"):
        make_draft(path, facts, wrong, tmp_path, max_bytes=MAX_BYTES)
    assert checkpoint.MEMORY_MB <= 6000
