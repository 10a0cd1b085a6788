"""Words of the way in for Keras checkpoints."""

from leukemia_app.bundles.checkpoint_network import SCALINGS

TITLE = "From any Keras file"
HINT = (
    "A .keras or .h5 file that somebody trained elsewhere, a zip of Teachable Machine, or "
    "weights of one of this app’s networks. What the file does not say is asked, and tried on "
    "drawn pictures before anything is kept. Of several files on the Hub: owner/name/file.keras."
)
CHOOSE = "Choose a checkpoint"
HUB = "or from the Hub"
LOOK = "Look at it"
CHECKS = (
    "The file is opened in a process of its own with bounds on time, memory and disk. Code in it "
    "is refused, never run. What is kept is a graph that this server wrote."
)
KEEPING = "One moment…"
OPENING = "Opening it in a process of its own…"
BUILDING = "Building the network and trying it; this takes from ten seconds to some minutes…"
SENDING = "Sending, {percent} %"
LOST = "The file did not reach the server. Look at the connection, then choose it again."
FOUND = "What the file says"
ASKED = "What it does not say"
RESIZED = "How a picture is resized is not asked: it is {how}, whatever its shape."
TO_SIDE = "stretched to a square of the pixels a side given here, bilinear"
GUESSES = "These are guesses. Change what is wrong, then try it."
TRY = "Try it on drawn pictures"
TRIED = "What it says of drawn pictures"
TRIED_HINT = (
    "Drawn cells are not what it learned from, so read this for oddities: the same answer to "
    "everything often means a wrong scaling or order of colours."
)
KEEP = "Keep this model"
FORGET = "Forget it"
STALE = "Try it again before you keep it: the form says something else than what was tried."
FORGOTTEN = "Forgotten; nothing of it is left here."
NO_MAP = "A map of where it looked is not available for this model."
NOTHING = "Choose a checkpoint first."
LABELS, SIZE = "Labels, one a line, in its order", "Pixels a side"
LABELS_FILE = "Take them from a text file"
NAME, MODEL_TITLE = "Name here", "Title"
SCALING, COLOUR, SHOWS = "Scaling", "Colours", "A picture shows"
LICENCE, SOURCE = "Licence", "Where it is from"
COLOURS = {"rgb": "red, green, blue", "bgr": "blue, green, red (OpenCV)"}
INPUTS = {"field": "a field of many cells", "cell": "one cell"}
SCALING_WORDS = dict(SCALINGS)


def kept(model: str) -> str:
    """What is said of a model that is listed now."""
    return (
        f"{model} is here now: everybody on this server can choose it. Nothing of it is measured."
    )


def too_large(limit_mb: int) -> str:
    """What is said of a file that is not even sent."""
    return f"The file is larger than {limit_mb:,} MB, which this server takes (LEUKEMIA_MODEL_MB)."
