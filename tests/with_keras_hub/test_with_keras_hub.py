"""Backbones and tasks of KerasHub get a dial; see .ci/run for where it is installed."""

import keras
import numpy as np
import pytest
from keras import ops

import yoto_tf as yoto

keras_hub = pytest.importorskip(
    "keras_hub", reason="KerasHub does not go with tensorflow-compression-ops"
)


def backbone():
    return keras_hub.models.BertBackbone(
        vocabulary_size=50,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=8,
    )


def tokens(count=16):
    random = np.random.default_rng(0)
    return {
        "token_ids": random.integers(0, 50, (count, 8)).astype("int32"),
        "padding_mask": np.ones((count, 8), "int32"),
        "segment_ids": np.zeros((count, 8), "int32"),
    }


COEFFICIENTS = yoto.Coefficients(pull=yoto.LogUniform(0.1, 10.0))


def terms(inputs, outputs):
    pooled = outputs["pooled_output"] if isinstance(outputs, dict) else outputs
    return {
        "size": ops.mean(ops.square(pooled), axis=-1),
        "pull": ops.mean(ops.square(pooled - 1), axis=-1),
    }


def trained(network):
    model = yoto.LossConditionalModel(network, terms, COEFFICIENTS)
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    model.fit(tokens(), epochs=20, verbose=0)
    low, high = yoto.sweep(model, tokens(), [[0.1], [10.0]]).points("pull")[:, 0]
    assert high < low
    return model


def test_a_backbone_learns_its_dial():
    model = backbone()
    network = yoto.condition(model, COEFFICIENTS, layers="transformer_layer_*")
    given = {**tokens(), "coefficients": np.ones((16, 1), "float32")}
    before = model(tokens())["pooled_output"]
    np.testing.assert_array_equal(network(given)["pooled_output"], before)
    trained(network)


def test_a_frozen_backbone_stays_frozen():
    model = backbone()
    model.trainable = False
    network = yoto.condition(model, COEFFICIENTS, layers="transformer_layer_*")
    names = {variable.path.split("/")[0] for variable in network.trainable_variables}
    assert all("film" in name or "embedding" in name for name in names), names
    weights = model.get_weights()
    trained(network)
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_lora_stays():
    model = backbone()
    model.enable_lora(2)
    network = yoto.condition(model, COEFFICIENTS, layers="transformer_layer_*")
    paths = [variable.path for variable in network.trainable_variables]
    assert any("lora" in path for path in paths)
    trained(network)


def test_a_task(tmp_path):
    task = keras_hub.models.BertTextClassifier(backbone(), 3, preprocessor=None)
    network = yoto.condition(task, COEFFICIENTS, layers="bert_backbone*/transformer_*")
    model = trained(network)
    model.network.save(tmp_path / "task.keras")
    loaded = keras.models.load_model(tmp_path / "task.keras")
    given = {**tokens(), "coefficients": np.ones((16, 1), "float32")}
    np.testing.assert_allclose(loaded(given), network(given), atol=1e-6)
