"""Where a pulled model is from: the note beside its folder, which needs no client to be read."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from leukemia_app.bundles.library import RUN_BUNDLE
from leukemia_app.hub_names import short

SOURCE_FILE = "hub.json"
MAX_BYTES = 10_000


@dataclass(frozen=True, kw_only=True)
class Source:
    """The repository and the commit that a model was pulled from."""

    repo: str
    commit: str
    """40 hex digits."""
    revision: str
    """What was asked for: a branch, a tag or the commit."""
    when: str
    """ISO 8601, UTC."""

    def __str__(self) -> str:
        """As the page and the commands name it."""
        return f"{self.repo}@{short(self.commit)}"


def write_source(folder: Path, source: Source) -> None:
    """Write the note into the folder that holds the bundle's."""
    (folder / SOURCE_FILE).write_text(json.dumps(asdict(source), indent=1), encoding="utf-8")


def read_source(bundle: Path) -> Source | None:
    """Where the bundle in that folder was pulled from; None for one that was not."""
    path = bundle.parent / SOURCE_FILE
    if bundle.name != RUN_BUNDLE:
        return None
    try:
        with path.open(encoding="utf-8") as file:
            values = json.loads(file.read(MAX_BYTES))
        source = Source(**values)
    except (OSError, ValueError, TypeError):
        return None
    return source if all(isinstance(each, str) for each in asdict(source).values()) else None
