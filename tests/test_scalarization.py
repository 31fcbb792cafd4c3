import keras
import numpy as np
import pytest
from keras import ops

from yoto_tf.coefficients import Coefficients
from yoto_tf.distributions import Dirichlet, Uniform
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.scalarization import COSMOS, Tchebycheff, WeightedSum
from yoto_tf.tradeoff.gradients import gradients

RNG = np.random.default_rng(0)
WEIGHTS = RNG.uniform(0.1, 2, (5, 3)).astype("float32")
TERMS = RNG.uniform(0, 3, (5, 3)).astype("float32")


def named(array):
    return dict(zip("abc", map(keras.ops.convert_to_tensor, array.T), strict=True))


@pytest.mark.parametrize(
    ("scalarization", "expected"),
    [
        (WeightedSum(), (WEIGHTS * TERMS).sum(1)),
        (Tchebycheff(), (WEIGHTS * TERMS).max(1)),
        (
            Tchebycheff({"a": 1.0, "c": 2.5}),
            (WEIGHTS * np.abs(TERMS - [1.0, 0.0, 2.5])).max(1),
        ),
        (
            COSMOS(2.0),
            (WEIGHTS * TERMS).sum(1)
            - 2.0
            * (WEIGHTS * TERMS).sum(1)
            / np.linalg.norm(WEIGHTS, axis=1)
            / np.linalg.norm(TERMS, axis=1),
        ),
        (COSMOS(0.0), (WEIGHTS * TERMS).sum(1)),
    ],
)
def test_formula(scalarization, expected):
    found = scalarization(named(WEIGHTS), named(TERMS))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e10])
def test_cosmos_stays_finite(scale):
    terms = {name: keras.Variable(term * scale) for name, term in named(TERMS).items()}

    def loss():
        return {"loss": ops.sum(COSMOS(1.0)(named(WEIGHTS), terms))}

    value, found = gradients(list(terms.values()), loss)["loss"]
    assert np.isfinite(value)
    for gradient in found:
        assert np.isfinite(gradient).all()


def test_refused():
    with pytest.raises(ValueError, match="got penalty=-1"):
        COSMOS(-1)
    with pytest.raises(ValueError, match=r"got \['z'\]"):
        Tchebycheff({"z": 1.0})(named(WEIGHTS), named(TERMS))


@keras.saving.register_keras_serializable(package="tests")
def two_targets(inputs, outputs):
    """A one-dimensional trade-off between being at 0 and at 1, by squared distances."""
    return {
        "left": keras.ops.square(outputs[:, 0]),
        "right": keras.ops.square(outputs[:, 0] - 1),
    }


def make_model(scalarization):
    inputs = {"x": keras.Input((1,), name="x")}
    inputs["coefficients"] = keras.Input((2,), name="coefficients")
    hidden = keras.layers.Dense(16, activation="tanh")(inputs["coefficients"])
    network = keras.Model(inputs, keras.layers.Dense(1)(hidden) + 0.0 * inputs["x"])
    coefficients = Coefficients(left=Uniform(0.0, 1.0), right=Uniform(0.0, 1.0))
    return LossConditionalModel(
        network, two_targets, coefficients, scalarization=scalarization
    )


@pytest.mark.parametrize(
    ("scalarization", "expected"),
    [
        # 0.1 x² + 0.9 (x − 1)² is least at 0.9; its two terms are equal at 0.75.
        (None, 0.9),
        (Tchebycheff(), 0.75),
    ],
)
def test_training_reaches_the_optimum(scalarization, expected):
    keras.utils.set_random_seed(0)
    model = make_model(scalarization)
    model.compile(keras.optimizers.Adam(0.003))
    x = np.zeros((512, 1), "float32")
    coefficients = np.tile([[0.1, 0.9]], (512, 1)).astype("float32")
    model.fit({"x": x, "coefficients": coefficients}, batch_size=8, epochs=8, verbose=0)
    found = model.predict_at({"x": x[:1]}, left=0.1, right=0.9)
    assert float(found[0, 0]) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("scalarization", [COSMOS(3.0), Tchebycheff({"left": 0.5})])
def test_saved_with_the_model(scalarization, tmp_path):
    model = make_model(scalarization)
    model.compile("sgd")
    inputs = {"x": np.zeros((4, 1), "float32")}
    inputs["coefficients"] = RNG.uniform(size=(4, 2)).astype("float32")
    expected = model.evaluate(inputs, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded_scalarization = loaded.objective.scalarization
    assert type(loaded_scalarization) is type(scalarization)
    assert loaded_scalarization.get_config() == scalarization.get_config()
    found = loaded.evaluate(inputs, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(expected["loss"])


def test_preferences_on_the_simplex():
    model = LossConditionalModel(
        make_model(None).network,
        two_targets,
        Coefficients(Dirichlet(left=1.2, right=1.2)),
        scalarization=COSMOS(1.0),
    )
    model.compile("adam")
    loss = model.fit({"x": np.zeros((64, 1))}, batch_size=32, verbose=0).history["loss"]
    assert np.isfinite(loss).all()
