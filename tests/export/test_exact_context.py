"""The graph that chooses tables under a context gives the coder's own numbers."""

import numpy as np
import pytest
from keras import ops
from table_indexes import coded_in, table_indexes

from yoto_tf.export.families.exact_context import context_indexes, pass_indexes
from yoto_tf.zoo.codec.coding import context_symbol_coding

LEVELS = np.array([0, 20, 63], "int32")


@pytest.fixture(scope="module")
def coding(context_codec):
    return context_codec.coding


def integers(rows, columns, spread, seed=0):
    """Hyper-latents and symbols of a picture for each level."""
    random = np.random.default_rng(seed)
    hyper_latents = random.normal(0, spread, (len(LEVELS), rows, columns, 16))
    symbols = random.laplace(0, spread, (len(LEVELS), 4 * rows, 4 * columns, 64))
    return hyper_latents.round().astype("int32"), symbols.round().astype("int32")


def of_the_coder(coding, number, hyper_latents, symbols):
    return np.stack(
        [
            coding.pass_indexes(number, *arrays, level)
            for *arrays, level in zip(hyper_latents, symbols, LEVELS, strict=True)
        ]
    )


@pytest.mark.parametrize("spread", [0.3, 4, 400])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 2)])
def test_each_pass_is_the_coders(coding, rows, columns, spread):
    hyper_latents, symbols = integers(rows, columns, spread)
    everything = context_indexes(coding.context, hyper_latents, symbols, LEVELS)
    for found, *arrays, level in zip(
        everything, hyper_latents, symbols, LEVELS, strict=True
    ):
        np.testing.assert_array_equal(found, table_indexes(coding, *arrays, level))
    distinct = set()
    for number in range(4):
        expected = of_the_coder(coding, number, hyper_latents, symbols)
        found = pass_indexes(coding.context, number, hyper_latents, symbols, LEVELS)
        np.testing.assert_array_equal(found, expected, strict=True)
        distinct |= set(expected.ravel().tolist())
    assert len(distinct) > 10


def test_the_largest_symbols(coding):
    hyper_latents, symbols = integers(2, 2, 5)
    symbols[:, ::2, ::3] = 2**30
    symbols[:, 1::2] = -(2**31)
    hyper_latents[:, 1] = -(2**31)
    for number in range(4):
        np.testing.assert_array_equal(
            pass_indexes(coding.context, number, hyper_latents, symbols, LEVELS),
            of_the_coder(coding, number, hyper_latents, symbols),
        )


def test_a_pass_does_not_see_later_ones(coding):
    hyper_latents, symbols = integers(2, 2, 3)
    for number in range(4):
        later = symbols.copy()
        for unknown in range(number, 4):
            for (row, column), channels in coded_in(unknown, 16):
                later[:, row::2, column::2, channels] = 77
        one, other = (
            np.array(pass_indexes(coding.context, number, hyper_latents, given, LEVELS))
            for given in (symbols, later)
        )
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("positions", [1, 64])
def test_stripes_of_a_large_picture(coding, positions, monkeypatch):
    """The last row of a stripe does not see what the coder has not yet decoded."""
    hyper_latents, symbols = integers(5, 2, 3)
    whole = of_the_coder(coding, 3, hyper_latents, symbols)
    monkeypatch.setattr(context_symbol_coding, "STRIPE_POSITIONS", positions)
    expected = of_the_coder(coding, 3, hyper_latents, symbols)
    assert np.any(whole != expected)
    found = pass_indexes(coding.context, 3, hyper_latents, symbols, LEVELS)
    np.testing.assert_array_equal(found, expected)


def test_the_first_pass_needs_no_symbols(coding):
    hyper_latents, symbols = integers(1, 2, 3)
    found = pass_indexes(coding.context, 0, hyper_latents, None, LEVELS)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found), of_the_coder(coding, 0, hyper_latents, symbols)
    )


def test_factors_are_exact_in_bfloat16(coding):
    """As a TPU multiplies."""
    for name, array in coding.context.arrays.items():
        if name.endswith("/kernel") or name == "magnitudes":
            rounded = ops.cast(array.astype("float32"), "bfloat16")
            np.testing.assert_array_equal(ops.cast(rounded, "float32"), array)
