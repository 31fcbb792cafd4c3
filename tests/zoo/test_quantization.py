import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from yoto_tf.errors import RecipeError
from yoto_tf.zoo.quantization import dequantize, quantize, quantize_kernels
from yoto_tf.zoo.release_folder import read_release, write_release

KERNELS = arrays.array_shapes(min_dims=2, max_dims=4, max_side=5).flatmap(
    lambda shape: arrays.arrays(
        st.sampled_from(["float16", "float32"]).map(np.dtype),
        shape,
        elements=st.floats(-60_000, 60_000, width=16),
    )
)


@given(KERNELS, st.sampled_from([-1, -2]))
def test_a_value_is_off_by_half_a_scale_at_most(kernel, axis):
    stored, scale = quantize(kernel, axis)
    assert stored.dtype == np.int8
    assert scale.dtype == np.float32
    assert scale.size == kernel.shape[axis] == scale.shape[axis]
    value = dequantize({"a": stored, "a:scale": scale})["a"]
    error = np.abs(value.astype("float64") - kernel)
    assert (error <= scale.astype("float64") * (0.5 + 1e-5)).all()
    channels = np.moveaxis(np.abs(kernel.astype("float64")), axis, 0)
    largest = channels.reshape(len(channels), -1).max(axis=1)
    assert (scale.ravel() <= largest / 127 * 1.125 + 1e-37).all()


@given(KERNELS)
def test_float16_holds_the_values(kernel):
    kernel = np.where(np.abs(kernel) < 0.1, 0.1, kernel)
    stored, scale = quantize(kernel, -1)
    value = dequantize({"a": stored, "a:scale": scale})["a"]
    assert np.array_equal(value.astype("float16"), value)


@given(KERNELS)
def test_what_was_quantised_is_quantised_to_itself(kernel):
    first = quantize(kernel, -1)
    value = dequantize({"a": first[0], "a:scale": first[1]})["a"]
    again = quantize(value, -1)
    difference = again[0].astype(int) * again[1].astype("float64") - value
    assert (np.abs(difference) <= again[1] * (0.5 + 1e-5)).all()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": np.zeros((2, 3), "int8")}, "int8 weight a has no scale"),
        ({"a:scale": np.zeros((1, 3), "float32")}, "a:scale scales no int8 weight"),
        (
            {"a": np.zeros((2, 3), "float16"), "a:scale": np.zeros((1, 3), "float32")},
            "a:scale scales no int8 weight",
        ),
        (
            {"a": np.zeros((2, 3), "int8"), "a:scale": np.zeros(3, "float32")},
            r"a:scale is float32 \[3\], expected float32",
        ),
        (
            {"a": np.zeros((1, 3), "int8"), "a:scale": np.zeros((9, 3), "float32")},
            r"a:scale is float32 \[9, 3\]",
        ),
        (
            {"a": np.zeros((2, 3), "int8"), "a:scale": np.zeros((1, 3), "float16")},
            "a:scale is float16",
        ),
    ],
)
def test_scales_that_do_not_fit(weights, message):
    with pytest.raises(RecipeError, match=message):
        dequantize(weights)


def test_a_kernel_that_is_not_finite(untrained_codec):
    kernel = np.full((3, 3, 1, 1), np.nan, "float16")
    with pytest.raises(RecipeError, match="weight a/kernel is not finite"):
        quantize_kernels(untrained_codec.model, {"a/kernel": kernel})


def test_a_release_in_8_bits(untrained_codec, tmp_path):
    release = untrained_codec.release
    weights = quantize_kernels(untrained_codec.model, release.weights)
    small = dataclasses.replace(release, weights=weights)
    assert small.id != release.id
    write_release(tmp_path / "small", small)
    read = read_release(tmp_path / "small")
    assert read.id == small.id
    sizes = [sum(a.nbytes for a in r.weights.values()) for r in (read, release)]
    assert sizes[0] < 0.6 * sizes[1]
    network = read.network()
    transposed = network.synthesis.convolutions[0].kernel
    path = transposed.path.split(f"{network.name}/", 1)[1]
    # Kernels of transposed convolutions are [height, width, outputs, inputs].
    scale = read.weights[f"{path}:scale"]
    assert scale.shape == (1, 1, transposed.shape[2], 1)
    error = np.abs(np.array(transposed) - release.weights[path].astype("float32"))
    assert (error <= scale * 0.501).all()
    ordinary = read.weights["analysis/convolution_0/kernel:scale"]
    assert ordinary.shape == (1, 1, 1, 16)


def test_kernels_that_stay(untrained_codec):
    kernels = {"a/kernel": np.ones((1, 1, 3, 2)), "b/kernel": np.ones((3, 2))}
    kernels["a/precise_0/kernel"] = np.ones((3, 3, 3, 2))
    kept = quantize_kernels(untrained_codec.model, kernels, ["precise_"])
    assert all(kept[path] is kernel for path, kernel in kernels.items())
