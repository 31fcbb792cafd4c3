"""The released VAE of CIFAR-10: the authors' network at twice the narrowest width.

    yoto train vae/cifar10 --workdir runs/vae-cifar10

The network, the distribution of β, the batch and the treatment of the pictures are
those of the authors' configuration. They train for 1,200,000 steps at 1e-4, halved
after 50, 65, 80 and 95 % of them, without clipping, and hold out a fifth of the
pictures. This is a tenth of the steps at five times the rate, with the same half of the
training spent on decay. The gradient is clipped because of the start: the KL of the
untrained network, 74 nats, times a β of 512 is a loss thirty times that of a trained
one, which Adam's averages would remember for a thousand steps.
"""

from yoto_tf.zoo.vae.recipe import VAERecipe


def recipe():
    return VAERecipe(
        data="tfds:cifar10:train",
        image_shape=(32, 32, 3),
        width=2,
        channels=(8, 16, 32),
        hidden_units=256,
        latents=256,
        likelihood="gaussian",
        enlarged=40,
        precision="float32",
        steps=120_000,
        batch_size=128,
        learning_rate=5e-4,
        warmup_steps=1000,
        decay_fraction=0.5,
    )
