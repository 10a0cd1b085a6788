"""The Hub in the Models tab: pulling, pushing, who may, whose token, what is fetched first."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from leukemia_app.bundles.device import Device
from leukemia_app.bundles.hub import Progress, Pulls
from leukemia_app.bundles.hub_client import Hub
from leukemia_app.bundles.hub_words import HubAwayError
from leukemia_app.bundles.library import Library
from leukemia_app.bundles.store import verify
from leukemia_app.hub_names import HubModel
from leukemia_app.logins import parse_logins
from leukemia_app.settings import SHIPPED, Settings
from leukemia_app.ui import hub_desk, hub_text, models_tab
from leukemia_app.ui.hub_panes import progress_note, pull_zone, wishes
from leukemia_app.ui.hub_start import Wish, Wishes
from leukemia_app.ui.models_tab import ModelsTab, Parts
from tests.hub_server import TOKEN, HubServer, Model, files_of, quiet, serving_models
from tests.ui.test_models_tab import request_from

SHIPPED_ONE = "pbc-mobilenet"
REPO = "ada/smears"
AFAR = "smear.example.org"

pytestmark = [
    pytest.mark.skipif(not (SHIPPED / "models" / SHIPPED_ONE).is_dir(), reason="no model shipped"),
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]


@dataclass(kw_only=True)
class Visit:
    """One visitor of the tab, and the Hub that the server knows."""

    tab: ModelsTab
    parts: Parts
    hub: HubServer
    signed_in: Any = None

    def ask(self, what: str, request: Any = None, **facts: Any) -> dict[str, Any]:
        """What the page then shows, by the name of the part."""
        handler = self.tab._guarded(self.parts, "session", "chooser")
        asked = SimpleNamespace(what=what, **facts)
        return self.named(handler(None, request or request_from(), asked, self.signed_in))

    def pull(self, repo: str = REPO, request: Any = None, **facts: Any) -> list[dict[str, Any]]:
        """What the page shows one after the other."""
        handler = self.tab._guarded_pull(self.parts, "session", "chooser")
        asked = SimpleNamespace(repo=repo, **facts)
        return [self.named(each) for each in
                handler(None, request or request_from(), asked, self.signed_in)]  # fmt: skip

    def named(self, shown: dict[Any, Any]) -> dict[str, Any]:
        names = {self.parts.said: "said", self.parts.listed: "listed", self.parts.saved: "saved",
                 self.parts.wishes: "wishes"}  # fmt: skip
        return {names.get(part, part): value for part, value in shown.items()}


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """A tab over no model, a Hub with one, and a server whose owner's token is known."""
    quiet(monkeypatch)
    settings = Settings.from_environment({"LEUKEMIA_STATE_DIR": str(tmp_path / "state")})
    library = Library(
        [("own", settings.own_models), ("pulled", settings.pulled_models)],
        device=Device(name="cpu", engine="litert", detail="CPU."), memory_mb=100, threads=1,
    )  # fmt: skip
    files = files_of(SHIPPED / "models" / SHIPPED_ONE)
    with serving_models({REPO: Model(commits=[files])}) as server:

        def hub(token: str | bool | None = None) -> Hub:
            token = TOKEN if token is None else token
            return Hub(endpoint=server.url, cache=tmp_path / "cache", token=token)

        monkeypatch.setattr(hub_desk, "Hub", hub)
        monkeypatch.setattr(hub_desk, "Pulls", lambda **given: Pulls(**given, try_out=verify))
        tab = ModelsTab(
            settings=settings, library=library, uploads=tmp_path, listens_on="127.0.0.1"
        )

        async def inside_a_loop() -> Parts:
            with gr.Blocks():
                return tab.build()

        yield Visit(tab=tab, parts=asyncio.run(inside_a_loop()), hub=server)


def test_a_model_is_pulled_with_its_progress_listed_and_deleted(visit: Visit):
    shown = visit.pull(name="from-afar")
    assert "Asking the Hub…" in shown[0]["said"]
    assert any(
        "testing the model in a process of its own" in each.get("said", "") for each in shown
    )
    done = next(each for each in shown if "listed" in each)
    assert "from-afar is pulled from ada/smears@" in done["said"]
    assert '<p class="s-hint">from-afar · pulled · apache-2.0</p>' in done["listed"]
    assert "ada/smears@" in done["listed"]
    assert "self-test passed" in done["listed"]
    assert 'data-models="remove" data-value="from-afar"' in done["listed"]
    assert '<option value="from-afar"' in shown[-1]["chooser"]
    assert "from-afar is deleted." in visit.ask("remove", value="from-afar")["said"]


def test_a_model_of_the_same_commit_is_said_to_be_here(visit: Visit):
    visit.pull()
    assert "pbc-mobilenet is here already, as ada/smears@" in visit.pull()[1]["said"]


def test_what_goes_wrong_is_said_in_words_and_escaped(visit: Visit):
    (first, last) = visit.pull("<img src=x>")
    assert hub_text.NO_REPO in first["said"]
    assert last["saved"] is None
    shown = visit.pull("ada/gone")
    assert "The Hub has no model ada/gone" in shown[1]["said"]
    assert 'role="alert"' in shown[1]["said"]


def test_the_unforeseen_is_told_by_a_reference(visit: Visit, monkeypatch, caplog):
    def fails(*_: object, **__: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr("leukemia_app.bundles.hub.find", fails)
    said = visit.pull()[1]["said"]
    assert "report it with the reference" in said
    assert "lost" in caplog.text
    assert "lost" not in said


def test_who_may_not_change_models_may_not_pull_however_they_ask(visit: Visit):
    (shown, _) = visit.pull(request=request_from(AFAR))
    assert "may not be added or deleted in this page" in shown["said"]
    assert visit.hub.asked == []
    zone = visit.tab.shown(visit.parts, request_from(AFAR))[visit.parts.zone]
    assert zone == ""


def test_a_model_is_pushed_private_and_over_another_at_the_second_click(visit: Visit):
    visit.pull()
    shown = visit.ask("push", value=SHIPPED_ONE, repo="ada/back")
    assert f"pbc-mobilenet is at {visit.hub.url}/ada/back, commit " in shown["said"]
    assert visit.hub.models["ada/back"].is_private
    shown = visit.ask("push", value=SHIPPED_ONE, repo="ada/back")
    assert "holds a model of this app already" in shown["said"]
    assert 'data-value="pbc-mobilenet" data-repo="ada/back" data-overwrite="yes"' in shown["said"]
    shown = visit.ask("push", value=SHIPPED_ONE, repo="ada/back", overwrite="yes")
    assert "It replaced what was there." in shown["said"]


def test_a_broken_model_is_not_pushed(visit: Visit):
    visit.pull()
    folder = visit.tab.settings.pulled_models / SHIPPED_ONE / "bundle"
    (folder / "model.tflite").write_bytes(b"x")
    said = visit.ask("push", value=SHIPPED_ONE, repo="ada/back")["said"]
    assert "The model pbc-mobilenet cannot be sent" in said


# Who may, and whose token


@pytest.mark.parametrize(
    ("setting", "logins", "listens_on", "host", "expected"),
    [
        ("auto", "", "127.0.0.1", "127.0.0.1:7860", None),
        ("auto", "", "0.0.0.0", "127.0.0.1:7860", False),  # noqa: S104
        ("on", "", "0.0.0.0", AFAR, False),  # noqa: S104
        ("on", "ada:secret", "0.0.0.0", AFAR, None),  # noqa: S104
        ("auto", "ada:secret", "0.0.0.0", AFAR, False),  # noqa: S104
        ("on", "", "127.0.0.1", "127.0.0.1:7860", None),
        # a proxy that adds no header looks like who sits at the machine
        ("off", "", "127.0.0.1", "127.0.0.1:7860", False),
        ("off", "ada:secret", "127.0.0.1", "127.0.0.1:7860", False),
    ],
)
def test_the_owner_s_token_is_for_whom_the_owner_trusts(
    visit: Visit, setting: str, logins: str, listens_on: str, host: str, expected: bool | None
):
    settings = replace(visit.tab.settings, add_models=setting, logins=parse_logins(logins))
    desk = replace(visit.tab.desk, settings=settings, listens_on=listens_on)
    assert desk.token(request_from(host), None) is expected
    assert desk.may_push(request_from(host), None) is (expected is None)
    assert desk.token(request_from(host), SimpleNamespace(token="hf_own")) == "hf_own"  # noqa: S106
    assert desk.may_push(request_from(host), SimpleNamespace(token="hf_own"))  # noqa: S106


def test_a_private_model_of_the_owner_is_not_for_strangers(visit: Visit):
    visit.hub.models[REPO].is_private = True
    settings = replace(visit.tab.settings, add_models="on")
    visit.tab = replace(visit.tab, settings=settings, listens_on="0.0.0.0")  # noqa: S104
    shown = visit.pull(request=request_from(AFAR))
    assert "The Hub has no model ada/smears, or it is private" in shown[1]["said"]
    visit.signed_in = SimpleNamespace(token=TOKEN)
    assert "is pulled from" in str(visit.pull(request=request_from(AFAR)))


def test_a_checkpoint_is_looked_at_with_no_stranger_s_right_to_the_owner_s(visit: Visit):
    assert visit.tab.importing.hub(request_from(AFAR)).token is False
    assert visit.tab.importing.hub(request_from()).token is None


def test_who_may_not_push_is_refused_however_they_ask(visit: Visit):
    visit.pull()
    shown = visit.ask("push", request_from(AFAR), value=SHIPPED_ONE, repo="ada/back")
    assert hub_text.MAY_NOT_PUSH.split(".")[0] in shown["said"]
    assert "ada/back" not in visit.hub.models
    listed = visit.tab.shown(visit.parts, request_from(AFAR))[visit.parts.listed]
    assert 'data-models="push"' not in listed
    listed = visit.tab.shown(visit.parts, request_from())[visit.parts.listed]
    assert 'data-models="push"' in listed


def test_a_newer_one_waits_for_the_training_that_needs_the_older(visit: Visit):
    visit.pull()
    folder = visit.tab.settings.pulled_models / SHIPPED_ONE / "bundle"
    run = visit.tab.settings.state_dir / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "config.json").write_text(f'{{"start": "bundle:{folder}"}}')
    (run / "status.json").write_text('{"state": "stopped"}')
    visit.hub.models[REPO].commits.append(visit.hub.models[REPO].files | {"README.md": b"New."})
    said = str(visit.pull())
    assert "The training mine starts from the model that is here" in said
    assert "needs it" in visit.ask("remove", value=SHIPPED_ONE)["said"]


def test_only_a_space_lets_visitors_sign_in(monkeypatch: pytest.MonkeyPatch):
    assert not models_tab.can_sign_in()
    monkeypatch.setattr(models_tab, "OAUTH_CLIENT_ID", "an id")
    assert not models_tab.can_sign_in()
    monkeypatch.setattr(models_tab, "get_space", lambda: "ada/space")
    assert models_tab.can_sign_in()


# Fetched at the start


def test_what_is_wished_for_is_fetched_and_what_failed_is_said(visit: Visit, caplog):
    listed = Wishes([HubModel(repo="ada/gone"), HubModel(repo=REPO)])
    assert [wish.said for wish in listed.listed] == ["waits for its turn"] * 2
    with caplog.at_level(logging.INFO, "leukemia_app"):
        listed.fetch(visit.tab.desk.pulls(), visit.tab.library)
    gone, here = listed.listed
    assert gone.has_failed
    assert "The Hub has no model ada/gone" in gone.said
    assert "pbc-mobilenet is pulled from ada/smears@" in here.said
    assert "LEUKEMIA_HUB_MODELS: 1 of 2 models are here" in caplog.text
    assert "ada/gone" not in caplog.text
    tab = replace(visit.tab, wishes=listed)
    shown = tab.shown(visit.parts, request_from(AFAR))[visit.parts.wishes]
    assert "m-failed" in shown
    assert "<b>ada/gone</b>" in shown


def test_one_wish_that_breaks_does_not_end_the_others(visit: Visit, monkeypatch, caplog):
    pulls = visit.tab.desk.pulls()

    def fails(self: Pulls, model: HubModel, *_: object, **__: object) -> None:
        raise KeyError(model.repo)

    monkeypatch.setattr(Pulls, "pull", fails)
    listed = Wishes([HubModel(repo="ada/a"), HubModel(repo="ada/b")])
    listed.fetch(pulls, visit.tab.library)
    assert [wish.said for wish in listed.listed] == [hub_text.LOST] * 2
    assert "0 of 2 models are here" in caplog.text


def test_the_hub_is_asked_again_where_it_could_not_be_asked(visit: Visit, monkeypatch):
    pulls, asked, pauses = visit.tab.desk.pulls(), list[str](), list[float]()
    pull = Pulls.pull

    def away_twice(self: Pulls, model: HubModel, *given: Any, **more: Any) -> Any:
        asked.append(model.repo)
        if asked.count(REPO) < 3 and model.repo == REPO:
            raise HubAwayError("The Hub cannot be asked now.")
        return pull(self, model, *given, **more)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        said = listed.listed[1].said
        assert said.startswith("The Hub cannot be asked now. It is tried again in ")
        assert said.endswith("1 minute." if seconds == 60 else "5 minutes.")

    monkeypatch.setattr(Pulls, "pull", away_twice)
    listed = Wishes([HubModel(repo="ada/gone"), HubModel(repo=REPO)])
    listed.fetch(pulls, visit.tab.library, sleep)
    assert pauses == [60, 300]
    assert asked == ["ada/gone", REPO, REPO, REPO], "what the Hub has not is not asked for again"
    assert "pbc-mobilenet is pulled from ada/smears@" in listed.listed[1].said
    assert not listed.listed[1].has_failed


# What it looks like


def test_progress_is_words_and_a_bar():
    from leukemia_app.bundles.hub import Listing

    listed = Listing(model=HubModel(repo=REPO), commit="c0ffee" * 6 + "c0ff", files={})
    note = progress_note(Progress(phase="fetching", n_bytes=2_500_000, total_bytes=5_000_000,
                                  listed=listed))  # fmt: skip
    assert "ada/smears@c0ffeec: 2.5 of 5.0 MB…" in note
    assert '<progress max="5000000" value="2500000"' in note
    assert "<progress" not in progress_note(Progress(phase="testing", listed=listed))
    assert hub_text.ASKING in progress_note(Progress(phase="asking"))


def test_what_strangers_wrote_is_escaped():
    page = wishes([Wish(model=HubModel(repo=REPO), said="<script>", has_failed=True)])
    assert "<script" not in page
    assert wishes([]) == ""
    assert "Up to 40 MB" in pull_zone(40)
