"""The model card: README.md of a bundle, made of its spec alone."""

import json
from collections.abc import Iterable

from leukemia_app.bundles.input_words import input_words
from leukemia_app.bundles.spec import Figure, Spec

HUB_LICENCES = ("apache-2.0", "mit", "bsd-3-clause", "cc-by-3.0", "cc-by-4.0", "cc0-1.0")
"""Names that the Hub knows; others are given in words."""
KINDS = {
    "result": "Figures",
    "robustness": "Under disturbances",
    "control": "Controls: what else gives the class away",
    "scope": "Scope: what is referred",
}


def card(spec: Spec) -> str:
    """Markdown with the Hub's metadata in front; every figure with its part, n and interval."""
    sections = [
        _metadata(spec),
        f"# {spec.title}\n\n{spec.summary}\n\nResearch use only, not a diagnosis.",
        f"## Intended use\n\n{spec.intended_use}\n\n**Not for:** {spec.not_for}",
        "## Labels\n\n"
        + "\n".join(
            f"- **{label.name}**" + (f": {label.meaning}" if label.meaning != label.name else "")
            for label in spec.labels
        ),
        f"## Pictures it learned from\n\n{_data(spec)}",
    ]
    for kind, title in KINDS.items():
        if rows := [figure for figure in spec.figures if figure.kind == kind]:
            sections.append(f"## {title}\n\n{figure_table(rows)}")
    sections.append(f"## Network and input\n\n{_network(spec)}")
    sections.append(f"## Made again\n\n{_training(spec)}")
    return "\n\n".join(sections) + "\n"


def figure_table(figures: Iterable[Figure]) -> str:
    """A Markdown table, one row a figure."""
    lines = ["| figure | value | 95 % interval | on | pictures | groups | note |", "|" + "---|" * 7]
    for figure in figures:
        value = "not defined" if figure.value is None else f"{figure.value:.3f}"
        ends = "–" if figure.low is None else f"{figure.low:.3f}–{figure.high:.3f}"
        groups = f"{figure.n_groups} by {figure.group_level}"
        cells = (figure.name, value, ends, figure.part, str(figure.n), groups, figure.note)
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """The text as one cell of a Markdown table: names of labels and parts come from strangers."""
    return " ".join(text.split()).replace("|", "\\|")


def _metadata(spec: Spec) -> str:
    # A string in JSON is one in YAML too.
    licence = [f"license: {json.dumps(spec.licence)}"]
    if spec.licence not in HUB_LICENCES:
        licence = ['license: "other"', f"license_name: {json.dumps(spec.licence)}"]
    rows = [
        *licence,
        "library_name: keras",
        "pipeline_tag: image-classification",
        "tags: [leukemia, blood-smear, microscopy, research]",
    ]
    return "---\n" + "\n".join(rows) + "\n---"


def _data(spec: Spec) -> str:
    parts = "\n".join(
        f"- {name}: {facts['pictures']} pictures, {facts['groups']} groups"
        for name, facts in spec.split.get("parts", {}).items()
    )
    data = spec.data
    limits = f"\n\n{data['limits']}" if data.get("limits") else ""
    known = ". ".join(
        f"{title}{data[name]}"
        for name, title in (("name", ""), ("source", "Source: "), ("licence", "Licence: "))
        if data.get(name)
    )
    level = spec.split.get("level")
    split = (
        f"Split by {level}:\n\n{parts}" if level else "How the pictures were split is not stated."
    )
    return (
        f"{known or 'Name, source and licence of the pictures were not stated'}.\n\n{split}{limits}"
    )


def _network(spec: Spec) -> str:
    made_of, folded = f"Backbone {spec.network.backbone}, head {spec.network.head}", ""
    if not spec.network.is_rebuildable:
        made_of = "Brought in from a Keras file"
        folded = " (the network scales its input itself)"
    recipe = "\n".join(
        f"- {name}: {value}{folded if name == 'scaling' else ''}"
        for name, value in spec.recipe.to_dict().items()
    )
    scope = "" if spec.scope is None else f" Scope limit {spec.scope.limit:.3f}."
    return (
        f"{made_of}. A picture is {input_words(spec)}. Input:\n\n{recipe}\n\n"
        f"Temperature {spec.temperature:.3f}. Refers under a top probability of "
        f"{spec.threshold:.3f}.{_positive(spec)}{scope}"
    )


def _positive(spec: Spec) -> str:
    if spec.positive_threshold is None:
        return ""
    name = spec.label_names[1]
    return f" Answers {name} from a probability of {spec.positive_threshold:.3f} for it on."


def _training(spec: Spec) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in spec.versions.items())
    seed = spec.training.get("seed")
    seeded = "" if seed is None else f"Seed {seed}. "
    parents = f"\n\nStarted from: {', '.join(spec.parents)}." if spec.parents else ""
    settings = (
        "The file of settings that the command names is `training.config` in bundle.json. "
        if "config" in spec.training else ""
    )  # fmt: skip
    return f"```\n{spec.training.get('command', '')}\n```\n\n{settings}{seeded}{versions}.{parents}"
