"""A network as a checkpoint describes it, once every word of it was checked: plain data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from leukemia_app.errors import BundleError

INERT_KIND = "linear"
PASSING = frozenset({"Flatten", "Reshape", "Activation"})
"""Kinds that may stand between the classes' activation and the output, or do nothing there."""


@dataclass(frozen=True, kw_only=True)
class Ref:
    """One output of one call of a layer."""

    layer: str
    call: int
    output: int


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a layer is called with."""

    arguments: tuple[Any, ...]
    """Each a `Ref`, a tuple of them, or a number."""
    named: Mapping[str, Ref] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer, or a network within the network."""

    name: str
    """As the file has it."""
    kind: str
    """The class of Keras, `InputLayer`, or a function of `keras.ops` where `is_operation`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    """Empty within a chain of layers."""
    inner: "Plan | None" = None
    is_operation: bool = False
    is_trainable: bool = True


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A network: a graph of layers, or a chain of them."""

    name: str
    is_chain: bool
    layers: tuple[Layer, ...]
    input_shape: tuple[int | None, ...] | None
    """Without the batch: usually (rows, columns, channels); None where the file does not say."""
    input: Ref | None = None
    output: Ref | None = None
    """Both of a graph only."""

    def every_layer(self) -> Iterator[Layer]:
        """Each layer, those of inner networks after the network itself."""
        for layer in self.layers:
            yield layer
            if layer.inner is not None:
                yield from layer.inner.every_layer()


def with_logits(plan: Plan) -> tuple[Plan, str]:
    """The plan without its last activation, and that activation.

    Raises:
        BundleError: the layer that it belongs to is used elsewhere, too.
    """
    layer = _answering(plan)
    if layer is None:
        return plan, "linear"
    if layer.inner is not None:
        inner, found = with_logits(layer.inner)
        return _swapped(plan, layer, replace(layer, inner=inner)), found
    if layer.kind == "Softmax":
        changed = replace(layer, kind="Activation", settings={"activation": "linear"})
        return _swapped(plan, layer, changed), "softmax"
    found = str(layer.settings.get("activation", "linear"))
    if found == "linear":
        return plan, found
    settings = {**layer.settings, "activation": "linear"}
    return _swapped(plan, layer, replace(layer, settings=settings)), found


def answering_width(plan: Plan) -> int | None:
    """How many values the network gives for a picture; None where its layers do not say."""
    for layer in reversed(_way_out(plan)):
        if layer.inner is not None:
            return answering_width(layer.inner)
        width = layer.settings.get("units", layer.settings.get("filters"))
        if width is not None:
            return int(width)
        if layer.kind not in PASSING | {"GlobalAveragePooling2D", "GlobalMaxPooling2D"}:
            return None
    return None


def _answering(plan: Plan) -> Layer | None:
    """The layer that says the answer: the last but for those that pass on what they get."""
    way = _way_out(plan)
    while way and _passes(way[-1]):
        way.pop()
    return way[-1] if way else None


def _way_out(plan: Plan) -> list[Layer]:
    """The layers before the output, one behind the other, as far as there is one way only."""
    if plan.is_chain:
        return list(plan.layers)
    by_name = {layer.name: layer for layer in plan.layers}
    way: list[Layer] = []
    place = plan.output
    while place is not None and place.layer in by_name and len(way) <= len(by_name):
        layer = by_name[place.layer]
        way.insert(0, layer)
        first = layer.calls[0].arguments[:1] if len(layer.calls) == 1 else ()
        place = first[0] if first and isinstance(first[0], Ref) else None
    return way


def _passes(layer: Layer) -> bool:
    return layer.kind in PASSING and layer.settings.get("activation", "linear") == "linear"


def _swapped(plan: Plan, old: Layer, new: Layer) -> Plan:
    readers = sum(
        ref.layer == old.name
        for layer in plan.layers
        for call in layer.calls
        for ref in _refs(call)
    )
    if len(old.calls) > 1 or readers > 1:
        raise BundleError(
            f"The layer {old.name} gives the answer and is used inside the network too, which is "
            "not read. Save a network whose last layer is its own."
        )
    layers = tuple(new if layer is old else layer for layer in plan.layers)
    return replace(plan, layers=layers)


def _refs(call: Call) -> Iterator[Ref]:
    for argument in (*call.arguments, *call.named.values()):
        for each in argument if isinstance(argument, tuple) else (argument,):
            if isinstance(each, Ref):
                yield each
