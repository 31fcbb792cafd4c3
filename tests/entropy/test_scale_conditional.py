import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from yoto_tf.entropy import GaussianConditional, LaplaceConditional, encode


@pytest.fixture(params=[GaussianConditional, LaplaceConditional])
def conditional(request):
    return request.param()


def normal_mass(x, scale):
    ends = ((x + half) / scale / 2**0.5 for half in (0.5, -0.5))
    above, below = map(math.erf, ends)
    return (above - below) / 2


def laplace_mass(x, scale):
    b = scale / 2**0.5

    def cumulative(v):
        return math.exp(v / b) / 2 if v < 0 else 1 - math.exp(-v / b) / 2

    return cumulative(x + 0.5) - cumulative(x - 0.5)


def test_scale_table(conditional):
    table = conditional.scale_table
    assert table.shape == (64,)
    assert table[[0, -1]] == pytest.approx([0.11, 256])
    np.testing.assert_allclose(np.diff(np.log(table)), np.log(256 / 0.11) / 63)


@pytest.mark.parametrize(
    ("model", "mass"),
    [(GaussianConditional, normal_mass), (LaplaceConditional, laplace_mass)],
)
def test_likelihood_is_the_mass_of_the_unit_interval(model, mass):
    x = np.array([-7.0, -0.3, 0.0, 0.5, 2.0, 40.0], "float32")
    positions = np.array([30.0, 0.0, 10.5, 20.25, 33.0, 63.0], "float32")
    scales = 0.11 * (256 / 0.11) ** (np.float64(positions) / 63)
    expected = [mass(v, s) for v, s in zip(np.float64(x), scales, strict=True)]
    np.testing.assert_allclose(
        model().likelihood(x, positions), expected, rtol=1e-5, atol=1e-9
    )


def test_likelihoods_of_all_integers_sum_to_one(conditional):
    x = np.repeat(np.arange(-4000, 4001, dtype="float32")[:, None], 64, 1)
    positions = np.tile(np.arange(64, dtype="float32"), (8001, 1))
    total = np.sum(conditional.likelihood(x, positions), axis=0)
    np.testing.assert_allclose(total, 1, atol=1e-5)


def test_rounds_around_the_mean(conditional):
    x = np.array([[1.4, 2.6, -0.5]], "float32")
    mean = np.array([[0.25, 2.0, -3.0]], "float32")
    positions = np.full((1, 3), 25.0, "float32")
    outputs, bits = conditional(x, positions, mean=mean, training=False)
    np.testing.assert_array_equal(outputs, [[1.25, 3.0, -1.0]])
    centred = np.array([[1.0, 1.0, 2.0]], "float32")
    expected = -np.log2(np.asarray(conditional.likelihood(centred, positions))).sum()
    assert float(bits[0]) == pytest.approx(expected, rel=1e-5)


def test_positions_are_rounded_and_clipped_unless_training(conditional):
    x = np.ones((4, 1), "float32")
    positions = np.array([[20.4], [19.6], [70.0], [-9.0]], "float32")
    rounded = np.array([[20.0], [20.0], [63.0], [0.0]], "float32")
    _, bits = conditional(x, positions, training=False)
    _, expected = conditional(x, rounded, training=False)
    np.testing.assert_array_equal(bits, expected)
    likelihood = np.asarray(conditional.likelihood(x, positions)).ravel()
    assert likelihood[0] != likelihood[1]


def test_adds_the_same_kind_of_noise_with_and_without_mean(conditional):
    x = np.full((2, 500), 3.2, "float32")
    positions = np.full_like(x, 30)
    for mean in (None, np.full_like(x, 1.7)):
        noise = np.asarray(conditional(x, positions, mean=mean, training=True)[0]) - x
        assert np.abs(noise).max() <= 0.5 + 1e-6
        assert noise.std() == pytest.approx(1 / np.sqrt(12), rel=0.06)


def test_gradient_of_bits_matches_differences(conditional):
    rng = np.random.default_rng(0)
    positions = tf.constant(rng.uniform(5, 60, (1, 40)).astype("float32"))
    scales = 0.11 * (256 / 0.11) ** (positions / 63)
    x = tf.constant(rng.normal(0, 1, (1, 40)).astype("float32")) * scales

    def bits(x, positions):
        return -tf.reduce_sum(tf.math.log(conditional.likelihood(x, positions)))

    with tf.GradientTape() as tape:
        tape.watch([x, positions])
        loss = bits(x, positions)
    along_x, along_positions = tape.gradient(loss, [x, positions])
    step = 0.005
    direction = tf.sign(along_x) * scales
    difference = (
        bits(x + step * direction, positions) - bits(x - step * direction, positions)
    ) / (2 * step)
    assert float(tf.reduce_sum(along_x * direction)) == pytest.approx(
        float(difference), rel=0.01
    )
    direction = tf.sign(along_positions)
    difference = (
        bits(x, positions + step * direction) - bits(x, positions - step * direction)
    ) / (2 * step)
    assert float(tf.reduce_sum(tf.abs(along_positions))) == pytest.approx(
        float(difference), rel=0.01
    )


def test_a_clipped_position_can_come_back(conditional):
    # Wide data under the smallest scale wants a larger one, and the other way round.
    x = tf.constant([[1.0, 0.0]])
    positions = tf.constant([[-3.0, 70.0]])
    with tf.GradientTape() as tape:
        tape.watch(positions)
        bits = conditional(x, positions, training=True)[1]
    below, above = tape.gradient(bits, positions).numpy()[0]
    assert below < 0 < above


def test_a_far_value_has_bounded_bits_and_finite_gradients(conditional):
    x, positions = tf.constant([[1e6]]), tf.constant([[0.0]])
    with tf.GradientTape() as tape:
        tape.watch([x, positions])
        bits = conditional(x, positions, training=True)[1]
    assert float(bits[0]) == pytest.approx(np.log2(1e9), rel=1e-5)
    assert np.all(np.isfinite(tape.gradient(bits, [x, positions])))


def test_float32_under_mixed_precision():
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        x = tf.cast(np.linspace(-5, 5, 20).reshape(4, 5), "bfloat16")
        outputs, bits = GaussianConditional()(x, x + 20, mean=x / 2)
    finally:
        keras.config.set_dtype_policy(previous)
    assert outputs.dtype == bits.dtype == tf.float32


def test_saves_and_loads(conditional, tmp_path):
    inputs = keras.Input((5,)), keras.Input((5,))
    model = keras.Model(inputs, conditional(*inputs))
    model.save(tmp_path / "conditional.keras")
    loaded = keras.models.load_model(tmp_path / "conditional.keras")
    x = [np.ones((2, 5), "float32"), np.full((2, 5), 9.0, "float32")]
    np.testing.assert_array_equal(loaded(x)[1], model(x)[1])


def test_strings_are_as_long_as_the_bits_promise(conditional):
    rng = np.random.default_rng(3)
    tables = conditional.coding_tables()
    for index in (0, 8, 20, 32, 48, 63):
        symbols = np.rint(rng.normal(0, conditional.scale_table[index], 30000))
        indexes = np.full(30000, index)
        _, bits = conditional(
            np.float32([symbols]), np.float32([indexes]), training=False
        )
        string = encode(symbols, indexes, tables)
        assert len(string) == pytest.approx(float(bits[0]) / 8, rel=0.002, abs=8)


def test_strings_with_outliers_are_as_long_as_the_bits_promise(conditional):
    rng = np.random.default_rng(3)
    tables = conditional.coding_tables()
    for index in (0, 8, 20, 32):
        scale = conditional.scale_table[index]
        symbols = np.rint(scale * rng.standard_t(2, 30000))
        indexes = np.full(30000, index)
        is_escaped = np.abs(symbols) > -tables.offsets[index]
        assert np.mean(is_escaped) > 0.005
        _, bits = conditional(
            np.float32([symbols]), np.float32([indexes]), training=False
        )
        string = encode(symbols, indexes, tables)
        assert len(string) == pytest.approx(float(bits[0]) / 8, rel=0.005, abs=8)


def test_every_integer_costs_what_its_table_says(conditional):
    tables = conditional.coding_tables()
    for index in (0, 1, 10, 30):
        last = -tables.offsets[index]
        inside = np.arange(-last, last + 1, dtype="float32")
        frequencies = np.diff(tables.cumulatives[index]) / 2**16
        coded = conditional.coded_likelihood(inside, np.full_like(inside, index))
        np.testing.assert_allclose(coded, frequencies[:-1], rtol=0.01, atol=2**-15.5)
        beyond = last + np.array([1, 2, 3, 4, 7, 8, 255, 256], "float32")
        code = frequencies[-1] * 2.0 ** -np.array([2, 4, 4, 6, 6, 8, 16, 18])
        for side in (beyond, -beyond):
            coded = conditional.coded_likelihood(side, np.full_like(side, index))
            np.testing.assert_allclose(coded, code, rtol=0.5)
