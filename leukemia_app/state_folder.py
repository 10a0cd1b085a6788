"""Where trainings and models lie if nobody says: a folder that lasts, or one that passes."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from leukemia_app.errors import SettingError


def state_folder(environ: Mapping[str, str], platform: str) -> tuple[Path, bool]:
    """The folder, and whether it outlasts a restart; `platform` is as `sys.platform` says.

    On a Hugging Face Space, and where this user may not write to the platform's folder, it is a
    temporary one.

    Raises:
        SettingError: the environment names no home folder.
    """
    own = default_state_dir(environ, platform)
    if environ.get("SPACE_ID") or not _may_write(own):
        return Path(tempfile.gettempdir()) / "leukemia-app", False
    return own, True


def default_state_dir(environ: Mapping[str, str], platform: str) -> Path:
    """The platform's folder for a program's data; `platform` is as `sys.platform` says.

    Raises:
        SettingError: the environment names no home folder.
    """
    local = environ.get("LOCALAPPDATA", "")
    if platform == "win32" and local:
        return Path(local) / "leukemia-app"
    try:
        home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    except RuntimeError as error:
        raise SettingError(
            "LEUKEMIA_STATE_DIR is not set and this user has no home folder; set it to a folder "
            "that the app may write to."
        ) from error
    if platform == "win32":
        return home / "AppData" / "Local" / "leukemia-app"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "leukemia-app"
    return home / ".local" / "share" / "leukemia-app"


def _may_write(folder: Path) -> bool:
    """Whether this user may write to the folder, or make it."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return os.access(there, os.W_OK | os.X_OK)
