"""The child process that opens a stranger's checkpoint: nothing of it is opened anywhere else.

Used as `python -m leukemia_app.bundles.checkpoint_child FOLDER`; the order stands on standard input
and the answer on standard output, both as JSON. FOLDER is the only one that it may write to.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leukemia_app.bundles.sandbox import Bounds, bound_this_process
from leukemia_app.errors import AppError, BundleError

if TYPE_CHECKING:
    from leukemia_app.bundles.checkpoint_facts import CheckpointFacts
    from leukemia_app.bundles.checkpoint_file import Checkpoint
    from leukemia_app.networks.build import Network

BUNDLE = "bundle"
"""Name of the bundle's folder within FOLDER."""
SMALL_OWN_SIDE = 96
"""Own networks are told by their weights, which do not depend on the side."""


def main(arguments: list[str]) -> int:
    """Bound this process, do what the order says, answer."""
    order = json.loads(sys.stdin.read())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever a library prints is no part of the answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    folder = Path(arguments[0])
    held = bound_this_process(Bounds(**order["bounds"]), folder=folder)
    path = Path(order["path"])
    try:
        told: dict[str, Any] = _done(order, path, folder)
    except AppError as error:
        told = {"refused": str(error)}
    except MemoryError:
        told = {"refused": f"{path.name} is not taken: it needs more memory than it may have."}
    except Exception as error:  # noqa: BLE001 a stranger's file may break any step
        told = {"refused": f"{path.name} is not taken: it cannot be used ({_first_line(error)})."}
    json.dump(told | {"held": held}, answer)
    answer.close()
    return 0


def _done(order: Mapping[str, Any], path: Path, folder: Path) -> dict[str, Any]:
    from leukemia_app.bundles.checkpoint_file import WEIGHTS_ONLY, open_checkpoint

    scratch = folder / "opened"
    scratch.mkdir()
    checkpoint = open_checkpoint(path, scratch, order["max_bytes"])
    is_own = checkpoint.kind == WEIGHTS_ONLY
    facts = _own_facts(checkpoint, path.name) if is_own else _facts(checkpoint, path.name)
    if order.get("spec") is None:
        return {"facts": facts.to_dict()}
    return _write(order, checkpoint, facts, folder)


def _facts(checkpoint: "Checkpoint", file: str) -> "CheckpointFacts":
    """What the description says; Keras is not asked."""
    from math import prod

    from leukemia_app.bundles.checkpoint_build import shapes_in
    from leukemia_app.bundles.checkpoint_config import read_plan
    from leukemia_app.bundles.checkpoint_facts import (
        CheckpointFacts,
        answer_of,
        likely_scaling,
        side_of,
    )

    plan = read_plan(checkpoint.config, file)
    rows, columns, channels = side_of(plan.input_shape, file)
    cut, activation, width = answer_of(plan, checkpoint.loss, file)
    scaling, why = likely_scaling(plan)
    labels = checkpoint.labels if len(checkpoint.labels) == max(2, width) else ()
    shapes = shapes_in(checkpoint.weights, _group(checkpoint))
    if not shapes:
        raise BundleError(f"{file} is not taken: it describes a network and holds no weights. "
                          "Save the whole model.")  # fmt: skip
    return CheckpointFacts(
        file=file, kind=checkpoint.kind, keras_version=checkpoint.keras_version, rows=rows,
        columns=columns, channels=channels, n_outputs=width, activation=activation,
        n_layers=sum(layer.inner is None for layer in cut.every_layer()),
        n_parameters=sum(prod(shape) * count for shape, count in shapes.items()),
        labels=labels, labels_from=checkpoint.labels_from if labels else "",
        scaling=scaling, scaling_why=why,
    )  # fmt: skip


def _group(checkpoint: "Checkpoint") -> str:
    from leukemia_app.bundles.checkpoint_file import WHOLE_H5

    return "model_weights" if checkpoint.kind == WHOLE_H5 else ""


def _own_facts(checkpoint: "Checkpoint", file: str) -> "CheckpointFacts":
    """Which of this app's networks the weights belong to: told by the shapes of all of them."""
    from collections import Counter
    from math import prod

    import keras

    from leukemia_app.bundles.checkpoint_build import shapes_in
    from leukemia_app.bundles.checkpoint_facts import LOGITS, CheckpointFacts
    from leukemia_app.networks.backbones import BACKBONES, SCALINGS, SIDES
    from leukemia_app.networks.build import build_network
    from leukemia_app.networks.heads import HEADS

    held = shapes_in(checkpoint.weights)
    for backbone in BACKBONES:
        for head in HEADS:
            with keras.StatelessScope(initialize_variables=False):
                network = build_network(backbone, head, side_px=SMALL_OWN_SIDE, n_outputs=2)
                shapes = Counter(tuple(each.shape) for each in network.model.variables)
            kernel, bias = (tuple(each.shape) for each in network.head.layers[-1].variables)
            keras.utils.clear_session()
            rest = held - (shapes - Counter([kernel, bias]))
            widths = {shape[-1] for shape in rest}
            if len(widths) == 1 and rest == Counter([(kernel[0], *widths), tuple(widths)]):
                return CheckpointFacts(
                    file=file, kind=checkpoint.kind, keras_version=checkpoint.keras_version,
                    rows=SIDES[backbone], columns=SIDES[backbone], channels=3,
                    n_outputs=widths.pop(), activation=LOGITS, n_layers=len(network.model.layers),
                    n_parameters=sum(prod(shape) * n for shape, n in held.items()),
                    labels=checkpoint.labels, labels_from=checkpoint.labels_from,
                    scaling=SCALINGS[backbone], backbone=backbone, head=head,
                    scaling_why="this app's own network is made for it",
                )  # fmt: skip
    raise BundleError(
        f"{file} is not taken: it holds weights alone, and they fit none of this app's networks "
        f"({', '.join(BACKBONES)}). Save the whole model: model.save('model.keras')."
    )


def _write(
    order: Mapping[str, Any], checkpoint: "Checkpoint", facts: "CheckpointFacts", folder: Path
) -> dict[str, Any]:
    """Build the network, load its weights, and write it as a bundle of our own export."""
    from leukemia_app.bundles.spec import Spec
    from leukemia_app.bundles.store import write_bundle

    spec = Spec.from_dict(order["spec"])
    networks = _own_network(checkpoint, facts, spec) if facts.backbone else _network(
        order, checkpoint, facts)  # fmt: skip
    refused = ""
    for network in networks:
        try:
            write_bundle(folder / BUNDLE, spec, network, None)
        except BundleError as error:
            # A head with an operation without a gradient can be served, but not explained.
            refused = str(error).replace(f".{BUNDLE}.part", facts.file)
        else:
            places = network.backbone.output.shape[1:3]
            return {"has_map": min(places) > 1}
    raise BundleError(refused)


def _own_network(checkpoint: "Checkpoint", facts: "CheckpointFacts", spec: Any) -> "list[Network]":
    from leukemia_app.networks.build import build_network

    network = build_network(
        facts.backbone, facts.head, side_px=spec.recipe.side_px, n_outputs=facts.n_outputs
    )
    network.model.load_weights(checkpoint.weights)
    return [network]


def _network(
    order: Mapping[str, Any], checkpoint: "Checkpoint", facts: "CheckpointFacts"
) -> "list[Network]":
    """The stranger's network, the form with a map first."""
    from leukemia_app.bundles.checkpoint_build import (
        Builder,
        check_size,
        load_whole_h5,
        shapes_in,
    )
    from leukemia_app.bundles.checkpoint_config import read_plan
    from leukemia_app.bundles.checkpoint_facts import answer_of
    from leukemia_app.bundles.checkpoint_file import KERAS
    from leukemia_app.bundles.checkpoint_network import network_of

    plan, _, _ = answer_of(read_plan(checkpoint.config, facts.file), checkpoint.loss, facts.file)
    side_px = order["spec"]["recipe"]["side_px"]
    shape = (facts.rows or side_px, facts.columns or side_px, facts.channels)
    check_size(plan, shape, shapes_in(checkpoint.weights, _group(checkpoint)), facts.file)
    builder = Builder(file=facts.file)
    model = builder.structure(plan, shape)
    if checkpoint.kind == KERAS:
        model.load_weights(checkpoint.weights)
    else:
        load_whole_h5(builder, plan, checkpoint.weights, facts.file)
    wish = order["spec"]["network"]["backbone_arguments"]
    plain, mapped = network_of(builder, plan, shape, wish["scaling"], wish["colour"])
    return [each for each in (mapped, plain) if each is not None]


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0][:200]
    return text or type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
