"""The commands that fetch a model from the Hugging Face Hub, and send one there."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia_app.cli_output import CLEAR_LINE, write_json, write_line
from leukemia_app.errors import BundleError, SettingError
from leukemia_app.hub_names import HubModel, parse_model, short
from leukemia_app.settings import Settings

if TYPE_CHECKING:
    from leukemia_app.bundles.hub import Progress, Pulled


def add_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `pull` and `push` to the actions of `models`."""
    pulled = actions.add_parser("pull", help="fetch a model from the Hugging Face Hub")
    pulled.add_argument("repo", metavar="REPO[@REVISION]", help="owner/name, a branch, tag, commit")
    pulled.add_argument("--as", dest="name", metavar="NAME", help="another id than its own")
    pulled.set_defaults(run=run_pull)
    pushed = actions.add_parser("push", help="send a model to the Hugging Face Hub")
    pushed.add_argument("id", metavar="ID")
    pushed.add_argument("repo", metavar="REPO", help="owner/name; made, if it is not there")
    pushed.add_argument("--public", action="store_true", help="for everybody; private without it")
    pushed.add_argument("--overwrite", action="store_true", help="replace what is there")
    pushed.set_defaults(run=run_push)
    for action in (pulled, pushed):
        action.add_argument("--json", action="store_true", help="print JSON")


def run_pull(arguments: argparse.Namespace, settings: Settings) -> int:
    """Fetch a model, try it, and list it from then on."""
    from leukemia_app.api import open_library
    from leukemia_app.bundles.hub import Pulls

    try:
        model = parse_model(arguments.repo)
    except ValueError as error:
        raise SettingError(
            f"{arguments.repo[:120]!r} is no name on the Hub; use {error}."
        ) from error
    pulls = Pulls(
        home=settings.pulled_models, max_bytes=settings.model_mb * 1_000_000,
        may_replace=not_in_use(settings),
    )  # fmt: skip
    try:
        done = pulls.pull(model, open_library(settings).entries(), name=arguments.name, told=drawn)
    finally:
        if sys.stderr.isatty():
            sys.stderr.write(CLEAR_LINE)
    if arguments.json:
        write_json({
            "id": done.id, "folder": str(done.folder), "repo": done.repo, "commit": done.commit,
            "is_new": done.is_new, "was": done.was, "is_away": done.is_away,
        })  # fmt: skip
    else:
        write_line(f"{said_of_pull(done, model)} {done.folder}")
    return 0


def run_push(arguments: argparse.Namespace, settings: Settings) -> int:
    """Send a model to a repository, private unless it is said otherwise."""
    from leukemia_app.api import open_library
    from leukemia_app.bundles.hub_push import push

    entries = open_library(settings).entries()
    entry = next((each for each in entries if each.id == arguments.id), None)
    if entry is None:
        listed = ", ".join(each.id for each in entries) or "none, no bundle was found"
        raise BundleError(f"No model has the id {arguments.id!r}; there are: {listed}.")
    done = push(
        entry.folder, arguments.repo, is_private=not arguments.public,
        overwrite=arguments.overwrite,
    )  # fmt: skip
    if arguments.json:
        write_json({"id": entry.id, "repo": done.repo, "commit": done.commit,
                    "address": done.address, "is_new": done.is_new})  # fmt: skip
    else:
        write_line(f"{entry.id} is at {done.address}, commit {short(done.commit)}.")
    return 0


def said_of_pull(done: "Pulled", model: HubModel) -> str:
    """What came of a pull, in a sentence."""
    where = f"{done.repo}@{short(done.commit)}"
    if done.is_away:
        return f"The Hub cannot be asked for {model}; {done.id} is here from before, as {where}:"
    if not done.is_new:
        return f"{done.id} is here already, as {where}:"
    instead = f" in place of {short(done.was)}" if done.was else ""
    return f"{done.id} is pulled from {where}{instead}. It passed its self-test:"


def not_in_use(settings: Settings) -> Callable[[Path], None]:
    """Refuses to replace a bundle that a run starts from."""
    from leukemia_app.training.start import runs_that_start_from

    def check(folder: Path) -> None:
        if users := runs_that_start_from(folder, settings.state_dir / "runs"):
            raise BundleError(
                f"The run {users[0]} starts from the model that is here, so a newer one does not "
                "take its place. Pull again after that run, or with --as under another name."
            )

    return check


def drawn(progress: "Progress") -> None:
    """How far a pull is, on the terminal's last line; nothing in a pipe or a file."""
    if not sys.stderr.isatty():
        return
    words = {"asking": "asking the Hub…", "testing": "testing the model…"}
    mb = f"{progress.n_bytes / 1e6:.0f} of {progress.total_bytes / 1e6:.0f} MB"
    sys.stderr.write(CLEAR_LINE + words.get(progress.phase, mb))
    sys.stderr.flush()
