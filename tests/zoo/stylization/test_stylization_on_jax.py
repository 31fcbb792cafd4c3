"""The family on the JAX backend, with no TensorFlow, against TensorFlow's numbers."""

import sys

import numpy as np


def numbers():
    """Pictures, loss terms and a training step with fixed weights and inputs."""
    from small_stylizer import VGG, random_style_network

    from yoto_tf.loss_conditional_model import LossConditionalModel
    from yoto_tf.zoo.stylization import Stylizer, losses
    from yoto_tf.zoo.stylization.network.stripes import stylize_in_stripes
    from yoto_tf.zoo.stylization.training.perceptual import PerceptualFeatures

    rng = np.random.default_rng(0)
    network = random_style_network(rng)
    for weight in network.weights:
        weight.assign(rng.normal(0, 0.2, weight.shape))
    weights, before = {}, 3
    for name, channels in VGG.items():
        kernel = rng.normal(0, 0.3, (3, 3, before, channels)).astype("float32")
        weights[name] = (kernel, rng.normal(size=channels).astype("float32"))
        before = channels
    features = PerceptualFeatures(weights, (losses.CONTENT_LAYER, *losses.STYLE_LAYERS))
    paintings = [rng.integers(0, 256, (24, 30, 3)).astype("uint8") for _ in range(3)]
    grams = losses.gram_matrices(features, paintings)
    terms = losses.StylizationTerms(features, grams, 100.0)
    batch = {
        "image": rng.random((2, 20, 24, 3), "float32"),
        "style": rng.random((2, 3), "float32"),
        "coefficients": rng.uniform(0.01, 1, (2, 5)).astype("float32"),
    }
    found = {"image": np.array(network(batch))}
    found |= {name: np.array(x) for name, x in terms(batch, found["image"]).items()}
    photograph = rng.integers(0, 256, (30, 37, 3)).astype("uint8")
    stylizer = Stylizer.from_network(network)
    setting = {"style": "dots=1,checks=2", "content": 1.0}
    found["stylized"] = stylizer.stylize(photograph, **setting)
    found["striped"] = stylize_in_stripes(
        stylizer.model,
        photograph,
        np.array([2 / 3, 1 / 3, 0], "float32"),
        stylizer.coefficients.vector(content=1.0),
        500,
    )
    model = LossConditionalModel(
        network, terms, network.coefficients, balance=0.9, normalize_weights=True
    )
    model(batch)
    model.compile("sgd")
    log = model.train_on_batch(batch, return_dict=True)
    found["loss"] = np.array(float(log["loss"]))
    return found


def test_jax_without_tensorflow_agrees_with_tensorflow(saved_on_jax):
    jax, tensorflow = saved_on_jax(__file__), numbers()
    assert set(jax) == set(tensorflow)
    for name, expected in tensorflow.items():
        if expected.dtype == np.uint8:
            assert np.abs(jax[name].astype(int) - expected).max() <= 1, name
        else:
            np.testing.assert_allclose(
                jax[name], expected, rtol=1e-3, atol=1e-4, err_msg=name
            )


if __name__ == "__main__":
    # As on an accelerator machine: TensorFlow is not there to be imported.
    sys.modules["tensorflow"] = None
    np.savez(sys.argv[1], **numbers())
