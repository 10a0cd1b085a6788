"""How a repository of the Hugging Face Hub is called: owner/name, and a revision after it."""

import re
from dataclasses import dataclass

_REPO = r"(\w[\w.-]{0,95}/\w[\w.-]{0,95})"
_REVISION = r"(\w[\w./-]{0,199})"
_DATASET = re.compile(rf"(?:hf://datasets/)?{_REPO}(?:@{_REVISION})?", re.ASCII)
_MODEL = re.compile(
    rf"(?:hf://|https://huggingface\.co/)?{_REPO}(?:(?:@|/tree/){_REVISION})?/?", re.ASCII
)
_FILE = re.compile(
    r"(?P<repo>(?:hf://|https://huggingface\.co/)?[^/:@]+/[^/:@]+)"
    r"(?:(?:@|/blob/|/resolve/)(?P<revision>[^/@]+))?/(?P<file>\w[\w .-]{0,199}\.(?:keras|h5))",
    re.ASCII,
)  # fmt: skip
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NEVER = re.compile(r"--|\.\.|//|[.-](?:/|$)|\.git$|\.lock$")
"""In no name and no revision: the Hub refuses them, and a path would climb by some."""
SHORT = 7
MODEL_ADVICE = "owner/name, with @revision after it where one is meant"


@dataclass(frozen=True, kw_only=True)
class HubDataset:
    """A data set of the Hugging Face Hub."""

    repo: str
    """`owner/name`."""
    revision: str = "main"
    """Branch, tag or commit."""


@dataclass(frozen=True, kw_only=True)
class HubModel:
    """A model repository of the Hugging Face Hub."""

    repo: str
    """`owner/name`."""
    revision: str = "main"
    """Branch, tag or commit."""

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a whole commit, which never changes."""
        return _COMMIT.fullmatch(self.revision) is not None

    def __str__(self) -> str:
        """As a person writes it."""
        return self.repo if self.revision == "main" else f"{self.repo}@{short(self.revision)}"


def short(revision: str) -> str:
    """A commit by its first digits; a branch or tag as it is."""
    return revision[:SHORT] if _COMMIT.fullmatch(revision) else revision


def parse_dataset(text: str) -> HubDataset | None:
    """The data set that `text` names; None where it cannot be one."""
    found = _DATASET.fullmatch(text)
    return HubDataset(repo=found[1], revision=found[2] or HubDataset.revision) if found else None


def parse_model(text: str) -> HubModel:
    """The repository that `text` names, also as hf:// or as an address of its page.

    >>> str(parse_model("ada/smears@v1"))
    'ada/smears@v1'

    Raises:
        ValueError: it cannot be one; the text says what is allowed.
    """
    found = _MODEL.fullmatch(text.strip())
    if found is None or any(_NEVER.search(part) for part in (found[1], found[2] or "")):
        raise ValueError(MODEL_ADVICE)
    return HubModel(repo=found[1], revision=found[2] or HubModel.revision)


def parse_checkpoint(text: str) -> tuple[HubModel, str | None]:
    """The repository that `text` names, and which file of it, if it names one.

    A file is named as owner/name@revision/file.keras, or by the address of its page.

    >>> parse_checkpoint("ada/smears@v1/best.keras")
    (HubModel(repo='ada/smears', revision='v1'), 'best.keras')

    Raises:
        ValueError: as `parse_model`.
    """
    found = _FILE.fullmatch(text.strip())
    if found is None:
        return parse_model(text), None
    if _NEVER.search(found["file"]):
        raise ValueError(MODEL_ADVICE)
    model = parse_model(f"{found['repo']}@{found['revision'] or HubModel.revision}")
    return model, found["file"]


def parse_models(text: str) -> tuple[HubModel, ...]:
    """The repositories that `text` names, with commas between, each once.

    Raises:
        ValueError: one cannot be a repository, or is named twice.
    """
    models = tuple(parse_model(part) for part in text.split(",") if part.strip())
    if len({model.repo for model in models}) != len(models):
        raise ValueError(f"{MODEL_ADVICE}, commas between, each once")
    return models
