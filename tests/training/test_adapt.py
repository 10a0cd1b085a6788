"""A bundle that is adapted keeps what it knew of the labels in use, and says what it gained."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from leukemia_app.bundles.spec import Label, NetworkSpec, Spec
from leukemia_app.bundles.store import read_spec
from leukemia_app.data.manifest import Manifest, Row, read_manifest
from leukemia_app.errors import RunError
from leukemia_app.imaging.decode import encode_png
from leukemia_app.networks.build import Network, build_network
from leukemia_app.training.adapt import adapt_config, before_and_after, take_head
from leukemia_app.training.config import RunConfig
from leukemia_app.training.run import carry_out
from leukemia_app.training.run_folder import RunFolder
from tests.tiny_runs import SIDE_PX, draw_set, tiny_config

PICTURES = np.random.default_rng(0).normal(size=(5, SIDE_PX, SIDE_PX, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def spec(finished_run: Path) -> Spec:
    return read_spec(finished_run / "bundle")


def named(spec: Spec, *names: str, **head: object) -> Spec:
    """The same bundle with other labels."""
    network = NetworkSpec(backbone="baseline_cnn", head=head.pop("head", "plain"),
                          head_arguments=head)  # fmt: skip
    labels = tuple(Label(name=name, meaning=f"a {name}") for name in names)
    return replace(spec, labels=labels, network=network)


def network(n_outputs: int, head: str = "plain", **arguments: int) -> Network:
    return build_network("baseline_cnn", head, side_px=SIDE_PX, n_outputs=n_outputs,
                         head_arguments=arguments)  # fmt: skip


def logits(parent: Network, child: Network) -> tuple[np.ndarray, np.ndarray]:
    """Of both heads on the same features, (5, n_outputs) each."""
    maps = parent.backbone.predict_on_batch(PICTURES)
    return parent.head.predict_on_batch(maps), child.head.predict_on_batch(maps)


@pytest.mark.parametrize("head", [{}, {"head": "attention", "channels": 16}])
def test_several_labels_keep_their_outputs_in_their_new_order(spec, head):
    arguments = {"head": "plain"} | head
    parent, child = network(4, **arguments), network(3, **arguments)
    take_head(child, parent, named(spec, "a", "b", "c", "d", **head), ("d", "a", "b"))
    old, new = logits(parent, child)
    np.testing.assert_allclose(new, old[:, [3, 0, 1]], atol=1e-5)


def test_two_of_several_labels_share_an_output_of_their_difference(spec):
    # softmax over two logits is the sigmoid of their difference; it speaks for the second, a.
    parent, child = network(3), network(1)
    take_head(child, parent, named(spec, "a", "b", "c"), ("c", "a"))
    old, new = logits(parent, child)
    np.testing.assert_allclose(new[:, 0], old[:, 0] - old[:, 2], atol=1e-5)


@pytest.mark.parametrize(("labels", "sign"), [(("a", "b"), 1), (("b", "a"), -1)])
def test_the_only_output_speaks_for_the_second_label(labels, sign, spec):
    parent, child = network(1), network(1)
    take_head(child, parent, named(spec, "a", "b"), labels)
    old, new = logits(parent, child)
    np.testing.assert_allclose(new, sign * old, atol=1e-5)


def test_another_head_or_label_is_refused(spec):
    with pytest.raises(RunError, match=r"the head of tiny is another one \(attention, .*keep_head"):
        take_head(network(1), network(1, "attention", channels=16),
                  named(spec, "a", "b", head="attention", channels=16), ("a", "b"))  # fmt: skip
    with pytest.raises(RunError, match="e is no label of tiny"):
        take_head(network(1), network(1), named(spec, "a", "b"), ("a", "e"))


def pictures(counts: dict[str, int]) -> Manifest:
    rows = tuple(Row(file=f"{label}-{number}.png", label=label, group=f"{label}{number}")
                 for label, count in counts.items() for number in range(count))  # fmt: skip
    return Manifest(folder=Path("lab"), rows=rows, group_level="image")


def config_for(spec: Spec, counts: dict[str, int]) -> RunConfig:
    return adapt_config(spec, Path("models/parent"), pictures(counts), id="lab", groups=None)


@pytest.mark.parametrize(
    ("count", "expected"),
    # At most a hundred are learned from and chosen by, at most seven tenths; a fifth to choose by.
    [(1000, (0.08, 0.02, 0.9)), (134, (0.56, 0.14, 0.3)), (40, (0.56, 0.14, 0.3))],
)
def test_at_most_a_hundred_pictures_are_learned_from(count, expected, spec):
    made = config_for(spec, {"normal": count // 2, "blast": count // 2})
    assert made.shares == pytest.approx(expected)


@pytest.mark.parametrize(
    ("n_train", "expected"),
    # Eighty are learned from, as of pictures without parts; a hundredth is the least share.
    [(400, 0.2), (80, 1.0), (20, 1.0), (80_000, 0.01)],
)
def test_of_a_given_training_part_no_more_is_learned_from(n_train, expected, spec):
    manifest = pictures({"normal": n_train // 2 + 5, "blast": n_train // 2 + 5})
    parts = ["test"] * 5 + ["train"] * (n_train // 2)
    rows = tuple(replace(row, part=part)
                 for row, part in zip(manifest.rows, parts * 2, strict=True))  # fmt: skip
    made = adapt_config(spec, Path("models/parent"), replace(manifest, rows=rows), id="lab",
                        groups=None)  # fmt: skip
    assert made.fraction == pytest.approx(expected)


def test_the_labels_are_those_of_the_pictures_in_the_order_of_the_bundle(spec):
    wide = named(spec, "a", "b", "c", "d")
    made = config_for(wide, {"d": 9, "b": 9, "a": 9})
    assert made.labels == ("a", "b", "d")
    assert made.about.meanings == {"a": "a a", "b": "a b", "d": "a d"}
    assert "It has no answer for c: the pictures had none." in made.about.limits
    assert made.start == "bundle:models/parent"
    assert made.recipe == spec.recipe


@pytest.mark.parametrize(
    ("counts", "words"),
    [({"normal": 9, "giant": 9}, r"giant is no label of tiny, which has normal, blast\. Give"),
     ({"normal": 9, "blast": 4}, r"blast has pictures of 4 groups only; give 5 or more"),
     ({"normal": 9}, r"All pictures are normal; give two labels or more")],
)  # fmt: skip
def test_pictures_that_cannot_be_adapted_to_are_refused(counts, words, spec):
    with pytest.raises(RunError, match=words):
        config_for(spec, counts)


def test_the_gain_is_that_of_the_same_pictures(tmp_path):
    # Two of four right before, all after; each picture a group of its own.
    config = tiny_config(tmp_path, start="bundle:runs/one/bundle", keep_head=True)
    rows = pictures({"normal": 2, "blast": 2}).rows
    before = np.array([[-1], [1], [-1], [1]], np.float32)
    after = np.array([[-1], [-1], [1], [1]], np.float32)
    figures = before_and_after(config, rows, before, after, start_id="old")
    found = {figure.name: figure for figure in figures}
    assert list(found) == [
        f"{name} {when}" for name in ("accuracy", "balanced accuracy", "AUROC")
        for when in ("before adapting", "gained by adapting")
    ]  # fmt: skip
    assert found["accuracy before adapting"].value == 0.5
    assert found["accuracy gained by adapting"].value == 0.5
    # Before, each blast ranks above one normal cell and level with the other: 2 of 4 pairs.
    assert found["AUROC before adapting"].value == 0.5
    assert found["AUROC gained by adapting"].value == 0.5
    assert found["accuracy before adapting"].note == "by old, among these labels"
    assert found["accuracy gained by adapting"].n == 4


def test_a_bundle_is_adapted_to_another_stain(finished_run, tmp_path):
    table = draw_set(tmp_path / "lab")
    for path in (tmp_path / "lab").glob("*/*.png"):
        picture = cv2.imread(str(path))
        path.write_bytes(encode_png(np.ascontiguousarray(picture)))
    manifest = read_manifest(tmp_path / "lab", table, "patient")
    rows = tuple(replace(row, part="") for row in manifest.rows)
    bundle = finished_run / "bundle"
    made = adapt_config(read_spec(bundle), bundle, replace(manifest, rows=rows), id="lab",
                        groups=None)  # fmt: skip
    made = replace(made, groups=str(table), head_epochs=2, feature_copies=2, tune_epochs=1,
                   steps_per_epoch=4, batch_size=4, controls=())  # fmt: skip
    run = RunFolder(path=tmp_path / "runs" / "lab")
    run.create(made)
    carry_out(run)
    adapted = read_spec(run.path / "bundle")
    assert adapted.parents == ("tiny",)
    assert adapted.training["config"]["start"] == "bundle:tiny"
    found = {figure.name: figure for figure in adapted.figures}
    assert found["accuracy gained by adapting"].value == pytest.approx(
        found["accuracy"].value - found["accuracy before adapting"].value
    )
    assert found["AUROC before adapting"].kind == "control"

    # Grown to larger pictures instead: what the start says of those is no fair "before".
    grown = RunFolder(path=tmp_path / "runs" / "grown")
    recipe = replace(made.recipe, side_px=2 * made.recipe.side_px)
    grown.create(replace(made, id="grown", recipe=recipe, own_statistics=False, head_epochs=1,
                         feature_copies=1))  # fmt: skip
    carry_out(grown)
    names = [figure.name for figure in read_spec(grown.path / "bundle").figures]
    assert "accuracy" in names
    assert not [name for name in names if "adapting" in name]
