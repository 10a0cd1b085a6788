"""The environment, read and checked."""

import contextlib
import dataclasses
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukemia_app.errors import SettingError
from leukemia_app.hub_names import HubDataset, HubModel
from leukemia_app.logins import Login
from leukemia_app.settings import (
    SETTINGS,
    SHIPPED,
    Settings,
    TrainingLimits,
    settings_table,
)
from leukemia_app.state_folder import default_state_dir

HOME = {"HOME": "/home/ada"}


def read(**environ: str) -> Settings:
    return Settings.from_environment({**HOME, **environ})


def login(name: str, password: str) -> Login:
    return Login(name=name, password=password)


def test_an_empty_environment_gives_the_defaults():
    settings = read()
    assert settings.models == ()
    assert settings.examples == SHIPPED / "examples"
    assert settings.device == "auto"
    assert settings.model_memory_mb == 2000
    assert settings.keep_minutes == 60
    assert settings.max_file_mb == 50
    assert settings.max_megapixels == 64
    assert (settings.zip_files, settings.zip_mb, settings.zip_ratio) == (20_000, 4000, 200)
    assert 1 <= settings.threads <= (os.cpu_count() or 1)
    assert settings.training == TrainingLimits(
        is_on=True, images=None, minutes=None, queue=None, jobs=1
    )
    assert (settings.model_mb, settings.add_models, settings.logins) == (500, "auto", ())


def test_every_variable_reaches_its_field(tmp_path):
    settings = read(
        LEUKEMIA_STATE_DIR=str(tmp_path / "state"),
        LEUKEMIA_MODELS=os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")]),
        LEUKEMIA_HUB_MODELS="ada/smears, bob/cells@v1",
        LEUKEMIA_EXAMPLES=str(tmp_path / "examples"),
        LEUKEMIA_DEVICE="CPU",
        LEUKEMIA_MEMORY_MB="500",
        LEUKEMIA_KEEP_MINUTES="5",
        LEUKEMIA_MAX_FILE_MB="10",
        LEUKEMIA_MAX_MEGAPIXELS="20",
        LEUKEMIA_THREADS="3",
        LEUKEMIA_ZIP_FILES="100",
        LEUKEMIA_ZIP_MB="200",
        LEUKEMIA_ZIP_RATIO="50",
        LEUKEMIA_TRAINING="images=5000, minutes=120, queue=4, jobs=2, days=30",
        LEUKEMIA_MODEL_MB="40",
        LEUKEMIA_ADD_MODELS="OFF",
        LEUKEMIA_AUTH="ada:one:two, bob:three",
    )
    assert settings == Settings(
        state_dir=tmp_path / "state",
        models=(tmp_path / "a", tmp_path / "b"),
        hub_models=(HubModel(repo="ada/smears"), HubModel(repo="bob/cells", revision="v1")),
        examples=tmp_path / "examples",
        device="cpu",
        model_memory_mb=500,
        keep_minutes=5,
        max_file_mb=10,
        max_megapixels=20,
        threads=3,
        zip_files=100,
        zip_mb=200,
        zip_ratio=50,
        training=TrainingLimits(images=5000, minutes=120, queue=4, jobs=2, days=30),
        model_mb=40,
        add_models="off",
        logins=(login("ada", "one:two"), login("bob", "three")),
    )


def test_a_space_without_a_volume_keeps_nothing_for_long(tmp_path: Path):
    home = {"HOME": str(tmp_path)}
    at_home = Settings.from_environment(home)
    assert at_home.keeps
    assert at_home.state_dir.is_relative_to(tmp_path)
    space = Settings.from_environment({**home, "SPACE_ID": "ada/reader"})
    assert not space.keeps
    assert space.state_dir == Path(tempfile.gettempdir()) / "leukemia-app"
    volume = Settings.from_environment(
        {**home, "SPACE_ID": "ada/reader", "LEUKEMIA_STATE_DIR": str(tmp_path / "volume")}
    )
    assert volume.keeps
    assert volume.state_dir == tmp_path / "volume"


def test_who_may_write_nowhere_gets_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    settings = Settings.from_environment({"HOME": str(tmp_path)})
    assert not settings.keeps
    assert settings.state_dir.parent == Path(tempfile.gettempdir())


def test_every_field_has_its_variable_and_every_variable_its_field():
    fields = {field.name for field in dataclasses.fields(Settings)} - {"keeps"}
    assert {setting.field for setting in SETTINGS} == fields
    assert len(SETTINGS) == len(fields)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_an_empty_variable_counts_as_not_set(setting):
    assert read(**{setting.name: "  "}) == read()


def test_other_variables_are_left_alone():
    assert read(PATH="/bin", LEUKEMIE="x", MY_LEUKEMIA_MODELS="y") == read()


@pytest.mark.parametrize(("value", "is_on"), [("on", True), ("OFF", False), ("queue=0", True)])
def test_training_is_turned_off_by_one_word(value, is_on):
    assert read(LEUKEMIA_TRAINING=value).training.is_on is is_on


# What is refused


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("LEUKEMIA_DEVICE", "tpu", "use auto, cpu or gpu"),
        ("LEUKEMIA_MEMORY_MB", "99", "use a whole number from 100 to 1000000"),
        ("LEUKEMIA_MEMORY_MB", "2 GB", "use a whole number from 100 to 1000000"),
        ("LEUKEMIA_KEEP_MINUTES", "0", "use a whole number from 1 to 10080"),
        ("LEUKEMIA_KEEP_MINUTES", "-5", "use a whole number from 1 to 10080"),
        ("LEUKEMIA_MAX_FILE_MB", "1.5", "use a whole number from 1 to 2000"),
        ("LEUKEMIA_MAX_MEGAPIXELS", "90", "use a whole number from 1 to 89"),
        ("LEUKEMIA_ZIP_FILES", "0", "use a whole number from 1 to 1000000"),
        ("LEUKEMIA_ZIP_MB", "4 GB", "use a whole number from 1 to 1000000"),
        ("LEUKEMIA_ZIP_RATIO", "1", "use a whole number from 2 to 1000"),
        ("LEUKEMIA_THREADS", "²", "use a whole number from 1 to 256"),
        ("LEUKEMIA_THREADS", "1" * 5000, "use a whole number from 1 to 256"),
        ("LEUKEMIA_EXAMPLES", "hf://datasets/ada", "use hf://datasets/owner/name, with @revision"),
        ("LEUKEMIA_EXAMPLES", "hf://models/a/b", "use hf://datasets/owner/name, with @revision"),
        ("LEUKEMIA_TRAINING", "yes", "use on, off, or limits as images=5000,minutes=120,queue=4"),
        ("LEUKEMIA_TRAINING", "jobs=1,jobs=2", "use on, off, or limits as images=5000"),
        ("LEUKEMIA_TRAINING", "minutes", "use for minutes a whole number from 1 to 100000"),
        ("LEUKEMIA_TRAINING", "jobs=17", "use for jobs a whole number from 1 to 16"),
        ("LEUKEMIA_TRAINING", "queue=-1", "use for queue a whole number from 0 to 1000"),
        ("LEUKEMIA_STATE_DIR", "~nobody-of-that-name/x", "whose ~ names a user"),
        ("LEUKEMIA_MODEL_MB", "0", "use a whole number from 1 to 100000"),
        ("LEUKEMIA_ADD_MODELS", "yes", "use auto, on or off"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_is_allowed(name, value, allowed):
    with pytest.raises(SettingError) as refused:
        read(**{name: value})
    message = str(refused.value)
    assert message.startswith(f"{name} is {value!r}; ")
    assert allowed in message


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("hunter2", "use ada:her-password,bob:his-password or file:/etc/leukemia-logins"),
        ("ada:", "each with a password"),
        (":hunter2", "each name once"),
        ("ada:hunter2,ada:hunter2", "each name once"),
        ("ada:hunter2,", "each with a password"),
        ("file:/nowhere/hunter2", "a file that can be read after file:"),
    ],
)
def test_a_mistyped_login_is_refused_and_never_quoted(value, advice):
    with pytest.raises(SettingError, match=f"LEUKEMIA_AUTH is set to what .*{advice}") as refused:
        read(LEUKEMIA_AUTH=value)
    assert "hunter2" not in str(refused.value)


def test_logins_may_lie_in_a_file(tmp_path):
    (tmp_path / "logins").write_text("# the ward\nada:one,two\n\n bob : three\n")
    logins = read(LEUKEMIA_AUTH=f"file:{tmp_path / 'logins'}").logins
    assert logins == (login("ada", "one,two"), login("bob", "three"))
    (tmp_path / "logins").write_text("# nobody\n")
    with pytest.raises(SettingError, match="a file with a line name:password for each login"):
        read(LEUKEMIA_AUTH=f"file:{tmp_path / 'logins'}")


def test_a_password_is_in_no_text_of_the_settings():
    assert "hunter2" not in repr(read(LEUKEMIA_AUTH="ada:hunter2"))


def test_an_unknown_variable_that_is_near_to_none_is_refused_with_all_names():
    with pytest.raises(SettingError, match=r"LEUKEMIA_FOO is no setting .* Known are LEUKEMIA_"):
        Settings.from_environment({"LEUKEMIA_FOO": "1"})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LEUKEMIA_MODEL", "LEUKEMIA_MODELS"),
        ("LEUKEMIA_DEVCE", "LEUKEMIA_DEVICE"),
        ("LEUKEMIA_MAX_MB", "LEUKEMIA_MAX_FILE_MB"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_name(name, meant):
    with pytest.raises(SettingError, match=rf"{name} is no setting .* Did you mean {meant}\?"):
        read(**{name: "x"})


def test_a_variable_like_no_other_gets_the_whole_list_and_keeps_its_value_secret():
    with pytest.raises(SettingError, match="Known are LEUKEMIA_STATE_DIR, ") as refused:
        read(LEUKEMIA_QQQQQQQQQQQQQQQ="hunter2")
    assert "hunter2" not in str(refused.value)


no_nul = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([setting.name for setting in SETTINGS]), no_nul))
def test_any_text_gives_settings_or_a_setting_error(environ):
    with contextlib.suppress(SettingError):
        assert Settings.from_environment({**HOME, **environ}).state_dir.is_absolute()


# Folders


@pytest.mark.parametrize(
    ("value", "dataset"),
    [
        ("ada/smears", HubDataset(repo="ada/smears", revision="main")),
        ("ada/smears@v1.0", HubDataset(repo="ada/smears", revision="v1.0")),
        ("hf://datasets/ada/smears", HubDataset(repo="ada/smears", revision="main")),
        ("hf://datasets/ada/smears@refs/pr/1", HubDataset(repo="ada/smears", revision="refs/pr/1")),
    ],
)
def test_examples_may_be_a_data_set_of_the_hub(value, dataset):
    assert read(LEUKEMIA_EXAMPLES=value).examples == dataset


@pytest.mark.parametrize("value", ["./ada/smears", "../ada", "/ada/smears", "smears", "a/b/c"])
def test_any_other_path_of_examples_is_a_folder(value):
    assert read(LEUKEMIA_EXAMPLES=value).examples == Path(value).absolute()


def test_a_folder_that_is_there_goes_before_a_data_set_of_its_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ada" / "smears").mkdir(parents=True)
    assert read(LEUKEMIA_EXAMPLES="ada/smears").examples == tmp_path / "ada" / "smears"
    named = read(LEUKEMIA_EXAMPLES="hf://datasets/ada/smears").examples
    assert named == HubDataset(repo="ada/smears")


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", HOME, "/home/ada/.local/share/leukemia-app"),
        ("darwin", HOME, "/home/ada/Library/Application Support/leukemia-app"),
        ("win32", {"LOCALAPPDATA": "/c/local"}, "/c/local/leukemia-app"),
        ("win32", HOME, "/home/ada/AppData/Local/leukemia-app"),
    ],
)
def test_the_state_folder_is_the_platforms_own(platform, environ, folder):
    assert default_state_dir(environ, platform) == Path(folder)


def test_without_a_home_the_state_folder_must_be_named(monkeypatch):
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(SettingError, match=r"LEUKEMIA_STATE_DIR is not set .* set it to a folder"):
        default_state_dir({}, "linux")


def test_folders_are_made_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = read(LEUKEMIA_STATE_DIR="state", LEUKEMIA_MODELS="~/models")
    assert settings.state_dir == tmp_path / "state"
    assert settings.models == (tmp_path / "models",)


def test_shipped_models_come_first_then_own_ones(tmp_path):
    settings = read(LEUKEMIA_STATE_DIR=str(tmp_path), LEUKEMIA_MODELS="/more")
    assert settings.model_folders == (
        ("shipped", SHIPPED / "models"),
        ("own", tmp_path / "models"),
        ("own", Path("/more")),
        ("pulled", tmp_path / "pulled"),
        ("trained here", tmp_path / "runs"),
    )


# Docs


def test_the_table_has_a_row_for_every_variable():
    rows = settings_table().splitlines()
    assert rows[0] == "| variable | default | what it does |"
    assert [row.split("`")[1] for row in rows[2:]] == [setting.name for setting in SETTINGS]
    assert "| `LEUKEMIA_MEMORY_MB` | `2000` | Megabytes" in settings_table()


def test_the_shipped_folder_is_the_checkout():
    assert (SHIPPED / "leukemia_app" / "settings.py").is_file()
