"""The whole page: its head, its tabs, and how it is served."""

import logging
import shutil
import signal
import threading
import time
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import gradio as gr
import numpy as np
from gradio.http_server import LOCALHOST_NAME
from gradio.state_holder import StateHolder

from leukemia_app.api import open_library, picture_limits
from leukemia_app.bundles.device import Device
from leukemia_app.data.archive import ZipLimits
from leukemia_app.errors import AppError
from leukemia_app.hub_names import HubDataset
from leukemia_app.imaging.picture import Picture
from leukemia_app.settings import SHIPPED, Settings
from leukemia_app.ui import text
from leukemia_app.ui.bench import Bench
from leukemia_app.ui.beside import BesideTab
from leukemia_app.ui.beside_desk import BesideDesk, Board
from leukemia_app.ui.beside_text import COMPARE
from leukemia_app.ui.classify import ClassifyTab
from leukemia_app.ui.components import safe
from leukemia_app.ui.desk import Desk
from leukemia_app.ui.entrance import page_head
from leukemia_app.ui.examples import Shelf, find_examples
from leukemia_app.ui.forgetting import forget
from leukemia_app.ui.hub_examples import stock
from leukemia_app.ui.hub_start import Wishes
from leukemia_app.ui.models_tab import ModelsTab
from leukemia_app.ui.session import Session
from leukemia_app.ui.short_requests import bounded
from leukemia_app.ui.theme import head, smear_theme
from leukemia_app.ui.train import TrainTab
from leukemia_app.ui.train_text import TRAIN
from leukemia_app.ui.uploads import keep_room, sweep_leftovers, uploads_folder

SWEEP_S = 60
"""How often uploads that are past their time are looked for, in seconds."""
WARM_PX = 224
TEND_S = 5.0
"""How often the lines of trainings and checks are looked after, in seconds."""

log = logging.getLogger(__name__)
FORGET_S = 10.0
"""How often what visitors were shown is let go of, in seconds."""
SESSIONS = 2000
"""Visitors at one time; of more, those who were idle longest begin anew."""
QUEUE = 40
"""Events that may wait; the next visitor is told to come back."""


def serve(settings: Settings, host: str | None = None, port: int | None = None) -> None:
    """Build the page, serve it, and wait until it is stopped.

    Without `host` and `port`, GRADIO_SERVER_NAME and GRADIO_SERVER_PORT count.

    Raises:
        SettingError: a setting cannot be used.
    """
    limits, library = picture_limits(settings), open_library(settings)
    desk = Desk(library=library, limits=limits, keep_minutes=settings.keep_minutes)
    wanted = settings.examples
    at_once = SHIPPED / "examples" if isinstance(wanted, HubDataset) else wanted
    shelf = Shelf(find_examples(at_once, limits))
    sweep_leftovers(keep_s=60 * settings.keep_minutes)
    signal.signal(signal.SIGTERM, _stop)
    with uploads_folder() as uploads:
        tab = ClassifyTab(desk=desk, shelf=shelf, uploads=uploads, max_file_mb=settings.max_file_mb)
        train = TrainTab(
            bench=Bench(settings=settings, library=library), uploads=uploads,
            max_file_mb=settings.max_file_mb, listens_on=host or LOCALHOST_NAME,
        )  # fmt: skip
        models = ModelsTab(
            settings=settings, library=library, uploads=uploads,
            listens_on=host or LOCALHOST_NAME, wishes=Wishes(settings.hub_models),
        )  # fmt: skip
        beside = BesideTab(
            desk=BesideDesk(library=library, limits=limits, zips=ZipLimits.of(settings),
                            keep_minutes=settings.keep_minutes,
                            most_pictures=settings.training.images),
            shelf=shelf, uploads=uploads, max_file_mb=settings.max_file_mb, zip_mb=settings.zip_mb,
        )  # fmt: skip
        page = build(desk, (tab, beside, train, models), library.device)
        page.launch(
            server_name=host, server_port=port, theme=smear_theme(), head=head(),
            max_file_size=f"{largest_upload_mb(settings)}mb", show_error=True, strict_cors=True,
            run_history=False, enable_monitoring=False, footer_links=[], ssr_mode=False,
            mcp_server=False, share=False, prevent_thread_lock=True, auth=logins(settings),
            auth_message=text.LOG_IN, state_session_capacity=SESSIONS, app_kwargs=bounded(),
        )  # fmt: skip
        threading.Thread(target=warm, args=(desk,), daemon=True).start()
        threading.Thread(target=keep_line_moving, args=(train.bench,), daemon=True).start()
        forgets = (page.state_holder, uploads, 60 * settings.keep_minutes)
        threading.Thread(target=keep_forgetting, args=forgets, daemon=True).start()
        if isinstance(wanted, HubDataset):
            threading.Thread(target=stock, args=(shelf, wanted, limits), daemon=True).start()
        if settings.hub_models:
            pulls = models.desk.pulls()
            threading.Thread(target=models.wishes.fetch, args=(pulls, library), daemon=True).start()
        page.block_thread()


Tabs = tuple[ClassifyTab, BesideTab, TrainTab, ModelsTab]
"""In the order in which the page has them."""


def build(desk: Desk, tabs: Tabs, device: Device) -> gr.Blocks:
    """The page over a desk; nothing is served yet."""
    tab, beside, train, models = tabs
    keep_s = 60 * desk.keep_minutes
    with gr.Blocks(
        title=text.NAME, analytics_enabled=False, delete_cache=(SWEEP_S, keep_s), fill_width=True
    ) as page:
        gr.HTML(page_head(device.name), elem_id="head", js_on_load=None, apply_default_css=False)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(text.CLASSIFY, id="classify", elem_id="tab-classify") as classify:
                parts = tab.build()
            with gr.Tab(COMPARE, id="compare", elem_id="tab-compare") as compare:
                side_by_side = beside.build()
            with gr.Tab(TRAIN, id="train", elem_id="tab-train"):
                _told(models.settings)
                if models.settings.training.days and not models.settings.logins:
                    _note(text.stays(models.settings.training.days))
                train.build()
            with gr.Tab(text.MODELS, id="models", elem_id="tab-models") as models_tab:
                _told(models.settings)
                model_parts = models.build()
        models.connect(model_parts, parts.session, parts.chooser)
        # A model may have come or gone since the page was loaded.
        classify.select(
            lambda session: tab.looked_at(parts, session), [parts.session],
            [parts.session, parts.chooser], show_progress="hidden", api_visibility="private",
        )  # fmt: skip

        def listed(request: gr.Request, signed_in: gr.OAuthToken | None = None) -> dict[Any, Any]:
            return models.listed(model_parts, request, signed_in)

        models_tab.select(
            listed, None, [model_parts.listed, model_parts.wishes], show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip
        compare.select(
            lambda board: beside.refreshed(side_by_side, board), [side_by_side.board],
            side_by_side.outputs, show_progress="hidden", api_visibility="private",
        )  # fmt: skip

        def refresh(
            session: Session | None,
            board: Board | None,
            request: gr.Request,
            signed_in: gr.OAuthToken | None = None,
        ) -> dict[Any, Any]:
            return (tab.refreshed(parts, session) | beside.refreshed(side_by_side, board)
                    | models.shown(model_parts, request, signed_in))  # fmt: skip

        page.load(
            refresh, inputs=[parts.session, side_by_side.board],
            outputs=[parts.session, parts.chooser, parts.gallery, *side_by_side.outputs,
                     model_parts.zone, model_parts.wishes, model_parts.listed],
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip
    page.queue(max_size=QUEUE)
    return page


def _told(settings: Settings) -> None:
    """That what is made here does not outlast a restart, where it is so."""
    if not settings.keeps:
        _note(text.NOT_KEPT)


def _note(sentence: str) -> None:
    gr.HTML(f'<div class="s-note"><p>{safe(sentence)}</p></div>', js_on_load=None,
            apply_default_css=False, padding=False)  # fmt: skip


def largest_upload_mb(settings: Settings) -> int:
    """Megabytes of the largest file that is taken: a picture, a model, or a zip to train on."""
    zip_mb = settings.zip_mb if settings.training.is_on else 0
    model_mb = settings.model_mb if settings.add_models != "off" else 0
    return max(settings.max_file_mb, zip_mb, model_mb)


def logins(settings: Settings) -> list[tuple[str, str]] | None:
    """Names and passwords as Gradio takes them; None lets everybody in."""
    return [(login.name, login.password) for login in settings.logins] or None


def warm(desk: Desk) -> None:
    """Load the model that visitors find chosen, so that the first answer is as fast as any."""
    model = desk.start().model
    if model is None:
        return
    blank = Picture(pixels=np.full((WARM_PX, WARM_PX, 3), 240, np.uint8), name="warming up")
    try:
        desk.library.predictor(model).examine(blank)
    except AppError as error:
        log.warning("the model %s could not be warmed up: %s", model, error)


def keep_line_moving(bench: Bench, seconds: float = TEND_S) -> None:
    """Start what waits when nothing runs any more, and note which workers are gone; for ever."""
    while bench.can_train:
        for queue in (bench.runs, bench.data.checks):
            try:
                queue.tend()
                queue.expire(time.time())
            except AppError as error:
                log.warning("the line of %s cannot be looked after: %s", queue.root.name, error)
        time.sleep(seconds)


def keep_forgetting(
    holder: StateHolder, uploads: Path, keep_s: float, seconds: float = FORGET_S
) -> None:
    """Let what visitors were shown leave the memory, and what is too much the disk; for ever."""
    while True:
        forget(holder, keep_s, datetime.now())
        try:
            keep_room(uploads, shutil.disk_usage(uploads).free)
        except OSError as error:  # the server is stopping, or the disk is in trouble
            log.warning("uploads cannot be looked after: %s", error)
        time.sleep(seconds)


def _stop(number: int, frame: FrameType | None) -> None:
    """Stop as on Ctrl+C, so that a service manager's signal also deletes the uploads."""
    raise KeyboardInterrupt
