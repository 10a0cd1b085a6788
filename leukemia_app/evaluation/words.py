"""Numbers and decisions in words, the same on the page and in a report."""

from collections.abc import Mapping, Sequence
from typing import Any

from leukemia_app.bundles.input_words import input_words
from leukemia_app.bundles.reading import Reading
from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.evaluation.smear import Count, SmearSummary

MAIN_METRICS = ("macro-F1", "AUROC", "balanced accuracy")
"""What speaks for a model first; bare accuracy hides a rare class."""
MAIN_METRICS_OF_TWO = ("AUROC", "macro-F1", "balanced accuracy")
"""The same for two classes, where AUROC owes nothing to the threshold."""
CONTROL_WORDS: Mapping[str, str] = {
    "colour histogram alone": "colour alone",
    "cell area alone": "size alone",
    "background alone": "background alone",
}
"""How a figure's control is called in short, by how its name goes on after the metric."""

NOT_STATED = "not stated"
RESEARCH_USE = "Research use only, not a diagnosis"
REFER = "Refer to an expert"
MAP_HINT = "The map shows where the score reacts, not why."
NO_MAP = "A map of where the model looked is not available for this model."
ONE_SMEAR = "This takes all pictures as one patient’s smear."
APART = "These pictures are not one smear, so nothing is counted over all of them."
SUMMARY_NOTE = (
    "Shares are of the pictures the model answered, with 95 % Wilson intervals, which hold for "
    "independent pictures. The last row is of all pictures read."
)
FIGURE_HEADS = ("figure", "value", "95 % interval", "pictures", "part and split", "remark")
SUMMARY_HEADS = ("class", "pictures", "share", "95 % interval", "more to halve it")
NO_MEASURES = "No white cell was found, so nothing was measured."


def percent(value: float) -> str:
    """A probability from 0 to 1 with one decimal and its sign."""
    return f"{100 * value:.1f} %"


def whole_percent(value: float) -> str:
    """A share from 0 to 1 in whole per cent, without the sign."""
    return f"{100 * value:.0f}"


def together(names: Sequence[str]) -> str:
    """Names in a sentence: `a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def top_class(reading: Reading) -> str:
    """The sentence that names the top class and its probability."""
    label, chances = reading.decision.label, reading.probabilities
    likelier = max(chances, key=lambda name: chances[name])
    if chances[label] < chances[likelier]:
        return (
            f"“{likelier}” has {percent(chances[likelier])}, less than this model needs to answer "
            f"so; that leaves “{label}” ({percent(chances[label])})."
        )
    return f"The model’s top class is {label} ({percent(chances[label])})."


def seconds(reading: Reading) -> str:
    """How long the reading took, on which device."""
    return f"{sum(reading.ms.values()) / 1000:.2f} s on {reading.device.upper()}"


def split_level(level: str) -> str:
    """How the split was made, in the words every figure carries."""
    return "image-level, optimistic" if level == "image" else f"by {level}"


def group_word(level: str) -> str:
    """What one group is called; a run is a training, and `run` stands for slides and frames too."""
    return "group" if level == "run" else level


def figure_line(item: Figure) -> str:
    """One measured number with its interval and the level of its split."""
    if item.value is None:
        return f"{item.name}: not defined"
    text = f"{item.name} {item.value:.3f}"
    if item.low is not None and item.high is not None:
        text += f" ({item.low:.3f}–{item.high:.3f})"
    return f"{text} {split_level(item.group_level)}"


def figure_cells(item: Figure) -> tuple[str, str, str, str, str]:
    """A figure's value, interval, pictures, part with split, and remark."""
    value = "not defined" if item.value is None else f"{item.value:.3f}"
    both = item.low is not None and item.high is not None
    interval = f"{item.low:.3f}–{item.high:.3f}" if both else "–"
    groups = "" if item.group_level == "image" else f" in {item.n_groups:,} {item.group_level}s"
    kind = "" if item.kind == "result" else f"{item.kind}; "
    # Another split than the model's own says so itself; its groups are those of the interval.
    tells_itself = "split" in item.part or " by " in item.part
    return (
        value,
        interval,
        f"{item.n:,}{groups}",
        item.part if tells_itself else f"{item.part}, {split_level(item.group_level)}",
        f"{kind}{item.note}".removesuffix("; "),
    )


def main_figure(spec: Spec) -> Figure | None:
    """The result that speaks for the model: on test pictures, by the first of the main metrics."""
    metrics = MAIN_METRICS_OF_TWO if len(spec.labels) == 2 else MAIN_METRICS

    def rank(item: Figure) -> tuple[bool, int]:
        known = item.name in metrics
        return item.part != "test", metrics.index(item.name) if known else len(metrics)

    results = [figure for figure in spec.figures if figure.kind == "result"]
    return min(results, key=rank, default=None)


def headline(spec: Spec) -> str | None:
    """The main figure, and beside it what colour, size or background alone reach on its part."""
    main = main_figure(spec)
    if main is None:
        return None
    controls = [
        f"{short} {item.value:.3f}"
        for item in spec.figures
        for name, short in CONTROL_WORDS.items()
        if item.kind == "control"
        and item.part == main.part
        and item.value is not None
        and item.name.startswith(f"{main.name}, {name}")
    ]
    return " · ".join(filter(None, [figure_line(main), ", ".join(controls)]))


def split_words(spec: Spec) -> str:
    """How the training pictures were parted, and into how many."""
    if "level" not in spec.split:
        return NOT_STATED
    level = str(spec.split["level"])
    parts = spec.split.get("parts", {})
    told = [_part_words(name, sizes, level) for name, sizes in parts.items()]
    return ": ".join(filter(None, [split_level(level), "; ".join(told)]))


def reads(spec: Spec) -> str:
    """What a model takes and gives, in a few words."""
    return f"reads {inputs(spec)}, {len(spec.labels)} classes"


def inputs(spec: Spec) -> str:
    """What the model's pictures show."""
    return "single cells" if spec.recipe.input == "cell" else "fields of a smear"


def fact_rows(spec: Spec) -> tuple[tuple[str, str], ...]:
    """Name and words of each fact about a model, in the order of reading."""
    data = "; ".join(value for key, value in spec.data.items() if value and key != "limits")
    refers = f"top probability under {percent(spec.threshold)}" if spec.threshold else "never"
    if spec.scope is not None:
        refers += f", or unlike the training pictures (score over {spec.scope.limit:.2f})"
    decides = ""
    if spec.positive_threshold is not None:
        first, second = spec.label_names
        decides = f"{second} from {percent(spec.positive_threshold)} on, else {first}"
    rows = (
        ("For", spec.intended_use),
        ("Not for", spec.not_for),
        ("Trained on", data),
        ("Split", split_words(spec)),
        ("Limits", spec.data.get("limits", "")),
        ("Answers", decides),
        ("Refers", refers),
        ("Network", _network_words(spec)),
        ("Input", input_words(spec)),
        ("Licence", spec.licence),
        ("From", ", ".join(spec.parents) or ("no other model" if spec.split else NOT_STATED)),
    )  # fmt: skip
    return tuple((name, said) for name, said in rows if said)


def cells_title(reading: Reading) -> str:
    """The heading over the cell's measures."""
    return f"Main cell of {reading.cells} found" if (reading.cells or 0) > 1 else "The cell"


def sentence(phrases: Sequence[str]) -> str:
    """Phrases as one sentence."""
    joined = "; ".join(phrases)
    return f"{joined[:1].upper()}{joined[1:]}." if joined else ""


def measures(morphology: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Name and value of each measure that was taken; lobes are told in words beside them."""
    known = (
        ("N:C", _two_decimals(morphology.get("nc_ratio"))),
        ("area", f"{morphology['area_px']:,} px"),
        ("cell roundness", _two_decimals(morphology.get("roundness"))),
        ("nucleus roundness", _two_decimals(morphology.get("nucleus_roundness"))),
        ("solidity", _two_decimals(morphology.get("solidity"))),
    )
    return tuple((name, value) for name, value in known if value is not None)


def map_share(label: str, share: float) -> str:
    """How much of the map lies in the cells, in whole per cent."""
    return f"{whole_percent(share)} % of the {label} map lies inside the cells."


def count_sentence(count: Count) -> str:
    """A label's share among the answered pictures, with its interval."""
    low, high = count.interval
    return (
        f"{count.label}: {count.k} of {count.n} answered pictures, {whole_percent(count.share)} %, "
        f"95 % interval {whole_percent(low)}–{whole_percent(high)} %."
    )


def summary_sentence(summary: SmearSummary) -> str:
    """What the pictures say together, and what would narrow it."""
    referred = summary.referred
    said = []
    if (top := summary.commonest) is not None:
        said = [count_sentence(top), f"Count {top.more_to_halve:,} more to halve the interval."]
    if referred.k == 0:
        return " ".join([*said, "None was referred to an expert."])
    verb = "was" if referred.k == 1 else "were"
    rest = "" if top is None else " and not counted in the shares"
    return " ".join([*said, f"{referred.k} of {referred.n} {verb} referred to an expert{rest}."])


def _network_words(spec: Spec) -> str:
    side = f"{spec.recipe.side_px} × {spec.recipe.side_px} px"
    if not spec.network.is_rebuildable:
        return f"brought in from a Keras file, {side}"
    return f"{spec.network.backbone}, {spec.network.head} head, {side}"


def _two_decimals(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _part_words(name: str, sizes: Any, level: str) -> str:
    if not isinstance(sizes, Mapping) or "pictures" not in sizes:
        return f"{name} {sizes}"
    groups = f" in {sizes['groups']:,} {level}s" if level != "image" and "groups" in sizes else ""
    return f"{name} {sizes['pictures']:,} pictures{groups}"
