"""In which arithmetic a network trains: 16 bits only where that was measured to be faster."""

from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from pathlib import Path

from leukemia_app.bundles.device import gpu_capabilities
from leukemia_app.training.config import RunConfig

FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"
GAINING = ("vgg16", "resnet50")
"""Backbones of plain convolutions: 1.8 to 2 times as fast; depthwise ones lose."""
FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
LEAST_CAPABILITY = (8, 0)
"""NVIDIA's GPUs compute in bfloat16 from this generation on, Ampere."""


def policy_here(config: RunConfig) -> str:
    """Keras' dtype policy for the run on what this process computes on."""
    return choose_policy(
        config.precision, config.backbone, processor_flags(), gpus=gpu_capabilities()
    )


def choose_policy(
    precision: str, backbone: str, flags: Set[str], gpus: Sequence[tuple[int, int]] = ()
) -> str:
    """Keras' dtype policy for a configuration's `precision`.

    `gpus` are the compute capabilities of those that are used; where there is none, a processor
    with these `flags` computes.
    """
    if precision == "bfloat16":
        return BFLOAT16
    can = min(gpus) >= LEAST_CAPABILITY if gpus else not FLAGS.isdisjoint(flags)
    return BFLOAT16 if precision == "auto" and backbone in GAINING and can else FLOAT32


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
    # Here, as the page asks what a machine would compute in, and loads no Keras.
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
