"""Where models compute: found once at start, without TensorFlow wherever that can be known."""

import importlib.metadata
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leukemia_app.errors import SettingError

SETTINGS = ("auto", "cpu", "gpu")

GPU_NODES = (Path("/dev/nvidiactl"), Path("/dev/nvidia0"), Path("/dev/dxg"), Path("/dev/kfd"))
"""Device files of a GPU driver: NVIDIA, Windows Subsystem for Linux, AMD."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where models compute and with what."""

    name: str
    """`cpu` or `gpu`, as in every reading."""
    engine: str
    """`litert`, or `keras`."""
    detail: str
    """Why, in one sentence, to be shown."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What can be known of this machine before any model is loaded."""

    has_gpu_node: bool
    """Whether a GPU driver's device file exists."""
    has_litert: bool
    has_tensorflow: bool
    tensorflow_is_cpu_only: bool
    """Whether the installed TensorFlow is the package without GPU code."""

    @classmethod
    def here(cls, nodes: Sequence[Path] = GPU_NODES) -> "Machine":
        """This machine; nothing is imported for it."""
        metal = _is_installed("tensorflow-metal")
        return cls(
            has_gpu_node=metal or any(node.exists() for node in nodes),
            has_litert=_can_import("ai_edge_litert"),
            has_tensorflow=_can_import("tensorflow") and _can_import("keras"),
            tensorflow_is_cpu_only=_is_installed("tensorflow-cpu")
            and not _is_installed("tensorflow"),
        )


def find_device(
    setting: str,
    machine: Machine | None = None,
    list_gpus: Callable[[], list[str]] | None = None,
) -> Device:
    """The device that `setting` (`auto`, `cpu`, `gpu`) names, or the best one for `auto`.

    TensorFlow is imported only where a GPU driver and a TensorFlow for GPUs are both there.
    `machine` and `list_gpus` (names of the GPUs that TensorFlow sees) default to the real ones.

    Raises:
        SettingError: the setting is unknown, no GPU can be used though one is demanded, or
            nothing that runs models is installed.
    """
    if setting not in SETTINGS:
        raise SettingError(f"LEUKEMIA_DEVICE is {setting!r}; use one of {', '.join(SETTINGS)}.")
    machine = machine or Machine.here()
    if setting == "cpu":
        return _on_cpu(machine, "the CPU was asked for.")
    why_not = _why_no_gpu(machine)
    if why_not is None:
        names = (list_gpus or _list_gpus)()
        if names:
            return Device(name="gpu", engine="keras", detail=f"GPU {names[0]}, with Keras.")
        why_not = "TensorFlow sees no GPU."
    if setting == "gpu":
        raise SettingError(
            f"LEUKEMIA_DEVICE is 'gpu', but {why_not} Install tensorflow[and-cuda] and the "
            "GPU's driver, or use auto or cpu."
        )
    return _on_cpu(machine, why_not)


def compute_exactly() -> None:
    """Keep full float32 on GPUs, so that a model says the same there as on a CPU.

    TensorFlow otherwise rounds factors to the 10 bits of TensorFloat-32.
    """
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)


def gpu_names() -> tuple[str, ...]:
    """The GPUs that TensorFlow computes on, as it names them."""
    import tensorflow as tf

    return tuple(device.name for device in tf.config.list_logical_devices("GPU"))


def gpu_capabilities() -> tuple[tuple[int, int], ...]:
    """NVIDIA's compute capability of each of these GPUs; (0, 0) of one that has none."""
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
    return tuple(detail.get("compute_capability", (0, 0)) for detail in details)


def _why_no_gpu(machine: Machine) -> str | None:
    if not machine.has_gpu_node:
        return "no GPU driver was found."
    if not machine.has_tensorflow:
        return "TensorFlow is not installed."
    if machine.tensorflow_is_cpu_only:
        return "the installed TensorFlow is the one for CPUs."
    return None


def _on_cpu(machine: Machine, why: str) -> Device:
    if machine.has_litert:
        return Device(name="cpu", engine="litert", detail=f"CPU, with LiteRT: {why}")
    if machine.has_tensorflow:
        detail = f"CPU, with Keras, as LiteRT is not installed: {why}"
        return Device(name="cpu", engine="keras", detail=detail)
    raise SettingError(
        "Neither LiteRT nor TensorFlow is installed, so no model can run. "
        "Install requirements-serve.txt."
    )


def _list_gpus() -> list[str]:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # TensorFlow otherwise takes all of the GPU's memory from every other program.
        tf.config.experimental.set_memory_growth(gpu, True)
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return [detail.get("device_name", "without a name") for detail in details]


def _can_import(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
