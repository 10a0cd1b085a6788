"""Every word the page says about the Hugging Face Hub."""

from leukemia_app.bundles.hub import Progress, Pulled
from leukemia_app.hub_names import HubModel, short

PULL = "From the Hub"
PULL_HINT = "A model that this app made, as owner/name, with @revision if you like."
PULL_BUTTON = "Pull"
REPO = "Repository"
REPO_SHAPE = "owner/name"
ASKING = "Asking the Hub…"
NO_REPO = "Name the repository as owner/name, with @revision after it where one is meant."
AT_START = "Fetched at the start"
WAITING = "waits for its turn"

PUSH = "Push to the Hub"
PUSH_HINT = "Into a private repository of yours, with its card. You can make it public there."
PUSH_BUTTON = "Push"
PUSHING = "Sending…"
OVERWRITE = "Replace what is there"
MAY_NOT_PUSH = (
    "Models may not be sent to the Hub in this page by who is not known to it. Sign in with "
    "Hugging Face where the page offers it, or use the command line: "
    "python -m leukemia_app models push ID owner/name"
)
LOST = "Something went wrong that is no fault of the model's; the log has more."
TESTED = "self-test passed"


def pull_checks(limit_mb: float) -> str:
    """What is done with a model of the Hub before it is listed."""
    return (
        f"Up to {limit_mb:g} MB. The commit is pinned, every file is compared with the hash that "
        "the Hub gives, then it passes the same checks as a zip. Only pull models of people whom "
        "you trust."
    )


def fetching(progress: Progress) -> str:
    """How far a pull is."""
    if progress.listed is None:
        return ASKING
    if progress.phase == "testing":
        return f"{progress.listed}: testing the model in a process of its own…"
    done, total = progress.n_bytes / 1e6, progress.total_bytes / 1e6
    return f"{progress.listed}: {done:.1f} of {total:.1f} MB…"


def pulled(done: Pulled, asked: HubModel) -> str:
    """What came of a pull."""
    where = f"{done.repo}@{short(done.commit)}"
    if done.is_away:
        return (
            f"The Hub cannot be asked for {asked} now. {done.id} is here from before, as {where}."
        )
    if not done.is_new:
        return f"{done.id} is here already, as {where}."
    instead = f", in place of {short(done.was)}" if done.was else ""
    return (
        f"{done.id} is pulled from {where}{instead}. It passed its self-test, and can be chosen "
        "in Classify and Compare."
    )


def again_in(seconds: float) -> str:
    """When a model is asked for again."""
    minutes = round(seconds / 60)
    return f"It is tried again in {minutes} minute{'' if minutes == 1 else 's'}."


def needed(run: str) -> str:
    """Why a newer commit does not take the place of the one that is here."""
    return (
        f"The training {run} starts from the model that is here, so a newer one does not take its "
        "place. Pull again after that training, or under another name."
    )


def pushed(model: str, address: str, commit: str, *, is_new: bool) -> str:
    """What came of sending a model."""
    made = "It is private: make it public on its page." if is_new else "It replaced what was there."
    return f"{model} is at {address}, commit {short(commit)}. {made}"
