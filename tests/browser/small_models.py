"""Two small models for the page where none is shipped: random weights, real bundles.

`python -m tests.browser.small_models FOLDER`, a process of its own, as it needs TensorFlow.
"""

import sys
from pathlib import Path

from leukemia_app.bundles.spec import Label, NetworkSpec, Spec
from leukemia_app.bundles.store import write_bundle
from leukemia_app.imaging.recipe import Recipe
from leukemia_app.imaging.render import draw
from tests.readings import spec_of

NETWORK = NetworkSpec(backbone="baseline_cnn", head="plain")


def write_small_models(folder: Path) -> None:
    """A model for fields and one for cells, each a folder of `folder`; needs TensorFlow."""
    field = spec_of(id="small-fields", network=NETWORK, scope=None, threshold=0,
                    recipe=Recipe(input="field", side_px=64))  # fmt: skip
    names = ("neutrophil", "lymphocyte", "eosinophil")
    cell = spec_of(
        id="small-cells", network=NETWORK, scope=None, threshold=0,
        labels=tuple(Label(name=name, meaning=name) for name in names),
        recipe=Recipe(input="cell", side_px=64, segmentation="stain", crop_margin=0.2),
    )  # fmt: skip
    for spec, drawn in ((field, "Pro"), (cell, "neutrophil")):
        _write(folder / spec.id, spec, drawn)


def _write(folder: Path, spec: Spec, drawn: str) -> None:
    import keras

    from leukemia_app.networks.build import build_network

    keras.utils.set_random_seed(1)
    network = build_network("baseline_cnn", "plain", side_px=64, n_outputs=len(spec.labels))
    write_bundle(folder, spec, network, None, [draw(drawn, seed).pixels for seed in (1, 2)])


if __name__ == "__main__":
    write_small_models(Path(sys.argv[1]))
