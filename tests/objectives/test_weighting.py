"""The layer for people with a `train_step` or a loop of their own."""

import keras
import numpy as np
import pytest
from keras import ops

import yoto_tf as yoto

COEFFICIENTS = yoto.Coefficients(
    near=yoto.LogUniform(0.1, 10), far=yoto.LogUniform(0.1, 10)
)


def test_a_model_with_its_own_train_step_learns_the_dial():
    import tensorflow as tf

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.weighting = yoto.Weighting(COEFFICIENTS, normalize_weights=True)
            self.seed = keras.random.SeedGenerator(0)
            self.embed = yoto.layers.CoefficientEmbedding(COEFFICIENTS, (16, 16))
            self.film = yoto.layers.FiLM()

        def call(self, inputs):
            x, coefficients = inputs
            return self.film(x, self.embed(coefficients))

        def train_step(self, x):
            coefficients = COEFFICIENTS.sample(ops.shape(x)[0], self.seed, "stratified")
            with tf.GradientTape() as tape:
                y = self((x, coefficients))
                near = ops.mean(ops.square(y - x), axis=-1)
                far = ops.mean(ops.square(y + x), axis=-1)
                terms = {"near": near, "far": far}
                loss = self.weighting(terms, coefficients, training=True)
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    keras.utils.set_random_seed(0)
    model = Own()
    model.compile(keras.optimizers.Adam(0.01))
    x = np.random.default_rng(0).normal(size=(4096, 2)).astype("float32")
    model.fit(x, batch_size=64, epochs=5, verbose=0)
    for near in (0.3, 3.0):
        rows = np.tile(COEFFICIENTS.vector(near=near, far=1.0), (100, 1))
        optimum = (near - 1) / (near + 1) * x[:100]
        assert np.abs(np.array(model((x[:100], rows))) - optimum).mean() < 0.1


def test_a_larger_term_never_lowers_a_balanced_loss():
    weighting = yoto.Weighting(COEFFICIENTS, balance=0.9)
    ones = np.ones((4, 2), "float32")

    def loss(far, **options):
        terms = {"near": np.full(4, -2.0), "far": np.full(4, far)}
        terms = {name: ops.convert_to_tensor(term) for name, term in terms.items()}
        return float(weighting(terms, ones, **options))

    for _ in range(20):
        loss(0.1, training=True)
    assert loss(1.0) > loss(0.1) + 1
    # Both terms count as much, whatever their signs.
    assert loss(0.1) == pytest.approx(0.0, abs=1e-4)


def test_there_is_nothing_to_balance_one_term_against():
    with pytest.raises(ValueError, match="two or more coefficients"):
        yoto.Weighting(yoto.Coefficients(near=yoto.Uniform(0, 1)), balance=0.9)


def test_configuration():
    weighting = yoto.Weighting(COEFFICIENTS, 0.9, True, yoto.COSMOS(2.0))
    again = yoto.Weighting.from_config(weighting.get_config())
    assert again.get_config() == weighting.get_config()


@pytest.mark.parametrize(
    ("terms", "rows", "message"),
    [
        ({"near": np.ones((4, 1))}, np.ones((4, 2)), r"'near' must have .* \[4, 1\]"),
        ({"near": np.ones(())}, np.ones((4, 2)), "'near' must have one value"),
        ({"near": np.ones(4)}, np.ones((4, 3)), r"\[batch, 2\], got \[4, 3\]"),
        ({"near": np.ones(4)}, np.ones(2), r"\[batch, 2\], got \[2\]"),
        ({"neer": np.ones(4)}, np.ones((4, 2)), r"no coefficient weighs .* \['neer'\]"),
    ],
)
def test_what_would_be_broadcast_or_lost(terms, rows, message):
    terms = {name: ops.convert_to_tensor(term) for name, term in terms.items()}
    with pytest.raises(ValueError, match=message):
        yoto.Weighting(COEFFICIENTS)(terms, rows.astype("float32"))


def test_a_scalarization_by_its_name():
    with pytest.raises(ValueError, match=r"such as Tchebycheff\(\), got .*'tcheb"):
        yoto.Weighting(COEFFICIENTS, scalarization="tchebycheff")
