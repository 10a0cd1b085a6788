"""Every word of the Train tab, in one place."""

from collections.abc import Mapping, Sequence

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
CHOICE = "The set holds several kinds of the same pictures. Which do you mean?"
ALIASES = "What each class is called; the same name joins two, an empty one leaves a class out"
PATTERN = "Patient in the file’s path, as a regular expression with one group"
PATTERN_HINT = "For example (UID_\\d+)_ or ^[^/]+/(P\\d+)"
SEED = "Seed of the split"
LEAK = "Measure the leak"
LEAK_WORDS = (
    "The same features scored on a random split of pictures and on this split by group: the "
    "difference is what knowing the patient, not the disease, buys."
)
MEASURING = "Measuring the leak"

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
MORE = "More settings"
SETTINGS: Sequence[tuple[str, str]] = (
    ("recipe.side_px", "input side, px"), ("recipe.colour", "colour: rgb or grey"),
    ("recipe.denoise", "denoise: none, median, bilateral"),
    ("recipe.segmentation", "segmentation: none, stain, clahe_otsu"),
    ("recipe.crop_margin", "room round the cell; empty keeps the scale"),
    ("recipe.blank_background", "background black"),
    ("head_epochs", "epochs of the head"), ("head_rate", "rate of the head"),
    ("tune_epochs", "epochs of tuning"), ("tune_rate", "rate of tuning"),
    ("tune_from", "first block tuned; empty: all"), ("batch_size", "batch"),
    ("optimizer", "optimizer: adamw or adam"), ("schedule", "schedule: cosine or plateau"),
    ("weight_decay", "weight decay"), ("label_smoothing", "label smoothing"),
    ("patience", "epochs of patience; 0 trains to the end"), ("fraction", "part of the pictures"),
    ("balance", "drawn evenly by: class, group, none"), ("precision", "precision"),
    ("seed", "seed"),
    ("augment.rotation_degrees", "turn, degrees"), ("augment.flip", "mirror"),
    ("augment.zoom", "zoom"), ("augment.shear", "shear"), ("augment.shift", "shift"),
    ("augment.stain_gain_sd", "stain shift"), ("augment.grey_probability", "grey, share"),
    ("augment.brightness", "light"), ("augment.blur_sigma_px", "blur, px"),
    ("augment.jpeg_quality", "lowest JPEG quality; 0: off"), ("augment.noise_sd", "noise"),
    ("augment.cutout", "cut out, part of the side"),
)  # fmt: skip
"""Settings that can be changed in the page, and what they are called there."""
BEGIN = "Train"
MEASURE = "Measure the time on this machine"
GUESS = "a guess for two cores"
MEASURED = "measured on this machine"

RUNS = "Your runs"
DATA_SETS = "Your pictures"
NO_RUNS = "No training yet."
NO_RUN = "The run’s curves, figures and report appear here."
LIVE = "Curves"
REPORT = "Report"
SAVE_REPORT = "Save the report"
SAVE_MODEL = "Save the model (zip)"
USE = "Use it in Classify"
FOR_ALL = "The model stands in Classify for everyone who uses this server."
ACTIONS: Mapping[str, str] = {
    "stop": "Stop", "resume": "Go on", "finish": "Make a model of the best so far",
    "remove": "Delete",
}  # fmt: skip
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


def parts_line(counts: Mapping[str, tuple[int, int]], level: str) -> str:
    """How many pictures and groups are on each side."""
    said = [f"{name} {pictures:,} pictures ({groups:,} {'' if level == 'image' else 'by ' + level})"
            for name, (pictures, groups) in counts.items()]  # fmt: skip
    return " · ".join(said)
