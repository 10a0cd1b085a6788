"""Sixteen bits only where asked for, or where they are known to help."""

import keras
import numpy as np
import pytest

from leukemia_app.training.precision import choose_policy, computing_in, processor_flags


@pytest.mark.parametrize(
    ("precision", "backbone", "flags", "expected"),
    [("float32", "vgg16", {"avx512_bf16"}, "float32"),
     ("auto", "vgg16", {"avx512_bf16", "sse"}, "mixed_bfloat16"),
     ("auto", "resnet50", {"amx_bf16"}, "mixed_bfloat16"),
     ("auto", "vgg16", {"avx512f"}, "float32"),
     ("auto", "mobilenet", {"avx512_bf16", "amx_bf16"}, "float32"),
     ("bfloat16", "mobilenet", set(), "mixed_bfloat16")],
)  # fmt: skip
def test_the_policy_goes_by_setting_network_and_processor(precision, backbone, flags, expected):
    assert choose_policy(precision, backbone, flags) == expected


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [(((8, 0),), "mixed_bfloat16"), (((9, 0), (7, 5)), "float32"), (((0, 0),), "float32")],
)
def test_where_there_are_gpus_the_oldest_decides_and_not_the_processor(gpus, expected):
    # A Turing card, 7.5, would have to make do without.
    assert choose_policy("auto", "vgg16", {"avx512_bf16"}, gpus=gpus) == expected
    assert choose_policy("auto", "mobilenet", {"avx512_bf16"}, gpus=gpus) == "float32"


def test_the_processor_is_asked_for_its_flags(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nflags\t\t: fpu sse avx512_bf16\n\nflags\t\t: fpu\n")
    assert processor_flags(path) == {"fpu", "sse", "avx512_bf16"}
    assert processor_flags(tmp_path / "none") == frozenset()


def test_layers_made_inside_compute_in_sixteen_bits_on_weights_of_thirty_two():
    with computing_in("mixed_bfloat16"):
        layer = keras.layers.Dense(2)
    answer = layer(np.ones((1, 3), np.float32))
    assert (keras.backend.standardize_dtype(answer.dtype), layer.kernel.dtype) == (
        "bfloat16", "float32"
    )  # fmt: skip
    assert keras.config.dtype_policy().name == "float32"


def test_the_policy_comes_back_after_an_error():
    with pytest.raises(ValueError, match="broken"), computing_in("mixed_bfloat16"):
        raise ValueError("broken")
    assert keras.config.dtype_policy().name == "float32"
