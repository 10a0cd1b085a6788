"""The way in: the page's head, the drop zone, and the gallery of examples."""

import json
from collections.abc import Sequence

from leukemia_app.evaluation import words
from leukemia_app.ui import text
from leukemia_app.ui.components import button, dialog, safe
from leukemia_app.ui.examples import Example

ACCEPTED = ".jpg,.jpeg,.png,.bmp,.webp,.tif,.tiff,image/*"


def page_head(device: str) -> str:
    """The name, what the page is not, and where it computes."""
    zoom = dialog("s-zoom", " ", '<img alt="">', text.CLOSE)
    return (
        f'<div class="s-head"><h1>{safe(text.NAME)}</h1>'
        f"<p><strong>{safe(words.RESEARCH_USE)}</strong><span> · {safe(device.upper())}</span></p>"
        f"</div>{zoom}"
    )


def drop_zone(*, limit_mb: float, max_files: int, keep_minutes: int, is_small: bool) -> str:
    """Where pictures are dropped, pasted or chosen; a slim bar once there is an answer."""
    limits = json.dumps(
        {"words": {"sending": text.SENDING}, "limitBytes": int(limit_mb * 1_000_000),
         "maxFiles": max_files}
    )  # fmt: skip
    field = (
        f'<input type="file" multiple accept="{ACCEPTED}" class="s-unseen" tabindex="-1" '
        f'aria-label="{safe(text.CHOOSE)}">'
    )
    if is_small:
        acts = button(text.CHOOSE_NEW, classes="s-button s-small", mode="new")
        acts += button(text.ADD, classes="s-quiet", mode="add")
        return (
            f'<div class="s-drop s-slim" data-limits="{safe(limits)}">{field}'
            f'<span class="s-hint">{safe(text.DROP_SLIM)}</span>{acts}'
            f'<span class="s-let-go" aria-hidden="true">{safe(text.DROP_NOW)}</span></div>'
        )
    return (
        f'<div class="s-drop" data-limits="{safe(limits)}">{field}'
        f'<p class="s-lead">{safe(text.DROP)}</p><p class="s-hint s-paste">{safe(text.DROP_OR)}</p>'
        f"{button(text.CHOOSE, mode='new')}"
        f'<p class="s-hint">{safe(text.formats(limit_mb))}</p>'
        f'<p class="s-hint">{safe(text.privacy(keep_minutes))}</p>'
        f'<span class="s-let-go" aria-hidden="true">{safe(text.DROP_NOW)}</span></div>'
    )


def gallery(examples: Sequence[Example]) -> str:
    """Pictures that answer in one click; nothing where there are none."""
    if not examples:
        return ""
    title = text.EXAMPLES_DRAWN if all(item.label for item in examples) else text.EXAMPLES
    shown = "".join(
        f'<li><button type="button" data-ask="example" data-value="{safe(item.name)}" '
        f'data-wait="{safe(text.READING)}" title="{safe(item.caption)}">'
        f'<img src="{item.thumbnail}" alt="{safe(item.caption)}" draggable="false"></button></li>'
        for item in examples
    )
    return (
        f'<div class="s-gallery"><h2>{safe(title)}</h2>'
        f'<ul aria-label="{safe(title)}">{shown}</ul></div>'
    )


def status(said: str) -> str:
    """What is being done, for eyes and for screen readers."""
    return (
        '<div class="s-status" role="status" aria-live="polite">'
        f'<span class="s-spin" aria-hidden="true"></span>'
        f'<span class="s-status-text">{safe(said)}</span></div>'
    )


def foot(keep_minutes: int) -> str:
    """What happens to pictures, where it can always be read."""
    return f'<p class="s-hint s-page-foot">{safe(text.privacy(keep_minutes))}</p>'
