import dataclasses

import pytest

from yoto_tf.errors import YotoError
from yoto_tf.recipe import load_recipe


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"filters": (1, 2)}, r"filters must be four.*filters=\(1, 2\)"),
        ({"filters": (4, 4, 4, 0)}, "strictly positive value.*filters=0"),
        ({"hyper_filters": -3}, "strictly positive value.*filters=-3"),
        ({"lowest_distortion": 1.0}, "LogUniform needs 0 < low < high.*low=1.0"),
    ],
)
def test_impossible_networks(fields, message):
    recipe = dataclasses.replace(load_recipe("codec/large"), **fields)
    with pytest.raises(YotoError, match=message):
        recipe.build()
