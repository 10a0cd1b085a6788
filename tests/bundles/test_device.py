"""The device is found without TensorFlow wherever that can be known."""

import subprocess
import sys
from pathlib import Path

import pytest

from leukemia_app.bundles.device import Machine, find_device
from leukemia_app.errors import SettingError

ROOT = Path(__file__).resolve().parents[2]


def machine(*, gpu: bool = False, litert: bool = True, tf: bool = True, tf_cpu: bool = False):
    return Machine(
        has_gpu_node=gpu, has_litert=litert, has_tensorflow=tf, tensorflow_is_cpu_only=tf_cpu
    )


def one_gpu() -> list[str]:
    return ["NVIDIA T4"]


def must_not_ask() -> list[str]:
    raise AssertionError("TensorFlow was asked")


def test_auto_takes_the_gpu_that_tensorflow_sees():
    device = find_device("auto", machine(gpu=True), one_gpu)
    assert (device.name, device.engine) == ("gpu", "keras")
    assert "NVIDIA T4" in device.detail


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (machine(gpu=False), "no GPU driver"),
        (machine(gpu=True, tf=False), "TensorFlow is not installed"),
        (machine(gpu=True, tf_cpu=True), "the one for CPUs"),
    ],
)
def test_auto_takes_the_cpu_without_asking_tensorflow(where: Machine, why: str):
    device = find_device("auto", where, must_not_ask)
    assert (device.name, device.engine) == ("cpu", "litert")
    assert why in device.detail


def test_auto_takes_the_cpu_when_tensorflow_sees_no_gpu():
    device = find_device("auto", machine(gpu=True), list)
    assert (device.name, device.engine) == ("cpu", "litert")
    assert "sees no GPU" in device.detail


def test_cpu_is_forced_beside_a_gpu():
    device = find_device("cpu", machine(gpu=True), must_not_ask)
    assert (device.name, device.engine) == ("cpu", "litert")


def test_keras_serves_where_litert_is_missing():
    device = find_device("cpu", machine(litert=False), must_not_ask)
    assert (device.name, device.engine) == ("cpu", "keras")


def test_gpu_that_is_not_there_is_refused_with_the_reason():
    with pytest.raises(SettingError, match=r"LEUKEMIA_DEVICE is 'gpu', but no GPU driver.*auto"):
        find_device("gpu", machine(), must_not_ask)
    with pytest.raises(SettingError, match="TensorFlow sees no GPU"):
        find_device("gpu", machine(gpu=True), list)


def test_unknown_setting_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match="LEUKEMIA_DEVICE is 'tpu'; use one of auto, cpu, gpu"):
        find_device("tpu", machine())


def test_nothing_to_run_models_with_is_said():
    with pytest.raises(SettingError, match=r"Neither LiteRT nor.*requirements-serve\.txt"):
        find_device("auto", machine(litert=False, tf=False))


def test_a_driver_is_known_by_its_device_file(tmp_path: Path):
    (tmp_path / "nvidia0").touch()
    assert Machine.here([tmp_path / "nvidia0"]).has_gpu_node
    assert not Machine.here([tmp_path / "nvidia1"]).has_gpu_node


def test_finding_the_device_of_a_cpu_imports_neither_tensorflow_nor_keras():
    code = (
        "import sys; from leukemia_app.bundles.device import find_device; find_device('cpu');"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
