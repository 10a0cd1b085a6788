"""Adding, downloading and deleting models in the page, and who may."""

import asyncio
import base64
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from leukemia_app.bundles.device import Device
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.store import verify
from leukemia_app.errors import BundleError
from leukemia_app.settings import SHIPPED, Settings
from leukemia_app.ui import models_tab, text
from leukemia_app.ui.models import add_zone, chooser, model_list
from leukemia_app.ui.models_tab import ModelsTab, Parts
from leukemia_app.ui.session import Session
from tests.ui.test_models_pane import BROKEN, entry

SHIPPED_ONE = "pbc-mobilenet"


def request_from(host: str = "127.0.0.1:7860", **headers: str) -> Any:
    return SimpleNamespace(
        headers={"host": host} | headers, client=SimpleNamespace(host="127.0.0.1"), username=None
    )


@dataclass(kw_only=True)
class Visit:
    """One visitor of the tab."""

    tab: ModelsTab
    parts: Parts
    session: Session | None = None

    def ask(self, what: str, request: Any = None, **facts: Any) -> dict[str, Any]:
        """What the page then shows, by the name of the part."""
        handler = self.tab._guarded(self.parts, "session", "chooser")
        asked = SimpleNamespace(what=what, **facts)
        shown = handler(self.session, request or request_from(), asked)
        self.session = shown["session"]
        names = {self.parts.said: "said", self.parts.listed: "listed", self.parts.saved: "saved"}
        return {names.get(part, part): value for part, value in shown.items()}


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """A tab over one shipped model, whose tests of new models are over at once."""
    shipped = tmp_path / "shipped" / SHIPPED_ONE
    shutil.copytree(SHIPPED / "models" / SHIPPED_ONE, shipped)
    settings = Settings.from_environment({"LEUKEMIA_STATE_DIR": str(tmp_path / "state")})
    device = Device(name="cpu", engine="litert", detail="CPU.")
    folders = [("shipped", shipped.parent), ("own", settings.own_models)]
    library = Library(folders, device=device, memory_mb=100, threads=1)
    add = models_tab.add_bundle
    monkeypatch.setattr(
        models_tab, "add_bundle", lambda *given, **more: add(*given, **more, try_out=verify)
    )
    tab = ModelsTab(
        settings=settings, library=library, uploads=tmp_path, listens_on="127.0.0.1"
    )  # fmt: skip

    async def inside_a_loop() -> Parts:
        # without a running loop Gradio makes loops of its own, and never closes them
        with gr.Blocks():
            return tab.build()

    return Visit(tab=tab, parts=asyncio.run(inside_a_loop()))


@pytest.fixture
def zipped(visit: Visit, tmp_path: Path) -> Callable[[], list[list[str]]]:
    """The shipped model as an upload, packed by the page itself."""

    def given() -> list[list[str]]:
        saved = visit.ask("pack", value=SHIPPED_ONE)["saved"]
        assert saved["name"] == f"{SHIPPED_ONE}.zip"
        path = tmp_path / "upload.zip"
        path.write_bytes(base64.b64decode(saved["base64"]))
        return [["carried.zip", str(path)]]

    return given


def test_a_model_comes_in_is_listed_chosen_and_goes_again(visit: Visit, zipped, tmp_path: Path):
    shown = visit.ask("add", files=zipped(), name="carried")
    assert text.added("carried", is_new=True) in shown["said"]
    assert 'data-models="remove" data-value="carried"' in shown["listed"]
    assert '<option value="carried">' in shown["chooser"]
    assert not (tmp_path / "upload.zip").exists()
    visit.session = replace(visit.session or Session(), model="carried")
    shown = visit.ask("remove", value="carried")
    assert "carried is deleted." in shown["said"]
    assert "carried" not in shown["listed"] + shown["chooser"]
    assert shown["session"].model == SHIPPED_ONE


def test_the_same_model_is_said_to_be_here(visit: Visit, zipped):
    assert "is here already, with the very same content" in visit.ask("add", files=zipped())["said"]


def test_what_is_wrong_is_said_in_words_and_escaped(visit: Visit, tmp_path: Path):
    path = tmp_path / "<img src=x>.zip"
    path.write_text("no zip")
    shown = visit.ask("add", files=[["<img>.zip", str(path)]])
    assert 'role="alert"' in shown["said"]
    assert "&lt;img src=x&gt;.zip is no zip archive" in shown["said"]
    assert "<img" not in shown["said"]


@pytest.mark.parametrize("files", [None, [], [["a", "/etc/passwd"]], "x", [["a"]]])
def test_a_file_that_was_not_uploaded_is_refused(visit: Visit, files: Any):
    assert 'role="alert"' in visit.ask("add", files=files)["said"]


def test_a_shipped_model_is_not_deleted(visit: Visit):
    assert "was not added here" in visit.ask("remove", value=SHIPPED_ONE)["said"]
    assert "is not here any more" in visit.ask("remove", value="gone")["said"]


def test_a_model_that_a_training_needs_is_kept(visit: Visit, zipped):
    visit.ask("add", files=zipped(), name="carried")
    run = visit.tab.settings.state_dir / "runs" / "mine"
    run.mkdir(parents=True)
    folder = visit.tab.settings.own_models / "carried"
    (run / "config.json").write_text(f'{{"start": "bundle:{folder}"}}')
    (run / "status.json").write_text('{"state": "stopped"}')
    assert "The training mine starts from carried" in visit.ask("remove", value="carried")["said"]
    (run / "status.json").write_text('{"state": "done"}')
    assert "carried is deleted" in visit.ask("remove", value="carried")["said"]


def test_the_unforeseen_is_told_by_a_reference(visit: Visit, monkeypatch, caplog):
    def fails(*_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(models_tab, "pack", fails)
    said = visit.ask("pack", value=SHIPPED_ONE)["said"]
    assert "report it with the reference" in said
    assert "lost" in caplog.text
    assert "lost" not in said


def test_what_nobody_can_ask_for_changes_nothing(visit: Visit):
    shown = visit.ask("destroy")
    assert set(shown) == {"session", "chooser"}


# Who may


@pytest.mark.parametrize(
    ("setting", "listens_on", "request_", "may"),
    [
        ("auto", "127.0.0.1", request_from(), True),
        ("auto", "0.0.0.0", request_from(), False),  # noqa: S104
        ("auto", "127.0.0.1", request_from(**{"x-forwarded-for": "1.2.3.4"}), False),
        ("auto", "127.0.0.1", request_from("smear.example.org"), False),
        ("on", "0.0.0.0", request_from("smear.example.org"), True),  # noqa: S104
        ("off", "127.0.0.1", request_from(), False),
    ],
)
def test_who_may_change_what_everybody_sees(visit, setting, listens_on, request_, may):
    settings = replace(visit.tab.settings, add_models=setting)
    tab = replace(visit.tab, settings=settings, listens_on=listens_on)
    assert tab.may_change(request_) is may
    shown = tab.shown(visit.parts, request_)
    assert ("data-models-take" in shown[visit.parts.zone]) is may


@pytest.mark.parametrize("what", ["add", "remove"])
def test_who_may_not_is_refused_however_they_ask(visit: Visit, zipped, what: str):
    files = zipped()
    said = visit.ask(what, request_from("smear.example.org"), files=files, value=SHIPPED_ONE)[
        "said"
    ]
    assert "may not be added or deleted in this page" in said
    assert not visit.tab.settings.own_models.exists()


# What it looks like


def test_only_added_models_can_be_deleted_and_only_by_those_who_may():
    entries = [entry(), entry(id="mine"), BROKEN]
    page = model_list(entries, {"mine": "Hello", "torn": ""}, may_change=True)
    assert page.count('data-models="remove"') == 2
    assert page.count('data-models="pack"') == 2  # a broken one cannot be packed
    assert 'data-models="remove"' not in model_list(entries, {"mine": ""}, may_change=False)
    assert 'data-models="remove"' not in model_list(entries, may_change=True)


def test_a_model_that_was_trained_here_says_how_it_is_deleted():
    assert text.GOES_WITH_RUN in model_list([replace(entry(), origin="trained here")])
    assert text.GOES_WITH_RUN not in model_list([entry()])


def test_the_card_of_a_stranger_is_text():
    page = model_list([entry()], {"four": "<script>alert(1)</script> # Title"}, may_change=False)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; # Title</pre>" in page
    assert "<script" not in page
    assert text.CAME_WITH not in model_list([entry()])


def test_the_zone_tells_the_limit():
    assert "Up to 40 MB" in add_zone(40)
    assert "&quot;limitBytes&quot;: 40000000" in add_zone(40)


def test_the_chooser_is_that_of_the_classify_tab(visit: Visit):
    drawn = visit.ask("pack", value=SHIPPED_ONE)["chooser"]
    assert drawn == chooser(visit.tab.library.entries(), SHIPPED_ONE)


def test_a_bundle_error_is_no_fault_of_the_page(visit: Visit):
    with pytest.raises(BundleError, match="gone is not here"):
        visit.tab._entry("gone")
