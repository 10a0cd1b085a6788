"""What a run tells of itself while it works: often enough to watch, seldom enough to keep."""

import time
from collections.abc import Callable

Report = Callable[..., None]
"""Called with a kind and numbers: one event of the run."""
COUNTED = {"prepare": ("done", "total"), "features": ("done", "total"),
           "evaluate": ("done", "total"), "step": ("step", "steps")}  # fmt: skip
"""Kinds that only say how far something is, with the names of both numbers."""
LEAST_SECONDS = 1.0


def seldom(report: Report, clock: Callable[[], float] = time.monotonic) -> Report:
    """The same report, but at most one event a second of each counted kind, and always its last."""
    last: dict[str, float] = {}

    def told(kind: str, **numbers: object) -> None:
        if kind in COUNTED:
            at, end = (numbers[name] for name in COUNTED[kind])
            now = clock()
            if at != end and now - last.get(kind, -LEAST_SECONDS) < LEAST_SECONDS:
                return
            last[kind] = now
        report(kind, **numbers)

    return told
