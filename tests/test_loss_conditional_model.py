import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError
from yoto_tf.layers import CoefficientEmbedding, FiLM

COEFFICIENTS = yoto.Coefficients(
    left=yoto.LogUniform(0.01, 100), right=yoto.LogUniform(0.5, 2)
)

OPTIONS = {"plain": {}, "both": {"balance": 0.9, "normalize_weights": True}}


@keras.saving.register_keras_serializable(package="test_training")
def distances(inputs, outputs):
    """Two terms with a coefficient, and a third without one."""
    return {
        "left": ops.mean(ops.square(outputs - inputs["left"]), axis=-1),
        "right": ops.mean(ops.square(outputs - inputs["right"]), axis=-1),
        "size": ops.mean(ops.square(outputs), axis=-1),
    }


def network(**dense):
    """Exactly the identity at the start, whatever the coefficients."""
    inputs = {
        "x": keras.Input((3,), name="x"),
        "coefficients": keras.Input((2,), name="coefficients"),
    }
    embedding = CoefficientEmbedding(COEFFICIENTS, (8,))(inputs["coefficients"])
    features = keras.layers.Dense(3, kernel_initializer="identity", **dense)(
        inputs["x"]
    )
    return keras.Model(inputs, FiLM(1.0, None, "zeros")(features, embedding))


def compiled(optimizer=None, **options):
    model = yoto.LossConditionalModel(network(), distances, COEFFICIENTS, **options)
    model.compile(optimizer or keras.optimizers.SGD(0.0))
    return model


def batch(count=8, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=(count, 3)) for name in ("x", "left", "right")}
    return {name: array.astype("float32") for name, array in arrays.items()}


def with_coefficients(examples, seed=1):
    q = np.random.default_rng(seed).uniform(size=(2, len(examples["x"])))
    columns = [
        distribution.quantile(row)
        for distribution, row in zip(COEFFICIENTS.independent.values(), q, strict=True)
    ]
    return {**examples, "coefficients": np.stack(columns, -1).astype("float32")}


def expected_terms(examples):
    """The terms [B] of the network at its start, in NumPy."""
    x = examples["x"].astype("float64")
    return {
        "left": ((x - examples["left"]) ** 2).mean(-1),
        "right": ((x - examples["right"]) ** 2).mean(-1),
        "size": (x**2).mean(-1),
    }


def evaluate(model, examples):
    return model.evaluate(examples, batch_size=8, verbose=0, return_dict=True)


def numbers(model_path=None):
    """What the current backend reports and learns, from fixed weights and data."""
    examples = with_coefficients(batch(16))
    found = {}
    for name, options in OPTIONS.items():
        model = compiled(keras.optimizers.SGD(1e-3), **options)
        # Weights drawn by NumPy are the same on both backends.
        rng = np.random.default_rng(2)
        for weight in model.trainable_variables:
            weight.assign(rng.normal(0, 0.3, weight.shape))
        # Without labels first: the loss terms cannot be computed yet.
        model.predict({k: examples[k] for k in ("x", "coefficients")}, verbose=0)
        history = model.fit(examples, batch_size=8, shuffle=False, epochs=2, verbose=0)
        for term, values in history.history.items():
            found[f"{name}_{term}"] = np.array(values)
        found[f"{name}_output"] = np.array(model.predict_at(batch(), left=3.0))
    # And coefficients drawn inside the compiled step.
    losses = model.fit(batch(16), epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    if model_path:
        model.save(model_path)
    found["saved_output"] = np.array(model.predict_at(batch(), left=3.0))
    return found


# --- The objective -----------------------------------------------------------------


def test_the_loss_is_the_weighted_sum_of_each_example():
    examples = with_coefficients(batch())
    terms = expected_terms(examples)
    left, right = examples["coefficients"].T
    total = left * terms["left"] + right * terms["right"] + terms["size"]
    reported = evaluate(compiled(), examples)
    assert set(reported) == {"loss", "left", "right", "size"}
    assert reported["loss"] == pytest.approx(total.mean(), rel=1e-5)
    for name, term in terms.items():
        assert reported[name] == pytest.approx(term.mean(), rel=1e-5)


def test_normalised_weights_have_geometric_mean_one():
    examples = with_coefficients(batch())
    terms = expected_terms(examples)
    left, right = examples["coefficients"].astype("float64").T
    # The third weight is 1 and counts.
    mean = (left * right * 1) ** (1 / 3)
    total = (left * terms["left"] + right * terms["right"] + terms["size"]) / mean
    reported = evaluate(compiled(normalize_weights=True), examples)
    assert reported["loss"] == pytest.approx(total.mean(), rel=1e-5)
    assert reported["left"] == pytest.approx(terms["left"].mean(), rel=1e-5)


def test_balanced_terms_are_scaled_by_their_moving_averages():
    model = compiled(balance=0.8)
    examples = [with_coefficients(batch(seed=seed)) for seed in range(3)]
    terms = [expected_terms(example) for example in examples]

    def loss(index, scales):
        left, right = examples[index]["coefficients"].astype("float64").T
        return np.mean(
            scales["left"] * left * terms[index]["left"]
            + scales["right"] * right * terms[index]["right"]
            + terms[index]["size"]
        )

    # Before the first step there is nothing to balance by.
    untouched = evaluate(model, examples[0])["loss"]
    assert untouched == pytest.approx(loss(0, {"left": 1, "right": 1}), rel=1e-5)

    averages = {"left": 0.0, "right": 0.0}
    for index in (0, 1):
        for name in averages:
            mean = terms[index][name].mean()
            averages[name] = 0.8 * averages[name] + 0.2 * mean
        scales = {name: sum(averages.values()) / a for name, a in averages.items()}
        model.reset_metrics()
        reported = model.train_on_batch(examples[index], return_dict=True)
        assert reported["loss"] == pytest.approx(loss(index, scales), rel=1e-4)
    # Evaluation balances alike and does not move the averages.
    for _ in range(2):
        reported = evaluate(model, examples[2])
        assert reported["loss"] == pytest.approx(loss(2, scales), rel=1e-4)


def test_balance_does_not_send_gradients_through_its_averages():
    examples = with_coefficients(batch())
    model = compiled(keras.optimizers.SGD(1e-3), balance=0.5)
    before = [weight.numpy() for weight in model.trainable_variables]
    model.train_on_batch(examples)
    moved = [
        weight.numpy() - start
        for weight, start in zip(model.trainable_variables, before, strict=True)
    ]

    # The same step with the scales as part of the coefficients.
    means = {name: term.mean() for name, term in expected_terms(examples).items()}
    total = means["left"] + means["right"]
    scaled = examples["coefficients"] * [total / means["left"], total / means["right"]]
    plain = compiled(keras.optimizers.SGD(1e-3))
    plain.set_weights(before + plain.get_weights()[len(before) :])

    import tensorflow as tf

    with tf.GradientTape() as tape:
        outputs = plain.network(
            {name: examples[name] for name in ("x", "coefficients")}
        )
        terms = distances(examples, outputs)
        loss = tf.reduce_mean(
            scaled[:, 0].astype("float32") * terms["left"]
            + scaled[:, 1].astype("float32") * terms["right"]
            + terms["size"]
        )
    gradients = tape.gradient(loss, [v.value for v in plain.trainable_variables])
    for step, gradient in zip(moved, gradients, strict=True):
        np.testing.assert_allclose(step, -1e-3 * gradient.numpy(), atol=1e-6)


def test_a_regularisation_loss_is_added_once():
    regularized = network(kernel_regularizer=keras.regularizers.L2(0.7))
    model = yoto.LossConditionalModel(regularized, distances, COEFFICIENTS)
    model.compile(keras.optimizers.SGD(0.0))
    examples = with_coefficients(batch())
    extra = evaluate(model, examples)["loss"] - evaluate(compiled(), examples)["loss"]
    # The squared norm of the identity matrix is 3.
    assert extra == pytest.approx(0.7 * 3, rel=1e-4)
    trained = model.train_on_batch(examples, return_dict=True)["loss"]
    assert trained == pytest.approx(evaluate(model, examples)["loss"], rel=1e-5)


# --- Sampling ----------------------------------------------------------------------


def test_every_example_and_every_step_draws_its_own_coefficients():
    model = compiled()
    (_, first), (_, second) = model(batch()), model(batch())
    for drawn in (first, second):
        COEFFICIENTS.validate(drawn)
        assert len(np.unique(drawn[:, 0])) == 8
    assert not np.array_equal(first, second)


@keras.saving.register_keras_serializable(package="test_training")
def told(inputs, outputs):
    del inputs
    return {"left": outputs[:, 0], "right": outputs[:, 1]}


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize("run", ["fit", "evaluate"])
def test_the_network_is_told_the_coefficients_that_weight_its_loss(run):
    inputs = {
        "x": keras.Input((3,), name="x"),
        "coefficients": keras.Input((2,), name="coefficients"),
    }
    # Keras before 3.13 takes no input that no output stems from.
    connected = keras.layers.Concatenate()([inputs["coefficients"], inputs["x"]])
    echo = keras.Model(inputs, connected)
    model = yoto.LossConditionalModel(echo, told, COEFFICIENTS)
    model.compile(keras.optimizers.SGD(0.0))
    for _ in range(3):
        one = {"x": np.zeros((1, 3), "float32")}
        if run == "fit":
            reported = {k: v[0] for k, v in model.fit(one, verbose=0).history.items()}
        else:
            reported = evaluate(model, one)
        expected = reported["left"] ** 2 + reported["right"] ** 2
        assert reported["loss"] == pytest.approx(expected, rel=1e-5)


def test_training_repeats_under_a_seed():
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = compiled(keras.optimizers.Adam(0.01))
        losses.append(model.fit(batch(32), epochs=2, verbose=0).history["loss"])
    assert losses[0] == losses[1]


# --- Keras' own interface ----------------------------------------------------------


def test_fit_with_callbacks_reports_all_terms_and_resumes(tmp_path):
    model = compiled(keras.optimizers.Adam(0.01), balance=0.9)
    path = tmp_path / "best.keras"
    callbacks = [
        keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True),
        keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=1e9),
    ]
    validation = with_coefficients(batch(16, seed=1))
    history = model.fit(
        batch(64),
        validation_data=validation,
        epochs=9,
        callbacks=callbacks,
        verbose=0,
    ).history
    assert len(history["loss"]) == 2  # the second epoch was no 1e9 better
    terms = {"loss", "left", "right", "size"}
    assert set(history) == terms | {f"val_{term}" for term in terms}
    loaded = keras.models.load_model(path)
    best = min(history["val_loss"])
    assert evaluate(loaded, validation)["loss"] == pytest.approx(best, rel=1e-4)
    assert loaded.optimizer.iterations in (2, 4)
    loaded.fit(batch(64), verbose=0)


def test_predict_with_and_without_coefficients():
    model = compiled()
    examples = with_coefficients(batch())
    labelless = {name: examples[name] for name in ("x", "coefficients")}
    outputs = model.predict(labelless, verbose=0)
    np.testing.assert_allclose(outputs, examples["x"], rtol=1e-6)
    outputs, drawn = model.predict({"x": examples["x"]}, verbose=0)
    np.testing.assert_allclose(outputs, examples["x"], rtol=1e-6)
    COEFFICIENTS.validate(drawn)


def test_predict_at_names_the_setting():
    model = compiled()
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    rows = np.tile(COEFFICIENTS.vector(left=10.0), (8, 1))
    expected = model.predict({"x": batch()["x"], "coefficients": rows}, verbose=0)
    outputs = model.predict_at({"x": batch()["x"]}, left=10.0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5)
    # What is not named stands at its middle; labels do not disturb.
    np.testing.assert_array_equal(
        model.predict_at(batch()), model.predict_at(batch(), left=1.0, right=1.0)
    )


@pytest.mark.parametrize("inputs_first", [True, False])
def test_a_batch_without_labels_first(inputs_first):
    model = compiled(keras.optimizers.Adam(0.01), balance=0.9)
    if inputs_first:
        model.predict({"x": batch()["x"]}, verbose=0)
    else:
        model({"x": batch()["x"]})
    assert np.isfinite(model.fit(batch(16), verbose=0).history["left"]).all()


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")
def test_inputs_are_matched_by_the_names_of_the_network():
    x, coefficients = keras.Input((3,)), keras.Input((2,))
    embedding = CoefficientEmbedding(COEFFICIENTS)(coefficients)
    output = FiLM(1.0, None, "zeros")(x, embedding)
    unnamed = keras.Model({"x": x, "coefficients": coefficients}, output)
    model = yoto.LossConditionalModel(unnamed, distances, COEFFICIENTS)
    np.testing.assert_array_equal(model.predict_at(batch()), batch()["x"])


@keras.saving.register_keras_serializable(package="test_training")
class Scale(keras.Model):
    """Built by its first call, which is given the whole batch."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.film = FiLM(1.0, None, "zeros")

    def call(self, inputs, training=None):
        return self.film(inputs["x"], inputs["coefficients"])


def test_a_network_of_a_subclass(tmp_path):
    model = yoto.LossConditionalModel(Scale(), distances, COEFFICIENTS)
    model.compile(keras.optimizers.SGD(0.0))
    examples = with_coefficients(batch())
    expected = evaluate(compiled(), examples)["loss"]
    assert evaluate(model, examples)["loss"] == pytest.approx(expected, rel=1e-5)
    model.network.film.affine.kernel.assign([[0.1] * 6, [0.2] * 6])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_at(batch()), model.predict_at(batch()))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_saved_and_loaded(options, tmp_path):
    model = compiled(keras.optimizers.Adam(0.01), **options)
    model.fit(batch(32), verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.models.load_model(path)
    examples = with_coefficients(batch())
    # The moving averages are part of it.
    expected = evaluate(model, examples)
    assert evaluate(loaded, examples) == pytest.approx(expected, rel=1e-6)
    assert loaded.coefficients.names == ("left", "right")
    np.testing.assert_array_equal(
        loaded.predict_at(batch(), left=3.0), model.predict_at(batch(), left=3.0)
    )


def test_weights_alone_saved_and_loaded(tmp_path):
    model = compiled(keras.optimizers.Adam(0.01), balance=0.9)
    model.fit(batch(32), verbose=0)
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    other = compiled(keras.optimizers.Adam(0.01), balance=0.9)
    other(batch())
    other.optimizer.build(other.trainable_variables)
    other.load_weights(path)
    examples = with_coefficients(batch())
    expected = evaluate(model, examples)["loss"]
    assert evaluate(other, examples)["loss"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_xla_computes_the_same(options):
    examples = with_coefficients(batch())
    losses = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(0)
        model = compiled(**options)
        model.compile(keras.optimizers.SGD(1e-3), jit_compile=jit_compile)
        history = model.fit(examples, epochs=3, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
        # Drawing compiles as well.
        assert np.isfinite(model.fit(batch(), verbose=0).history["loss"]).all()
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_mixed_precision_keeps_the_loss_in_float32():
    examples = with_coefficients(batch())
    expected = evaluate(compiled(), examples)["loss"]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = compiled(keras.optimizers.Adam(0.01), normalize_weights=True)
        outputs, drawn = model(batch())
        assert outputs.dtype == "bfloat16"
        assert drawn.dtype == "float32"
        assert {w.dtype for w in model.trainable_variables} == {"float32"}
        model.fit(batch(64), epochs=2, verbose=0)
        loss = evaluate(compiled(), examples)["loss"]
    finally:
        keras.config.set_dtype_policy(before)
    assert loss == pytest.approx(expected, rel=0.02)
    assert loss != pytest.approx(expected, rel=1e-7)


# --- What goes wrong ---------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        (batch(), batch()["left"]),
        (batch()["x"], batch()["left"]),
        (batch()["x"],),
    ],
)
def test_targets_beside_the_batch(data):
    with pytest.raises(ValueError, match="batches must be one dict"):
        compiled().fit(*data, verbose=0)


def test_a_coefficient_without_a_term():
    def half(inputs, outputs):
        return {"right": ops.mean(outputs, axis=-1)}

    model = yoto.LossConditionalModel(network(), half, COEFFICIENTS)
    message = r"none for \['left'\], got terms \['right'\]"
    with pytest.raises(ValueError, match=message):
        model(batch())


@pytest.mark.parametrize(
    ("wrong", "shape"),
    [
        (lambda outputs: ops.mean(outputs), r"\(\)"),
        (lambda outputs: outputs, r"\(8, 3\)"),
        (lambda outputs: ops.mean(outputs, axis=-1)[:1], r"\(1,\)"),
    ],
)
def test_a_term_that_is_not_one_value_an_example(wrong, shape):
    def terms(inputs, outputs):
        return {**distances(inputs, outputs), "left": wrong(outputs)}

    model = yoto.LossConditionalModel(network(), terms, COEFFICIENTS)
    message = rf"loss term 'left' must have shape \[batch\].*shape={shape}"
    with pytest.raises(ValueError, match=message):
        model(batch())


def test_a_label_that_the_terms_need_is_missing():
    examples = batch()
    del examples["right"]
    with pytest.raises(KeyError, match="right"):
        compiled().fit(examples, verbose=0)


def test_an_input_that_the_network_needs_is_missing():
    message = r"network needs inputs \['x', 'coefficients'\]; missing \['x'\]"
    with pytest.raises(ValueError, match=message):
        compiled().predict_at({"left": batch()["left"]})


def test_predict_at_an_impossible_setting():
    model = compiled()
    with pytest.raises(CoefficientError, match=r"unknown coefficient 'lift'.*'left'"):
        model.predict_at(batch(), lift=1)
    with pytest.raises(CoefficientError, match="left = 1000 is outside its range"):
        model.predict_at(batch(), left=1000)
    with pytest.raises(CoefficientError, match="by name or as input, not both"):
        model.predict_at(with_coefficients(batch()), left=1)


def plain_model(network, coefficients, **options):
    model = yoto.LossConditionalModel(network, None, coefficients, **options)
    model.compile("sgd", loss="mse")
    return model


def plain():
    x = keras.Input((2,), name="x")
    hidden = keras.layers.Dense(3, activation="relu")(x)
    return keras.Model(x, keras.layers.Dense(1, name="out")(hidden))


def test_a_network_that_was_not_conditioned_is_not_trained_for_the_mean():
    law = yoto.Coefficients(out=yoto.LogUniform(0.1, 10.0))
    model = plain_model(plain(), law)
    x, y = np.ones((4, 2)), np.ones((4, 1))
    with pytest.raises(CoefficientError, match="no input 'coefficients'"):
        model.fit(x, y, verbose=0)
    # At one vector there is nothing to follow.
    model.fixed_vector = law.vector(out=2.0)
    model.fit(x, y, verbose=0)
    plain_model(plain(), yoto.Coefficients(out=yoto.Fixed(2.0))).fit(x, y, verbose=0)


def test_coefficients_are_those_that_the_network_was_conditioned_on():
    def law(**laws):
        return yoto.Coefficients(**laws)

    usual = {"out": yoto.Uniform(0.0, 1.0), "decay": yoto.Uniform(0.0, 2.0)}
    network = yoto.condition(plain(), law(**usual))
    options = {"without_term": ["decay"]}
    for laws, message in (
        ({"decay": usual["decay"], "out": usual["out"]}, r"\(out, decay\), .*\(decay,"),
        ({"decay": usual["decay"]}, r"these in this order, got \(decay\)"),
        (
            {**usual, "decay": yoto.Uniform(0.0, 3.0)},
            "decay from 0 to 2, ",
        ),
    ):
        with pytest.raises(CoefficientError, match=message):
            plain_model(network, law(**laws), **options)
    # Narrower, as to train on with.
    plain_model(network, law(**{**usual, "decay": yoto.Fixed(1.0)}), **options)


def test_names_without_a_term():
    law = yoto.Coefficients(out=yoto.LogUniform(0.1, 10.0), rate=yoto.Uniform(0.0, 1.0))
    with pytest.raises(CoefficientError, match=r"names 'rata', .* out, rate"):
        plain_model(yoto.condition(plain(), law), law, without_term=["rate", "rata"])
    plain_model(yoto.condition(plain(), law), law, without_term="rate")


@pytest.mark.parametrize("balance", [0, 1, -0.5])
def test_an_impossible_balance(balance):
    with pytest.raises(ValueError, match=rf"in \(0, 1\), got balance={balance}"):
        compiled(balance=balance)


def test_weights_that_may_be_zero_are_not_normalised():
    coefficients = yoto.Coefficients(left=yoto.Uniform(0, 1), right=yoto.Fixed(1.0))
    with pytest.raises(ValueError, match=r"needs coefficients > 0.*left=\[0, 1\]"):
        yoto.LossConditionalModel(
            network(), distances, coefficients, normalize_weights=True
        )


# --- The point of it ---------------------------------------------------------------


@keras.saving.register_keras_serializable(package="test_training")
def tug_of_war(inputs, outputs):
    """One target pulls to x, the other to −x."""
    return {
        "left": ops.mean(ops.square(outputs - inputs["x"]), axis=-1),
        "right": ops.mean(ops.square(outputs + inputs["x"]), axis=-1),
    }


def test_one_network_lands_at_the_optimum_of_every_coefficient():
    keras.utils.set_random_seed(0)
    coefficients = yoto.Coefficients(
        left=yoto.LogUniform(0.1, 10), right=yoto.Fixed(1.0)
    )
    inputs = {
        "x": keras.Input((4,), name="x"),
        "coefficients": keras.Input((2,), name="coefficients"),
    }
    embedding = CoefficientEmbedding(coefficients, (32, 32))(inputs["coefficients"])
    linear = keras.Model(inputs, FiLM(1.0)(inputs["x"], embedding))
    model = yoto.LossConditionalModel(
        linear, tug_of_war, coefficients, normalize_weights=True
    )
    schedule = keras.optimizers.schedules.CosineDecay(0.02, 600)
    model.compile(keras.optimizers.Adam(schedule))
    x = np.random.default_rng(0).normal(size=(64 * 100, 4)).astype("float32")
    model.fit({"x": x}, batch_size=64, epochs=6, verbose=0)
    for c in (0.1, 0.3, 1.0, 3.0, 10.0):
        outputs = np.array(model.predict_at({"x": x[:500]}, left=c))
        # d/dy c (y − x)² + (y + x)² = 0
        optimum = (c - 1) / (c + 1) * x[:500]
        assert np.sqrt(np.mean((outputs - optimum) ** 2)) < 0.06


# --- The other backend -------------------------------------------------------------


def test_jax_without_tensorflow_agrees_with_tensorflow(tmp_path):
    path = tmp_path / "jax.npz"
    subprocess.run(
        [sys.executable, __file__, path, tmp_path / "jax.keras"],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        check=True,
    )
    jax, tensorflow = np.load(path), numbers()
    assert set(jax) == set(tensorflow)
    # The last steps drew their coefficients, each backend its own.
    del tensorflow["saved_output"]
    for name, expected in tensorflow.items():
        np.testing.assert_allclose(
            jax[name], expected, rtol=1e-4, atol=1e-5, err_msg=name
        )
    # A model trained on JAX is one on TensorFlow.
    loaded = keras.models.load_model(tmp_path / "jax.keras")
    outputs = loaded.predict_at(batch(), left=3.0)
    np.testing.assert_allclose(outputs, jax["saved_output"], rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    # As on an accelerator machine: TensorFlow is not there to be imported.
    sys.modules["tensorflow"] = None
    np.savez(sys.argv[1], **numbers(sys.argv[2]))
