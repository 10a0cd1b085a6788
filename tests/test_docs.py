"""The documents tell the truth: every name is in them, every command in them works."""

import argparse
import importlib.metadata
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from leukemia_app import cli, cli_models
from leukemia_app.bundles.device import find_device
from leukemia_app.bundles.library import Library
from leukemia_app.imaging.recipe import CHOICES, Recipe
from leukemia_app.settings import SETTINGS, settings_table

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
}
README, COMMANDS, METHOD = PAGES["README.md"], PAGES["docs/commands.md"], PAGES["docs/method.md"]
FIRST, SECOND = (
    "pip install -r requirements.txt && python app.py",
    "pip install -r requirements-test.txt && python -m pytest",
)


def parsers(
    parser: argparse.ArgumentParser, name: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its parser, `models list` and the like included."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner_name, inner in action.choices.items():
                yield from parsers(inner, f"{name} {inner_name}".strip())
            return
    yield name, parser


COMMAND_PARSERS = dict(parsers(cli.make_parser()))


def sections(text: str) -> dict[str, str]:
    """The text under each heading of the second level."""
    found = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in found}


@pytest.mark.parametrize("name", COMMAND_PARSERS)
def test_every_command_and_option_is_described(name: str):
    described = sections(COMMANDS)[name.split()[0]]
    assert re.search(rf"^    {name}\b", described, re.MULTILINE), f"{name} is missing"
    for action in COMMAND_PARSERS[name]._actions:
        for option in action.option_strings:
            if option not in ("-h", "--help"):
                assert option in described, f"{name} {option} is missing"


def test_segment_s_methods_are_told_with_the_one_that_is_taken():
    from leukemia_app.imaging.segment import METHODS

    (choice,) = [
        action
        for action in COMMAND_PARSERS["segment"]._actions
        if "--method" in action.option_strings
    ]
    for said in (choice.help or "", sections(COMMANDS)["segment"]):
        assert [method for method in METHODS if method != "none" and method not in said] == []
    assert f"{choice.default} (the default)" in (choice.help or "")
    assert f"`{choice.default}`, the default" in sections(COMMANDS)["segment"]


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
def test_every_setting_is_described(name: str):
    assert f"`{name}`" in sections(COMMANDS)["Settings"]


def test_the_table_of_settings_is_the_code_s():
    assert cli_models.between_marks(COMMANDS, settings_table().rstrip(), "settings") == COMMANDS


@pytest.mark.parametrize("name", Recipe.__dataclass_fields__)
def test_every_field_of_a_recipe_is_described_with_its_choices(name: str):
    described = sections(METHOD)["Recipe"]
    assert f"`{name}`" in described
    for choice in CHOICES.get(name, ()):
        assert f"`{choice}`" in described or (isinstance(choice, int) and str(choice) in described)


def test_every_backbone_and_head_is_described():
    from leukemia_app.networks.backbones import BACKBONES
    from leukemia_app.networks.heads import HEADS

    described = sections(METHOD)["Networks"]
    assert [name for name in [*BACKBONES, *HEADS] if f"`{name}`" not in described] == []


def test_every_corruption_is_described():
    from leukemia_app.evaluation.corruptions import CORRUPTIONS

    assert [name for name in CORRUPTIONS if f"`{name}`" not in METHOD] == []


def shown_commands() -> list[str]:
    return [
        line.removeprefix("$ ")
        for text in PAGES.values()
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if "python -m leukemia_app" in line
    ]


@pytest.mark.parametrize("line", shown_commands())
def test_every_command_that_is_shown_is_understood(line: str):
    arguments = shlex.split(line.partition("python -m leukemia_app")[2])
    assert callable(cli.make_parser().parse_args(arguments).run)


def test_the_first_command_installs_and_starts():
    assert README.index(FIRST) < README.index(SECOND)
    assert "python3 -m venv" in README[: README.index(FIRST)]


def test_the_machine_that_checks_runs_the_second_command():
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == SECOND


def test_the_figures_are_those_of_the_shipped_models():
    library = Library([("shipped", ROOT / "models")], find_device("cpu"), 100, 1)
    specs = [entry.spec for entry in library.entries() if entry.spec is not None]
    table = cli_models.figures_table(specs)
    assert cli_models.between_marks(README, table, "figures") == README, (
        "run `python -m leukemia_app models figures --into README.md`"
    )


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str):
    targets = re.findall(r"\]\(([^)#]+)", PAGES[page])
    near = [target for target in targets if not target.startswith("http")]
    assert [target for target in near if not ((ROOT / page).parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_promises_more_than_a_model_can(page: str):
    text = PAGES[page].lower().replace("not a diagnosis", "")
    assert [word for word in ("diagnos", "confidence", "healthy", "ai detected")
            if word in text] == []  # fmt: skip


def requirements(name: str) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            found.setdefault(requirement.name, []).append(requirement)
    return found


def test_the_space_s_requirements_hold_all_that_serving_needs():
    serve, every = requirements("requirements-serve.txt"), requirements("requirements.txt")
    gpu = requirements("requirements-gpu.txt")
    for name, lines in serve.items():
        assert every[name] == lines
        assert gpu[name] == lines
    assert set(every) - set(gpu) == {"tensorflow-cpu"}


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-serve.txt", "requirements-test.txt"]
)
def test_what_is_installed_is_what_was_tested_together(name: str):
    wanted = [line for lines in requirements(name).values() for line in lines]
    apart = [
        str(line)
        for line in wanted
        if (line.marker is None or line.marker.evaluate())
        and importlib.metadata.version(line.name) not in line.specifier
    ]
    assert apart == []


def test_the_space_runs_the_gradio_that_was_tested():
    front = README.split("---")[1]
    version = re.search(r"sdk_version: (\S+)", front)
    assert version is not None
    (gradio,) = requirements("requirements.txt")["gradio"]
    assert version[1] in gradio.specifier
    assert version[1] == importlib.metadata.version("gradio")
