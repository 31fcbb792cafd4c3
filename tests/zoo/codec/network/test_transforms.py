import keras
import numpy as np
import pytest
from keras import ops

from yoto_tf.zoo.codec.network.transforms import (
    Analysis,
    HyperAnalysis,
    HyperSynthesis,
    Synthesis,
)

FILTERS = (6, 7, 8, 9)
TRANSFORMS = {
    "analysis": (lambda: Analysis(FILTERS), (32, 48, 3), (2, 3, 9)),
    "synthesis": (lambda: Synthesis(FILTERS), (2, 3, 9), (32, 48, 3)),
    "hyper_analysis": (lambda: HyperAnalysis(5), (8, 12, 9), (2, 3, 5)),
    "hyper_synthesis": (lambda: HyperSynthesis(5, 9), (2, 3, 5), (8, 12, 9)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_shapes(name):
    make, inputs, outputs = TRANSFORMS[name]
    result = make()(np.zeros((2, *inputs), "float32"), np.zeros((2, 4), "float32"))
    assert result.shape == (2, *outputs)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_one_example_gives_what_it_gives_in_a_batch(name):
    # A batch of one takes a path of its own, where FiLM is folded into the kernels.
    make, shape, _ = TRANSFORMS[name]
    random = np.random.default_rng(0)
    features = random.normal(size=(2, *shape)).astype("float32")
    embedding = random.normal(size=(2, 4)).astype("float32")
    transform = make()
    transform(features, embedding)
    for variable in transform.trainable_variables:
        noise = 0.1 * random.normal(size=variable.shape)
        variable.assign(ops.convert_to_numpy(variable) + noise)
    together = ops.convert_to_numpy(transform(features, embedding))
    alone = ops.convert_to_numpy(transform(features[:1], embedding[:1]))
    np.testing.assert_allclose(alone, together[:1], rtol=1e-4, atol=1e-5)
    elsewhere = ops.convert_to_numpy(transform(features[:1], embedding[1:]))
    assert np.abs(elsewhere - alone).max() > 1e-3


@pytest.mark.parametrize("name", TRANSFORMS)
def test_starts_the_same_for_every_embedding(name):
    make, shape, _ = TRANSFORMS[name]
    keras.utils.set_random_seed(0)
    features = np.ones((2, *shape), "float32")
    embedding = np.array([[1, 2, 3, 4], [-4, 3, 0, 9]], "float32")
    first, second = ops.convert_to_numpy(make()(features, embedding))
    np.testing.assert_array_equal(first, second)
