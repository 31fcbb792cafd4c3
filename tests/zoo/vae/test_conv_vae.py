import sys

import keras
import numpy as np
import pytest
from keras import ops

import yoto_tf as yoto
from yoto_tf.zoo.vae import ConvVAE

DIAL = yoto.Coefficients(kl=yoto.LogUniform(0.125, 512))
SMALL = {"channels": (2, 4), "hidden_units": 8, "latents": 3, "film_units": 5}


def small(coefficients=DIAL, **options):
    keras.utils.set_random_seed(0)
    network = ConvVAE(coefficients, **{"image_shape": (8, 12, 3), **SMALL, **options})
    network.build(None)
    return network


def inputs(network, batch=4, kl=(0.125, 1.0, 16.0, 512.0)):
    rng = np.random.default_rng(0)
    image = rng.random((batch, *network.image_shape), "float32")
    return {"image": image, "coefficients": np.reshape(kl, (-1, 1)).astype("float32")}


def numbers():
    """Fixed weights, encoded and decoded, and one step of `fit`; on any backend."""
    rng = np.random.default_rng(1)
    network = small()
    for weight in network.trainable_variables:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    batch = inputs(network)
    embedding = network.embedding(batch["coefficients"])
    mean, scale = network.encode(batch["image"], embedding)
    latents = rng.normal(size=(4, 3)).astype("float32")
    found = {"mean": mean, "scale": scale, **network.decode(latents, embedding)}
    model = yoto.LossConditionalModel(network, network.loss_terms, DIAL)
    model.compile("sgd")
    images = {"image": batch["image"]}
    found["loss"] = model.fit(images, batch_size=4, verbose=0).history["loss"]
    return {name: np.array(value) for name, value in found.items()}


def test_jax_without_tensorflow_agrees_with_tensorflow(saved_on_jax):
    jax, tensorflow = saved_on_jax(__file__), numbers()
    assert set(jax) == set(tensorflow)
    # The loss depends on what each backend drew.
    assert np.isfinite(jax["loss"]).all()
    assert np.isfinite(tensorflow.pop("loss")).all()
    for name, expected in tensorflow.items():
        np.testing.assert_allclose(jax[name], expected, 1e-4, 1e-5, err_msg=name)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_layers_are_those_of_the_authors(width):
    # Channels and units of the paper's CIFAR-10 networks; the configuration published
    # with the authors' code is width 2.
    a, b, c = 8 * width, 16 * width, 32 * width
    network = ConvVAE(DIAL, (32, 32, 3), (a, b, c), 256 * width, 256)
    network.build(None)
    shapes = {
        weight.path.split("/", 1)[1]: tuple(weight.shape)
        for weight in network.weights
        if weight.path.endswith("kernel")
    }
    hidden = 256 * width
    for path, shape in {
        "encoder/block_0/first": (3, 3, 3, a),
        "encoder/block_0/second": (3, 3, a, a),
        "encoder/block_1/first": (3, 3, a, b),
        "encoder/block_2/second": (3, 3, c, c),
        "encoder/hidden": (16 * c, hidden),
        "encoder/posterior": (hidden, 512),
        "decoder/hidden": (256, hidden),
        "decoder/features": (hidden, 16 * c),
        "decoder/block_0/first": (3, 3, c, c),
        "decoder/block_2/first": (3, 3, a, b),
        "decoder/block_2/second": (3, 3, a, a),
        "decoder/likelihood": (3, 3, a, 6),
    }.items():
        assert shapes[f"{path}/kernel"] == shape, path
    for side, channels in (("encoder", (a, b, c)), ("decoder", (c, b, a))):
        for position, count in enumerate(channels):
            for half in ("scale", "shift"):
                film = f"{side}/block_{position}/film/{half}"
                assert shapes[f"{film}_hidden/kernel"] == (1, 512)
                assert shapes[f"{film}/kernel"] == (512, count)


def test_film_stands_before_the_second_activation():
    block = small().decoder.blocks[0]
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 2, 3, 4)).astype("float32")
    embedding = np.array([[-1.5], [1.0]], "float32")
    inner = ops.convert_to_numpy(block.first(features))
    inner = ops.convert_to_numpy(block.second(np.where(inner > 0, inner, 0.3 * inner)))
    scale, shift = block.film.scale_and_shift(embedding)
    modulated = inner * scale[:, None, None] + shift[:, None, None]
    expected = np.where(modulated > 0, modulated, 0.3 * modulated)
    np.testing.assert_allclose(block(features, embedding), expected, 1e-5, 1e-6)


def test_conditioning_starts_near_the_identity():
    network = small(film_units=512)
    embedding = network.embedding(DIAL.grid(13))
    for block in (*network.encoder.blocks, *network.decoder.blocks):
        scale, shift = block.film.scale_and_shift(embedding)
        for deviation in (np.array(scale) - 1, np.array(shift)):
            assert 0 < np.sqrt(np.mean(deviation**2)) < 0.3


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_outputs_are_float32_and_speak_of_pixels_in_the_unit_interval(likelihood):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = small(likelihood=likelihood)
    finally:
        keras.config.set_dtype_policy("float32")
    assert network.encoder.blocks[0].first.compute_dtype == "bfloat16"
    outputs = network(inputs(network))
    for value in outputs.values():
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
    mean = np.array(outputs["reconstruction"])
    assert mean.shape == (4, 8, 12, 3)
    if likelihood == "bernoulli":
        np.testing.assert_allclose(
            mean, 1 / (1 + np.exp(-np.array(outputs["logits"]))), rtol=1e-5
        )
    else:
        # Zeros of the decoder are the middle grey.
        assert abs(mean.mean() - 0.5) < 0.4
        assert np.array(outputs["reconstruction_scale"]).min() > 0
    assert np.array(outputs["posterior_scale"]).min() > 0


def test_every_call_draws_other_latents_from_the_posterior():
    network = small()
    batch = inputs(network)
    first, second = network(batch), network(batch, training=False)
    np.testing.assert_array_equal(first["posterior_mean"], second["posterior_mean"])
    assert np.abs(first["reconstruction"] - second["reconstruction"]).max() > 1e-4


def test_noise_has_the_posteriors_deviation(monkeypatch):
    network = small()
    drawn = []
    decode = network.decode

    def spy(latents, embedding):
        drawn.append(np.array(latents))
        return decode(latents, embedding)

    monkeypatch.setattr(network, "decode", spy)
    one = inputs(network, batch=1, kl=[1.0])
    outputs = network({name: np.repeat(x, 2000, axis=0) for name, x in one.items()})
    mean, scale = (np.array(outputs[f"posterior_{n}"])[0] for n in ("mean", "scale"))
    (latents,) = drawn
    np.testing.assert_allclose(latents.std(0), scale, rtol=0.1)
    assert (np.abs(latents.mean(0) - mean) < 5 * scale / np.sqrt(2000)).all()


def test_fixed_network_has_no_conditioning():
    fixed = yoto.Coefficients(kl=yoto.Fixed(4.0))
    network = small(fixed, film_units=None)
    assert not [weight for weight in network.weights if "film" in weight.path]
    outputs = network(inputs(network, kl=[4.0] * 4))
    assert np.isfinite(outputs["reconstruction"]).all()


def test_saved_model_is_the_same(tmp_path):
    network = small(likelihood="bernoulli")
    model = yoto.LossConditionalModel(network, network.loss_terms, DIAL)
    batch = inputs(network)
    model(batch)
    model.save(tmp_path / "vae.keras")
    loaded = keras.models.load_model(tmp_path / "vae.keras")
    assert loaded.network.get_config() == network.get_config()
    before, after = model(batch), loaded(batch)
    for name in ("posterior_mean", "posterior_scale"):
        np.testing.assert_array_equal(before[name], after[name])


def test_sizes_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match=r"2 blocks need sides .* multiples of 4.*30"):
        small(image_shape=(30, 30, 1))


def test_unknown_likelihood_is_refused():
    with pytest.raises(ValueError, match=r"gaussian, bernoulli. .*=poisson"):
        small(likelihood="poisson")


if __name__ == "__main__":
    # As on an accelerator machine: TensorFlow is not there to be imported.
    sys.modules["tensorflow"] = None
    np.savez(sys.argv[1], **numbers())
