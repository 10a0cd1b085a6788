"""Sections of a run's report: figures, course of training, confusion, classes, trade-offs.

Each is a piece of HTML that stands on the page too; it takes the results, a name for its ids, and
small pictures.
"""

from collections.abc import Sequence
from html import escape

from leukemia_app.evaluation import run_words, words
from leukemia_app.evaluation.learning import Epoch
from leukemia_app.evaluation.measures import (
    NAMES,
    UNDEFINED,
)
from leukemia_app.evaluation.metrics import npv_at, ppv_at
from leukemia_app.evaluation.run_gallery import (
    Thumbnails,
    confusion_table,
    galleries,
    gallery,
    most_wrong,
    pictures,
)
from leukemia_app.evaluation.run_plots import (
    learning_curves,
    precision_recall_plot,
    roc_plot,
    shown_classes,
)
from leukemia_app.evaluation.run_results import RunResults
from leukemia_app.evaluation.tables import (
    Bar,
    Row,
    figure_table,
    note,
    nothing,
    side_by_side,
    table,
    value_words,
)

LESS_IS_BETTER = ("error_among_answered", "refer_rate", "ece", "brier")
OF_THE_SECOND = (
    ("sensitivity", "sensitivity", False), ("specificity", "specificity", False),
    ("positive_predictive_value", "PPV", True), ("negative_predictive_value", "NPV", True),
)  # fmt: skip
"""Figures of two classes: name, title, and whether they hold for a prevalence."""
OTHER_PREVALENCES = (0.01, 0.1, 0.5)
FEW_EPOCHS = 12


def figures_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """Every overall figure with its interval, and what the intervals are.

    Of two classes, also what the second's answers are worth.
    """
    if results.measured is None:
        return nothing(run_words.headline(results))
    overall = results.measured.overall
    main = run_words.main_metric(results)
    good = [main, *(name for name in NAMES if name not in (main, *LESS_IS_BETTER))]
    rows = [Bar(name=NAMES[name], figure=overall.get(name, UNDEFINED)) for name in good]
    if len(results.labels) == 2:
        second = results.measured.per_class[results.labels[1]]
        share = value_words(second.get("prevalence", UNDEFINED))
        rows += [
            Bar(name=f"{title}, “{results.labels[1]}”{f', prevalence {share}' * held}",
                figure=second.get(name, UNDEFINED))
            for name, title, held in OF_THE_SECOND
        ]  # fmt: skip
    # A network without a bundle has no threshold: it refers nothing.
    has_threshold = results.spec is not None
    shown = LESS_IS_BETTER if has_threshold else LESS_IS_BETTER[-2:]
    less = [Bar(name=NAMES[name], figure=overall.get(name, UNDEFINED)) for name in shown]
    level = results.level if results.level != "image" else "picture"
    return (
        side_by_side(figure_table(rows, name="1 is best"), figure_table(less, name="0 is best"))
        + note(run_words.INTERVALS.format(level=words.group_word(level)))
    )  # fmt: skip


def learning_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """Loss and accuracy by epoch, what they say about overfitting, and the numbers."""
    plots = [learning_curves(results.epochs, what, f"{id}-{what}") for what in ("loss", "accuracy")]
    if not any(plots):
        return nothing("No epoch has ended yet.")
    return (
        f"<p>{escape(run_words.learning(results))}</p>{side_by_side(*filter(None, plots))}"
        f"{note(f'{run_words.RULE} {run_words.OTHER_PICTURES}')}{epoch_table(results.epochs)}"
    )


def epoch_table(epochs: Sequence[Epoch]) -> str:
    """One row an epoch; folded where there are many."""
    columns = (
        ("training loss", "loss", 3), ("validation loss", "val_loss", 3),
        ("training accuracy", "accuracy", 3), ("validation accuracy", "val_accuracy", 3),
        ("rate", "rate", 6), ("seconds", "seconds", 0), ("memory, MB", "memory_mb", 0),
    )  # fmt: skip
    shown = [each for each in columns if any(getattr(row, each[1]) is not None for row in epochs)]
    phases = {"head": "head", "network": "network"}
    rows = [
        (f"{phases[row.phase]} {row.number}",
         [_number(getattr(row, name), digits) for _, name, digits in shown])
        for row in epochs
    ]  # fmt: skip
    made = table(("epoch", *(title for title, _, _ in shown)), rows)
    if len(rows) <= FEW_EPOCHS:
        return made
    return (
        f'<details class="r-more"><summary>All {len(rows)} epochs in numbers</summary>{made}'
        "</details>"
    )


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return "–"
    return f"{value:.{digits}f}" if digits < 6 else f"{value:.2g}"


def confusion_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """The confusion table, and the pictures behind each of its cells."""
    if results.answers is None:
        return nothing("No picture that was kept back has been answered.")
    return (
        f"<p>{escape(run_words.confusions(results))}</p>"
        f'<div class="r-beside">{confusion_table(results, id)}'
        f'<div class="r-cells">{note("Choose a cell to see its pictures.")}'
        f"{galleries(results, thumbnails, id)}</div></div>"
    )


def classes_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """The classification report, one class against the rest, and predictive values elsewhere."""
    if results.measured is None:
        return nothing("No picture that was kept back has been answered.")
    columns = (
        ("precision (PPV)", "positive_predictive_value"), ("recall (sensitivity)", "sensitivity"),
        ("F1", "f1"), ("specificity", "specificity"), ("NPV", "negative_predictive_value"),
    )  # fmt: skip
    counts = results.confusion
    per_class = results.measured.per_class
    rows: list[Row] = [
        (label, [f"{int(counts[number].sum()):,}",
                 *(per_class[label].get(name, UNDEFINED) for _, name in columns)])
        for number, label in enumerate(results.labels)
    ]  # fmt: skip
    return (
        table(("class", "support", *(title for title, _ in columns)), rows,
              caption="One class against the rest, with 95 % intervals.")
        + predictive_table(results)
    )  # fmt: skip


def predictive_table(results: RunResults) -> str:
    """PPV and NPV of each class at the prevalence of these pictures, and at others."""
    if results.measured is None:
        return ""
    rows = []
    for _, label in shown_classes(results.labels):
        figures = results.measured.per_class[label]
        own, sensitivity, specificity = (
            figures.get(name, UNDEFINED).value
            for name in ("prevalence", "sensitivity", "specificity")
        )
        if own is None or sensitivity is None or specificity is None:
            continue
        row = []
        for share in (own, *OTHER_PREVALENCES):
            found = [formula(sensitivity, specificity, share) for formula in (ppv_at, npv_at)]
            row.append(" / ".join("–" if value is None else f"{value:.3f}" for value in found))
        rows.append((label, [words.percent(own), *row]))
    heads = ("class", "prevalence here", "at that",
             *(f"at {100 * share:g} %" for share in OTHER_PREVALENCES))  # fmt: skip
    return table(
        heads, rows, caption="PPV / NPV by prevalence: sensitivity and specificity are taken as "
        "here, by Bayes’ rule. A clinic’s prevalence is not this set’s.",
    )  # fmt: skip


def ranking_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """ROC and precision-recall curves with their areas."""
    if results.answers is None or results.measured is None:
        return nothing("No picture that was kept back has been answered.")
    answers, per_class = results.answers, results.measured.per_class
    roc = [Bar(name=label, figure=per_class[label].get("auroc", UNDEFINED))
           for _, label in shown_classes(results.labels)]  # fmt: skip
    steps = [
        Bar(name=label, figure=per_class[label].get("average_precision", UNDEFINED),
            cells=(value_words(per_class[label].get("prevalence", UNDEFINED)),))
        for _, label in shown_classes(results.labels)
    ]  # fmt: skip
    return f"<p>{escape(run_words.ranking(results))}</p>" + side_by_side(
        roc_plot(answers, results.labels, f"{id}-roc") + figure_table(roc, name="AUROC"),
        precision_recall_plot(answers, results.labels, f"{id}-pr")
        + figure_table(steps, name="average precision", heads=("prevalence",)),
    )


def wrong_section(results: RunResults, id: str, thumbnails: Thumbnails) -> str:
    """The pictures whose label was least probable, first."""
    items = most_wrong(results)
    if not items:
        return nothing("No picture that was kept back has been answered.")
    n_wrong = sum(not item.is_right for item in results.predictions)
    shown = sum(not item.is_right for item in items)
    said = f"{n_wrong:,} {pictures(n_wrong)} did not get the data set’s label"
    said += f"; the {shown} surest are shown." if shown < n_wrong else "."
    if shown < len(items):
        said += f" Then {len(items) - shown} right answers that were least sure."
    return (
        f"<p>{escape(said)} A wrong answer may be a wrong label: look at both.</p>"
        f"{gallery(items, thumbnails)}"
    )
