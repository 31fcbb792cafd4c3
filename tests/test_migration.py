"""Each row of the guide's table "you have, you write" does what it says.

What is written in its second column is run, on a model of the kind in its first.
"""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from backbone import Backbone
from keras import layers, ops

import yoto_tf as yoto

GUIDE = Path(__file__).parent.parent / "docs" / "your-own-model.md"
TABLE = GUIDE.read_text(encoding="utf-8").split("## You have, you write")[1]
ROWS = dict(re.findall(r"^\| (.+?) \| (`.+?`.*?) \|$", TABLE.split("\n## ")[0], re.M))
CODE = {kind: re.match("`(.+?)`", text)[1] for kind, text in ROWS.items()}
COEFFICIENTS = yoto.Coefficients(out=yoto.LogUniform(0.1, 10.0))
X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")


def row(start):
    """The code of the one row whose first column begins so."""
    (code,) = [code for kind, code in CODE.items() if kind.startswith(start)]
    return code


def run(start, **variables):
    """The variables after the code of a row has run."""
    variables |= {"yoto": yoto, "keras": keras, "coefficients": COEFFICIENTS}
    exec(row(start), variables)
    return variables


def small():
    return keras.Sequential(
        [
            keras.Input((3,), name="x"),
            layers.Dense(4, activation="relu", name="hidden"),
            layers.Dense(1, name="out"),
        ]
    )


def train(network, x=X, output="out"):
    """Two steps under a dial for the output; the network has to change."""
    coefficients = yoto.Coefficients(**{output: yoto.LogUniform(0.1, 10.0)})
    model = yoto.LossConditionalModel(network, coefficients=coefficients)
    model.compile("sgd", loss="mse", jit_compile=False)
    y = np.ones((16, *network.output_shape[1:]), "float32")
    before = [variable.numpy() for variable in network.trainable_variables]
    history = model.fit(x, y, batch_size=8, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    after = [variable.numpy() for variable in network.trainable_variables]
    assert any((a != b).any() for a, b in zip(before, after, strict=True))


def test_every_row_is_tested():
    assert len(ROWS) == 9
    source = Path(__file__).read_text(encoding="utf-8")
    starts = re.findall(r'(?:run\(|row\(|CODE\[)\s*"([^"]+)"', source)
    for kind in ROWS:
        assert any(kind.startswith(start) for start in starts), kind


def test_functional_or_sequential():
    train(run("a functional or Sequential model", model=small())["network"])


def test_frozen():
    model = small()
    model.trainable = False
    network = run("a model with frozen layers", model=model)["network"]
    kernel = network.get_layer("hidden").kernel.numpy()
    train(network)
    np.testing.assert_array_equal(network.get_layer("hidden").kernel, kernel)


def test_lora():
    model = small()
    model.get_layer("hidden").enable_lora(2)
    network = run("layers with LoRA enabled", model=model)["network"]
    assert network.get_layer("hidden").lora_enabled
    train(network)


def test_a_backbone():
    """Of the kind that KerasHub has; with its own see tests/with_keras_hub."""
    network = run("a backbone or a task of KerasHub", model=Backbone())["network"]
    modulated = [layer.name for layer in network.layers if "_film" in layer.name]
    assert modulated == ["transformer_layer_0_film", "transformer_layer_1_film"]
    tokens = {"token_ids": np.ones((2, 5), "int32"), "padding_mask": np.ones((2, 5))}
    low, high = (
        network({**tokens, "coefficients": np.full((2, 1), value, "float32")})
        for value in (0.1, 10.0)
    )
    np.testing.assert_array_equal(low["pooled_output"], high["pooled_output"])


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = layers.Dense(4), layers.Dense(1)
        # What the row makes in `__init__`, and what it writes into `call`.
        make = row("a subclass")
        (text,) = [text for text in ROWS.values() if make in text]
        _, _, self.use, _ = re.findall("`(.+?)`", text)
        exec(make, {"self": self, "yoto": yoto, "coefficients": COEFFICIENTS})

    def call(self, inputs):
        variables = {"self": self, "inputs": inputs, "x": self.hidden(inputs["x"])}
        exec(self.use, variables)
        x = variables["x"]
        return self.out(ops.relu(x))


def test_a_subclass():
    def terms(inputs, outputs):
        return {"out": ops.mean(ops.square(outputs - inputs["y"]), axis=-1)}

    model = yoto.LossConditionalModel(Subclass(), terms, COEFFICIENTS)
    model.compile("sgd", jit_compile=False)
    loss = model.fit({"x": X, "y": X[:, :1]}, verbose=0).history["loss"]
    assert np.isfinite(loss).all()
    ends = [model.predict_at({"x": X}, out=value) for value in (0.1, 10.0)]
    assert not np.array_equal(*ends)


def test_a_train_step():
    terms = {"out": np.arange(4, dtype="float32"), "other": np.ones(4, "float32")}
    drawn = np.array([[0.1], [1.0], [2.0], [10.0]], "float32")
    loss = run("a `train_step` of your own", terms=terms, drawn=drawn)["loss"]
    expected = np.mean(drawn[:, 0] * terms["out"] + 1)
    assert float(loss) == pytest.approx(expected)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="replicas are TensorFlow's here"
)
def test_replicas():
    import tensorflow as tf

    def make():
        network = yoto.condition(small(), COEFFICIENTS)
        model = yoto.LossConditionalModel(network, coefficients=COEFFICIENTS)
        model.compile("sgd", loss="mse", jit_compile=False)
        return model

    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    model = run("several replicas", strategy=strategy, make=make)["model"]
    assert np.isfinite(model.fit(X, X[:, :1], verbose=0).history["loss"]).all()


def test_a_saved_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved = yoto.condition(small(), COEFFICIENTS)
    saved.save("network.keras")
    network = run("a network that was saved with its dial")["network"]
    inputs = {"x": X, "coefficients": np.ones((16, 1), "float32")}
    np.testing.assert_array_equal(network(inputs), saved(inputs))


def test_jax(saved_on_jax):
    """On JAX; on torch this whole file runs, see .ci/run."""
    assert CODE["JAX or torch"] == "KERAS_BACKEND=jax"
    assert "`KERAS_BACKEND=torch`" in ROWS["JAX or torch"]
    found = saved_on_jax(Path(__file__).parent / "migrated_on_jax.py")
    assert np.isfinite(found["loss"]).all()
    assert str(found["backend"]) == "jax"
