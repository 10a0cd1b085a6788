"""The words of the Compare tab."""

COMPARE = "Compare"
MODELS = "Models"
PICK_HINT = "Choose 2 to 6. They read the same pictures."
TOO_FEW = "Choose two models or more."
TOO_MANY = "A comparison takes six models at most; take one away first."
BLIND = "Blind"
BLIND_HINT = (
    "Hides the names until you have voted on a picture, for teaching and reading studies. A "
    "labelled set is scored with them."
)
MAP_TITLE = "Their labels differ: state what they share"
MAP_HINT = (
    "Labels with the same name in the second column count as one. Without it the answers stand "
    "beside each other and are not compared."
)
MAP_HEADS = ("label", "counts as", "models that have it")
MAP_STRANGERS = "The set has labels that no model knows: state what they count as"
MAP_STRANGERS_HINT = (
    "A label of the set counts as a model’s label if both have the same name in the second column; "
    "pictures whose label has none there are left out and counted."
)
THE_SET = "the set"
MAP_EMPTY = "Nothing was stated: give the labels at least two different names in the second column."
HERE = "The set is here, to be scored with these models."
SCORE = "Score the set"
MAP_COMMON = "What {label} counts as"
MAP_SUGGESTED = "This is a suggestion for these models; it counts once you state it."
STATE_MAP = "State this"
MAP_STATED = "Stated: {given}"
NOT_COMPARED = (
    "The labels of these models differ, and nothing states what they share: the answers stand "
    "beside each other and are not compared."
)

DROP = "Drop pictures, or a labelled folder or zip, here"
DROP_SETS = (
    "Pictures are shown side by side. A folder or zip that holds a folder of pictures for each "
    "class is scored: figures with intervals, differences, robustness."
)
CHOOSE = "Choose pictures"
CHOOSE_FOLDER = "Choose a folder"
CHOOSE_ZIP = "Choose a zip"
LET_GO = "Let go to compare the models on it"
EXAMPLES = "Or try a drawn example"
EMPTY_TITLE = "The models’ answers appear here, a column each"
EMPTY_POINTS = (
    ("One picture", "Probabilities on one scale, decision or referral, and where each looked."),
    ("A labelled set", "Figures with 95 % intervals, and whether one is really better."),
    ("Disturbances", "Stain shift, blur, noise and others: who learned shape, who learned colour."),
)

ANSWER = "answer"
INSIDE = "inside the cells"
TAKES = "time · size"
INPUT = "reads"
DIFFER_MOST = "differ most here"
OWN_LABELS = "own labels, %"
OUTSIDE = "Unlike its training pictures: bars grey"
STRIP = "Pictures; ≠ marks those on which the models name different top classes"
SAME, DIFFERENT = "same top class", "different top classes"

LETTER = "Model {letter}"
BLIND_PICTURE = "Picture {at} of {n}"
NEXT = "Next picture"
VOTE = "Which answer do you trust most?"
VOTE_FOR = "Model {letter}"
NONE_OF_THEM = "None of them"
VOTED = "You voted for {model}."
VOTED_NONE = "You voted for none of them."
NAMES = "The names: {names}."
TALLY = "Votes so far"
TALLY_HEADS = ("model", "votes", "times shown")
SAVE_VOTES = "Votes as CSV"

READING = "Reading the picture with {n} models…"
SCORING = "Looking through {name}…"
FIGURES = "Working out the figures…"
IN_LINE = "In line: one set is scored at a time…"
STOP = "Stop"
STOPPED = "Stopped. Nothing was kept of this comparison."
STOPPED_DISTURBED = "The disturbances were stopped. The comparison without them stands as it was."
STOPPED_AGAIN = "Stopped. The comparison from before stands as it was."
DISTURB = "Also under 18 disturbances, five strengths each"
DISTURB_HINT = "About {time}. It shows what each model relies on; you can stop it."
WITHOUT_LABELS = (
    "To see the answers without scoring them, give the pictures themselves, not a folder or zip."
)
AGAIN = "Score again with these models"
SAVES = (("html", "Report"), ("figures", "Figures as CSV"), ("answers", "Answers as CSV"),
         ("json", "JSON"))  # fmt: skip
LOST = "The set is not here any more: uploads are deleted after {minutes} minutes. Give it again."
OTHERS_CHOSEN = "These figures are of {models}. Other models, or another map, are chosen above."
COMMAND = (
    "The same from the command line: python -m leukemia_app compare FOLDER {options} --out DIR"
)
MAP_FIRST = (
    "These models have different labels: nothing can be scored until you state what they share, in "
    "the table above."
)
NOTHING = "Nothing came that is a picture, a zip or a folder of them."
MOST_PICTURES = "{n} pictures were given; {limit} are shown side by side. For more, label them."


def progress(done: int, total: int, seconds_left: float | None, *, disturbed: bool) -> str:
    """How far the scoring is."""
    if done >= total:
        return FIGURES
    left = "" if seconds_left is None else f" About {duration(seconds_left)} left."
    copies = " and disturbed copies" if disturbed else ""
    return f"Scored {done:,} of {total:,} pictures{copies}…{left}"


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60):,} min"
