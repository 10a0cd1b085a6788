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


def test_an_event_is_found_by_its_name():
    from benchmarks.users import event_number

    events = [{"id": 4, "targets": [[1, "load"]]}, {"id": 7, "targets": [[2, "give"]]}]
    assert event_number({"dependencies": events}, "give") == 7
