"""What a label of a data set is called here, whatever its folder or table calls it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from leukemia_app.errors import DatasetError

MAX_LABEL = 80
KNOWN: Mapping[str, tuple[str, ...]] = {
    "all": ("all", "leukemia", "leukaemia", "leukemic", "leukaemic", "lymphoblast",
            "acute lymphoblastic leukemia", "acute lymphoblastic leukaemia"),
    "hem": ("hem", "healthy", "normal", "non leukemic", "non leukaemic", "no leukemia",
            "not leukemia", "non leukemia", "non all"),
    "Benign": ("benign", "hematogone", "haematogone"),
    "Early": ("early", "early pre", "early preb", "earlypre", "earlypreb"),
    "Pre": ("pre", "preb"),
    "Pro": ("pro", "prob"),
    "basophil": ("basophil",),
    "eosinophil": ("eosinophil",),
    "erythroblast": ("erythroblast",),
    "ig": ("ig", "immature granulocyte"),
    "lymphocyte": ("lymphocyte",),
    "monocyte": ("monocyte",),
    "neutrophil": ("neutrophil",),
    "platelet": ("platelet", "thrombocyte"),
}  # fmt: skip
"""The labels of the shipped models and of the public data sets, and what else they are called."""

_FILLERS = ("malignant", "b", "cell", "class", "type", "stage", "blast")
"""Words that stand beside a label's own without changing it."""
_WORD = re.compile(r"[^\W_]+")


def suggested_label(raw: str) -> str:
    """The label that `raw` most likely stands for; `raw` itself, tidied, where none is known.

    >>> suggested_label("[Malignant] early Pre-B")
    'Early'
    """
    return known_label(raw) or tidy_label(raw)


def known_label(raw: str) -> str:
    """The known label that `raw` stands for, or an empty text."""
    words = [_singular(word) for word in _WORD.findall(_plain(raw).casefold())]
    while len(words) > 1 and words[0].isdigit():  # classes are often numbered: "0 normal"
        words = words[1:]
    for left_out in ((), _FILLERS, (*_FILLERS, "all", "lymphoblast")):
        text = " ".join(word for word in words if word not in left_out)
        for label, names in KNOWN.items():
            if text in names:
                return label
    return ""


def tidy_label(raw: str) -> str:
    """`raw` with single spaces, without signs that do not print, no longer than `MAX_LABEL`."""
    return " ".join(_plain(raw).split())[:MAX_LABEL].strip()


def labels_by_raw(raws: Iterable[str], aliases: Mapping[str, str]) -> dict[str, str]:
    """The label of each name in `raws`: as `aliases` says, else as suggested; empty: left out.

    Names that differ in case alone get the label of the first of them.

    Raises:
        DatasetError: `aliases` names what is no label of this data set, or gives one a name that
            cannot be shown.
    """
    names = sorted(set(raws))
    if strangers := sorted(set(aliases) - set(names)):
        raise DatasetError(
            f"{strangers[0]!r} is no label of this data set; it has {', '.join(names) or 'none'}."
        )
    first: dict[str, str] = {}
    labels = {}
    for raw in names:
        if raw in aliases:
            labels[raw] = _checked(raw, aliases[raw])
        else:
            label = suggested_label(raw)
            labels[raw] = first.setdefault(label.casefold(), label)
    return labels


def _checked(raw: str, label: str) -> str:
    if label != tidy_label(label):
        raise DatasetError(
            f"The label {raw!r} is to be called {label!r}; use up to {MAX_LABEL} signs that print, "
            "with single spaces between words."
        )
    return label


def _plain(raw: str) -> str:
    text = unicodedata.normalize("NFC", raw)
    return "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
