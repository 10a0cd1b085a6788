"""A stranger's description of a network, walked against the list of what is allowed. Pure.

Keras never sees the description: what comes out is a plan of checked values, and the network is
built from that alone. Keras' own guard is a list of about 25 forbidden names.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from leukemia_app.archives.safe_names import shown
from leukemia_app.bundles.checkpoint_layers import (
    ALIASES,
    HELD,
    INERT,
    LAYERS,
    LEFT_OUT,
    MODEL_KINDS,
    NOT_READ,
    OPERATIONS,
    OWN_LAYERS,
    Check,
)
from leukemia_app.bundles.checkpoint_plan import Call, Layer, Plan, Ref
from leukemia_app.errors import BundleError

MAX_LAYERS = 2_000
MAX_DEPTH = 6
MAX_NAME = 200
MAX_CALLS = 64
"""Of one layer."""
_FAMILIES = frozenset({"layers", "models", "engine", "ops"})
_PREFIXES = (("tensorflow", "python", "keras"), ("tensorflow", "keras"), ("tf_keras",), ("keras",))
_WRAPPINGS = frozenset({"src", "api", "_tf_keras", "keras", "legacy"})
_FLOATS = frozenset({"float64", "float32", "float16", "bfloat16", "mixed_float16",
                     "mixed_bfloat16"})  # fmt: skip
_WHOLE = frozenset({"uint8", "int32", "int64"})
_POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "Policy", "PolicyV1"})
_CODE = "holds code, and no code of others is run"
_CALLS = "calls any function of TensorFlow by its name"
_WRAPS = "wraps another layer, which networks that read one picture do not need"
_FILES = "reads words and may read files"
_WHY: Mapping[str, str] = {
    "Bidirectional": _WRAPS,
    "FlaxLayer": _CODE,
    "Hashing": _FILES,
    "IntegerLookup": _FILES,
    "JaxLayer": _CODE,
    "Lambda": _CODE,
    "RNN": _WRAPS,
    "SlicingOpLambda": _CALLS,
    "SpectralNormalization": _WRAPS,
    "StringLookup": _FILES,
    "TFOpLambda": _CALLS,
    "TFSMLayer": "holds a graph that may read and write files",
    "TextVectorization": _FILES,
    "TimeDistributed": _WRAPS,
    "TorchModuleWrapper": "holds pickled code",
    "Wrapper": _WRAPS,
}
ADVICE = "Save the network with layers that come with Keras, without custom code."


def read_plan(config: Any, file: str) -> Plan:
    """The network that `config`, the JSON in the checkpoint `file`, describes.

    Raises:
        BundleError: it holds a layer, a setting or a name that is not allowed, with its name.
    """
    return _Walk(file).model(config, "", 0)


class _Walk:
    """One way through one description."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._n_layers = 0

    def model(self, item: Any, where: str, depth: int) -> Plan:
        """A network, or one within another, at the place `where`."""
        if not isinstance(item, Mapping) or item.get("class_name") not in MODEL_KINDS:
            kind = item.get("class_name") if isinstance(item, Mapping) else None
            raise self._refusal(
                f"describes a network of the kind {shown(str(kind))}, and Sequential and "
                f"Functional are read. {ADVICE}"
            )
        if depth > MAX_DEPTH:
            raise self._refusal(f"has networks within networks deeper than {MAX_DEPTH}")
        config = item.get("config")
        self._check_origin(item, where or "the network", str(item["class_name"]))
        is_chain = MODEL_KINDS[item["class_name"]] == "sequential"
        if is_chain and isinstance(config, list):  # Keras before 2.2.3
            config = {"name": "sequential", "layers": config}
        if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
            raise self._refusal(f"describes no layers{f' of {where}' if where else ''}")
        name = self._name(config.get("name", "network"))
        inside = f"{where}/{name}" if where else name
        layers = tuple(self._layer(each, inside, depth, is_chain) for each in config["layers"])
        if len({layer.name for layer in layers}) != len(layers):
            raise self._refusal(f"has two layers of one name in {shown(inside)}")
        if is_chain:
            return self._chain(item, config, name, layers)
        return Plan(
            name=name, is_chain=False, layers=layers,
            input_shape=self._graph_shape(layers, config.get("input_layers"), inside),
            input=self._end(config.get("input_layers"), "input", inside),
            output=self._end(config.get("output_layers"), "output", inside),
        )  # fmt: skip

    def _chain(
        self, item: Mapping[str, Any], config: Mapping[str, Any], name: str,
        layers: tuple[Layer, ...],
    ) -> Plan:  # fmt: skip
        first = config["layers"][0] if config["layers"] else {}
        shape = self._shape(first.get("config", {}))
        built = item.get("build_config")
        later = built.get("input_shape") if isinstance(built, Mapping) else None
        for other in (config.get("build_input_shape"), later):
            shape = shape or self._shape({"batch_shape": other})
        if shape is None and layers and layers[0].inner is not None:
            shape = layers[0].inner.input_shape
        kept = tuple(layer for layer in layers if layer.kind != "InputLayer")
        return Plan(name=name, is_chain=True, layers=kept, input_shape=shape)

    def _layer(self, item: Any, where: str, depth: int, is_chain: bool) -> Layer:
        self._n_layers += 1
        if self._n_layers > MAX_LAYERS:
            raise self._refusal(f"has more than {MAX_LAYERS:,} layers")
        if not isinstance(item, Mapping) or not isinstance(item.get("config"), Mapping | list):
            raise self._refusal(f"describes something in {shown(where)} that is no layer")
        kind, config = str(item.get("class_name")), item["config"]
        config = config if isinstance(config, Mapping) else {"layers": config}
        name = self._name(config.get("name") or item.get("name") or kind)
        at = f"{where}/{name}"
        calls = () if is_chain else self._calls(item.get("inbound_nodes", []), at, kind)
        trainable = config.get("trainable") is not False
        if kind in MODEL_KINDS:
            inner = self.model(item, where, depth + 1)
            return Layer(name=name, kind=kind, calls=calls, inner=inner, is_trainable=trainable)
        self._check_origin(item, at, kind)
        if _is_operation(item, kind, calls):
            if kind not in OPERATIONS:
                raise self._unknown(at, kind)
            return Layer(name=name, kind=OPERATIONS[kind], calls=calls, is_operation=True)
        kind, settings = self._kind_and_settings(item, config, kind, at)
        return Layer(name=name, kind=kind, settings=settings, calls=calls, is_trainable=trainable)

    def _kind_and_settings(
        self, item: Mapping[str, Any], config: Mapping[str, Any], kind: str, at: str
    ) -> tuple[str, Mapping[str, Any]]:
        if item.get("registered_name") in OWN_LAYERS:
            return OWN_LAYERS[str(item["registered_name"])], {}
        if kind == "InputLayer":
            return kind, {"shape": self._shape(config)}
        if kind in INERT:
            return "Activation", {"activation": "linear"}
        kind = ALIASES.get(kind, kind)
        if kind not in LAYERS:
            raise self._unknown(at, kind)
        return kind, self._settings(config, LAYERS[kind], at)

    def _settings(
        self, config: Mapping[str, Any], checks: Mapping[str, Check], at: str
    ) -> dict[str, Any]:
        found = {}
        for key, value in config.items():
            held = next((names for end, names in HELD.items() if str(key).endswith(end)), None)
            if key in checks:
                clean = self._checked(checks[key], value, at, key)
                if clean is not LEFT_OUT:
                    found[key] = clean
            elif held is not None:
                self._check_held(value, held, at, key)
            elif key == "dtype":
                self._check_dtype(value, at)
            elif key == "data_format":
                if value not in (None, "channels_last", "default"):
                    raise self._refusal(f"has the channels first in {shown(at)}; save it with "
                                        "channels_last")  # fmt: skip
            elif key not in NOT_READ and value not in (None, False, "", []):
                raise self._refusal(
                    f"has the setting {shown(str(key))} in the layer {shown(at)}, which is not "
                    "known here"
                )
        if "alpha" in found and "negative_slope" in checks:
            found["negative_slope"] = found.pop("alpha")
        return found

    def _checked(self, check: Check, value: Any, at: str, key: str) -> Any:
        try:
            return check(value)
        except ValueError as error:
            raise self._refusal(
                f"has {shown(repr(value))} for {shown(key)} in the layer {shown(at)}; {error} "
                "is taken"
            ) from error

    def _check_held(self, value: Any, names: frozenset[str], at: str, key: str) -> None:
        """Refuse an object within a layer that is not Keras' own; the known ones are dropped."""
        if value is None:
            return
        name = value.get("class_name") if isinstance(value, Mapping) else value
        if isinstance(value, Mapping):
            self._check_origin(value, f"{at}, {key}", str(name), families=None)
        if not isinstance(name, str) or name not in names:
            raise self._refusal(
                f"has {shown(str(name))} for {shown(key)} in the layer {shown(at)}, which is not "
                f"Keras' own. {ADVICE}"
            )

    def _check_dtype(self, value: Any, at: str) -> None:
        if isinstance(value, Mapping):
            inner = value.get("config")
            named = inner.get("name") if isinstance(inner, Mapping) else None
            value = named if value.get("class_name") in _POLICIES else value.get("class_name")
        if value is not None and value not in _FLOATS | _WHOLE:
            raise self._refusal(
                f"computes in {shown(str(value))} in the layer {shown(at)}; networks of plain "
                "floating-point numbers are read"
            )

    def _check_origin(
        self, item: Mapping[str, Any], at: str, kind: str,
        families: frozenset[str] | None = _FAMILIES,
    ) -> None:  # fmt: skip
        """Refuse what does not come with Keras by its own account."""
        module, registered = item.get("module"), item.get("registered_name")
        if registered is not None and registered in OWN_LAYERS:
            return
        is_own = registered in (None, kind, f"Keras>{kind}", f"keras>{kind}")
        is_known = _is_of_keras(module, families)
        if kind in _WHY or not is_own or not is_known:
            origin = registered if not is_own else "" if is_known else module
            raise self._unknown(at, kind, str(origin))

    def _unknown(self, at: str, kind: str, origin: str = "") -> BundleError:
        why = _WHY.get(kind, "is not among the layers that are read")
        of = f" of {shown(origin)}" if origin else ""
        return self._refusal(f"holds {shown(at)} of the kind {shown(kind)}{of}, which {why}. "
                             f"{ADVICE}")  # fmt: skip

    def _name(self, name: Any) -> str:
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise self._refusal(f"has a layer called {shown(repr(name))}, which is no name")
        if any(part.strip() in ("", ".", "..") for part in name.replace("\\", "/").split("/")):
            raise self._refusal(f"has a layer called {shown(name)}, as if it were a path")
        return name

    def _shape(self, config: Any) -> tuple[int | None, ...] | None:
        """The shape of the input without the batch, where the settings of a layer name one."""
        if not isinstance(config, Mapping):
            return None
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if shape is None and config.get("shape"):
            shape = [None, *config["shape"]] if isinstance(config["shape"], list) else 0
        if shape is None:
            return None
        if not isinstance(shape, list) or not 1 <= len(shape) <= 6 or not all(
            each is None or (type(each) is int and 0 < each <= 1 << 24) for each in shape
        ):  # fmt: skip
            raise self._refusal(f"takes an input of the shape {shown(str(shape))}")
        return tuple(shape[1:])

    def _graph_shape(
        self, layers: Sequence[Layer], ends: Any, where: str
    ) -> tuple[int | None, ...] | None:
        place = self._end(ends, "input", where)
        found = next((layer for layer in layers if layer.name == place.layer), None)
        if found is None or found.kind != "InputLayer":
            raise self._refusal(f"names an input in {shown(where)} that is no input")
        shape: tuple[int | None, ...] | None = found.settings["shape"]
        return shape

    def _end(self, value: Any, what: str, where: str) -> Ref:
        """The one input or output of a graph."""
        if isinstance(value, Mapping):
            value = list(value.values())
        while isinstance(value, list) and len(value) == 1:
            value = value[0]
        if _is_place(value):
            return self._ref(value, where)
        n = len(value) if isinstance(value, list) else 0
        raise self._refusal(
            f"has {n} {what}s in {shown(where)}; a classifier of pictures takes one picture and "
            "gives one answer. Save the part that classifies pictures alone"
        )

    def _calls(self, nodes: Any, at: str, kind: str) -> tuple[Call, ...]:
        if not isinstance(nodes, list) or len(nodes) > MAX_CALLS:
            raise self._refusal(f"does not say in words that are read what {shown(at)} gets")
        return tuple(self._call(node, at, kind) for node in nodes)

    def _call(self, node: Any, at: str, kind: str) -> Call:
        if isinstance(node, Mapping):  # Keras 3
            arguments = tuple(self._argument(each, at) for each in node.get("args") or ())
            return Call(arguments=arguments, named=self._named(node.get("kwargs"), at, kind))
        if not isinstance(node, list) or not node:
            self._refuse_call(at)
        places = [node] if _is_place(node) else node
        found: list[Ref] = []
        named: dict[str, Ref] = {}
        for place in places:
            if not _is_place(place):
                self._refuse_call(at)
            found.append(self._ref(place[:3], at))
            named |= self._named(place[3] if len(place) > 3 else {}, at, kind)
        return Call(arguments=(found[0] if len(found) == 1 else tuple(found),), named=named)

    def _argument(self, value: Any, at: str) -> Any:
        if isinstance(value, list) and 1 <= len(value) <= 256:
            parts = tuple(self._argument(each, at) for each in value)
            if all(isinstance(part, Ref) for part in parts):
                return parts
        if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
            inner = value.get("config")
            return self._ref(inner.get("keras_history") if isinstance(inner, Mapping) else 0, at)
        if type(value) in (int, float) and abs(value) <= 1e9:
            return value
        return self._refuse_call(at)

    def _named(self, value: Any, at: str, kind: str) -> dict[str, Ref]:
        found: dict[str, Ref] = {}
        for key, each in (value or {}).items() if isinstance(value, Mapping | None) else ():
            if each is None or each is False or key == "training":
                continue
            if kind != "MultiHeadAttention" or key not in ("query", "value", "key"):
                self._refuse_call(at)
            place = self._ref(each, at) if _is_place(each) else self._argument(each, at)
            if not isinstance(place, Ref):
                self._refuse_call(at)
            found[str(key)] = place
        return found

    def _ref(self, value: Any, at: str) -> Ref:
        if not _is_place(value):
            self._refuse_call(at)
        layer, call, output = value[:3]
        if not (type(call) is int and 0 <= call <= MAX_CALLS and output == 0):
            self._refuse_call(at)
        return Ref(layer=layer, call=call, output=0)

    def _refuse_call(self, at: str) -> NoReturn:
        raise self._refusal(f"does not say in words that are read what {shown(at)} gets")

    def _refusal(self, why: str) -> BundleError:
        return BundleError(f"{self._file} is not taken: it {why.rstrip('.')}.")


def _is_place(value: Any) -> bool:
    return isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str)


def _is_operation(item: Mapping[str, Any], kind: str, calls: Sequence[Call]) -> bool:
    """Whether it is arithmetic between layers; HDF5 files do not tell it from a layer's name."""
    if item.get("module") is not None:
        return "ops" in str(item["module"]).split(".")
    joins = all(len(call.arguments) == 1 and isinstance(call.arguments[0], tuple) for call in calls)
    return kind in OPERATIONS and (kind not in LAYERS or (bool(calls) and not joins))


def _is_of_keras(module: Any, families: frozenset[str] | None) -> bool:
    """Whether a module's name is one under which Keras itself keeps such things."""
    if module is None or module == "builtins":
        return True
    parts = tuple(str(module).split("."))
    start = next((head for head in _PREFIXES if parts[: len(head)] == head), None)
    if start is None or not all(part.isidentifier() for part in parts):
        return False
    rest = [part for part in parts[len(start) :] if part not in _WRAPPINGS]
    if families is None:
        families = frozenset({"initializers", "regularizers", "constraints"})
    return not rest or rest[0] in families
