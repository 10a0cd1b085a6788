"""The real app in a child process: a free port, a deadline, and its log when it dies."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 90


@dataclass(frozen=True, kw_only=True)
class Server:
    """One running app."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    temporary: Path
    """Where the app makes its temporary folders."""

    def said(self) -> str:
        """What it wrote so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(folder: Path, environment: dict[str, str]) -> Iterator[Server]:
    """`python app.py` until the block ends; `folder` takes its log and temporary files."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    temporary = folder / "temporary"
    temporary.mkdir()
    log = folder / "server.log"
    own = {name: value for name, value in os.environ.items() if not name.startswith("LEUKEMIA_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
            env=own | environment | {
                "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port),
                "TMPDIR": str(temporary),
            },
        )  # fmt: skip
    server = Server(url=f"http://127.0.0.1:{port}/", process=process, log=log, temporary=temporary)
    try:
        _wait(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Server) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"app.py ended before it served:\n{server.said()}")
        try:
            with urllib.request.urlopen(server.url, timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"app.py did not serve within {DEADLINE_S} s:\n{server.said()}")
