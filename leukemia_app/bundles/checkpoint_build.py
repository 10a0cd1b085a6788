"""A checked plan made a network of Keras, with the checkpoint's weights; needs Keras when called.

Only the child process of `checkpoint_child` comes here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from leukemia_app.archives.safe_names import shown
from leukemia_app.bundles.checkpoint_plan import Call, Layer, Plan, Ref
from leukemia_app.errors import BundleError

MAX_TENSOR = 64_000_000
"""Numbers of one map: VGG16 at 224 px has 3.2 million."""
MAX_MAPS = 1_000_000_000
"""Of all maps together: EfficientNetB7 at 600 px has 0.6 billion."""

MARK = "m."
"""Begins the names of layers from a file."""

Shapes = Counter[tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One layer at work: what it got, what it gave."""

    kind: str
    part: Any
    """The layer of Keras, or the function."""
    inputs: tuple[Any, ...]
    output: Any


@dataclass(kw_only=True)
class Builder:
    """Makes each layer of a plan once, and puts them together in two ways.

    `structure` nests networks as the file does, which the names in a file of weights follow;
    `flat` lays all layers into one graph, in which the last map can be found.
    """

    file: str
    steps: list[Step] = field(default_factory=list)
    _made: dict[int, Any] = field(default_factory=dict)
    _names: Counter[str] = field(default_factory=Counter)

    def structure(self, plan: Plan, shape: tuple[int | None, ...] | None = None) -> Any:
        """The network as a model of Keras; `shape` stands in for what the file leaves open."""
        import keras

        shape = shape or plan.input_shape
        parts = [self._part(layer) for layer in plan.layers] if plan.is_chain else []
        name = self._name(plan.name)
        if plan.is_chain:
            start = [] if shape is None else [keras.Input(shape)]
            return keras.Sequential([*start, *parts], name=name)
        images = keras.Input(shape)
        answer = self._graph(plan, images, lambda layer, *given, **named: self._part(layer)(
            *given, **named))  # fmt: skip
        return keras.Model(images, answer, name=name)

    def flat(self, plan: Plan, images: Any) -> Any:
        """The answer for the symbolic `images`, every step of it noted in `steps`."""
        if not plan.is_chain:
            return self._graph(plan, images, self._step)
        for layer in plan.layers:
            images = self._step(layer, images)
        return images

    def _step(self, layer: Layer, *given: Any, **named: Any) -> Any:
        if layer.inner is not None:
            return self.flat(layer.inner, *given)
        part = self._part(layer)
        output = part(*given, **named)
        sources = [each for one in (*given, *named.values())
                   for each in (one if isinstance(one, list) else [one])]  # fmt: skip
        step = Step(kind=layer.kind, part=part, inputs=tuple(sources), output=output)
        self.steps.append(step)
        return output

    def _part(self, layer: Layer) -> Any:
        """The layer, made at its first use."""
        if id(layer) not in self._made:
            self._made[id(layer)] = self._new(layer)
        return self._made[id(layer)]

    def _new(self, layer: Layer) -> Any:
        import keras

        if layer.inner is not None:
            return self.structure(layer.inner)
        if layer.is_operation:
            return getattr(keras.ops, layer.kind)
        if layer.kind == "Positions":
            from leukemia_app.networks.vit import Positions

            return Positions(name=self._name(layer.name))
        name = self._name(layer.name)
        if (rectified := _rectifier(layer)) is not None:
            return keras.layers.Activation(rectified, name=name)
        made = getattr(keras.layers, layer.kind)(**layer.settings, name=name)
        made.trainable = layer.is_trainable
        return made

    def variables(self) -> list[Any]:
        """Those of every layer that was made, each once."""
        found = {id(each): each for part in self._made.values()
                 for each in getattr(part, "variables", ())}  # fmt: skip
        return list(found.values())

    def renew(self) -> None:
        """Let layers that keep copies of their weights compute with the new ones."""
        import keras

        for part in self._made.values():
            if isinstance(part, keras.layers.Normalization):
                part.finalize_state()

    def layer_called(self, plan: Plan, name: str) -> Any | None:
        """The part of the outermost network that the file calls `name`."""
        return next((self._part(layer) for layer in plan.layers if layer.name == name), None)

    def _name(self, name: str) -> str:
        """A name that Keras takes; no two layers of all networks share one.

        Marked, since Keras calls operations by itself as people call layers: multiply_1.
        """
        clean = MARK + name.replace("/", "_").replace("\\", "_")
        self._names[clean] += 1
        again = self._names[clean] - 1
        return f"{clean}__{again}" if again else clean

    def _graph(self, plan: Plan, images: Any, call: Callable[..., Any]) -> Any:
        """The answer of a graph: each layer called as soon as what it gets is there."""
        ready: dict[tuple[str, int], Any] = {}
        by_name = {layer.name: layer for layer in plan.layers}
        if plan.input is None or plan.output is None:
            raise BundleError(f"{self.file} is not taken: a network in it has no way through.")
        ready[(plan.input.layer, 0)] = images
        waiting = [(layer, at) for layer in plan.layers for at in range(len(layer.calls))]
        while waiting:
            still = []
            for layer, at in waiting:
                given = _filled(layer.calls[at], ready, by_name)
                if given is None:
                    still.append((layer, at))
                else:
                    ready[(layer.name, at)] = call(layer, *given[0], **given[1])
            if len(still) == len(waiting):
                raise BundleError(
                    f"{self.file} is not taken: the layer {shown(still[0][0].name)} waits for one "
                    "that never comes. Save the model again."
                )
            waiting = still
        answer = _found(plan.output, ready, by_name)
        if answer is None:
            raise BundleError(f"{self.file} is not taken: its output {shown(plan.output.layer)} is "
                              "none of its layers.")  # fmt: skip
        return answer


@dataclass(frozen=True, kw_only=True)
class Leaky:
    """x where it is positive, `slope` times x elsewhere."""

    slope: float

    def __call__(self, values: Any) -> Any:
        """As Keras computes it, which LiteRT has an operation for, and no gradient."""
        import keras

        return keras.ops.leaky_relu(values, negative_slope=self.slope)

    def plainly(self, values: Any) -> Any:
        """The same of operations with gradients, for slopes from 0 to 1."""
        import keras

        return keras.ops.maximum(values, self.slope * values)


def rectified(values: Any) -> Any:
    """ReLU of operations with gradients in LiteRT."""
    import keras

    return keras.ops.maximum(values, 0.0)


def rectified_to_6(values: Any) -> Any:
    """ReLU up to 6 of operations with gradients in LiteRT."""
    import keras

    return keras.ops.minimum(keras.ops.maximum(values, 0.0), 6.0)


def write_plainly(part: Any) -> None:
    """Have a layer compute its ReLU by operations that LiteRT has gradients of."""
    import keras

    found = getattr(part, "activation", None)
    if isinstance(found, Leaky) and 0 <= found.slope <= 1:
        part.activation = found.plainly
    elif found is keras.activations.relu:
        part.activation = rectified
    elif found is keras.activations.relu6:
        part.activation = rectified_to_6
    elif found is keras.activations.leaky_relu:
        part.activation = Leaky(slope=0.2).plainly


def _rectifier(layer: Layer) -> Any | None:
    """The activation that a rectifying layer is in plain words; None for other layers."""
    settings = layer.settings
    if layer.kind == "LeakyReLU":
        return Leaky(slope=settings.get("negative_slope", 0.3))
    if layer.kind != "ReLU" or settings.get("threshold") or settings.get("negative_slope"):
        return None
    return {None: "relu", 6.0: "relu6"}.get(settings.get("max_value"))


def _filled(
    call: Call, ready: Mapping[tuple[str, int], Any], by_name: Mapping[str, Layer]
) -> tuple[list[Any], dict[str, Any]] | None:
    """What a call gets, as tensors; None as long as some of it is missing."""

    def filled(value: Any) -> Any:
        if isinstance(value, Ref):
            return _found(value, ready, by_name)
        if isinstance(value, tuple):
            parts = [filled(each) for each in value]
            return None if any(part is None for part in parts) else parts
        return value

    given = [filled(value) for value in call.arguments]
    named = {name: filled(value) for name, value in call.named.items()}
    return None if any(each is None for each in (*given, *named.values())) else (given, named)


def _found(
    ref: Ref, ready: Mapping[tuple[str, int], Any], by_name: Mapping[str, Layer]
) -> Any | None:
    # A layer that is called once here may have been called before, elsewhere.
    only = ref.layer in by_name and len(by_name[ref.layer].calls) <= 1
    return ready.get((ref.layer, 0 if only else ref.call))


def check_size(plan: Plan, shape: tuple[int, ...], held: Shapes, file: str) -> None:
    """Refuse a network before it takes memory, unless its weights are those in the file.

    `held` are the shapes of the arrays in the file.

    Raises:
        BundleError: it wants other weights than the file has, or makes maps beyond any use.
    """
    import keras

    builder = Builder(file=file)
    # Within the scope variables have shapes, and no memory.
    with keras.StatelessScope(initialize_variables=False):
        images = keras.Input(shape)
        builder.flat(plan, images)
        wanted = Counter(tuple(each.shape) for each in builder.variables())
        maps = [prod(length or 1 for length in step.output.shape) for step in builder.steps]
    keras.utils.clear_session()
    if max(maps, default=0) > MAX_TENSOR or sum(maps) > MAX_MAPS:
        raise BundleError(
            f"{file} is not taken: for one picture it would fill {max(maps):,} numbers at once and "
            f"{sum(maps):,} in all; {MAX_TENSOR:,} and {MAX_MAPS:,} are the limits."
        )
    if missing := wanted - held:
        worst = max(missing, key=prod)
        raise BundleError(
            f"{file} is not taken: its weights are not those of the network that it describes "
            f"({sum(wanted.values()):,} arrays wanted, {missing.total():,} of them missing, the "
            f"largest of shape {worst}). Save the model again."
        )


def shapes_in(path: Path, group: str = "") -> Shapes:
    """The shapes of a file's arrays, or of one group's; those of the optimizer are left out."""
    import h5py

    found: Shapes = Counter()

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and name.split("/")[0] != "optimizer":
            found[tuple(item.shape)] += 1

    with h5py.File(path, "r") as file:
        (file[group] if group else file).visititems(note)
    return found


def load_whole_h5(builder: Builder, plan: Plan, path: Path, file: str) -> None:
    """Copy the weights of an HDF5 file of a whole model, by name where names fit, else by order.

    Raises:
        BundleError: a layer's weights are missing, or are others.
    """
    import h5py

    filled: set[int] = set()
    with h5py.File(path, "r") as opened:
        group = opened["model_weights"]
        for name in _texts(group, "layer_names"):
            names = _texts(group[name], "weight_names") if name in group else []
            if not names:
                continue
            layer = builder.layer_called(plan, name)
            variables = [] if layer is None else _in_legacy_order(layer)
            pairs = _paired(names, variables)
            if pairs is None:
                raise _unlike(file, name, len(names), len(variables))
            for key, variable in pairs:
                values = group[name][key]
                if tuple(values.shape) != tuple(variable.shape):
                    raise _unlike(file, name, len(names), len(variables))
                variable.assign(values[()])
                filled.add(id(variable))
    if any(id(variable) not in filled for variable in builder.variables()):
        raise BundleError(f"{file} is not taken: it lacks weights of the network that it "
                          "describes. Save the whole model again.")  # fmt: skip
    builder.renew()


def _in_legacy_order(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _paired(names: list[str], variables: Iterable[Any]) -> list[tuple[str, Any]] | None:
    variables = list(variables)
    if len(names) != len(variables):
        return None
    for length in (4, 3, 2):
        by_tail = {_tail(name, length): name for name in names}
        of_model = {_tail(variable.path, length): variable for variable in variables}
        if len(by_tail) == len(names) and by_tail.keys() == of_model.keys():
            return [(by_tail[tail], variable) for tail, variable in of_model.items()]
    return list(zip(names, variables, strict=True))


def _tail(path: str, length: int) -> str:
    parts = path.split(":")[0].split("/")[-length:]
    return "/".join(part.removeprefix(MARK) for part in parts)


def _unlike(file: str, name: str, n_held: int, n_wanted: int) -> BundleError:
    return BundleError(
        f"{file} is not taken: the weights of the layer {shown(name)} are not those of the network "
        f"({n_held} arrays, {n_wanted} wanted). Save the whole model again."
    )


def _texts(group: Any, name: str) -> list[str]:
    """A list of names beside a group; long ones stand there in parts."""
    if name in group.attrs:
        parts = [group.attrs[name]]
    else:
        parts = []
        while f"{name}{len(parts)}" in group.attrs:
            parts.append(group.attrs[f"{name}{len(parts)}"])
    texts = [each for part in parts for each in part]
    return [each.decode() if isinstance(each, bytes) else str(each) for each in texts]
