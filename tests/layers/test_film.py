import keras
import numpy as np
import pytest

from yoto_tf.layers import FiLM


@pytest.fixture
def features(rng):
    return rng.normal(size=(4, 5, 6, 3)).astype("float32")


@pytest.fixture
def embedding(rng):
    return rng.normal(size=(4, 7)).astype("float32")


def leaky_relu(x):
    return np.where(x > 0, x, 0.2 * x)


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_formula(rank, rng, embedding, randomize):
    features = rng.normal(size=(4, *range(2, rank), 3)).astype("float32")
    layer = FiLM(strength=0.3)
    layer.build(features.shape, embedding.shape)
    kernel, bias = map(np.array, randomize(layer).weights)
    s, t = np.split(embedding @ kernel + bias, 2, axis=-1)
    expected = [(1 + 0.3 * s[i]) * features[i] + 0.3 * t[i] for i in range(4)]
    np.testing.assert_allclose(layer(features, embedding), expected, atol=1e-5)


def test_formula_with_hidden_layers(features, embedding, randomize):
    layer = FiLM(strength=0.3, hidden_units=6)
    layer.build(features.shape, embedding.shape)
    randomize(layer)
    scale_hidden, shift_hidden, scale, shift = (
        tuple(map(np.array, dense.weights)) for dense in [*layer.hidden, *layer.outputs]
    )

    def perceptron(hidden, output):
        return leaky_relu(embedding @ hidden[0] + hidden[1]) @ output[0] + output[1]

    s, t = perceptron(scale_hidden, scale), perceptron(shift_hidden, shift)
    expected = (1 + 0.3 * s)[:, None, None] * features + 0.3 * t[:, None, None]
    np.testing.assert_allclose(layer(features, embedding), expected, atol=1e-5)


@pytest.mark.parametrize("hidden_units", [None, 6])
def test_it_starts_near_the_identity(hidden_units, features, embedding):
    layer = FiLM(hidden_units=hidden_units)
    difference = np.asarray(layer(features, embedding)) - features
    assert 0 < np.std(difference) < 0.3


@pytest.mark.parametrize("hidden_units", [None, 6])
@pytest.mark.parametrize(
    "exact", [{"strength": 0.0}, {"strength": 0.1, "kernel_initializer": "zeros"}]
)
def test_it_can_start_at_the_identity(hidden_units, exact, features, embedding):
    layer = FiLM(hidden_units=hidden_units, **exact)
    np.testing.assert_array_equal(layer(features, embedding), features)


def test_each_example_follows_its_own_embedding(features, embedding):
    layer = FiLM()
    before = np.array(layer(features, embedding))
    embedding[2] += 1
    after = np.array(layer(features, embedding))
    changed = np.abs(after - before).max(axis=(1, 2, 3)) > 0
    np.testing.assert_array_equal(changed, [False, False, True, False])


def test_a_row_for_all_examples(features, embedding, randomize):
    layer = FiLM()
    layer.build(features.shape, embedding.shape)
    randomize(layer)
    rows = np.repeat(embedding[:1], 4, axis=0)
    outputs = layer(features, rows)
    np.testing.assert_allclose(layer(features, embedding[:1]), outputs, rtol=1e-6)
    scale, shift = layer.at(embedding[:1])
    np.testing.assert_allclose(features * scale + shift, outputs, atol=1e-6)


def test_mixed_precision(features, embedding):
    layer = FiLM(dtype="mixed_bfloat16")
    outputs = layer(features, embedding)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    exact = FiLM()
    exact.build(features.shape, embedding.shape)
    exact.set_weights(layer.get_weights())
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(outputs).astype("float32"),
        exact(features, embedding),
        rtol=0.02,
        atol=0.02,
    )


def test_a_mixed_policy_does_not_round_the_embedding():
    layer = FiLM(strength=1.0, dtype="mixed_bfloat16")
    layer.build((1, 1), (1, 1))
    # Shift 256 · e − 256: bfloat16 would make 1 of e, and 0 of the result.
    layer.affine.set_weights([np.array([[0.0, 256.0]]), np.array([0.0, -256.0])])
    outputs = layer(np.zeros((1, 1)), np.array([[1.00390625 - 2**-9]], "float32"))
    assert float(outputs[0, 0]) == pytest.approx(0.5)


def test_symbolic_and_actual_dtypes_agree(features, embedding):
    inputs = [keras.Input(features.shape[1:]), keras.Input(embedding.shape[1:])]
    output = FiLM(dtype="mixed_bfloat16")(*inputs)
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    assert output.shape == (None, 5, 6, 3)
    computed = keras.Model(inputs, output)([features, embedding])
    assert keras.backend.standardize_dtype(computed.dtype) == "bfloat16"


@pytest.mark.parametrize("hidden_units", [None, 6])
def test_all_weights_learn(hidden_units, features, embedding, gradients):
    found = gradients(FiLM(hidden_units=hidden_units), features, embedding)
    assert len(found) == (2 if hidden_units is None else 8)
    for gradient in found.values():
        assert np.abs(gradient).max() > 1e-3


def test_a_start_at_the_identity_can_be_left(features, embedding, gradients):
    found = gradients(FiLM(kernel_initializer="zeros"), features, embedding)
    for gradient in found.values():
        assert np.abs(gradient).max() > 1e-3


@pytest.mark.parametrize("hidden_units", [None, 6])
def test_saved_and_loaded(hidden_units, features, embedding, reload):
    layer = FiLM(0.2, hidden_units, keras.initializers.RandomNormal(seed=1))
    loaded = reload(layer, features, embedding)
    assert (loaded.strength, loaded.hidden_units) == (0.2, hidden_units)
    assert isinstance(loaded.kernel_initializer, keras.initializers.RandomNormal)


def test_a_negative_strength():
    with pytest.raises(ValueError, match=r"must be ≥ 0, got strength=-0.1"):
        FiLM(strength=-0.1)
