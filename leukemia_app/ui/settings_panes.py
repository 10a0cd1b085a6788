"""The settings of a training as controls, each marked where it is not as the preset has it."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leukemia_app.training.augment_kinds import KINDS, SHOWN, USUAL
from leukemia_app.training.config import RunConfig
from leukemia_app.ui import settings_text as text
from leukemia_app.ui.components import safe
from leukemia_app.ui.samples import AUGMENT, MORE, Samples
from leukemia_app.ui.train_settings import (
    BASELINES,
    BORDER,
    GROUPS,
    SETTINGS,
    Setting,
    choices_of,
    limits_of,
    value_of,
)


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the controls show."""

    preset: RunConfig
    changes: Mapping[str, Any]
    """What the person changed, whether it can be trained with or not."""
    folds: frozenset[str]
    """Which of the folds are open."""
    samples: Samples

    def of_preset(self, name: str) -> Any:
        """The setting as the preset has it."""
        return value_of(self.preset.to_dict(), name)

    def value(self, name: str) -> Any:
        """The setting as it would be trained with."""
        return self.changes.get(name, self.of_preset(name))

    def is_changed(self, name: str) -> bool:
        """Whether it differs from the preset."""
        given, preset = self.changes.get(name), self.of_preset(name)
        # JSON knows lists only.
        given = tuple(given) if isinstance(given, list) else given
        return name in self.changes and given != preset


def settings_folds(form: Form) -> str:
    """Both folds: the settings by group, and the augmentation."""
    return _fold(MORE, text.MORE, _more(form), form, _outside) + _fold(
        AUGMENT, text.AUGMENT, _augmentation(form), form, _within
    )


def _within(name: str) -> bool:
    return name.startswith("augment.")


def _outside(name: str) -> bool:
    return not _within(name)


def _fold(name: str, title: str, body: str, form: Form, holds: Callable[[str], bool]) -> str:
    changed = [each for each in (*SETTINGS, BASELINES) if holds(each) and form.is_changed(each)]
    said = ""
    if changed:
        words = text.CHANGED_ONE if len(changed) == 1 else text.CHANGED_MANY
        said = f' <span class="s-count">{safe(words.format(n=len(changed)))}</span>'
        body = f'<p class="s-acts">{_reset(" ".join(changed), text.RESET_ALL[name])}</p>{body}'
    is_open = " open" if name in form.folds else ""
    drawn = ' data-drawn="1"' if name in form.folds else ""
    return (
        f'<details class="s-fold s-settings" data-fold="{name}"{drawn}{is_open}>'
        f"<summary>{safe(title)}{said}</summary>{body}</details>"
    )


def _more(form: Form) -> str:
    made = ""
    for title, group in GROUPS.items():
        fields = "".join(_control(setting, form) for setting in group)
        if title == text.PICTURE:
            fields += _stages(form)
        if title == text.DATA:
            fields += _baselines(form)
        made += f'<h3>{safe(title)}</h3><div class="s-fields">{fields}</div>'
    return made


def _stages(form: Form) -> str:
    shown = "".join(
        f'<li><img src="{uri}" alt="">{safe(text.PREPARED.get(name, name))}</li>'
        for name, uri in form.samples.stages
    )
    if not shown:
        return ""
    return (
        f'<figure class="s-prepared"><figcaption>{safe(text.SEEN)}</figcaption>'
        f"<ul>{shown}</ul></figure>"
    )


def _baselines(form: Form) -> str:
    checked = " checked" if form.value(BASELINES) else ""
    body = (
        f'<label class="s-check"><input type="checkbox" data-change="{BASELINES}"'
        f"{_mark(form, BASELINES)}{checked}>{safe(text.BASELINES)}</label>"
    )
    return _held(body, BASELINES, form)


def _control(setting: Setting, form: Form) -> str:
    value = form.value(setting.name)
    choices = choices_of(setting, form.preset.backbone)
    if choices:
        body = _titled(setting, _select(setting.name, choices, value, form))
    elif isinstance(form.of_preset(setting.name), bool):
        body = (
            f'<label class="s-check"><input type="checkbox" data-change="{setting.name}"'
            f"{_mark(form, setting.name)}{' checked' if value is True else ''}>"
            f"{safe(setting.title)}</label>"
        )
    else:
        body = _titled(setting, _number(setting, form))
    hint = f'<span class="s-hint">{safe(setting.hint)}</span>' if setting.hint else ""
    return _held(body + hint, setting.name, form, " s-broad" if setting.is_broad else "")


def _held(body: str, name: str, form: Form, kind: str = "") -> str:
    """A control with the way back to the preset's value, where it is another."""
    if not form.is_changed(name):
        return f'<div class="s-setting{kind}">{body}</div>'
    back = _reset(name, text.RESET.format(value=_words(name, form)))
    return f'<div class="s-setting s-changed{kind}">{body}{back}</div>'


def _words(name: str, form: Form) -> str:
    value = form.of_preset(name)
    choices = choices_of(SETTINGS[name], form.preset.backbone) if name in SETTINGS else {}
    if str(value) in choices:
        return choices[str(value)]
    if isinstance(value, bool | tuple | list):
        return text.ON if value else text.OFF
    return text.NO_VALUE if value is None else f"{value:g}"


def _titled(setting: Setting, control: str) -> str:
    unit = f", {setting.unit}" if setting.unit else ""
    return f'<label class="s-field"><span>{safe(setting.title + unit)}</span>{control}</label>'


def _select(name: str, choices: Mapping[str, str], value: Any, form: Form) -> str:
    options = "".join(
        f'<option value="{safe(each)}"{" selected" if each == str(value) else ""}>{safe(words)}'
        "</option>"
        for each, words in choices.items()
    )
    return f'<select data-change="{name}"{_mark(form, name)} autocomplete="off">{options}</select>'


def _number(setting: Setting, form: Form) -> str:
    name, value = setting.name, form.value(setting.name)
    least, most = limits_of(name, form.preset.backbone) or ("", "")
    empty = f' placeholder="{safe(setting.empty)}"' if setting.empty else ""
    return (
        f'<input type="number" data-change="{name}"{_mark(form, name)} min="{least}" '
        f'max="{most}" step="{_plain(setting.step)}" value="{_plain(value)}"{empty}>'
    )


def _plain(value: Any) -> str:
    """A number as an input takes it, without an exponent; what is no number as it is."""
    if isinstance(value, float):
        return f"{value:.8f}".rstrip("0").rstrip(".")
    return "" if value is None else safe(value)


def _mark(form: Form, name: str) -> str:
    return ' data-changed="1"' if form.is_changed(name) else ""


def _reset(names: str, words: str) -> str:
    return (
        f'<button type="button" class="s-link" data-resets="{safe(names)}">{safe(words)}</button>'
    )


# ---- the augmentation ------------------------------------------------------------------------


def _augmentation(form: Form) -> str:
    shown = "".join(_kind(kind, form) for kind in KINDS)
    none = "" if form.samples.strips or AUGMENT not in form.folds else (
        f'<p class="s-hint">{safe(text.NO_PICTURE)}</p>')  # fmt: skip
    return (
        f'<p class="s-hint">{safe(text.AUGMENT_WORDS)}</p>{none}<ul class="s-kinds">{shown}</ul>'
        + _control(BORDER, form)
    )


def _kind(kind: str, form: Form) -> str:
    """A kind's switch, its strengths, what they do in words, and its strip of pictures."""
    fields = [f"augment.{name}" for name in KINDS[kind]]
    first = fields[0]
    is_on = bool(form.value(first))
    strengths = {
        name: form.value(f"augment.{name}") if is_on else _brought_back(name, form)
        for name in KINDS[kind]
    }
    controls = "".join(
        _strength(name, strengths[name], form, is_on) for name in KINDS[kind] if name != "flip"
    )
    backs = "".join(
        _reset(name, text.RESET.format(value=_words(name, form)))
        for name in fields if form.is_changed(name)
    )  # fmt: skip
    said = text.strength(kind, strengths) if _can_be(strengths, form) else ""
    return (
        f'<li class="s-kind{"" if is_on else " s-off"}{" s-changed" if backs else ""}">'
        f'<div class="s-knobs">{_switch(kind, is_on, form)}'
        f'<span class="s-hint">{safe(said if is_on else f"{text.OFF}; on: {said}")}</span>'
        f'<span class="s-strengths">{controls}</span>{backs}</div>{_tiles(kind, form)}</li>'
    )


def _can_be(strengths: Mapping[str, Any], form: Form) -> bool:
    """Whether each is a number within its bounds: a person may have typed anything."""
    for name, value in strengths.items():
        least, most = limits_of(f"augment.{name}", form.preset.backbone) or (0, 1)
        if not isinstance(value, int | float) or not least <= value <= most:
            return False
    return True


def _brought_back(name: str, form: Form) -> Any:
    """What a switch brings back: the preset's strength, or where that is none the usual one."""
    return form.of_preset(f"augment.{name}") or USUAL[name]


def _switch(kind: str, is_on: bool, form: Form) -> str:
    first = KINDS[kind][0]
    name = f"augment.{first}"
    back = _brought_back(first, form)
    # While it is on, its strength says what is changed; while off, the switch does.
    mark = _mark(form, name) if not is_on or first == "flip" else ""
    ends = "" if first == "flip" else f' data-on="{_plain(back)}" data-off="0"'
    return (
        f'<label class="s-check"><input type="checkbox" role="switch" data-change="{name}"{mark}'
        f"{ends}{' checked' if is_on else ''}>{safe(text.KINDS[kind])}</label>"
    )


def _strength(name: str, value: Any, form: Form, is_on: bool) -> str:
    setting = SETTINGS[f"augment.{name}"]
    least, most = limits_of(setting.name, form.preset.backbone) or ("", "")
    change = f' data-change="{setting.name}"{_mark(form, setting.name)}' if is_on else " disabled"
    return (
        f'<label class="s-field"><span>{safe(setting.title)}</span><input type="number"{change} '
        f'min="{least}" max="{most}" step="{_plain(setting.step)}" value="{_plain(value)}"></label>'
    )


def _tiles(kind: str, form: Form) -> str:
    file = form.samples.strips.get(kind)
    if file is None:
        return ""
    uri = f"data:image/jpeg;base64,{base64.b64encode(file).decode()}"
    return (
        f'<span class="s-tiles" role="img" aria-label="{safe(text.tiles(kind, SHOWN))}" '
        f'style="--strip:url({uri})">{"<i></i>" * (SHOWN + 1)}</span>'
    )
