import dataclasses
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from yoto_tf import Coefficients, LogUniform
from yoto_tf.zoo.codec import Hyperprior
from yoto_tf.zoo.codec.coding.integer_scales import IntegerScales

LARGEST_EXACT = 2.0**53
VECTORS = np.geomspace(0.0018, 0.18, 5).astype("float32")[:, None]


def build(latents, hyper_filters):
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = Hyperprior(coefficients, (4, 4, 4, latents), hyper_filters)
    network.build(None)
    return network


@pytest.fixture(scope="module")
def network():
    """A tower nowhere near its start: FiLM and gains depend on the coefficient."""
    network = build(12, 8)
    random = np.random.default_rng(0)
    tower = network.scale_synthesis
    for layer in (*tower.films, network.log_gain):
        for weight in layer.trainable_variables:
            weight.assign(random.normal(0, 0.3, weight.shape))
    for convolution in tower.convolutions:
        convolution.bias.assign(random.normal(0, 0.5, convolution.bias.shape))
    last = tower.convolutions[-1]
    last.kernel.assign(random.normal(0, 0.03, last.kernel.shape))
    last.bias.assign(random.uniform(-2, 4, last.bias.shape))
    return network


@pytest.fixture(scope="module")
def scales(network):
    return IntegerScales.from_network(network, VECTORS)


@pytest.fixture
def hyper_latents():
    return np.random.default_rng(1).normal(0, 5, (6, 7, 8)).round().astype("int32")


@pytest.mark.parametrize("level", range(len(VECTORS)))
def test_equal_to_the_float_tower(network, scales, hyper_latents, level):
    embedding = network.embedding(VECTORS[level : level + 1])
    index = network.scale_index(hyper_latents[None].astype("float32"), embedding)
    expected = np.clip(keras.ops.convert_to_numpy(index)[0], 0, 63)
    integers = scales(hyper_latents, level)
    assert integers.shape == (24, 28, 12)
    assert integers.dtype == np.int32
    # Half an index from rounding to the nearest, and a little from the arithmetic.
    assert np.abs(integers - expected).max() < 0.55
    assert np.mean(integers == np.floor(expected + 0.5)) > 0.98
    assert np.ptp(integers) > 10


def test_coefficient_matters(scales, hyper_latents):
    assert np.any(scales(hyper_latents, 0) != scales(hyper_latents, 4))


def test_order_of_summation_does_not_matter(scales, hyper_latents):
    """Channels in another order are summed in another order, to the last bit equal."""
    random = np.random.default_rng(2)
    for _ in range(5):
        inputs, first, second = (random.permutation(8) for _ in range(3))
        orders = [inputs, first, second, np.arange(12)]
        shuffled = dataclasses.replace(
            scales,
            kernels=tuple(
                kernel[:, :, orders[layer]][..., orders[layer + 1]]
                for layer, kernel in enumerate(scales.kernels)
            ),
            multipliers=tuple(
                array[:, orders[layer + 1]]
                for layer, array in enumerate(scales.multipliers)
            ),
            offsets=tuple(
                array[:, orders[layer + 1]]
                for layer, array in enumerate(scales.offsets)
            ),
        )
        np.testing.assert_array_equal(
            shuffled(hyper_latents[..., inputs], 2), scales(hyper_latents, 2)
        )


def test_several_at_a_time_leave_numpy_its_threads(scales):
    random = np.random.default_rng(2)
    many = [random.integers(-20, 20, (30, 40, 8)) for _ in range(4)]
    expected = [scales(one, 1) for one in many]
    with threadpool_limits(2, user_api="blas"):
        before = threadpool_info()
        with ThreadPoolExecutor(4) as threads:
            results = list(threads.map(lambda one: scales(one, 1), many))
        assert threadpool_info() == before
    np.testing.assert_array_equal(results, expected)


def largest_intermediate(scales):
    """The largest magnitude that any sum or product can take, for any hyper-latents."""
    largest, limit = 0.0, 2.0**11
    for layer, kernel in enumerate(scales.kernels):
        magnitudes = np.abs(kernel)
        if layer < 2:
            # An output of a stride-2 transposed convolution sees every other tap.
            sums = max(
                magnitudes[i::2, j::2].sum(axis=(0, 1, 2)).max()
                for i in (0, 1)
                for j in (0, 1)
            )
        else:
            sums = magnitudes.sum(axis=(0, 1, 2)).max()
        product = sums * limit * np.abs(scales.multipliers[layer]).max()
        largest = max(largest, product + np.abs(scales.offsets[layer]).max())
        limit = 2.0**15 - 1
    return largest


def test_no_sum_exceeds_what_float64_holds(scales):
    assert largest_intermediate(scales) < LARGEST_EXACT


@pytest.mark.parametrize("magnitude", [1e-6, 1e-2, 1.0, 30.0])
def test_worst_weights_of_the_largest_codec_do_not_overflow(magnitude):
    network = build(192, 192)
    for convolution in network.scale_synthesis.convolutions:
        convolution.kernel.assign(np.full(convolution.kernel.shape, magnitude))
        convolution.bias.assign(np.full(convolution.bias.shape, 3.0))
    scales = IntegerScales.from_network(network, VECTORS)
    assert largest_intermediate(scales) < LARGEST_EXACT
    extreme = np.full((1, 1, 192), 2**30, "int64")
    for sign in (1, -1):
        indexes = scales(sign * extreme, 0)
        assert 0 <= indexes.min() <= indexes.max() <= 63


def test_arrays_round_trip(scales, hyper_latents):
    arrays = scales.to_arrays()
    assert all(np.issubdtype(array.dtype, np.integer) for array in arrays.values())
    again = IntegerScales.from_arrays(arrays)
    assert again.shifts == scales.shifts
    for level in range(len(VECTORS)):
        np.testing.assert_array_equal(
            again(hyper_latents, level), scales(hyper_latents, level)
        )
