"""A small real bundle, written once; every test gets a copy of its own."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import numpy as np
import pytest

from leukemia_app.bundles.scope import Scope
from leukemia_app.bundles.spec import Label, NetworkSpec, ScopeSpec, Spec
from leukemia_app.imaging.picture import Picture
from leukemia_app.imaging.recipe import Recipe

SIDE_PX = 32


def drawn_picture(seed: int, rows: int = 48, columns: int = 40) -> Picture:
    """Noisy pink ground with one violet disc, in a place and a size that the seed decides."""
    rng = np.random.default_rng(seed)
    pixels = np.full((rows, columns, 3), (240, 220, 225), np.uint8)
    centre = (int(rng.integers(15, columns - 15)), int(rng.integers(15, rows - 15)))
    cv2.circle(pixels, centre, int(rng.integers(6, 12)), (110, 60, 150), -1, cv2.LINE_AA)
    noise = rng.normal(0, 6, pixels.shape)
    return Picture(
        pixels=np.clip(pixels + noise, 0, 255).astype(np.uint8), name=f"drawn {seed}.png"
    )


def spec_of(labels: tuple[str, ...] = ("normal", "early", "pre"), **changes: object) -> Spec:
    """A spec that can be served; `changes` replace single fields."""
    values = {
        "id": "small",
        "title": "Small",
        "summary": "A network with random weights.",
        "labels": tuple(Label(name=name, meaning=f"{name} cells") for name in labels),
        "label_kind": "field subtype",
        "network": NetworkSpec(
            backbone="baseline_cnn", head="attention", head_arguments={"channels": 16}
        ),
        "recipe": Recipe(input="field", side_px=SIDE_PX),
        "temperature": 1.5,
        "threshold": 0.4,
        "scope": None,
        "figures": (),
        "data": {"name": "drawn"},
        "split": {},
        "intended_use": "Tests.",
        "not_for": "Anything else.",
        "licence": "none",
        "parents": (),
        "training": {},
        "versions": {},
        "files": {},
    }
    return Spec(**(values | changes))


def write_small(folder: Path, n_outputs: int, spec: Spec) -> Path:
    """A bundle of a random network whose logits and features are far from equal."""
    import keras

    from leukemia_app.bundles.store import write_bundle
    from leukemia_app.networks.build import build_network

    keras.utils.set_random_seed(3)
    network = build_network(
        spec.network.backbone,
        spec.network.head,
        side_px=spec.recipe.side_px,
        n_outputs=n_outputs,
        head_arguments=spec.network.head_arguments,
    )
    rng = np.random.default_rng(5)
    for variable in network.model.trainable_variables:
        variable.assign(variable.numpy() + rng.normal(0, 0.05, variable.shape))
    scope = None
    if spec.scope is not None:
        n_features = network.backbone.output.shape[-1]
        scope = Scope(
            mean=np.zeros(n_features, np.float32),
            directions=np.eye(n_features, 2, dtype=np.float32),
            spread=np.ones(2, np.float32),
            rest=1.0,
        )
    pictures = [drawn_picture(seed).pixels for seed in (1, 2)]
    write_bundle(folder, spec, network, scope, pictures)
    return folder


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle `small`: three labels, four views, a black border, a scope. Do not change."""
    recipe = Recipe(input="field", side_px=SIDE_PX, views=4, fit="pad")
    scope = ScopeSpec(file="scope.npz", limit=100.0)
    folder = tmp_path_factory.mktemp("bundles") / "small"
    return write_small(folder, 3, spec_of(recipe=recipe, scope=scope))


@pytest.fixture(scope="session")
def written_binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle `binary`: two labels by one output, cropped to the cell. Do not change."""
    spec = spec_of(
        labels=("normal", "blast"),
        id="binary",
        label_kind="binary",
        recipe=Recipe(input="cell", side_px=SIDE_PX, segmentation="stain", crop_margin=0.2),
        network=NetworkSpec(backbone="baseline_cnn", head="plain"),
    )
    return write_small(tmp_path_factory.mktemp("bundles") / "binary", 1, spec)


@pytest.fixture
def bundle(written: Path, tmp_path: Path) -> Path:
    """A copy of the bundle `small` that the test may change."""
    return Path(shutil.copytree(written, tmp_path / "small"))


@pytest.fixture
def make_spec() -> Callable[..., Spec]:
    """`spec_of`."""
    return spec_of


@pytest.fixture
def draw() -> Callable[..., Picture]:
    """`drawn_picture`."""
    return drawn_picture
