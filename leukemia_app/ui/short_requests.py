"""What a request may weigh, before anything is made of it: JSON costs many times its length."""

from typing import Any

from gradio import route_utils
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LONGEST_MB = 8
"""A folder of 20,000 pictures is named in about five."""
LONGEST_FIELD_BYTES = 65_536
"""Of a form's field that is no file: Gradio holds those in memory."""
UPLOAD = "/gradio_api/upload"
"""Here files are streamed to the disk; `max_file_size` is their limit."""
TOO_LONG = f"A request may hold {LONGEST_MB} MB. Give that many files as one zip."
UNKNOWN = "A request must say how long it is (Content-Length)."


class ShortRequests:
    """Refuses long requests by their headers, so none is read before a login is asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 411 or 413."""
        answer = None
        if scope["type"] == "http" and not scope["path"].endswith(UPLOAD):
            answer = _refusal(Headers(scope=scope))
        await (answer or self.app)(scope, receive, send)


def _refusal(headers: Headers) -> JSONResponse | None:
    if "transfer-encoding" in headers:
        return JSONResponse({"detail": UNKNOWN}, status_code=411)
    if int(headers.get("content-length", "0")) > LONGEST_MB * 1_000_000:
        return JSONResponse({"detail": TOO_LONG}, status_code=413)
    return None


class ShortFields(route_utils.GradioMultiPartParser):  # type: ignore[misc]  # Gradio is untyped
    """Reads an upload whose fields beside the files are short."""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a part.

        Raises:
            MultiPartException: a field that is no file has become too long.
        """
        part = self._current_part
        if part.file is None and len(part.data) + end - start > LONGEST_FIELD_BYTES:
            raise MultiPartException(
                f"Field exceeded maximum allowed size of {LONGEST_FIELD_BYTES} bytes."
            )
        super().on_part_data(data, start, end)


def bounded() -> dict[str, Any]:
    """What `launch` is told as `app_kwargs`, so that no request can fill the memory."""
    route_utils.GradioMultiPartParser = ShortFields
    return {"middleware": [Middleware(ShortRequests)]}
