"""Whose a run is: a login's name, or the hash of a secret that the owner's browser keeps."""

import hashlib
import os
import secrets
from pathlib import Path

from leukemia_app.errors import RunError
from leukemia_app.training import locks

SECRET_FILE = "browser.secret"  # noqa: S105 a file's name
SECRET_BYTES = 32
WAIT_S = 10.0


def new_secret() -> str:
    """A secret for one browser to keep."""
    return secrets.token_urlsafe(SECRET_BYTES)


def owner_of_token(secret: str) -> str:
    """The owner who keeps that secret; who reads it in a folder cannot find the secret.

    Raises:
        RunError: the secret is too short to be one of `new_secret`.
    """
    if len(secret) < SECRET_BYTES:
        raise RunError("This browser has no key to its runs; reload the page to get one.")
    return "token:" + hashlib.sha256(secret.encode()).hexdigest()


def owner_of_login(name: str) -> str:
    """The owner who logs in under that name.

    Raises:
        RunError: the name is empty.
    """
    if not name:
        raise RunError("Nobody is logged in; log in to see your runs.")
    return f"login:{name}"


def server_secret(state_dir: Path) -> str:
    """What the page encrypts its browsers' storage with: the same after a restart.

    Raises:
        RunError: it can neither be read nor written.
    """
    path = state_dir / SECRET_FILE
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        # Of two servers that start at once, the second takes what the first has written.
        with locks.locked(path.with_suffix(".lock"), WAIT_S):
            if not path.exists():
                draft = path.with_suffix(".part")
                draft.unlink(missing_ok=True)
                with open(draft, "x", opener=_private, encoding="ascii") as file:
                    file.write(new_secret())
                draft.replace(path)
            return path.read_text(encoding="ascii")
    except OSError as error:
        raise RunError(
            f"{path} cannot be written ({error.strerror or error}). Give leave to write there: "
            "without it nobody would find their runs after a restart."
        ) from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
