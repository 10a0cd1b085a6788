"""Every word the page says, in one place."""

from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import Spec
from leukemia_app.evaluation import words

NAME = "Leukemia smear reader"
LOG_IN = "Research use only, not a diagnosis."
CLASSIFY = "Classify"
MODELS = "Models"
FORMATS = "JPEG, PNG, BMP, WebP or TIFF, 8 or 16 bit"

CHOOSE = "Choose pictures"
CHOOSE_NEW = "New pictures"
ADD = "Add to these"
DROP = "Drop smear pictures here"
DROP_OR = "or paste one with Ctrl+V"
DROP_SLIM = "Drop or paste pictures here"
DROP_NOW = "Let go to read them"

EMPTY_ANSWER = "The answer appears here"
EMPTY_POINTS = (
    ("What the model says", "Calibrated probabilities, or “refer to an expert” with the reasons."),
    ("Where it looked", "Its Grad-CAM map over the picture, and how much of it lies in the cell."),
    ("What can be measured", "Cell and nucleus outlined; their size, shape and share."),
)
EXAMPLES = "Or try an example"
EXAMPLES_DRAWN = "Or try a drawn example"
NO_MODELS = "No model is installed"
NO_MODELS_ADVICE = (
    "Put a model bundle into the folder models/, or name its folder in LEUKEMIA_MODELS, "
    "then load this page again."
)

STRIP = "Pictures; left and right arrow keys move between them"
UNREAD = "Not read"
FILE_UNREAD = "This file was not read"
SENDING = "Sending {done} of {n}…"
LOADING = "Loading the model…"

MODEL_FACTS = "Model facts"
UNAVAILABLE = "unavailable"
LABELS = "Labels"
FIGURES = "Figures"
COMMAND = "How it was made"
NO_FIGURES = "This model brings no measured figures."

BRING = "Add a model"
BRING_HINT = (
    "One that this app made comes from the Hub or as its zip. One that was made with Keras "
    "elsewhere is asked about first. Everybody who uses this server will see it."
)
MODELS_HERE = "Models here"
ADD_MODEL = "From a zip"
ADD_MODEL_HINT = (
    "Drop the zip of a model here: one that was downloaded from this app, here or elsewhere."
)
CHOOSE_ZIP = "Choose a zip"
OTHER_NAME = "Another name here, if you like"
LET_GO_MODEL = "Let go to add this model"
SENDING_MODEL = "Sending, {percent} %…"
TESTING_MODEL = "Testing the model in a process of its own…"
ONE_ZIP = "Give one zip at a time: each model is tested by itself."
MAY_NOT_CHANGE = (
    "Models may not be added or deleted in this page. Who runs the server may allow it by "
    "LEUKEMIA_ADD_MODELS, or use the command line: python -m leukemia_app models add FILE.zip"
)
DOWNLOAD_MODEL = "Download as zip"
DELETE_MODEL = "Delete"
GOES_WITH_RUN = "It goes when its run is deleted, in Train or by runs rm."
OPEN_RUN = "Open its run"
CAME_WITH = "The card that came with it"

SHOW_ANYWAY = "Show probabilities and measures anyway"
BARS_CAPTION = "Probability of each class, in per cent"
THRESHOLD_HINT = "Below this top probability the model refers to an expert"

PICTURE_END = "picture"
MAP_END = "where it looked"
MAP_STRENGTH = "Strength of the map over the picture"
MAP_FOR = "Map for"
OUTLINE = "Outline"
OUTLINE_KEY = "solid: cell, dashed: nucleus"
EMPTY_MAP = "The map is empty: no place raises the score for this class."
MOSTLY = 0.5
MAP_IS = "where the score reacts, not why."
NO_CELLS = "No white cell was found to outline."
STAGES = "How the picture became network input"

REMARKS = "About the picture"
READING = "Reading…"
MAPPING = "Mapping where it looked…"
SAVING = "Writing the file…"
DOWNLOADS = "Download"
FACTS = "Facts"
MODEL = "Model"
CLOSE = "Close"

SUMMARY = "All pictures together"
WHICH_SMEAR = "They are of"
ONE_SMEAR = "one patient’s smear"
SEVERAL_SMEARS = "several smears or patients"
STOPPED = "This did not work"
GONE = "The model {model} is not here any more. Choose another one."
EXPIRED_ALL = "Your pictures were deleted from the server after {minutes} minutes. Give them again."
EXPIRED = "“{name}” was deleted from the server after {minutes} minutes. Give it again to go on."
UNEXPECTED = (
    "Something went wrong while reading. Nothing was kept. Try again; if it happens again, "
    "report it with the reference {reference}."
)
TOO_MANY = (
    "{n} pictures were given; the page reads {limit} at a time. The first {limit} were read. "
    "For more use the command line: python -m leukemia_app classify FOLDER --model {model}"
)


def privacy(minutes: int) -> str:
    """What happens to a picture that was given."""
    return (
        f"Pictures stay on this server and are deleted after {minutes} minutes. "
        "Nothing is logged or sent on. Remove patients’ names before you drop a picture."
    )


def too_large(limit_mb: float) -> str:
    """Why a file was not sent."""
    return f"It is larger than {limit_mb:g} MB. Save it smaller, or cut out the part that matters."


def model_too_large(limit_mb: float) -> str:
    """Why a model was not sent."""
    return f"It is larger than {limit_mb:g} MB. Whoever runs the server sets LEUKEMIA_MODEL_MB."


def model_checks(limit_mb: float) -> str:
    """What is done with a model before it is listed."""
    return (
        f"Up to {limit_mb:g} MB. Files are compared with their checksums, and the model must give "
        "the answers of the day it was made. Only add models of people whom you trust."
    )


def added(model: str, *, is_new: bool) -> str:
    """What came of adding a model."""
    if not is_new:
        return f"{model} is here already, with the very same content."
    return (
        f"{model} is added. It passed its self-test, and can be chosen in {CLASSIFY} and Compare."
    )


def removed(model: str) -> str:
    """That a model is gone."""
    return f"{model} is deleted."


def sure_to_delete(model: str) -> str:
    """The question before a model is deleted."""
    return f"Delete {model} for everybody on this server? It can be added again from its zip."


def in_use(model: str, run: str) -> str:
    """Why a model is not deleted yet."""
    return f"The training {run} starts from {model} and needs it. Delete {model} after that."


NOT_KEPT = (
    "Trainings and models lie in a temporary folder here and are gone when the server restarts: "
    "download what you want to keep. Whoever runs the server gives them a lasting folder by "
    "LEUKEMIA_STATE_DIR."
)


def stays(days: int) -> str:
    """How long what a visitor trains on and trains stays."""
    return (
        f"Pictures given here to train on, and what is trained on them, are deleted {days:,} days "
        "after their last use: download what you want to keep."
    )


def not_sent() -> str:
    """Why a file did not arrive."""
    return "It did not reach the server. Check the connection and give it again."


def map_share(share: float) -> str:
    """How much of the map lies in the cells, and what follows from it."""
    inside = f"{words.whole_percent(share)} % of the map lies inside the cells: "
    if share < MOSTLY:
        return f"Only {inside}the score reacts mostly elsewhere."
    return f"{inside}{MAP_IS}"


def top_meaning(meaning: str) -> str:
    """What the label stands for, as the model's word and nobody else's."""
    return f"The model’s top class: {meaning}"


def example_caption(name: str) -> str:
    """Words for an example that nobody described."""
    return f"Example {name.rpartition('.')[0] or name}"


def spoken(reading: Reading) -> str:
    """What a screen reader says when an answer has come."""
    said = words.REFER if reading.decision.kind == "refer" else "Answer"
    return f"{said}. {words.top_class(reading)}"


def read_with(title: str) -> str:
    """The button that has a picture read by another model."""
    return f"Read it with {title}"


def wrong_kind(expects: str) -> str:
    """Why a picture may be of another kind than the model expects."""
    if expects == "cell":
        return "This looks like a field of several cells; the model expects one cell."
    return "This looks like a single cell; the model expects a field of a smear."


def switched(kind: str | None, model: str) -> str:
    """That an example was read by another model than the one chosen."""
    what = {"cell": "a single cell", "field": "a field of a smear"}.get(kind or "", "another kind")
    return f"The example shows {what}, so it was read by {model}."


def without_label(chosen: str, label: str, model: str) -> str:
    """That an example was read by another model, as the chosen one does not know its label."""
    return (
        f"{chosen} has no label “{label}”, so the example was read by {model}. Choose {chosen} "
        "again to see what it says."
    )


def reading_progress(done: int, n: int, seconds_left: float | None) -> str:
    """What is being done, how far it is and how long it will take."""
    if n == 1:
        return "Reading the picture…"
    left = "" if seconds_left is None else f" About {max(1, round(seconds_left))} s left."
    return f"Read {done} of {n} pictures…{left}"


def failed_files(failed: int, n: int) -> str:
    """How many files could not be read."""
    return f"{failed} of {n} {'was' if failed == 1 else 'were'} not read."


def decision_words(reading: Reading) -> str:
    """The decision in one or two words, for a thumbnail."""
    return "Refer" if reading.decision.kind == "refer" else reading.decision.label


def threshold(value: float, *, is_fitted: bool = True) -> str:
    """The word beside the line over the bars; a threshold that nothing was fitted on says so."""
    default = "" if is_fitted else " (a default)"
    return f"refers below {words.whole_percent(value)}{default}"


def cut_words(spec: Spec) -> str:
    """From which probability on the second of two labels is the answer, where it is not half."""
    if spec.positive_threshold is None:
        return ""
    other, label = spec.label_names
    cut = words.percent(spec.positive_threshold)
    return f"This model answers “{label}” from {cut} on, and “{other}” below."


def licence(given: str) -> str:
    """A licence among other facts, where “not stated” alone would not say what is not."""
    return f"licence {given}" if given == words.NOT_STATED else given


def formats(limit_mb: float) -> str:
    """What may be dropped."""
    return f"{FORMATS}, up to {limit_mb:g} MB each; several at once are counted as one smear"


def command(spec: Spec) -> str:
    """The command that makes the model again, with its seed and versions."""
    versions = ", ".join(f"{name} {version}" for name, version in spec.versions.items())
    rest = [
        f"{name}: {value}"
        for name, value in spec.training.items()
        if name != "command" and isinstance(value, str | int | float)
    ]
    return "\n".join([str(spec.training.get("command", "")), *rest, versions]).strip()
