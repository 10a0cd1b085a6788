"""A bundle sent to the Hugging Face Hub, with its card in the Hub's form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, EvalResult, ModelCardData

from leukemia_app.bundles.card import HUB_LICENCES, card
from leukemia_app.bundles.hub import BUNDLE_FILES
from leukemia_app.bundles.hub_client import THE_HUB, Hub, Listing, listing, within
from leukemia_app.bundles.hub_words import NoSuchModelError, hub_errors
from leukemia_app.bundles.spec import Figure, Spec
from leukemia_app.bundles.store import CARD_FILE, SPEC_FILE, verify
from leukemia_app.errors import BundleError
from leukemia_app.hub_names import HubModel, parse_model

SEND_S = 3600.0
TAGS = ("leukemia", "blood-smear", "microscopy", "research")
METRICS: Mapping[str, str] = {
    "accuracy": "accuracy", "macro-F1": "f1", "AUROC": "roc_auc", "sensitivity": "recall",
    "Brier score": "brier_score",
}  # fmt: skip
"""What the Hub calls a figure; others go by their own name."""
_DATASET = re.compile(r"hf://datasets/(\w[\w.-]*/\w[\w.-]*)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A model that is on the Hub now."""

    repo: str
    commit: str
    address: str
    is_new: bool
    """Whether the repository was made just now, private or not as was asked."""


class WouldOverwriteError(BundleError):
    """The repository holds something already."""

    def __init__(self, there: Listing) -> None:
        """Say what is there."""
        what = "a model of this app" if SPEC_FILE in there.files else "other files"
        super().__init__(
            f"{there} holds {what} already: {len(there.files)} files. They are replaced only "
            "where that is asked for (on the command line by --overwrite); its history keeps them. "
            "Or name another repository."
        )


def push(
    folder: Path, repo: str, *, is_private: bool = True, overwrite: bool = False, hub: Hub = THE_HUB
) -> Pushed:
    """Send the bundle in `folder` to `repo`, in one commit; the repository is made if it is not.

    Raises:
        WouldOverwriteError: the repository holds files, and `overwrite` does not say so.
        HubAwayError: the Hub cannot be asked.
        BundleError: the bundle is damaged, the name is none, or who asks may not.
    """
    spec = verify(folder)
    model = _named(repo)
    if not hub.has_token:
        raise BundleError(
            "Sending a model to the Hub needs a token that may write. Make one at "
            "https://huggingface.co/settings/tokens and give it in HF_TOKEN."
        )
    there = _there(model, hub)
    if there is not None and there.files and not overwrite:
        raise WouldOverwriteError(there)
    sent = (SPEC_FILE, CARD_FILE, *sorted(spec.files))
    contents: dict[str, Path | bytes] = {name: folder / name for name in sent}
    contents[CARD_FILE] = hub_card(spec).encode()
    with hub_errors(model):
        if there is None:
            within(SEND_S, lambda: hub.api.create_repo(model.repo, private=is_private))
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationAdd(path_in_repo=name, path_or_fileobj=content)
            for name, content in contents.items()
        ]
        stale = set(there.files if there else ()) & set(BUNDLE_FILES) - set(sent)
        operations += [CommitOperationDelete(path_in_repo=name) for name in sorted(stale)]
        made = within(SEND_S, lambda: hub.api.create_commit(
            model.repo, operations, commit_message=f"{spec.id}: {spec.title}",
            parent_commit=there.commit if there else None,
        ))  # fmt: skip
    return Pushed(
        repo=model.repo, commit=made.oid, address=hub.address(model.repo), is_new=there is None
    )


def hub_card(spec: Spec) -> str:
    """The bundle's card with all that the Hub reads from its head."""
    _, _, body = card(spec).removeprefix("---\n").partition("\n---\n")
    return f"---\n{_metadata(spec).to_yaml()}\n---\n{body}"


def _metadata(spec: Spec) -> ModelCardData:
    known = spec.licence in HUB_LICENCES
    datasets = sorted({name for text in spec.data.values() for name in _DATASET.findall(text)})
    return ModelCardData(
        license=spec.licence if known else "other",
        license_name=None if known else spec.licence,
        library_name="keras",
        pipeline_tag="image-classification",
        tags=list(TAGS),
        datasets=datasets or None,
        model_name=spec.id,
        eval_results=[
            _result(spec, figure) for figure in spec.figures
            if figure.kind == "result" and figure.value is not None
        ] or None,
    )  # fmt: skip


def _result(spec: Spec, figure: Figure) -> EvalResult:
    """A figure with its part and its interval: the Hub's table has no column for either."""
    data = spec.data.get("name") or "not named"
    by = "by image, optimistic" if figure.group_level == "image" else f"by {figure.group_level}"
    ends = "" if figure.low is None or figure.high is None else (
        f"95 % interval {figure.low:.3f}–{figure.high:.3f}, "
    )  # fmt: skip
    return EvalResult(
        task_type="image-classification",
        dataset_type=re.sub(r"[^a-z0-9]+", "-", data.lower()).strip("-")[:80] or "data",
        dataset_name=data,
        dataset_split=figure.part,
        metric_type=METRICS.get(figure.name, re.sub(r"[^a-z0-9]+", "_", figure.name.lower())),
        metric_value=round(figure.value or 0.0, 4),
        metric_name=f"{figure.name} ({ends}{figure.part}, {by}, n = {figure.n})",
    )


def _named(repo: str) -> HubModel:
    try:
        model = parse_model(repo)
    except ValueError as error:
        raise BundleError(f"{repo[:120]!r} is no name on the Hub; use owner/name.") from error
    if model.revision != "main":
        raise BundleError(f"{repo} names a revision; a model is sent to the newest: {model.repo}.")
    return model


def _there(model: HubModel, hub: Hub) -> Listing | None:
    """What the repository holds now; None where there is none."""
    try:
        return listing(model, hub)
    except NoSuchModelError:
        return None
