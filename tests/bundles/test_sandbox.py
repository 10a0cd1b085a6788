"""What bounds a child process: tried in real ones, since a process cannot be freed again."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from leukemia_app.bundles.sandbox import (
    ALL_BOUNDS,
    FILE_SIZE,
    MEMORY,
    NETWORK,
    TIME,
    WRITING,
    Ended,
    environment,
    run_child,
)

START = """
import json, sys
from pathlib import Path
from leukemia_app.bundles.sandbox import Bounds, bound_this_process
folder = Path(sys.argv[1])
bounds = Bounds(seconds=30, memory_mb=800, written_mb=1)
held = bound_this_process(bounds, folder=folder)
def said(attempt):
    try:
        return str(attempt() or "done")
    except BaseException as error:
        return type(error).__name__
"""


def bounded(folder: Path, code: str) -> tuple[list[str], str]:
    """What holds in a bounded process, and what came of the code's function `attempt`."""
    (folder / "home").mkdir()
    program = START + textwrap.dedent(code) + "\nprint(json.dumps([held, said(attempt)]))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder / "home")], capture_output=True, text=True,
        timeout=60, check=True, env=environment(folder / "home"),
    )  # fmt: skip
    held, said = json.loads(done.stdout)
    return held, said


def skip_without(bound: str, held: list[str]) -> None:
    if bound not in held:
        pytest.skip(f"this system does not give the bound: {bound}")


def test_every_bound_that_holds_has_words(tmp_path: Path):
    held, _ = bounded(tmp_path, "def attempt(): pass")
    assert set(held) <= set(ALL_BOUNDS)
    assert TIME in held


def test_memory_beyond_the_bound_is_not_given(tmp_path: Path):
    held, said = bounded(tmp_path, "def attempt(): bytearray(2_000_000_000)")
    skip_without(MEMORY, held)
    assert said == "MemoryError"


def test_a_file_beyond_the_bound_is_not_written(tmp_path: Path):
    held, said = bounded(tmp_path, """
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        def attempt():
            with open(folder / "x", "wb", buffering=0) as file:
                for _ in range(3):
                    file.write(bytes(900_000))
        """)  # fmt: skip
    skip_without(FILE_SIZE, held)
    assert (tmp_path / "home" / "x").stat().st_size <= 1_000_000
    assert said in ("OSError", "done")


def test_nobody_outside_is_reached(tmp_path: Path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        held, said = bounded(tmp_path, f"""
            import socket
            def attempt(): socket.create_connection(("127.0.0.1", {port}), 3).close()
            """)  # fmt: skip
    skip_without(NETWORK, held)
    assert said == "OSError"


def test_it_writes_to_its_own_folder_alone(tmp_path: Path):
    held, said = bounded(tmp_path, f"""
        def attempt():
            (folder / "within").write_text("x")
            (folder / "deep").mkdir()
            (folder / "within").rename(folder / "deep" / "within")
            open({str(tmp_path / "outside")!r}, "w")
        """)  # fmt: skip
    skip_without(WRITING, held)
    assert said == "PermissionError"
    assert (tmp_path / "home" / "deep" / "within").is_file()
    assert not (tmp_path / "outside").exists()


def test_it_starts_no_program(tmp_path: Path):
    held, said = bounded(tmp_path, """
        import subprocess
        def attempt(): subprocess.run(["/bin/sh", "-c", "true"])
        """)  # fmt: skip
    skip_without(WRITING, held)
    assert said == "PermissionError"


def test_no_secret_reaches_a_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    found = environment(tmp_path)
    assert "hf_secret" not in str(found)
    assert found["HOME"] == found["TMPDIR"] == str(tmp_path)


def test_the_end_of_a_child_is_told():
    assert Ended(code=-9, said="").how == "signal 9"
    assert Ended(code=2, said="").how == "exit code 2"
    assert Ended(code=None, said="").how == "too slow"
    ended = run_child("json.tool", [], seconds=30, given='{"a": 1}')
    assert (ended.code, json.loads(ended.said)) == (0, {"a": 1})


def test_a_child_that_does_not_end_is_ended():
    assert run_child("http.server", ["0"], seconds=0.5).code is None
