import contextlib

import keras
import numpy as np
import pytest
from keras import ops
from small_stylizer import random_style_network

from yoto_tf import Coefficients, LogUniform
from yoto_tf.machine.compilation import local_inference
from yoto_tf.zoo.release import Release
from yoto_tf.zoo.stylization import StyleNetwork
from yoto_tf.zoo.stylization.network.stage import (
    averaged,
    doubled,
    doubled_and_convolved,
    reflected,
)
from yoto_tf.zoo.stylization.network.style_network import MINIMUM, mirrored_to_multiple


def inputs(rng, height=24, width=20, batch=3):
    return {
        "image": rng.random((batch, height, width, 3), "float32"),
        "style": rng.random((batch, 3), "float32"),
        "coefficients": rng.uniform(0.01, 1, (batch, 5)).astype("float32"),
    }


@pytest.mark.parametrize("size", [(MINIMUM, MINIMUM), (24, 20), (17, 30), (19, 33)])
def test_the_picture_keeps_its_size_and_lies_in_range(network, rng, size):
    image = network(inputs(rng, *size), training=False)
    assert image.shape == (3, *size, 3)
    assert image.dtype == "float32"
    assert float(ops.min(image)) >= 0
    assert float(ops.max(image)) <= 1
    assert float(ops.std(image)) > 0.05


def test_sizes_unknown_to_the_graph(network, rng):
    import tensorflow as tf

    batch = inputs(rng, 17, 30)
    signature = {
        name: tf.TensorSpec((None,) * (array.ndim - 1) + array.shape[-1:])
        for name, array in batch.items()
    }
    traced = tf.function(lambda x: network(x, training=False), [signature])
    np.testing.assert_allclose(traced(batch), network(batch), atol=2e-5)


def test_examples_do_not_see_each_other(network, rng):
    batch = inputs(rng)
    together = network(batch)
    for row in range(3):
        alone = network({name: x[row : row + 1] for name, x in batch.items()})
        np.testing.assert_allclose(together[row], alone[0], atol=2e-5)


def test_it_is_trained_as_it_is_used(network, rng):
    batch = inputs(rng)
    with local_inference():
        used = network(batch)
    np.testing.assert_allclose(network(batch, training=True), used, atol=2e-5)


@pytest.mark.parametrize("name", ["style", "coefficients"])
def test_every_style_and_coefficient_changes_the_picture(network, rng, name):
    batch = inputs(rng, batch=1)
    before = network(batch)
    for column in range(batch[name].shape[1]):
        changed = batch[name].copy()
        changed[0, column] = 0.02
        image = network({**batch, name: changed})
        assert float(ops.max(ops.abs(image - before))) > 1e-3


def test_what_a_coefficient_does_depends_on_the_style(network, rng):
    batch = inputs(rng, batch=1)
    rows = []
    for style in np.eye(3, dtype="float32")[:2]:
        joint = []
        for content in (0.01, 1.0):
            coefficients = np.array([[content, 0.1, 0.1, 0.1, 0.1]], "float32")
            first = network.modulations(style[None], coefficients)[0]
            joint.append(np.array(first)[0, : network.embedding_size])
        rows.append(joint[1] - joint[0])
    assert np.abs(rows[0] - rows[1]).max() > 0.01
    assert batch["image"].shape[0] == 1


def test_style_weights_count_by_their_shares(network, rng):
    batch = inputs(rng)
    image = network(batch)
    scaled = network({**batch, "style": 7 * batch["style"]})
    np.testing.assert_allclose(scaled, image, atol=1e-4)


def test_all_weights_learn_also_where_the_picture_is_saturated(network, rng):
    import tensorflow as tf

    network.colors.bias.assign([9.0, 9.0, -9.0])
    projection = rng.normal(size=(3, 24, 20, 3))
    with tf.GradientTape() as tape:
        image = network(inputs(rng), training=True)
        loss = tf.reduce_sum(image * projection)
    weights = network.trainable_variables
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    assert float(ops.min(image)) == 0
    assert float(ops.max(image)) == 1
    for weight, gradient in zip(weights, gradients, strict=True):
        assert np.abs(gradient).max() > 0, weight.path


def test_mixed_precision_gives_nearly_the_same_picture(network, rng):
    release = Release.from_network("stylization", network)
    batch = inputs(rng, 32, 32)
    exact = release.network("float32")(batch)
    mixed = release.network("mixed_bfloat16")(batch)
    assert mixed.dtype == "float32"
    # This network's weights are random: it amplifies more than a trained one.
    assert float(ops.mean(ops.abs(mixed - exact))) < 0.03


def test_a_picture_in_one_colour(network, rng):
    batch = inputs(rng)
    batch["image"][:] = 0.3
    assert np.isfinite(network(batch)).all()


def test_the_largest_stays_under_eight_megabytes():
    names = ("content", "style_1", "style_2", "style_3", "style_4")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.01, 1.0)))
    network = StyleNetwork(coefficients, [f"style {i}" for i in range(22)])
    network.build(None)
    assert 2 * network.count_params() < 8e6
    assert [stage.filters for stage in network.encoder] == [32, 64, 128]


def test_configuration(network):
    config = keras.saving.serialize_keras_object(network)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == network.get_config()
    assert copy.styles == network.styles


def test_margins_are_mirrored_and_doubling_repeats(rng):
    image = rng.random((2, 5, 7, 3), "float32")
    whole = mirrored_to_multiple(mirrored_to_multiple(image, 1), 2)
    margins = ((0, 0), (0, 3), (0, 1), (0, 0))
    np.testing.assert_array_equal(whole, np.pad(image, margins, "reflect"))
    margins = ((0, 0), (2, 2), (2, 2), (0, 0))
    padded = np.pad(image, margins, "reflect")
    for context in (contextlib.nullcontext, local_inference):
        with context():
            np.testing.assert_array_equal(reflected(image, 2), padded)
            only_columns = reflected(image, 2, rows=False)
        np.testing.assert_array_equal(only_columns, padded[:, 2:-2])
    twice = image.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(doubled(image), twice)


@pytest.mark.parametrize("average", [-1, 0, 1])
@pytest.mark.parametrize("size", [(5, 7), (4, 4)])
def test_doubling_and_convolving_at_once(rng, size, average):
    features = rng.normal(size=(2, *size, 4)).astype("float32")
    kernel = rng.normal(size=(3, 3, 4, 6)).astype("float32")
    if average:
        expected = ops.conv(averaged(features, average), kernel)
    else:
        expected = ops.conv(reflected(doubled(features), 1), kernel)
    assert expected.shape == (2, 2 * size[0], 2 * size[1], 6)
    once = doubled_and_convolved(features, kernel, average)
    np.testing.assert_allclose(once, expected, atol=1e-5)
    rows = np.pad(features, ((0, 0), (1, 1), (0, 0), (0, 0)), "edge")
    padded = doubled_and_convolved(rows, kernel, average, pad_rows=False)
    np.testing.assert_allclose(padded, expected, atol=1e-5)


@pytest.mark.parametrize("average", [-1, 1])
def test_lines_are_averaged_with_their_neighbours(rng, average):
    features = rng.normal(size=(1, 4, 5, 2)).astype("float32")
    lines = np.pad(features, ((0, 0), (2, 2), (2, 2), (0, 0)), "edge")
    lines = lines.repeat(2, axis=1).repeat(2, axis=2)
    for axis in (1, 2):
        lines = (lines + np.roll(lines, -average, axis)) / 2
    np.testing.assert_array_equal(averaged(features, average), lines[:, 3:-3, 3:-3])


def test_averages_leave_no_image_at_every_other_line():
    """Of a wave of 16 lines, which doubled has one of 32 and an image of 2.13."""
    wave = np.cos(2 * np.pi * np.arange(64) / 16).astype("float32")
    wave = np.broadcast_to(wave[None, :, None, None], (1, 64, 64, 1))

    def image(doubled):
        power = np.abs(np.fft.fft(np.asarray(doubled)[0, :128, 0, 0])) ** 2
        return power[60] / power[4]

    assert image(doubled(wave)) > 5e-3
    for average in (-1, 1):
        assert image(averaged(wave, average)[:, 1:, 1:]) < 2e-4


def test_both_kinds_of_doubling_are_kept_in_the_configuration(rng):
    for upsampling in ("nearest", "linear"):
        network = random_style_network(rng, upsampling)
        again = StyleNetwork.from_config(network.get_config())
        assert again.upsampling == upsampling
        again.build(None)
        again.set_weights(network.get_weights())
        batch = inputs(rng)
        np.testing.assert_array_equal(again(batch), network(batch))
    # Files of 0.1 do not say.
    before = {k: v for k, v in network.get_config().items() if k != "upsampling"}
    assert StyleNetwork.from_config(before).upsampling == "nearest"
    with pytest.raises(ValueError, match="nearest, linear, got upsampling=cubic"):
        StyleNetwork.from_config({**before, "upsampling": "cubic"})
