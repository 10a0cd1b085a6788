"""Settings, their values and sentences about them in the words of the form."""

import re
from collections.abc import Mapping
from typing import Any

from leukemia_app.training.augment_kinds import KINDS
from leukemia_app.ui import settings_text as text
from leukemia_app.ui.train_settings import SETTINGS, TUNE_FROM

_KIND_OF: Mapping[str, str] = {
    f"augment.{name}": kind for kind, names in KINDS.items() for name in names
}
_PREFIXES = ("", "recipe.", "augment.", "head_arguments.")
_DOTTED = re.compile(r"\b(?:recipe|augment|head_arguments)\.\w+|\b[a-z]+(?:_[a-z]+)+\b")
_FIRST = re.compile(r"([a-z_.]+) (?:is|are) ")


def title_of(name: str) -> str:
    """What the form calls a setting, by its name in a configuration."""
    if name in text.OTHERS:
        return text.OTHERS[name]
    known = SETTINGS.get(name)
    if known is None:
        return name.replace(".", ": ").replace("_", " ")
    if name in _KIND_OF:
        return ": ".join(filter(None, (text.KINDS[_KIND_OF[name]], known.title)))
    return known.title


def value_words(name: str, value: Any) -> str:
    """What the form calls a value of that setting."""
    known = SETTINGS.get(name)
    if name == TUNE_FROM and value == "":
        return text.WHOLE_NETWORK
    if known is not None and str(value) in known.choices:
        return known.choices[str(value)]
    if isinstance(value, bool):
        return text.ON if value else text.OFF
    if value in (None, ""):
        return known.empty if known is not None and known.empty else text.NO_VALUE
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or text.NO_VALUE
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_form_words(sentence: str) -> str:
    """A sentence about a setting with the form's words in place of the configuration's."""
    first = _FIRST.match(sentence)
    if first and (title := _title(first[1])) is not None:
        sentence = f"{title}{sentence[first.end(1) :]}"
    return _DOTTED.sub(lambda found: _title(found[0]) or found[0], sentence)


def _title(name: str) -> str | None:
    """The title between quotation marks; None of what is no setting."""
    for prefix in _PREFIXES:
        if prefix + name in SETTINGS or prefix + name in text.OTHERS:
            return f"“{title_of(prefix + name)}”"
    return None
