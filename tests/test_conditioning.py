import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, ops

from yoto_tf.coefficients import Coefficients
from yoto_tf.conditioning import condition, conditionable
from yoto_tf.distributions import Fixed, LogUniform, Uniform
from yoto_tf.errors import RecipeError
from yoto_tf.layers import LoRA
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


def film_names(model, how="film"):
    names = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            names += [f"{layer.name}/{name}" for name in film_names(layer, how)]
        elif how == "lora" and isinstance(layer, LoRA):
            names.append(layer.name)
        elif layer.name.endswith(f"_{how}"):
            names.append(layer.name.removesuffix(f"_{how}"))
    return names


def check_same_as(model, conditioned):
    """The old outputs to the bit at every setting; others with other new weights."""
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
        if weight.path.endswith(("_film/affine/kernel", "_gate/affine/kernel", "/up")):
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
    ("make", "how", "names"),
    [
        (small_model, "gate", ["conv", "norm", "hidden"]),
        (nested_model, "gate", ["block/conv", "head/a"]),
        (transformer_block, "gate", ["ln"]),
        # The outputs are of other kernels, too. A depthwise one has no low rank.
        (small_model, "lora", ["conv", "hidden", "logits"]),
        (nested_model, "lora", ["block/conv", "head/a", "head/b"]),
        (
            two_inputs_and_outputs,
            "lora",
            ["shared", "sum", "hidden", "middle", "more"],
        ),
        (masked_sequence, "lora", ["dense"]),
        (adapted_model, "lora", ["hidden"]),
        (transformer_block, "lora", ["d"]),
    ],
)
def test_where_the_other_ways_go(make, how, names, tmp_path):
    model = random_weights(make()) if make is not adapted_model else make()
    conditioned = condition(model, COEFFICIENTS, how=how)
    assert conditioned.output_names == getattr(
        model, "output_names", conditioned.output_names
    )
    assert sorted(film_names(conditioned, how)) == sorted(names)
    check_same_as(model, conditioned)
    if make is adapted_model:  # It has a lambda, which Keras does not load.
        return
    conditioned.save(tmp_path / "conditioned.keras")
    loaded = keras.models.load_model(tmp_path / "conditioned.keras")
    inputs = random_inputs(model)
    for old, new in zip(
        *(
            outputs_at(network, inputs, SETTINGS[0])
            for network in (conditioned, loaded)
        ),
        strict=True,
    ):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("how", ["lora", "gate"])
def test_keras_applications_in_other_ways(how):
    model = keras.applications.MobileNetV2(
        weights=None, input_shape=(32, 32, 3), classes=7
    )
    random_weights(model)
    check_same_as(model, condition(model, COEFFICIENTS, how=how))


@pytest.mark.parametrize("how", ["film", "lora", "gate"])
def test_a_row_of_coefficients_for_the_whole_batch(how):
    model = random_weights(nested_model())
    conditioned = condition(model, COEFFICIENTS, how=how)
    check_same_as(model, conditioned)  # which gives it other weights
    inputs = random_inputs(model, batch=3)
    rows = outputs_at(conditioned, inputs, SETTINGS[0])
    row = np.array(SETTINGS[:1], "float32")
    one = conditioned({**inputs, "coefficients": row}, training=False)
    np.testing.assert_allclose(one, rows[0], atol=1e-5)


@pytest.mark.parametrize(
    ("make", "layers", "names"),
    [
        (small_model, "*", 8),
        (small_model, "*o*", ["conv", "depthwise", "norm", "logits"]),
        (small_model, ["c?nv", "hid*", "hidden"], ["conv", "hidden"]),
        # As of files: a star does not reach into a folder.
        (nested_model, "*/[ab]", ["head/a", "head/b"]),
        (nested_model, "b*", ["block"]),
        (nested_model, "b*/*", ["block/conv"]),
    ],
)
def test_patterns_of_names(make, layers, names):
    model = make()
    if layers == "*o*":
        layers = ["con*", "depth*", "nor*", "log*"]
    conditioned = condition(model, COEFFICIENTS, layers=layers)
    found = sorted(film_names(conditioned))
    assert found == sorted(names) if isinstance(names, list) else len(found) == names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"how": "films"}, "how must be one of film, lora, gate, got 'films'"),
        ({"layers": "transformer_*"}, "no layer 'transformer_\\*'"),
        ({"how": "lora", "layers": "norm"}, "'norm' has no kernel that 'lora'"),
        ({"how": "lora", "layers": "depthwise"}, "got a DepthwiseConv2D"),
        ({"how": "lora", "rank": 0}, "rank must be 1 or more, got 0"),
        ({"train": "backbone"}, "train must be 'all' or 'film', got 'backbone'"),
    ],
)
def test_impossible_options(options, message):
    with pytest.raises(RecipeError, match=message) as error:
        condition(small_model(), COEFFICIENTS, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("how", ["film", "lora", "gate"])
@pytest.mark.parametrize(
    "make", [small_model, nested_model, two_inputs_and_outputs, transformer_block]
)
def test_conditionable_counts_what_condition_adds(make, how, capsys):
    model = make()
    conditionable(model, how=how, coefficients=COEFFICIENTS)
    *_, last = lines = capsys.readouterr().out.splitlines()
    conditioned = condition(model, COEFFICIENTS, how=how)
    embedding = conditioned.get_layer("coefficient_embedding").count_params()
    added = conditioned.count_params() - model.count_params() - embedding
    chosen = film_names(conditioned, how)
    assert last.startswith(f"{len(chosen)} chosen: {added:,} parameters, ")
    assert last.endswith(f" % of the model's {model.count_params():,}")
    rows = [line.split() for line in lines[1:-1]]
    assert {row[0] for row in rows if row[2] == "yes"} == set(chosen)
    counted = sum(int(row[-1].replace(",", "")) for row in rows if row[2] == "yes")
    assert counted == added


def test_conditionable_as_a_table(capsys):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="conv"),
            layers.Flatten(name="flat"),
            layers.Dense(2, name="logits"),
        ]
    )
    conditionable(model, layers=["c*", "l*"])
    assert capsys.readouterr().out.splitlines() == [
        "path    type     chosen  film parameters",
        "conv    Conv2D   yes                  80",
        "flat    Flatten                    2,880",
        "logits  Dense    yes                  40",
        "2 chosen: 120 parameters, 29.9 % of the model's 402",
    ]


@pytest.mark.parametrize(
    ("application", "limit"),
    [("EfficientNetV2B0", 0.16), ("MobileNetV2", 0.16), ("ResNet50", 0.03)],
)
def test_film_stays_small(application, limit):
    """It once doubled the parameters of an EfficientNetV2B0."""
    model = getattr(keras.applications, application)(weights=None, include_top=False)
    coefficients = Coefficients(sharp=LogUniform(0.01, 1.0))
    conditioned = condition(model, coefficients)
    assert conditioned.count_params() < (1 + limit) * model.count_params()


def unnamed(count=1):
    inputs = [keras.Input((4,)) for _ in range(count)]
    joined = layers.Concatenate()(inputs) if count > 1 else inputs[0]
    hidden = layers.Dense(5, activation="relu", name="hidden")(joined)
    return keras.Model(inputs, layers.Dense(2)(hidden))


def test_a_single_input_takes_any_key(tmp_path):
    model = random_weights(unnamed())
    conditioned = condition(model, COEFFICIENTS)
    assert sorted(conditioned.input) == ["coefficients", "inputs"]
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    rows = np.array([SETTINGS[0]] * 6, "float32")
    conditioned.save(tmp_path / "conditioned.keras")
    loaded = keras.models.load_model(tmp_path / "conditioned.keras")
    for key in ("inputs", "x", "a", "z"):
        batch = {key: x, "coefficients": rows}
        for network in (conditioned, loaded):
            np.testing.assert_array_equal(network(batch), model(x))
        np.testing.assert_allclose(
            conditioned.predict(batch, verbose=0), model(x), atol=1e-6
        )
    conditioned.compile("sgd", loss="mse")
    before = np.array(conditioned.get_layer("hidden").kernel)
    conditioned.fit({"zzz": x, "coefficients": rows}, np.ones((6, 2)), verbose=0)
    assert np.abs(before - conditioned.get_layer("hidden").kernel).max() > 0


def test_a_named_input_takes_any_key_too():
    model = small_model()
    conditioned = condition(model, COEFFICIENTS)
    image = random_inputs(model)["image"]
    rows = np.array([SETTINGS[0]] * 2, "float32")
    np.testing.assert_array_equal(
        conditioned({"picture": image, "coefficients": rows}), model(image)
    )


def test_several_inputs_without_names():
    model = random_weights(unnamed(3))
    conditioned = condition(model, COEFFICIENTS)
    names = ["coefficients", "input_0", "input_1", "input_2"]
    assert sorted(conditioned.input) == names
    x = np.random.default_rng(0).normal(size=(3, 2, 4)).astype("float32")
    batch = {f"input_{number}": array for number, array in enumerate(x)}
    batch["coefficients"] = np.array([SETTINGS[0]] * 2, "float32")
    np.testing.assert_array_equal(conditioned(batch), model(list(x)))
    batch["other"] = batch.pop("input_2")
    with pytest.raises(ValueError, match="input_2"):
        conditioned(batch)


def test_an_unnamed_input_inside_leaves_no_number_in_the_file():
    def config():
        inner = unnamed()
        inner.name = "inner"
        x = keras.Input((4,))
        outer = keras.Model(x, layers.Dense(2, name="last")(inner(x)), name="outer")
        return condition(outer, COEFFICIENTS, layers="inner/hidden")

    first, second = config(), config()
    assert "keras_tensor" not in str([list(first.input), list(second.input)])
    assert list(first.get_layer("inner").input) == list(second.get_layer("inner").input)


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
for how in ("film", "lora", "gate"):
    tests.check_same_as(model, tests.condition(model, tests.COEFFICIENTS, how=how))
    tests.test_a_row_of_coefficients_for_the_whole_batch(how)
tests.test_a_single_input_takes_any_key(pathlib.Path({str(tmp_path)!r}))
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
