"""The real server under 1, 8 and 32 users at once: how long each waits, and whether answers mix.

    python -m benchmarks.users [--rounds 4] [--users 1 8 32]

Every user has a picture of their own, gives it to the page over and over, and compares file name,
answer and probability with what `classify` says of the same file. Prints Markdown.
"""

import argparse
import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.speed import drawn_files
from leukemia_app import api
from leukemia_app.bundles.reading import Reading
from leukemia_app.evaluation import words

START_S = 120


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the page is, what it says of itself, and its process."""

    url: str
    config: dict[str, Any]
    pid: int

    def event(self, owner: str, name: str) -> tuple[int, int]:
        """Number and number of inputs of the event of that name on that element."""
        part = next(each["id"] for each in self.config["components"]
                    if each["props"].get("elem_id") == owner)  # fmt: skip
        for event in self.config["dependencies"]:
            if [part, name] in map(list, event["targets"]):
                return int(event["id"]), len(event["inputs"])
        sys.exit(f"the page has no event {name!r} on {owner!r}")


@contextlib.contextmanager
def server(**environment: str) -> Iterator[Server]:
    """The page in a process of its own on a free port, with more variables of the environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "leukemia_app", "serve", "--host", "127.0.0.1",
               "--port", str(port)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=os.environ | environment)  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        yield Server(url=url, config=wait_for(f"{url}/config"), pid=process.pid)
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str) -> dict[str, Any]:
    """The page's own description, as soon as it answers."""
    end = time.monotonic() + START_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(address)
            if answer.status_code == 200:
                return dict(answer.json())
        if time.monotonic() > end:
            sys.exit(f"the page did not answer within {START_S} s")
        time.sleep(0.2)


def sent(client: httpx.Client, page: Server, path: Path) -> str:
    """Where the server keeps a file that was sent to it."""
    with path.open("rb") as file:
        (stored,) = client.post(f"{page.url}/gradio_api/upload", files={"files": file}).json()
    return str(stored)


def ask(
    client: httpx.Client, page: Server, event: tuple[int, int], given: dict[str, Any], session: str
) -> str:
    """Ask as a browser does; everything that the page sends back, as text."""
    number, n_inputs = event
    joined = client.post(
        f"{page.url}/gradio_api/queue/join",
        json={"data": [None] * n_inputs, "event_data": given, "fn_index": number,
              "session_hash": session, "trigger_id": None},
    )  # fmt: skip
    joined.raise_for_status()
    with client.stream(
        "GET", f"{page.url}/gradio_api/queue/data", params={"session_hash": session}
    ) as events:
        # To the end, as a browser does: an answer that is broken off is kept for who comes back.
        return "\n".join(line for line in events.iter_lines() if line.startswith("data:"))


def read_one(client: httpx.Client, page: Server, path: Path) -> str:
    """Give one picture to the Classify tab."""
    given = {"files": [{"name": path.name, "path": sent(client, page, path)}], "mode": "new",
             "n": 1}  # fmt: skip
    return ask(client, page, page.event("drop", "give"), given, uuid.uuid4().hex)


def is_mixed(told: str, path: Path) -> bool:
    """Whether another user's file is named in an answer."""
    return bool(set(re.findall(r"\d{5}\.png", told)) - {path.name})


def run_user(page: Server, path: Path, expected: Reading, rounds: int) -> tuple[list[float], int]:
    """One user's waits in seconds, and how many answers were not those of their picture."""
    label = expected.decision.label
    chance = words.percent(expected.probabilities[label])
    waits, wrong = [], 0
    with httpx.Client(timeout=600) as client:
        for _ in range(rounds):
            started = time.perf_counter()
            told = read_one(client, page, path)
            waits.append(time.perf_counter() - started)
            wrong += is_mixed(told, path) or label not in told or chance not in told
    return waits, wrong


def main() -> None:
    """Print one row a number of users."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--users", type=int, nargs="+", default=[1, 8, 32])
    chosen = parser.parse_args()
    lines = ["| users | answers | p50 | p95 | a second | mixed up |", "|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder, server() as page:
        files = [Path(file) for file in drawn_files(Path(folder), max(chosen.users))]
        expected = [item for item in api.classify(files) if isinstance(item, Reading)]
        run_user(page, files[0], expected[0], 2)
        for n_users in chosen.users:
            started = time.perf_counter()
            with ThreadPoolExecutor(n_users) as pool:
                user = partial(run_user, page, rounds=chosen.rounds)
                done = list(pool.map(user, files[:n_users], expected[:n_users]))
            spent = time.perf_counter() - started
            waits = np.concatenate([waits for waits, _ in done])
            p50, p95 = np.percentile(waits, [50, 95])
            wrong = sum(wrong for _, wrong in done)
            lines.append(f"| {n_users} | {len(waits)} | {p50:.2f} s | {p95:.2f} s "
                         f"| {len(waits) / spent:.1f} | {wrong} |")  # fmt: skip
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
