import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from yoto_tf.entropy.quantized_pmf import balance_frequencies, quantize_pmf
from yoto_tf.entropy.tfc_ops import load_tfc_ops

pmfs = st.lists(st.floats(0, 1, width=32), min_size=2, max_size=60).map(
    lambda weights: np.float32(weights) / np.float32(max(sum(weights), 1e-3))
)


@given(pmfs, st.integers(6, 16))
def test_frequencies_are_positive_and_sum_to_a_power_of_two(pmf, precision):
    frequencies = balance_frequencies(pmf, precision)
    assert frequencies.min() >= 1
    assert frequencies.sum() == 1 << precision


def test_probabilities_that_fit_are_kept():
    np.testing.assert_array_equal(
        balance_frequencies(np.float32([0.5, 0.125, 0.25, 0.125]), 4), [8, 2, 4, 2]
    )


def test_the_change_that_costs_least_is_made():
    # Rounded, these sum to 17 of 16. Taking 1 of 14 costs 0.85·log2(14/13) = 0.09 bits,
    # of 2 would cost 0.1 bits; a frequency of 1 cannot be lowered at all.
    np.testing.assert_array_equal(
        balance_frequencies(np.float32([0.85, 0.1, 0.05]), 4), [13, 2, 1]
    )


@pytest.mark.skipif(load_tfc_ops() is None, reason="needs TFC's ops")
@settings(deadline=None)
@given(pmfs, st.integers(6, 16))
def test_costs_what_the_compiled_op_costs(pmf, precision):
    def bits(frequencies):
        return -np.sum(np.float64(pmf) * np.log2(frequencies / (1 << precision)))

    ours = balance_frequencies(pmf, precision)
    theirs = quantize_pmf(pmf, precision)
    # Whether the op reads subnormal numbers as zero depends on the thread it runs in.
    assume(not np.any((pmf > 0) & (pmf < np.finfo("float32").tiny)))
    assert bits(ours) == pytest.approx(bits(theirs), rel=1e-9)
    if len(set(pmf.tolist())) == len(pmf):
        np.testing.assert_array_equal(ours, theirs)
