"""A run's folder: the only thing a worker and those who watch it share."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukemia_app.errors import RunError
from leukemia_app.training.config import RunConfig

STATES = (
    "queued", "preparing", "features", "head", "fine-tuning", "evaluating", "bundling", "done",
    "stopped", "failed", "interrupted",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """Reads and writes one run; every file appears whole or not at all."""

    path: Path

    def create(self, config: RunConfig) -> None:
        """Lay out a new run.

        Raises:
            RunError: the folder already holds another run's configuration.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if (self.path / "config.json").exists():
            if self.config() != config:
                raise RunError(f"{self.path} holds a run with other settings; use another folder.")
            return
        self.write_json("config.json", config.to_dict())
        self.set_state("queued")

    def config(self) -> RunConfig:
        """The run's configuration.

        Raises:
            RunError: config.json is missing or damaged.
        """
        try:
            values = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.path} holds no readable config.json; start a new run."
            ) from error
        return RunConfig.from_dict(values)

    def set_state(self, state: str, **details: object) -> None:
        """Say where the run is; `details` are plain values."""
        self.write_json("status.json", {"state": state, "time": time.time(), **details})

    def status(self) -> dict[str, Any]:
        """What `set_state` last said."""
        return json.loads((self.path / "status.json").read_text(encoding="utf-8"))

    def add_event(self, kind: str, **numbers: object) -> None:
        """Append one line to events.jsonl."""
        line = json.dumps({"time": round(time.time(), 3), "kind": kind, **numbers})
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")

    def events(self) -> Iterator[Mapping[str, Any]]:
        """The events so far; a half-written last line is left out."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)

    def write_json(self, name: str, values: object) -> None:
        """Replace a JSON file of the run: readers see the old one or the new, never half."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(target.name + ".part")
        draft.write_text(json.dumps(values, indent=1), encoding="utf-8")
        draft.replace(target)

    def should_stop(self) -> bool:
        """Whether somebody asked the run to stop."""
        return (self.path / "stop").exists()
