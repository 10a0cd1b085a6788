"""What of a server's runs one request may see."""

from dataclasses import replace

import gradio as gr

from leukemia_app.training.owners import may_see_commands
from leukemia_app.ui.bench import Bench


def seen_by(bench: Bench, request: gr.Request, listens_on: str) -> Bench:
    """The bench with the command line's runs, where the visitor sits at the machine itself."""
    headers = getattr(request, "headers", None) or {}
    client = getattr(getattr(request, "client", None), "host", None)
    may = may_see_commands(listens_on, request.username, dict(headers), client)
    return replace(bench, with_commands=may)
