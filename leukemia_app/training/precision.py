"""In which arithmetic a network trains: 16 bits only where that was measured to be faster."""

from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path

import keras

FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"
GAINING = ("vgg16", "resnet50")
"""Backbones of plain convolutions: 1.8 to 2 times as fast; depthwise ones lose."""
FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def choose_policy(precision: str, backbone: str, flags: Set[str]) -> str:
    """Keras' dtype policy for a configuration's `precision` on a processor with these flags."""
    if precision == "bfloat16":
        return BFLOAT16
    is_faster = precision == "auto" and backbone in GAINING and not FLAGS.isdisjoint(flags)
    return BFLOAT16 if is_faster else FLOAT32


def processor_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the processor says it can do; empty where the system does not tell."""
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    return frozenset()


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Layers that are made inside compute so; their weights are float32 under either policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
