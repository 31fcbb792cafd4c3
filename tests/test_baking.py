import keras
import numpy as np
import pytest
from keras import layers

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError, RecipeError

COEFFICIENTS = yoto.Coefficients(
    left=yoto.LogUniform(0.01, 100), right=yoto.Uniform(0, 2)
)


def every_kind_of_layer():
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(image)
    x = layers.Conv2D(6, 3, padding="same", use_bias=False, groups=2)(x)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.ReLU()(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.SeparableConv2D(8, 3, padding="same")(x)
    skip = layers.Conv2DTranspose(8, 3, padding="same")(x)
    x = layers.GroupNormalization(2)(layers.Conv2D(8, 1)(skip))
    x = layers.Dense(4, activation="gelu")(x + skip)
    return keras.Model(image, layers.Conv2D(3, 1, name="out")(x))


def an_inner_model_and_a_shared_layer():
    pixels = keras.Input((8, 8, 3))
    inner = keras.Model(
        pixels, layers.Conv2D(4, 3, activation="relu", name="a")(pixels), name="inner"
    )
    image = keras.Input((8, 8, 3), name="image")
    shared = layers.Dense(5, activation="tanh")
    x = inner(image)
    y = shared(x) + shared(2 * x)
    return keras.Model(image, {"flat": layers.Flatten()(y), "map": y})


def conditioned(network, **options):
    """With random weights everywhere: FiLM starts as the identity."""
    model = yoto.LossConditionalModel(
        yoto.condition(network, COEFFICIENTS, **options),
        coefficients=COEFFICIENTS,
        without_term=COEFFICIENTS.names,
    )
    rng = np.random.default_rng(0)
    for weight in model.network.weights:
        change = rng.normal(0, 0.1, weight.shape)
        weight.assign(weight + np.abs(change) if "variance" in weight.name else change)
    return model


@pytest.mark.parametrize(
    "build", [every_kind_of_layer, an_inner_model_and_a_shared_layer]
)
@pytest.mark.parametrize("how", ["film", "lora", "gate"])
def test_outputs_are_those_of_the_dial(build, how, tmp_path):
    keras.utils.set_random_seed(0)
    model = conditioned(build(), how=how)
    x = np.random.default_rng(1).normal(size=(3, 8, 8, 3)).astype("float32")
    before = model.network.get_weights()
    for setting in ({"left": 0.02, "right": 1.9}, {"left": 90.0, "right": 0.1}):
        plain = yoto.bake(model, **setting)
        assert [tensor.name for tensor in plain.inputs] == ["image"]
        expected = model.predict_at(x, **setting)
        plain.save(tmp_path / "plain.keras")
        for network in (plain, keras.models.load_model(tmp_path / "plain.keras")):
            found = network.predict(x, verbose=0)
            keras.tree.map_structure(
                lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5),
                found,
                expected,
            )
    for one, other in zip(before, model.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_is_left_of_the_dial():
    plain = yoto.bake(conditioned(every_kind_of_layer()), left=3.0)
    kinds = {type(layer).__module__.split(".")[0] for layer in plain._flatten_layers()}
    assert kinds == {"keras"}
    original = every_kind_of_layer()
    # Two layers have got a bias, and one a scale, that they had none of.
    assert plain.count_params() <= original.count_params() + 6 + 6 + 6
    names = [layer.name for layer in plain.layers]
    assert not [name for name in names if name.endswith("_film")]


def test_film_where_it_cannot_be_folded():
    image = keras.Input((8, 8, 3), name="image")
    x = layers.ReLU(name="relu")(layers.Conv2D(4, 3)(image))
    model = conditioned(keras.Model(image, layers.Dense(2)(x)), layers=["relu"])
    x = np.random.default_rng(1).normal(size=(3, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(
        yoto.bake(model, left=5.0).predict(x, verbose=0),
        model.predict_at(x, left=5.0),
        rtol=1e-5,
        atol=1e-5,
    )


def test_coefficients_beside_features():
    """Without FiLM: a constant has to become a tensor with a row an example."""
    inputs = {
        "x": keras.Input((4,), name="x"),
        "coefficients": keras.Input((2,), name="coefficients"),
    }
    both = layers.Concatenate()([inputs["x"], inputs["coefficients"]])
    network = keras.Model(inputs, layers.Dense(3)(both))
    model = yoto.LossConditionalModel(
        network, coefficients=COEFFICIENTS, without_term=COEFFICIENTS.names
    )
    x = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")
    np.testing.assert_allclose(
        yoto.bake(model, right=1.5).predict(x, verbose=0),
        model.predict_at(x, right=1.5),
        rtol=1e-5,
    )


def test_refused():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs["x"]

    model = yoto.LossConditionalModel(Own(), coefficients=COEFFICIENTS)
    with pytest.raises(RecipeError, match="functional network can be baked, got a Own"):
        yoto.bake(model)
    with pytest.raises(CoefficientError, match="left = 1000 is outside"):
        yoto.bake(conditioned(every_kind_of_layer()), left=1000)
    with pytest.raises(CoefficientError, match="expects a LossConditionalModel"):
        yoto.bake(every_kind_of_layer())


def test_several_inputs_keep_their_order_and_their_names():
    z, m = keras.Input((3,), name="z"), keras.Input((3,), name="m")
    hidden = layers.Dense(4, activation="relu")(z - 2 * m)
    plain = keras.Model([z, m], layers.Dense(2, name="out")(hidden))
    coefficients = yoto.Coefficients(out=yoto.Uniform(0.0, 1.0))
    model = yoto.LossConditionalModel(
        yoto.condition(plain, coefficients), coefficients=coefficients
    )
    baked = yoto.bake(model, out=0.5)
    first, second = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    expected = plain.predict([first, second], verbose=0)
    for given in ([first, second], {"m": second, "z": first, "more": first}):
        found = baked.predict(given, verbose=0)
        np.testing.assert_allclose(found, expected, atol=1e-6)
