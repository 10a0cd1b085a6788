"""CLAIM's items for a run: filled where the run knows them, open where only a person can.

Source: Tejani et al. 2024, Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024
Update, Radiology: Artificial Intelligence 6(4), e240300. Names as the checklist prints them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leukemia_app.evaluation import words
from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.evaluation.run_words import groups_words, headline

FILLED, PARTLY, OPEN = "filled", "partly", "open"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of the checklist."""

    number: int
    section: str
    name: str
    wanted: str
    """What a person should write, where the run cannot say all."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An item as far as the run can answer it."""

    item: Item
    state: str
    """`filled`, `partly` (a person should add what `item.wanted` says) or `open`."""
    said: str
    """What the run knows; empty where it is open."""


ITEMS = tuple(
    Item(number=number, section=section, name=name, wanted=wanted)
    for number, (section, name, wanted) in enumerate((
        ("Title", "Identification as a study of AI methodology, specifying the category of "
         "technology used (e.g., deep learning)", "Say so in the title."),
        ("Abstract", "Summary of study design, methods, results, and conclusions",
         "Write the abstract."),
        ("Introduction", "Scientific and/or clinical background, including the intended use and "
         "role of the AI approach", "Give the background and the role in the laboratory."),
        ("Introduction", "Study aims, objectives, and hypotheses", "State them."),
        ("Study design", "Prospective or retrospective study",
         "Say which, and when the pictures were taken."),
        ("Study design", "Study goal", "Say what the model is compared with, and for whom."),
        ("Data", "Data sources", "Name the sites and the time."),
        ("Data", "Inclusion and exclusion criteria",
         "Say which patients and smears were eligible, and why."),
        ("Data", "Data pre-processing", ""),
        ("Data", "Selection of data subsets", "Say whether pictures were chosen before they came "
         "here."),
        ("Data", "De-identification methods", "Say how names were taken out; no name, date or "
         "number of a patient belongs into a file name."),
        ("Data", "How missing data were handled", ""),
        ("Data", "Image acquisition protocol",
         "Give stain, microscope, magnification, camera and µm per pixel."),
        ("Reference standard", "Definition of method(s) used to obtain reference standard",
         "Say how each label was reached: morphology, flow cytometry, genetics."),
        ("Reference standard", "Rationale for choosing the reference standard", "Say why."),
        ("Reference standard", "Source of reference standard annotations",
         "Say who labelled, with what training."),
        ("Reference standard", "Annotation of test set",
         "Say who labelled the test part, and whether blind to the model."),
        ("Reference standard", "Measures of inter- and intra-rater variability of features "
         "described by the annotators", "Give the agreement of the readers."),
        ("Data partitions", "How data were assigned to partitions", ""),
        ("Data partitions", "Level at which partitions are disjoint", ""),
        ("Testing data", "Intended sample size", "Say how many patients were planned, and why."),
        ("Model", "Detailed description of model", ""),
        ("Model", "Software libraries, frameworks, and packages", ""),
        ("Model", "Initialization of model parameters", ""),
        ("Training", "Details of training approach", ""),
        ("Training", "Method of selecting the final model", ""),
        ("Training", "Ensembling techniques", ""),
        ("Evaluation", "Metrics of model performance", ""),
        ("Evaluation", "Statistical measures of significance and uncertainty", ""),
        ("Evaluation", "Robustness or sensitivity analysis", ""),
        ("Evaluation", "Methods for explainability or interpretability",
         "Say how the maps were checked, if you show any."),
        ("Evaluation", "Evaluation on internal data", ""),
        ("Evaluation", "Testing on external data",
         "Score the model on another laboratory’s pictures."),
        ("Evaluation", "Clinical trial registration", "Give the number, or say there is none."),
        ("Results, data", "Numbers of patients or examinations included and excluded",
         "Draw the flow of patients up to the pictures given here."),
        ("Results, data", "Demographic and clinical characteristics of cases in each partition",
         "Give age, sex and disease stage by part: the pictures do not say."),
        ("Model performance", "Performance metrics and measures of statistical uncertainty", ""),
        ("Model performance", "Estimates of diagnostic performance and their precision", ""),
        ("Model performance", "Failure analysis of incorrect results",
         "Look at the most wrong pictures above and say what they have in common."),
        ("Discussion", "Study limitations", "Say what this data cannot show."),
        ("Discussion", "Implications for practice, including intended use and/or clinical role",
         "Say what would have to be shown before anyone uses it."),
        ("Other information", "Provide a reference to the full study protocol or to additional "
         "technical details", "Give the protocol."),
        ("Other information", "Statement about the availability of software, trained model, "
         "and/or data", "Say where data and model can be had."),
        ("Other information", "Sources of funding and other support; role of funders",
         "Name them."),
    ), 1)
)  # fmt: skip


def claim(results: RunResults) -> tuple[Answer, ...]:
    """Every item of CLAIM 2024, in its order."""
    known = {number: said for number, said in _known(results).items() if said}
    return tuple(
        Answer(item=item, state=_state(item, known.get(item.number, "")),
               said=known.get(item.number, ""))
        for item in ITEMS
    )  # fmt: skip


def _state(item: Item, said: str) -> str:
    if not said:
        return OPEN
    return PARTLY if item.wanted else FILLED


def _known(results: RunResults) -> dict[int, str]:
    """What the run knows of each item."""
    return _known_of_data(results) | _known_of_model(results) | _known_of_figures(results)


def _known_of_data(results: RunResults) -> dict[int, str]:
    config = results.config
    about = config.get("about", {})
    data = "; ".join(text for text in about.get("data", {}).values() if text)
    subset = config.get("fraction", 1.0)
    n_left_out = len(results.left_out)
    out = f"{n_left_out:,} files were left out: see the data section." if n_left_out else (
        "No file was left out.")  # fmt: skip
    return {
        1: f"Deep learning: {network_words(config)}, for image classification.",
        6: about.get("intended_use", ""),
        7: data,
        8: f"Of the files given, those that can be read as pictures. {out}",
        9: recipe_words(config.get("recipe", {})),
        10: "" if subset == 1 else f"{100 * subset:g} % of the training groups were used.",
        12: f"{out} No picture is without a label.",
        17: results.corrected,
        19: partition_words(results),
        20: f"Disjoint by {results.level}." if results.level != "image" else (
            "By image: pictures of one patient may stand on both sides."),
        35: partition_words(results),
    }  # fmt: skip


def _known_of_model(results: RunResults) -> dict[int, str]:
    config, spec = results.config, results.spec
    versions = "" if spec is None else ", ".join(f"{name} {v}" for name, v in spec.versions.items())
    views = config.get("recipe", {}).get("views", 1)
    return {
        22: f"{_capital(network_words(config))}; {len(results.labels)} classes: "
        f"{', '.join(results.labels)}.",
        23: versions,
        24: start_words(str(config.get("start", "none"))),
        25: training_words(config),
        26: "The epoch with the lowest balanced validation loss."
        if config.get("patience") else "The last epoch; none was chosen.",
        27: f"One network; its logits are averaged over {views} turned copies of a picture."
        if views > 1 else "None: one network, one pass.",
        43: "" if spec is None else f"The bundle {spec.id}, licence {spec.licence}.",
    }  # fmt: skip


def _known_of_figures(results: RunResults) -> dict[int, str]:
    has_figures = results.measured is not None
    spec = results.spec
    robust = any(figure.kind == "robustness" for figure in results.figures)
    others = sorted(results.config.get("external", {}))
    limits = "" if spec is None else str(spec.data.get("limits", ""))
    measures = (
        "Accuracy, balanced accuracy, macro- and weighted F1, AUROC, average precision, "
        "sensitivity, specificity, predictive values with prevalence, calibration error, Brier "
        "score, coverage against risk."
    )
    return {
        28: measures if has_figures else "",
        29: f"95 % intervals by a bootstrap over {results.level}s within classes, 1,000 samples."
        if has_figures else "",
        30: "Disturbed copies of the test pictures: see the section on disturbances."
        if robust else "",
        31: "Grad-CAM maps can be drawn for each picture." if spec is not None else "",
        32: f"On {results.part}: {groups_words(results)}." if has_figures else "",
        33: f"Also scored on: {', '.join(others)}." if others else "",
        37: headline(results) if has_figures else "",
        38: "See the classification report." if has_figures else "",
        39: "The most wrong pictures are shown." if has_figures else "",
        40: limits,
        41: "" if spec is None else f"For: {spec.intended_use} Not for: {spec.not_for}",
    }  # fmt: skip


def network_words(config: Mapping[str, Any]) -> str:
    """Backbone, head and input of a run's network."""
    side = config.get("recipe", {}).get("side_px", "?")
    return f"{config.get('backbone')} with the head {config.get('head')}, {side} × {side} px"


def recipe_words(recipe: Mapping[str, Any]) -> str:
    """How a picture becomes network input, in one sentence."""
    known = {"window": 1.0, "views": 1, "crop_margin": None, "blank_background": False, **recipe}
    steps = [f"A {known.get('input')} as {str(known.get('colour')).upper()}"]
    if known.get("denoise", "none") != "none":
        steps.append(f"{known['denoise']} filter")
    if known.get("segmentation", "none") != "none":
        steps.append(f"cells found by {known['segmentation']}")
    if known["crop_margin"] is not None:
        steps.append(f"cropped to the cell with a margin of {_number(known['crop_margin'])}")
    if known["blank_background"]:
        steps.append("background black")
    if known["window"] != 1:
        steps.append(f"central {100 * known['window']:g} % of the shorter side")
    steps.append(
        f"{FITS.get(str(known.get('fit')), known.get('fit'))} to {known.get('side_px')} px, "
        f"{known.get('interpolation')} interpolation"
    )
    steps.append(SCALINGS.get(str(known.get("scaling")), str(known.get("scaling"))))
    if known["views"] != 1:
        steps.append(f"logits averaged over {known['views']} turned copies")
    return f"{', '.join(steps)}."


FITS = {"stretch": "stretched", "pad": "padded", "crop": "cropped"}
SCALINGS = {
    "none": "values 0 to 255", "signed_unit": "values −1 to 1",
    "caffe": "BGR less the ImageNet mean",
}  # fmt: skip


def _number(value: object) -> str:
    """A number without an exponent; other things as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:.10f}".rstrip("0").rstrip(".") if value else "0"


def start_words(start: str) -> str:
    """Where the weights began."""
    kind, _, place = start.partition(":")
    # A path of a server says nothing to a reader, and is nobody's business.
    name = place.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return {
        "none": "At random, by the seed.",
        "imagenet": "Backbone: Keras’ ImageNet weights. Head: at random.",
        "bundle": f"Backbone: the bundle {name}. Head: at random.",
        "file": f"Backbone: the weights in {name}. Head: at random.",
    }.get(kind, start)


def training_words(config: Mapping[str, Any]) -> str:
    """How it was trained, in one paragraph."""
    steps = config.get("augment", {})
    augment = ", ".join(
        name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {_number(value)}"
        for name, value in steps.items()
        if value
    )
    return (
        f"{_capital(_phases(config))}, {_optimizer(str(config.get('optimizer', 'adamw')))}, "
        f"batches of {config.get('batch_size')}, weight decay "
        f"{_number(config.get('weight_decay'))}, label "
        f"smoothing {_number(config.get('label_smoothing'))}, "
        f"{DRAWN.get(str(config.get('balance')), '')}, seed {config.get('seed')}. "
        f"Augmentation: {augment or 'none'}."
    )


def _phases(config: Mapping[str, Any]) -> str:
    head, tuned = int(config.get("head_epochs", 0)), int(config.get("tune_epochs", 0))
    told = []
    if head:
        told.append(f"{_epochs(head)} of the head on frozen features (rate "
                    f"{_number(config.get('head_rate'))})")  # fmt: skip
    if tuned:
        told.append(f"up to {_epochs(tuned)} {_tuned(str(config.get('tune_from', '')))} (highest "
                    f"rate {_number(config.get('tune_rate'))})")  # fmt: skip
    return ", then ".join(told) or "No training"


def _epochs(n: int) -> str:
    return "1 epoch" if n == 1 else f"{n} epochs"


DRAWN = {
    "class": "pictures drawn evenly by class", "group": "pictures drawn by class, then by group",
    "none": "pictures drawn as they are",
}  # fmt: skip


def _tuned(block: str) -> str:
    return f"from {block} upwards" if block else "of the whole network"


def _optimizer(name: str) -> str:
    return {"adamw": "AdamW", "adam": "Adam"}.get(name, name)


def partition_words(results: RunResults) -> str:
    """How many pictures and groups stand in each part."""
    told = []
    for name, size in results.parts.items():
        groups = ""
        if size.groups is not None and results.level != "image":
            groups = f" in {size.groups:,} {results.level}s"
        told.append(f"{name} {size.pictures:,} pictures{groups}")
    return f"Split {words.split_level(results.level)}: {'; '.join(told)}." if told else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
