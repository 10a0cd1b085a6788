"""Reads blood-smear pictures with tested models: `from leukemia_app import load, classify`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leukemia_app.api import classify, compare, load, open_library, picture_files

__all__ = ["classify", "compare", "load", "open_library", "picture_files"]


def __getattr__(name: str) -> Any:
    """A public name, fetched when it is first asked for: the import itself costs nothing."""
    if name not in __all__:
        raise AttributeError(f"leukemia_app has no {name!r}; it has {', '.join(__all__)}.")
    from leukemia_app import api

    return getattr(api, name)
