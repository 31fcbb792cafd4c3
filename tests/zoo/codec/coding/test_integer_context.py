import dataclasses

import numpy as np
import pytest
from keras import ops

from yoto_tf import Coefficients, LogUniform
from yoto_tf.zoo.codec import ContextHyperprior
from yoto_tf.zoo.codec.coding.context_rounding import integer_context
from yoto_tf.zoo.codec.coding.integer_context import (
    HYPER_LIMIT,
    LARGEST,
    IntegerContext,
    last_row,
)
from yoto_tf.zoo.codec.network.context import split_passes
from yoto_tf.zoo.codec.network.context_hyperprior import _Indexes
from yoto_tf.zoo.codec.training.context_training import ContextTraining

VECTORS = np.geomspace(0.0018, 0.18, 5).astype("float32")[:, None]
RANDOM = np.random.default_rng(0)
HYPER_LATENTS = RANDOM.normal(0, 5, (3, 4, 8)).round().astype("int32")
SYMBOLS = RANDOM.normal(0, 4, (12, 16, 12)).round().astype("int32")


def build(latents=12, hyper_filters=8, context_filters=16):
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = ContextHyperprior(
        coefficients,
        (4, 4, latents),
        (1, 1, 1),
        hyper_filters,
        context_filters=context_filters,
    )
    network.build(None)
    return network


@pytest.fixture(scope="module")
def network():
    """Weights nowhere near their start, and ranges that hold what comes."""
    network = build()
    random = np.random.default_rng(1)
    tower, context = network.scale_synthesis, network.scale_context
    for layer in (*tower.films, network.log_gain, context):
        for weight in layer.trainable_variables:
            weight.assign(random.normal(0, 0.3, weight.shape))
    last = tower.convolutions[-1]
    last.kernel.assign(random.normal(0, 0.03, last.kernel.shape))
    last.bias.assign(random.uniform(-2, 4, last.bias.shape))
    context.outer_kernel.assign(random.normal(0, 0.05, context.outer_kernel.shape))
    for activation in (*tower.activations, context.hidden, context.inner):
        activation.largest.assign(np.zeros(activation.largest.shape))
    gain = np.exp(ops.convert_to_numpy(network.log_gain(network.embedding(VECTORS))))
    ContextTraining(network)(
        {
            "latents": SYMBOLS / gain[:, None, None],
            "hyper_latents": np.stack([HYPER_LATENTS] * len(VECTORS)),
            "coefficients": VECTORS,
        },
        training=True,
    )
    return network


@pytest.fixture(scope="module")
def context(network):
    return integer_context(network, VECTORS)


def float_indexes(network, vector):
    """Of each pass, cells [4, h/2, w/2, C/4]."""
    hyper_latents = ops.convert_to_tensor(HYPER_LATENTS[None].astype("float32"))
    indexes = _Indexes(network, hyper_latents, network.embedding(vector[None]))
    result = []
    for number, cells in enumerate(split_passes(SYMBOLS[None].astype("float32"))):
        result.append(ops.convert_to_numpy(indexes.of(number))[:, 0])
        indexes.know(number, cells)
    return result


def integer_indexes(context, level, hyper_latents=HYPER_LATENTS, symbols=SYMBOLS):
    part = context.part(hyper_latents, level, (0, len(hyper_latents)))
    result = []
    for number, cells in enumerate(split_passes(symbols[None])):
        result.append(part.indexes(number))
        if number < 3:
            part.know(number, ops.convert_to_numpy(cells)[:, 0])
    return result


@pytest.mark.parametrize("level", range(len(VECTORS)))
def test_equal_to_the_float_network(network, context, level):
    expected = float_indexes(network, VECTORS[level])
    corrected = 0
    for number, indexes in enumerate(integer_indexes(context, level)):
        assert indexes.shape == (4, 6, 8, 3)
        assert indexes.dtype == np.int32
        difference = np.abs(indexes - np.clip(expected[number], 0, 63))
        # Half an index from rounding to the nearest; eight bits do the rest.
        assert np.mean(difference) < 0.35
        assert np.mean(difference < 0.7) > 0.95
        assert np.ptp(indexes) > 10
        corrected += np.abs(expected[number] - expected[0]).mean()
    assert corrected > 1


def test_symbols_coefficient_and_hyper_latents_matter(context):
    one = integer_indexes(context, 2)
    for other in (
        integer_indexes(context, 4),
        integer_indexes(context, 2, hyper_latents=HYPER_LATENTS[::-1]),
        integer_indexes(context, 2, symbols=SYMBOLS[::-1]),
    ):
        assert np.any(one[3] != other[3])


def test_the_sign_of_a_symbol_does_not_matter(context):
    mirrored = integer_indexes(context, 1, symbols=-SYMBOLS)
    np.testing.assert_array_equal(integer_indexes(context, 1), mirrored)


def in_float64(context):
    """The same, whose products and sums float64 holds exactly, as int64 would."""
    other = IntegerContext(context.arrays)
    for name, array in other._computed.items():
        if name != "around":
            other._computed[name] = array.astype("float64")
    other._computed["around"] = [
        kernel.astype("float64") for kernel in context._computed["around"]
    ]
    return other


def largest_sum(context):
    """The largest magnitude of a sum of products in float32, for any input."""
    arrays = {
        name: np.abs(array.astype("int64")) for name, array in context.arrays.items()
    }
    largest = 0
    for layer, limit in (("tower_0", HYPER_LIMIT), ("tower_1", LARGEST)):
        kernel = arrays[f"{layer}/kernel"]
        for row, column in np.ndindex(2, 2):
            sums = kernel[row::2, column::2].sum(axis=(0, 1, 2))
            largest = max(largest, limit * sums.max())
    for layer in ("base", "neighbours", "features", "inner"):
        kernel = arrays[f"{layer}/kernel"]
        sums = kernel.reshape(-1, kernel.shape[-1]).sum(axis=0)
        largest = max(largest, LARGEST * sums.max())
    return max(largest, LARGEST * arrays["outer/kernel"].sum(axis=1).max())


def test_float32_gives_what_int64_would(context):
    exact = in_float64(context)
    for level in (0, 4):
        for symbols in (SYMBOLS, 100 * SYMBOLS, np.full_like(SYMBOLS, -(2**31))):
            for expected, indexes in zip(
                integer_indexes(exact, level, symbols=symbols),
                integer_indexes(context, level, symbols=symbols),
                strict=True,
            ):
                np.testing.assert_array_equal(expected, indexes)


@pytest.mark.parametrize("magnitude", [1e-9, 1e-2, 1.0, 1e5])
def test_worst_weights_do_not_overflow(magnitude):
    network = build(320, 128, 128)
    tower, context = network.scale_synthesis, network.scale_context
    kernels = [convolution.kernel for convolution in tower.convolutions]
    for kernel in (*kernels, *context.trainable_variables):
        kernel.assign(np.full(kernel.shape, magnitude))
    context = integer_context(network, VECTORS)
    assert largest_sum(context) < 2**24
    for name in ("tower_0", "tower_1", "base", "neighbours", "inner"):
        multipliers = np.abs(context.arrays[f"{name}/multipliers"].astype("int64"))
        offsets = np.abs(context.arrays[f"{name}/offsets"])
        assert 2**25 * multipliers.max() + offsets.max() < 2**53
    hyper_latents = np.full((1, 1, 128), 2**30)
    symbols = np.full((4, 4, 320), 2**30, "int32")
    for indexes in integer_indexes(context, 0, hyper_latents, symbols):
        assert 0 <= indexes.min() <= indexes.max() <= 63


def test_order_of_summation_does_not_matter(context):
    """Inner channels in another order are summed in another order, to the last bit."""
    order = np.random.default_rng(2).permutation(16)
    arrays = dict(context.arrays)
    for name in ("neighbours/kernel", "neighbours/multipliers", "neighbours/offsets"):
        arrays[name] = arrays[name][..., order]
    for name in ("features/kernel", "features/multipliers", "places"):
        arrays[name] = arrays[name][..., order]
    arrays["inner/kernel"] = arrays["inner/kernel"][order]
    shuffled = dataclasses.replace(context, arrays=arrays)
    for level in range(3):
        np.testing.assert_array_equal(
            integer_indexes(context, level), integer_indexes(shuffled, level)
        )


def test_parts_are_what_the_whole_is(context):
    """Rows in two parts, the second of which is told what is above it."""
    whole = integer_indexes(context, 3)
    symbols = [
        ops.convert_to_numpy(cells)[:, 0] for cells in split_passes(SYMBOLS[None])
    ]
    lower = context.part(HYPER_LATENTS, 3, (1, 3))
    for number in range(4):
        np.testing.assert_array_equal(whole[number][:, 2:], lower.indexes(number))
        if number < 3:
            above = last_row(symbols[number][:, :2])
            lower.know(number, symbols[number][:, 2:], above)


def test_all_is_integers(context):
    for array in context.arrays.values():
        assert np.issubdtype(array.dtype, np.integer)
