"""Names on the Hub: what can be one, and what never is asked for."""

import pytest

from leukemia_app.hub_names import (
    HubModel,
    parse_checkpoint,
    parse_dataset,
    parse_model,
    parse_models,
    short,
)

COMMIT = "c0ffee" * 6 + "c0ff"


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("ada/smears", HubModel(repo="ada/smears")),
        (" ada/smears@v1.0 ", HubModel(repo="ada/smears", revision="v1.0")),
        ("ada/smears@refs/pr/1", HubModel(repo="ada/smears", revision="refs/pr/1")),
        (f"hf://ada/smears@{COMMIT}", HubModel(repo="ada/smears", revision=COMMIT)),
        ("https://huggingface.co/ada/smears/", HubModel(repo="ada/smears")),
        ("https://huggingface.co/ada/smears/tree/dev", HubModel(repo="ada/smears", revision="dev")),
    ],
)
def test_a_repository_is_named_as_people_write_it(text: str, model: HubModel):
    assert parse_model(text) == model


@pytest.mark.parametrize(
    "text",
    [
        "", "smears", "ada/", "/smears", "ada/smears/more", "../smears", "ada/..", "ada/a..b",
        "ada/a--b", "ada/smears@", "ada/smears@../x", "ada/smears@a//b", "ada/.hidden", "a b/c",
        "ada/smears.git", "ada/smears-", "-ada/smears", "ada/smears@-x", "ada/smears?x", "ada/é",
        "http://huggingface.co/ada/smears", "https://example.org/ada/smears", "ada/smears@a\nb",
        f"{'a' * 97}/smears",
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(text: str):
    with pytest.raises(ValueError, match=r"owner/name, with @revision"):
        parse_model(text)


@pytest.mark.parametrize(
    ("text", "revision", "file"),
    [
        ("ada/smears", "main", None),
        ("ada/smears@v1", "v1", None),
        ("ada/smears/best.keras", "main", "best.keras"),
        ("hf://ada/smears@v1/best model.h5", "v1", "best model.h5"),
        ("https://huggingface.co/ada/smears/blob/main/best.keras", "main", "best.keras"),
        (f"https://huggingface.co/ada/smears/resolve/{COMMIT}/a.h5", COMMIT, "a.h5"),
    ],
)
def test_one_file_of_a_repository_is_named_after_it(text: str, revision: str, file: str | None):
    assert parse_checkpoint(text) == (HubModel(repo="ada/smears", revision=revision), file)


@pytest.mark.parametrize(
    "text",
    ["ada/smears/best.pkl", "ada/smears/deep/best.keras", "ada/smears/..keras", "best.keras",
     "ada/smears/a..b.keras", "https://example.org/ada/smears/blob/main/best.keras",
     "ada/../best.keras"],
)  # fmt: skip
def test_what_names_no_file_of_a_repository_is_refused(text: str):
    with pytest.raises(ValueError, match=r"owner/name, with @revision"):
        parse_checkpoint(text)


def test_only_a_whole_commit_is_pinned():
    assert parse_model(f"ada/smears@{COMMIT}").is_pinned
    assert not parse_model(f"ada/smears@{COMMIT[:-1]}").is_pinned
    assert not parse_model("ada/smears").is_pinned


def test_a_commit_is_shown_short_and_a_branch_whole():
    assert short(COMMIT) == "c0ffeec"
    assert str(parse_model(f"ada/smears@{COMMIT}")) == "ada/smears@c0ffeec"
    assert str(parse_model("ada/smears@develop-more")) == "ada/smears@develop-more"
    assert str(parse_model("ada/smears@main")) == "ada/smears"


def test_several_are_parted_by_commas():
    assert parse_models(" ada/a , bob/b@v1,") == (
        HubModel(repo="ada/a"), HubModel(repo="bob/b", revision="v1")
    )  # fmt: skip
    assert parse_models("") == ()
    with pytest.raises(ValueError, match="each once"):
        parse_models("ada/a,ada/a@v2")


def test_a_data_set_is_named_the_same_way():
    assert parse_dataset("hf://datasets/ada/smears@v1").revision == "v1"
    assert parse_dataset("just a folder") is None
