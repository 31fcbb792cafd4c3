import keras
import numpy as np
import pytest
from keras import layers, ops

from yoto_tf.layers import LoRA

# Layers with the shape of an example each.
WRAPPED = {
    "dense": (lambda: layers.Dense(5, activation="relu"), (7,)),
    "dense_on_a_sequence": (lambda: layers.Dense(5, use_bias=False), (3, 7)),
    "conv1d": (
        lambda: layers.Conv1D(5, 3, padding="causal", dilation_rate=2),
        (8, 3),
    ),
    "conv2d": (
        lambda: layers.Conv2D(5, 3, strides=2, padding="same", activation="tanh"),
        (8, 9, 3),
    ),
    "conv3d": (lambda: layers.Conv3D(4, 2), (4, 5, 6, 3)),
    "conv1d_transpose": (lambda: layers.Conv1DTranspose(5, 3, strides=2), (8, 3)),
    "conv2d_transpose": (
        lambda: layers.Conv2DTranspose(5, 3, 2, padding="same", output_padding=1),
        (8, 9, 3),
    ),
    "queries": (
        lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 5), bias_axes="de"),
        (4, 6),
    ),
    "heads_to_one": (
        lambda: layers.EinsumDense("abcd,cde->abe", (None, 5), "gelu", "e"),
        (4, 2, 3),
    ),
    "any_rank": (lambda: layers.EinsumDense("...x,xy->...y", (5,)), (4, 3)),
    "last_but_one": (lambda: layers.EinsumDense("abc,cd->adb", (5, 4)), (4, 3)),
}


@pytest.fixture(params=WRAPPED)
def wrapped(request, rng):
    """A layer, features and embeddings."""
    make, shape = WRAPPED[request.param]
    features = rng.normal(size=(4, *shape)).astype("float32")
    return make(), features, rng.normal(size=(4, 6)).astype("float32")


def built(layer, features, embedding, randomize):
    lora = LoRA(layer)
    lora.build(features.shape, embedding.shape)
    return randomize(lora)


def test_it_starts_as_the_layer(wrapped):
    layer, features, embedding = wrapped
    lora = LoRA(layer)
    for rows in (embedding, embedding[:1]):
        np.testing.assert_array_equal(lora(features, rows), layer(features))


def test_formula(rng, randomize):
    features = rng.normal(size=(4, 7)).astype("float32")
    embedding = rng.normal(size=(4, 6)).astype("float32")
    lora = built(layers.Dense(5, activation="relu"), features, embedding, randomize)
    scales = embedding @ np.array(lora.scales.kernel) + np.array(lora.scales.bias)
    weight, bias, down, up = map(
        np.array, (lora.layer.kernel, lora.layer.bias, lora.down, lora.up)
    )
    expected = [
        np.maximum(x @ (weight + down @ np.diag(s) @ up) + bias, 0)
        for x, s in zip(features, scales, strict=True)
    ]
    np.testing.assert_allclose(lora(features, embedding), expected, atol=1e-4)


def test_thin_products_and_the_folded_kernel_agree(wrapped, randomize):
    layer, features, embedding = wrapped
    lora = built(layer, features, embedding, randomize)
    outputs = np.array(lora(features, embedding))
    assert np.abs(outputs - np.asarray(layer(features))).max() > 0.1
    for position in range(4):
        example = features[position : position + 1]
        row = embedding[position : position + 1]
        folded = np.array(lora(example, row))[0]
        np.testing.assert_allclose(folded, outputs[position], atol=1e-4)
        plain = lora.at(row)
        assert type(plain) is type(layer)
        np.testing.assert_allclose(plain(example)[0], folded, atol=1e-5)


def test_one_row_is_for_all_examples(wrapped, randomize):
    layer, features, embedding = wrapped
    lora = built(layer, features, embedding, randomize)
    rows = np.repeat(embedding[:1], 4, axis=0)
    np.testing.assert_allclose(
        lora(features, embedding[:1]), lora(features, rows), atol=1e-4
    )


def test_one_row_costs_no_second_product(monkeypatch, rng):
    """What is folded is the layer with another kernel, whatever the batch."""
    calls = []
    conv = ops.conv
    monkeypatch.setattr(ops, "conv", lambda *a, **k: calls.append(1) or conv(*a, **k))
    lora = LoRA(layers.Conv2D(3, 3))
    features = rng.normal(size=(4, 5, 5, 2)).astype("float32")
    lora(features, np.ones((1, 2), "float32"))
    assert len(calls) == 1
    lora(features, np.ones((4, 2), "float32"))
    assert len(calls) == 3


def test_shapes_are_those_of_the_layer(wrapped):
    layer, features, embedding = wrapped
    lora = LoRA(layer)
    shape = tuple(layer(features).shape)
    assert tuple(lora(features, embedding).shape) == shape
    assert tuple(lora.compute_output_shape(features.shape, embedding.shape)) == tuple(
        layer.compute_output_shape(features.shape)
    )
    inputs = keras.Input(features.shape[1:]), keras.Input(embedding.shape[1:])
    assert lora(*inputs).shape == layer(inputs[0]).shape


def test_mixed_precision(wrapped, randomize):
    layer, features, embedding = wrapped
    exact = built(layer, features, embedding, randomize)
    config = {**layer.get_config(), "dtype": "mixed_bfloat16"}
    lora = LoRA(type(layer).from_config(config))
    lora.build(features.shape, embedding.shape)
    lora.set_weights(exact.get_weights())
    assert {weight.dtype for weight in lora.weights} == {"float32"}
    for rows in (embedding, embedding[:1]):
        outputs = lora(features, rows)
        assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
        expected = np.array(exact(features, rows))
        difference = np.array(ops.cast(outputs, "float32")) - expected
        assert np.abs(difference).max() < 0.03 * np.abs(expected).max()


def test_the_start_can_be_left(wrapped, gradients):
    layer, features, embedding = wrapped
    found = gradients(LoRA(layer), features, embedding)
    up = [gradient for name, gradient in found.items() if name.endswith("/up")]
    assert np.abs(up[0]).max() > 1e-3


def test_all_weights_learn(wrapped, gradients, randomize):
    layer, features, embedding = wrapped
    lora = built(layer, features, embedding, randomize)
    for name, gradient in gradients(lora, features, embedding).items():
        assert np.abs(gradient).max() > 1e-4, name


def test_keras_own_lora_on_the_layer(rng, randomize):
    features = rng.normal(size=(4, 7)).astype("float32")
    embedding = rng.normal(size=(4, 6)).astype("float32")
    dense = layers.Dense(5)
    dense.build(features.shape)
    dense.enable_lora(2)
    lora = built(dense, features, embedding, randomize)
    assert len(lora.non_trainable_variables) == 1
    plain = lora.at(embedding[:1])
    assert not plain.lora_enabled
    np.testing.assert_allclose(
        plain(features[:1]), lora(features, embedding)[:1], atol=1e-4
    )


def test_saved_and_loaded(rng, reload):
    layer = layers.Conv2D(5, 3, activation="relu", activity_regularizer="l2")
    features = rng.normal(size=(2, 6, 6, 3)).astype("float32")
    embedding = rng.normal(size=(2, 4)).astype("float32")
    loaded = reload(LoRA(layer, rank=3), features, embedding)
    assert loaded.rank == 3
    assert isinstance(loaded.layer, layers.Conv2D)
    assert isinstance(loaded.activity_regularizer, keras.regularizers.L2)


@pytest.mark.parametrize(
    "layer",
    [
        layers.DepthwiseConv2D(3),
        layers.SeparableConv2D(4, 3),
        layers.Conv2D(4, 3, groups=2),
        layers.Conv2D(4, 3, data_format="channels_first"),
        layers.EinsumDense("abc,dc->abd", (4, 5)),
        layers.BatchNormalization(),
    ],
)
def test_layers_without_such_a_kernel(layer):
    with pytest.raises(ValueError, match="layer must be Dense"):
        LoRA(layer)


def test_a_rank_below_one():
    with pytest.raises(ValueError, match=r"rank must be ≥ 1, got rank=0"):
        LoRA(layers.Dense(3), rank=0)
