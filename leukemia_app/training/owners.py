"""Whose a run is: a login's name, or the hash of a secret that the owner's browser keeps."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from leukemia_app.errors import RunError
from leukemia_app.training import locks

SECRET_FILE = "browser.secret"  # noqa: S105 a file's name
SECRET_BYTES = 32
WAIT_S = 10.0
_TOKEN = "token:"  # noqa: S105 how such an owner is written
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers that a proxy adds, in small letters."""


def new_secret() -> str:
    """A secret for one browser to keep."""
    return secrets.token_urlsafe(SECRET_BYTES)


def is_visitor(owner: str) -> bool:
    """Whether that owner is known by a secret of their browser alone, which nobody else can use."""
    return owner.startswith(_TOKEN)


def owner_of_token(secret: str) -> str:
    """The owner who keeps that secret; who reads it in a folder cannot find the secret.

    Raises:
        RunError: the secret is too short to be one of `new_secret`.
    """
    if len(secret) < SECRET_BYTES:
        raise RunError("This browser has no key to its runs; reload the page to get one.")
    return _TOKEN + hashlib.sha256(secret.encode()).hexdigest()


def owner_of_login(name: str) -> str:
    """The owner who logs in under that name.

    Raises:
        RunError: the name is empty.
    """
    if not name:
        raise RunError("Nobody is logged in; log in to see your runs.")
    return f"login:{name}"


def may_see_commands(
    listens_on: str, login: str | None, headers: Mapping[str, str], client: str | None
) -> bool:
    """Whether a visitor of the page is the one whose command line began the runs of nobody.

    So on a laptop: the visitor sits at it, and the server asks for no login.
    """
    return not login and sits_here(listens_on, headers, client)


def sits_here(listens_on: str, headers: Mapping[str, str], client: str | None) -> bool:
    """Whether the server listens on the loopback address only, and the visitor sits at it.

    A proxy that carries others there adds a header, or keeps the name that they asked for in
    `Host`; so does a page elsewhere whose name was made to point here.
    """
    if not _is_loopback(listens_on):
        return False
    if any(name.lower() in FORWARDED for name in headers):
        return False
    host = next((value for name, value in headers.items() if name.lower() == "host"), "")
    return _is_loopback(_without_port(host)) and _is_loopback(client or "")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and not name.endswith(":") else host


def _is_loopback(host: str) -> bool:
    host = host.removeprefix("[").removesuffix("]").lower()
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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
