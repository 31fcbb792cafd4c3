import numpy as np
import pytest

from yoto_tf.errors import RecipeError
from yoto_tf.export.families.exact_scales import table_indexes
from yoto_tf.zoo.codec.coding.integer_scales import IntegerScales


def test_sums_that_are_not_exact_are_refused():
    inputs = 600
    kernels = (np.full((5, 5, inputs, 1), 4095.0),) * 2 + (np.ones((3, 3, 1, 1)),)
    ones, zeros = (np.ones((1, 1)),) * 3, (np.zeros((1, 1)),) * 3
    scales = IntegerScales(kernels, ones, zeros, (0, 0, 0))
    hyper_latents = np.zeros((1, 1, 1, inputs), "int32")
    with pytest.raises(RecipeError, match="expected at most 16,777,216"):
        table_indexes(scales, hyper_latents, np.zeros(1, "int32"))
