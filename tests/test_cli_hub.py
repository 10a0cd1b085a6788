"""Models fetched from the Hub and sent there by commands, as the Hub's own variables say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from leukemia_app.errors import BundleError
from leukemia_app.settings import Settings
from tests.hub_server import TOKEN, HubServer, Model, files_of, serving_models

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "models" / "pbc-mobilenet"
REPO = "ada/smears"

pytestmark = pytest.mark.skipif(not BUNDLE.is_dir(), reason="no model is shipped")


@dataclass(kw_only=True)
class Machine:
    """Commands on a machine of its own, which knows one Hub."""

    hub: HubServer
    environment: dict[str, str]

    def run(self, *arguments: object, **more: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "leukemia_app", *map(str, arguments)], cwd=ROOT, check=False,
            env=self.environment | more, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    files = files_of(BUNDLE)
    spec = json.loads(files["bundle.json"]) | {"id": "from-afar"}
    files["bundle.json"] = json.dumps(spec).encode()
    own = {name: value for name, value in os.environ.items()
           if not name.startswith(("LEUKEMIA_", "HF_"))}  # fmt: skip
    with serving_models({REPO: Model(commits=[files])}) as hub:
        yield Machine(hub=hub, environment=own | {
            "LEUKEMIA_STATE_DIR": str(tmp_path / "state"), "HF_HOME": str(tmp_path / "hf"),
            "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "LEUKEMIA_DEVICE": "cpu",
        })  # fmt: skip


def test_a_model_goes_from_the_hub_into_every_list_and_back(machine: Machine, tmp_path: Path):
    code, out, err = machine.run("models", "pull", REPO)
    assert (code, err) == (0, "")
    folder = tmp_path / "state" / "pulled" / "from-afar" / "bundle"
    assert out.startswith(f"from-afar is pulled from {REPO}@")
    assert out.endswith(f"It passed its self-test: {folder}\n")
    code, out, _ = machine.run("models", "pull", REPO, "--json")
    said = json.loads(out)
    assert (said["id"], said["is_new"], said["was"]) == ("from-afar", False, None)
    commit = said["commit"]
    code, out, _ = machine.run("models", "list", "--json")
    (listed,) = [each for each in json.loads(out) if each["id"] == "from-afar"]
    assert (listed["from"], listed["hub"]) == ("pulled", f"{REPO}@{commit[:7]}")
    code, out, err = machine.run("models", "push", "from-afar", "ada/back", HF_TOKEN=TOKEN)
    assert (code, err) == (0, "")
    assert out.startswith(f"from-afar is at {machine.hub.url}/ada/back, commit ")
    assert machine.hub.models["ada/back"].is_private
    code, _, err = machine.run("models", "push", "from-afar", "ada/back", HF_TOKEN=TOKEN)
    assert code == 2
    assert "by --overwrite" in err
    assert machine.run("models", "rm", "from-afar")[:2] == (0, "from-afar is deleted.\n")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pull", "nonsense"), "models: 'nonsense' is no name on the Hub; use owner/name, with"),
        (("pull", "ada/gone"), "models: The Hub has no model ada/gone, or it is private."),
        (("push", "pbc-mobilenet", "ada/new"), "models: Sending a model to the Hub needs a token"),
        (("add", "gone.zip"), "models: gone.zip is not there. Look at how its path is written."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    machine: Machine, arguments: tuple[str, ...], words: str
):
    code, out, err = machine.run("models", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(words)


def test_a_newer_one_waits_for_the_run_that_needs_the_older(tmp_path: Path):
    from leukemia_app.cli_hub import not_in_use

    settings = Settings.from_environment({"LEUKEMIA_STATE_DIR": str(tmp_path)})
    folder = settings.pulled_models / "from-afar" / "bundle"
    run = tmp_path / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "config.json").write_text(json.dumps({"start": f"bundle:{folder}"}))
    (run / "status.json").write_text('{"state": "interrupted"}')
    with pytest.raises(BundleError, match="The run mine starts from the model that is here"):
        not_in_use(settings)(folder)
    (run / "status.json").write_text('{"state": "done"}')
    not_in_use(settings)(folder)


def test_how_far_it_is_stands_on_a_terminal_s_last_line(monkeypatch, capsys):
    from leukemia_app import cli_hub
    from leukemia_app.bundles.hub import Progress

    cli_hub.drawn(Progress(phase="fetching", n_bytes=2_000_000, total_bytes=5_000_000))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    cli_hub.drawn(Progress(phase="fetching", n_bytes=2_000_000, total_bytes=5_000_000))
    cli_hub.drawn(Progress(phase="testing"))
    said = capsys.readouterr().err
    assert "2 of 5 MB" in said
    assert said.endswith("testing the model…")
