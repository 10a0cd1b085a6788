"""Bringing in a Keras checkpoint in the page: who may, what is asked, what stays."""

import asyncio
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from leukemia_app.bundles.checkpoint import Draft
from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
from leukemia_app.bundles.checkpoint_spec import guesses, spec_of
from leukemia_app.bundles.reading import Decision, Reading
from leukemia_app.errors import BundleError
from leukemia_app.settings import Settings
from leukemia_app.ui import import_pane, import_text, text
from leukemia_app.ui.import_pane import Bringing, ImportPane, ImportParts
from leukemia_app.ui.import_panes import import_zone, looked

FACTS = CheckpointFacts(
    file="<b>x</b>.keras", kind="Keras 3 file", keras_version="3.15.1", rows=None, columns=None,
    channels=3, n_outputs=2, activation="softmax", n_layers=5, n_parameters=1234, labels=(),
    labels_from="", scaling="unit", scaling_why="the file does not say", held=("time", "memory"),
)  # fmt: skip


@dataclass(kw_only=True)
class Visit:
    """One visitor of the pane."""

    pane: ImportPane
    parts: Any
    bringing: Bringing | None = None
    drawn: list[Any] = field(default_factory=list)

    def ask(self, what: str, **more: Any) -> str:
        """What the pane then shows."""

        def redraw(session: Any, request: Any) -> dict[str, Any]:
            self.drawn.append(session)
            return {"listed": "anew"}

        handler = self.pane._guarded(self.parts, redraw)
        asked = SimpleNamespace(what=what, **more)
        shown = handler(self.bringing, "session", SimpleNamespace(), asked)
        self.bringing = shown[self.parts.bringing]
        return shown[self.parts.form]


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """A pane whose checkpoints open at once, and answer as they shall."""
    settings = Settings.from_environment({"LEUKEMIA_STATE_DIR": str(tmp_path / "state")})
    uploads = tmp_path / "uploads"
    (uploads / "abc").mkdir(parents=True)
    (uploads / "abc" / "x.keras").write_bytes(b"x")

    def make_draft(path: Path, facts: Any, answers: Any, home: Path, **_: Any) -> Draft:
        spec = spec_of(facts, answers)
        folder = home / ".adding-1-draft" / spec.id
        folder.mkdir(parents=True)
        return Draft(folder=folder, spec=spec, has_map=False, held=("time",))

    reading = Reading(
        file="drawn", model="m", probabilities={"a": 0.25, "<i>b</i>": 0.75},
        decision=Decision(kind="label", label="a"), scope=None, morphology=None, cells=None,
        remarks=(), box=(0, 0, 1, 1),
    )  # fmt: skip
    monkeypatch.setattr(import_pane, "inspect", lambda path, max_bytes: FACTS)
    monkeypatch.setattr(import_pane, "make_draft", make_draft)
    monkeypatch.setattr(import_pane, "try_on_examples", lambda draft: [reading] * 3)
    monkeypatch.setattr(import_pane, "accept", lambda draft, home, entries: home / draft.spec.id)
    pane = ImportPane(
        settings=settings, library=SimpleNamespace(entries=list), uploads=uploads,
        may_change=lambda request: True,
    )  # fmt: skip

    async def inside_a_loop() -> ImportParts:
        # without a running loop Gradio makes loops of its own, and never closes them
        with gr.Blocks():
            return pane.build()

    return Visit(pane=pane, parts=asyncio.run(inside_a_loop()))


def given(visit: Visit) -> list[list[str]]:
    return [["x.keras", str(visit.pane.uploads / "abc" / "x.keras")]]


def test_what_the_file_says_is_shown_and_the_rest_is_asked(visit: Visit):
    shown = visit.ask("look", files=given(visit))
    assert "&lt;b&gt;x&lt;/b&gt;.keras: Keras 3 file" in shown
    assert "<b>x" not in shown
    assert "class 1\nclass 2</textarea>" in shown
    assert 'name="side_px" value="224"' in shown
    assert "Not on this system: size of written files" in shown
    assert not (visit.pane.uploads / "abc" / "x.keras").exists()
    assert visit.bringing is not None
    assert visit.bringing.path.is_file()


TRIED = {"labels": "a\n<i>b</i>\n", "side_px": "96", "id": "mine", "title": "Mine",
         "scaling": "caffe", "colour": "rgb", "input": "cell"}  # fmt: skip


def test_it_is_tried_with_the_answers_then_kept(visit: Visit):
    visit.ask("look", files=given(visit))
    shown = visit.ask("try", fields=TRIED)
    assert "75.0 %" in shown
    assert "<i>b</i>" not in shown
    assert import_text.NO_MAP in shown
    draft = visit.bringing.draft
    assert (draft.spec.id, draft.spec.recipe.side_px, draft.spec.recipe.input) == (
        "mine", 96, "cell")  # fmt: skip
    kept = visit.bringing
    assert "mine is here now" in visit.ask("keep", fields=TRIED)
    assert visit.drawn == ["session"]
    assert visit.bringing is None
    assert not kept.path.exists()


@pytest.mark.parametrize(
    "change",
    [{"labels": "<i>b</i>\na"}, {"scaling": "none"}, {"title": "Another"}, {"title": ""},
     {"id": "other"}, {"licence": "mine alone"}, {"source": "ada"}, {"side_px": "64"}],
)  # fmt: skip
def test_answers_that_were_not_tried_are_not_kept(visit: Visit, change: dict[str, str]):
    visit.ask("look", files=given(visit))
    visit.ask("try", fields=TRIED)
    draft = visit.bringing.draft
    shown = visit.ask("keep", fields=TRIED | change)
    assert 'role="alert"' in shown
    assert import_text.STALE in shown
    assert visit.drawn == []
    # The form holds what was sent, and nothing can be kept before it is tried again.
    (sent,) = change.values()
    assert escape(sent) in shown
    assert 'data-import="keep"' not in shown
    assert not draft.folder.exists()
    assert import_text.STALE in visit.ask("keep", fields=TRIED | change)
    visit.ask("try", fields=TRIED | change)
    assert "is here now" in visit.ask("keep", fields=TRIED | change)


def test_what_is_drawn_after_a_trial_can_be_kept_as_it_stands(visit: Visit):
    visit.ask("look", files=given(visit))
    shown = visit.ask("try", fields=TRIED | {"labels": "0  a \r\n1 b\r\n"})
    assert ">a\nb</textarea>" in shown
    assert "is here now" in visit.ask("keep", fields=TRIED | {"labels": "a\r\nb"})


def test_an_error_leaves_the_form_as_it_was_sent(visit: Visit):
    visit.ask("look", files=given(visit))
    wrong = TRIED | {"labels": "<b>\nB\nC", "side_px": "1e9", "source": "me & you"}
    for fields in (wrong, wrong | {"side_px": "64"}):
        shown = visit.ask("try", fields=fields)
        assert 'role="alert"' in shown
        assert "&lt;b&gt;\nB\nC</textarea>" in shown
        assert f'name="side_px" value="{fields["side_px"]}"' in shown
        assert 'name="source" value="me &amp; you"' in shown
        assert '<option value="caffe" selected>' in shown
        assert '<option value="cell" selected>' in shown


def test_another_file_that_is_refused_leaves_the_form_of_the_first(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
):
    visit.ask("look", files=given(visit))

    def refuse(path: Path, max_bytes: int) -> None:
        raise BundleError("y.keras is not taken: it holds code.")

    monkeypatch.setattr(import_pane, "inspect", refuse)
    (visit.pane.uploads / "abc" / "y.keras").write_bytes(b"y")
    other = [["y.keras", str(visit.pane.uploads / "abc" / "y.keras")]]
    shown = visit.ask("look", files=other, fields=TRIED)
    assert "it holds code" in shown
    assert 'name="id" value="mine"' in shown
    assert visit.bringing.path.is_file()
    visit.ask("try", fields=TRIED)
    assert "mine is here now" in visit.ask("keep", fields=TRIED)


def test_the_form_says_how_a_picture_is_resized():
    assert "stretched to a square of the pixels a side given here, bilinear" in looked(
        FACTS, guesses(FACTS)
    )
    fixed = replace(FACTS, rows=64, columns=64)
    assert "stretched to 64 × 64 px, bilinear" in looked(fixed, guesses(fixed))
    wide = replace(FACTS, rows=64, columns=48)
    assert "and in the network to 64 × 48 px" in looked(wide, guesses(wide))


def test_trying_again_leaves_no_draft_of_before(visit: Visit):
    visit.ask("look", files=given(visit))
    visit.ask("try", fields={"id": "one"})
    first = visit.bringing.draft.folder
    visit.ask("try", fields={"id": "two"})
    assert not first.exists()
    assert visit.bringing.draft.folder.is_dir()


def test_forgetting_leaves_nothing(visit: Visit):
    visit.ask("look", files=given(visit))
    visit.ask("try", fields={})
    gone = visit.bringing
    assert import_text.FORGOTTEN in visit.ask("forget")
    assert not gone.path.parent.exists()
    assert not gone.draft.folder.exists()


def test_a_refusal_is_said_and_the_form_stays(visit: Visit, monkeypatch: pytest.MonkeyPatch):
    visit.ask("look", files=given(visit))
    shown = visit.ask("try", fields={"labels": "a\nb\nc"})
    assert 'role="alert"' in shown
    assert "tells 2 classes apart, and 3 labels are given" in shown
    assert "data-import-form" in shown
    assert "write a whole number" in visit.ask("try", fields={"side_px": "1e9"})

    def fails(*_: Any, **__: Any) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(import_pane, "make_draft", fails)
    assert "secret" not in visit.ask("try", fields={})


def test_a_refused_file_leaves_nothing(visit: Visit, monkeypatch: pytest.MonkeyPatch):
    def refuse(path: Path, max_bytes: int) -> None:
        raise BundleError("x.keras is not taken: it holds code.")

    monkeypatch.setattr(import_pane, "inspect", refuse)
    assert "it holds code" in visit.ask("look", files=given(visit))
    assert not list(visit.pane.uploads.glob("import-*"))


@pytest.mark.parametrize("files", [None, [], [["passwd", "/etc/passwd"]], "x", [[1, 2]]])
def test_only_what_was_uploaded_is_opened(visit: Visit, files: Any):
    assert 'role="alert"' in visit.ask("look", files=files)
    assert visit.bringing is None


def test_who_may_not_add_models_may_not_import(visit: Visit):
    visit.pane = replace(visit.pane, may_change=lambda request: False)
    assert text.MAY_NOT_CHANGE[:20] in visit.ask("look", files=given(visit))
    assert (visit.pane.uploads / "abc" / "x.keras").exists()


def test_nothing_is_tried_before_something_was_chosen(visit: Visit):
    assert import_text.NOTHING in visit.ask("try", fields={})


def test_the_hub_is_asked_for_a_repository_alone(visit: Visit):
    assert "no repository of the Hub" in visit.ask("look", repo="../../etc")


def test_the_zone_says_the_limit():
    assert "larger than 500 MB" in import_zone(500)


def test_a_network_of_ours_is_not_asked_for_scaling():
    own = replace(FACTS, backbone="mobilenet", head="plain")
    form = looked(own, guesses(own))
    assert 'name="scaling"' not in form
    assert 'name="colour"' not in form
