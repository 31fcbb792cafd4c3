"""Terms of a function that also reads the coefficients, and terms of a whole batch."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError

COEFFICIENTS = yoto.Coefficients(
    size=yoto.LogUniform(0.1, 10), quantile=yoto.Uniform(0.1, 0.9)
)


def network(coefficients=COEFFICIENTS):
    x = keras.Input((3,), name="x")
    hidden = layers.Dense(16, activation="tanh")(x)
    return yoto.condition(keras.Model(x, layers.Dense(1)(hidden)), coefficients)


@keras.saving.register_keras_serializable(package="test_function_terms")
def pinball(inputs, outputs, coefficients):
    quantile = coefficients["quantile"]
    error = inputs["y"] - outputs[:, 0]
    return {
        "pinball": ops.maximum(quantile * error, (quantile - 1) * error),
        "size": ops.square(outputs[:, 0]) / 100,
    }


def batch(count=64):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 3)).astype("float32")
    return {"x": x, "y": rng.normal(size=count).astype("float32")}


def test_what_the_terms_read_needs_no_term(tmp_path):
    keras.utils.set_random_seed(0)
    model = yoto.LossConditionalModel(network(), pinball, COEFFICIENTS)
    model.compile(keras.optimizers.Adam(0.01))
    data = batch(2048)
    history = model.fit(data, validation_data=data, epochs=6, verbose=0).history
    assert {"val_pinball", "val_size"} <= set(history)
    assert "quantile" not in history
    low, high = (
        float(np.mean(data["y"] < model.predict_at(data, size=0.1, quantile=q)[:, 0]))
        for q in (0.15, 0.85)
    )
    assert low < 0.3
    assert high > 0.7
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(data, verbose=0) == pytest.approx(
        model.evaluate(data, verbose=0), rel=1e-6
    )
    front = yoto.sweep(model, data, [[1.0, 0.2], [1.0, 0.8]])
    error = data["y"] - model.predict_at(data, size=1.0, quantile=0.2)[:, 0]
    expected = np.maximum(0.2 * error, -0.8 * error).mean()
    assert front.terms[0]["pinball"] == pytest.approx(expected, rel=1e-5)


def test_a_name_that_is_neither_a_term_nor_read():
    wrong = yoto.Coefficients(
        size=yoto.Fixed(1.0), quantile=yoto.Uniform(0, 1), sise=yoto.Uniform(0, 1)
    )
    model = yoto.LossConditionalModel(network(wrong), pinball, wrong)
    model.compile("sgd")
    with pytest.raises(CoefficientError, match=r"none for \['sise'\]"):
        model.fit(batch(), verbose=0)


def test_a_third_argument_with_a_default_is_the_functions_own():
    def terms(inputs, outputs, scale=2.0):
        return {"size": scale * ops.square(outputs[:, 0])}

    one = yoto.Coefficients(size=yoto.Uniform(0, 1))
    model = yoto.LossConditionalModel(network(one), terms, one)
    model.compile("sgd")
    assert np.isfinite(model.fit(batch(), verbose=0).history["size"]).all()


def test_one_vector_a_batch_and_a_term_of_the_whole_batch():
    coefficients = yoto.Coefficients(gap=yoto.Uniform(0, 2), error=yoto.Fixed(1.0))
    seen = []

    def terms(inputs, outputs, coefficients):
        seen.append(coefficients["gap"])
        error = ops.square(outputs[:, 0] - inputs["y"])
        positive = ops.cast(inputs["x"][:, 0] > 0, "float32")
        gap = ops.mean(positive * outputs[:, 0]) - ops.mean(outputs[:, 0])
        return {"error": error, "gap": ops.square(gap)}

    options = {"run_eagerly": True}
    model = yoto.LossConditionalModel(
        network(coefficients), terms, coefficients, draw="batch"
    )
    model.compile("sgd", **options)
    model.fit(batch(), batch_size=16, verbose=0)
    drawn = [np.unique(column) for column in seen]
    assert all(len(column) == 1 for column in drawn)
    assert len(np.unique(drawn)) >= 4

    each = yoto.LossConditionalModel(network(coefficients), terms, coefficients)
    each.compile("sgd")
    with pytest.raises(ValueError, match=r"'gap' must have shape \[batch\]"):
        each.fit(batch(), verbose=0)


def test_stratified_draws_train():
    model = yoto.LossConditionalModel(
        network(), pinball, COEFFICIENTS, draw="stratified"
    )
    model.compile("adam")
    assert np.isfinite(model.fit(batch(), verbose=0).history["loss"]).all()
    with pytest.raises(CoefficientError, match="draw must be one of"):
        yoto.LossConditionalModel(network(), pinball, COEFFICIENTS, draw="each")


def test_terms_that_loading_will_not_find(tmp_path):
    one = yoto.Coefficients(size=yoto.Uniform(0, 1))

    def size(inputs, outputs):
        return {"size": ops.square(outputs[:, 0])}

    model = yoto.LossConditionalModel(network(one), size, one)
    model.compile("sgd")
    with pytest.warns(UserWarning, match=r"custom_objects=\{'size': size\}"):
        model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(
        tmp_path / "model.keras", custom_objects={"size": size}
    )
    assert loaded.objective.loss_terms is size

    class Terms:
        def __call__(self, inputs, outputs):
            return size(inputs, outputs)

    model = yoto.LossConditionalModel(network(one), Terms(), one)
    with pytest.raises(ValueError, match="loss terms Terms cannot be saved"):
        model.save(tmp_path / "other.keras")
    assert not (tmp_path / "other.keras").exists()
