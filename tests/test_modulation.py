"""What `condition` keeps of the model that it copies."""

import keras
import numpy as np
import pytest
from backbone import Backbone, Classifier
from keras import layers, ops

import yoto_tf as yoto
from yoto_tf.errors import RecipeError

COEFFICIENTS = yoto.Coefficients(a=yoto.LogUniform(0.01, 1.0), b=yoto.Fixed(1.0))
WAYS = ("film", "lora", "gate")


def is_new(variable):
    """Whether a variable of a conditioned model belongs to the conditioning."""
    *folders, name = variable.path.split("/")
    return name in ("up", "down") or any(
        folder == "scales" or folder.endswith(("_film", "_gate", "_embedding"))
        for folder in folders
        if folder != "token_embedding"
    )


def names(variables):
    """Layer and name of each, wherever the layer is."""
    return sorted("/".join(variable.path.split("/")[-2:]) for variable in variables)


def kept(variables):
    """The names of what a model has that is not of the conditioning."""
    return names(variable for variable in variables if not is_new(variable))


def mlp(**options):
    return keras.Sequential(
        [
            keras.Input((4,), name="x"),
            layers.Dense(6, activation="relu", name="first", **options),
            layers.BatchNormalization(name="norm"),
            layers.Dense(5, activation="tanh", name="second"),
            layers.Dense(2, name="last"),
        ]
    )


def inputs_of(model, batch=3):
    rng = np.random.default_rng(0)
    return {
        tensor.name: rng.integers(1, 9, (batch, 5)).astype("int32")
        if tensor.dtype == "int32"
        else rng.normal(size=(batch, *tensor.shape[1:])).astype("float32")
        for tensor in model.inputs
    }


def vectors(batch=3):
    values = np.geomspace(0.01, 1, batch).astype("float32")
    return np.stack([values, np.ones(batch, "float32")], axis=1)


def outputs(model, inputs, **options):
    return [np.array(x) for x in keras.tree.flatten(model(inputs, **options))]


def check_same(model, conditioned):
    inputs = inputs_of(model)
    conditioned_inputs = {**inputs, "coefficients": vectors()}
    given = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    for old, new in zip(
        outputs(model, given), outputs(conditioned, conditioned_inputs), strict=True
    ):
        np.testing.assert_array_equal(old, new)


def frozen_variable():
    model = mlp()
    model.get_layer("first").kernel.trainable = False
    return model


def frozen_layer():
    model = mlp()
    model.get_layer("norm").trainable = False
    return model


def frozen_inside():
    """A model inside is frozen but for one layer."""
    inner = mlp()
    inner.trainable = False
    inner.get_layer("second").trainable = True
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(1, name="head")(inner(x)))


def keras_lora():
    model = mlp()
    model.get_layer("first").enable_lora(2, lora_alpha=6)
    model.get_layer("first").lora_kernel_b.assign(np.ones((2, 6)))
    model.get_layer("second").trainable = False
    return model


def keras_lora_inside():
    model = Backbone()
    model.enable_lora(2)
    for variable in model.trainable_variables:
        variable.assign(np.full(variable.shape, 0.1))
    return model


def frozen_task():
    backbone = Backbone()
    backbone.trainable = False
    return Classifier(backbone, 3)


def all_frozen():
    model = mlp()
    model.trainable = False
    return model


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    ("make", "trainable"),
    [
        (mlp, 8),
        (frozen_variable, 7),
        (frozen_layer, 6),
        (frozen_inside, 4),
        (keras_lora, 7),
        (keras_lora_inside, 8),
        (frozen_task, 2),
        (all_frozen, 0),
    ],
)
def test_what_is_frozen_stays_frozen(make, trainable, how):
    model = make()
    assert len(model.trainable_variables) == trainable
    layers_ = None
    if isinstance(model, Backbone) and how != "lora":
        layers_ = "transformer_layer_*"
    elif isinstance(model, Backbone):
        layers_ = "pooled_dense"
    conditioned = yoto.condition(model, COEFFICIENTS, layers=layers_, how=how)
    assert kept(conditioned.trainable_variables) == kept(model.trainable_variables)
    assert any(is_new(v) for v in conditioned.trainable_variables)
    check_same(model, conditioned)


def test_a_training_step_changes_what_is_not_frozen_and_nothing_else():
    model = frozen_variable()
    conditioned = yoto.condition(model, COEFFICIENTS)
    before = {v.path: np.array(v) for v in conditioned.variables}
    conditioned.compile("sgd", loss="mse")
    batch = {**inputs_of(model, 8), "coefficients": vectors(8)}
    conditioned.fit(batch, np.ones((8, 2)), epochs=3, verbose=0)
    same = {
        v.path
        for v in conditioned.variables
        if v.path in before and np.array_equal(before[v.path], v)
    }
    assert "first/kernel" in same
    assert not {"first/bias", "second/kernel", "norm/moving_mean"} & same


@pytest.mark.parametrize(("make", "moves"), [(frozen_layer, False), (mlp, True)])
def test_a_frozen_normalisation_keeps_its_statistics(make, moves):
    conditioned = yoto.condition(make(), COEFFICIENTS)
    batch = {"x": np.full((3, 4), 7.0, "float32"), "coefficients": vectors()}
    before = np.array(conditioned.get_layer("norm").moving_mean)
    conditioned(batch, training=True)
    after = np.array(conditioned.get_layer("norm").moving_mean)
    assert np.array_equal(before, after) != moves


@pytest.mark.parametrize("how", WAYS)
def test_frozen_layers_are_frozen_after_loading(how, tmp_path):
    model = frozen_inside()
    conditioned = yoto.condition(model, COEFFICIENTS, how=how)
    conditioned.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert names(loaded.trainable_variables) == names(conditioned.trainable_variables)


@pytest.mark.parametrize("how", WAYS)
def test_only_the_new_is_trained_on_request(how, tmp_path):
    conditioned = yoto.condition(mlp(), COEFFICIENTS, how=how, train=how)
    assert conditioned.trainable_variables
    assert all(is_new(v) for v in conditioned.trainable_variables)
    conditioned.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert names(loaded.trainable_variables) == names(conditioned.trainable_variables)


def test_train_is_all_or_the_way():
    with pytest.raises(RecipeError, match="train must be 'all' or 'lora', got 'film'"):
        yoto.condition(mlp(), COEFFICIENTS, how="lora", train="film")


@pytest.mark.parametrize("make", [Backbone, lambda: Classifier(Backbone(), 3)])
@pytest.mark.parametrize("how", ["film", "gate"])
def test_functional_subclasses_with_a_config_of_their_own(make, how, tmp_path):
    model = make()
    prefix = "" if isinstance(model, Backbone) else f"{model.backbone.name}/"
    conditioned = yoto.condition(
        model, COEFFICIENTS, layers=f"{prefix}transformer_layer_*", how=how
    )
    check_same(model, conditioned)
    count = sum(v.path.endswith("affine/kernel") for v in conditioned.variables)
    assert count == 2
    conditioned.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    check_same(model, loaded)


def test_the_default_choice_in_a_subclass_with_a_config_of_its_own():
    model = Classifier(Backbone(), 3)
    conditioned = yoto.condition(model, COEFFICIENTS)
    check_same(model, conditioned)
    # Its encoders are not opened. What they feed and is not an output is a dense layer.
    assert any(f"pooled_dense_{'film'}/" in v.path for v in conditioned.variables)


class WithItsOwnCall(keras.Model):
    """Functional, but what it computes is not in its graph."""

    def __init__(self):
        x = keras.Input((4,))
        super().__init__(x, layers.Dense(2)(layers.Dense(3)(x)))

    def call(self, inputs):
        return super().call(inputs) * 2


def test_a_subclass_that_computes_something_else():
    with pytest.raises(RecipeError, match="got a WithItsOwnCall"):
        yoto.condition(WithItsOwnCall(), COEFFICIENTS)


@pytest.mark.parametrize(
    "recurrent",
    [
        layers.LSTM(4, return_sequences=True, name="recurrent"),
        layers.GRU(4, name="recurrent"),
        layers.SimpleRNN(4, name="recurrent"),
        layers.Bidirectional(layers.GRU(4), name="recurrent"),
        layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], name="recurrent"),
    ],
)
@pytest.mark.parametrize("how", ["film", "gate"])
def test_recurrent_layers(recurrent, how, tmp_path):
    inputs = keras.Input((5, 3), name="x")
    copy = type(recurrent).from_config(recurrent.get_config())
    model = keras.Model(inputs, layers.Dense(2)(copy(inputs)))
    conditioned = yoto.condition(model, COEFFICIENTS, how=how)
    assert conditioned.get_layer(f"recurrent_{how}").built
    check_same(model, conditioned)
    conditioned.save(tmp_path / "model.keras")
    check_same(model, keras.models.load_model(tmp_path / "model.keras"))


def test_states_of_a_recurrent_layer_are_not_chosen():
    inputs = keras.Input((5, 3), name="x")
    x, *states = layers.LSTM(4, return_state=True, name="recurrent")(inputs)
    x = layers.Dense(3, name="dense")(ops.concatenate([x, *states], axis=-1))
    model = keras.Model(inputs, layers.Dense(2)(x))
    conditioned = yoto.condition(model, COEFFICIENTS)
    assert [la.name for la in conditioned.layers if "_film" in la.name] == [
        "dense_film"
    ]


class Doubling(layers.Layer):
    """A custom layer, not registered anywhere."""

    def __init__(self, by, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def build(self, shape):
        self.offset = self.add_weight(shape=shape[-1:], initializer="ones")

    def call(self, x):
        return self.by * x + self.offset

    def get_config(self):
        return {**super().get_config(), "by": self.by}


class Forgetful(Doubling):
    def get_config(self):
        return layers.Layer.get_config(self)


def with_custom(layer):
    return keras.Sequential([keras.Input((4,), name="x"), layer, layers.Dense(2)])


@pytest.mark.parametrize("how", ["film", "gate"])
def test_custom_layers_by_name(how):
    model = with_custom(Doubling(2.0, name="doubling"))
    conditioned = yoto.condition(model, COEFFICIENTS, layers="doubling", how=how)
    check_same(model, conditioned)
    for variable in conditioned.trainable_variables:
        if variable.path == f"doubling_{how}/affine/kernel":
            variable.assign(np.ones(variable.shape))
    assert not np.array_equal(
        *outputs(conditioned, {**inputs_of(model), "coefficients": vectors()})[0][:2]
    )


def test_a_custom_layer_whose_config_is_not_enough():
    model = with_custom(Forgetful(2.0, name="forgetful"))
    with pytest.raises(RecipeError, match=r"'forgetful' cannot be copied.*Forgetful"):
        yoto.condition(model, COEFFICIENTS, layers="forgetful")


def penalty(model, inputs):
    model(inputs)
    return float(sum(model.losses))


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("activation", ["relu", None])
def test_an_activity_regulariser_acts_on_what_the_layer_gave(how, activation):
    model = keras.Sequential(
        [
            keras.Input((4,), name="x"),
            layers.Dense(
                6, activation=activation, activity_regularizer="l2", name="first"
            ),
            layers.Dense(2, name="last"),
        ]
    )
    conditioned = yoto.condition(model, COEFFICIENTS, layers="first", how=how)
    inputs = inputs_of(model)
    before = penalty(model, inputs["x"])
    assert before > 0
    given = {**inputs, "coefficients": vectors()}
    assert penalty(conditioned, given) == pytest.approx(before, rel=1e-6)
    # What it penalises is what the next layer reads. Some versions of Keras divide by
    # the length of the batch.
    factor = before / sum_of_squares(model, inputs)
    for variable in conditioned.trainable_variables:
        if is_new(variable) and "first" in variable.path:
            variable.assign(np.full(variable.shape, 0.3))
    expected = factor * sum_of_squares(conditioned, given)
    assert penalty(conditioned, given) == pytest.approx(expected, rel=1e-5)
    assert penalty(conditioned, given) != pytest.approx(before, rel=1e-3)


def sum_of_squares(model, inputs):
    """Of what the last layer of a model reads."""
    reads = keras.Model(model.inputs, model.get_layer("last").input)
    arrays = [inputs[tensor.name] for tensor in model.inputs]
    return float(np.square(reads(arrays)).sum())
