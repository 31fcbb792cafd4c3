"""What layers add and what regularises, weighed by coefficients of their names."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError


@keras.saving.register_keras_serializable(package="test_additional_losses")
class Energy(layers.Layer):
    """Adds the squared norm of its input, one value an example or their mean."""

    def __init__(self, mean=False, **kwargs):
        super().__init__(**kwargs)
        self.mean = mean

    def call(self, inputs):
        energy = ops.sum(ops.square(inputs), axis=-1)
        # Keras sums up what has more than one value.
        size = ops.cast(ops.shape(inputs)[0], "float32")
        self.add_loss(ops.mean(energy) if self.mean else energy / size)
        return inputs

    def get_config(self):
        return {**super().get_config(), "mean": self.mean}


def network(mean=False):
    keras.utils.set_random_seed(0)
    x = keras.Input((4,), name="x")
    decay = keras.regularizers.L2(0.1)
    hidden = layers.Dense(3, kernel_regularizer=decay, name="hidden")(x)
    hidden = Energy(mean, name="energy")(hidden)
    return keras.Model(x, layers.Dense(2, name="out")(hidden))


def model(mean=False, draw="example", loss="mse", **laws):
    coefficients = yoto.Coefficients(**laws)
    made = yoto.LossConditionalModel(
        yoto.condition(network(mean), coefficients),
        coefficients=coefficients,
        draw=draw,
    )
    made.compile("sgd", loss=loss)
    return made


RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4)).astype("float32")
Y = RNG.normal(size=(32, 2)).astype("float32")
BOTH = {"energy": yoto.Uniform(0, 3), "regularizers": yoto.Uniform(0, 3)}


def evaluate(made, *values):
    rows = np.tile(np.array(values, "float32"), (32, 1))
    return made.evaluate({"x": X, "coefficients": rows}, Y, verbose=0, return_dict=True)


def test_coefficients_of_one_give_keras_own_loss():
    plain = network()
    plain.compile("sgd", loss="mse")
    expected = plain.evaluate(X, Y, verbose=0)
    assert evaluate(model(**BOTH), 1, 1)["loss"] == pytest.approx(expected, rel=1e-5)
    # By itself it is a loss like any other.
    alone = model(loss=None, **BOTH)
    history = alone.fit(X, verbose=0).history
    assert {"loss", "energy_loss", "regularizers_loss"} == set(history)


def test_each_is_weighed_by_its_coefficient():
    made = model(**BOTH)
    found = evaluate(made, 2.0, 0.5)
    out, energy, decay = (
        found[f"{name}_loss"] for name in ("out", "energy", "regularizers")
    )
    assert found["loss"] == pytest.approx(out + 2 * energy + 0.5 * decay, rel=1e-5)
    front = yoto.sweep(made, (X, Y), [[2.0, 0.5]])
    for name, value in (("out", out), ("regularizers", decay)):
        assert front.terms[0][name] == pytest.approx(value, rel=1e-5)


def test_one_number_for_a_batch_needs_one_vector_for_it():
    history = model(True, "batch", **BOTH).fit(X, Y, verbose=0).history
    assert np.isfinite(history["energy_loss"]).all()
    with pytest.raises(CoefficientError, match=r"layer 'energy'.*expected \[batch\]"):
        model(True, **BOTH).fit(X, Y, verbose=0)


def test_a_layer_that_adds_nothing():
    made = model(energy=yoto.Fixed(1.0), hidden=yoto.Uniform(0, 1))
    with pytest.raises(CoefficientError, match=r"none for \['hidden'\]"):
        made.fit(X, Y, verbose=0)
