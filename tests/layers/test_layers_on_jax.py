"""All layers on the JAX backend, with no TensorFlow, against TensorFlow's numbers."""

import sys

import numpy as np


def numbers():
    """Outputs and gradients with fixed weights and inputs, on the current backend."""
    import keras

    import yoto_tf as yoto
    from yoto_tf import layers

    rng = np.random.default_rng(0)
    coefficients = yoto.Coefficients(
        distortion=yoto.LogUniform(0.0018, 0.18), rate=yoto.Uniform(0, 1)
    )
    raw = np.stack([rng.uniform(0.0018, 0.18, 4), rng.uniform(0, 1, 4)], -1)
    raw = raw.astype("float32")
    features = rng.normal(2, 1, (4, 6, 5, 3)).astype("float32")
    embedding = rng.normal(size=(4, 7)).astype("float32")
    constant = np.full((4, 32, 32, 3), 0.1, "float32")
    cases = {
        "embedding": (layers.CoefficientEmbedding(coefficients, (8, 8)), [raw], {}),
        "film": (layers.FiLM(), [features, embedding], {}),
        "film_hidden": (layers.FiLM(hidden_units=6), [features, embedding], {}),
        "instance": (
            layers.ConditionalInstanceNormalization(),
            [features, embedding],
            {},
        ),
        "batch": (
            layers.ConditionalBatchNormalization(),
            [features, embedding],
            {"training": True},
        ),
        "batch_inference": (
            layers.ConditionalBatchNormalization(),
            [features, embedding],
            {"training": False},
        ),
        "gate": (layers.Gate(), [features, embedding], {}),
        "lora": (layers.LoRA(keras.layers.Conv2D(5, 3)), [features, embedding], {}),
        "lora_folded": (
            layers.LoRA(keras.layers.Conv2D(5, 3)),
            [features, embedding[:1]],
            {},
        ),
        "lora_transpose": (
            layers.LoRA(keras.layers.Conv2DTranspose(5, 3, 2)),
            [features, embedding],
            {},
        ),
        "lora_einsum": (
            layers.LoRA(keras.layers.EinsumDense("abcd,de->abce", (6, 5, 4))),
            [features, embedding],
            {},
        ),
        "gdn": (layers.GDN(), [features], {}),
        "igdn": (layers.GDN(inverse=True), [features], {}),
    }
    found = {}
    for name, (layer, arrays, options) in cases.items():
        layer.build(*(array.shape for array in arrays))
        for weight in layer.trainable_variables:
            weight.assign(rng.normal(0, 0.5, weight.shape))
        found[name] = np.array(layer(*arrays, **options))
        projection = rng.normal(size=found[name].shape).astype("float32")
        for position, gradient in enumerate(
            gradients(keras, layer, arrays, options, projection)
        ):
            found[f"{name}_gradient_{position}"] = np.array(gradient)
    instance = cases["instance"][0]
    found["constant"] = np.array(instance(constant, embedding))
    return found


def gradients(keras, layer, arrays, options, projection):
    if keras.backend.backend() == "jax":
        import jax

        def loss(trainable):
            outputs, _ = layer.stateless_call(
                trainable,
                [variable.value for variable in layer.non_trainable_variables],
                *arrays,
                **options,
            )
            return (outputs * projection).sum()

        return jax.jit(jax.grad(loss))([v.value for v in layer.trainable_variables])
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(*arrays, **options) * projection)
    return tape.gradient(loss, [v.value for v in layer.trainable_variables])


def test_jax_without_tensorflow_agrees_with_tensorflow(saved_on_jax):
    jax, tensorflow = saved_on_jax(__file__), numbers()
    assert set(jax) == set(tensorflow)
    for name, expected in tensorflow.items():
        # Of a constant picture only the rounding of its mean is left, times 316.
        tolerance = (
            0.01 if name == "constant" else 1e-5 * max(1, np.abs(expected).max())
        )
        np.testing.assert_allclose(
            jax[name], expected, rtol=1e-5, atol=tolerance, err_msg=name
        )


if __name__ == "__main__":
    # As on an accelerator machine: TensorFlow is not there to be imported.
    sys.modules["tensorflow"] = None
    np.savez(sys.argv[1], **numbers())
