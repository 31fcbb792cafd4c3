import keras
import numpy as np
import pytest
import tensorflow as tf

from yoto_tf.entropy import DeepFactorizedPrior, encode

CHANNELS = 5


@pytest.fixture
def prior():
    """A prior whose channels have different densities, most of each within ±50."""
    keras.utils.set_random_seed(7)
    prior = DeepFactorizedPrior()
    prior.build((None, CHANNELS))
    rng = np.random.default_rng(7)
    for weight in prior.trainable_variables:
        weight.assign_add(rng.normal(0, 0.3, weight.shape))
    return prior


@pytest.fixture
def integers():
    return np.repeat(np.arange(-3000, 3001, dtype="float32")[:, None], CHANNELS, 1)


def test_likelihood_is_the_mass_of_a_monotonic_network(prior):
    def cumulative(x, channel):
        h = np.array([[x]])
        for i in range(4):
            matrix = np.asarray(prior.matrices[i][channel], "float64")
            h = np.log1p(np.exp(matrix)) @ h
            h = h + np.asarray(prior.biases[i][channel], "float64")
            if i < 3:
                factor = np.asarray(prior.factors[i][channel], "float64")
                h = h + np.tanh(factor) * np.tanh(h)
        return 1 / (1 + np.exp(-h[0, 0]))

    x = np.random.default_rng(0).normal(0, 10, (4, CHANNELS)).astype("float32")
    expected = [
        [cumulative(v + 0.5, c) - cumulative(v - 0.5, c) for c, v in enumerate(row)]
        for row in np.float64(x)
    ]
    np.testing.assert_allclose(prior.likelihood(x), expected, rtol=1e-4, atol=1e-7)


def test_initial_width_is_the_initial_scale():
    for init_scale in (3.0, 30.0):
        prior = DeepFactorizedPrior(init_scale=init_scale)
        prior.build((None, 50))
        tables = prior.coding_tables(tail_mass=0.5, precision=16)
        half_of_the_mass = np.median(tables.lengths)
        assert init_scale < half_of_the_mass < 6 * init_scale


def test_likelihoods_of_all_integers_sum_to_one(prior, integers):
    total = np.sum(prior.likelihood(integers), axis=0)
    np.testing.assert_allclose(total, 1, atol=1e-5)


def test_tails_keep_their_precision(prior):
    # In the right tail both cumulatives are 1 in float32; mirrored in the left tail
    # they are not. Both sides must see small positive masses.
    x = np.linspace(20, 60, 81, dtype="float32")[:, None] * np.ones(CHANNELS, "float32")
    for side in (x, -x):
        mass = np.asarray(prior.likelihood(side))
        assert np.all(mass > 0)
        assert np.all(np.diff(mass[:, :], axis=0)[mass[1:] < 1e-3] < 0)


def test_rounds_halves_to_even_and_counts_bits(prior):
    x = np.zeros((2, 3, CHANNELS), "float32")
    x[0, :, 0] = [0.5, 1.5, -2.5]
    x[1, 0] = 3.4
    outputs, bits = prior(x, training=False)
    np.testing.assert_array_equal(np.asarray(outputs)[0, :, 0], [0, 2, -2])
    expected = -np.log2(np.float64(prior.likelihood(np.rint(x)))).sum((1, 2))
    np.testing.assert_allclose(bits, expected, rtol=1e-5)


def test_adds_uniform_noise_while_training(prior):
    x = np.full((4, 100, CHANNELS), 0.3, "float32")
    noise = np.asarray(prior(x, training=True)[0]) - x
    assert noise.min() >= -0.5
    assert noise.max() <= 0.5
    assert abs(noise.mean()) < 0.03
    assert noise.std() == pytest.approx(1 / np.sqrt(12), rel=0.05)
    assert np.any(noise != np.asarray(prior(x, training=True)[0]) - x)


def test_scale_and_shift_act_on_the_argument_of_the_cumulative(prior, integers):
    rng = np.random.default_rng(1)
    scale = np.exp(rng.normal(0, 0.5, (2, CHANNELS))).astype("float32")
    shift = rng.normal(0, 3, (2, CHANNELS)).astype("float32")
    x = np.stack([integers[2990:3010]] * 2)
    conditioned = np.asarray(prior.likelihood(x, scale, shift))
    for level in range(2):
        # The first layer of the cumulative is affine and can absorb both.
        absorbed = DeepFactorizedPrior()
        absorbed.build((None, CHANNELS))
        for new, old in zip(absorbed.weights, prior.weights, strict=True):
            new.assign(old)
        slope = np.log1p(np.exp(np.float64(prior.matrices[0])))
        by_channel = (CHANNELS, 1, 1)
        absorbed.matrices[0].assign(
            np.log(np.expm1(slope * scale[level].reshape(by_channel)))
        )
        absorbed.biases[0].assign_add(slope * shift[level].reshape(by_channel))
        np.testing.assert_allclose(
            conditioned[level], absorbed.likelihood(x[level]), rtol=1e-4, atol=1e-6
        )
        np.testing.assert_array_equal(
            prior.coding_tables(scale, shift).offsets[level * CHANNELS :][:CHANNELS],
            absorbed.coding_tables().offsets,
        )


def test_float32_under_mixed_precision(prior):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = DeepFactorizedPrior()
        mixed.build((None, CHANNELS))
        for new, old in zip(mixed.weights, prior.weights, strict=True):
            new.assign(old)
        x = tf.cast(np.linspace(-5, 5, 20).reshape(4, CHANNELS), "bfloat16")
        outputs, bits = mixed(x)
    finally:
        keras.config.set_dtype_policy(previous)
    assert outputs.dtype == bits.dtype == tf.float32
    np.testing.assert_array_equal(bits, prior(tf.cast(x, "float32"))[1])


def test_bits_of_a_far_value_are_bounded_and_its_gradient_finite(prior):
    x = tf.constant([[1e6] * CHANNELS])
    with tf.GradientTape() as tape:
        bits = prior(x)[1]
    np.testing.assert_allclose(bits, CHANNELS * np.log2(1e9), rtol=1e-5)
    for gradient in tape.gradient(bits, prior.trainable_variables):
        assert np.all(np.isfinite(gradient))


def test_learns_a_distribution():
    rng = np.random.default_rng(0)
    scales = np.array([0.3, 1, 4])
    x = (rng.laplace(5, 1, (4096, 3)) * scales).astype("float32")
    prior = DeepFactorizedPrior()
    inputs = keras.Input((3,))
    model = keras.Model(inputs, prior(inputs)[1])
    model.compile(keras.optimizers.Adam(0.02), loss=lambda _, bits: bits)
    model.fit(x, np.zeros(len(x)), batch_size=256, epochs=25, verbose=0)
    bits = np.asarray(prior(x, training=False)[1]).mean()
    counts = [np.unique(c, return_counts=True)[1] for c in np.rint(x).T]
    entropy = -sum(np.sum(n / len(x) * np.log2(n / len(x))) for n in counts)
    assert entropy < bits < entropy + 0.3


def test_saves_and_loads(prior, tmp_path):
    inputs = keras.Input((CHANNELS,))
    model = keras.Model(inputs, prior(inputs))
    model.save(tmp_path / "prior.keras")
    loaded = keras.models.load_model(tmp_path / "prior.keras")
    x = np.random.default_rng(0).normal(0, 9, (3, CHANNELS)).astype("float32")
    np.testing.assert_array_equal(loaded(x)[1], model(x)[1])


def test_refuses_a_scale_that_is_not_positive():
    with pytest.raises(ValueError, match=r"init_scale must be positive, got 0"):
        DeepFactorizedPrior(init_scale=0)


@pytest.mark.parametrize("conditioned", [False, True])
def test_strings_are_as_long_as_the_bits_promise(prior, integers, conditioned):
    rng = np.random.default_rng(2)
    scale = np.exp(rng.normal(0, 0.3, (1, CHANNELS))) if conditioned else None
    shift = rng.normal(0, 2, (1, CHANNELS)) if conditioned else None
    arguments = [a if a is None else a.astype("float32") for a in (scale, shift)]
    mass = np.float64(prior.likelihood(integers[None], *arguments))[0]
    symbols = np.stack(
        [rng.choice(integers[:, 0], 20000, p=p / p.sum()) for p in mass.T], axis=1
    )
    _, bits = prior(symbols[None], *arguments, training=False)
    indexes = np.tile(np.arange(CHANNELS), len(symbols))
    string = encode(symbols.ravel(), indexes, prior.coding_tables(scale, shift))
    assert len(string) == pytest.approx(float(bits[0]) / 8, rel=0.002, abs=8)


def test_a_density_wider_than_the_tables_is_cut_and_still_codes(prior):
    scale = np.full((1, CHANNELS), 1e-4)
    tables = prior.coding_tables(scale, precision=12)
    assert tables.lengths.max() <= 2**11 + 1
    assert encode([10**6], [0], tables)
