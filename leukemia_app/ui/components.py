"""Small pieces of HTML that every part of the page is made of."""

import base64
from html import escape

from leukemia_app.imaging.decode import encode_png
from leukemia_app.imaging.picture import UInt8Array


def safe(text: object) -> str:
    """Text from anywhere, escaped for content and for quoted attributes."""
    return escape(str(text), quote=True)


def data_uri(png: bytes) -> str:
    """A PNG file as the address of an image, so that nothing is written to disk."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def picture_uri(pixels: UInt8Array) -> str:
    """Pixels as the address of an image; (rows, columns, 3 or 4) uint8."""
    return data_uri(encode_png(pixels))


def button(words: str, *, classes: str = "s-button", **data: object) -> str:
    """A button; keywords become data attributes (`ask="pick"` is `data-ask="pick"`)."""
    attributes = "".join(f' data-{key}="{safe(value)}"' for key, value in data.items())
    return f'<button type="button" class="{classes}"{attributes}>{safe(words)}</button>'


def items(sentences: tuple[str, ...], classes: str) -> str:
    """Sentences as a list; nothing where there are none."""
    if not sentences:
        return ""
    rows = "".join(f"<li>{safe(sentence)}</li>" for sentence in sentences)
    return f'<ul class="{classes}">{rows}</ul>'


def dialog(name: str, title: str, body: str, close: str) -> str:
    """A dialog that `data-open` opens; `body` is HTML."""
    return (
        f'<dialog id="{name}" class="s-dialog" aria-labelledby="{name}-title">'
        f'<div class="s-dialog-head"><h2 id="{name}-title">{safe(title)}</h2>'
        f'<button type="button" class="s-quiet" data-close>{safe(close)}</button></div>'
        f'<div class="s-dialog-body">{body}</div></dialog>'
    )
