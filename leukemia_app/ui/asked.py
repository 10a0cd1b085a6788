"""A request of the Train tab, made harmless: nothing that the page's script says is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from leukemia_app.training.owners import owner_of_login, owner_of_token


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request of the page, made harmless."""

    what: str
    owner: str
    data: str
    """Id of the data set that is open, or empty."""
    run: str
    value: str
    fields: Mapping[str, Any]
    files: Any
    seen: str
    """Of a tick: what the page shows, so that only what changed is drawn again."""


def asked_of(given: gr.EventData, login: str | None) -> Asked:
    """The request; what is missing or of another kind is empty.

    Raises:
        RunError: nobody is logged in, and the browser has no key to its runs.
    """

    def words(name: str) -> str:
        value = getattr(given, name, None)
        return value if isinstance(value, str) else ""

    fields = getattr(given, "fields", None)
    return Asked(
        what=words("what"), data=words("data"), run=words("run"), value=words("value"),
        owner=owner_of_login(login) if login else owner_of_token(words("owner")),
        fields=fields if isinstance(fields, dict) else {}, files=getattr(given, "files", None),
        seen=words("seen"),
    )  # fmt: skip
