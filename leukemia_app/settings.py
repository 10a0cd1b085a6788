"""Every environment variable: name, default, help and check, in one table."""

import difflib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukemia_app.errors import SettingError
from leukemia_app.hub_names import HubDataset, HubModel, parse_dataset, parse_models
from leukemia_app.logins import Login, parse_logins
from leukemia_app.state_folder import state_folder

PREFIX = "LEUKEMIA_"
QUIET: Mapping[str, str] = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DO_NOT_TRACK": "1",
    "KERAS_BACKEND": "tensorflow",
    "OPENCV_FOR_THREADS_NUM": "1",  # pictures are read side by side: its threads would only wait
}
"""For other packages, which read their environment when they are imported: set before that."""
SHIPPED = Path(__file__).resolve().parents[1]
"""Holds the folders `models` and `examples` that come with the app."""
_TRAINING_RANGES: Mapping[str, tuple[int, int]] = {
    "images": (1, 10_000_000), "minutes": (1, 100_000), "queue": (0, 1_000), "jobs": (1, 16),
    "days": (1, 10_000),
}  # fmt: skip
_TRAINING_EXAMPLE = "images=5000,minutes=120,queue=4,jobs=1,days=30"
_HUB = "hf://datasets/"


@dataclass(frozen=True, kw_only=True)
class TrainingLimits:
    """What those who train here may ask of the machine; None sets no limit."""

    is_on: bool = True
    images: int | None = None
    """Pictures of one data set."""
    minutes: int | None = None
    """Minutes that one run may take before the next has its turn."""
    queue: int | None = None
    """Runs that may wait."""
    jobs: int = 1
    """Runs that are under way at once."""
    days: int | None = None
    """Days after which data sets and runs of visitors without a login are deleted."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One environment variable."""

    name: str
    field: str
    """Which field of `Settings` it fills."""
    default: str
    """Its value where it is not set, as one would write it; empty where `help` says what counts."""
    help: str
    """What it does, in one sentence, for the docs and for `--help`."""
    parse: Callable[[str], Any]
    """The field's value; a ValueError says in words what is allowed."""
    is_secret: bool = False
    """Whether its value is told to nobody, not even to who mistyped it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment says, checked."""

    state_dir: Path
    """Where the app keeps what is its user's: own models, runs."""
    models: tuple[Path, ...]
    """Further folders of bundles, in the order given."""
    hub_models: tuple[HubModel, ...]
    """Repositories of the Hub whose models the page fetches when it starts."""
    examples: Path | HubDataset
    """Where the example pictures lie."""
    device: str
    """`auto`, `cpu` or `gpu`."""
    model_memory_mb: int
    """What loaded models may take together, in megabytes."""
    keep_minutes: int
    """Minutes after which uploaded pictures are deleted."""
    max_file_mb: int
    """Largest file that is read, in megabytes."""
    max_megapixels: int
    """Largest picture that is decoded, in millions of pixels."""
    threads: int
    """Threads that one model may use, and a training."""
    zip_files: int
    """Pictures and tables that zip archives given together may hold."""
    zip_mb: int
    """What they may unpack to, in megabytes."""
    zip_ratio: int
    """How many times its own size an archive may unpack to."""
    training: TrainingLimits
    """Whether one may train here, and how much."""
    model_mb: int
    """Largest model that may be added, in megabytes."""
    add_models: str
    """Whether visitors may add and delete models: `auto`, `on` or `off`."""
    logins: tuple[Login, ...]
    """Who may use the page; empty: everybody."""
    keeps: bool = True
    """Whether `state_dir` outlasts a restart; not on a Space without a volume, nor where this user
    may write to no folder of its own."""

    @property
    def model_folders(self) -> tuple[tuple[str, Path], ...]:
        """Every folder of bundles with its origin; of two bundles of one id the first counts."""
        return (
            ("shipped", SHIPPED / "models"),
            ("own", self.own_models),
            *(("own", folder) for folder in self.models),
            ("pulled", self.pulled_models),
            ("trained here", self.state_dir / "runs"),
        )

    @property
    def pulled_models(self) -> Path:
        """Where models of the Hub go."""
        return self.state_dir / "pulled"

    @property
    def own_models(self) -> Path:
        """Where models go that are added."""
        return self.state_dir / "models"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings in `environ`; a variable that is empty counts as not set.

        Raises:
            SettingError: a LEUKEMIA_ variable is unknown, or its value cannot be used.
        """
        _refuse_unknown(environ)
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            text = environ.get(setting.name, "").strip()
            try:
                values[setting.field] = setting.parse(text or setting.default)
            except ValueError as error:
                value = "set to what cannot be used" if setting.is_secret else repr(text)
                raise SettingError(f"{setting.name} is {value}; use {error}.") from error
        values["keeps"] = True
        if values["state_dir"] is None:
            values["state_dir"], values["keeps"] = state_folder(environ, sys.platform)
        return cls(**values)


def settings_table() -> str:
    """Every variable as a Markdown table."""
    rows = [
        f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else '–'} "
        f"| {setting.help} |"
        for setting in SETTINGS
    ]
    return "\n".join(["| variable | default | what it does |", "|---|---|---|", *rows]) + "\n"


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = [setting.name for setting in SETTINGS]
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        # Without what all begin with, or any name would be near to another.
        ends = [each.removeprefix(PREFIX) for each in known]
        near = difflib.get_close_matches(name.removeprefix(PREFIX), ends, n=1)
        advice = f"Did you mean {PREFIX}{near[0]}?" if near else f"Known are {', '.join(known)}."
        raise SettingError(f"{name} is no setting of this version. {advice}")


def _folder(text: str) -> Path | None:
    """The folder, with ~ for home, from the root on; None of no text."""
    try:
        return Path(text).expanduser().absolute() if text else None
    except RuntimeError as error:
        raise ValueError("a path whose ~ names a user of this machine") from error


def _examples(text: str) -> Path | HubDataset:
    """A folder that is there goes before a data set of the same name."""
    dataset = parse_dataset(text)
    if text.startswith("hf:") and dataset is None:
        raise ValueError(f"{_HUB}owner/name, with @revision after it where one is meant")
    folder = _folder(text) or SHIPPED / "examples"
    is_here = not text.startswith(_HUB) and folder.is_dir()
    return folder if dataset is None or is_here else dataset


def _folders(text: str) -> tuple[Path, ...]:
    parts = (part.strip() for part in text.split(os.pathsep))
    return tuple(folder for part in parts if (folder := _folder(part)) is not None)


def _device(text: str) -> str:
    if text.lower() not in ("auto", "cpu", "gpu"):
        raise ValueError("auto, cpu or gpu")
    return text.lower()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def _threads(text: str) -> int:
    return _whole(1, 256)(text) if text else _free_cores()


def _training(text: str) -> TrainingLimits:
    """`on`, `off`, or limits by name."""
    if text.lower() in ("on", "off"):
        return TrainingLimits(is_on=text.lower() == "on")
    limits: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in _TRAINING_RANGES or name in limits:
            raise ValueError(f"on, off, or limits as {_TRAINING_EXAMPLE}, each once")
        try:
            limits[name] = _whole(*_TRAINING_RANGES[name])(value)
        except ValueError as error:
            raise ValueError(f"for {name} {error}") from error
    return TrainingLimits(**limits)


def _when(text: str) -> str:
    if text.lower() not in ("auto", "on", "off"):
        raise ValueError("auto, on or off")
    return text.lower()


def _free_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


SETTINGS = (
    Setting(
        name="LEUKEMIA_STATE_DIR",
        field="state_dir",
        default="",
        help="Folder for own models and runs; without it the platform's data folder: "
        "`~/.local/share/leukemia-app`, on macOS `~/Library/Application Support/leukemia-app`, "
        "on Windows `%LOCALAPPDATA%\\leukemia-app`. On a Hugging Face Space, and where this user "
        "may not write there, a temporary folder that does not outlast a restart; the page says "
        "so.",
        parse=_folder,
    ),
    Setting(
        name="LEUKEMIA_MODELS",
        field="models",
        default="",
        help="Further folders of models, separated by `:` (on Windows `;`).",
        parse=_folders,
    ),
    Setting(
        name="LEUKEMIA_HUB_MODELS",
        field="hub_models",
        default="",
        help="Models of the Hugging Face Hub that the page fetches when it starts, as `models "
        "pull` does: `owner/name` or `owner/name@revision`, with commas between.",
        parse=parse_models,
    ),
    Setting(
        name="LEUKEMIA_EXAMPLES",
        field="examples",
        default="",
        help="Example pictures: a folder, or a data set of the Hugging Face Hub (`owner/name` or "
        "`hf://datasets/owner/name@revision`), which is fetched after the start and kept for when "
        "there is no network; without it the drawn ones that come with the app.",
        parse=_examples,
    ),
    Setting(
        name="LEUKEMIA_DEVICE",
        field="device",
        default="auto",
        help="Where models compute and are trained: `auto`, `cpu` or `gpu`; a training takes all "
        "GPUs that `CUDA_VISIBLE_DEVICES` leaves it.",
        parse=_device,
    ),
    Setting(
        name="LEUKEMIA_MEMORY_MB",
        field="model_memory_mb",
        default="2000",
        help="Megabytes that loaded models may take together; the longest unused ones make room.",
        parse=_whole(100, 1_000_000),
    ),
    Setting(
        name="LEUKEMIA_KEEP_MINUTES",
        field="keep_minutes",
        default="60",
        help="Minutes after which uploaded pictures are deleted.",
        parse=_whole(1, 10_080),
    ),
    Setting(
        name="LEUKEMIA_MAX_FILE_MB",
        field="max_file_mb",
        default="50",
        help="Megabytes of the largest file that is read.",
        parse=_whole(1, 2_000),
    ),
    Setting(
        name="LEUKEMIA_MAX_MEGAPIXELS",
        field="max_megapixels",
        default="64",
        help="Millions of pixels of the largest picture that is decoded; at most 89.",
        parse=_whole(1, 89),
    ),
    Setting(
        name="LEUKEMIA_THREADS",
        field="threads",
        default="",
        help="Threads that one model may use, and a training; without it as many as the process "
        "has cores.",
        parse=_threads,
    ),
    Setting(
        name="LEUKEMIA_ZIP_FILES",
        field="zip_files",
        default="20000",
        help="Pictures and tables that zip archives given together may hold.",
        parse=_whole(1, 1_000_000),
    ),
    Setting(
        name="LEUKEMIA_ZIP_MB",
        field="zip_mb",
        default="4000",
        help="Megabytes that zip archives given together may unpack to.",
        parse=_whole(1, 1_000_000),
    ),
    Setting(
        name="LEUKEMIA_ZIP_RATIO",
        field="zip_ratio",
        default="200",
        help="How many times its own size a zip archive may unpack to.",
        parse=_whole(2, 1_000),
    ),
    Setting(
        name="LEUKEMIA_TRAINING",
        field="training",
        default="on",
        help="Whether one may train here: `on`, `off`, or limits by name as "
        f"`{_TRAINING_EXAMPLE}`: pictures of a data set, minutes of a run, runs that may wait, "
        "runs at once (one, where nothing is said), days for which data sets and runs of visitors "
        "without a login stay after they were last used.",
        parse=_training,
    ),
    Setting(
        name="LEUKEMIA_MODEL_MB",
        field="model_mb",
        default="500",
        help="Megabytes of the largest model that may be added, packed or unpacked.",
        parse=_whole(1, 100_000),
    ),
    Setting(
        name="LEUKEMIA_ADD_MODELS",
        field="add_models",
        default="auto",
        help="Whether visitors may add models from a zip or the Hub and delete those: `on`, `off`, "
        "or `auto`: only where the page listens on this machine alone and stands behind no proxy. "
        "Everybody on the server sees an added model. With `off` nobody in the page sends one to "
        "the Hub with this server's `HF_TOKEN` either.",
        parse=_when,
    ),
    Setting(
        name="LEUKEMIA_AUTH",
        field="logins",
        default="",
        help="Who may use the page: `name:password` pairs with commas between, or `file:PATH` of a "
        "file with one pair a line; without it everybody. Each login sees its own runs.",
        parse=parse_logins,
        is_secret=True,
    ),
)
"""In the order of the docs."""
