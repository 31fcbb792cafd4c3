import dataclasses

import numpy as np
import pytest
from keras import ops

from yoto_tf.zoo.stylization.losses import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    StylizationTerms,
    gram_matrices,
    gram_matrix,
    relative_error,
    total_variation,
    weave,
)
from yoto_tf.zoo.stylization.training.perceptual import PerceptualFeatures

NAMES = ("content", "style_1", "style_2", "style_3", "style_4", "total_variation")


@pytest.fixture
def painted(rng):
    """Three paintings of different sizes, uint8."""
    sizes = [(24, 20), (16, 40), (30, 30)]
    return [rng.integers(0, 256, (*size, 3)).astype("uint8") for size in sizes]


@pytest.fixture
def terms(vgg_weights, painted):
    features = PerceptualFeatures(vgg_weights, (CONTENT_LAYER, *STYLE_LAYERS))
    return StylizationTerms(features, gram_matrices(features, painted), energy=2.5)


@pytest.fixture
def batch(rng):
    return {
        "image": rng.random((2, 24, 20, 3), "float32"),
        "style": np.array([[0, 1, 0], [1, 0, 3]], "float32"),
    }


def test_gram_matrix(rng):
    features = rng.normal(size=(2, 4, 5, 3)).astype("float32")
    rows = features.reshape(2, 20, 3).astype("float64")
    expected = rows.transpose(0, 2, 1) @ rows / 20
    np.testing.assert_allclose(gram_matrix(features), expected, atol=1e-6)


def test_a_gram_matrix_of_bfloat16_is_summed_in_float32():
    features = ops.ones((1, 128, 128, 2), "bfloat16")
    np.testing.assert_allclose(gram_matrix(features), np.ones((1, 2, 2)), rtol=1e-6)


def test_relative_error(rng):
    values, target = rng.normal(size=(2, 3, 4, 4)).astype("float32")
    expected = ((values - target) ** 2).sum((1, 2)) / (target**2).sum((1, 2))
    np.testing.assert_allclose(relative_error(values, target), expected, rtol=1e-5)


def test_total_variation():
    image = np.zeros((2, 4, 4, 3), "float32")
    image[1, :, 2:] = 0.5
    # One step of 0.5 in three horizontal differences.
    np.testing.assert_allclose(total_variation(image), [0, 0.25 / 3], rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_weave(rng, axis):
    noise = rng.normal(0.5, 0.1, (3, 64, 66, 3)).astype("float32")

    def threads(period):
        places = np.expand_dims(np.arange((64, 66)[axis]), (1 - axis, 2))
        return 0.02 * np.cos(2 * np.pi / period * places).astype("float32")

    assert np.max(weave(noise)) < 0.3
    # Noise has a squared amplitude of 4 · variance / length.
    expected = 0.02**2 / (4 * 0.1**2 / 64)
    np.testing.assert_allclose(weave(noise + threads(4)), expected, rtol=0.5)
    np.testing.assert_allclose(weave(noise + threads(8)), weave(noise), atol=0.01)


def test_a_flat_picture_has_no_weave():
    assert weave(np.full((1, 32, 32, 3), 0.7, "float32"))[0] < 1e-3


def test_threads_in_step_with_the_grid_have_a_price_if_they_are_to(terms, batch):
    image = batch["image"].copy()
    image[:, ::4] = 1.0
    loss = dataclasses.replace(terms, weave=2.0)(batch, image)["weave"]
    np.testing.assert_allclose(loss, 2 * weave(image), rtol=1e-6)


def test_terms_by_their_definition(terms, batch, painted, rng):
    stylized = rng.random((2, 24, 20, 3), "float32")
    found = terms(batch, stylized)
    assert tuple(found) == NAMES
    photograph = np.array(terms.features(batch["image"])[CONTENT_LAYER])
    shown = {name: np.array(x) for name, x in terms.features(stylized).items()}
    error = ((shown[CONTENT_LAYER] - photograph) ** 2).sum(axis=-1)
    np.testing.assert_allclose(found["content"], error.mean((1, 2)) / 2.5, rtol=1e-4)
    for number, layer in enumerate(STYLE_LAYERS, start=1):
        first, second, third = terms.grams[layer]
        targets = np.stack([second, 0.25 * first + 0.75 * third])
        rows = shown[layer].reshape(2, -1, shown[layer].shape[-1])
        grams = rows.transpose(0, 2, 1) @ rows / rows.shape[1]
        expected = ((grams - targets) ** 2).sum((1, 2)) / (targets**2).sum((1, 2))
        np.testing.assert_allclose(found[f"style_{number}"], expected, rtol=1e-3)


def test_the_photograph_has_its_own_content_and_a_painting_its_own_style(
    terms, painted
):
    image = painted[0][None] / np.float32(255)
    inputs = {"image": image, "style": np.array([[1, 0, 0]], "float32")}
    found = terms(inputs, image)
    for name in NAMES[:-1]:
        assert float(found[name][0]) < 1e-8, name
    other = terms({**inputs, "style": np.array([[0, 0, 1]], "float32")}, image)
    assert float(other["style_4"][0]) > 1e-4


def test_the_weight_of_the_total_variation(terms, batch):
    heavy = dataclasses.replace(terms, total_variation=10.0)
    image = batch["image"]
    before, after = (terms(batch, image), heavy(batch, image))
    ratio = after["total_variation"] / before["total_variation"]
    np.testing.assert_allclose(ratio, 10, rtol=1e-6)


def test_a_loss_network_in_bfloat16(vgg_weights, painted, batch, rng):
    import tensorflow as tf

    stylized = tf.constant(rng.random((2, 24, 20, 3), "float32"))
    values, gradients = [], []
    for dtype in ("float32", "bfloat16"):
        features = PerceptualFeatures(
            vgg_weights, (CONTENT_LAYER, *STYLE_LAYERS), dtype=dtype
        )
        terms = StylizationTerms(features, gram_matrices(features, painted), 1.0)
        with tf.GradientTape() as tape:
            tape.watch(stylized)
            found = terms(batch, stylized)
            total = sum(tf.reduce_sum(found[name]) for name in NAMES[:-1])
        values.append(np.stack([found[name] for name in NAMES]))
        gradients.append(tape.gradient(total, stylized).numpy().ravel())
    np.testing.assert_allclose(values[1], values[0], rtol=0.05, atol=1e-3)
    lengths = np.linalg.norm(gradients, axis=1)
    assert gradients[0] @ gradients[1] > 0.99 * lengths.prod()
