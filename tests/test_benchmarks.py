"""The benchmarks start, and what they compare is what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "name",
    sorted(
        path.stem
        for path in (ROOT / "benchmarks").glob("[a-z]*.py")
        if "__main__" in path.read_text(encoding="utf-8")
    ),
)
def test_every_benchmark_explains_itself(name: str):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def test_drawn_files_repeat_after_forty(tmp_path: Path):
    from benchmarks.speed import drawn_files

    files = drawn_files(tmp_path, 41)
    assert len(set(files)) == 41
    assert Path(files[0]).read_bytes() == Path(files[40]).read_bytes()
    assert Path(files[0]).read_bytes() != Path(files[1]).read_bytes()


def test_an_event_is_found_by_its_name_and_its_part():
    from benchmarks.users import Server

    config = {
        "components": [{"id": 1, "props": {}}, {"id": 2, "props": {"elem_id": "drop"}},
                       {"id": 3, "props": {"elem_id": "hub"}}],
        "dependencies": [{"id": 4, "targets": [[3, "give"]], "inputs": []},
                         {"id": 7, "targets": [[1, "load"], [2, "give"]], "inputs": [5, 6]}],
    }  # fmt: skip
    assert Server(url="", config=config, pid=0).event("drop", "give") == (7, 2)
    with pytest.raises(SystemExit, match="no event 'ask' on 'hub'"):
        Server(url="", config=config, pid=0).event("hub", "ask")


def test_an_answer_that_names_another_user_s_file_is_a_mix_up():
    from benchmarks.users import is_mixed

    assert not is_mixed("00007.png and again 00007.png", Path("00007.png"))
    assert is_mixed("00007.png and 00008.png", Path("00007.png"))
