"""What a stranger's LiteRT graph may be made of: plain arithmetic, as networks need it."""

from pathlib import Path
from typing import Any

from leukemia_app.bundles.engines import LITERT_FILE
from leukemia_app.errors import BundleError

MAX_SUBGRAPHS = 4
MAX_TENSORS = 20_000
OPERATORS = frozenset({
    "ABS", "ADD", "ADD_N", "AVERAGE_POOL_2D", "BATCH_MATMUL", "BROADCAST_TO", "CAST",
    "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "DIV", "ELU", "EQUAL", "EXP",
    "EXPAND_DIMS", "FILL", "FULLY_CONNECTED", "GATHER", "GELU", "GREATER", "GREATER_EQUAL",
    "HARD_SWISH", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG", "LOGISTIC", "LOG_SOFTMAX", "MAXIMUM",
    "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "NEG", "NOT_EQUAL", "PACK", "PAD", "PADV2", "POW",
    "PRELU", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "RELU", "RELU6", "RELU_0_TO_1",
    "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT",
    "SELECT", "SELECT_V2", "SHAPE", "SLICE", "SOFTMAX", "SPLIT", "SQRT", "SQUARE",
    "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE", "TRANSPOSE",
    "TRANSPOSE_CONV", "UNPACK", "ZEROS_LIKE",
})  # fmt: skip
"""No control flow, no variables, no tables, no custom code: no exported network has them."""


def check_graph(folder: Path) -> None:
    """Refuse a graph with operators that no network here is made of.

    Raises:
        BundleError: it holds such an operator, is none, or has an absurd number of parts.
    """
    names, model = _read(folder)
    strange = sorted(
        {names.get(_number(code), "a custom operator") for code in model.operatorCodes or []}
        - OPERATORS
    )
    if strange:
        raise BundleError(
            f"{folder.name}/{LITERT_FILE} is not taken: it holds {', '.join(strange[:5])}, which "
            "no network of this app is made of."
        )
    graphs = model.subgraphs or []
    sizes = [len(graph.tensors or []) for graph in graphs]
    if not 1 <= len(graphs) <= MAX_SUBGRAPHS or max(sizes) > MAX_TENSORS:
        raise BundleError(
            f"{folder.name}/{LITERT_FILE} is not taken: it has {len(graphs)} graphs of {sizes[:5]} "
            "tensors, which no network of this app has."
        )


def _read(folder: Path) -> tuple[dict[int, str], Any]:
    """Names of operators by number, and the graph as objects."""
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items()
             if isinstance(number, int) and name != "CUSTOM"}  # fmt: skip
    try:
        data = (folder / LITERT_FILE).read_bytes()
        return names, schema.ModelT.InitFromPackedBuf(data, 0)
    except MemoryError:
        raise
    except Exception as error:  # the generated reader checks nothing: it fails in any way
        raise BundleError(
            f"{folder.name}/{LITERT_FILE} is no LiteRT file that can be read. Get the bundle again."
        ) from error


def _number(code: Any) -> int:
    # Numbers under 127 stand in the older field, others in the newer one.
    return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))
