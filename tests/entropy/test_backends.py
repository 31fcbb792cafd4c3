"""The entropy models on the JAX backend, with no TensorFlow, against TensorFlow's."""

import sys

import numpy as np


def numbers():
    """Bits, outputs, gradients and bytes of fixed inputs, on the current backend."""
    import keras

    from yoto_tf.entropy import (
        DeepFactorizedPrior,
        GaussianConditional,
        LaplaceConditional,
        encode,
    )

    rng = np.random.default_rng(0)
    prior = DeepFactorizedPrior()
    gaussian, laplace = GaussianConditional(), LaplaceConditional()
    prior.build((None, 3, 4))
    for weight in prior.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    x = rng.normal(0, 5, (2, 3, 4)).astype("float32")
    x[0, 0] = [0.5, 1.5, 2.5, 500.0]
    scale = np.exp(rng.normal(0, 0.3, (2, 4))).astype("float32")
    shift = rng.normal(0, 1, (2, 4)).astype("float32")
    positions = rng.uniform(-5, 68, (2, 3, 4)).astype("float32")

    def loss(x, scale, shift, positions):
        likelihoods = (
            prior.likelihood(x, scale, shift),
            gaussian.likelihood(x, positions),
            laplace.likelihood(x, positions),
        )
        bits = prior(x, scale, shift)[1] + gaussian(x, positions, mean=x / 3)[1]
        logarithms = [keras.ops.log(1e-6 + value) for value in likelihoods]
        return keras.ops.sum(bits) - sum(keras.ops.sum(log) for log in logarithms)

    arguments = (x, scale, shift, positions)
    if keras.backend.backend() == "jax":
        import jax

        gradients = jax.grad(loss, argnums=(0, 1, 2, 3))(*arguments)
    else:
        import tensorflow as tf

        arguments = [tf.constant(argument) for argument in arguments]
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            value = loss(*arguments)
        gradients = tape.gradient(value, arguments)

    noisy, noisy_bits = gaussian(x, positions, training=True)
    assert 0 < np.abs(np.asarray(noisy) - x).max() <= 0.51
    assert noisy_bits.shape == (2,)
    symbols, prior_bits = prior(x, scale, shift)
    outputs, gaussian_bits = gaussian(x, positions, mean=x / 3)
    _, laplace_bits = laplace(x, positions, mean=x / 3)
    tables = prior.coding_tables(scale, shift, precision=12)
    string = encode(np.asarray(symbols).ravel(), np.tile(np.arange(4), 6), tables)
    return {
        "prior_outputs": np.asarray(symbols),
        "prior_bits": np.asarray(prior_bits),
        "gaussian_outputs": np.asarray(outputs),
        "gaussian_bits": np.asarray(gaussian_bits),
        "laplace_bits": np.asarray(laplace_bits),
        **{f"gradient_{i}": np.asarray(g) for i, g in enumerate(gradients)},
        "lengths": tables.lengths,
        "offsets": tables.offsets,
        "string": np.frombuffer(string, "uint8"),
    }


def test_jax_without_tensorflow_agrees_with_tensorflow(saved_on_jax):
    jax, tensorflow = saved_on_jax(__file__), numbers()
    assert set(jax) == set(tensorflow)
    for name, expected in tensorflow.items():
        exact = expected.dtype.kind in "iu"
        tolerance = 0 if exact else 2e-4
        np.testing.assert_allclose(
            jax[name], expected, rtol=tolerance, atol=tolerance, err_msg=name
        )


if __name__ == "__main__":
    # As on an accelerator machine: TensorFlow is not there to be imported.
    sys.modules["tensorflow"] = None
    np.savez(sys.argv[1], **numbers())
