"""A data set that was taken in: its folder, and how it is to be understood."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from leukemia_app.errors import DatasetError
from leukemia_app.training.job_folder import JobFolder

FORMAT_VERSION = 1
SOURCE, HEALTH, MANIFEST, THUMBS = "dataset.json", "health.json", "manifest.csv", "thumbs"
ARCHIVES = "archives"
"""Folder of zip archives that were given and are not unpacked yet."""
LEAK, LEAK_WISH = "leak.json", "leak_wish.json"
LEVELS = ("patient", "run")


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Where a data set lies and how it is to be understood: dataset.json."""

    name: str
    """What a person calls it."""
    pictures: str = "pictures"
    """Folder of the pictures, below the data set's own or absolute."""
    source: str = ""
    """Where it came from, in words."""
    table: str | None = None
    """CSV with labels or groups, below the data set's own folder or absolute."""
    choice: str | None = None
    """Which of two kinds of pictures is meant, where the layout offers several."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Label of each raw label that is called otherwise; empty leaves the class out."""
    pattern: str | None = None
    """Regular expression whose one group names the patient in a file's path."""
    group_level: str | None = None
    """What the groups of the table or the folders are, `patient` or `run`; None: as it seems."""
    seed: int = 0
    """Of the split."""
    keep_parts: bool = True
    """Whether train, val and test stay as they came with the data."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """Files that were given and are no part of it, counted by kind."""

    def __post_init__(self) -> None:
        """Refuse a level that no group can have."""
        if self.group_level not in (None, *LEVELS):
            raise DatasetError(f"group_level is {self.group_level!r}; use {' or '.join(LEVELS)}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as dataset.json holds them."""
        return {"format_version": FORMAT_VERSION} | asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DataSource":
        """What `to_dict` described.

        Raises:
            DatasetError: a key is unknown or the name is missing.
        """
        given = {key: value for key, value in values.items() if key != "format_version"}
        known = {item.name for item in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise DatasetError(f"{SOURCE} has unknown keys: {', '.join(unknown)}.")
        if not given.get("name"):
            raise DatasetError(f"{SOURCE} lacks the name of the data set.")
        return cls(**given)


@dataclass(frozen=True, kw_only=True)
class DataFolder(JobFolder):
    """A data set that was taken in, with what the check found out about it."""

    def source(self) -> DataSource:
        """What the data set is.

        Raises:
            DatasetError: dataset.json is missing or damaged.
        """
        values = self.read_json(SOURCE)
        if values is None:
            raise DatasetError(f"{self.path} holds no readable {SOURCE}; take the pictures in "
                               "again.")  # fmt: skip
        return DataSource.from_dict(values)

    @property
    def pictures(self) -> Path:
        """Folder of the pictures."""
        return self.path / self.source().pictures
