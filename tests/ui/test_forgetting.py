"""What visitors were shown leaves the memory; held against Gradio's own keeping of sessions."""

import asyncio
from datetime import datetime, timedelta

import gradio as gr
import pytest
from gradio.state_holder import StateHolder

from leukemia_app.ui.forgetting import forget

KEEP_S = 3600.0
ANSWER = "<section>an answer with a picture in it</section>"


@pytest.fixture
def page() -> gr.Blocks:
    async def inside_a_loop() -> gr.Blocks:
        # without a running loop Gradio makes loops of its own, and never closes them
        with gr.Blocks(analytics_enabled=False) as blocks:
            state = gr.State("", time_to_live=60)
            shown = gr.HTML("before", elem_id="answer")
            shown.click(lambda was: (was + "x", ANSWER), [state], [state, shown])
        return blocks

    return asyncio.run(inside_a_loop())


@pytest.fixture
def holder(page: gr.Blocks) -> StateHolder:
    made = StateHolder()
    made.set_blocks(page)
    return made


def ask(page: gr.Blocks, holder: StateHolder, session: str) -> object:
    """What the page's event gives that session, as Gradio carries it out."""
    (event,) = page.fns.values()
    done = asyncio.run(page.process_api(event, [None], state=holder[session]))
    return done["data"][1]


def kept(holder: StateHolder, session: str) -> str:
    return repr(holder.session_data[session].config_values)


def test_gradio_keeps_what_it_sent_and_we_let_go_of_it(page: gr.Blocks, holder: StateHolder):
    assert ask(page, holder, "ada") == ANSWER
    assert ANSWER in kept(holder, "ada"), "if not, Gradio does it by itself now: delete all this"
    forget(holder, KEEP_S, datetime.now())
    assert kept(holder, "ada") == "{}"
    # Not even what comes later; and the visitor's own state stays.
    assert ask(page, holder, "ada") == ANSWER
    assert kept(holder, "ada") == "{}"
    assert list(holder.session_data["ada"].state_data.values()) == ["xx"]


def test_a_session_that_is_not_used_is_dropped_and_others_stay(
    page: gr.Blocks, holder: StateHolder
):
    for session in ("ada", "bob"):
        ask(page, holder, session)
    now = datetime.now()
    holder.time_last_used["ada"] = now - timedelta(seconds=KEEP_S + 1)
    forget(holder, KEEP_S, now)
    assert list(holder.session_data) == list(holder.time_last_used) == ["bob"]
    # Who comes back begins anew.
    assert ask(page, holder, "ada") == ANSWER
    assert list(holder.session_data["ada"].state_data.values()) == ["x"]
