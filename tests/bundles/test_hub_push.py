"""A model sent to the Hub: in one commit, with its card, and never over what is there unasked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from leukemia_app.bundles.hub import Pulls
from leukemia_app.bundles.hub_client import Hub
from leukemia_app.bundles.hub_push import Pushed, WouldOverwriteError, hub_card, push
from leukemia_app.bundles.hub_words import HubAwayError
from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.bundles.store import verify
from leukemia_app.errors import BundleError
from leukemia_app.hub_names import parse_model
from tests.bundles.conftest import spec_of
from tests.hub_server import (
    TOKEN,
    HubServer,
    Model,
    commit_id,
    files_of,
    quiet,
    serving_models,
)

REPO = "ada/small"
pytestmark = pytest.mark.filterwarnings(
    "ignore:Use 'content=:DeprecationWarning"  # the client sends large files in httpx2's old way
)


@dataclass(kw_only=True)
class Place:
    server: HubServer
    hub: Hub

    def push(self, folder: Path, repo: str = REPO, **options: Any) -> Pushed:
        self.server.asked.clear()
        return push(folder, repo, hub=self.hub, **options)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A Hub without models, and a token that may write to ada's."""
    quiet(monkeypatch)
    with serving_models({}) as server:
        yield Place(
            server=server, hub=Hub(endpoint=server.url, cache=tmp_path / "cache", token=TOKEN)
        )


def test_a_model_is_sent_private_in_one_commit_and_comes_back_the_same(
    place: Place, bundle: Path, tmp_path: Path
):
    done = place.push(bundle)
    made = place.server.models[REPO]
    assert made.is_private
    assert done == Pushed(repo=REPO, commit=commit_id(made.files), is_new=True,
                          address=f"{place.server.url}/{REPO}")  # fmt: skip
    assert sum(line.startswith("POST") and "/commit/" in line for line in place.server.asked) == 1
    sent, own = dict(made.files), files_of(bundle)
    del sent[".gitattributes"], sent["README.md"], own["README.md"]
    assert sent == own
    pulls = Pulls(home=tmp_path / "pulled", max_bytes=50_000_000, hub=place.hub, try_out=verify)
    back = pulls.pull(parse_model(REPO), [])
    assert (back.id, back.commit) == ("small", done.commit)
    assert verify(back.folder) == verify(bundle)


def test_what_is_there_is_replaced_only_when_that_is_asked_for(place: Place, bundle: Path):
    place.push(bundle)
    before = dict(place.server.models[REPO].files)
    with pytest.raises(
        WouldOverwriteError, match=r"holds a model of this app already: 6 files. The"
    ):
        place.push(bundle)
    assert place.server.models[REPO].files == before
    place.server.models[REPO].commits.append(before | {"notes.txt": b"mine"})
    done = place.push(bundle, overwrite=True)
    assert not done.is_new
    assert place.server.models[REPO].files["notes.txt"] == b"mine"


def test_a_file_that_the_new_model_has_not_goes_with_the_old_one(
    place: Place, bundle: Path, written_binary: Path
):
    place.push(bundle)
    assert "scope.npz" in place.server.models[REPO].files
    place.push(written_binary, overwrite=True)
    assert "scope.npz" not in place.server.models[REPO].files


def test_other_files_are_not_written_over_either(place: Place, bundle: Path):
    place.server.models[REPO] = Model(commits=[{"pytorch_model.bin": b"x"}])
    with pytest.raises(WouldOverwriteError, match="holds other files already: 1 files"):
        place.push(bundle)


def test_it_is_for_everybody_only_when_that_is_said(place: Place, bundle: Path):
    place.push(bundle, is_private=False)
    assert not place.server.models[REPO].is_private


def test_who_has_no_token_is_told_where_to_get_one(place: Place, bundle: Path):
    place.hub = Hub(endpoint=place.hub.endpoint, cache=place.hub.cache, token=False)
    with pytest.raises(BundleError, match=r"needs a token that may write.*in HF_TOKEN"):
        place.push(bundle)
    assert place.server.asked == []


def test_who_may_not_write_there_is_told(place: Place, bundle: Path):
    with pytest.raises(BundleError, match=r"does not let this be done with bob/small .answer 403"):
        place.push(bundle, "bob/small")
    place.hub = Hub(endpoint=place.hub.endpoint, cache=place.hub.cache, token="hf_wrong")  # noqa: S106
    with pytest.raises(BundleError, match=r"answer 401.*Give a token that may"):
        place.push(bundle)


def test_what_changed_meanwhile_is_not_written_over(place: Place, bundle: Path, monkeypatch):
    place.push(bundle)
    model = place.server.models[REPO]
    monkeypatch.setattr(
        "tests.hub_server.Answer.preupload",
        lambda answer, repo, asked: (
            model.commits.append(model.files | {"new.txt": b"x"}),
            answer.send_json({"files": [
                {"path": each["path"], "uploadMode": "lfs", "shouldIgnore": False}
                for each in asked["files"]
            ]}),
        ),
    )  # fmt: skip
    with pytest.raises(BundleError, match=r"was changed by somebody else meanwhile .answer 412"):
        place.push(bundle, overwrite=True)
    assert "new.txt" in model.files


def test_a_damaged_model_is_not_sent(place: Place, bundle: Path):
    (bundle / "model.tflite").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"model\.tflite does not match"):
        place.push(bundle)
    assert place.server.asked == []


@pytest.mark.parametrize(
    ("repo", "words"),
    [
        ("small", "no name on the Hub; use owner/name"),
        ("ada/small@v1", "names a revision; a model"),
    ],
)
def test_where_to_must_be_a_name(place: Place, bundle: Path, repo: str, words: str):
    with pytest.raises(BundleError, match=words):
        place.push(bundle, repo)


def test_without_a_network_it_is_said(place: Place, bundle: Path):
    place.hub = Hub(endpoint="http://127.0.0.1:9", token=TOKEN)
    with pytest.raises(HubAwayError, match="The Hub cannot be reached for ada/small"):
        place.push(bundle)


# The card


def figure(**changes: Any) -> Figure:
    values = {"name": "macro-F1", "value": 0.61234, "low": 0.5, "high": 0.7, "part": "test",
              "n": 40, "n_groups": 4, "group_level": "patient"}  # fmt: skip
    return Figure(**(values | changes))


def card_of(**changes: Any) -> ModelCard:
    spec: Spec = spec_of(**changes)
    return ModelCard(hub_card(spec))


def test_the_card_has_what_the_hub_reads():
    card = card_of(
        licence="apache-2.0", data={"name": "Drawn", "source": "hf://datasets/ada/drawn"}
    )
    assert card.data.license == "apache-2.0"
    assert card.data.library_name == "keras"
    assert card.data.pipeline_tag == "image-classification"
    assert card.data.datasets == ["ada/drawn"]
    assert card.data.eval_results is None
    assert "# Small" in card.text
    assert "license_name" not in card.data.to_dict()


def test_a_licence_that_the_hub_does_not_know_is_named_in_words():
    card = card_of(licence="research use only")
    assert (card.data.license, card.data.license_name) == ("other", "research use only")


def test_a_result_is_named_with_its_part_its_interval_and_its_split():
    figures = (
        figure(),
        figure(part="bcisc", low=None, high=None, group_level="image"),
        figure(kind="control", name="AUROC"),
        figure(name="Brier score", value=None),
    )
    first, second = card_of(figures=figures).data.eval_results
    assert (first.metric_type, first.metric_value, first.dataset_split) == ("f1", 0.6123, "test")
    assert first.metric_name == "macro-F1 (95 % interval 0.500–0.700, test, by patient, n = 40)"
    assert (first.dataset_name, first.dataset_type) == ("drawn", "drawn")
    assert second.dataset_split == "bcisc"
    assert second.metric_name == "macro-F1 (bcisc, by image, optimistic, n = 40)"


def test_a_stranger_s_words_break_no_card():
    nasty = 'x: [y"\n---\nlicense: mit'
    card = card_of(licence=nasty, data={"name": nasty}, figures=(figure(part=nasty),))
    assert card.data.license == "other"
    assert card.data.license_name == nasty
    assert card.data.eval_results[0].dataset_name == nasty
