"""Every word of the Train tab, in one place."""

import time
from collections.abc import Mapping

TRAIN = "Train"
PICTURES, SPLIT, MODEL, RUN = "Pictures", "Split", "Model", "Run"

DROP = "Drop a folder that holds one folder of pictures for each class"
DROP_OR = "or a zip of it. A CSV with file, label and group may lie in it."
CHOOSE_FOLDER, CHOOSE_FILES = "Choose a folder", "Choose a zip or files"
PRIVACY = (
    "The pictures stay on this server, for you alone, until you delete them here. Nothing is sent "
    "on. Remove patients’ names from file names before you give them."
)
OTHER = "New pictures"
FORGET = "Delete these pictures"
CHECKING = "Looking at the pictures"
CHECK_AGAIN = "Check again"
SPLIT_AGAIN = "Split again"
CHOICE = "The set holds several kinds of the same pictures. Which do you mean?"
RENAMED = "Taken under the names that models and public data sets use: {names}. Change them below."
ALIASES = "What each class is called; the same name joins two, an empty one leaves a class out"
PATTERN = "Patient in the file’s path, as a regular expression with one group"
PATTERN_HINT = "For example (UID_\\d+)_ or ^[^/]+/(P\\d+)"
SEED = "Seed of the split"
LEAK = "Measure the leak"
LEAK_WORDS = (
    "The same features scored on a random split of pictures and on this split by group: the "
    "difference is what knowing the patient, not the disease, buys. A model that learned from "
    "these very pictures has seen both, so take another start for it."
)
MEASURING = "Measuring the leak"
BY_RUN = (
    "A group is a row of consecutive frames, a slide, or what a table names: a stand-in for the "
    "patient."
)

BACKBONE, HEAD, START, PRESET, INPUT, NAME = (
    "Network", "Head", "Start from", "Effort", "A picture shows", "Name of the model",
)  # fmt: skip
INPUTS: Mapping[str, str] = {"cell": "one cell", "field": "a field of cells"}
HEADS: Mapping[str, str] = {"plain": "plain: average, one dense layer",
                            "attention": "attention over the map"}  # fmt: skip
ADAPT_WORDS = (
    "Fits the chosen model to at most 100 pictures of your laboratory: its head and normalisation "
    "alone. The report says how good it was before and after."
)
BEGIN = "Train"
MEASURE = "Measure the time on this machine"
MEASURING_TIME = "Measuring…"
BASES: Mapping[str, str] = {
    "guessed": "a guess for a machine of two cores",
    "likened": "a guess from what was measured here with other settings",
    "measured": "measured on this machine",
}
"""What a time rests on."""

RUNS = "Your runs"
DATA_SETS = "Your pictures"
FROM_COMMANDS = "from the command line"
COMPARE, OPEN = "Compare", "Open"
COMPARE_HINT = "Tick two to six runs."
COMPARED = "Runs compared"
COMPARED_FIGURES, FIGURE, INTERVAL_95 = "run", "figure", "figure (95 % interval)"
NO_INTERVAL = (
    "A figure without an interval: a class has a single group in the test part, so that nothing "
    "says how the figure would vary, or no answer is wrong."
)
DIFFERENT_SETTINGS = "setting that differs"
SAME_SETTINGS = "All settings are the same."
APART = "Told apart: {names}."
NOT_APART = (
    "No figure tells them apart: each interval holds 0, or there is none, as all samples agree or "
    "the groups are too few."
)
PAIRED = (
    "Differences on the same pictures, with 95 % intervals from one bootstrap over groups. Of "
    "several comparisons one in twenty seems real by chance."
)
NO_RUNS = "No training yet."
NO_RUN = "The run’s curves, figures and report appear here."
LIVE = "Curves"
REPORT = "Report"
WHOLE_WINDOW = "Whole window"
SAVE_REPORT = "Save the report"
SAVE_MODEL = "Save the model (zip)"
USE = "Use it in Classify"
BESIDE = " · "
"""Stands between a model's figure and those of its controls."""
FIGURE_WORDS = (
    "Of the test part. Beside it stands what colour, size or background alone reach: where that "
    "comes near, the model need not have learned anything about cells."
)
NO_CONTROL = "Of the test part. No control was measured, so it may rest on the stain alone."
FOR_ALL = "The model stands in Classify for everyone who uses this server."
ACTIONS: Mapping[str, str] = {
    "stop": "Stop", "resume": "Go on", "finish": "Make a model of the best so far",
    "remove": "Delete",
}  # fmt: skip
BUSY: Mapping[str, str] = {"stop": "Stopping…"}
"""What the button of an action says until it is answered."""
STOP_FINISHING = "Stop this too"
FINISHING = "stopped, making a model of the best so far"
NO_EPOCH = "Stopped before the first epoch ended, so there is no model"
SURE: Mapping[str, str] = {
    "remove": "Delete this run and the model that it made?",
    "forget": "Delete these pictures from the server?",
}
STATES: Mapping[str, str] = {
    "queued": "waiting", "starting": "starting", "preparing": "preparing the pictures",
    "features": "computing features", "head": "training the head",
    "fine-tuning": "tuning the network", "evaluating": "scoring", "bundling": "making the model",
    "finishing": "making a model of the best so far", "done": "done", "stopped": "stopped",
    "failed": "failed", "interrupted": "interrupted",
}  # fmt: skip
OFF = (
    "Training is off on this server. On a machine of your own, the first command of README brings "
    "it, here in the page and on the command line."
)
STOPPED = "This did not work"
SENDING = "Sending {done} of {n} files…"


def duration(seconds: float) -> str:
    """A time in words, as precise as it can be known."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def waits(place: int) -> str:
    """Its place in the line."""
    return f"waiting, number {place} in line"


def given_at(seconds: float) -> str:
    """When pictures were given: it tells two sets of one name apart."""
    return time.strftime("given %Y-%m-%d %H:%M", time.localtime(seconds))


def parts_line(counts: Mapping[str, tuple[int, int]], level: str) -> str:
    """How many pictures and groups are on each side."""
    said = [f"{name} {pictures:,} pictures ({groups:,} {'' if level == 'image' else 'by ' + level})"
            for name, (pictures, groups) in counts.items()]  # fmt: skip
    return " · ".join(said)
