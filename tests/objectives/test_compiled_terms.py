"""A compiled model against plain Keras with the same losses as `loss_weights`."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError

VALUES = {"seg": 0.3, "depth": 2.5}
UNIFORM = yoto.Coefficients(seg=yoto.Uniform(0.1, 3), depth=yoto.Uniform(0.1, 3))
FIXED = yoto.Coefficients(**{name: yoto.Fixed(c) for name, c in VALUES.items()})
LOSSES = {"seg": "sparse_categorical_crossentropy", "depth": "mse", "normal": "mae"}


@keras.saving.register_keras_serializable(package="test_compiled_terms")
class Unmoved(layers.Layer):
    """Takes coefficients and does nothing with them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, coefficients):
        return inputs


def heads(conditioned, as_list=False, **dense):
    """Three heads with the same weights each time; or the same that takes a vector."""
    keras.utils.set_random_seed(1)
    image = keras.Input((5,), name="image")
    hidden = layers.Dense(8, activation="tanh", **dense)(image)
    inputs = image
    if conditioned:
        inputs = {"image": image}
        inputs["coefficients"] = keras.Input((2,), name="coefficients")
        hidden = Unmoved()(hidden, inputs["coefficients"])
    outputs = {
        "seg": layers.Dense(3, activation="softmax", name="seg")(hidden),
        "depth": layers.Dense(2, name="depth")(hidden),
        "normal": layers.Dense(4, name="normal")(hidden),
    }
    return keras.Model(inputs, list(outputs.values()) if as_list else outputs)


def data(count=50):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 5)).astype("float32")
    y = {
        "seg": rng.integers(0, 3, count),
        "depth": rng.normal(size=(count, 2)).astype("float32"),
        "normal": rng.normal(size=(count, 4)).astype("float32"),
    }
    return x, y, rng.uniform(0, 2, count).astype("float32")


def with_rows(x, *values):
    rows = np.tile(np.array(values, "float32"), (len(x), 1))
    return {"image": x, "coefficients": rows}


def both(coefficients, loss, loss_weights, as_list=False, optimizer="sgd", **options):
    """Plain Keras with the coefficients in `loss_weights`, and ours without them."""
    plain = heads(False, as_list)
    factors = {
        name: VALUES.get(name, 1.0) * (loss_weights or {}).get(name, 1.0)
        for name in loss
    }
    plain.compile(optimizer, loss=loss, loss_weights=factors, **options)
    ours = yoto.LossConditionalModel(heads(True, as_list), coefficients=coefficients)
    ours.compile(optimizer, loss=loss, loss_weights=loss_weights, **options)
    return plain, ours


@pytest.mark.parametrize("as_list", [False, True])
def test_weights_and_history_are_those_of_loss_weights_to_the_bit(as_list):
    metrics = {"seg": ["accuracy"], "depth": ["mae", "mse"]}
    plain, ours = both(
        FIXED, LOSSES, None, as_list, "adam", metrics=metrics, weighted_metrics=metrics
    )
    x, y, sample_weight = data()
    if as_list:
        y = list(y.values())
    options = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0}
    validation = (x[:20], keras.tree.map_structure(lambda a: a[:20], y))
    histories = [
        model.fit(
            x, y, sample_weight=sample_weight, validation_data=validation, **options
        ).history
        for model in (plain, ours)
    ]
    assert list(histories[0]) == list(histories[1])
    for name, values in histories[0].items():
        # TensorFlow sums up the loss of an epoch in one order or another.
        rel = 1e-6 if name in ("loss", "val_loss") else 0
        assert histories[1][name] == pytest.approx(values, rel=rel, abs=0), name
    for one, other in zip(plain.get_weights(), ours.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    evaluated = [
        model.evaluate(x, y, verbose=0, return_dict=True) for model in (plain, ours)
    ]
    assert evaluated[1] == pytest.approx(evaluated[0], rel=1e-6)
    as_lists = [model.evaluate(x, y, verbose=0) for model in (plain, ours)]
    assert as_lists[1] == pytest.approx(as_lists[0], rel=1e-6)


def test_one_vector_a_batch_is_keras_own_sum_times_the_coefficients():
    coefficients = yoto.Coefficients(
        seg=yoto.Uniform(0.1, 3), depth=yoto.Uniform(0.1, 3)
    )
    model = yoto.LossConditionalModel(
        heads(True), coefficients=coefficients, draw="batch"
    )
    # A loss that is one number for a batch has no value of an example.
    model.compile("sgd", loss={**LOSSES, "seg": lambda y, p: ops.mean(p * p)})
    x, y, _ = data()
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()


REDUCTIONS = ["sum_over_batch_size", "sum", "mean_with_sample_weight"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", ["none", "one an example", "by output"])
@pytest.mark.parametrize("loss_weights", [None, {"seg": 2, "depth": 0.5, "normal": 3}])
def test_equal_vectors_of_every_example_give_keras_own_value(
    reduction, weights, loss_weights
):
    loss = {
        "seg": keras.losses.SparseCategoricalCrossentropy(
            ignore_class=1, reduction=reduction
        ),
        "depth": keras.losses.MeanSquaredError(reduction=reduction),
        "normal": "mae",
    }
    plain, ours = both(UNIFORM, loss, loss_weights)
    x, y, sample_weight = data()
    if weights == "none":
        sample_weight = None
    elif weights == "by output":
        sample_weight = {
            name: np.roll(sample_weight, shift) for shift, name in enumerate(LOSSES)
        }
    numbers = [
        model.evaluate(
            inputs, y, sample_weight=sample_weight, verbose=0, return_dict=True
        )
        for model, inputs in ((plain, x), (ours, with_rows(x, *VALUES.values())))
    ]
    assert numbers[1] == pytest.approx(numbers[0], rel=1e-5)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_masks_count_as_in_keras(reduction):
    def network(conditioned):
        keras.utils.set_random_seed(2)
        tokens = keras.Input((6,), dtype="int32", name="tokens")
        x = layers.Embedding(9, 4, mask_zero=True)(tokens)
        x = layers.LSTM(5, return_sequences=True)(x)
        inputs = tokens
        if conditioned:
            inputs = {"tokens": tokens}
            inputs["coefficients"] = keras.Input((1,), name="coefficients")
            x = Unmoved()(x, inputs["coefficients"])
        return keras.Model(inputs, layers.Dense(3, name="tag")(x))

    one = yoto.Coefficients(tag=yoto.Uniform(0.1, 3))
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 9, (10, 6)) * (np.arange(6) < rng.integers(1, 7, (10, 1)))
    y = rng.normal(size=(10, 6, 3)).astype("float32")
    loss = keras.losses.MeanSquaredError(reduction=reduction)
    plain = network(False)
    plain.compile("sgd", loss=loss, loss_weights=0.7)
    ours = yoto.LossConditionalModel(network(True), coefficients=one)
    ours.compile("sgd", loss=loss)
    rows = np.full((10, 1), 0.7, "float32")
    found = ours.evaluate(
        {"tokens": tokens, "coefficients": rows}, y, verbose=0, return_dict=True
    )
    expected = plain.evaluate(tokens, y, verbose=0)
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    # Of a single output Keras logs the weighted loss alone.
    assert found["tag_loss"] == pytest.approx(expected / 0.7, rel=1e-5)


def test_every_example_is_weighted_by_its_own_vector():
    _, ours = both(UNIFORM, LOSSES, None)
    x, y, sample_weight = data()
    rows = np.random.default_rng(3).uniform(0.2, 2.9, (50, 2)).astype("float32")
    found = ours.evaluate(
        {"image": x, "coefficients": rows}, y, 50, 0, sample_weight, return_dict=True
    )
    outputs = ours.network.predict({"image": x, "coefficients": rows}, verbose=0)
    seg, depth, normal = (outputs[name] for name in LOSSES)
    terms = [
        -np.log(seg[np.arange(50), y["seg"]]),
        ((depth - y["depth"]) ** 2).mean(-1),
        np.abs(normal - y["normal"]).mean(-1),
    ]
    total = rows[:, 0] * terms[0] + rows[:, 1] * terms[1] + terms[2]
    assert found["loss"] == pytest.approx(np.mean(total * sample_weight), rel=1e-5)
    seg_loss = np.mean(terms[0] * sample_weight)
    assert found["seg_loss"] == pytest.approx(seg_loss, rel=1e-5)


def test_class_weights_where_keras_has_them():
    def network(conditioned):
        keras.utils.set_random_seed(1)
        model = heads(conditioned)
        return keras.Model(model.input, model.output["seg"])

    x, y, _ = data()
    coefficients = yoto.Coefficients(seg=yoto.Fixed(1.0), rate=yoto.Uniform(0, 1))
    plain = network(False)
    ours = yoto.LossConditionalModel(
        network(True), coefficients=coefficients, without_term=["rate"]
    )
    losses = []
    for model in (plain, ours):
        model.compile("sgd", loss=LOSSES["seg"])
        history = model.fit(
            x, y["seg"], class_weight={0: 1.0, 1: 5.0, 2: 0.1}, shuffle=False, verbose=0
        )
        losses.append(history.history["loss"])
    assert losses[0] == losses[1]


def test_balance_normalised_weights_and_another_scalarisation_train():
    x, y, _ = data()
    for options in (
        {"balance": 0.9, "normalize_weights": True},
        {"scalarization": yoto.Tchebycheff({"seg": 0.1})},
    ):
        model = yoto.LossConditionalModel(heads(True), coefficients=UNIFORM, **options)
        model.compile(keras.optimizers.Adam(0.01), loss=LOSSES)
        losses = model.fit(x, y, epochs=20, verbose=0).history["seg_loss"]
        assert losses[-1] < 0.95 * losses[0]


def test_a_saved_model_brings_losses_metrics_and_the_optimizer(tmp_path):
    model = yoto.LossConditionalModel(heads(True), coefficients=UNIFORM)
    model.compile(
        keras.optimizers.Adam(0.01),
        loss=LOSSES,
        loss_weights={"seg": 2.0, "depth": 1.0, "normal": 1.0},
        metrics={"seg": ["accuracy"]},
        validate_at=[{"depth": 0.2}, {"depth": 2.0}],
    )
    x, y, _ = data()
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations) == 2
    numbers = [m.evaluate(x, y, verbose=0, return_dict=True) for m in (model, loaded)]
    assert numbers[1] == pytest.approx(numbers[0], rel=1e-6)
    assert {"seg_accuracy", "loss_at_seg_1p55_depth_0p2"} <= set(numbers[1])
    loaded.fit(x, y, verbose=0)
    assert int(loaded.optimizer.iterations) == 4


# --- What goes wrong ---------------------------------------------------------------


def compiled(coefficients=UNIFORM, loss=LOSSES, **options):
    model = yoto.LossConditionalModel(heads(True), coefficients=coefficients)
    model.compile("sgd", loss=loss, **options)
    return model


@pytest.mark.parametrize("loss", [LOSSES, {"seg": LOSSES["seg"], "normal": "mae"}])
def test_a_coefficient_of_no_output(loss):
    name = "dept" if "depth" in loss else "depth"
    wrong = yoto.Coefficients(seg=yoto.Fixed(1.0), **{name: yoto.Uniform(0, 1)})
    model = yoto.LossConditionalModel(heads(True), coefficients=wrong)
    with pytest.raises(CoefficientError, match=rf"'{name}'"):
        model.compile("sgd", loss=loss)


def test_the_same_is_said_of_a_network_that_is_no_graph():
    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.graph = heads(True)

        def call(self, inputs):
            return self.graph(inputs)

    wrong = yoto.Coefficients(seg=yoto.Fixed(1.0), dept=yoto.Uniform(0, 1))
    model = yoto.LossConditionalModel(Network(), coefficients=wrong)
    model.compile("sgd", loss=LOSSES)
    x, y, _ = data()
    with pytest.raises(CoefficientError, match=r"none for \['dept'\]"):
        model.fit({"image": x}, y, verbose=0)


def test_a_loss_without_a_value_for_each_example():
    x, y, _ = data()
    mean = compiled(loss={**LOSSES, "seg": lambda y, p: ops.mean(p * p)})
    with pytest.raises(ValueError, match="'seg' is one number for the batch"):
        mean.fit(x, y, verbose=0)
    unreduced = keras.losses.MeanSquaredError(reduction=None)
    with pytest.raises(ValueError, match="'depth' needs a reduction"):
        compiled(loss={**LOSSES, "depth": unreduced}).fit(x, y, verbose=0)


def test_terms_given_twice_or_weights_of_nothing():
    def terms(inputs, outputs):
        return {"seg": outputs["seg"][:, 0], "depth": outputs["depth"][:, 0]}

    model = yoto.LossConditionalModel(heads(True), terms, UNIFORM)
    for argument in (
        {"loss": LOSSES},
        {"loss_weights": {"seg": 1.0}},
        {"metrics": ["accuracy"]},
    ):
        with pytest.raises(ValueError, match=next(iter(argument))):
            model.compile("sgd", **argument)
    with pytest.raises(ValueError, match="needs loss="):
        compiled(loss=None, loss_weights={"seg": 1.0})


def test_sample_weights_that_keras_would_drop():
    def terms(inputs, outputs):
        return {"seg": outputs["seg"][:, 0], "depth": outputs["depth"][:, 0]}

    model = yoto.LossConditionalModel(heads(True), terms, UNIFORM)
    model.compile("sgd")
    x, _, sample_weight = data()
    for call in (
        lambda: model.fit({"image": x}, sample_weight=sample_weight),
        lambda: model.evaluate({"image": x}, sample_weight=sample_weight),
        lambda: model.fit(
            {"image": x}, validation_data=({"image": x}, None, sample_weight)
        ),
    ):
        with pytest.raises(ValueError, match="sample_weight is lost"):
            call()
    with pytest.raises(ValueError, match="class_weight needs the labels apart"):
        model.fit({"image": x}, class_weight={0: 2.0})


def test_batches_without_targets():
    x, _, _ = data()
    with pytest.raises(ValueError, match=r"needs batches \(x, y\)"):
        compiled().fit({"image": x}, verbose=0)


def test_coefficients_out_of_range_are_not_clipped():
    x, y, _ = data()
    model = compiled()
    with pytest.raises(CoefficientError, match="depth = 7 is outside"):
        model.evaluate(with_rows(x, 1.0, 7.0), y, verbose=0)
    # In batches of a data set nothing can be raised.
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensors((with_rows(x, 1.0, 7.0), y))
    assert np.isnan(model.evaluate(batches, verbose=0, return_dict=True)["loss"])


def test_losses_that_loss_weights_leaves_out_have_weight_one():
    x, y, _ = data()
    found = []
    for weights in ({"seg": 2.0}, {"seg": 2.0, "depth": 1.0, "normal": 1.0}):
        _, ours = both(FIXED, LOSSES, weights)
        found.append(ours.evaluate(x, y, verbose=0, return_dict=True))
    assert found[0] == found[1]
    model = yoto.LossConditionalModel(heads(True), coefficients=FIXED)
    with pytest.raises(ValueError, match="weighs 'sge', which has no loss"):
        model.compile("sgd", loss=LOSSES, loss_weights={"sge": 2.0})


def two_heads(**options):
    """A conditioned network of two outputs with a coefficient for one."""
    x = keras.Input((3,), name="x")
    hidden = keras.layers.Dense(4, activation="relu")(x)
    outputs = {name: keras.layers.Dense(1, name=name)(hidden) for name in ("a", "b")}
    coefficients = yoto.Coefficients(b=yoto.LogUniform(0.1, 10.0))
    network = yoto.condition(keras.Model(x, outputs), coefficients)
    return yoto.LossConditionalModel(network, coefficients=coefficients, **options)


def test_a_loss_of_the_whole_batch_under_another_scalarisation():
    model = two_heads(draw="batch", scalarization=yoto.Tchebycheff())
    model.compile("sgd", {"a": lambda y, p: keras.ops.mean((y - p) ** 2), "b": "mae"})
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    y = {"a": x[:, :1], "b": x[:, 1:2]}
    history = model.fit(x, y, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_double_precision():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        model = two_heads()
        model.compile("sgd", {"a": "mse", "b": "mae"})
        x = np.random.default_rng(0).normal(size=(8, 3))
        y = {"a": x[:, :1], "b": x[:, 1:2]}
        assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()
    finally:
        keras.config.set_floatx(before)
