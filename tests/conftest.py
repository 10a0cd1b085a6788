"""What every test may ask for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Speed is measured in benchmarks; a busy machine must not fail a property.
settings.register_profile("any speed", deadline=None)
settings.load_profile("any speed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Drive browsers last: the driver keeps an event loop in this thread until the end."""
    items.sort(key=lambda item: "browser" in item.keywords)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run that is done, beside its drawn pictures. Do not change."""
    from tests.tiny_runs import finish_tiny_run

    return finish_tiny_run(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures beside the checkout; skips where it is missing."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real pictures, ../shared/data, is not here")
    return folder


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs one command in this process and gives its exit code, output and errors."""
    from leukemia_app import cli

    for name in [name for name in os.environ if name.startswith("LEUKEMIA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEUKEMIA_STATE_DIR", str(tmp_path / "state"))
    for name in cli.ENVIRONMENT:
        monkeypatch.setenv(name, cli.ENVIRONMENT[name])

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
