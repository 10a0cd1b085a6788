"""Many users for minutes who classify, compare, score and upload: errors, mix-ups, memory.

    python -m benchmarks.load [--users 32] [--minutes 5]

Every user has a picture and a small labelled set of their own, and does one thing after the other
until the time is up. Each answer is compared with what the Python interface says of that user's
picture; another user's file in it is a mix-up. Prints Markdown. Linux only.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.speed import drawn_files
from benchmarks.users import Server, ask, is_mixed, read_one, sent, server
from leukemia_app import api
from leukemia_app.bundles.reading import Reading
from leukemia_app.data.archive import ZipLimits
from leukemia_app.evaluation import words
from leukemia_app.imaging.decode import Limits
from leukemia_app.ui.beside_desk import BesideDesk

SAMPLE_S = 5
WRONG = ('"success": false', '"success":false', "s-failed", "unexpected_error")


@dataclass(frozen=True, kw_only=True)
class User:
    """One of them: a picture, a labelled set, and what must be said of the picture."""

    picture: Path
    labelled: Path
    said: tuple[str, ...]
    """Label and probability of the model in use, then of the two that are compared."""
    secret: str = field(default_factory=lambda: uuid.uuid4().hex + uuid.uuid4().hex)


@dataclass(kw_only=True)
class Seen:
    """What all users met with."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    mixed: Counter[str] = field(default_factory=Counter)
    first_wrong: str = ""


def classify(client: httpx.Client, page: Server, user: User) -> tuple[str, Sequence[str]]:
    """Read the user's picture in the Classify tab."""
    return read_one(client, page, user.picture), user.said[:2]


def compare(client: httpx.Client, page: Server, user: User) -> tuple[str, Sequence[str]]:
    """Read it with two models in the Compare tab."""
    given = {"what": "give", "files": [[user.picture.name, sent(client, page, user.picture)]]}
    return ask(client, page, page.event("b-hub", "ask"), given, uuid.uuid4().hex), user.said[2:]


def score(client: httpx.Client, page: Server, user: User) -> tuple[str, Sequence[str]]:
    """Score two models on the user's labelled zip."""
    session = uuid.uuid4().hex
    given = {"what": "give", "files": [[user.labelled.name, sent(client, page, user.labelled)]]}
    told = ask(client, page, page.event("b-hub", "ask"), given, session)
    told += ask(client, page, page.event("b-hub", "score"), {"disturbed": False}, session)
    return told, (user.labelled.name, "b-scored")


def upload(client: httpx.Client, page: Server, user: User) -> tuple[str, Sequence[str]]:
    """Put the labelled zip into the Train tab, look at the list of sets, and delete it."""
    event = page.event("t-hub", "ask")

    def train(what: str, **more: Any) -> str:
        given = {"what": what, "owner": user.secret, "fields": {}, "seen": "", "run": "", **more}
        return ask(client, page, event, given, uuid.uuid4().hex)

    files = [[user.labelled.name, sent(client, page, user.labelled)]]
    told = train("give", data="", files=files, value=user.labelled.stem)
    data = told.partition("&quot;data&quot;: &quot;")[2].partition("&quot;")[0]
    told += train("tick", data=data)
    told += train("forget", data=data)
    return told, (user.labelled.stem,)


Act = Callable[[httpx.Client, Server, User], tuple[str, Sequence[str]]]
ACTS: Sequence[Act] = (
    classify, compare, classify, score, classify, compare, upload,
)  # fmt: skip


def run_user(
    page: Server, user: User, number: int, end: float, seen: Seen, acts: Sequence[Act] = ACTS
) -> None:
    """One act after the other, each user beginning with another one, until the time is up."""
    with httpx.Client(timeout=600) as client:
        while time.monotonic() < end:
            act = acts[number % len(acts)]
            number += 1
            started = time.perf_counter()
            try:
                told, expected = act(client, page, user)
            except httpx.HTTPError as error:
                told, expected = f"unexpected_error {error!r}", ()
            seen.waits.setdefault(act.__name__, []).append(time.perf_counter() - started)
            seen.mixed[act.__name__] += is_mixed(told, user.picture)
            missing = [each for each in expected if each not in told]
            if missing or any(each in told for each in WRONG):
                seen.wrong[act.__name__] += 1
                place = max(0, min((told.find(each) for each in WRONG if each in told), default=0))
                said = f"{act.__name__}: {missing} … {told[place : place + 400]}"
                seen.first_wrong = seen.first_wrong or said


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of the server's process, and of all that it started, in MB."""
    parents: dict[int, int] = {}
    resident: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(stat.parent.name)] = int(fields[1])
        resident[int(stat.parent.name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    below, children = 0.0, {pid}
    for _ in range(3):
        children = {each for each, parent in parents.items() if parent in children}
        below += sum(resident[each] for each in children)
    return resident.get(pid, 0.0), below


def users_of(folder: Path, n: int) -> Iterator[User]:
    """Users with drawn pictures, and what is to be said of them."""
    desk = BesideDesk(
        library=api.open_library(), limits=Limits(), zips=ZipLimits(), keep_minutes=60
    )
    pair = desk.start().models
    files = [Path(file) for file in drawn_files(folder, n)]
    expected: Mapping[str | None, list[Reading]] = {
        id: [item for item in api.classify(files, api.load(id)) if isinstance(item, Reading)]
        for id in (None, *pair)
    }
    for number, path in enumerate(files):
        home = folder / f"set-{path.stem}"
        for at, label in enumerate(("Benign", "Early", "Pre", "Pro")):
            (home / label).mkdir(parents=True)
            for copy in range(2):
                shutil.copy(files[(4 * copy + at) % n], home / label / f"{copy}.png")
        said: list[str] = []
        for readings in expected.values():
            label = readings[number].decision.label
            said += [label, words.percent(readings[number].probabilities[label])]
        made = shutil.make_archive(str(home), "zip", home)
        yield User(picture=path, labelled=Path(made), said=tuple(said))


def main() -> None:
    """Print a row an act, and memory over the minutes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--only", choices=sorted({act.__name__ for act in ACTS}))
    chosen = parser.parse_args()
    acts = [act for act in ACTS if chosen.only in (None, act.__name__)]
    seen, memory = Seen(), list[tuple[float, float]]()
    with tempfile.TemporaryDirectory() as folder:
        users = list(users_of(Path(folder), chosen.users))
        with server(LEUKEMIA_STATE_DIR=str(Path(folder) / "state")) as page:
            end = time.monotonic() + 60 * chosen.minutes
            over = threading.Event()

            def watch() -> None:
                while not over.wait(SAMPLE_S):
                    memory.append(memory_mb(page.pid))

            watching = threading.Thread(target=watch)
            watching.start()
            with ThreadPoolExecutor(chosen.users) as pool:
                list(pool.map(
                    lambda number: run_user(page, users[number], number, end, seen, acts),
                    range(chosen.users),
                ))  # fmt: skip
            over.set()
            watching.join()
    lines = ["| act | answers | p50 | p95 | wrong | mixed up |", "|---|---|---|---|---|---|"]
    for act, waits in sorted(seen.waits.items()):
        p50, p95 = np.percentile(waits, [50, 95])
        lines.append(f"| {act} | {len(waits)} | {p50:.1f} s | {p95:.1f} s | {seen.wrong[act]} "
                     f"| {seen.mixed[act]} |")  # fmt: skip
    per_minute = memory[:: int(60 / SAMPLE_S)] + memory[-1:]
    lines.append("server, MB a minute: " + ", ".join(f"{own:.0f}" for own, _ in per_minute))
    lines.append(f"what it started: at most {max(below for _, below in memory):.0f} MB")
    sys.stdout.write("\n".join(lines) + "\n")
    if seen.first_wrong:
        sys.exit(seen.first_wrong)


if __name__ == "__main__":
    main()
