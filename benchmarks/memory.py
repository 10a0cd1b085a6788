"""Memory over many readings: it has to be flat.

    python -m benchmarks.memory [--model ID] [--n 10000] [--no-cells]

Prints the resident memory of the process ten times on the way. Linux only.
"""

import argparse
import itertools
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.speed import drawn_files
from leukemia_app import api


def resident_mb() -> float:
    """What the process holds of the machine's memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Read the same forty drawn pictures over and over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--no-cells", action="store_true")
    chosen = parser.parse_args()
    predictor = api.load(chosen.model)
    with tempfile.TemporaryDirectory() as folder:
        files = itertools.islice(itertools.cycle(drawn_files(Path(folder), 40)), chosen.n)
        results = api.classify(files, predictor, measure=not chosen.no_cells)
        for number, _ in enumerate(results, start=1):
            if number % (chosen.n // 10) == 0:
                sys.stdout.write(f"{number:>7,} readings  {resident_mb():.0f} MB\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
