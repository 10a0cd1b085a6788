"""`runs compare` as a person runs it: a table, JSON, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.training import results
from leukemia_app.training.run_folder import RunFolder
from tests.made_results import results_of
from tests.tiny_runs import tiny_config

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same over two runs, the second with another seed and batch."""
    for number, name in enumerate(("one", "two")):
        folder = RunFolder(path=tmp_path / "state" / "runs" / name)
        folder.create(tiny_config(tmp_path, id=name, seed=number))

    def gathered(folder: RunFolder) -> RunResults:
        made = results_of()
        return results_of(config=made.config | {"seed": folder.config().seed})

    monkeypatch.setattr(results, "gather", gathered)
    return run


def test_runs_stand_side_by_side(run):
    code, out, _ = run("runs", "compare", "one", "two")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert out.startswith("All were scored on the same 12 test pictures of 6 patients")
    assert ["one", "two"] in lines
    assert ["split", "by", "patient", "by", "patient"] in lines
    assert ["above", "one", "two"] in lines
    assert ["seed", "0", "1"] in lines


def test_json_holds_the_same(run):
    code, out, _ = run("runs", "compare", "two", "one", "--json")
    assert code == 0
    found = json.loads(out)
    assert [each["id"] for each in found["runs"]] == ["two", "one"]
    assert found["same_split"] is True
    assert found["settings"] == {"seed": {"two": 1, "one": 0}}


def test_a_run_may_be_a_folder(run, tmp_path):
    code, out, _ = run("runs", "compare", "one", tmp_path / "state" / "runs" / "two", "--json")
    assert code == 0
    assert [each["id"] for each in json.loads(out)["runs"]] == ["one", "two"]


def test_folders_that_are_called_alike_keep_their_paths(run, tmp_path):
    other = RunFolder(path=tmp_path / "elsewhere" / "one")
    other.create(tiny_config(tmp_path, id="one", seed=5))
    _, out, _ = run("runs", "compare", "one", other.path, "--json")
    assert [each["id"] for each in json.loads(out)["runs"]] == ["one", str(other.path)]


@pytest.mark.parametrize(
    ("ids", "words"),
    [(("one",), "takes 2 to 6 runs, and these are 1"),
     (("one", "one"), "these are 1"),
     (("one", "three"), "There is no run 'three' of yours. The list of runs names")],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(ids, words, run):
    code, out, err = run("runs", "compare", *ids)
    assert code == 2
    assert words in err
    assert out == ""
