"""What visitors were shown leaves the server's memory; Gradio itself would keep it for good."""

from datetime import datetime
from typing import Any

from gradio.state_holder import StateHolder


class KeepsNothing(dict[int, Any]):
    """In place of a session's copies of every value that its page was sent.

    Gradio keeps them for links to a session, which this page has none of: about a megabyte for
    each picture that is read.
    """

    def __getitem__(self, key: int) -> Any:
        """Nothing is known of any part."""
        return {}

    def __setitem__(self, key: int, value: Any) -> None:
        """Nothing is kept."""


def forget(holder: StateHolder, keep_s: float, now: datetime) -> None:
    """Drop sessions that were not used for `keep_s` seconds, and the others' copies of values.

    Without this, 10,000 sessions are kept, however old.
    """
    for session, used in tuple(holder.time_last_used.items()):
        if (now - used).total_seconds() > keep_s:
            with holder.lock:
                holder.session_data.pop(session, None)
                holder.time_last_used.pop(session, None)
        elif (state := holder.session_data.get(session)) is not None:
            state.config_values = KeepsNothing()
