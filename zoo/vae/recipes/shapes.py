"""The VAE of rendered shapes, whose latents can be compared with the factors.

    yoto train vae/shapes --workdir runs/vae-shapes

The pictures are rendered when they are needed (`yoto_tf.zoo.vae.shapes`). The network
is that of CIFAR-10 with ten latents, twice as many as there are factors. From a β of 50
on nothing is left of a figure, so that the dial ends at 32.
"""

from yoto_tf.zoo.vae.recipe import VAERecipe


def recipe():
    return VAERecipe(
        data="shapes:train",
        image_shape=(32, 32, 3),
        width=2,
        channels=(8, 16, 32),
        hidden_units=128,
        latents=10,
        likelihood="bernoulli",
        film_units=128,
        lowest_kl=0.5,
        highest_kl=32.0,
        normalize_weights=True,
        precision="float32",
        steps=30_000,
        batch_size=64,
        learning_rate=1e-3,
        warmup_steps=500,
        decay_fraction=0.5,
    )
