import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, ops

from yoto_tf.coefficients import Coefficients
from yoto_tf.conditioning import condition
from yoto_tf.distributions import Fixed, LogUniform, Uniform
from yoto_tf.errors import RecipeError
from yoto_tf.loss_conditional_model import LossConditionalModel

COEFFICIENTS = Coefficients(sharp=LogUniform(0.01, 1.0), smooth=Fixed(1.0))
SETTINGS = ((0.01, 1.0), (1.0, 1.0))


def random_weights(model):
    """Gives every weight a value of its own, near the one it has."""
    rng = np.random.default_rng(0)
    model.set_weights(
        [
            weight + 0.01 * rng.normal(size=weight.shape).astype("float32")
            for weight in model.get_weights()
        ]
    )
    return model


def random_inputs(model, batch=2):
    rng = np.random.default_rng(1)
    return {
        tensor.name: rng.normal(size=(batch, *tensor.shape[1:])).astype("float32")
        for tensor in model.inputs
    }


def outputs_at(conditioned, inputs, setting):
    batch = len(next(iter(inputs.values())))
    coefficients = np.tile(np.array(setting, "float32"), (batch, 1))
    outputs = conditioned({**inputs, "coefficients": coefficients}, training=False)
    return [np.array(output) for output in keras.tree.flatten(outputs)]


def film_names(model):
    names = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            names += [f"{layer.name}/{name}" for name in film_names(layer)]
        elif layer.name.endswith("_film"):
            names.append(layer.name.removesuffix("_film"))
    return names


def check_same_as(model, conditioned):
    """The old outputs to the bit at every setting; new ones once FiLM has weights."""
    inputs = random_inputs(model)
    arrays = list(inputs.values())
    old_outputs = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    expected = [np.array(output) for output in keras.tree.flatten(old_outputs)]
    assert all(np.isfinite(output).all() for output in expected)
    for setting in SETTINGS:
        for old, new in zip(
            expected, outputs_at(conditioned, inputs, setting), strict=True
        ):
            np.testing.assert_array_equal(old, new)
    for weight in conditioned.weights:
        if "_film/" in weight.path and "kernel" in weight.path:
            weight.assign(0.3 * keras.random.normal(weight.shape, seed=2))
    low, high = (outputs_at(conditioned, inputs, SETTINGS[i]) for i in (0, 1))
    for first, second in zip(low, high, strict=True):
        assert np.abs(first - second).max() > 0


@pytest.mark.parametrize(
    ("application", "options", "films"),
    [
        (keras.applications.MobileNetV2, {"classes": 7}, 52),
        (keras.applications.MobileNetV2, {"include_top": False}, 52),
        (keras.applications.ResNet50, {"classes": 7}, 53),
        (keras.applications.ResNet50, {"include_top": False}, 53),
    ],
)
def test_keras_applications(application, options, films):
    model = application(weights=None, input_shape=(32, 32, 3), **options)
    random_weights(model)
    conditioned = condition(model, COEFFICIENTS)
    # Every convolution is followed by a normalisation that is modulated in its place.
    names = film_names(conditioned)
    assert len(names) == films
    assert all("bn" in name.lower() for name in names)
    check_same_as(model, conditioned)


def small_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3), name="image"),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Dropout(0.5),
            layers.DepthwiseConv2D(3, use_bias=False, name="depthwise"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(6, activation="gelu", name="hidden"),
            layers.Dense(2, activation="softmax", name="logits"),
        ],
        name="small",
    )


def nested_model():
    block_input = keras.Input((8, 8, 3))
    block = keras.Model(
        block_input,
        layers.Conv2D(3, 3, padding="same", activation="tanh", name="conv")(
            block_input
        ),
        name="block",
    )
    augment = keras.Sequential([layers.GaussianNoise(0.1)], name="augment")
    head = keras.Sequential(
        [layers.Flatten(), layers.Dense(4, name="a"), layers.Dense(2, name="b")],
        name="head",
    )
    image = keras.Input((8, 8, 3), name="image")
    features = block(block(augment(image)))
    return keras.Model(image, head(features), name="outer")


def two_inputs_and_outputs():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(5, activation="relu", name="shared")
    both = ops.concatenate([shared(left), shared(right)], axis=-1) * 2.0
    return keras.Model(
        [right, left],
        {
            "sum": layers.Dense(1, name="sum")(both),
            "hidden": layers.Dense(3, name="hidden")(both),
            "more": layers.Dense(2, name="more")(layers.Dense(3, name="middle")(both)),
        },
    )


def masked_sequence():
    tokens = keras.Input((6,), name="tokens")
    # Half of the tokens are 0, which is masked, up to rounding.
    embedded = layers.Embedding(2, 4, mask_zero=True)(ops.cast(tokens > 0, "int32"))
    return keras.Model(tokens, layers.LSTM(3)(layers.Dense(4, name="dense")(embedded)))


def adapted_model():
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(3).normal(5, 7, (100, 4)))
    inputs = keras.Input((4,), name="x")
    hidden = layers.Dense(4, name="hidden")(normalization(inputs))
    return keras.Model(inputs, layers.Lambda(lambda x: x**2)(hidden))


def transformer_block():
    inputs = keras.Input((5, 8), name="x")
    attended = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    x = layers.LayerNormalization(name="ln")(layers.Dense(8, name="d")(attended))
    return keras.Model(inputs, x + inputs)


@pytest.mark.parametrize(
    ("make", "films"),
    [
        (small_model, ["conv", "norm", "hidden"]),
        # The last layer of the last model is an output, that of the others is not.
        (nested_model, ["block/conv", "head/a"]),
        (two_inputs_and_outputs, ["shared", "middle"]),
        (masked_sequence, ["dense"]),
        (adapted_model, ["hidden"]),
        (transformer_block, ["ln"]),
    ],
)
def test_where_film_goes(make, films):
    model = random_weights(make()) if make is not adapted_model else make()
    conditioned = condition(model, COEFFICIENTS)
    assert sorted(film_names(conditioned)) == sorted(films)
    names = [tensor.name for tensor in model.inputs]
    assert sorted(conditioned.input) == sorted([*names, "coefficients"])
    assert conditioned.name == model.name
    check_same_as(model, conditioned)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (small_model, ["logits"]),
        (small_model, ["conv", "re_lu"]),
        (nested_model, ["block/conv"]),
        (nested_model, ["block"]),
        (nested_model, ["head/b", "block"]),
    ],
)
def test_named_layers(make, names):
    model = make()
    names = [model.layers[4].name if name == "re_lu" else name for name in names]
    conditioned = condition(model, COEFFICIENTS, layers=names)
    assert sorted(film_names(conditioned)) == sorted(names)
    check_same_as(model, conditioned)


def test_film_comes_before_the_activation():
    model = small_model()
    hidden = condition(model, COEFFICIENTS, layers=["hidden"])
    film = hidden.get_layer("hidden_film")
    film.affine.bias.assign([10.0] * 6 + [5.0] * 6)  # strength 0.1
    inputs = random_inputs(model)
    before = keras.Model(model.inputs[0], model.get_layer("hidden").input)(
        inputs["image"]
    )
    dense = model.get_layer("hidden")
    linear = np.array(before) @ dense.kernel.numpy() + dense.bias.numpy()
    found = keras.Model(hidden.inputs, hidden.get_layer("logits").input)(
        {**inputs, "coefficients": np.array([SETTINGS[0]] * 2)}
    )
    expected = keras.activations.gelu(ops.convert_to_tensor(2.0 * linear + 0.5))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_activations_that_keras_does_not_know_by_name():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, lambda features: 2 * ops.sin(features), name="first"),
            layers.Dense(4, ops.erf, name="second"),
            layers.Activation(lambda features: features - 1.0),
        ]
    )
    check_same_as(model, condition(model, COEFFICIENTS, layers=["first"]))


def test_shared_layers_stay_shared():
    model = two_inputs_and_outputs()
    conditioned = condition(model, COEFFICIENTS, units=())
    # FiLM of 5 and 3 channels, weights from two coefficients and a bias.
    added = 2 * (5 + 3) * (2 + 1)
    assert conditioned.count_params() == model.count_params() + added
    nested = nested_model()
    conditioned = condition(nested, COEFFICIENTS, units=())
    assert conditioned.count_params() == nested.count_params() + 2 * (3 + 4) * 3


def test_the_original_is_left_alone():
    model = random_weights(small_model())
    before = model.get_weights()
    inputs = random_inputs(model)
    expected = np.array(model(inputs["image"]))
    conditioned = condition(model, COEFFICIENTS)
    for weight in conditioned.weights:
        weight.assign(weight + 1)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(model(inputs["image"]), expected)
    assert not film_names(model)
    features = keras.Model(model.inputs[0], model.get_layer("conv").output)
    assert features(inputs["image"]).shape == (2, 6, 6, 4)


def test_frozen_layers_stay_frozen():
    model = small_model()
    model.trainable = False
    conditioned = condition(model, COEFFICIENTS)
    assert all(
        "_film/" in weight.path or "coefficient_embedding" in weight.path
        for weight in conditioned.trainable_weights
    )
    assert conditioned.trainable_weights


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = random_weights(small_model())
    finally:
        keras.config.set_dtype_policy("float32")
    conditioned = condition(model, COEFFICIENTS)
    assert conditioned.get_layer("conv_film").compute_dtype == "bfloat16"
    assert conditioned.get_layer("conv_film_activation").compute_dtype == "bfloat16"
    check_same_as(model, conditioned)


def test_a_loaded_model(tmp_path):
    model = random_weights(nested_model())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    check_same_as(model, condition(loaded, COEFFICIENTS))


def loss_terms(inputs, outputs):
    return {
        "sharp": ops.mean(ops.square(outputs - inputs["target"]), axis=-1),
        "smooth": ops.mean(ops.square(outputs), axis=-1),
    }


def test_training_and_saving(tmp_path):
    keras.utils.set_random_seed(0)
    coefficients = Coefficients(sharp=Uniform(0.0, 4.0), smooth=Fixed(1.0))
    network = condition(nested_model(), coefficients)
    model = LossConditionalModel(network, loss_terms, coefficients)
    rng = np.random.default_rng(4)
    batch = {
        "image": rng.normal(size=(32, 8, 8, 3)).astype("float32"),
        "target": np.ones((32, 2), "float32"),
    }
    model.compile(keras.optimizers.Adam(3e-2))
    history = model.fit(batch, batch_size=16, epochs=40, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]
    image = {"image": batch["image"]}
    low, high = (model.predict_at(image, sharp=value) for value in (0.0, 4.0))
    # The target is 1 where it counts, 0 where it does not.
    assert float(ops.mean(high)) > float(ops.mean(low)) + 0.1

    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    inputs = {**image, "coefficients": np.tile([[2.0, 1.0]], (32, 1))}
    np.testing.assert_array_equal(
        loaded(inputs, training=False), network(inputs, training=False)
    )


class Subclassed(keras.Model):
    pass


def test_nothing_to_condition():
    model = keras.Sequential([keras.Input((4,)), layers.ReLU(), layers.Dense(2)])
    with pytest.raises(RecipeError, match="nothing to condition") as error:
        condition(model, COEFFICIENTS)
    assert "\n" not in str(error.value)
    with pytest.raises(RecipeError, match="nothing to condition"):
        condition(small_model(), COEFFICIENTS, layers=[])


def test_channels_first_passes_through():
    model = keras.Sequential(
        [
            keras.Input((3, 8, 8)),
            layers.Conv2D(4, 3, data_format="channels_first"),
            layers.Flatten(),
        ]
    )
    with pytest.raises(RecipeError, match="channels last"):
        condition(model, COEFFICIENTS)


@pytest.mark.parametrize(
    ("make", "name", "nearest"),
    [
        (small_model, "cnov", "nearest: conv"),
        (nested_model, "conv", "nearest: block/conv"),
        (nested_model, "haed/a", "nearest: head/a"),
        (small_model, "image", "no layer 'image'"),
    ],
)
def test_unknown_layer(make, name, nearest):
    with pytest.raises(RecipeError, match=nearest):
        condition(make(), COEFFICIENTS, layers=[name])


def test_a_layer_without_channels():
    inputs = keras.Input((4, 3))
    outputs, *_ = layers.LSTM(2, return_state=True, name="lstm")(inputs)
    model = keras.Model(inputs, outputs)
    with pytest.raises(RecipeError, match=r"'lstm'.*\[batch, \.\.\., channels\]"):
        condition(model, COEFFICIENTS, layers=["lstm"])


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Subclassed(), "got a Subclassed"),
        (layers.Dense(2), "got a Dense"),
        (keras.Sequential([layers.Dense(2)]), "no input shape"),
    ],
)
def test_models_that_cannot_be_conditioned(model, reason):
    with pytest.raises(RecipeError, match=reason):
        condition(model, COEFFICIENTS)


def test_not_twice():
    with pytest.raises(RecipeError, match="'coefficients' already"):
        condition(condition(small_model(), COEFFICIENTS), COEFFICIENTS)


def test_on_jax(tmp_path):
    saved = tmp_path / "saved.keras"
    condition(small_model(), COEFFICIENTS).save(saved)
    # First what a user does who only has the file.
    script = f"""
import sys, pathlib
sys.modules["tensorflow"] = None
import keras, yoto_tf
assert "coefficients" in keras.models.load_model({str(saved)!r}).input
sys.path.insert(0, {os.path.dirname(__file__)!r})
import test_conditioning as tests
model = tests.random_weights(tests.nested_model())
tests.check_same_as(model, tests.condition(model, tests.COEFFICIENTS))
tests.test_training_and_saving(pathlib.Path({str(tmp_path)!r}))
print(tests.keras.backend.backend())
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "jax", done.stderr
