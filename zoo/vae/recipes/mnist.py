"""The VAE of MNIST: grey values as Bernoulli probabilities.

    yoto train vae/mnist --workdir runs/vae-mnist

The authors have no network for MNIST. This is theirs with two blocks in place of three,
which halve 28 pixels to 7 without padding, and with 32 latents.
"""

from yoto_tf.zoo.vae.recipe import VAERecipe


def recipe():
    return VAERecipe(
        data="tfds:mnist:train",
        image_shape=(28, 28, 1),
        width=2,
        channels=(8, 16),
        hidden_units=128,
        latents=32,
        likelihood="bernoulli",
        film_units=256,
        precision="float32",
        steps=60_000,
        batch_size=128,
        learning_rate=1e-3,
        warmup_steps=1000,
        decay_fraction=0.5,
    )
