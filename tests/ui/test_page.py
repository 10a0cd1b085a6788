"""The page as a whole: private, swept, and started without a model's help."""

import asyncio
from pathlib import Path

import gradio as gr
import pytest

from leukemia_app.bundles.device import Device
from leukemia_app.data.archive import ZipLimits
from leukemia_app.errors import BundleError
from leukemia_app.ui.beside import BesideTab
from leukemia_app.ui.beside_desk import BesideDesk
from leukemia_app.ui.classify import CONCURRENCY, ClassifyTab
from leukemia_app.ui.desk import Desk
from leukemia_app.ui.examples import Shelf
from leukemia_app.ui.models_tab import ModelsTab
from leukemia_app.ui.page import build, warm
from leukemia_app.ui.train import TrainTab
from tests.ui.instant import InstantPredictor
from tests.ui.training_bench import make_bench

CPU = Device(name="cpu", engine="litert", detail="CPU.")


def built(desk: Desk, uploads: Path) -> gr.Blocks:
    tab = ClassifyTab(desk=desk, shelf=Shelf(()), uploads=uploads, max_file_mb=50)
    bench = make_bench(uploads / "state")
    train = TrainTab(bench=bench, uploads=uploads, max_file_mb=50)
    models = ModelsTab(
        settings=bench.settings, library=desk.library, uploads=uploads, listens_on="127.0.0.1"
    )

    beside = BesideTab(
        desk=BesideDesk(library=desk.library, limits=desk.limits, zips=ZipLimits.of(bench.settings),
                        keep_minutes=desk.keep_minutes),
        shelf=Shelf(()), uploads=uploads, max_file_mb=50, zip_mb=50,
    )  # fmt: skip

    async def inside_a_loop() -> gr.Blocks:
        # without a running loop Gradio makes loops of its own, and never closes them
        return build(desk, (tab, beside, train, models), CPU)

    return asyncio.run(inside_a_loop())


@pytest.fixture
def page(desk: Desk, tmp_path: Path) -> gr.Blocks:
    return built(desk, tmp_path)


def test_uploads_are_swept_every_minute_once_their_time_is_over(page: gr.Blocks):
    assert page.delete_cache == (60, 3600)


def test_nothing_is_reported_to_anyone(page: gr.Blocks):
    assert page.analytics_enabled is False


def test_no_event_is_offered_to_programs(page: gr.Blocks):
    assert page.get_api_info()["named_endpoints"] == {}


def test_what_computes_shares_the_cores(page: gr.Blocks):
    computing = [fn for fn in page.fns.values() if fn.concurrency_id == "reading"]
    assert len(computing) == 8
    assert {fn.concurrency_limit for fn in computing} == {CONCURRENCY}


def test_the_page_can_be_built_without_any_model(desk: Desk, library, tmp_path: Path):
    library.predictors.clear()
    assert built(desk, tmp_path).fns


def test_warming_up_loads_the_model_that_visitors_find(desk: Desk, library):
    warm(desk)
    assert library.asked == ["four"]


def test_a_model_that_cannot_be_warmed_up_keeps_nobody_away(desk, library, monkeypatch, caplog):
    def refuse(*_: object) -> None:
        raise BundleError("four is damaged.")

    monkeypatch.setattr(InstantPredictor, "examine", refuse)
    warm(desk)
    assert "four is damaged." in caplog.text


def test_without_models_there_is_nothing_to_warm_up(desk: Desk, library):
    library.predictors.clear()
    warm(desk)
    assert library.asked == []
