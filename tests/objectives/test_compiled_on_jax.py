"""The same model, compiled with losses and metrics, on JAX and on TensorFlow."""

import sys

import keras
import numpy as np
from keras import layers, ops

import yoto_tf as yoto

COEFFICIENTS = yoto.Coefficients(
    seg=yoto.LogUniform(0.1, 10), energy=yoto.Uniform(0, 1)
)


class Energy(layers.Layer):
    def call(self, inputs):
        self.add_loss(ops.mean(ops.square(inputs), axis=-1))
        return inputs


def numbers():
    """What training, evaluation and a sweep print, from fixed weights and data."""
    x = keras.Input((4,), name="x")
    hidden = layers.Dense(6, kernel_regularizer="l2", activation="tanh")(x)
    hidden = Energy(name="energy")(hidden)
    heads = {
        "seg": layers.Dense(3, activation="softmax", name="seg")(hidden),
        "depth": layers.Dense(1, name="depth")(hidden),
    }
    model = yoto.LossConditionalModel(
        yoto.condition(keras.Model(x, heads), COEFFICIENTS), coefficients=COEFFICIENTS
    )
    rng = np.random.default_rng(0)
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    model.compile(
        keras.optimizers.SGD(1e-3),
        loss={"seg": "sparse_categorical_crossentropy", "depth": "mse"},
        metrics={"seg": ["accuracy"]},
        validate_at=[{"seg": 0.2}, {"energy": 0.9}],
    )
    # Whole batches: TensorFlow weighs the means of single losses as if all were.
    inputs = rng.normal(size=(64, 4)).astype("float32")
    targets = {
        "seg": rng.integers(0, 3, 64),
        "depth": rng.normal(size=(64, 1)).astype("float32"),
    }
    sample_weight = rng.uniform(0, 2, 64).astype("float32")
    rows = np.stack([rng.uniform(0.2, 9, 64), rng.uniform(0, 1, 64)], -1)
    given = {"x": inputs, "coefficients": rows.astype("float32")}
    options = {"sample_weight": sample_weight, "shuffle": False, "verbose": 0}
    validation = (inputs, targets)
    found = model.fit(
        given, targets, epochs=2, validation_data=validation, **options
    ).history
    found |= model.evaluate(inputs, targets, verbose=0, return_dict=True)
    front = yoto.sweep(model, (inputs, targets), COEFFICIENTS.grid(2))
    found["front"] = front.points()
    found["baked"] = yoto.bake(model, seg=5.0).predict(inputs, verbose=0)["depth"]
    found["dial"] = model.predict_at(inputs, seg=5.0)["depth"]
    # Drawn in the compiled step, or without one; each backend its own.
    for jit_compile in ("auto", False):
        model.compile("sgd", loss=model.loss, jit_compile=jit_compile)
        drawn = model.fit(inputs, targets, verbose=0).history["loss"]
        assert np.isfinite(drawn).all()
    return {name: np.array(value) for name, value in found.items()}


def test_jax_agrees_with_tensorflow(saved_on_jax):
    jax, tensorflow = saved_on_jax(__file__), numbers()
    assert set(jax) == set(tensorflow)
    assert {
        "energy_loss",
        "val_seg_accuracy",
        "depth_loss_at_seg_0p2_energy_0p5",
    } <= set(jax)
    for name, expected in tensorflow.items():
        np.testing.assert_allclose(
            jax[name], expected, rtol=2e-4, atol=1e-5, err_msg=name
        )
    np.testing.assert_allclose(jax["baked"], jax["dial"], rtol=1e-5, atol=1e-5)


if __name__ == "__main__":
    sys.modules["tensorflow"] = None
    np.savez(sys.argv[1], **numbers())
