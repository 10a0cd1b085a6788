"""A run's folder: a job's folder with the configuration of a training."""

import json
from dataclasses import dataclass

from leukemia_app.errors import RunError
from leukemia_app.training.config import RunConfig
from leukemia_app.training.job_folder import JobFolder, Stopped

__all__ = ["RunFolder", "Stopped"]


@dataclass(frozen=True, kw_only=True)
class RunFolder(JobFolder):
    """Reads and writes one run; every file appears whole or not at all."""

    def create(self, config: RunConfig) -> None:
        """Lay out a new run.

        Raises:
            RunError: the folder already holds another run's configuration, or cannot be written.
        """
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
