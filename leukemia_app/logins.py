"""Who may use the page: names with passwords, which are quoted nowhere."""

from dataclasses import dataclass, field
from pathlib import Path

FILE = "file:"
EXAMPLE = "ada:her-password,bob:his-password or file:/etc/leukemia-logins"
MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Login:
    """One name with its password; the password is in no text that is made of it."""

    name: str
    password: str = field(repr=False)


def parse_logins(text: str) -> tuple[Login, ...]:
    """The logins in `name:password,…`, or in the file that `file:PATH` names, one a line.

    Raises:
        ValueError: what is allowed, in words; never with a part of the text.
    """
    pairs = text.split(",") if text else []
    if text.startswith(FILE):
        pairs = _lines(Path(text.removeprefix(FILE)))
    logins: dict[str, Login] = {}
    for pair in pairs:
        name, _, password = (piece.strip() for piece in pair.partition(":"))
        if not name or not password or name in logins:
            raise ValueError(f"{EXAMPLE}, each name once and each with a password")
        logins[name] = Login(name=name, password=password)
    return tuple(logins.values())


def _lines(path: Path) -> list[str]:
    try:
        with path.expanduser().open(encoding="utf-8") as file:
            lines = file.read(MAX_CHARACTERS).splitlines()
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError("a file that can be read after file:") from error
    pairs = [line for line in lines if line.strip() and not line.startswith("#")]
    if not pairs:
        raise ValueError("a file with a line name:password for each login")
    return pairs
